import { useQuery } from "@tanstack/react-query";
import { Webhook as Hook, Plus } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Secret } from "../ui/copy";
import { Confirm, Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { Card, Mono, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows, useFault } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { useToast } from "../ui/toast";
import { Kinds, useMailKinds } from "./mail-choice";

type Webhook = Answer<"/api/admin/webhooks">["data"][number];
type Act = { kind: "add" } | { kind: "made"; secret: string } | { kind: "remove"; hook: Webhook };

export function useWebhooks() {
  return useQuery({ queryKey: ["webhooks"], queryFn: ({ signal }) => api.get("/api/admin/webhooks", { signal }) });
}

/** Webhooks are the addresses that events are sent to. */
export function Webhooks() {
  const { t, known } = useI18n();
  const say = useToast();
  const fault = useFault();
  const invalidate = useInvalidate();
  const [act, setAct] = useState<Act>();
  const [testing, setTesting] = useState<string>();
  const close = () => setAct(undefined);
  const hooks = useWebhooks();
  async function test(h: Webhook) {
    setTesting(h.id);
    try {
      await api.post("/api/admin/webhooks/{id}/test", { params: { id: h.id } });
      say(t("webhooks.tested"));
    } catch (thrown) {
      say(fault(thrown), true);
    } finally {
      setTesting(undefined);
    }
  }
  const columns: Column<Webhook>[] = [
    {
      key: "url",
      head: t("webhooks.url"),
      cell: (h) => (
        <div className="min-w-0">
          <Mono>{h.url}</Mono>
          <div className="text-sm text-ink-3 md:hidden">
            {h.kinds.length === 0 ? t("webhooks.all") : h.kinds.map((k) => known(`kind.${k}`, k)).join(", ")}
          </div>
        </div>
      ),
    },
    {
      key: "kinds",
      head: t("webhooks.kinds"),
      from: "md",
      cell: (h) =>
        h.kinds.length === 0 ? (
          <Badge>{t("webhooks.all")}</Badge>
        ) : (
          <span className="flex flex-wrap gap-1">
            {h.kinds.map((k) => (
              <Badge key={k}>{known(`kind.${k}`, k)}</Badge>
            ))}
          </span>
        ),
    },
    { key: "at", head: t("keys.created"), from: "lg", cell: (h) => <Time at={h.created_at} /> },
    {
      key: "do",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (h) => (
        <span className="inline-flex justify-end gap-2 max-sm:flex-col">
          <Button small busy={testing === h.id} onClick={() => test(h)}>
            {t("webhooks.test")}
          </Button>
          <Button small onClick={() => setAct({ kind: "remove", hook: h })}>
            {t("action.remove")}
          </Button>
        </span>
      ),
    },
  ];
  const add = (
    <Button small icon={<Plus aria-hidden className="size-4" />} onClick={() => setAct({ kind: "add" })}>
      {t("webhooks.add")}
    </Button>
  );
  return (
    <Card flush title={t("notes.tab.webhooks")} action={add}>
      <Loaded query={hooks} loading={<Rows n={3} />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty icon={<Hook aria-hidden className="size-5" />} title={t("webhooks.none")}>
              {t("webhooks.none.hint")}
            </Empty>
          ) : (
            <Table label={t("notes.tab.webhooks")} columns={columns} rows={data} id={(h) => h.id} />
          )
        }
      </Loaded>
      <Modal wide open={act?.kind === "add"} onClose={close} title={t("webhooks.add")} about={t("webhooks.add.about")}>
        <Add onClose={close} made={(secret) => setAct({ kind: "made", secret })} />
      </Modal>
      <Modal keep open={act?.kind === "made"} onClose={close} title={t("webhooks.made")} about={t("webhooks.made.about")}>
        {act?.kind === "made" && (
          <div className="flex flex-col gap-4">
            <Secret text={act.secret} />
            <Note>{t("webhooks.made.note")}</Note>
            <Button look="primary" className="self-end" onClick={close}>
              {t("users.link.kept")}
            </Button>
          </div>
        )}
      </Modal>
      <Confirm
        open={act?.kind === "remove"}
        onClose={close}
        title={t("webhooks.remove.title")}
        consequences={
          <>
            <p className="mb-2">
              <Mono>{act?.kind === "remove" ? act.hook.url : ""}</Mono>
            </p>
            {t("webhooks.remove.consequences")}
          </>
        }
        action={t("action.remove")}
        act={async () => {
          if (act?.kind !== "remove") return;
          await api.delete("/api/admin/webhooks/{id}", { params: { id: act.hook.id } });
          await invalidate("webhooks", "notifications");
        }}
      />
    </Card>
  );
}

function Add({ onClose, made }: { onClose: () => void; made: (secret: string) => void }) {
  const t = useT();
  const invalidate = useInvalidate();
  const kinds = useMailKinds();
  return (
    <Form
      submit={t("webhooks.add")}
      onCancel={onClose}
      save={async (value) => {
        const chosen = (kinds.data?.available ?? []).filter((k) => value(k));
        const hook = await api.post("/api/admin/webhooks", { body: { url: value("url"), kinds: chosen } });
        await invalidate("webhooks");
        made(hook.secret ?? "");
      }}
    >
      {(fault) => (
        <>
          <TextField name="url" type="url" label={t("webhooks.url")} placeholder="https://" error={fault("url")} required />
          <fieldset>
            <legend className="mb-2 text-sm font-medium">{t("webhooks.kinds.choose")}</legend>
            <Kinds all={kinds.data?.available ?? []} chosen={[]} />
            {fault("kinds") && <p className="mt-1 text-sm text-danger">{fault("kinds")}</p>}
          </fieldset>
        </>
      )}
    </Form>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Camera, Plus } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count, percent } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Modal } from "../ui/dialog";
import { Check, Form, SelectField, TextField } from "../ui/form";
import { Card, Mono, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows } from "../ui/states";
import { type Column, Table } from "../ui/table";

type Rule = Answer<"/api/admin/capture">["rules"][number];
const kinds = ["email", "phone", "card"] as const;

/** CaptureRules say of which calls the bodies are kept. */
export function CaptureRules() {
  const { t, known, format } = useI18n();
  const invalidate = useInvalidate();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Rule>();
  const capture = useQuery({ queryKey: ["capture"], queryFn: ({ signal }) => api.get("/api/admin/capture", { signal }) });
  const columns: Column<Rule>[] = [
    {
      key: "whose",
      head: t("capture.whose"),
      cell: (r) => {
        const only = [
          r.user_id && `${t("call.user")}: ${r.user_id}`,
          r.key_id && `${t("call.key")}: ${r.key_id}`,
          r.app_id && `${t("call.app")}: ${r.app_id}`,
        ].filter(Boolean);
        return only.length === 0 ? (
          t("capture.everybody")
        ) : (
          <div className="flex flex-col">
            {only.map((text) => (
              <Mono key={String(text)}>{text}</Mono>
            ))}
          </div>
        );
      },
    },
    { key: "share", head: t("capture.share"), num: true, cell: (r) => percent(format, r.permille / 1000) },
    { key: "parts", head: t("capture.parts"), from: "sm", cell: (r) => known(`capture.parts.${r.parts}`, r.parts) },
    {
      key: "pii",
      head: t("capture.pii"),
      from: "md",
      cell: (r) =>
        r.pii.length === 0 ? (
          <span className="text-ink-3">–</span>
        ) : (
          <span className="flex flex-wrap gap-1">
            {r.pii.map((k) => (
              <Badge key={k}>{known(`capture.pii.${k}`, k)}</Badge>
            ))}
          </span>
        ),
    },
    {
      key: "by",
      head: t("codes.by"),
      from: "lg",
      cell: (r) => (
        <span>
          {r.created_by} · <Time at={r.created_at} />
        </span>
      ),
    },
    {
      key: "do",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (r) => (
        <Button small onClick={() => setRemoving(r)}>
          {t("action.remove")}
        </Button>
      ),
    },
  ];
  const add = (
    <Button small icon={<Plus aria-hidden className="size-4" />} onClick={() => setAdding(true)}>
      {t("capture.add")}
    </Button>
  );
  return (
    <>
      <Card flush title={t("capture.title")} action={add}>
        <Loaded query={capture} loading={<Rows n={3} />}>
          {(c) => (
            <>
              <div className="p-4">
                {c.on ? (
                  <p className="text-ink-3">
                    {t("capture.stats", { kept: count(format, c.stats.kept ?? 0), dropped: count(format, c.stats.dropped ?? 0) })}
                  </p>
                ) : (
                  <Note>{t("capture.off")}</Note>
                )}
              </div>
              {c.rules.length === 0 ? (
                <Empty icon={<Camera aria-hidden className="size-5" />} title={t("capture.none")}>
                  {t("capture.none.hint")}
                </Empty>
              ) : (
                <Table label={t("capture.title")} columns={columns} rows={c.rules} id={(r) => r.id} />
              )}
            </>
          )}
        </Loaded>
      </Card>
      <Modal wide open={adding} onClose={() => setAdding(false)} title={t("capture.add")} about={t("capture.add.about")}>
        <Add onClose={() => setAdding(false)} />
      </Modal>
      <Confirm
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("capture.remove.title")}
        consequences={t("capture.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          await api.delete("/api/admin/capture/rules/{id}", { params: { id: removing?.id ?? "" } });
          await invalidate("capture");
        }}
      />
    </>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const t = useT();
  const invalidate = useInvalidate();
  return (
    <Form
      submit={t("capture.add")}
      onCancel={onClose}
      save={async (value) => {
        await api.post("/api/admin/capture/rules", {
          body: {
            user: value("user"),
            key_id: value("key_id"),
            app_id: value("app_id"),
            permille: Math.round(Number(value("permille")) * 10),
            parts: value("parts") as "both" | "request" | "response",
            pii: kinds.filter((k) => value(k)),
            users_see: value("users_see") !== "",
          },
        });
        await invalidate("capture");
        onClose();
      }}
    >
      {(fault) => (
        <>
          <div className="grid gap-4 sm:grid-cols-2">
            <TextField
              name="user"
              type="email"
              label={t("capture.user")}
              hint={t("capture.any")}
              error={fault("user")}
              autoComplete="off"
            />
            <TextField
              name="app_id"
              label={t("adminapps.id")}
              hint={t("capture.any")}
              error={fault("app_id")}
              autoComplete="off"
            />
            <TextField
              name="key_id"
              label={t("capture.key")}
              hint={t("capture.any")}
              error={fault("key_id")}
              autoComplete="off"
            />
            <TextField
              name="permille"
              type="number"
              min={0}
              max={100}
              step="0.1"
              label={t("capture.percent")}
              hint={t("capture.percent.hint")}
              defaultValue="100"
              error={fault("permille")}
              required
            />
            <SelectField name="parts" label={t("capture.parts")} error={fault("parts")}>
              <option value="both">{t("capture.parts.both")}</option>
              <option value="request">{t("capture.parts.request")}</option>
              <option value="response">{t("capture.parts.response")}</option>
            </SelectField>
          </div>
          <fieldset className="flex flex-col gap-2">
            <legend className="mb-1 text-sm font-medium">{t("capture.pii.take")}</legend>
            <div className="flex flex-wrap gap-4">
              {kinds.map((k) => (
                <Check key={k} name={k} label={t(`capture.pii.${k}`)} defaultChecked />
              ))}
            </div>
          </fieldset>
          <Check name="users_see" label={t("capture.see")} hint={t("capture.see.hint")} />
        </>
      )}
    </Form>
  );
}

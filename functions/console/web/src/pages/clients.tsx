import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { AppWindow, Plus } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { CopyButton, Secret } from "../ui/copy";
import { Confirm, Modal } from "../ui/dialog";
import { Check, Field, Form, TextField } from "../ui/form";
import { Listing } from "../ui/listing";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Card, Mono, Page, Time } from "../ui/page";
import { Badge } from "../ui/states";
import type { Column } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { AllConnections } from "./connections-all";

type Client = Answer<"/api/admin/oauth-clients">["data"][number];
const scopes = ["inference", "usage", "billing", "admin"] as const;

type Act =
  | { kind: "register" }
  | { kind: "edit" | "rotate" | "remove"; client: Client }
  | { kind: "made"; client: Client; secret: string };

/** Clients are the applications that users can sign in to with the hub, and what they were allowed. */
export function Clients() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/clients" });
  const search = useSearch({ from: "/inside/admin/admin/clients" });
  const invalidate = useInvalidate();
  const [act, setAct] = useState<Act>();
  const close = () => setAct(undefined);
  const tab = search.tab === "connections" ? "connections" : "clients";
  return (
    <Page
      title={t("nav.clients")}
      about={t("clients.about")}
      actions={
        <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setAct({ kind: "register" })}>
          {t("clients.register")}
        </Button>
      }
    >
      <Tabs
        label={t("nav.clients")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "clients" ? undefined : next } })}
        tabs={[
          ["clients", t("nav.clients")],
          ["connections", t("clients.connections")],
        ]}
      >
        {tab === "clients" ? <List act={setAct} /> : <AllConnections />}
      </Tabs>
      <Modal
        wide
        open={act?.kind === "register"}
        onClose={close}
        title={t("clients.register")}
        about={t("clients.register.about")}
      >
        <ClientForm
          onClose={close}
          saved={(client, secret) => setAct(secret || client ? { kind: "made", client, secret } : undefined)}
        />
      </Modal>
      <Modal
        wide
        open={act?.kind === "edit"}
        onClose={close}
        title={t("clients.edit")}
        about={act?.kind === "edit" ? act.client.name : undefined}
      >
        {act?.kind === "edit" && <ClientForm of={act.client} onClose={close} saved={close} />}
      </Modal>
      <Modal keep open={act?.kind === "made"} onClose={close} title={t("clients.made")} about={t("clients.made.about")}>
        {act?.kind === "made" && (
          <div className="flex flex-col gap-4">
            <Field label={t("clients.id")}>
              {({ id }) => (
                <output id={id}>
                  <Secret text={act.client.client_id} />
                </output>
              )}
            </Field>
            {act.secret && (
              <Field label={t("clients.secret")} hint={t("clients.secret.hint")}>
                {({ id }) => (
                  <output id={id}>
                    <Secret text={act.secret} />
                  </output>
                )}
              </Field>
            )}
            <Button look="primary" className="self-end" onClick={close}>
              {t("users.link.kept")}
            </Button>
          </div>
        )}
      </Modal>
      <Confirm
        open={act?.kind === "rotate"}
        onClose={close}
        title={t("clients.rotate.title", { name: act?.kind === "rotate" ? act.client.name : "" })}
        consequences={t("clients.rotate.consequences")}
        action={t("clients.rotate")}
        act={async () => {
          if (act?.kind !== "rotate") return;
          const made = await api.post("/api/admin/oauth-clients/{id}/rotate-secret", { params: { id: act.client.client_id } });
          await invalidate("clients");
          setTimeout(() => setAct({ kind: "made", client: act.client, secret: made.client_secret }));
        }}
      />
      <Confirm
        open={act?.kind === "remove"}
        onClose={close}
        title={t("clients.remove.title", { name: act?.kind === "remove" ? act.client.name : "" })}
        consequences={t("clients.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          if (act?.kind !== "remove") return;
          await api.delete("/api/admin/oauth-clients/{id}", { params: { id: act.client.client_id } });
          await invalidate("clients", "connections");
        }}
      />
    </Page>
  );
}

function List({ act }: { act: (act: Act) => void }) {
  const t = useT();
  const search = useSearch({ from: "/inside/admin/admin/clients" });
  const clients = useQuery({
    queryKey: ["clients", search.cursor],
    queryFn: ({ signal }) => api.get("/api/admin/oauth-clients", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const columns: Column<Client>[] = [
    {
      key: "name",
      head: t("field.name"),
      cell: (c) => (
        <div className="min-w-0">
          <span className="font-medium break-words">{c.name}</span>
          <div className="flex flex-wrap items-center gap-2 text-sm text-ink-3">
            <Mono>{c.client_id}</Mono>
          </div>
        </div>
      ),
    },
    {
      key: "kind",
      head: t("clients.kind"),
      from: "md",
      cell: (c) => (
        <span className="flex flex-wrap gap-1">
          <Badge>{c.confidential ? t("clients.confidential") : t("clients.public")}</Badge>
          {c.device && <Badge>{t("clients.device.short")}</Badge>}
          {c.source === "dynamic" && <Badge kind="warn">{t("clients.dynamic")}</Badge>}
        </span>
      ),
    },
    {
      key: "scopes",
      head: t("keys.scopes"),
      from: "lg",
      cell: (c) => c.scopes.map((s) => t(`scope.${s}`)).join(", "),
    },
    {
      key: "used",
      head: t("keys.state"),
      from: "sm",
      cell: (c) =>
        c.removed_at ? (
          <Badge kind="danger">{t("clients.removed")}</Badge>
        ) : c.used_at ? (
          <Badge kind="ok">{t("clients.used")}</Badge>
        ) : (
          <Badge>{t("clients.unused")}</Badge>
        ),
    },
    { key: "since", head: t("keys.created"), from: "xl", cell: (c) => <Time at={c.created_at} /> },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (c) => (
        <span className="inline-flex items-center gap-1">
          <span className="max-sm:hidden">
            <CopyButton text={c.client_id} label={t("clients.id.copy")} />
          </span>
          {!c.removed_at && (
            <RowMenu label={t("action.menu.of", { name: c.name })}>
              <MenuItem onClick={() => act({ kind: "edit", client: c })}>{t("action.edit")}</MenuItem>
              {c.confidential && <MenuItem onClick={() => act({ kind: "rotate", client: c })}>{t("clients.rotate")}</MenuItem>}
              <MenuLine />
              <MenuItem danger onClick={() => act({ kind: "remove", client: c })}>
                {t("action.remove")}
              </MenuItem>
            </RowMenu>
          )}
        </span>
      ),
    },
  ];
  return (
    <Card flush>
      <Listing
        query={clients}
        label={t("nav.clients")}
        columns={columns}
        id={(c) => c.client_id}
        icon={<AppWindow aria-hidden className="size-5" />}
        none={t("clients.none")}
        hint={t("clients.none.hint")}
      />
    </Card>
  );
}

function ClientForm({
  of: c,
  onClose,
  saved,
}: {
  of?: Client;
  onClose: () => void;
  saved: (client: Client, secret: string) => void;
}) {
  const t = useT();
  const invalidate = useInvalidate();
  return (
    <Form
      submit={c ? t("action.save") : t("clients.register")}
      onCancel={onClose}
      save={async (value) => {
        const said = {
          name: value("name"),
          url: value("url"),
          redirect_uris: value("redirect_uris").split(/\s+/).filter(Boolean),
          scopes: scopes.filter((s) => value(s)),
          device: value("device") !== "",
        };
        if (c) {
          const changed = await api.patch("/api/admin/oauth-clients/{id}", { params: { id: c.client_id }, body: said });
          await invalidate("clients");
          saved(changed, "");
          return;
        }
        const made = await api.post("/api/admin/oauth-clients", {
          body: { ...said, confidential: value("confidential") !== "" },
        });
        await invalidate("clients");
        saved(made, made.client_secret);
      }}
    >
      {(fault) => (
        <>
          <TextField
            name="name"
            label={t("field.name")}
            hint={t("clients.name.hint")}
            defaultValue={c?.name}
            error={fault("name")}
            required
          />
          <TextField
            name="url"
            type="url"
            label={t("adminapps.url")}
            defaultValue={c?.url}
            error={fault("url")}
            placeholder="https://"
          />
          <Field label={t("clients.redirects")} hint={t("clients.redirects.hint")} error={fault("redirect_uris")}>
            {(own) => (
              <textarea
                {...own}
                name="redirect_uris"
                rows={3}
                defaultValue={c?.redirect_uris.join("\n")}
                spellCheck={false}
                className="input font-mono text-[13px]"
              />
            )}
          </Field>
          <fieldset className="flex flex-col gap-2">
            <legend className="mb-1 text-sm font-medium">{t("clients.scopes")}</legend>
            {scopes.map((s) => (
              <Check
                key={s}
                name={s}
                label={t(`scope.${s}`)}
                hint={t(`scope.${s}.hint`)}
                defaultChecked={c ? c.scopes.includes(s) : s === "inference"}
              />
            ))}
            {fault("scopes") && <p className="text-sm text-danger">{fault("scopes")}</p>}
          </fieldset>
          <Check name="device" label={t("clients.device")} hint={t("clients.device.hint")} defaultChecked={c?.device} />
          {!c && <Check name="confidential" label={t("clients.secret.give")} hint={t("clients.secret.give.hint")} />}
        </>
      )}
    </Form>
  );
}

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { AppWindow, ExternalLink, Plus, SquarePen, Trash2 } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button, buttonClass } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { Confirm, Drawer, Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { Listing } from "../ui/listing";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Amount, Card, Facts, Mono, Page, Time } from "../ui/page";
import { Badge, Loaded, Note } from "../ui/states";
import type { Column } from "../ui/table";
import { useToast } from "../ui/toast";
import { KeyState } from "./keys";

type App = Answer<"/api/auth/apps">["data"][number];
type Act = { kind: "create" } | { kind: "edit" | "remove"; app: App };

function Kind({ of: a }: { of: App }) {
  const t = useT();
  if (a.own) return <Badge kind="ok">{t("apps.kind.own")}</Badge>;
  if (a.remote) return <Badge kind="info">{t("apps.kind.remote")}</Badge>;
  if (a.source === "operator") return <Badge kind="info">{t("apps.kind.operator")}</Badge>;
  if (a.source === "fetched") return <Badge>{t("apps.kind.fetched")}</Badge>;
  return <Badge>{t("apps.kind.seen")}</Badge>;
}

/** Mark stands for an application: the beginning of its name. Pictures of strangers are not loaded. */
function Mark({ of: a }: { of: App }) {
  return (
    <span
      aria-hidden
      className="flex size-8 shrink-0 items-center justify-center rounded-lg bg-accent-soft text-sm font-semibold text-accent uppercase"
    >
      {[...(a.name || a.id).replace(/^(@|app-|z)/, "")][0] ?? "?"}
    </span>
  );
}

/** Apps are the applications that the user registered, or through which the user calls. */
export function Apps() {
  const { t, format } = useI18n();
  const navigate = useNavigate({ from: "/apps" });
  const search = useSearch({ from: "/inside/apps" });
  const invalidate = useInvalidate();
  const [act, setAct] = useState<Act>();
  const close = () => setAct(undefined);
  const apps = useQuery({
    queryKey: ["apps", "list", search.cursor],
    queryFn: ({ signal }) => api.get("/api/auth/apps", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const show = (app: App) => navigate({ search: (old) => ({ ...old, app: app.id }) });
  const columns: Column<App>[] = [
    {
      key: "name",
      head: t("apps.name"),
      cell: (a) => (
        <div className="flex min-w-0 items-center gap-3">
          <Mark of={a} />
          <div className="min-w-0">
            <button type="button" onClick={() => show(a)} className="text-left font-medium break-all hover:underline">
              {a.name || a.id}
            </button>
            {a.name && (
              <div className="truncate text-sm text-ink-3 max-sm:max-w-36">
                <Mono>{a.id}</Mono>
              </div>
            )}
          </div>
        </div>
      ),
    },
    { key: "kind", head: t("apps.kind"), cell: (a) => <Kind of={a} />, from: "sm" },
    { key: "calls", head: t("apps.calls"), num: true, cell: (a) => count(format, a.use.calls) },
    { key: "failed", head: t("keys.failed"), num: true, from: "lg", cell: (a) => count(format, a.use.failed) },
    { key: "credits", head: t("call.credits"), num: true, from: "sm", cell: (a) => <Amount of={a.use.credits} /> },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (a) =>
        a.own && (
          <RowMenu label={t("action.menu.of", { name: a.name })}>
            <MenuItem icon={<SquarePen aria-hidden className="size-4" />} onClick={() => setAct({ kind: "edit", app: a })}>
              {t("action.edit")}
            </MenuItem>
            <MenuLine />
            <MenuItem danger icon={<Trash2 aria-hidden className="size-4" />} onClick={() => setAct({ kind: "remove", app: a })}>
              {t("action.remove")}
            </MenuItem>
          </RowMenu>
        ),
    },
  ];
  return (
    <Page
      title={t("nav.apps")}
      about={t("apps.about")}
      actions={
        <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setAct({ kind: "create" })}>
          {t("apps.create")}
        </Button>
      }
    >
      <Card flush>
        <Listing
          query={apps}
          label={t("nav.apps")}
          columns={columns}
          id={(a) => a.id}
          open={show}
          icon={<AppWindow aria-hidden className="size-5" />}
          none={t("apps.none")}
          hint={t("apps.none.hint")}
        />
      </Card>
      <p className="text-sm text-ink-3">
        {t("apps.connected")}{" "}
        <Link to="/profile" hash="connections" className="text-accent underline">
          {t("connections.title")}
        </Link>
      </p>
      <AppDrawer id={search.app} onClose={() => navigate({ search: (old) => ({ ...old, app: undefined }) })} onAct={setAct} />
      <Modal
        open={act?.kind === "create" || act?.kind === "edit"}
        onClose={close}
        title={act?.kind === "edit" ? t("apps.edit") : t("apps.create")}
        about={act?.kind === "edit" ? undefined : t("apps.create.about")}
      >
        <AppForm
          app={act?.kind === "edit" ? act.app : undefined}
          onClose={close}
          done={(app) => {
            close();
            if (act?.kind === "create") void show(app);
          }}
        />
      </Modal>
      <Confirm
        open={act?.kind === "remove"}
        onClose={close}
        title={t("apps.remove.title", { name: act?.kind === "remove" ? act.app.name : "" })}
        consequences={t("apps.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          if (act?.kind !== "remove") return;
          await api.delete("/api/auth/apps/{id}", { params: { id: act.app.id } });
          await navigate({ search: (old) => ({ ...old, app: undefined }) });
          await invalidate("apps", "keys");
        }}
      />
    </Page>
  );
}

function AppForm({ app, onClose, done }: { app?: App; onClose: () => void; done: (app: App) => void }) {
  const t = useT();
  const invalidate = useInvalidate();
  const say = useToast();
  return (
    <Form
      submit={app ? t("action.save") : t("apps.create")}
      onCancel={onClose}
      save={async (value) => {
        const body = { name: value("name"), url: value("url") };
        const saved = app
          ? await api.patch("/api/auth/apps/{id}", { params: { id: app.id }, body })
          : await api.post("/api/auth/apps", { body });
        await invalidate("apps");
        say(t("action.saved"));
        done(saved);
      }}
    >
      {(fault) => (
        <>
          <TextField name="name" label={t("apps.name")} defaultValue={app?.name} error={fault("name")} maxLength={100} required />
          <TextField
            name="url"
            type="url"
            label={t("apps.url")}
            hint={t("apps.url.hint")}
            placeholder="https://"
            defaultValue={app?.url}
            error={fault("url")}
          />
        </>
      )}
    </Form>
  );
}

function AppDrawer({ id, onClose, onAct }: { id: string | undefined; onClose: () => void; onAct: (act: Act) => void }) {
  const t = useT();
  const app = useQuery({
    queryKey: ["apps", "one", id],
    queryFn: ({ signal }) => api.get("/api/auth/apps/{id}", { params: { id: id ?? "" }, signal }),
    enabled: id !== undefined,
  });
  return (
    <Drawer open={id !== undefined} onClose={onClose} title={app.data?.name || t("apps.one")} about={id && <Mono>{id}</Mono>}>
      <Loaded query={app}>{(app) => <AppFacts of={app} onAct={onAct} />}</Loaded>
    </Drawer>
  );
}

function AppFacts({ of: a, onAct }: { of: App; onAct: (act: Act) => void }) {
  const { t, format } = useI18n();
  const keys = a.keys ?? [];
  return (
    <div className="flex flex-col gap-6">
      <div className="flex flex-wrap items-center gap-2">
        <Kind of={a} />
        {a.url && (
          <a href={a.url} target="_blank" rel="noreferrer" className="inline-flex items-center gap-1 text-accent hover:underline">
            {new URL(a.url).host}
            <ExternalLink aria-hidden className="size-3.5" />
          </a>
        )}
        <span className="flex-1" />
        {a.own && (
          <Button small icon={<SquarePen aria-hidden className="size-4" />} onClick={() => onAct({ kind: "edit", app: a })}>
            {t("action.edit")}
          </Button>
        )}
        {a.own && (
          <Button small icon={<Trash2 aria-hidden className="size-4" />} onClick={() => onAct({ kind: "remove", app: a })}>
            {t("action.remove")}
          </Button>
        )}
      </div>
      <section>
        <div className="mb-2 flex items-center justify-between gap-3">
          <h3 className="font-semibold">{t("keys.use")}</h3>
          <Link to="/calls" search={{ app: a.id }} className="text-sm text-accent hover:underline">
            {t("calls.these")}
          </Link>
        </div>
        <Facts
          items={[
            [t("apps.calls"), count(format, a.use.calls)],
            [t("keys.failed"), count(format, a.use.failed)],
            [t("call.tokens"), `${count(format, a.use.input_tokens)} → ${count(format, a.use.output_tokens)}`],
            [t("call.credits"), <Amount key="c" of={a.use.credits} />],
          ]}
        />
      </section>
      <section>
        <h3 className="mb-1 font-semibold">{t("apps.header")}</h3>
        <p className="mb-2 text-sm text-ink-3">{t("apps.header.hint")}</p>
        <div className="flex items-center gap-2 rounded-lg border border-line bg-sunken p-2 pl-3">
          <code className="min-w-0 flex-1 font-mono text-[13px] break-all">x-aigne-hub-client-did: {a.id}</code>
          <CopyButton text={`x-aigne-hub-client-did: ${a.id}`} />
        </div>
      </section>
      <section>
        <div className="mb-2 flex items-center justify-between gap-3">
          <h3 className="font-semibold">{t("apps.keys")}</h3>
          {a.own && (
            <Link to="/keys" search={{ make: a.id }} className={buttonClass("plain", true)}>
              <Plus aria-hidden className="size-4" />
              {t("apps.keys.create")}
            </Link>
          )}
        </div>
        <p className="mb-3 text-sm text-ink-3">{t("apps.keys.hint")}</p>
        {keys.length === 0 ? (
          <Note>{a.own ? t("apps.keys.none") : t("apps.keys.notown")}</Note>
        ) : (
          <ul className="flex flex-col divide-y divide-line rounded-lg border border-line">
            {keys.map((k) => (
              <li key={k.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2.5">
                <Link to="/keys" search={{ key: k.id }} className="font-medium hover:underline">
                  {k.name}
                </Link>
                <Mono>…{k.hint}</Mono>
                <KeyState of={k} />
                <span className="w-full text-sm text-ink-3">
                  {t("apps.may")} {(k.scopes ?? []).map((s) => t(`scope.${s}`)).join(", ")}
                  {k.models ? ` · ${k.models.join(", ")}` : ` · ${t("apps.may.models")}`} · {t("keys.used")}{" "}
                  {k.last_used_at ? <Time at={k.last_used_at} /> : t("keys.never")}
                </span>
              </li>
            ))}
          </ul>
        )}
      </section>
    </div>
  );
}

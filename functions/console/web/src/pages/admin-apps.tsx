import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Blocks, Plus } from "lucide-react";
import { useState } from "react";
import { type Answer, ApiError, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Drawer, Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { Listing } from "../ui/listing";
import { Amount, Card, Facts, Mono, Page, Time } from "../ui/page";
import { Badge, Loaded, Note } from "../ui/states";
import type { Column } from "../ui/table";
import { useToast } from "../ui/toast";
import { KeyState } from "./keys";

type App = Answer<"/api/admin/apps">["data"][number];

/** AdminApps are the applications that called the hub or were registered, with what was used through them. */
export function AdminApps() {
  const { t, format } = useI18n();
  const navigate = useNavigate({ from: "/admin/apps" });
  const search = useSearch({ from: "/inside/admin/admin/apps" });
  const [adding, setAdding] = useState(false);
  const apps = useQuery({
    queryKey: ["apps", "all", search.cursor],
    queryFn: ({ signal }) => api.get("/api/admin/apps", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const show = (app: string | undefined) => navigate({ search: (old) => ({ ...old, app }) });
  const columns: Column<App>[] = [
    {
      key: "name",
      head: t("call.app"),
      cell: (a) => (
        <div className="min-w-0">
          <button type="button" onClick={() => show(a.id)} className="text-left font-medium break-all hover:underline">
            {a.name || a.id}
          </button>
          {a.name && (
            <div className="text-sm text-ink-3">
              <Mono>{a.id}</Mono>
            </div>
          )}
        </div>
      ),
    },
    { key: "source", head: t("adminapps.source"), from: "lg", cell: (a) => <Source of={a} /> },
    { key: "calls", head: t("nav.calls"), num: true, from: "sm", cell: (a) => count(format, a.use?.calls ?? 0) },
    { key: "failed", head: t("keys.failed"), num: true, from: "md", cell: (a) => count(format, a.use?.failed ?? 0) },
    { key: "credits", head: t("call.credits"), num: true, cell: (a) => <Amount of={a.use?.credits ?? "0"} /> },
    {
      key: "seen",
      head: t("adminapps.seen"),
      from: "lg",
      cell: (a) => (a.first_seen_at ? <Time at={a.first_seen_at} /> : <span className="text-ink-3">{t("keys.never")}</span>),
    },
  ];
  return (
    <Page
      title={t("nav.admin.apps")}
      about={t("adminapps.about")}
      actions={
        <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setAdding(true)}>
          {t("adminapps.register")}
        </Button>
      }
    >
      <Card flush>
        <Listing
          query={apps}
          label={t("nav.admin.apps")}
          columns={columns}
          id={(a) => a.id}
          open={(a) => show(a.id)}
          icon={<Blocks aria-hidden className="size-5" />}
          none={t("adminapps.none")}
          hint={t("adminapps.none.hint")}
        />
      </Card>
      <Drawer open={search.app !== undefined} onClose={() => show(undefined)} title={search.app ?? t("call.app")}>
        {search.app !== undefined && <Whole key={search.app} id={search.app} />}
      </Drawer>
      <Modal open={adding} onClose={() => setAdding(false)} title={t("adminapps.register")} about={t("adminapps.register.about")}>
        <AppForm
          onClose={() => setAdding(false)}
          saved={(id) => {
            setAdding(false);
            void show(id);
          }}
        />
      </Modal>
    </Page>
  );
}

function Source({ of: a }: { of: App }) {
  const t = useT();
  if (a.public_key) return <Badge kind="ok">{t("adminapps.source.registered")}</Badge>;
  if (a.source === "operator") return <Badge kind="info">{t("adminapps.source.operator")}</Badge>;
  if (a.source === "fetched") return <Badge>{t("adminapps.source.fetched")}</Badge>;
  return <Badge>{t("adminapps.source.seen")}</Badge>;
}

function Whole({ id }: { id: string }) {
  const { t, format } = useI18n();
  const [editing, setEditing] = useState(false);
  const app = useQuery({
    queryKey: ["apps", "one", id],
    queryFn: ({ signal }) => api.get("/api/admin/apps/{id}", { params: { id }, signal }),
  });
  return (
    <Loaded query={app}>
      {(a) => (
        <div className="flex flex-col gap-7">
          <Facts
            items={[
              [t("field.name"), a.name || "–"],
              [t("adminapps.source"), <Source key="s" of={a} />],
              a.url !== "" && [t("adminapps.url"), <Mono key="u">{a.url}</Mono>],
              a.logo !== "" && [t("adminapps.logo"), <Mono key="l">{a.logo}</Mono>],
              a.public_key !== "" && [t("adminapps.key"), <Mono key="k">{a.public_key}</Mono>],
              a.first_seen_at !== null && [t("adminapps.seen"), <Time key="f" at={a.first_seen_at} exact />],
              a.fetched_at !== null && [t("adminapps.fetched"), <Time key="t" at={a.fetched_at} exact />],
            ]}
          />
          {a.fetch_error !== "" && (
            <Note kind="warn">
              {t("adminapps.fetch.error")} {a.fetch_error}
            </Note>
          )}
          <Button className="self-start" onClick={() => setEditing(true)}>
            {t("action.edit")}
          </Button>
          <section>
            <div className="mb-2 flex items-center justify-between gap-3">
              <h3 className="font-semibold">{t("keys.use")}</h3>
              <Link to="/calls" search={{ app: id, everyone: true }} className="text-sm text-accent hover:underline">
                {t("calls.these")}
              </Link>
            </div>
            <Facts
              items={[
                [t("nav.calls"), count(format, a.use?.calls ?? 0)],
                [t("keys.failed"), count(format, a.use?.failed ?? 0)],
                [t("call.tokens"), `${count(format, a.use?.input_tokens ?? 0)} → ${count(format, a.use?.output_tokens ?? 0)}`],
                [t("call.credits"), <Amount key="c" of={a.use?.credits ?? "0"} />],
              ]}
            />
          </section>
          <section>
            <h3 className="mb-2 font-semibold">{t("adminapps.keys")}</h3>
            {(a.keys ?? []).length === 0 ? (
              <p className="text-ink-3">{t("adminapps.keys.none")}</p>
            ) : (
              <ul className="divide-y divide-line rounded-lg border border-line">
                {a.keys?.map((k) => (
                  <li key={k.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2">
                    <span className="min-w-0 flex-1 font-medium">{k.name}</span>
                    <Mono>…{k.hint}</Mono>
                    <KeyState of={k} />
                  </li>
                ))}
              </ul>
            )}
          </section>
          <Modal open={editing} onClose={() => setEditing(false)} title={t("adminapps.edit")} about={<Mono>{id}</Mono>}>
            <AppForm of={a} onClose={() => setEditing(false)} saved={() => setEditing(false)} />
          </Modal>
        </div>
      )}
    </Loaded>
  );
}

const said = ["name", "url", "logo", "public_key"] as const;

function AppForm({ of: a, onClose, saved }: { of?: App; onClose: () => void; saved: (id: string) => void }) {
  const t = useT();
  const say = useToast();
  const invalidate = useInvalidate();
  return (
    <Form
      submit={a ? t("action.save") : t("adminapps.register")}
      onCancel={onClose}
      save={async (value) => {
        const id = a?.id ?? value("id");
        if (id.length === 0) throw new ApiError(400, "invalid_request", t("adminapps.id.hint"), "id");
        const body: Partial<Record<(typeof said)[number], string>> = {}; // what is not said is still found out by the hub
        for (const field of said) if (value(field) !== (a?.[field] ?? "")) body[field] = value(field);
        await api.patch("/api/admin/apps/{id}", { params: { id }, body });
        await invalidate("apps");
        say(t("action.saved"));
        saved(id);
      }}
    >
      {(fault) => (
        <>
          {!a && (
            <TextField
              name="id"
              label={t("adminapps.id")}
              hint={t("adminapps.id.hint")}
              error={fault("id")}
              autoComplete="off"
              required
            />
          )}
          <TextField
            name="name"
            label={t("field.name")}
            hint={t("adminapps.name.hint")}
            defaultValue={a?.name}
            error={fault("name")}
            autoComplete="off"
          />
          <TextField name="url" type="url" label={t("adminapps.url")} defaultValue={a?.url} error={fault("url")} />
          <TextField name="logo" type="url" label={t("adminapps.logo")} defaultValue={a?.logo} error={fault("logo")} />
          <TextField
            name="public_key"
            label={t("adminapps.key")}
            hint={t("adminapps.key.hint")}
            defaultValue={a?.public_key}
            error={fault("public_key")}
            autoComplete="off"
            spellCheck={false}
          />
        </>
      )}
    </Form>
  );
}

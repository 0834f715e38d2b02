import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plug, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../api/client";
import { api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count, duration, percent } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Drawer, Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Card, Facts, Mono, Page, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows, useFault } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { useToast } from "../ui/toast";
import {
  CredentialField,
  credentialOf,
  healthQuery,
  kindsQuery,
  type Provider,
  ProviderForm,
  providersQuery,
} from "./provider-form";
import { Probes, useTest } from "./provider-test";

type Health = Answer<"/api/ai/health">;
type Credential = Answer<"/api/admin/providers/{name}/credentials">["data"][number];

/** Providers are the vendors that calls go to, and how they fare. */
export function Providers() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/providers" });
  const { name } = useSearch({ from: "/inside/admin/admin/providers" });
  const invalidate = useInvalidate();
  const providers = useQuery(providersQuery);
  const health = useQuery(healthQuery);
  const kinds = useQuery(kindsQuery);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Provider>();
  const title = (kind: string) => kinds.data?.data.find((k) => k.id === kind)?.title ?? kind;
  const show = (p: Provider) => navigate({ search: { name: p.name } });
  const columns: Column<Provider>[] = [
    {
      key: "name",
      head: t("provider.one"),
      cell: (p) => (
        <div className="min-w-0">
          <button type="button" onClick={() => show(p)} className="font-medium hover:underline">
            {p.display_name || p.name}
          </button>
          <div className="text-sm text-ink-3">
            {title(p.kind)}
            {p.source === "env" && ` · ${t("provider.env")}`}
          </div>
        </div>
      ),
    },
    { key: "health", head: t("provider.health"), cell: (p) => <ProviderHealth provider={p} health={health.data} /> },
    { key: "credentials", head: t("provider.credentials"), num: true, from: "md", cell: (p) => p.credentials },
    { key: "url", head: t("provider.url"), from: "lg", cell: (p) => <Mono>{p.base_url}</Mono> },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (p) =>
        p.source !== "env" && (
          <RowMenu label={t("action.menu.of", { name: p.name })}>
            <MenuItem icon={<Plug aria-hidden className="size-4" />} onClick={() => show(p)}>
              {t("provider.manage")}
            </MenuItem>
            <MenuLine />
            <MenuItem danger icon={<Trash2 aria-hidden className="size-4" />} onClick={() => setRemoving(p)}>
              {t("action.remove")}
            </MenuItem>
          </RowMenu>
        ),
    },
  ];
  return (
    <Page
      title={t("nav.providers")}
      about={t("providers.about")}
      actions={
        <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setAdding(true)}>
          {t("provider.add")}
        </Button>
      }
    >
      <Card flush>
        <Loaded query={providers} loading={<Rows n={4} />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty icon={<Plug aria-hidden className="size-5" />} title={t("providers.none")}>
                {t("providers.none.hint")}
              </Empty>
            ) : (
              <Table label={t("nav.providers")} columns={columns} rows={data} id={(p) => p.name} open={show} />
            )
          }
        </Loaded>
      </Card>
      {health.data && health.data.targets.length > 0 && (
        <Card flush title={t("providers.targets")}>
          <Targets health={health.data} />
        </Card>
      )}
      <Modal open={adding} onClose={() => setAdding(false)} title={t("provider.add")} about={t("provider.add.about")}>
        <ProviderForm
          onCancel={() => setAdding(false)}
          added={(p) => {
            setAdding(false);
            show(p);
          }}
        />
      </Modal>
      <ProviderDrawer
        provider={providers.data?.data.find((p) => p.name === name)}
        health={health.data}
        onClose={() => navigate({ search: {} })}
      />
      <Confirm
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("provider.remove.title", { name: removing?.name ?? "" })}
        consequences={t("provider.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          await api.delete("/api/admin/providers/{name}", { params: { name: removing?.name ?? "" } });
          await invalidate("providers", "health", "rates", "prices");
        }}
      />
    </Page>
  );
}

function ProviderHealth({ provider, health }: { provider: Provider; health: Health | undefined }) {
  const t = useT();
  const all = Object.values(health?.providers[provider.name] ?? {});
  if (!health) return null;
  if (all.length === 0) return <Badge kind={provider.credentials === 0 ? "warn" : undefined}>{t("provider.health.none")}</Badge>;
  const running = all.filter((c) => c.running).length;
  if (running === all.length) return <Badge kind="ok">{t("provider.health.ok")}</Badge>;
  return <Badge kind={running > 0 ? "warn" : "danger"}>{t("provider.health.some", { n: running, of: all.length })}</Badge>;
}

function Targets({ health }: { health: Health }) {
  const { t, format } = useI18n();
  type Target = Health["targets"][number];
  const columns: Column<Target>[] = [
    {
      key: "model",
      head: t("call.model"),
      cell: (x) => (
        <span className="break-all">
          {x.provider}/{x.model}
        </span>
      ),
    },
    {
      key: "state",
      head: t("models.status"),
      cell: (x) =>
        x.available === null ? (
          <Badge>{t("models.idle")}</Badge>
        ) : (
          <span title={x.reason || x.error}>
            <Badge kind={x.available ? "ok" : "danger"}>{x.available ? t("models.up") : t("models.down")}</Badge>
          </span>
        ),
    },
    { key: "calls", head: t("nav.calls"), num: true, from: "sm", cell: (x) => count(format, x.calls) },
    { key: "rate", head: t("target.success"), num: true, cell: (x) => (x.calls > 0 ? percent(format, x.success_rate) : "–") },
    { key: "p50", head: "p50", num: true, from: "md", cell: (x) => (x.calls > 0 ? duration(format, x.p50_ms) : "–") },
    { key: "p95", head: "p95", num: true, from: "md", cell: (x) => (x.calls > 0 ? duration(format, x.p95_ms) : "–") },
  ];
  return (
    <Table
      label={t("providers.targets")}
      columns={columns}
      rows={health.targets}
      id={(x) => `${x.provider}/${x.model} ${x.type}`}
    />
  );
}

function ProviderDrawer({
  provider,
  health,
  onClose,
}: {
  provider: Provider | undefined;
  health: Health | undefined;
  onClose: () => void;
}) {
  const t = useT();
  return (
    <Drawer open={provider !== undefined} onClose={onClose} title={provider?.display_name || provider?.name || t("provider.one")}>
      {provider && <Whole key={provider.name} provider={provider} health={health} />}
    </Drawer>
  );
}

function Whole({ provider, health }: { provider: Provider; health: Health | undefined }) {
  const t = useT();
  const say = useFault();
  const probe = useTest(provider.name);
  return (
    <div className="flex flex-col gap-6">
      <Facts
        items={[
          [t("provider.kind"), provider.kind],
          [t("provider.url"), <Mono key="u">{provider.base_url}</Mono>],
          provider.region !== "" && [t("provider.region"), provider.region],
          !!provider.created_at && [t("keys.created"), <Time key="c" at={provider.created_at} />],
        ]}
      />
      <section className="flex flex-col gap-3">
        <div className="flex items-center justify-between gap-3">
          <h3 className="font-semibold">{t("provider.live")}</h3>
          <Button small busy={probe.isPending} onClick={() => probe.mutate()} icon={<Plug aria-hidden className="size-4" />}>
            {t("provider.test")}
          </Button>
        </div>
        {probe.data ? <Probes probes={probe.data} /> : !probe.error && <p className="text-ink-3">{t("provider.test.about")}</p>}
        {probe.error && <Note kind="danger">{say(probe.error)}</Note>}
      </section>
      {provider.source === "env" ? <Note>{t("provider.env.about")}</Note> : <Credentials provider={provider} health={health} />}
    </div>
  );
}

function Credentials({ provider, health }: { provider: Provider; health: Health | undefined }) {
  const { t, known } = useI18n();
  const say = useToast();
  const fault = useFault();
  const invalidate = useInvalidate();
  const kinds = useQuery(kindsQuery);
  const kind = kinds.data?.data.find((k) => k.id === provider.kind);
  const [editing, setEditing] = useState<Credential | "new">();
  const [removing, setRemoving] = useState<Credential>();
  const credentials = useQuery({
    queryKey: ["credentials", provider.name],
    queryFn: ({ signal }) => api.get("/api/admin/providers/{name}/credentials", { params: { name: provider.name }, signal }),
  });
  const changed = () => invalidate("credentials", "providers", "health");
  const params = (c: Credential) => ({ name: provider.name, credential: c.name });
  async function turn(c: Credential) {
    try {
      await api.patch("/api/admin/providers/{name}/credentials/{credential}", { params: params(c), body: { active: !c.active } });
      await changed();
    } catch (thrown) {
      say(fault(thrown), true);
    }
  }
  return (
    <section>
      <div className="mb-3 flex items-center justify-between gap-3">
        <h3 className="font-semibold">{t("provider.credentials")}</h3>
        <Button small icon={<Plus aria-hidden className="size-4" />} onClick={() => setEditing("new")}>
          {t("credential.add")}
        </Button>
      </div>
      <Loaded query={credentials} loading={<Rows n={2} />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title={t("credential.none")}>{t("credential.none.hint")}</Empty>
          ) : (
            <ul className="flex flex-col gap-2">
              {data.map((c) => {
                const h = health?.providers[provider.name]?.[c.name];
                return (
                  <li key={c.id} className="flex items-center gap-3 rounded-lg border border-line px-3 py-2">
                    <div className="min-w-0 flex-1">
                      <p className="flex flex-wrap items-center gap-2 font-medium">
                        {c.name}
                        {!c.active ? (
                          <Badge>{t("credential.off")}</Badge>
                        ) : (
                          h && <Badge kind={h.running ? "ok" : "danger"}>{known(`credential.state.${h.state}`, h.state)}</Badge>
                        )}
                      </p>
                      <p className="text-sm text-ink-3">
                        {t("credential.weight")} {c.weight}
                        {c.max_concurrent > 0 && ` · ${t("credential.most", { n: c.max_concurrent })}`}
                        {h?.reason && ` · ${h.reason}`}
                        {c.error && ` · ${c.error}`}
                        {h?.until && (
                          <>
                            {" · "}
                            {t("credential.until")} <Time at={h.until} />
                          </>
                        )}
                      </p>
                    </div>
                    <RowMenu label={t("action.menu.of", { name: c.name })}>
                      <MenuItem onClick={() => setEditing(c)}>{t("action.edit")}</MenuItem>
                      <MenuItem onClick={() => turn(c)}>{c.active ? t("credential.disable") : t("credential.enable")}</MenuItem>
                      <MenuLine />
                      <MenuItem danger onClick={() => setRemoving(c)}>
                        {t("action.remove")}
                      </MenuItem>
                    </RowMenu>
                  </li>
                );
              })}
            </ul>
          )
        }
      </Loaded>
      <Modal
        open={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing === "new" ? t("credential.add") : t("credential.edit")}
      >
        <Form
          submit={editing === "new" ? t("credential.add") : t("action.save")}
          onCancel={() => setEditing(undefined)}
          save={async (value) => {
            if (editing === "new")
              await api.post("/api/admin/providers/{name}/credentials", {
                params: { name: provider.name },
                body: { name: value("name"), value: credentialOf(value), weight: Number(value("weight") || 100) },
              });
            else if (editing)
              await api.patch("/api/admin/providers/{name}/credentials/{credential}", {
                params: params(editing),
                body: { weight: Number(value("weight") || 100), max_concurrent: Number(value("max_concurrent") || 0) },
              });
            await changed();
            setEditing(undefined);
          }}
        >
          {(fault) => (
            <>
              {editing === "new" && (
                <>
                  <TextField
                    name="name"
                    label={t("credential.name")}
                    hint={t("credential.name.hint")}
                    error={fault("name")}
                    maxLength={64}
                    required
                  />
                  <CredentialField kind={kind} fault={fault("value") ?? fault("credential")} />
                </>
              )}
              <TextField
                name="weight"
                type="number"
                min={0}
                label={t("credential.weight")}
                hint={t("credential.weight.hint")}
                defaultValue={editing !== "new" ? editing?.weight : 100}
                error={fault("weight")}
              />
              {editing !== "new" && (
                <TextField
                  name="max_concurrent"
                  type="number"
                  min={0}
                  label={t("credential.concurrent")}
                  hint={t("credential.concurrent.hint")}
                  defaultValue={editing?.max_concurrent}
                  error={fault("max_concurrent")}
                />
              )}
            </>
          )}
        </Form>
      </Modal>
      <Confirm
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("credential.remove.title", { name: removing?.name ?? "" })}
        consequences={t("credential.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          if (!removing) return;
          await api.delete("/api/admin/providers/{name}/credentials/{credential}", { params: params(removing) });
          await changed();
        }}
      />
    </section>
  );
}

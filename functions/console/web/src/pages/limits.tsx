import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Gauge, Plus, Trash2 } from "lucide-react";
import { useId, useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { credits, share } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm, Modal } from "../ui/dialog";
import { Form, SelectField, TextField } from "../ui/form";
import { MenuItem, MenuLine, RowMenu } from "../ui/menu";
import { Card, Mono, Page, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { useModels } from "./routing-form";

type Limit = Answer<"/api/admin/limits">["data"][number];

const scopes = ["user", "key", "app", "model", "member"] as const;
const metrics = ["credits", "requests", "tokens", "concurrency"] as const;
const periods = ["minute", "hour", "day", "week", "month"] as const;
type Scope = (typeof scopes)[number];
type Metric = (typeof metrics)[number];
const oneOf = <T extends string>(all: readonly T[], word: string | undefined) => all.find((x) => x === word);

/** Limits bound what users, keys, applications and models may use in a time. */
export function Limits() {
  const { t, format, known } = useI18n();
  const navigate = useNavigate({ from: "/admin/limits" });
  const search = useSearch({ from: "/inside/admin/admin/limits" });
  const scope = oneOf(scopes, search.scope);
  const metric = oneOf(metrics, search.metric);
  const invalidate = useInvalidate();
  const [editing, setEditing] = useState<Limit | "new">();
  const [removing, setRemoving] = useState<Limit>();
  const [trail, setTrail] = useState<string[]>([]);
  const limits = useQuery({
    queryKey: ["limits", scope, metric, search.cursor],
    queryFn: ({ signal }) =>
      api.get("/api/admin/limits", { query: { scope, metric, cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
  const filter = (next: { scope?: string; metric?: string }) => {
    setTrail([]);
    navigate({ search: { scope, metric, ...next, cursor: undefined } });
  };
  const amount = (l: Limit, n: string) =>
    l.metric === "credits" ? credits(format, n) : new Intl.NumberFormat(format.locale).format(BigInt(n));
  const columns: Column<Limit>[] = [
    { key: "who", head: t("limits.who"), cell: (l) => <Who limit={l} /> },
    {
      key: "what",
      head: t("limits.what"),
      cell: (l) => (
        <span className="whitespace-nowrap">
          {amount(l, l.amount)} <span className="text-ink-3">{known(`limits.unit.${l.metric}`, l.metric)}</span>
          {l.metric !== "concurrency" && <div className="text-sm text-ink-3">{known(`limits.per.${l.period}`, l.period)}</div>}
        </span>
      ),
    },
    {
      key: "used",
      head: t("limits.used"),
      from: "sm",
      className: "w-56",
      cell: (l) => {
        const full = share(l.used, l.amount);
        return (
          <div className="min-w-32">
            <div className="flex items-center justify-between gap-2 text-sm">
              <span className="tabular-nums">{amount(l, l.used)}</span>
              {full >= 100 ? (
                <Badge kind="danger">{t("limits.full")}</Badge>
              ) : (
                full >= 80 && <Badge kind="warn">{t("limits.near")}</Badge>
              )}
            </div>
            <progress max={100} value={full} aria-label={t("limits.used")} className="mt-1 w-full" />
            {l.subject.endsWith("*") && l.counted > 0 && (
              <p className="mt-1 text-sm text-ink-3">{t("limits.most", { n: l.counted })}</p>
            )}
          </div>
        );
      },
    },
    { key: "ends", head: t("limits.anew"), from: "md", cell: (l) => (l.ends ? <Time at={l.ends} /> : "–") },
    {
      key: "menu",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (l) => (
        <RowMenu label={t("action.menu.of", { name: l.name || l.subject })}>
          <MenuItem onClick={() => setEditing(l)}>{t("limits.edit")}</MenuItem>
          <MenuLine />
          <MenuItem danger icon={<Trash2 aria-hidden className="size-4" />} onClick={() => setRemoving(l)}>
            {t("action.remove")}
          </MenuItem>
        </RowMenu>
      ),
    },
  ];
  const next = limits.data?.next_cursor;
  return (
    <Page
      title={t("nav.limits")}
      about={t("limits.about")}
      actions={
        <Button look="primary" icon={<Plus aria-hidden className="size-4" />} onClick={() => setEditing("new")}>
          {t("limits.add")}
        </Button>
      }
    >
      <div className="flex flex-wrap gap-2">
        <select
          aria-label={t("limits.scope")}
          className="input !w-auto"
          value={scope ?? ""}
          onChange={(e) => filter({ scope: e.target.value || undefined })}
        >
          <option value="">{t("limits.scope.all")}</option>
          {scopes.map((s) => (
            <option key={s} value={s}>
              {t(`limits.scope.${s}`)}
            </option>
          ))}
        </select>
        <select
          aria-label={t("limits.metric")}
          className="input !w-auto"
          value={metric ?? ""}
          onChange={(e) => filter({ metric: e.target.value || undefined })}
        >
          <option value="">{t("limits.metric.all")}</option>
          {metrics.map((m) => (
            <option key={m} value={m}>
              {t(`limits.metric.${m}`)}
            </option>
          ))}
        </select>
      </div>
      <Card flush>
        <Loaded query={limits} loading={<Rows />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty
                icon={<Gauge aria-hidden className="size-5" />}
                title={scope || metric ? t("limits.none.found") : t("limits.none")}
              >
                {!scope && !metric && t("limits.none.hint")}
              </Empty>
            ) : (
              <Table label={t("nav.limits")} columns={columns} rows={data} id={(l) => l.id} open={setEditing} />
            )
          }
        </Loaded>
        <Pager
          newer={
            search.cursor
              ? () => {
                  navigate({ search: { scope, metric, cursor: trail.at(-2) } });
                  setTrail((old) => old.slice(0, -1));
                }
              : undefined
          }
          older={
            next
              ? () => {
                  navigate({ search: { scope, metric, cursor: next } });
                  setTrail((old) => [...old, next]);
                }
              : undefined
          }
        />
      </Card>
      <Modal
        open={editing !== undefined}
        onClose={() => setEditing(undefined)}
        title={editing === "new" ? t("limits.add") : t("limits.edit")}
        about={t("limits.works")}
      >
        {editing && (
          <LimitForm
            limit={editing === "new" ? undefined : editing}
            onClose={() => setEditing(undefined)}
            saved={() => invalidate("limits", "keys")}
          />
        )}
      </Modal>
      <Confirm
        open={removing !== undefined}
        onClose={() => setRemoving(undefined)}
        title={t("limits.remove.title")}
        consequences={t("limits.remove.consequences")}
        action={t("action.remove")}
        act={async () => {
          await api.delete("/api/admin/limits/{id}", { params: { id: removing?.id ?? "" } });
          await invalidate("limits", "keys");
        }}
      />
    </Page>
  );
}

/** Who is whom a limit binds. */
function Who({ limit }: { limit: Limit }) {
  const { t, known } = useI18n();
  const each = limit.subject === "*";
  return (
    <div className="min-w-0">
      <p className="font-medium break-all">
        {each ? t(`limits.each.${limit.scope as Scope}`) : limit.name || <Mono>{limit.subject}</Mono>}
      </p>
      {!each && (
        <p className="text-sm text-ink-3">
          {known(`limits.scope.${limit.scope}`, limit.scope)}
          {limit.owner && ` · ${limit.owner}`}
        </p>
      )}
    </div>
  );
}

function LimitForm({ limit, onClose, saved }: { limit: Limit | undefined; onClose: () => void; saved: () => Promise<unknown> }) {
  const t = useT();
  const [scope, setScope] = useState<Scope>("user");
  const [each, setEach] = useState(false);
  const [metric, setMetric] = useState<Metric>(oneOf(metrics, limit?.metric) ?? "credits");
  const [taken, setTaken] = useState("");
  return (
    <Form
      submit={limit ? t("action.save") : t("limits.add")}
      onCancel={onClose}
      save={async (value) => {
        const body = limit
          ? { scope: limit.scope, subject: subjectOf(limit), metric: limit.metric, period: limit.period, amount: value("amount") }
          : {
              scope,
              subject: each ? "*" : value("subject"),
              metric,
              period: metric === "concurrency" ? "" : value("period"),
              amount: value("amount"),
            };
        if (!limit && body.subject !== taken) {
          // One for the same is replaced by the hub: better that whoever types this knows.
          const same = await api.get("/api/admin/limits", { query: { scope, metric, subject: body.subject, pageSize: 100 } });
          if (same.data.some((l) => l.period === (body.period || "now"))) {
            setTaken(body.subject);
            return;
          }
        }
        await api.put("/api/admin/limits", { body });
        await saved();
        onClose();
      }}
    >
      {(fault) => (
        <>
          {limit ? (
            <Who limit={limit} />
          ) : (
            <>
              <SelectField
                name="scope"
                label={t("limits.scope")}
                value={scope}
                onChange={(e) => setScope(e.target.value as Scope)}
                error={fault("scope")}
              >
                {scopes.map((s) => (
                  <option key={s} value={s}>
                    {t(`limits.scope.${s}`)}
                  </option>
                ))}
              </SelectField>
              {scope !== "member" && (
                <label className="flex items-center gap-2.5">
                  <input
                    type="checkbox"
                    checked={each}
                    onChange={(e) => setEach(e.target.checked)}
                    className="size-4 accent-accent-fill"
                  />
                  {t(`limits.each.${scope}`)}
                </label>
              )}
              {(!each || scope === "member") && <Subject key={scope} scope={scope} fault={fault("subject")} />}
            </>
          )}
          <div className="grid gap-4 sm:grid-cols-2">
            {!limit && (
              <SelectField
                name="metric"
                label={t("limits.metric")}
                value={metric}
                onChange={(e) => setMetric(e.target.value as Metric)}
                error={fault("metric")}
              >
                {metrics.map((m) => (
                  <option key={m} value={m}>
                    {t(`limits.metric.${m}`)}
                  </option>
                ))}
              </SelectField>
            )}
            {!limit && metric !== "concurrency" && (
              <SelectField
                name="period"
                label={t("limits.period")}
                defaultValue={metric === "credits" ? "month" : "minute"}
                error={fault("period")}
              >
                {periods.map((p) => (
                  <option key={p} value={p}>
                    {t(`limits.per.${p}`)}
                  </option>
                ))}
              </SelectField>
            )}
            <TextField
              name="amount"
              label={
                limit && limit.metric !== "concurrency"
                  ? t(`limits.amount.per.${limit.period as (typeof periods)[number]}`)
                  : t("limits.amount")
              }
              hint={t(`limits.unit.${metric}`)}
              inputMode="decimal"
              defaultValue={limit?.amount}
              error={fault("amount")}
              required
              autoComplete="off"
            />
          </div>
          {taken !== "" && <Note kind="warn">{t("limits.taken")}</Note>}
        </>
      )}
    </Form>
  );
}

/** subjectOf names whom a limit binds as the hub wants it: users by their address. */
const subjectOf = (l: Limit) => (l.scope === "user" && l.name ? l.name : l.subject);

function Subject({ scope, fault }: { scope: Scope; fault: string | undefined }) {
  const t = useT();
  const list = useId();
  const models = useModels();
  const users = useQuery({
    queryKey: ["users", "names"],
    queryFn: ({ signal }) => api.get("/api/admin/users", { query: { pageSize: 100 }, signal }),
    enabled: scope === "user",
  });
  const keys = useQuery({
    queryKey: ["keys", "names"],
    queryFn: ({ signal }) => api.get("/api/admin/keys", { query: { pageSize: 100 }, signal }),
    enabled: scope === "key",
  });
  const apps = useQuery({
    queryKey: ["apps", "names"],
    queryFn: ({ signal }) => api.get("/api/admin/apps", { query: { pageSize: 100 }, signal }),
    enabled: scope === "app",
  });
  const options: [string, string][] =
    scope === "user"
      ? (users.data?.data ?? []).map((u) => [u.email, ""])
      : scope === "key"
        ? (keys.data?.data ?? []).map((k) => [k.id, k.name])
        : scope === "app"
          ? (apps.data?.data ?? []).map((a) => [a.id, a.name])
          : scope === "model"
            ? models.map((m) => [m, ""])
            : [];
  return (
    <>
      <TextField
        name="subject"
        label={t(`limits.scope.${scope}`)}
        hint={t(`limits.subject.${scope}`)}
        list={list}
        error={fault}
        required
        spellCheck={false}
        autoComplete="off"
      />
      <datalist id={list}>
        {options.map(([value, label]) => (
          <option key={value} value={value} label={label || undefined} />
        ))}
      </datalist>
    </>
  );
}

import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { type Answer, api } from "../api/client";
import { useI18n, useT } from "../lib/i18n";
import { Form, SelectField, TextField } from "../ui/form";
import { Mono } from "../ui/page";
import { Note } from "../ui/states";
import { useModels } from "./routing-form";

export type Limit = Answer<"/api/admin/limits">["data"][number];

export const scopes = ["user", "key", "app", "model", "member"] as const;
export const metrics = ["credits", "requests", "tokens", "concurrency"] as const;
const periods = ["minute", "hour", "day", "week", "month"] as const;
type Scope = (typeof scopes)[number];
type Metric = (typeof metrics)[number];
export const oneOf = <T extends string>(all: readonly T[], word: string | undefined) => all.find((x) => x === word);

/** Who is whom a limit binds. */
export function Who({ limit }: { limit: Limit }) {
  const { t, known } = useI18n();
  const each = limit.subject === "*";
  return (
    <div className="min-w-0">
      <p className="font-medium wrap-anywhere">
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

/** LimitForm sets a limit, or changes how much one allows. */
export function LimitForm({
  limit,
  onClose,
  saved,
}: {
  limit: Limit | undefined;
  onClose: () => void;
  saved: () => Promise<unknown>;
}) {
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

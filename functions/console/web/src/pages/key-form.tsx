import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, api, type Body } from "../api/client";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Check, Field, Form, SelectField, TextField } from "../ui/form";

export type KeyDetail = Answer<"/api/auth/keys/{id}">;
type Terms = Omit<Body<"/api/auth/keys", "post">, "name">;

const scopes = ["inference", "usage", "billing", "admin"] as const;
const lines = (text: string) => (text ? text.split(/[\s,]+/).filter(Boolean) : null);
const whole = (text: string) => (text ? Number(text) : null);

interface Props {
  submit: ReactNode;
  key_?: KeyDetail;
  /** app: the application that a service key is made for, at first. */
  app?: string;
  onCancel: () => void;
  save: (name: string, terms: Terms) => Promise<unknown>;
}

/** local is a time as a field of a form writes it, in the browser's zone. */
function local(iso: string | null | undefined): string {
  if (!iso) return "";
  const at = new Date(iso);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** KeyForm makes or changes an API key: what it is called, what it may do, and how much. */
export function KeyForm({ submit, key_: key, app: first = "", onCancel, save }: Props) {
  const { t, tn } = useI18n();
  const wallets = useQuery({ queryKey: ["wallets"], queryFn: ({ signal }) => api.get("/api/user/wallets", { signal }) });
  const apps = useQuery({
    queryKey: ["apps", "own"],
    queryFn: ({ signal }) => api.get("/api/auth/apps", { query: { pageSize: 100 }, signal }),
    enabled: !key,
  });
  const owned = (apps.data?.data ?? []).filter((a) => a.own);
  const [chosenApp, setApp] = useState(first);
  const app = key ? key.app : owned.some((a) => a.id === chosenApp) ? chosenApp : "";
  const [expires, setExpires] = useState(() => local(key?.expires_at));
  const open = (wallets.data?.data ?? []).filter((w) => !w.closed_at);
  const limit = (metric: string, period: string) =>
    key?.limits.find((l) => l.metric === metric && l.period === period)?.amount ?? "";
  const restricted = key && (key.models || key.ips || key.scopes || key.limits.length > 0);
  return (
    <Form
      submit={submit}
      onCancel={onCancel}
      save={(value, form) => {
        const chosen = scopes.filter((s) => (form.elements.namedItem(`scope-${s}`) as HTMLInputElement | null)?.checked);
        return save(value("name"), {
          expires_at: value("expires_at") ? new Date(value("expires_at")).toISOString() : null,
          models: lines(value("models")),
          ips: lines(value("ips")),
          // A service key calls models and does nothing else.
          scopes: app ? undefined : chosen.length === 0 || chosen.length === scopes.length ? null : [...chosen],
          app: key ? undefined : app,
          // Where it cannot be chosen it stays.
          wallet: form.elements.namedItem("wallet") ? value("wallet") : undefined,
          rpm: whole(value("rpm")),
          tpm: whole(value("tpm")),
          concurrency: whole(value("concurrency")),
          budget_day: value("budget_day"),
          budget_week: value("budget_week"),
          budget_month: value("budget_month"),
        });
      }}
    >
      {(fault) => (
        <>
          <TextField name="name" label={t("keys.name")} defaultValue={key?.name} error={fault("name")} maxLength={100} required />
          <TextField
            name="expires_at"
            type="datetime-local"
            label={t("keys.expires")}
            hint={t("keys.expires.hint")}
            value={expires}
            onChange={(e) => setExpires(e.target.value)}
            error={fault("expires_at")}
          />
          <fieldset className="-mt-2 flex flex-wrap gap-1.5" aria-label={t("keys.expires.in")}>
            {([7, 30, 90, 365] as const).map((days) => (
              <Button key={days} small onClick={() => setExpires(local(new Date(Date.now() + days * 86_400_000).toISOString()))}>
                {tn("keys.days", days)}
              </Button>
            ))}
            <Button small look="quiet" onClick={() => setExpires("")}>
              {t("keys.always")}
            </Button>
          </fieldset>
          {owned.length > 0 && (
            <SelectField
              name="app"
              label={t("keys.app")}
              hint={app ? t("keys.app.service") : t("keys.app.hint")}
              value={app}
              onChange={(e) => setApp(e.target.value)}
              error={fault("app")}
            >
              <option value="">{t("keys.app.none")}</option>
              {owned.map((a) => (
                <option key={a.id} value={a.id}>
                  {a.name}
                </option>
              ))}
            </SelectField>
          )}
          <details open={Boolean(restricted) || undefined}>
            <summary className="font-medium">{t("keys.restrict")}</summary>
            <div className="mt-3 flex flex-col gap-4">
              <Field label={t("keys.models")} hint={t("keys.models.hint")} error={fault("models")}>
                {(own) => (
                  <textarea
                    {...own}
                    name="models"
                    rows={2}
                    defaultValue={key?.models?.join("\n")}
                    placeholder={"openai/*\nanthropic/claude-*"}
                    className="input font-mono text-sm"
                  />
                )}
              </Field>
              <Field label={t("keys.ips")} hint={t("keys.ips.hint")} error={fault("ips")}>
                {(own) => (
                  <textarea
                    {...own}
                    name="ips"
                    rows={2}
                    defaultValue={key?.ips?.join("\n")}
                    placeholder="203.0.113.0/24"
                    className="input font-mono text-sm"
                  />
                )}
              </Field>
              <fieldset hidden={Boolean(app)}>
                <legend className="mb-1 text-sm font-medium">{t("keys.scopes")}</legend>
                <div className="grid gap-2 sm:grid-cols-2">
                  {scopes.map((s) => (
                    <Check
                      key={s}
                      name={`scope-${s}`}
                      defaultChecked={key?.scopes ? key.scopes.includes(s) : true}
                      label={t(`scope.${s}`)}
                      hint={t(`scope.${s}.hint`)}
                    />
                  ))}
                </div>
              </fieldset>
              {open.length > 0 && (
                <SelectField
                  name="wallet"
                  label={t("keys.wallet")}
                  defaultValue={open.find((w) => w.id === key?.wallet_id)?.name ?? ""}
                  error={fault("wallet")}
                >
                  <option value="">{t("keys.wallet.own")}</option>
                  {open.map((w) => (
                    <option key={w.id} value={w.name}>
                      {w.name}
                    </option>
                  ))}
                </SelectField>
              )}
              <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
                <TextField
                  name="rpm"
                  type="number"
                  min={1}
                  label={t("keys.rpm")}
                  defaultValue={limit("requests", "minute")}
                  error={fault("rpm")}
                />
                <TextField
                  name="tpm"
                  type="number"
                  min={1}
                  label={t("keys.tpm")}
                  defaultValue={limit("tokens", "minute")}
                  error={fault("tpm")}
                />
                <TextField
                  name="concurrency"
                  type="number"
                  min={1}
                  label={t("keys.concurrency")}
                  defaultValue={key?.limits.find((l) => l.metric === "concurrency")?.amount}
                  error={fault("concurrency")}
                />
                <TextField
                  name="budget_day"
                  inputMode="decimal"
                  label={t("keys.budget.day")}
                  defaultValue={limit("credits", "day")}
                  error={fault("budget_day")}
                />
                <TextField
                  name="budget_week"
                  inputMode="decimal"
                  label={t("keys.budget.week")}
                  defaultValue={limit("credits", "week")}
                  error={fault("budget_week")}
                />
                <TextField
                  name="budget_month"
                  inputMode="decimal"
                  label={t("keys.budget.month")}
                  defaultValue={limit("credits", "month")}
                  error={fault("budget_month")}
                />
              </div>
            </div>
          </details>
        </>
      )}
    </Form>
  );
}

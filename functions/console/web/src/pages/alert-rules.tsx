import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type Answer, api } from "../api/client";
import { useT } from "../lib/i18n";
import { Check, Form, TextField } from "../ui/form";
import { Card } from "../ui/page";
import { Loaded, Rows } from "../ui/states";
import { useToast } from "../ui/toast";

type Rules = Answer<"/api/admin/alerts/rules">;

const rulesQuery = {
  queryKey: ["alert-rules"],
  queryFn: ({ signal }: { signal: AbortSignal }) => api.get("/api/admin/alerts/rules", { signal }),
};

/** AlertRules are the rules by which the hub raises alerts. */
export function AlertRules() {
  const t = useT();
  const rules = useQuery(rulesQuery);
  return (
    <Card title={t("alerts.tab.rules")}>
      <Loaded query={rules} loading={<Rows />}>
        {(rules) => <Edit rules={rules} />}
      </Loaded>
    </Card>
  );
}

function Edit({ rules: r }: { rules: Rules }) {
  const t = useT();
  const say = useToast();
  const queries = useQueryClient();
  return (
    <Form
      submit={t("action.save")}
      save={async (value) => {
        const n = (name: string) => Number(value(name));
        const on = (name: string) => value(name) !== "";
        const saved = await api.put("/api/admin/alerts/rules", {
          body: {
            error_rate: {
              on: on("error_rate"),
              percent: n("error_rate.percent"),
              minutes: n("error_rate.minutes"),
              min_calls: n("error_rate.min_calls"),
            },
            spend: { on: on("spend"), percent: n("spend.percent"), hours: n("spend.hours"), least: value("spend.least") },
            credential: { on: on("credential") },
            outbox: { on: on("outbox"), minutes: n("outbox.minutes") },
            notices: { on: on("notices"), minutes: n("notices.minutes") },
            ledger: { on: on("ledger") },
            sweeper: { on: on("sweeper"), minutes: n("sweeper.minutes") },
            disk: { on: on("disk"), percent: n("disk.percent") },
            calm_minutes: n("calm_minutes"),
          },
        });
        queries.setQueryData(rulesQuery.queryKey, saved);
        say(t("action.saved"));
      }}
    >
      {(fault) => {
        const number = (name: string, label: string, value: number) => (
          <TextField name={name} type="number" label={label} defaultValue={value} error={fault(name)} required />
        );
        return (
          <div className="divide-y divide-line">
            <Rule name="error_rate" on={r.error_rate.on}>
              {number("error_rate.percent", t("alerts.percent.calls"), r.error_rate.percent)}
              {number("error_rate.minutes", t("alerts.window"), r.error_rate.minutes)}
              {number("error_rate.min_calls", t("alerts.least.calls"), r.error_rate.min_calls)}
            </Rule>
            <Rule name="spend" on={r.spend.on}>
              {number("spend.percent", t("alerts.percent.hour"), r.spend.percent)}
              {number("spend.hours", t("alerts.hours"), r.spend.hours)}
              <TextField
                name="spend.least"
                inputMode="decimal"
                label={t("alerts.least.spend")}
                defaultValue={r.spend.least}
                error={fault("spend.least")}
                required
              />
            </Rule>
            <Rule name="credential" on={r.credential.on} />
            <Rule name="outbox" on={r.outbox.on}>
              {number("outbox.minutes", t("alerts.minutes"), r.outbox.minutes)}
            </Rule>
            <Rule name="notices" on={r.notices.on}>
              {number("notices.minutes", t("alerts.minutes"), r.notices.minutes)}
            </Rule>
            <Rule name="ledger" on={r.ledger.on} />
            <Rule name="sweeper" on={r.sweeper.on}>
              {number("sweeper.minutes", t("alerts.minutes"), r.sweeper.minutes)}
            </Rule>
            <Rule name="disk" on={r.disk.on}>
              {number("disk.percent", t("alerts.free"), r.disk.percent)}
            </Rule>
            <div className="grid gap-4 pt-4 sm:grid-cols-3">{number("calm_minutes", t("alerts.calm"), r.calm_minutes)}</div>
          </div>
        );
      }}
    </Form>
  );
}

type Name = "error_rate" | "spend" | "credential" | "outbox" | "notices" | "ledger" | "sweeper" | "disk";

function Rule({ name, on, children }: { name: Name; on: boolean; children?: React.ReactNode }) {
  const t = useT();
  return (
    <fieldset className="flex flex-col gap-3 py-4 first:pt-0">
      <legend className="sr-only">{t(`alerts.rule.${name}`)}</legend>
      <Check
        name={name}
        label={<span className="font-medium">{t(`alerts.rule.${name}`)}</span>}
        hint={t(`alerts.rule.${name}.hint`)}
        defaultChecked={on}
      />
      {children && <div className="grid gap-4 pl-6.5 sm:grid-cols-3">{children}</div>}
    </fieldset>
  );
}

import type { Answer } from "../api/client";
import { count, duration, percent } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Badge } from "../ui/states";
import { type Column, Table } from "../ui/table";
import type { Provider } from "./provider-form";

export type Health = Answer<"/api/ai/health">;

/** ProviderHealth is how many of a provider's credentials work. */
export function ProviderHealth({ provider, health }: { provider: Provider; health: Health | undefined }) {
  const t = useT();
  const all = Object.values(health?.providers[provider.name] ?? {});
  if (!health) return null;
  if (!provider.enabled) return <Badge>{t("provider.off")}</Badge>;
  if (all.length === 0) return <Badge kind={provider.credentials === 0 ? "warn" : undefined}>{t("provider.health.none")}</Badge>;
  const running = all.filter((c) => c.running).length;
  if (running === all.length) return <Badge kind="ok">{t("provider.health.ok")}</Badge>;
  return <Badge kind={running > 0 ? "warn" : "danger"}>{t("provider.health.some", { n: running, of: all.length })}</Badge>;
}

/** Targets are models at providers as calls found them lately. */
export function Targets({ health }: { health: Health }) {
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
        x.failing ? (
          <span title={x.reason || x.error}>
            <Badge kind="danger">{t("routing.state.failing")}</Badge>
          </span>
        ) : x.available === null ? (
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

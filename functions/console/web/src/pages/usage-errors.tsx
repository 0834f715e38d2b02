import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheck } from "lucide-react";
import { type Answer, api } from "../api/client";
import { count, percent, short } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Chart } from "../ui/charts";
import { Card, Time } from "../ui/page";
import { Empty, Loaded, Skeleton } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { type Asked, useTrends } from "./usage-query";

type Row = Answer<"/api/usage/errors">["categories"][number];

const ends = ["failed", "interrupted", "aborted"] as const;
const shown = 5; // rows of each list

/** UsageErrors shows how many calls failed, when, and why. */
export function UsageErrors({ asked }: { asked: Asked }) {
  const { t, known, format } = useI18n();
  const errors = useQuery({
    queryKey: ["usage", "errors", asked.query],
    queryFn: ({ signal }) => api.get("/api/usage/errors", { query: asked.query, signal }),
    placeholderData: keepPreviousData,
  });
  const trends = useTrends(asked);
  const { search, everyone } = asked;
  const calls = (r: Row) => ({
    range: search.range,
    from: search.from,
    until: search.until,
    everyone: everyone || undefined,
    status: r.status,
    category: r.category || undefined,
    provider: r.provider || search.provider,
    model: r.model || search.model,
    app: search.app,
    key: search.key,
  });
  const columns = (models: boolean): Column<Row>[] => [
    {
      key: "what",
      head: models ? t("usage.by.model") : t("usage.by.category"),
      className: "w-full",
      cell: (r) => (
        <Link to="/calls" search={calls(r)} className="break-all hover:underline">
          {models && (
            <>
              <span className="font-medium">{r.provider ? `${r.provider}/${r.model}` : r.model || t("usage.none")}</span>
              <br />
            </>
          )}
          <span className={models ? "text-sm text-ink-3" : "font-medium"}>
            {known(`category.${r.category}`, r.category.replaceAll("_", " ")) || known(`call.status.${r.status}`, r.status)}
          </span>
        </Link>
      ),
    },
    { key: "n", head: t("usage.measure.calls"), num: true, cell: (r) => count(format, r.calls) },
    { key: "share", head: t("usage.share"), num: true, cell: (r) => (r.share === null ? "–" : percent(format, r.share)) },
    { key: "last", head: t("usage.last"), num: true, from: "sm", cell: (r) => <Time at={r.last_at} /> },
  ];
  return (
    <Card title={t("usage.errors")}>
      <Loaded query={errors} loading={<Skeleton className="h-24 w-full" />}>
        {(data) => (
          <>
            <p className="mb-3">
              <span className="text-2xl font-semibold tracking-tight tabular-nums">
                {data.calls === 0 ? "–" : percent(format, data.errors / data.calls)}
              </span>{" "}
              <span className="text-ink-3">
                {t("usage.errors.of", { errors: count(format, data.errors), calls: count(format, data.calls) })}
              </span>
            </p>
            {data.errors === 0 ? (
              <Empty icon={<CircleCheck aria-hidden className="size-5" />} title={t("usage.errors.none")} />
            ) : (
              <>
                {trends.data && (
                  <Chart
                    kind="bars"
                    label={t("usage.errors")}
                    step={asked.step}
                    whole
                    series={ends.map((e) => ({ key: e, name: t(`call.status.${e}`) }))}
                    points={trends.data.trends.map((p) => ({ start: p.start, values: p.figures.statuses }))}
                    value={(n) => count(format, n)}
                    tick={(n) => short(format, n)}
                  />
                )}
                <div className="-mx-4 mt-3 border-t border-line">
                  <Table
                    label={t("usage.errors.categories")}
                    columns={columns(false)}
                    rows={data.categories.slice(0, shown)}
                    id={(r) => `${r.category} ${r.status}`}
                  />
                </div>
                <div className="-mx-4 -mb-4 border-t border-line">
                  <Table
                    label={t("usage.errors.models")}
                    columns={columns(true)}
                    rows={data.models.slice(0, shown)}
                    id={(r) => `${r.provider} ${r.model} ${r.category} ${r.status}`}
                  />
                </div>
              </>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChartColumn } from "lucide-react";
import { type Answer, api } from "../api/client";
import { type I18n, useI18n } from "../lib/i18n";
import { drawn, measuresOf, said, sortOf, ticked } from "../lib/measure";
import { Chart } from "../ui/charts";
import { Card } from "../ui/page";
import { colours, type Series } from "../ui/series";
import { Empty, Loaded, Skeleton } from "../ui/states";
import { type Dimension, dimensions, nameOf } from "./usage-names";
import type { Asked } from "./usage-query";

type Trends = Answer<"/api/usage/group-trends">;
const rest = "\u0000rest"; // no key of the hub's

/** UsageTrend shows a measure over time, told apart by what is chosen. */
export function UsageTrend({ asked }: { asked: Asked }) {
  const i18n = useI18n();
  const { t, format } = i18n;
  const navigate = useNavigate({ from: "/usage" });
  const { admin, everyone, by, measure, step } = asked;
  const query = { ...asked.query, granularity: step, by, sort: sortOf(measure), top: colours };
  const trends = useQuery({
    queryKey: ["usage", "groups", query],
    queryFn: ({ signal }) => api.get("/api/usage/group-trends", { query, signal }),
    placeholderData: keepPreviousData,
  });
  const set = (change: object) => navigate({ search: (old) => ({ ...old, page: undefined, ...change }), resetScroll: false });
  return (
    <Card
      title={t("usage.trend")}
      action={
        <div className="flex flex-wrap justify-end gap-2">
          <select
            aria-label={t("usage.measure")}
            className="input min-h-8 w-auto py-0.5 text-sm"
            value={measure}
            onChange={(e) => set({ measure: e.target.value })}
          >
            {measuresOf(admin).map((m) => (
              <option key={m} value={m}>
                {t(`usage.measure.${m}`)}
              </option>
            ))}
          </select>
          <select
            aria-label={t("usage.by")}
            className="input min-h-8 w-auto py-0.5 text-sm"
            value={by}
            onChange={(e) => set({ by: e.target.value })}
          >
            {dimensions
              .filter((d) => d !== "user" || everyone)
              .map((d) => (
                <option key={d} value={d}>
                  {t("usage.by.of", { what: t(`usage.by.${d}`) })}
                </option>
              ))}
          </select>
        </div>
      }
    >
      <Loaded query={trends} loading={<Skeleton className="h-[19rem] w-full" />}>
        {(data) =>
          data.series.length === 0 ? (
            <Empty icon={<ChartColumn aria-hidden className="size-5" />} title={t("usage.nothing")}>
              {t("usage.nothing.hint")}
            </Empty>
          ) : (
            <Chart
              kind="bars"
              label={t("usage.trend.label", { measure: t(`usage.measure.${measure}`), what: t(`usage.by.${by}`) })}
              step={step}
              whole={measure === "calls" || measure === "tokens"}
              series={seriesOf(data, i18n, by)}
              points={data.trends.map((p) => ({
                start: p.start,
                values: {
                  ...Object.fromEntries(Object.entries(p.values).map(([key, v]) => [key, drawn(measure, v)])),
                  ...(p.other ? { [rest]: drawn(measure, p.other) } : {}),
                },
              }))}
              value={(n) => said(format, measure, n)}
              tick={(n) => ticked(format, measure, n)}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

function seriesOf(data: Trends, i18n: I18n, by: Dimension): Series[] {
  const named = data.series.map((s) => ({ key: s.key, name: nameOf(i18n, by, s) }));
  return data.trends.some((p) => p.other) ? [...named, { key: rest, name: i18n.t("usage.rest"), rest: true }] : named;
}

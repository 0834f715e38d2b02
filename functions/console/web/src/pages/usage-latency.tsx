import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import { duration } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Chart } from "../ui/charts";
import { Card } from "../ui/page";
import { Empty, Loaded, Skeleton } from "../ui/states";
import { type Asked, type Summary, useTrends } from "./usage-query";

const kinds = ["duration", "ttfb"] as const;
const percentiles = ["p50", "p95", "p99"] as const;

/** UsageLatency shows how long calls took, and how long to their first byte. */
export function UsageLatency({ asked, summary }: { asked: Asked; summary: UseQueryResult<Summary> }) {
  const { t, format } = useI18n();
  const [kind, setKind] = useState<(typeof kinds)[number]>("duration");
  const trends = useTrends(asked);
  const ms = (n: number | null | undefined) => (n === null || n === undefined ? "–" : duration(format, n));
  return (
    <Card
      title={t("usage.latency")}
      action={
        <select
          aria-label={t("usage.latency.of")}
          className="input min-h-8 w-auto py-0.5 text-sm"
          value={kind}
          onChange={(e) => setKind(e.target.value as typeof kind)}
        >
          {kinds.map((k) => (
            <option key={k} value={k}>
              {t(`usage.latency.${k}`)}
            </option>
          ))}
        </select>
      }
    >
      <Loaded query={summary} loading={<Skeleton className="h-24 w-full" />}>
        {(s) => (
          <table className="mb-4 w-full">
            <thead>
              <tr className="border-b border-line text-sm text-ink-3">
                <td />
                {percentiles.map((p) => (
                  <th key={p} scope="col" className="num py-1 pl-2 font-medium">
                    {t(`usage.${p}`)}
                  </th>
                ))}
                <th scope="col" className="num py-1 pl-2 font-medium max-sm:hidden">
                  {t("usage.mean")}
                </th>
              </tr>
            </thead>
            <tbody>
              {kinds.map((k) => (
                <tr key={k} className="border-b border-line last:border-0">
                  <th scope="row" className="py-1.5 text-left font-normal">
                    {t(`usage.latency.${k}`)}
                  </th>
                  {percentiles.map((p) => (
                    <td key={p} className="num py-1.5 pl-2">
                      {ms(s[k][`${p}_ms`])}
                    </td>
                  ))}
                  <td className="num py-1.5 pl-2 text-ink-2 max-sm:hidden">{ms(s[k].avg_ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      <Loaded query={trends} loading={<Skeleton className="h-[19rem] w-full" />}>
        {({ trends }) =>
          trends.every((p) => p.figures[kind].count === 0) ? (
            <Empty title={t("usage.nothing")} />
          ) : (
            <Chart
              kind="lines"
              label={t(`usage.latency.${kind}`)}
              step={asked.step}
              series={percentiles.map((p) => ({ key: p, name: t(`usage.${p}`) }))}
              points={trends.map((p) => {
                const l = p.figures[kind];
                const values: Record<string, number> = {};
                for (const x of percentiles) {
                  const n = l[`${x}_ms`];
                  if (n !== null) values[x] = n;
                }
                return { start: p.start, values };
              })}
              value={(n) => duration(format, n)}
              tick={(n) => duration(format, n)}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

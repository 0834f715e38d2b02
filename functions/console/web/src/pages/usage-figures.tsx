import type { UseQueryResult } from "@tanstack/react-query";
import { ArrowDownRight, ArrowRight, ArrowUpRight } from "lucide-react";
import type { ReactNode } from "react";
import { count, percent, short, usd } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Amount, Stat } from "../ui/page";
import { Loaded, Skeleton } from "../ui/states";
import type { Summary } from "./usage-query";

/** Change says how a figure went since the time before. up is what is good news: true, false, or neither. */
export function Change({ by, before, points }: { by: number | null | undefined; before: string; points?: boolean }) {
  const { t, format } = useI18n();
  if (by === null || by === undefined) return <span>{t("usage.before", { value: before })}</span>;
  const Arrow = Math.abs(by) < 0.0005 ? ArrowRight : by > 0 ? ArrowUpRight : ArrowDownRight;
  const text = new Intl.NumberFormat(format.locale, {
    style: points ? "decimal" : "percent",
    signDisplay: "exceptZero",
    maximumFractionDigits: Math.abs(by) >= 1 && !points ? 0 : 1,
  }).format(points ? by * 100 : by);
  return (
    <span title={t("usage.before", { value: before })}>
      <Arrow aria-hidden className="mr-0.5 inline size-4" />
      {points ? t("usage.points", { n: text }) : text} <span className="sr-only">{t("usage.before", { value: before })}</span>
      <span aria-hidden className="whitespace-nowrap max-sm:hidden">
        {t("usage.since")}
      </span>
    </span>
  );
}

/** growth is by what share an amount in dollars has grown, for a note. */
function growth(now: string | undefined, before: string | undefined): number | null {
  const [a, b] = [Number(now), Number(before)];
  return Number.isFinite(a) && Number.isFinite(b) && b !== 0 ? (a - b) / Math.abs(b) : null;
}

/** UsageFigures sum a range up, beside the range before. */
export function UsageFigures({ summary }: { summary: UseQueryResult<Summary> }) {
  const { t, format } = useI18n();
  if (summary.error && !summary.data) return <Loaded query={summary}>{() => null}</Loaded>;
  const s = summary.data;
  const wait = <Skeleton className="mt-2 h-6 w-24" />;
  const tokens = (x: { input_tokens: number; output_tokens: number }) => x.input_tokens + x.output_tokens;
  const before = s?.previous;
  const items: [string, ReactNode, ReactNode][] = [
    [
      t("usage.measure.credits"),
      s && <Amount of={s.credits} />,
      before && <Change by={s?.change?.credits} before={before.credits} />,
    ],
    [
      t("usage.measure.calls"),
      s && count(format, s.calls),
      before && <Change by={s?.change?.calls} before={count(format, before.calls)} />,
    ],
    [
      t("usage.measure.tokens"),
      s && <span title={count(format, tokens(s))}>{short(format, tokens(s))}</span>,
      before && <Change by={s?.change?.tokens} before={count(format, tokens(before))} />,
    ],
    [
      t("usage.success"),
      s && (s.success_rate === null ? "–" : percent(format, s.success_rate)),
      before && (
        <Change
          points
          by={s?.change?.success_rate}
          before={before.success_rate === null ? "–" : percent(format, before.success_rate)}
        />
      ),
    ],
  ];
  return (
    <div className="flex flex-col gap-3" aria-busy={summary.isFetching}>
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        {items.map(([label, value, note]) => (
          <Stat key={label} label={label} note={note}>
            {value ?? wait}
          </Stat>
        ))}
      </div>
      {s?.revenue_usd !== undefined && (
        <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
          <Stat
            label={t("usage.measure.revenue")}
            note={
              before && <Change by={growth(s.revenue_usd, before.revenue_usd)} before={usd(format, before.revenue_usd ?? "0")} />
            }
          >
            {usd(format, s.revenue_usd)}
          </Stat>
          <Stat
            label={t("usage.measure.cost")}
            note={
              s.calls_without_cost
                ? t("usage.uncosted", { n: count(format, s.calls_without_cost) })
                : before && <Change by={growth(s.cost_usd, before.cost_usd)} before={usd(format, before.cost_usd ?? "0")} />
            }
          >
            {usd(format, s.cost_usd ?? "0")}
          </Stat>
          <Stat
            label={t("usage.measure.margin")}
            note={
              before?.margin_usd && (
                <Change by={growth(s.margin_usd ?? undefined, before.margin_usd)} before={usd(format, before.margin_usd)} />
              )
            }
          >
            {s.margin_usd ? usd(format, s.margin_usd) : "–"}
          </Stat>
        </div>
      )}
    </div>
  );
}

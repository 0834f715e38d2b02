import { useId, useState } from "react";
import {
  Bar,
  BarChart,
  CartesianGrid,
  Line,
  LineChart,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import { useI18n } from "../lib/i18n";
import type { Step } from "../lib/range";
import { moment } from "./chart-time";
import { colour, dashes, type Point, type Series, textures } from "./series";

export interface ChartProps {
  label: string;
  kind: "bars" | "lines";
  step: Step;
  points: readonly Point[];
  series: readonly Series[];
  /** value formats a value in full, tick in few characters for the axis. */
  value: (n: number) => string;
  tick: (n: number) => string;
  /** whole: values are counts, between which the axis shows none. */
  whole?: boolean;
}

const height = 272; // px

/** ChartOf draws series over time: bars that stand on each other, or lines. */
export default function ChartOf({ label, kind, step, points, series, value, tick, whole }: ChartProps) {
  const { t, format } = useI18n();
  const [only, setOnly] = useState<string>();
  const id = useId().replaceAll(/[^\w-]/g, "");
  const focus = series.some((s) => s.key === only) ? only : undefined;
  const faint = (s: Series) => (focus !== undefined && focus !== s.key ? 0.15 : 1);
  const common = { data: points as Point[], margin: { top: 8, right: 8, bottom: 0, left: 0 }, title: label };
  const frame = [
    <CartesianGrid key="grid" vertical={false} stroke="var(--line)" />,
    <XAxis
      key="x"
      dataKey="start"
      tickFormatter={(iso: string) => moment(format, iso, step)}
      tick={{ fill: "var(--ink-3)", fontSize: 12 }}
      tickLine={false}
      axisLine={{ stroke: "var(--line-strong)" }}
      minTickGap={28}
    />,
    <YAxis
      key="y"
      width="auto"
      tickFormatter={tick}
      tick={{ fill: "var(--ink-3)", fontSize: 12 }}
      tickLine={false}
      axisLine={false}
      tickCount={5}
      allowDecimals={!whole}
    />,
    <Tooltip
      key="tip"
      isAnimationActive={false}
      cursor={kind === "bars" ? { fill: "var(--sunken)" } : { stroke: "var(--line-strong)" }}
      content={({ active, label: at }) =>
        active && typeof at === "string" ? (
          <Tip
            id={id}
            at={at}
            title={moment(format, at, step, true)}
            kind={kind}
            points={points}
            series={series}
            value={value}
            sum={t("chart.total")}
          />
        ) : null
      }
    />,
  ];
  const of = (s: Series) => (p: Point) => p.values[s.key] ?? (kind === "bars" ? 0 : null);
  return (
    <div>
      <div className="h-[17rem]">
        <ResponsiveContainer width="100%" height={height}>
          {kind === "bars" ? (
            <BarChart {...common} stackOffset="sign" barCategoryGap={points.length > 60 ? "6%" : "18%"} maxBarSize={56}>
              <Textures id={id} series={series} />
              {frame}
              <ReferenceLine y={0} stroke="var(--line-strong)" />
              {series.map((s, i) => (
                <Bar
                  key={s.key}
                  name={s.name}
                  stackId="all"
                  dataKey={of(s)}
                  fill={`url(#${id}-${i})`}
                  fillOpacity={faint(s)}
                  stroke="var(--surface)"
                  strokeWidth={points.length > 60 ? 0 : 0.75}
                  isAnimationActive={false}
                />
              ))}
            </BarChart>
          ) : (
            <LineChart {...common}>
              {frame}
              {series.map((s, i) => (
                <Line
                  key={s.key}
                  name={s.name}
                  dataKey={of(s)}
                  stroke={colour(i, s.rest)}
                  strokeOpacity={faint(s)}
                  strokeDasharray={dashes[i % dashes.length]}
                  strokeWidth={2}
                  dot={points.length <= 62 ? { r: 2, fill: colour(i, s.rest), strokeWidth: 0, fillOpacity: faint(s) } : false}
                  activeDot={{ r: 4 }}
                  isAnimationActive={false}
                />
              ))}
            </LineChart>
          )}
        </ResponsiveContainer>
      </div>
      {series.length > 1 && (
        <ul className="mt-2 flex flex-wrap gap-x-1 gap-y-0.5">
          {series.map((s, i) => (
            <li key={s.key} className="min-w-0 max-w-full">
              <button
                type="button"
                aria-pressed={focus === s.key}
                title={t("chart.only", { name: s.name })}
                onClick={() => setOnly(focus === s.key ? undefined : s.key)}
                className={`inline-flex min-h-7 max-w-full items-center gap-1.5 rounded-md px-1.5 text-sm hover:bg-sunken ${focus === s.key ? "bg-sunken font-medium" : ""} ${faint(s) < 1 ? "text-ink-3" : "text-ink-2"}`}
              >
                <Mark id={id} i={i} kind={kind} series={s} />
                <span className="truncate">{s.name}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Textures fill bars: each series has its colour, and stripes, dots or lines over it. */
function Textures({ id, series }: { id: string; series: readonly Series[] }) {
  const over = { stroke: "var(--surface)", strokeOpacity: 0.55, strokeWidth: 1.5 };
  return (
    <defs>
      {series.map((s, i) => (
        <pattern key={s.key} id={`${id}-${i}`} width="6" height="6" patternUnits="userSpaceOnUse">
          <rect width="6" height="6" fill={colour(i, s.rest)} />
          {i % textures === 1 && <path d="M-1,7 L7,-1 M-1,1 L1,-1 M5,7 L7,5" {...over} />}
          {i % textures === 2 && <circle cx="3" cy="3" r="1.2" fill="var(--surface)" fillOpacity={0.6} />}
          {i % textures === 3 && <path d="M0,3 H6" {...over} />}
        </pattern>
      ))}
    </defs>
  );
}

/** Mark is a series' look in the legend. Its pattern is that of the chart. */
function Mark({ id, i, kind, series }: { id: string; i: number; kind: ChartProps["kind"]; series: Series }) {
  return kind === "bars" ? (
    <svg aria-hidden viewBox="0 0 12 12" className="size-3 shrink-0 rounded-sm">
      <rect width="12" height="12" fill={`url(#${id}-${i})`} />
    </svg>
  ) : (
    <svg aria-hidden viewBox="0 0 22 6" className="h-1.5 w-5.5 shrink-0">
      <path d="M0,3 H22" stroke={colour(i, series.rest)} strokeWidth="2" strokeDasharray={dashes[i % dashes.length]} />
    </svg>
  );
}

interface TipProps extends Pick<ChartProps, "kind" | "points" | "series" | "value"> {
  id: string;
  at: string;
  title: string;
  sum: string;
}

/** Tip is what a point says, the uppermost bar first. */
function Tip({ id, at, title, kind, points, series, value, sum }: TipProps) {
  const point = points.find((p) => p.start === at);
  if (!point) return null;
  const rows = series
    .map((s, i) => ({ s, i, v: point.values[s.key] }))
    .filter(({ v }) => v !== undefined && (kind === "lines" || v !== 0));
  if (kind === "bars") rows.reverse();
  return (
    <div aria-live="polite" className="pop max-w-[min(20rem,80vw)] px-3 py-2 text-sm">
      <p className="mb-1 font-medium">{title}</p>
      <ul className="flex flex-col gap-0.5">
        {rows.map(({ s, i, v }) => (
          <li key={s.key} className="flex items-center gap-2">
            <Mark id={id} i={i} kind={kind} series={s} />
            <span className="min-w-0 flex-1 truncate text-ink-2">{s.name}</span>
            <span className="tabular-nums">{value(v ?? 0)}</span>
          </li>
        ))}
      </ul>
      {kind === "bars" && rows.length !== 1 && (
        <p className="mt-1 flex justify-between gap-3 border-t border-line pt-1 font-medium">
          <span>{sum}</span>
          <span className="tabular-nums">{value(rows.reduce((all, { v }) => all + (v ?? 0), 0))}</span>
        </p>
      )}
    </div>
  );
}

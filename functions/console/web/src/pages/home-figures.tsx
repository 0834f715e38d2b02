import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../api/client";
import { count, percent, short } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { plain } from "../lib/measure";
import { spanOf } from "../lib/range";
import { zoneOf } from "../lib/zone";
import { Amount, Card, Stat } from "../ui/page";
import { Sparkline } from "../ui/sparkline";
import { Loaded, Skeleton } from "../ui/states";
import { balanceQuery, quotaQuery } from "./home-query";
import { Change } from "./usage-figures";

/** Spend is the wallet in numbers, with the last 30 days. Where nothing is charged, calls are counted instead. */
export function Spend() {
  const { t, tn, format } = useI18n();
  const balance = useQuery(balanceQuery);
  const quota = useQuery(quotaQuery);
  const timezone = zoneOf(format);
  const trend = useQuery({
    queryKey: ["usage", "month", timezone],
    queryFn: ({ signal }) =>
      api.get("/api/usage/trends", {
        query: { ...spanOf({ range: "30d" }, "30d", timezone), timezone, granularity: "day" },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  if (balance.error) return <Loaded query={balance}>{() => null}</Loaded>;
  const b = balance.data;
  const free = b?.billing === "off";
  const q = quota.data;
  const wait = <Skeleton className="mt-2 h-6 w-24" />;
  const days = trend.data?.trends ?? [];
  const course = days.map((d) => (free ? d.calls : d.totalCredits));
  const sum = course.reduce((x, y) => x + y, 0);
  return (
    <div className={`grid gap-3 ${free ? "" : "grid-cols-2 lg:grid-cols-4"}`}>
      {!free && (
        <Stat
          label={t("home.available")}
          note={b && (b.held !== "0" ? t("home.held", { amount: b.held }) : tn("home.grants", b.grantCount))}
        >
          {b ? <Amount of={b.available} /> : wait}
        </Stat>
      )}
      <div className="card min-w-0 px-4 py-3.5">
        <div className="flex items-baseline justify-between gap-2">
          <p className="text-sm text-ink-3">{free ? t("home.calls.month") : t("home.month")}</p>
          <Link to="/usage" search={{}} className="text-sm text-accent hover:underline">
            {t("nav.usage")}
          </Link>
        </div>
        <p className="mt-1 text-2xl font-semibold tracking-tight tabular-nums">
          {trend.data ? free ? count(format, sum) : <Amount of={plain(sum)} /> : wait}
        </p>
        <Sparkline
          values={course}
          className="mt-1.5 h-7 w-full"
          label={t("home.course", { most: short(format, Math.max(0, ...course)), last: short(format, course.at(-1) ?? 0) })}
        />
      </div>
      {!free && (
        <>
          <Stat label={t("home.spent")} note={q && tn("home.average", q.days)}>
            {q ? <Amount of={plain(q.dailyAvgCredits)} /> : wait}
          </Stat>
          <Stat label={t("home.lasts")} note={t("home.lasts.note")}>
            {q
              ? q.estimatedDaysRemaining >= 999
                ? "999+"
                : tn("home.days", q.estimatedDaysRemaining, { n: count(format, q.estimatedDaysRemaining) })
              : wait}
          </Stat>
        </>
      )}
    </div>
  );
}

/** Today is how the day goes, beside as much time before. */
export function Today() {
  const { t, format } = useI18n();
  const timezone = zoneOf(format);
  const query = { ...spanOf({ range: "24h" }, "24h", timezone), timezone };
  const summary = useQuery({
    queryKey: ["usage", "day", query],
    queryFn: ({ signal }) => api.get("/api/usage/summary", { query: { ...query, compare: "previous" }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
  const s = summary.data;
  if (!s || (s.calls === 0 && s.previous?.calls === 0)) return null;
  const failed = (s.statuses.failed ?? 0) + (s.statuses.interrupted ?? 0);
  const before = s.previous;
  const cells = [
    [
      t("usage.measure.calls"),
      count(format, s.calls),
      before && <Change by={s.change?.calls} before={count(format, before.calls)} />,
    ],
    [
      t("usage.measure.credits"),
      <Amount key="c" of={s.credits} />,
      before && <Change by={s.change?.credits} before={before.credits} />,
    ],
    [
      t("usage.measure.tokens"),
      short(format, s.input_tokens + s.output_tokens),
      before && <Change by={s.change?.tokens} before={count(format, before.input_tokens + before.output_tokens)} />,
    ],
    [
      t("home.failed"),
      failed === 0 ? (
        count(format, 0)
      ) : (
        <Link key="f" to="/calls" search={{ range: "24h", status: "failed,interrupted" }} className="text-danger hover:underline">
          {count(format, failed)}
        </Link>
      ),
      s.calls > 0 && percent(format, failed / s.calls),
    ],
  ] as const;
  return (
    <Card title={t("home.today")}>
      <dl className="grid grid-cols-2 gap-x-4 gap-y-4 sm:grid-cols-4">
        {cells.map(([label, value, note]) => (
          <div key={label} className="min-w-0">
            <dt className="text-sm text-ink-3">{label}</dt>
            <dd className="text-lg font-semibold tabular-nums">{value}</dd>
            {note && <dd className="text-sm text-ink-3">{note}</dd>}
          </div>
        ))}
      </dl>
    </Card>
  );
}

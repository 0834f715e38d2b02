import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type Answer, api } from "../api/client";
import { change, count, duration, growth, percent, usd } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Amount, Card, Facts, Page, Stat, Time } from "../ui/page";
import { Badge, Loaded, Rows, Skeleton } from "../ui/states";
import { Tabs } from "../ui/tabs";
import { Hand } from "./overview-hand";
import { healthQuery, providersQuery } from "./provider-form";
import { ProviderHealth } from "./provider-health";

export type Overview = Answer<"/api/admin/overview">;
type Summary = Answer<"/api/usage/summary">;

const spans = ["1", "7", "30"] as const;

/** Overview is how the hub fares now, what it earns, and what needs a hand. */
export function AdminOverview() {
  const { t } = useI18n();
  const now = useQuery({
    queryKey: ["overview"],
    queryFn: ({ signal }) => api.get("/api/admin/overview", { signal }),
    refetchInterval: 10_000,
  });
  return (
    <Page title={t("nav.overview")} about={t("overview.about")}>
      <Now query={now} />
      <Money />
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <Card flush title={t("overview.hand")}>
          <Loaded query={now} loading={<Rows n={4} />}>
            {(data) => <Hand now={data} />}
          </Loaded>
        </Card>
        <div className="flex flex-col gap-5">
          <Providers />
          <Card title={t("overview.works")}>
            <Loaded query={now} loading={<Rows n={4} />}>
              {(data) => <Works now={data} />}
            </Loaded>
          </Card>
        </div>
      </div>
    </Page>
  );
}

function Now({ query }: { query: { data: Overview | undefined; error: unknown; isPending: boolean; refetch: () => unknown } }) {
  const { t, format } = useI18n();
  const wait = <Skeleton className="mt-2 h-6 w-16" />;
  const n = query.data;
  if (query.error && !n) return <Loaded query={query}>{() => null}</Loaded>;
  const failing = n && n.calls.recent > 0 ? n.calls.failed / n.calls.recent : 0;
  const resting = n?.credentials.filter((c) => c.state === "cooling").length ?? 0;
  const off = n?.credentials.filter((c) => c.state === "disabled").length ?? 0;
  return (
    <section aria-label={t("overview.now")} className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Stat label={t("overview.flight")} note={n && (n.calls.open > 0 ? <Held now={n} /> : t("overview.flight.none"))}>
        {n ? count(format, n.calls.open) : wait}
      </Stat>
      <Stat label={t("overview.minute")} note={t("overview.minute.note", { n: n?.calls.minutes ?? 5 })}>
        {n ? `${n.calls.more ? "> " : ""}${pace(format.locale, n.calls.recent / Math.max(1, n.calls.minutes))}` : wait}
      </Stat>
      <Stat
        label={t("overview.errors")}
        note={n && t("overview.errors.note", { n: count(format, n.calls.failed), of: count(format, n.calls.recent) })}
      >
        {n ? (
          <span className={failing >= 0.1 ? "text-danger" : ""}>{n.calls.recent > 0 ? percent(format, failing) : "–"}</span>
        ) : (
          wait
        )}
      </Stat>
      <Stat
        label={t("overview.resting")}
        note={
          n && (off > 0 ? t("overview.resting.note", { n: count(format, off) }) : resting === 0 && t("overview.resting.none"))
        }
      >
        {n ? <span className={resting + off > 0 ? "text-warn" : ""}>{count(format, resting)}</span> : wait}
      </Stat>
    </section>
  );
}

const pace = (locale: string, n: number) => new Intl.NumberFormat(locale, { maximumFractionDigits: n < 10 ? 1 : 0 }).format(n);

function Held({ now }: { now: Overview }) {
  const { t, format } = useI18n();
  return (
    <>
      {t("overview.flight.held")} <Amount of={now.calls.held} /> · {t("overview.flight.oldest")}{" "}
      {duration(format, now.calls.oldest_seconds * 1000)}
    </>
  );
}

/** Money is what calls cost and brought in, compared with the time before. */
function Money() {
  const { t, format } = useI18n();
  const navigate = useNavigate({ from: "/admin" });
  const search = useSearch({ from: "/inside/admin/admin" });
  const days = spans.find((d) => d === String(search.days)) ?? "1";
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  const start = Math.floor(midnight.getTime() / 1000);
  const summary = useQuery({
    queryKey: ["summary", days, days === "1" ? start : 0],
    queryFn: ({ signal }) =>
      api.get("/api/usage/summary", {
        query: { scope: "all", ...(days === "1" ? { startTime: start } : { timeRange: Number(days) }) },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  });
  return (
    <Tabs
      label={t("overview.span")}
      value={days}
      onChange={(next) => navigate({ search: { days: next === "1" ? undefined : Number(next) }, replace: true })}
      tabs={spans.map((d) => [d, t(`overview.days.${d}`)] as const)}
    >
      <Loaded query={summary} loading={<Rows n={2} />}>
        {(s) => (
          <div className="grid grid-cols-2 gap-3 lg:grid-cols-5">
            <Figure label={t("overview.revenue")} value={usd(format, s.revenue_usd ?? "0")} since={grown(s, "revenue_usd")} />
            <Figure label={t("overview.cost")} value={usd(format, s.cost_usd ?? "0")} since={grown(s, "cost_usd")} neutral />
            <Figure
              label={t("overview.margin")}
              value={s.margin_usd ? usd(format, s.margin_usd) : "–"}
              since={grown(s, "margin_usd")}
              note={
                (s.calls_without_cost ?? 0) > 0
                  ? t("overview.uncosted", { n: count(format, s.calls_without_cost ?? 0) })
                  : undefined
              }
            />
            <Figure label={t("nav.calls")} value={count(format, s.calls)} since={s.change?.calls ?? undefined} />
            <Figure
              label={t("overview.success")}
              value={s.success_rate === null ? "–" : percent(format, s.success_rate)}
              since={s.change?.success_rate ?? undefined}
            />
          </div>
        )}
      </Loaded>
    </Tabs>
  );
}

function grown(s: Summary, of: "revenue_usd" | "cost_usd" | "margin_usd"): number | undefined {
  const [now, before] = [s[of], s.previous?.[of]];
  return now && before ? growth(now, before) : undefined;
}

function Figure({
  label,
  value,
  since,
  neutral,
  note,
}: {
  label: string;
  value: string;
  since: number | undefined;
  /** neutral: growing is neither good nor bad. */
  neutral?: boolean;
  note?: string;
}) {
  const { t, format } = useI18n();
  const tint = neutral || !since ? "text-ink-3" : since > 0 ? "text-ok" : "text-danger";
  return (
    <div className="max-lg:last:col-span-2 *:h-full">
      <Stat
        label={label}
        note={
          <>
            {since !== undefined && (
              <>
                <span className={`font-medium tabular-nums ${tint}`}>{change(format, since)}</span> {t("overview.before")}
              </>
            )}
            {note && <span className="block">{note}</span>}
          </>
        }
      >
        {value}
      </Stat>
    </div>
  );
}

function Providers() {
  const { t } = useI18n();
  const providers = useQuery(providersQuery);
  const health = useQuery(healthQuery);
  return (
    <Card
      flush
      title={t("nav.providers")}
      action={
        <Link to="/admin/providers" search={{}} className="text-sm text-accent hover:underline">
          {t("overview.all")}
        </Link>
      }
    >
      <Loaded query={providers} loading={<Rows n={3} />}>
        {({ data }) =>
          data.length === 0 ? (
            <p className="px-4 py-6 text-ink-3">{t("providers.none")}</p>
          ) : (
            <ul className="divide-y divide-line">
              {data.slice(0, 12).map((p) => (
                <li key={p.name} className="flex items-center justify-between gap-3 px-4 py-2.5">
                  <Link to="/admin/providers" search={{ name: p.name }} className="min-w-0 truncate hover:underline">
                    {p.display_name || p.name}
                  </Link>
                  <ProviderHealth provider={p} health={health.data} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}

/** Works is how the hub's own work stands: its books, and what waits. */
function Works({ now }: { now: Overview }) {
  const { t, format } = useI18n();
  const b = now.backlog;
  const waiting = (n: number, seconds: number) =>
    n === 0 ? (
      t("overview.waits.none")
    ) : (
      <>
        {count(format, n)}{" "}
        <span className="text-ink-3">
          · {t("overview.flight.oldest")} {duration(format, seconds * 1000)}
        </span>
      </>
    );
  return (
    <Facts
      items={[
        [
          t("overview.books"),
          !now.billing ? (
            <Badge key="b">{t("overview.books.off")}</Badge>
          ) : !now.books ? (
            <Badge key="b">{t("overview.books.unchecked")}</Badge>
          ) : now.books.violations > 0 ? (
            <Badge key="b" kind="danger">
              {t("overview.books.bad")}
            </Badge>
          ) : (
            <span key="b" className="flex flex-wrap items-center gap-x-2">
              <Badge kind="ok">{t("overview.books.ok")}</Badge>
              <span className="text-sm text-ink-3">
                <Time at={now.books.at} />
              </span>
            </span>
          ),
        ],
        (now.books?.violations ?? 0) > 0 && [t("overview.books.first"), now.books?.first],
        [t("overview.holds"), <Amount key="h" of={now.calls.held} />],
        [t("overview.outbox"), waiting(b.usage_pending, b.oldest_usage_seconds)],
        [t("overview.notices"), waiting(b.notices, b.oldest_notice_seconds)],
        b.sweeper_lag_seconds > 0 && [t("overview.sweeper"), duration(format, b.sweeper_lag_seconds * 1000)],
      ]}
    />
  );
}

import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Activity, CircleAlert, CircleCheck, CircleHelp, TriangleAlert } from "lucide-react";
import { type Answer, api } from "../api/client";
import { isAdmin, useMe } from "../app/session";
import { dateTime, duration, percent } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Card, Page, Time } from "../ui/page";
import { Badge, Empty, Loaded, Rows } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { UptimeStrip } from "./status-strip";

type StatusPage = Answer<"/api/status">;
type Model = StatusPage["models"][number];
type Incident = StatusPage["incidents"][number];
type Target = Answer<"/api/ai-providers/health">["targets"][number];

const fresh = 30_000; // ms between looks
const shown = 200; // models at once; the search finds the others
const mostIncidents = 50;

/** Status is which models answer now, how they did lately, and when they did not. */
export function Status() {
  const { t } = useI18n();
  const me = useMe();
  const status = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => api.get("/api/status", { signal }),
    refetchInterval: fresh,
  });
  return (
    <Page title={t("nav.status")} about={t("status.about")}>
      <Loaded query={status} loading={<Rows n={10} />}>
        {(s) => (
          <>
            <Overall of={s} />
            <Models of={s} />
            <Incidents of={s.incidents} />
          </>
        )}
      </Loaded>
      {isAdmin(me?.user.role) && <Targets />}
    </Page>
  );
}

const overall = {
  operational: [CircleCheck, "text-ok", "bg-ok-soft"],
  degraded: [TriangleAlert, "text-warn", "bg-warn-soft"],
  outage: [CircleAlert, "text-danger", "bg-danger-soft"],
  unknown: [CircleHelp, "text-ink-3", "bg-surface"],
} as const;

function Overall({ of: s }: { of: StatusPage }) {
  const { t, tn } = useI18n();
  const word = s.status in overall ? (s.status as keyof typeof overall) : "unknown";
  const [Icon, tint, ground] = overall[word];
  const up = s.models.filter((m) => m.available === true).length;
  const down = s.models.filter((m) => m.available === false).length;
  return (
    <section className={`card flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-4 ${ground}`}>
      <Icon aria-hidden className={`size-7 shrink-0 ${tint}`} />
      <div className="min-w-0 flex-1">
        <h2 className="text-lg font-semibold">{t(`status.overall.${word}`)}</h2>
        <p className="text-ink-2">
          {tn("status.up", up)}
          {down > 0 && ` · ${tn("status.down", down)}`}
        </p>
      </div>
      <span className="text-sm text-ink-2 max-sm:basis-full">
        {t("status.updated")} <Time at={s.updated_at} />
      </span>
    </section>
  );
}

function Now({ of: available }: { of: boolean | null }) {
  const { t } = useI18n();
  if (available === null) return <Badge>{t("models.idle")}</Badge>;
  return available ? <Badge kind="ok">{t("models.up")}</Badge> : <Badge kind="danger">{t("models.down")}</Badge>;
}

/** rank puts what needs a look first. */
function rank(m: Model): number {
  if (m.available === false) return 0;
  if (m.success_rate !== null && m.success_rate < 0.99) return 1;
  return m.available === null ? 3 : 2;
}

function Models({ of: s }: { of: StatusPage }) {
  const { t, format } = useI18n();
  const navigate = useNavigate({ from: "/status" });
  const search = useSearch({ from: "/inside/status" });
  const q = (search.q ?? "").toLowerCase();
  const found = s.models
    .filter((m) => m.model.toLowerCase().includes(q) && (search.only !== "issues" || rank(m) < 2))
    .sort((a, b) => rank(a) - rank(b) || a.model.localeCompare(b.model));
  const set = (change: Partial<typeof search>) => navigate({ search: (old) => ({ ...old, ...change }), replace: true });
  const columns: Column<Model>[] = [
    {
      key: "model",
      head: t("call.model"),
      className: "w-full min-w-32",
      cell: (m) => (
        <div>
          <span className="font-medium break-all">{m.model}</span>
          <span className="block text-sm text-ink-3">{t(`type.${m.type}`)}</span>
        </div>
      ),
    },
    { key: "now", head: t("models.status"), cell: (m) => <Now of={m.available} /> },
    {
      key: "hours",
      head: t("status.day"),
      from: "md",
      cell: (m) => <UptimeStrip hours={m.hours} until={s.updated_at} name={m.model} />,
    },
    {
      key: "rate",
      head: t("status.rate"),
      num: true,
      cell: (m) => (m.success_rate === null ? "–" : percent(format, m.success_rate)),
    },
    {
      key: "p50",
      head: t("status.response"),
      num: true,
      from: "sm",
      cell: (m) => (m.response_ms === null ? "–" : duration(format, m.response_ms)),
    },
    {
      key: "p95",
      head: t("usage.p95"),
      num: true,
      from: "lg",
      cell: (m) => (m.p95_ms === null ? "–" : duration(format, m.p95_ms)),
    },
    {
      key: "at",
      head: t("status.checked"),
      num: true,
      from: "lg",
      cell: (m) => (m.checked_at ? <Time at={m.checked_at} /> : "–"),
    },
  ];
  return (
    <Card
      flush
      title={t("status.models")}
      action={
        <div className="flex min-w-0 flex-wrap justify-end gap-2">
          <select
            aria-label={t("status.only")}
            className="input min-h-8 w-auto py-0.5 text-sm"
            value={search.only ?? ""}
            onChange={(e) => set({ only: e.target.value || undefined })}
          >
            <option value="">{t("status.only.all")}</option>
            <option value="issues">{t("status.only.issues")}</option>
          </select>
          <input
            type="search"
            aria-label={t("models.search")}
            placeholder={t("models.search")}
            className="input min-h-8 w-40 py-0.5 text-sm"
            value={search.q ?? ""}
            onChange={(e) => set({ q: e.target.value || undefined })}
          />
        </div>
      }
    >
      {found.length === 0 ? (
        <Empty
          icon={<Activity aria-hidden className="size-5" />}
          title={s.models.length === 0 ? t("status.none") : t("filter.nothing")}
        >
          {s.models.length === 0 ? t("status.none.hint") : t("filter.nothing.hint")}
        </Empty>
      ) : (
        <>
          <Table label={t("status.models")} columns={columns} rows={found.slice(0, shown)} id={(m) => `${m.type} ${m.model}`} />
          {found.length > shown && (
            <p className="border-t border-line px-4 py-2.5 text-sm text-ink-3">{t("status.more", { n: shown })}</p>
          )}
        </>
      )}
    </Card>
  );
}

function Incidents({ of: all }: { of: readonly Incident[] }) {
  const { t, format } = useI18n();
  return (
    <Card flush={all.length > 0} title={t("status.incidents")}>
      {all.length === 0 ? (
        <p className="flex items-center gap-2 text-ink-2">
          <CircleCheck aria-hidden className="size-4.5 text-ok" />
          {t("status.incidents.none")}
        </p>
      ) : (
        <ul>
          {all.slice(0, mostIncidents).map((i) => (
            <li
              key={`${i.type} ${i.model} ${i.from}`}
              className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-4 py-2.5 last:border-0"
            >
              <span className="min-w-0 flex-1 basis-48">
                <span className="font-medium break-all">{i.model}</span>
                <span className="block text-sm text-ink-3">
                  {dateTime(format, i.from)} – {i.until === null ? t("status.ongoing") : dateTime(format, i.until)}
                </span>
              </span>
              <Badge kind={i.until === null ? "danger" : "warn"}>
                {i.success_rate !== null && t("status.answered", { share: percent(format, i.success_rate) })}
              </Badge>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** Targets are models at their providers, for those who run the hub. */
function Targets() {
  const { t, format } = useI18n();
  const health = useQuery({
    queryKey: ["health"],
    queryFn: ({ signal }) => api.get("/api/ai-providers/health", { signal }),
    refetchInterval: fresh,
  });
  const columns: Column<Target>[] = [
    {
      key: "target",
      head: t("status.target"),
      className: "w-full min-w-32",
      cell: (x) => (
        <div>
          <span className="font-medium break-all">
            {x.provider}/{x.model}
          </span>
          {x.available === false && <span className="block text-sm break-words text-ink-3">{x.error || x.reason}</span>}
        </div>
      ),
    },
    { key: "now", head: t("models.status"), cell: (x) => <Now of={x.available} /> },
    {
      key: "rate",
      head: t("status.lately"),
      num: true,
      from: "sm",
      cell: (x) => (x.calls === 0 ? "–" : percent(format, x.success_rate)),
    },
    {
      key: "p50",
      head: t("status.response"),
      num: true,
      from: "sm",
      cell: (x) => (x.p50_ms === 0 ? "–" : duration(format, x.p50_ms)),
    },
    { key: "p95", head: t("usage.p95"), num: true, from: "lg", cell: (x) => (x.p95_ms === 0 ? "–" : duration(format, x.p95_ms)) },
    { key: "since", head: t("status.since"), num: true, from: "md", cell: (x) => <Time at={x.changed_at} /> },
  ];
  return (
    <Card flush title={t("status.targets")}>
      <Loaded query={health}>
        {({ targets }) =>
          targets.length === 0 ? (
            <Empty title={t("status.none")}>{t("status.none.hint")}</Empty>
          ) : (
            <Table
              label={t("status.targets")}
              columns={columns}
              rows={[...targets].sort((a, b) => Number(a.available === true) - Number(b.available === true)).slice(0, shown)}
              id={(x) => `${x.type} ${x.provider} ${x.model}`}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type Answer, api } from "../api/client";
import { bytes, count, date, duration } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Card, Facts, Mono, Page, Time } from "../ui/page";
import { Badge, Empty, Loaded, Rows, useFault } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { useToast } from "../ui/toast";
import { Backups } from "./system-backups";
import { systemQuery } from "./system-query";
import { Vault } from "./system-vault";

type Job = Answer<"/api/admin/jobs">["data"][number];

const tabs = ["about", "jobs", "keys", "backups"] as const;

/** SystemPage is what runs, and over what. */
export function SystemPage() {
  const { t } = useI18n();
  const navigate = useNavigate({ from: "/admin/system" });
  const search = useSearch({ from: "/inside/admin/admin/system" });
  const tab = tabs.find((x) => x === search.tab) ?? "about";
  return (
    <Page title={t("nav.system")} about={t("system.about")}>
      <Tabs
        label={t("nav.system")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "about" ? undefined : next } })}
        tabs={tabs.map((x) => [x, t(`system.tab.${x}`)] as const)}
      >
        {tab === "about" && <About />}
        {tab === "jobs" && <Jobs />}
        {tab === "keys" && <Vault />}
        {tab === "backups" && <Backups />}
      </Tabs>
    </Page>
  );
}

function About() {
  const { t, format } = useI18n();
  const system = useQuery(systemQuery);
  return (
    <Loaded query={system} loading={<Rows />}>
      {(s) => {
        const d = s.database;
        return (
          <div className="grid items-start gap-5 lg:grid-cols-2">
            <div className="flex flex-col gap-5">
              <Card title={t("system.build")}>
                <Facts
                  items={[
                    [t("system.version"), s.version || "–"],
                    s.revision !== "" && [t("system.revision"), <Mono key="r">{s.revision.slice(0, 12)}</Mono>],
                    s.built_at !== "" && [t("system.built"), date(format, s.built_at)],
                    ["Go", s.go.replace(/^go/, "")],
                    [t("system.platform"), s.lambda ? `${s.platform} (AWS Lambda)` : s.platform],
                    [t("system.started"), <Time key="s" at={s.started_at} />],
                    [t("system.memory"), bytes(format, s.memory_bytes)],
                    [t("system.routines"), count(format, s.goroutines)],
                  ]}
                />
              </Card>
              <Card title={t("system.places")}>
                <Facts
                  items={[
                    s.places.data !== "" && [t("system.places.data"), <Mono key="d">{s.places.data}</Mono>],
                    [t("system.places.master"), t(`system.master.${s.places.master as "file" | "setting" | "kms"}`)],
                    s.places.key_file !== "" && [t("system.places.keyfile"), <Mono key="k">{s.places.key_file}</Mono>],
                    [
                      t("system.places.files"),
                      s.places.files ? <Mono key="f">{s.places.files}</Mono> : t("system.places.nowhere"),
                    ],
                    [
                      t("system.places.archive"),
                      s.places.archive ? <Mono key="a">{s.places.archive}</Mono> : t("system.places.noarchive"),
                    ],
                  ]}
                />
              </Card>
            </div>
            <div className="flex flex-col gap-5">
              <Card title={t("system.database")}>
                <Facts
                  items={[
                    [t("system.kind"), t(`system.kind.${d.kind as "file" | "server"}`)],
                    [t("system.url"), <Mono key="u">{d.url}</Mono>],
                    ["SQLite", d.engine],
                    d.synchronous !== "" && [t("system.synchronous"), d.synchronous],
                    d.size_bytes > 0 && [
                      t("system.size"),
                      `${bytes(format, d.size_bytes)}${d.free_bytes > 0 ? ` (${t("system.free", { size: bytes(format, d.free_bytes) })})` : ""}`,
                    ],
                    d.kind === "file" && [t("system.wal"), bytes(format, d.wal_bytes)],
                    d.disk_size_bytes > 0 && [
                      t("system.disk"),
                      <Disk key="x" free={d.disk_free_bytes} all={d.disk_size_bytes} />,
                    ],
                    [t("system.writes"), count(format, d.writes)],
                    [t("system.writes.failed"), count(format, d.writes_failed)],
                    d.writes_waiting > 0 && [t("system.writes.waiting"), count(format, d.writes_waiting)],
                  ]}
                />
              </Card>
              <Card
                flush
                title={t("system.migrations")}
                action={<span className="text-sm text-ink-3">{count(format, d.migrations?.length ?? 0)}</span>}
              >
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
                <ul tabIndex={0} aria-label={t("system.migrations")} className="max-h-56 divide-y divide-line overflow-y-auto">
                  {d.migrations?.map((m) => (
                    <li key={m.name} className="flex items-center justify-between gap-3 px-4 py-2">
                      <Mono>{m.name}</Mono>
                      <span className="text-sm whitespace-nowrap text-ink-3">{date(format, m.at)}</span>
                    </li>
                  ))}
                </ul>
              </Card>
            </div>
          </div>
        );
      }}
    </Loaded>
  );
}

function Disk({ free, all }: { free: number; all: number }) {
  const { t, format } = useI18n();
  return (
    <div className="max-w-60">
      {t("system.disk.free", { free: bytes(format, free), all: bytes(format, all) })}
      <progress max={all} value={all - free} aria-label={t("system.disk")} className="mt-1 block w-full" />
    </div>
  );
}

function Jobs() {
  const { t, tn, format } = useI18n();
  const say = useToast();
  const fault = useFault();
  const jobs = useQuery({
    queryKey: ["jobs"],
    queryFn: ({ signal }) => api.get("/api/admin/jobs", { signal }),
    refetchInterval: 5000,
  });
  const run = useMutation({
    mutationFn: (name: string) => api.post("/api/admin/jobs/{name}/run", { params: { name } }),
    onSuccess: (made, name) => {
      if (made.state === "failed") say(t("jobs.failed", { name, error: made.error ?? "" }), true);
      else say(t(made.state === "done" ? "jobs.done" : "jobs.started", { name }));
    },
    onError: (thrown) => say(fault(thrown), true),
    onSettled: () => jobs.refetch(),
  });
  const columns: Column<Job>[] = [
    {
      key: "name",
      head: t("jobs.name"),
      cell: (j) => (
        <div className="min-w-0">
          <Mono>{j.name}</Mono>
          {j.failures > 0 && <p className="text-sm break-words text-danger">{j.error}</p>}
        </div>
      ),
    },
    { key: "state", head: t("models.status"), cell: (j) => <JobState job={j} /> },
    {
      key: "every",
      head: t("jobs.every"),
      from: "md",
      cell: (j) =>
        j.every_seconds > 0 ? (
          <span className="whitespace-nowrap">{every(format.locale, j.every_seconds)}</span>
        ) : (
          t("jobs.named")
        ),
    },
    {
      key: "last",
      head: t("jobs.last"),
      from: "sm",
      cell: (j) =>
        j.started_at ? (
          <span className="whitespace-nowrap">
            <Time at={j.started_at} /> <span className="text-sm text-ink-3">{duration(format, j.took_ms)}</span>
          </span>
        ) : (
          "–"
        ),
    },
    { key: "next", head: t("jobs.next"), from: "lg", cell: (j) => (j.next_at ? <Time at={j.next_at} /> : "–") },
    {
      key: "run",
      head: <span className="sr-only">{t("action.menu")}</span>,
      num: true,
      cell: (j) =>
        j.here && (
          <Button
            small
            aria-label={t("jobs.run.of", { name: j.name })}
            busy={run.isPending && run.variables === j.name}
            disabled={j.running}
            onClick={() => run.mutate(j.name)}
          >
            {t("jobs.run")}
          </Button>
        ),
    },
  ];
  return (
    <div className="flex flex-col gap-3">
      <p className="text-ink-3">{t("jobs.about")}</p>
      <Card flush>
        <Loaded query={jobs} loading={<Rows />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title={t("jobs.none")} />
            ) : (
              <Table label={t("system.tab.jobs")} columns={columns} rows={data} id={(j) => j.name} />
            )
          }
        </Loaded>
      </Card>
      {jobs.data && <p className="text-sm text-ink-3">{tn("jobs.n", jobs.data.data.length)}</p>}
    </div>
  );
}

function JobState({ job }: { job: Job }) {
  const { t } = useI18n();
  if (job.running) return <Badge kind="info">{t("jobs.running")}</Badge>;
  if (job.failures > 0) return <Badge kind="danger">{t("jobs.bad", { n: job.failures })}</Badge>;
  return job.ok_at ? <Badge kind="ok">{t("jobs.ok")}</Badge> : <Badge>{t("jobs.never")}</Badge>;
}

/** every is a period in words of its largest whole unit. */
function every(locale: string, seconds: number): string {
  const [unit, n] =
    seconds % 86_400 === 0
      ? (["day", seconds / 86_400] as const)
      : seconds % 3600 === 0
        ? (["hour", seconds / 3600] as const)
        : seconds % 60 === 0
          ? (["minute", seconds / 60] as const)
          : (["second", seconds] as const);
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(n);
}

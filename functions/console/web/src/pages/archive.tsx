import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Archive as Box, Play } from "lucide-react";
import { useRef, useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { bytes, count, date } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Modal } from "../ui/dialog";
import { Listing } from "../ui/listing";
import { Amount, Card, Mono, Page, Stat, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows, Skeleton, useFault } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";

type Place = Answer<"/api/admin/archive">;
type Quarter = Place["data"][number];
type Run = Answer<"/api/admin/archive/runs">["data"][number];
type Report = Answer<"/api/admin/archive/runs", "post">;

const looks = { running: "info", done: "ok", partial: "warn", failed: "danger", interrupted: "warn" } as const;

/** Archive is where old calls go, and the runs that bring them there. */
export function Archive() {
  const { t, format } = useI18n();
  const navigate = useNavigate({ from: "/admin/archive" });
  const search = useSearch({ from: "/inside/admin/admin/archive" });
  const [starting, setStarting] = useState(false);
  const place = useQuery({ queryKey: ["archive"], queryFn: ({ signal }) => api.get("/api/admin/archive", { signal }) });
  const p = place.data;
  const full = p !== undefined && p.free_bytes !== null && p.need_bytes > 0 && p.free_bytes < p.need_bytes;
  const tab = search.tab === "runs" ? "runs" : "quarters";
  return (
    <Page
      title={t("nav.archive")}
      about={t("archive.about")}
      actions={
        <Button
          look="primary"
          disabled={!p?.enabled || full}
          icon={<Play aria-hidden className="size-4" />}
          onClick={() => setStarting(true)}
        >
          {t("archive.start")}
        </Button>
      }
    >
      {p && !p.enabled && <Note>{t("archive.off")}</Note>}
      {full && (
        <Note kind="danger">
          {t("archive.full", { free: bytes(format, p.free_bytes ?? 0), need: bytes(format, p.need_bytes) })}
        </Note>
      )}
      <div className="grid gap-3 sm:grid-cols-3">
        <Stat label={t("archive.cutoff")} note={p?.keep ? t("archive.keep", { time: p.keep }) : t("archive.keep.ever")}>
          {p ? p.cutoff ? date(format, p.cutoff) : "–" : <Skeleton className="mt-2 h-6 w-24" />}
        </Stat>
        <Stat label={t("archive.calls")}>
          {p ? (
            count(
              format,
              p.data.reduce((n, a) => n + a.calls, 0),
            )
          ) : (
            <Skeleton className="mt-2 h-6 w-24" />
          )}
        </Stat>
        <Stat label={t("archive.free")} note={p && p.need_bytes > 0 && t("archive.need", { need: bytes(format, p.need_bytes) })}>
          {p ? p.free_bytes === null ? "–" : bytes(format, p.free_bytes) : <Skeleton className="mt-2 h-6 w-24" />}
        </Stat>
      </div>
      <Tabs
        label={t("nav.archive")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "quarters" ? undefined : next } })}
        tabs={[
          ["quarters", t("archive.quarters")],
          ["runs", t("archive.runs")],
        ]}
      >
        <Card flush>
          {tab === "quarters" ? (
            <Loaded query={place} loading={<Rows n={4} />}>
              {({ data }) => <Quarters rows={data} />}
            </Loaded>
          ) : (
            <Runs />
          )}
        </Card>
      </Tabs>
      <Modal open={starting} onClose={() => setStarting(false)} title={t("archive.start")} about={t("archive.start.about")}>
        {starting && <Mover onClose={() => setStarting(false)} />}
      </Modal>
    </Page>
  );
}

function Quarters({ rows }: { rows: Quarter[] }) {
  const { t, format } = useI18n();
  const columns: Column<Quarter>[] = [
    {
      key: "name",
      head: t("archive.quarter"),
      cell: (a) => (
        <div className="min-w-0">
          <span className="font-medium">{a.name}</span>
          {a.file && (
            <div className="text-sm text-ink-3 max-md:hidden">
              <Mono>{a.file}</Mono>
            </div>
          )}
        </div>
      ),
    },
    { key: "calls", head: t("nav.calls"), num: true, cell: (a) => count(format, a.calls) },
    { key: "credits", head: t("call.credits"), num: true, from: "sm", cell: (a) => <Amount of={a.credits} /> },
    {
      key: "state",
      head: t("keys.state"),
      cell: (a) =>
        a.removed_at ? (
          <Badge>{t("archive.removed")}</Badge>
        ) : a.verified_at ? (
          <Badge kind="ok">{t("archive.verified")}</Badge>
        ) : (
          <Badge kind="info">{t("archive.kept")}</Badge>
        ),
    },
    { key: "at", head: t("archive.changed"), from: "lg", cell: (a) => <Time at={a.changed_at} /> },
  ];
  if (rows.length === 0)
    return (
      <Empty icon={<Box aria-hidden className="size-5" />} title={t("archive.none")}>
        {t("archive.none.hint")}
      </Empty>
    );
  return <Table label={t("archive.quarters")} columns={columns} rows={rows} id={(a) => a.name} />;
}

function Runs() {
  const { t, known, format } = useI18n();
  const search = useSearch({ from: "/inside/admin/admin/archive" });
  const runs = useQuery({
    queryKey: ["archive-runs", search.cursor],
    queryFn: ({ signal }) => api.get("/api/admin/archive/runs", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: (q) => (q.state.data?.data.some((r) => r.state === "running") ? 2000 : false),
  });
  const columns: Column<Run>[] = [
    {
      key: "at",
      head: t("archive.started"),
      cell: (r) => (
        <div className="min-w-0">
          <Time at={r.started_at} />
          <div className="text-sm break-all text-ink-3">{r.actor}</div>
          {r.error && <div className="text-sm break-words text-danger">{r.error}</div>}
        </div>
      ),
    },
    {
      key: "state",
      head: t("keys.state"),
      cell: (r) => <Badge kind={looks[r.state as keyof typeof looks]}>{known(`archive.state.${r.state}`, r.state)}</Badge>,
    },
    { key: "calls", head: t("archive.moved"), num: true, cell: (r) => count(format, r.calls) },
    { key: "kept", head: t("archive.stayed"), num: true, from: "md", cell: (r) => count(format, r.kept) },
    { key: "freed", head: t("archive.freed"), num: true, from: "sm", cell: (r) => bytes(format, r.freed_bytes) },
  ];
  return (
    <Listing
      query={runs}
      label={t("archive.runs")}
      columns={columns}
      id={(r) => r.id}
      icon={<Box aria-hidden className="size-5" />}
      none={t("archive.runs.none")}
    />
  );
}

/** Mover counts what is due, then moves it in turns of some seconds until nothing is left or it is stopped. */
function Mover({ onClose }: { onClose: () => void }) {
  const { t, tn, format } = useI18n();
  const fault = useFault();
  const invalidate = useInvalidate();
  const stop = useRef(false);
  const [moved, setMoved] = useState<number>();
  const [last, setLast] = useState<Report>();
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>();
  const due = useQuery({
    queryKey: ["archive", "due"],
    queryFn: ({ signal }) => api.post("/api/admin/archive/runs", { body: { dry_run: true }, signal }),
    gcTime: 0,
    staleTime: 0,
  });
  async function go() {
    stop.current = false;
    setBusy(true);
    setFailed(undefined);
    let sum = 0;
    setMoved(sum);
    try {
      for (;;) {
        const report = await api.post("/api/admin/archive/runs", { body: { dry_run: false } });
        sum += report.calls;
        setMoved(sum);
        setLast(report);
        if (report.state !== "partial" || stop.current) break;
      }
    } catch (thrown) {
      setFailed(thrown);
    } finally {
      setBusy(false);
      await invalidate("archive-runs");
      await invalidate("archive");
    }
  }
  return (
    <Loaded query={due} loading={<Rows n={2} />}>
      {(d) => (
        <div className="flex flex-col gap-4">
          {moved === undefined ? (
            <p>{d.calls === 0 ? t("archive.due.none") : tn("archive.due", d.calls)}</p>
          ) : (
            <div role="status" className="flex flex-col gap-2">
              <p>{t("archive.progress", { n: count(format, moved), of: count(format, Math.max(d.calls, moved)) })}</p>
              <progress aria-label={t("archive.moved")} max={Math.max(d.calls, moved, 1)} value={moved} className="w-full" />
            </div>
          )}
          {!busy && last?.state === "done" && (
            <Note kind="ok">{t("archive.done", { freed: bytes(format, last.freed_bytes) })}</Note>
          )}
          {!busy && last?.state === "partial" && <Note>{t("archive.stopped")}</Note>}
          {failed !== undefined && <Note kind="danger">{fault(failed)}</Note>}
          <div className="flex justify-end gap-2">
            {busy ? (
              <Button
                onClick={() => {
                  stop.current = true;
                }}
              >
                {t("archive.stop")}
              </Button>
            ) : (
              <Button look="quiet" onClick={onClose}>
                {t("action.close")}
              </Button>
            )}
            {last?.state !== "done" && (
              <Button look="primary" busy={busy} disabled={d.calls === 0} onClick={go}>
                {t("archive.move")}
              </Button>
            )}
          </div>
        </div>
      )}
    </Loaded>
  );
}

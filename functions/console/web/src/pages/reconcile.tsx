import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { FileUp, Scale } from "lucide-react";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { count, usd } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Drawer, Modal } from "../ui/dialog";
import { TextField } from "../ui/form";
import { Card, Page, Stat } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows, Skeleton } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { BillForm, Bills } from "./bills";
import { Books } from "./books";
import { DriftDetail } from "./drift-detail";

export type Drift = Answer<"/api/billing/reconcile">["data"][number];
const tabs = ["differences", "bills", "books"] as const;

/** Reconcile sets providers' bills against what the hub recorded, and proves the hub's own books. */
export function Reconcile() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/reconcile" });
  const search = useSearch({ from: "/inside/admin/admin/reconcile" });
  const [importing, setImporting] = useState(false);
  const tab = tabs.find((x) => x === search.tab) ?? "differences";
  return (
    <Page
      title={t("nav.reconcile")}
      about={t("reconcile.about")}
      actions={
        <Button look="primary" icon={<FileUp aria-hidden className="size-4" />} onClick={() => setImporting(true)}>
          {t("reconcile.import")}
        </Button>
      }
    >
      <Tabs
        label={t("nav.reconcile")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "differences" ? undefined : next } })}
        tabs={tabs.map((x) => [x, t(`reconcile.tab.${x}`)] as const)}
      >
        {tab === "differences" ? <Differences /> : tab === "bills" ? <Bills /> : <Books />}
      </Tabs>
      <Modal
        wide
        open={importing}
        onClose={() => setImporting(false)}
        title={t("reconcile.import")}
        about={t("reconcile.import.about")}
      >
        <BillForm onClose={() => setImporting(false)} />
      </Modal>
    </Page>
  );
}

const dayOf = (iso: string) => iso.slice(0, 10);
/** driftID tells the lines of a report apart. */
const driftID = (d: Drift) => [d.provider, d.day, d.model, d.credential, ...d.billed_keys].join("|");

function Differences() {
  const { t, tn, format, known } = useI18n();
  const router = useRouter();
  const navigate = useNavigate({ from: "/admin/reconcile" });
  const search = useSearch({ from: "/inside/admin/admin/reconcile" });
  const page = search.page ?? 1;
  const query = {
    provider: search.provider,
    from: search.from,
    to: search.to,
    tolerance: search.tolerance,
    over: search.whole ? undefined : ("true" as const),
    page,
    pageSize: 50,
  };
  const report = useQuery({
    queryKey: ["reconcile", query],
    queryFn: ({ signal }) => api.get("/api/billing/reconcile", { query, signal }),
    placeholderData: keepPreviousData,
  });
  const r = report.data;
  const [chosen, setChosen] = useState<Drift>();
  const money = (v: string | null | undefined) => (v === null || v === undefined ? "–" : usd(format, v));
  const columns: Column<Drift>[] = [
    {
      key: "what",
      head: t("call.model"),
      cell: (d) => (
        <div className="min-w-0">
          <button type="button" onClick={() => setChosen(d)} className="text-left font-medium break-all hover:underline">
            {d.model || d.billed_models.join(", ") || t("reconcile.no.model")}
          </button>
          <div className="text-sm break-all text-ink-3">
            {d.provider} · {dayOf(d.day)}
            {d.credential && ` · ${d.credential}`}
          </div>
        </div>
      ),
    },
    { key: "billed", head: t("reconcile.billed"), num: true, from: "sm", cell: (d) => money(d.billed.cost_usd) },
    { key: "recorded", head: t("reconcile.recorded"), num: true, from: "sm", cell: (d) => money(d.recorded.cost_usd) },
    {
      key: "why",
      head: t("reconcile.why"),
      cell: (d) => (
        <span className="flex flex-wrap gap-1">
          {d.over ? (
            (d.reasons ?? []).map((w) => (
              <Badge key={w} kind={w === "unknown_key" || w === "unknown_model" ? "info" : "warn"}>
                {known(`reconcile.reason.${w}`, w)}
              </Badge>
            ))
          ) : (
            <Badge kind="ok">{t("reconcile.fits")}</Badge>
          )}
        </span>
      ),
    },
  ];
  return (
    <div className="flex flex-col gap-5">
      <form
        key={JSON.stringify(search)}
        className="grid grid-cols-2 items-end gap-3 sm:grid-cols-3 lg:grid-cols-[repeat(4,1fr)_auto]"
        onSubmit={(e) => {
          e.preventDefault();
          const data = new FormData(e.currentTarget);
          const value = (name: string) => String(data.get(name) ?? "").trim() || undefined;
          void navigate({
            search: {
              provider: value("provider"),
              from: value("from"),
              to: value("to"),
              tolerance: value("tolerance"),
              whole: value("whole") ? true : undefined,
            },
          });
        }}
      >
        <TextField name="provider" label={t("provider.one")} defaultValue={search.provider} />
        <TextField name="from" type="date" label={t("filter.from")} defaultValue={search.from} />
        <TextField name="to" type="date" label={t("filter.until")} defaultValue={search.to} />
        <TextField
          name="tolerance"
          inputMode="decimal"
          label={t("reconcile.tolerance")}
          placeholder="1"
          defaultValue={search.tolerance}
        />
        <span className="flex min-h-9 items-center gap-3">
          <label className="flex items-center gap-2 whitespace-nowrap">
            <input type="checkbox" name="whole" defaultChecked={search.whole} className="size-4 accent-accent-fill" />
            {t("reconcile.whole")}
          </label>
          <Button type="submit">{t("filter.apply")}</Button>
        </span>
      </form>
      <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        <Stat label={t("reconcile.billed")}>{r ? money(r.total.billed_usd) : <Skeleton className="mt-2 h-6 w-20" />}</Stat>
        <Stat label={t("reconcile.recorded")}>{r ? money(r.total.recorded_usd) : <Skeleton className="mt-2 h-6 w-20" />}</Stat>
        <Stat label={t("reconcile.drift")}>{r ? money(r.total.drift_usd) : <Skeleton className="mt-2 h-6 w-20" />}</Stat>
        <Stat
          label={t("reconcile.over")}
          note={r && r.total.unattributed_usd !== "0" && t("reconcile.unattached", { amount: money(r.total.unattributed_usd) })}
        >
          {r ? (
            <span className={r.over > 0 ? "text-warn" : ""}>{count(format, r.over)}</span>
          ) : (
            <Skeleton className="mt-2 h-6 w-12" />
          )}
        </Stat>
      </div>
      {r?.cut && <Note kind="warn">{t("reconcile.cut")}</Note>}
      {r && r.total.interrupted_calls > 0 && <Note>{tn("reconcile.interrupted", r.total.interrupted_calls)}</Note>}
      <Card flush>
        <Loaded query={report} loading={<Rows />}>
          {({ data, count: total }) =>
            data.length === 0 ? (
              <Empty icon={<Scale aria-hidden className="size-5" />} title={t("reconcile.none")}>
                {t("reconcile.none.hint")}
              </Empty>
            ) : (
              <>
                <Table label={t("nav.reconcile")} columns={columns} rows={data} id={driftID} open={setChosen} />
                <Pager
                  newer={page > 1 ? () => router.history.back() : undefined}
                  older={page * 50 < total ? () => navigate({ search: (old) => ({ ...old, page: page + 1 }) }) : undefined}
                />
              </>
            )
          }
        </Loaded>
      </Card>
      <Drawer
        open={chosen !== undefined}
        onClose={() => setChosen(undefined)}
        title={chosen?.model || chosen?.billed_models.join(", ") || t("reconcile.no.model")}
        about={chosen && `${chosen.provider} · ${dayOf(chosen.day)}`}
      >
        {chosen && <DriftDetail of={chosen} onClose={() => setChosen(undefined)} />}
      </Drawer>
    </div>
  );
}

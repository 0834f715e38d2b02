import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { change, growth, usd } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { Card } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows, useFault } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { useToast } from "../ui/toast";

type Proposal = Answer<"/api/admin/catalogue/proposals">["data"][number];

/** Proposals are what a newer catalogue says differently: nothing changes until somebody says so. */
export function Proposals() {
  const { t, tn } = useI18n();
  const say = useToast();
  const fault = useFault();
  const invalidate = useInvalidate();
  const [trail, setTrail] = useState<string[]>([]);
  const [chosen, setChosen] = useState(new Set<string>());
  const [margin, setMargin] = useState<"keep" | "stay" | "set">("keep");
  const [percent, setPercent] = useState("20");
  const wanted = margin === "set" ? percent : margin === "keep" ? "keep" : "";
  const [asking, setAsking] = useState(false);
  const cursor = trail.at(-1);
  const catalogue = useQuery({
    queryKey: ["catalogue", "force"],
    queryFn: ({ signal }) => api.get("/api/admin/catalogue", { signal }),
  });
  const proposals = useQuery({
    queryKey: ["proposals", cursor],
    queryFn: ({ signal }) => api.get("/api/admin/catalogue/proposals", { query: { cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const ended = async () => {
    setChosen(new Set());
    await invalidate("proposals", "rates", "prices", "history", "catalogue");
  };
  const failed = (thrown: unknown) => say(fault(thrown), true);
  const apply = useMutation({
    mutationFn: () => api.post("/api/admin/catalogue/apply", { body: { ids: [...chosen], margin: wanted } }),
    onSuccess: (made) => say(tn("proposals.applied", made.applied.length)),
    onError: failed,
    onSettled: ended,
  });
  const dismiss = useMutation({
    mutationFn: () => api.post("/api/admin/catalogue/dismiss", { body: { ids: [...chosen] } }),
    onSuccess: (made) => say(tn("proposals.dismissed", made.dismissed)),
    onError: failed,
    onSettled: ended,
  });
  const review = useMutation({
    mutationFn: () => api.post("/api/admin/catalogue/review", {}),
    onSuccess: () => say(t("proposals.reviewed")),
    onError: failed,
    onSettled: ended,
  });
  const rows = proposals.data?.data ?? [];
  const all = rows.length > 0 && rows.every((p) => chosen.has(p.id));
  const toggle = (ids: string[], on: boolean) =>
    setChosen((old) => {
      const next = new Set(old);
      for (const id of ids) {
        if (on) next.add(id);
        else next.delete(id);
      }
      return next;
    });
  const columns: Column<Proposal>[] = [
    {
      key: "choose",
      head: (
        <input
          type="checkbox"
          aria-label={t("action.all")}
          checked={all}
          onChange={(e) =>
            toggle(
              rows.map((p) => p.id),
              e.target.checked,
            )
          }
          className="size-4 accent-accent-fill"
        />
      ),
      cell: (p) => (
        <input
          type="checkbox"
          aria-label={`${p.provider}/${p.model}`}
          checked={chosen.has(p.id)}
          onChange={(e) => toggle([p.id], e.target.checked)}
          className="size-4 accent-accent-fill"
        />
      ),
    },
    {
      key: "model",
      head: t("call.model"),
      cell: (p) => (
        <div className="min-w-0">
          <span className="break-all">
            {p.provider}/{p.model}
          </span>
          <div className="sm:hidden">
            <Difference of={p} />
          </div>
        </div>
      ),
    },
    {
      key: "kind",
      head: t("proposals.kind"),
      cell: (p) => (
        <Badge kind={p.kind === "gone" ? "warn" : "info"}>{t(`proposals.${p.kind as "cost" | "new" | "gone"}`)}</Badge>
      ),
    },
    { key: "change", head: t("proposals.change"), from: "sm", cell: (p) => <Difference of={p} /> },
  ];
  const next = proposals.data?.next_cursor;
  const busy = apply.isPending || dismiss.isPending;
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-2">
        <p className="min-w-56 flex-1 text-ink-3">{t("proposals.about")}</p>
        <Button busy={review.isPending} onClick={() => review.mutate()}>
          {t("proposals.review")}
        </Button>
        <Button disabled={chosen.size === 0 || busy} onClick={() => dismiss.mutate()}>
          {t("proposals.dismiss")}
        </Button>
        <Button disabled={rows.length === 0 || busy} onClick={() => setAsking(true)}>
          {t("proposals.all")}
        </Button>
        <Button look="primary" disabled={chosen.size === 0} busy={busy} onClick={() => apply.mutate()}>
          {tn("proposals.apply", chosen.size)}
        </Button>
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <label className="flex flex-wrap items-center gap-2">
          <span className="text-sm font-medium">{t("proposals.margin")}</span>
          <select
            value={margin}
            onChange={(e) => setMargin(e.target.value as typeof margin)}
            className="input !w-auto max-w-full"
          >
            {(["keep", "stay", "set"] as const).map((m) => (
              <option key={m} value={m}>
                {t(`proposals.margin.${m}`)}
              </option>
            ))}
          </select>
        </label>
        {margin === "set" && (
          <input
            value={percent}
            onChange={(e) => setPercent(e.target.value.trim())}
            aria-label={t("catalogue.margin")}
            inputMode="decimal"
            className="input num !w-24"
          />
        )}
      </div>
      {catalogue.data && catalogue.data.embedded !== catalogue.data.in_force && <Note>{t("proposals.newer")}</Note>}
      <Card flush>
        <Loaded query={proposals} loading={<Rows />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title={t("proposals.none")}>{t("proposals.none.hint")}</Empty>
            ) : (
              <Table label={t("rates.tab.proposals")} columns={columns} rows={data} id={(p) => p.id} />
            )
          }
        </Loaded>
        <Pager
          newer={cursor ? () => setTrail((old) => old.slice(0, -1)) : undefined}
          older={next ? () => setTrail((old) => [...old, next]) : undefined}
        />
      </Card>
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title={t("proposals.all.title")}
        consequences={t(`proposals.all.${margin}`, { n: percent })}
        action={t("proposals.all")}
        act={async () => {
          const made = await api.post("/api/admin/catalogue/apply", {
            body: { all: true, own_costs: true, skip_new: margin !== "set", margin: wanted },
          });
          say(tn("proposals.applied", made.applied.length));
          await ended();
        }}
      />
    </div>
  );
}

/** Difference shows costs in US dollars per million that change, each before and after, with the percentage. */
function Difference({ of }: { of: Proposal }) {
  const { t, known, format } = useI18n();
  const [before, after] = [of.before?.per_million ?? {}, of.after?.per_million ?? {}];
  const buckets = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (b) => before[b] !== after[b] || of.kind === "gone",
  );
  const price = (text: string | undefined) => (text === undefined ? "–" : usd(format, text));
  if (buckets.length === 0) return <span className="text-sm text-ink-3">{t("proposals.same")}</span>;
  return (
    <ul className="flex flex-col gap-0.5 text-sm">
      {buckets.map((b) => {
        const [was, is] = [before[b], after[b]];
        const grown = was !== undefined && is !== undefined ? growth(is, was) : undefined;
        return (
          <li key={b} className="flex flex-wrap items-baseline gap-x-2 tabular-nums">
            <span className="w-32 text-ink-3 sm:w-40">{known(`bucket.${b}`, b)}</span>
            <span className={is === undefined ? "line-through" : "text-ink-3"}>{price(was)}</span>
            {is !== undefined && (
              <>
                <span aria-hidden>→</span>
                <strong className="font-medium">{price(is)}</strong>
              </>
            )}
            {grown !== undefined && (
              <span className={`font-medium ${grown > 0 ? "text-danger" : "text-ok"}`}>{change(format, grown)}</span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

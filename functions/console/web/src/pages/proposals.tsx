import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { usd } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Card } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows, useFault } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { useToast } from "../ui/toast";

type Proposal = Answer<"/api/admin/catalogue/proposals">["data"][number];

/** Proposals are what a newer catalogue says differently: nothing changes until somebody says so. */
export function Proposals() {
  const { t, tn, format } = useI18n();
  const say = useToast();
  const fault = useFault();
  const invalidate = useInvalidate();
  const [trail, setTrail] = useState<string[]>([]);
  const [chosen, setChosen] = useState(new Set<string>());
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
    mutationFn: () => api.post("/api/admin/catalogue/apply", { body: { ids: [...chosen], margin: "keep" } }),
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
  const price = (of: Proposal["before"], bucket: string) => {
    const text = of?.per_million[bucket];
    return text === undefined ? "–" : usd(format, text);
  };
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
        <span className="break-all">
          {p.provider}/{p.model}
        </span>
      ),
    },
    {
      key: "kind",
      head: t("proposals.kind"),
      cell: (p) => (
        <Badge kind={p.kind === "gone" ? "warn" : "info"}>{t(`proposals.${p.kind as "cost" | "new" | "gone"}`)}</Badge>
      ),
    },
    {
      key: "before",
      head: t("proposals.before"),
      num: true,
      from: "md",
      cell: (p) => `${price(p.before, "input")} · ${price(p.before, "output")}`,
    },
    {
      key: "after",
      head: t("proposals.after"),
      num: true,
      from: "sm",
      cell: (p) => `${price(p.after, "input")} · ${price(p.after, "output")}`,
    },
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
        <Button look="primary" disabled={chosen.size === 0} busy={busy} onClick={() => apply.mutate()}>
          {tn("proposals.apply", chosen.size)}
        </Button>
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
    </div>
  );
}

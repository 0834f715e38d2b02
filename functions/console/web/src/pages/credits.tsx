import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { ArrowUpRight, Gift, ReceiptText, Ticket } from "lucide-react";
import { useState } from "react";
import { type Answer, api, at } from "../api/client";
import { useInvalidate } from "../app/session";
import { credits, share } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button, buttonClass } from "../ui/button";
import { Modal } from "../ui/dialog";
import { Form, TextField } from "../ui/form";
import { Amount, Card, Page, Stat, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows, Skeleton } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { useToast } from "../ui/toast";
import { balanceQuery } from "./home";

type Grant = Answer<"/api/user/credit/grants">["data"][number];
type Move = Answer<"/api/user/credit/transactions">["data"][number];
type Receipt = Answer<"/api/user/receipts">["data"][number];

const tabs = ["moves", "grants", "receipts"] as const;
type Tab = (typeof tabs)[number];

/** Credits is the caller's wallet: what is left, where it came from and where it went. */
export function Credits() {
  const t = useT();
  const navigate = useNavigate({ from: "/credits" });
  const search = useSearch({ from: "/inside/credits" });
  const balance = useQuery(balanceQuery);
  const link = useQuery({
    queryKey: ["payment-link"],
    queryFn: ({ signal }) => api.get("/api/user/credit/payment-link", { signal }),
  });
  const [redeeming, setRedeeming] = useState(false);
  const tab: Tab = tabs.find((x) => x === search.tab) ?? "moves";
  const b = balance.data;
  const off = b?.billing === "off";
  return (
    <Page
      title={t("nav.credits")}
      about={t("credits.about")}
      actions={
        !off && (
          <>
            <Button icon={<Ticket aria-hidden className="size-4" />} onClick={() => setRedeeming(true)}>
              {t("credits.redeem")}
            </Button>
            {link.data && (
              <a href={link.data} className={buttonClass("primary")}>
                {t("credits.buy")}
                <ArrowUpRight aria-hidden className="size-4" />
              </a>
            )}
          </>
        )
      }
    >
      {off && <Note>{t("credits.off")}</Note>}
      {balance.error ? (
        <Loaded query={balance}>{() => null}</Loaded>
      ) : (
        <div className="grid gap-3 sm:grid-cols-3">
          <Stat label={t("credits.available")}>{b ? <Amount of={b.available} /> : <Skeleton className="mt-2 h-6 w-24" />}</Stat>
          <Stat label={t("credits.held")} note={t("credits.held.note")}>
            {b ? <Amount of={b.held} /> : <Skeleton className="mt-2 h-6 w-24" />}
          </Stat>
          {b && b.debt !== "0" ? (
            <Stat label={t("credits.debt")} note={t("credits.debt.note")}>
              <Amount of={b.debt} />
            </Stat>
          ) : (
            <Stat label={t("credits.total")}>{b ? <Amount of={b.total} /> : <Skeleton className="mt-2 h-6 w-24" />}</Stat>
          )}
        </div>
      )}
      <Tabs
        label={t("nav.credits")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "moves" ? undefined : next } })}
        tabs={tabs.map((x) => [x, t(`credits.tab.${x}`)] as const)}
      >
        <Card flush>{tab === "moves" ? <Moves /> : tab === "grants" ? <Grants /> : <Receipts />}</Card>
      </Tabs>
      <Redeem open={redeeming} onClose={() => setRedeeming(false)} />
    </Page>
  );
}

function Redeem({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t, format } = useI18n();
  const invalidate = useInvalidate();
  const say = useToast();
  return (
    <Modal open={open} onClose={onClose} title={t("credits.redeem")} about={t("credits.redeem.about")}>
      <Form
        submit={t("credits.redeem")}
        onCancel={onClose}
        save={async (value) => {
          const got = await api.post("/api/user/credit/redeem", { body: { code: value("code") } });
          await invalidate("balance", "grants", "moves", "quota");
          say(t("credits.redeemed", { amount: credits(format, got.grant.amount) }));
          onClose();
        }}
      >
        {(fault) => (
          <TextField
            name="code"
            label={t("credits.code")}
            error={fault("code")}
            autoComplete="off"
            spellCheck={false}
            required
            autoFocus
          />
        )}
      </Form>
    </Modal>
  );
}

/** usePages turns pages of a list by its cursor in the address. */
function usePages() {
  const router = useRouter();
  const navigate = useNavigate({ from: "/credits" });
  const search = useSearch({ from: "/inside/credits" });
  return {
    search,
    pager: (next: string | null | undefined) => (
      <Pager
        newer={search.cursor ? () => router.history.back() : undefined}
        older={next ? () => navigate({ search: (old) => ({ ...old, cursor: next }) }) : undefined}
      />
    ),
  };
}

function Moves() {
  const { t, known } = useI18n();
  const { search, pager } = usePages();
  const moves = useQuery({
    queryKey: ["moves", search.cursor],
    queryFn: ({ signal }) => api.get("/api/user/credit/transactions", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const columns: Column<Move>[] = [
    { key: "at", head: t("credits.at"), cell: (m) => <Time at={m.created_at} />, from: "sm" },
    {
      key: "kind",
      head: t("credits.what"),
      cell: (m) => (
        <div className="min-w-0">
          {m.call_id ? (
            <Link to="/calls" search={{ call: m.call_id }} className="hover:underline">
              {known(`move.${m.kind}`, m.kind)}
            </Link>
          ) : (
            known(`move.${m.kind}`, m.kind)
          )}
          {(m.reason || m.cause) && <div className="text-sm text-ink-3">{m.reason || m.cause}</div>}
          <div className="text-sm text-ink-3 sm:hidden">
            <Time at={m.created_at} />
          </div>
        </div>
      ),
    },
    { key: "change", head: t("call.credits"), num: true, cell: (m) => <Amount of={m.change} signed={m.change !== "0"} /> },
  ];
  return (
    <Loaded query={moves} loading={<Rows />}>
      {({ data, next_cursor }) =>
        data.length === 0 ? (
          <Empty icon={<ReceiptText aria-hidden className="size-5" />} title={t("credits.moves.none")} />
        ) : (
          <>
            <Table label={t("credits.tab.moves")} columns={columns} rows={data} id={(m) => m.id} />
            {pager(next_cursor)}
          </>
        )
      }
    </Loaded>
  );
}

function Grants() {
  const { t, known, format } = useI18n();
  const router = useRouter();
  const navigate = useNavigate({ from: "/credits" });
  const { page = 1 } = useSearch({ from: "/inside/credits" });
  const grants = useQuery({
    queryKey: ["grants", page],
    queryFn: ({ signal }) => api.get("/api/user/credit/grants", { query: { page, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const columns: Column<Grant>[] = [
    {
      key: "name",
      head: t("grants.what"),
      cell: (g) => (
        <div className="min-w-0">
          {g.name || g.reason || known(`grant.${g.kind}`, g.kind)}
          <div className="text-sm text-ink-3">
            {t("grants.of")} <Time at={g.created_at} />
          </div>
        </div>
      ),
    },
    {
      key: "state",
      head: t("grants.state"),
      from: "sm",
      cell: (g) => <Badge kind={g.state === "active" ? "ok" : undefined}>{known(`grant.state.${g.state}`, g.state)}</Badge>,
    },
    {
      key: "expires",
      head: t("grants.expires"),
      from: "md",
      cell: (g) => (g.expires_at ? <Time at={g.expires_at} /> : <span className="text-ink-3">{t("grants.never")}</span>),
    },
    {
      key: "left",
      head: t("grants.left"),
      num: true,
      cell: (g) => (
        <div>
          <span title={credits(format, g.remaining, true)}>{credits(format, g.remaining)}</span>
          <span className="text-ink-3"> / {credits(format, g.amount)}</span>
          <progress
            aria-label={t("grants.left")}
            max={100}
            value={share(g.remaining, g.amount)}
            className="mt-1 ml-auto block w-24"
          />
        </div>
      ),
    },
  ];
  return (
    <Loaded query={grants} loading={<Rows />}>
      {({ data, paging }) =>
        data.length === 0 ? (
          <Empty icon={<Gift aria-hidden className="size-5" />} title={t("grants.none")}>
            {t("grants.none.hint")}
          </Empty>
        ) : (
          <>
            <Table label={t("credits.tab.grants")} columns={columns} rows={data} id={(g) => g.id} />
            <Pager
              newer={page > 1 ? () => router.history.back() : undefined}
              older={
                page * paging.pageSize < paging.total
                  ? () => navigate({ search: (old) => ({ ...old, page: page + 1 }) })
                  : undefined
              }
            />
          </>
        )
      }
    </Loaded>
  );
}

function Receipts() {
  const t = useT();
  const { search, pager } = usePages();
  const receipts = useQuery({
    queryKey: ["receipts", search.cursor],
    queryFn: ({ signal }) => api.get("/api/user/receipts", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const columns: Column<Receipt>[] = [
    {
      key: "number",
      head: t("receipt.number"),
      cell: (r) => (
        <a
          href={at(`/api/user/receipts/${encodeURIComponent(r.number)}.html`)}
          target="_blank"
          rel="noreferrer"
          className="font-medium hover:underline"
        >
          {r.number}
        </a>
      ),
    },
    { key: "at", head: t("credits.at"), cell: (r) => <Time at={r.issued_at} />, from: "sm" },
    { key: "credits", head: t("call.credits"), num: true, from: "sm", cell: (r) => <Amount of={r.credits} /> },
    {
      key: "total",
      head: t("receipt.total"),
      num: true,
      cell: (r) => (
        <>
          <Amount of={r.total} /> {r.currency.toUpperCase()}
        </>
      ),
    },
  ];
  return (
    <Loaded query={receipts} loading={<Rows />}>
      {({ data, next_cursor }) =>
        data.length === 0 ? (
          <Empty icon={<ReceiptText aria-hidden className="size-5" />} title={t("receipt.none")}>
            {t("receipt.none.hint")}
          </Empty>
        ) : (
          <>
            <Table label={t("credits.tab.receipts")} columns={columns} rows={data} id={(r) => r.number} />
            {pager(next_cursor)}
          </>
        )
      }
    </Loaded>
  );
}

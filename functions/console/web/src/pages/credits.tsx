import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { CreditCard, Gift, Ticket } from "lucide-react";
import { useEffect, useState } from "react";
import { type Answer, api, at } from "../api/client";
import { useInvalidate } from "../app/session";
import { credits, share } from "../lib/format";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Amount, Card, Page, Stat, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows, Skeleton } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { Automatic, NoticesCard } from "./credits-auto";
import { Buy, BuyElsewhere, Redeem, useWays } from "./credits-buy";
import { Moves } from "./credits-moves";
import { Wallets } from "./credits-wallets";
import { balanceQuery } from "./home";
import { ReceiptList } from "./receipt-list";

type Grant = Answer<"/api/user/credit/grants">["data"][number];

const tabs = ["moves", "grants", "receipts", "wallets", "auto"] as const;
type Tab = (typeof tabs)[number];

/** Credits is the caller's wallet: what is left, where it came from and where it went. */
export function Credits() {
  const t = useT();
  const navigate = useNavigate({ from: "/credits" });
  const search = useSearch({ from: "/inside/credits" });
  const balance = useQuery(balanceQuery);
  const [doing, setDoing] = useState<"redeem" | "buy">();
  const close = () => setDoing(undefined);
  const tab: Tab = tabs.find((x) => x === search.tab) ?? "moves";
  const b = balance.data;
  const off = b?.billing === "off";
  const ways = useWays(b?.billing === "on");
  return (
    <Page
      title={t("nav.credits")}
      about={t("credits.about")}
      actions={
        !off && (
          <>
            <Button icon={<Ticket aria-hidden className="size-4" />} onClick={() => setDoing("redeem")}>
              {t("credits.redeem")}
            </Button>
            {ways.offer && (
              <Button look="primary" icon={<CreditCard aria-hidden className="size-4" />} onClick={() => setDoing("buy")}>
                {t("credits.buy")}
              </Button>
            )}
            {ways.link && <BuyElsewhere link={ways.link} beside={ways.offer !== undefined} />}
          </>
        )
      }
    >
      {off && <Note>{t("credits.off")}</Note>}
      <Came />
      {balance.error ? (
        <Loaded query={balance}>{() => null}</Loaded>
      ) : (
        <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
          <div className="max-sm:col-span-2">
            <Stat label={t("credits.available")}>{b ? <Amount of={b.available} /> : <Skeleton className="mt-2 h-6 w-24" />}</Stat>
          </div>
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
        {tab === "moves" && <Moves />}
        {tab === "grants" && (
          <Card flush>
            <Grants />
          </Card>
        )}
        {tab === "receipts" && (
          <Card flush>
            <Receipts />
          </Card>
        )}
        {tab === "wallets" && <Wallets />}
        {tab === "auto" && (
          <div className="grid items-start gap-5 lg:grid-cols-2">
            {ways.offer && <Automatic offer={ways.offer} onBuy={() => setDoing("buy")} />}
            <NoticesCard />
          </div>
        )}
      </Tabs>
      <Redeem open={doing === "redeem"} onClose={close} />
      {ways.offer && <Buy offer={ways.offer} open={doing === "buy"} onClose={close} />}
    </Page>
  );
}

const settling = 3000; // ms between looks at the balance after a payment
const settled = 30_000; // ms after which the payment provider's word came, or comes late

/** Came says what became of a payment, when the payment provider sent the browser back. */
function Came() {
  const t = useT();
  const { state } = useSearch({ from: "/inside/credits" });
  const invalidate = useInvalidate();
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each return
  useEffect(() => {
    if (state !== "done") return;
    const look = setInterval(() => invalidate("balance", "moves", "grants", "receipts", "cards"), settling);
    const end = setTimeout(() => clearInterval(look), settled);
    return () => {
      clearInterval(look);
      clearTimeout(end);
    };
  }, [state]);
  if (state === "done") return <Note kind="ok">{t("buy.done")}</Note>;
  if (state === "cancelled") return <Note kind="warn">{t("buy.cancelled")}</Note>;
  return null;
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
            {g.expires_at && (
              <span className="md:hidden">
                {" · "}
                {t("grants.expires")} <Time at={g.expires_at} />
              </span>
            )}
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
  const search = useSearch({ from: "/inside/credits" });
  const receipts = useQuery({
    queryKey: ["receipts", search.cursor],
    queryFn: ({ signal }) => api.get("/api/user/receipts", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  return <ReceiptList query={receipts} page={(r) => at(`/api/user/receipts/${encodeURIComponent(r.number)}.html`)} />;
}

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { CreditCard, Download } from "lucide-react";
import { type Answer, address, api, at } from "../api/client";
import { useI18n, useT } from "../lib/i18n";
import { buttonClass } from "../ui/button";
import { Filters, Pick, Search } from "../ui/filters";
import { Listing } from "../ui/listing";
import { Amount, Card, Facts, Mono, Page, Time } from "../ui/page";
import { Badge, Loaded, Note, Rows } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Tabs } from "../ui/tabs";
import { ReceiptList } from "./receipt-list";

type Payment = Answer<"/api/billing/payments">["data"][number];
type Receipt = Answer<"/api/billing/receipts">["data"][number];
type Package = Answer<"/api/billing/offer">["packages"][number];
type State = "new" | "open" | "paid" | "failed" | "expired";
const looks = { new: undefined, open: "info", paid: "ok", failed: "danger", expired: "warn" } as const;
const tabs = ["payments", "receipts", "offer"] as const;

/** Payments are the purchases by card, their receipts, and what is on sale. */
export function Payments() {
  const t = useT();
  const navigate = useNavigate({ from: "/admin/payments" });
  const search = useSearch({ from: "/inside/admin/admin/payments" });
  const tab = tabs.find((x) => x === search.tab) ?? "payments";
  return (
    <Page
      title={t("nav.payments")}
      about={t("payments.about")}
      actions={
        tab === "receipts" && (
          <a href={at("/api/billing/receipts/export")} download className={buttonClass()}>
            <Download aria-hidden className="size-4" />
            {t("action.export")}
          </a>
        )
      }
    >
      <Tabs
        label={t("nav.payments")}
        value={tab}
        onChange={(next) => navigate({ search: { tab: next === "payments" ? undefined : next } })}
        tabs={tabs.map((x) => [x, t(`payments.tab.${x}`)] as const)}
      >
        {tab === "payments" ? <List /> : tab === "receipts" ? <Receipts /> : <Offer />}
      </Tabs>
    </Page>
  );
}

function List() {
  const { t, known } = useI18n();
  const navigate = useNavigate({ from: "/admin/payments" });
  const search = useSearch({ from: "/inside/admin/admin/payments" });
  const payments = useQuery({
    queryKey: ["payments", search.user, search.state, search.cursor],
    queryFn: ({ signal }) =>
      api.get("/api/billing/payments", {
        query: { user: search.user, state: search.state as State | undefined, cursor: search.cursor, pageSize: 50 },
        signal,
      }),
    placeholderData: keepPreviousData,
  });
  const narrow = (change: { user?: string; state?: string }) =>
    navigate({ search: (old) => ({ ...old, cursor: undefined, ...change }) });
  const columns: Column<Payment>[] = [
    {
      key: "id",
      head: t("payments.one"),
      cell: (p) => (
        <div className="min-w-0">
          {known(`payments.kind.${p.kind}`, p.kind)}
          <div className="text-sm text-ink-3">
            <Mono>{p.intent || p.session || p.id}</Mono>
          </div>
          {p.error && <div className="text-sm break-words text-danger">{p.error}</div>}
        </div>
      ),
    },
    {
      key: "state",
      head: t("keys.state"),
      cell: (p) => <Badge kind={looks[p.state as State]}>{known(`payments.state.${p.state}`, p.state)}</Badge>,
    },
    { key: "credits", head: t("call.credits"), num: true, from: "sm", cell: (p) => <Amount of={p.credits} /> },
    {
      key: "total",
      head: t("receipt.total"),
      num: true,
      cell: (p) => (
        <>
          <Amount of={p.state === "paid" ? p.total : p.amount} /> {p.currency.toUpperCase()}
        </>
      ),
    },
    { key: "at", head: t("credits.at"), from: "md", cell: (p) => <Time at={p.paid_at ?? p.created_at} /> },
  ];
  return (
    <div>
      <Filters>
        <Search label={t("payments.user")} value={search.user} onSearch={(user) => narrow({ user })} />
        <Pick
          label={t("keys.state")}
          value={search.state}
          onPick={(state) => narrow({ state })}
          options={[
            ["", t("users.states.all")],
            ...(["new", "open", "paid", "failed", "expired"] as const).map((s) => [s, t(`payments.state.${s}`)] as const),
          ]}
        />
      </Filters>
      <Card flush>
        <Listing
          query={payments}
          label={t("nav.payments")}
          columns={columns}
          id={(p) => p.id}
          icon={<CreditCard aria-hidden className="size-5" />}
          none={t("payments.none")}
        />
      </Card>
    </div>
  );
}

function Receipts() {
  const t = useT();
  const search = useSearch({ from: "/inside/admin/admin/payments" });
  const receipts = useQuery({
    queryKey: ["receipts", "all", search.cursor],
    queryFn: ({ signal }) => api.get("/api/billing/receipts", { query: { cursor: search.cursor, pageSize: 50 }, signal }),
    placeholderData: keepPreviousData,
  });
  const back: Column<Receipt> = {
    key: "back",
    head: t("payments.refunded"),
    num: true,
    from: "md",
    cell: (r) => (Number(r.refunded) === 0 ? <span className="text-ink-3">–</span> : <Amount of={r.refunded} />),
  };
  return (
    <Card flush>
      <ReceiptList
        query={receipts}
        page={(r) => address("/api/billing/receipts/{number}", { number: `${r.number}.html` })}
        who={(r) => r.email}
        more={[back]}
      />
    </Card>
  );
}

/** Offer is what credits cost by card, as the settings say. */
function Offer() {
  const t = useT();
  const offer = useQuery({ queryKey: ["offer"], queryFn: ({ signal }) => api.get("/api/billing/offer", { signal }) });
  const columns: Column<Package>[] = [
    { key: "id", head: t("payments.package"), cell: (p) => <Mono>{p.id}</Mono> },
    { key: "credits", head: t("call.credits"), num: true, cell: (p) => <Amount of={p.credits} /> },
    { key: "price", head: t("call.price"), num: true, cell: (p) => <Amount of={p.price} /> },
  ];
  return (
    <Loaded query={offer} loading={<Rows n={3} />}>
      {(o) => (
        <div className="flex flex-col gap-4">
          {!o.enabled && <Note>{t("payments.offer.off")}</Note>}
          <Card title={t("payments.terms")}>
            <Facts
              items={[
                [t("payments.currency"), o.currency.toUpperCase()],
                [t("payments.price"), <Amount key="p" of={o.price} />],
                [t("payments.least"), <Amount key="l" of={o.min} />],
                [t("payments.most"), <Amount key="m" of={o.max} />],
                [t("payments.tax"), o.tax_added ? t("payments.tax.added") : t("payments.tax.not")],
              ]}
            />
          </Card>
          {o.packages.length > 0 && (
            <Card flush title={t("payments.packages")}>
              <Table label={t("payments.packages")} columns={columns} rows={o.packages} id={(p) => p.id} />
            </Card>
          )}
          <p className="text-sm text-ink-3">{t("payments.offer.where")}</p>
        </div>
      )}
    </Loaded>
  );
}

import type { UseQueryResult } from "@tanstack/react-query";
import { ReceiptText } from "lucide-react";
import { useT } from "../lib/i18n";
import { Listing } from "../ui/listing";
import { Amount, Time } from "../ui/page";
import type { Column } from "../ui/table";

interface Receipt {
  number: string;
  issued_at: string;
  credits: string;
  total: string;
  currency: string;
}

interface Props<R extends Receipt> {
  query: UseQueryResult<{ data: R[]; next_cursor?: string | null }>;
  /** page is the address of a receipt to print. */
  page: (r: R) => string;
  /** who is below the number: whose it is. */
  who?: (r: R) => string;
  /** more columns, before the total. */
  more?: Column<R>[];
}

/** ReceiptList lists receipts, the caller's own or everybody's. */
export function ReceiptList<R extends Receipt>({ query, page, who, more = [] }: Props<R>) {
  const t = useT();
  const columns: Column<R>[] = [
    {
      key: "number",
      head: t("receipt.number"),
      cell: (r) => (
        <div className="min-w-0">
          <a href={page(r)} target="_blank" rel="noreferrer" className="font-medium hover:underline">
            {r.number}
          </a>
          {who && <div className="text-sm break-all text-ink-3">{who(r)}</div>}
        </div>
      ),
    },
    { key: "at", head: t("credits.at"), from: "sm", cell: (r) => <Time at={r.issued_at} /> },
    { key: "credits", head: t("call.credits"), num: true, from: "sm", cell: (r) => <Amount of={r.credits} /> },
    ...more,
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
    <Listing
      query={query}
      label={t("credits.tab.receipts")}
      columns={columns}
      id={(r) => r.number}
      icon={<ReceiptText aria-hidden className="size-5" />}
      none={t("receipt.none")}
      hint={t("receipt.none.hint")}
    />
  );
}

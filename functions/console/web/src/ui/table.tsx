import { ChevronLeft, ChevronRight } from "lucide-react";
import type { MouseEvent, ReactNode } from "react";
import { useT } from "../lib/i18n";
import { Button } from "./button";

export interface Column<Row> {
  key: string;
  head: ReactNode;
  cell: (row: Row) => ReactNode;
  /** num: right-aligned figures that stand below each other. */
  num?: boolean;
  /** from which width on it is shown; always if left out. */
  from?: "sm" | "md" | "lg" | "xl";
  className?: string;
}

const hidden = { sm: "max-sm:hidden", md: "max-md:hidden", lg: "max-lg:hidden", xl: "max-xl:hidden" };

/** ofRow: the click is not one of a control in the row, nor of a menu, whose events React sends up from elsewhere in the page. */
const ofRow = (e: MouseEvent) => e.currentTarget.contains(e.target as Node) && !(e.target as Element).closest("a,button,input");

interface TableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  id: (row: Row) => string;
  /** open makes rows clickable; the first cell holds the link for the keyboard. */
  open?: (row: Row) => void;
}

/** Table shows rows; narrow screens see fewer columns, and the first says more there. */
export function Table<Row>({ label, columns, rows, id, open }: TableProps<Row>) {
  const look = (c: Column<Row>) => `${c.num ? "num" : "text-left"} ${c.from ? hidden[c.from] : ""} ${c.className ?? ""}`;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section aria-label={label} tabIndex={0} className="overflow-x-auto">
      <table className="w-full border-collapse">
        <thead>
          <tr className="border-b border-line text-sm text-ink-3">
            {columns.map((c) => (
              <th key={c.key} scope="col" className={`px-3 py-2 font-medium sm:px-4 whitespace-nowrap ${look(c)}`}>
                {c.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr
              key={id(row)}
              onClick={open && ((e) => ofRow(e) && open(row))}
              className={`border-b border-line last:border-0 ${open ? "cursor-pointer hover:bg-sunken" : ""}`}
            >
              {columns.map((c) => (
                <td key={c.key} className={`px-3 py-2.5 align-middle sm:px-4 ${look(c)}`}>
                  {c.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface PagerProps {
  newer?: () => void;
  older?: () => void;
  children?: ReactNode;
}

/** Pager turns the pages of a list; without both ways it shows nothing. */
export function Pager({ newer, older, children }: PagerProps) {
  const t = useT();
  if (!newer && !older) return null;
  return (
    <nav aria-label={t("pager.label")} className="flex items-center justify-between gap-2 border-t border-line px-4 py-2.5">
      <span className="text-sm text-ink-3">{children}</span>
      <span className="flex gap-2">
        <Button small disabled={!newer} onClick={newer} icon={<ChevronLeft aria-hidden className="size-4" />}>
          {t("pager.back")}
        </Button>
        <Button small disabled={!older} onClick={older}>
          {t("pager.next")}
          <ChevronRight aria-hidden className="size-4" />
        </Button>
      </span>
    </nav>
  );
}

import type { UseQueryResult } from "@tanstack/react-query";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Empty, Loaded, Rows } from "./states";
import { type Column, Pager, Table } from "./table";

/** CursorPager turns the pages of a list whose place is in the address, as cursor. */
export function CursorPager({ next }: { next: string | null | undefined }) {
  const router = useRouter();
  const navigate = useNavigate();
  const { cursor } = useSearch({ strict: false }) as { cursor?: string };
  return (
    <Pager
      newer={cursor ? () => router.history.back() : undefined}
      older={next ? () => navigate({ to: ".", search: ((old: object) => ({ ...old, cursor: next })) as never }) : undefined}
    />
  );
}

interface Page<Row> {
  data: readonly Row[];
  next_cursor?: string | null;
}

interface ListingProps<Row> {
  query: UseQueryResult<Page<Row>>;
  label: string;
  columns: Column<Row>[];
  id: (row: Row) => string;
  open?: (row: Row) => void;
  /** icon, none and hint say that there is nothing. */
  icon?: ReactNode;
  none: ReactNode;
  hint?: ReactNode;
}

/** Listing is a list of the hub in pages: while it comes, when it is empty, when it cannot be had, and its rows. */
export function Listing<Row>({ query, label, columns, id, open, icon, none, hint }: ListingProps<Row>) {
  return (
    <>
      <Loaded query={query} loading={<Rows />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty icon={icon} title={none}>
              {hint}
            </Empty>
          ) : (
            <Table label={label} columns={columns} rows={data} id={id} open={open} />
          )
        }
      </Loaded>
      <CursorPager next={query.data?.next_cursor} />
    </>
  );
}

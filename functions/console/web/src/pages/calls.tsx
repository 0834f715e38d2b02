import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { ReceiptText, RefreshCw } from "lucide-react";
import { isAdmin, useMe } from "../app/session";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Card, Page } from "../ui/page";
import { Empty, Loaded, Rows } from "../ui/states";
import { Pager } from "../ui/table";
import { CallDrawer } from "./call-drawer";
import { CallTable, listCalls } from "./call-table";

const seconds = (day: string | undefined, end: boolean): number | undefined => {
  if (!day) return undefined;
  const at = new Date(`${day}T00:00:00`);
  if (Number.isNaN(at.getTime())) return undefined;
  if (end) at.setDate(at.getDate() + 1);
  return Math.floor(at.getTime() / 1000);
};

const tail = 2000; // ms between looks while the log is followed

/** Calls is the log of calls; what is shown stands in the address. */
export function Calls() {
  const t = useT();
  const me = useMe();
  const admin = isAdmin(me?.user.role);
  const router = useRouter();
  const navigate = useNavigate({ from: "/calls" });
  const search = useSearch({ from: "/inside/calls" });
  const query = {
    before: search.before,
    pageSize: 50,
    scope: admin && search.everyone ? ("all" as const) : ("own" as const),
    startTime: seconds(search.from, false),
    endTime: seconds(search.until, true),
  };
  const calls = useQuery({
    queryKey: ["calls", query],
    queryFn: ({ signal }) => listCalls({ query: query, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: search.live && !search.before ? tail : false,
  });
  const filtered = Boolean(search.from || search.until);
  const set = (change: Partial<typeof search>) => navigate({ search: (old) => ({ ...old, before: undefined, ...change }) });
  const next = calls.data?.next_cursor;

  return (
    <Page
      title={t("nav.calls")}
      about={t("calls.about")}
      actions={
        <Button onClick={() => calls.refetch()} busy={calls.isFetching} icon={<RefreshCw aria-hidden className="size-4" />}>
          {t("action.refresh")}
        </Button>
      }
    >
      <div className="flex flex-wrap items-end gap-3">
        <label className="text-sm">
          <span className="mb-1 block font-medium">{t("filter.from")}</span>
          <input
            type="date"
            className="input"
            value={search.from ?? ""}
            max={search.until}
            onChange={(e) => set({ from: e.target.value || undefined })}
          />
        </label>
        <label className="text-sm">
          <span className="mb-1 block font-medium">{t("filter.until")}</span>
          <input
            type="date"
            className="input"
            value={search.until ?? ""}
            min={search.from}
            onChange={(e) => set({ until: e.target.value || undefined })}
          />
        </label>
        {admin && (
          <label className="text-sm">
            <span className="mb-1 block font-medium">{t("calls.of")}</span>
            <select
              className="input"
              value={search.everyone ? "all" : "own"}
              onChange={(e) => set({ everyone: e.target.value === "all" || undefined })}
            >
              <option value="own">{t("calls.own")}</option>
              <option value="all">{t("calls.everyone")}</option>
            </select>
          </label>
        )}
        <label className="flex min-h-9 items-center gap-2">
          <input
            type="checkbox"
            checked={search.live === true}
            onChange={(e) => set({ live: e.target.checked || undefined })}
            className="size-4 accent-accent-fill"
          />
          {t("calls.live")}
        </label>
        {filtered && (
          <Button look="quiet" onClick={() => set({ from: undefined, until: undefined })}>
            {t("filter.clear")}
          </Button>
        )}
      </div>
      <Card flush>
        <Loaded query={calls} loading={<Rows n={12} />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty
                icon={<ReceiptText aria-hidden className="size-5" />}
                title={filtered || search.before ? t("filter.nothing") : t("calls.none")}
              >
                {filtered ? t("filter.nothing.hint") : t("calls.none.hint")}
              </Empty>
            ) : (
              <CallTable
                calls={data}
                search={(c) => ({ ...search, call: c.id })}
                open={(c) => navigate({ search: (old) => ({ ...old, call: c.id }) })}
              />
            )
          }
        </Loaded>
        <Pager
          newer={search.before ? () => router.history.back() : undefined}
          older={next ? () => navigate({ search: (old) => ({ ...old, before: next }) }) : undefined}
        />
      </Card>
      <CallDrawer id={search.call} onClose={() => navigate({ search: (old) => ({ ...old, call: undefined }) })} />
    </Page>
  );
}

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { ReceiptText, RefreshCw } from "lucide-react";
import { useT } from "../lib/i18n";
import { Button } from "../ui/button";
import { Card, Page } from "../ui/page";
import { Empty, Loaded, Rows } from "../ui/states";
import { Pager } from "../ui/table";
import { CallDrawer } from "./call-drawer";
import { ExportCalls } from "./call-export";
import { CallFilters } from "./call-filters";
import { CallTable, listCalls } from "./call-table";
import { callFilters, useCallQuery } from "./calls-query";

const tail = 2000; // ms between looks while the log is followed
const size = 50;

/** Calls is the log of calls; what is shown stands in the address. */
export function Calls() {
  const t = useT();
  const router = useRouter();
  const navigate = useNavigate({ from: "/calls" });
  const { search, everyone, query } = useCallQuery();
  const asked = { ...query, before: search.before, pageSize: size };
  const live = search.live === true && !search.before;
  const calls = useQuery({
    queryKey: ["calls", asked],
    queryFn: ({ signal }) => listCalls({ query: asked, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: live ? tail : false,
  });
  const filtered =
    Boolean(search.range || search.from || search.until || search.q) || callFilters.some((f) => search[f] !== undefined);
  const next = calls.data?.next_cursor;

  return (
    <Page
      title={t("nav.calls")}
      about={t("calls.about")}
      actions={
        <>
          <ExportCalls query={query} />
          <Button
            onClick={() => calls.refetch()}
            busy={calls.isFetching && !live}
            icon={<RefreshCw aria-hidden className="size-4" />}
          >
            {t("action.refresh")}
          </Button>
        </>
      }
    >
      <CallFilters />
      <Card flush>
        <Loaded query={calls} loading={<Rows n={12} />}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty
                icon={<ReceiptText aria-hidden className="size-5" />}
                title={filtered || search.before ? t("filter.nothing") : t("calls.none")}
              >
                {next ? t("calls.further") : filtered ? t("filter.nothing.hint") : t("calls.none.hint")}
              </Empty>
            ) : (
              <CallTable
                calls={data}
                users={everyone}
                search={(c) => ({ ...search, call: c.id })}
                open={(c) => navigate({ search: (old) => ({ ...old, call: c.id }), resetScroll: false })}
              />
            )
          }
        </Loaded>
        <Pager
          newer={search.before ? () => router.history.back() : undefined}
          older={next ? () => navigate({ search: (old) => ({ ...old, before: next }) }) : undefined}
        />
      </Card>
      <CallDrawer
        id={search.call}
        onClose={() => navigate({ search: (old) => ({ ...old, call: undefined }), resetScroll: false })}
      />
    </Page>
  );
}

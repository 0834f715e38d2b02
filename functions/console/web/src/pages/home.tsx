import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ReceiptText } from "lucide-react";
import { isAdmin, useMe } from "../app/session";
import { useI18n } from "../lib/i18n";
import { buttonClass } from "../ui/button";
import { Card, Page } from "../ui/page";
import { Empty, Loaded, Note } from "../ui/states";
import { CallTable, listCalls } from "./call-table";
import { Spend, Today } from "./home-figures";
import { HomeNotices } from "./home-notices";

export { balanceQuery, quotaQuery } from "./home-query";

/** Home is what somebody wants to know first: what is left, what was spent, how today goes, what was called. */
export function Home() {
  const { t } = useI18n();
  const me = useMe();
  const navigate = useNavigate();
  const calls = useQuery({
    queryKey: ["calls", "recent"],
    queryFn: ({ signal }) => listCalls({ query: { pageSize: 10 }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });
  const name = me?.user.name;
  return (
    <Page title={name ? t("home.hello", { name }) : t("home.title")}>
      <HomeNotices />
      <Begin admin={isAdmin(me?.user.role)} none={calls.data?.data.length === 0} />
      <Spend />
      <Today />
      <Card
        flush
        title={t("home.recent")}
        action={
          <Link to="/calls" search={{}} className="text-sm text-accent hover:underline">
            {t("home.all")}
          </Link>
        }
      >
        <Loaded query={calls}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty icon={<ReceiptText aria-hidden className="size-5" />} title={t("calls.none")}>
                {t("calls.none.hint")}
              </Empty>
            ) : (
              <CallTable
                calls={data}
                search={(c) => ({ call: c.id })}
                open={(c) => navigate({ to: "/calls", search: { call: c.id } })}
              />
            )
          }
        </Loaded>
      </Card>
    </Page>
  );
}

/** Begin says how to come to a first call. */
function Begin({ admin, none }: { admin: boolean; none: boolean }) {
  const { t } = useI18n();
  if (!none) return null;
  return (
    <Note>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <span>{admin ? t("home.begin.admin") : t("home.begin")}</span>
        <Link to={admin ? "/start" : "/keys"} className={buttonClass("primary", true)}>
          {admin ? t("nav.start") : t("keys.create")}
        </Link>
      </div>
    </Note>
  );
}

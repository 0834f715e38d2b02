import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ReceiptText } from "lucide-react";
import { api } from "../api/client";
import { isAdmin, useMe } from "../app/session";
import { count } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { buttonClass } from "../ui/button";
import { Amount, Card, Page, Stat } from "../ui/page";
import { Empty, Loaded, Note, Skeleton } from "../ui/states";
import { CallTable, listCalls } from "./call-table";

export const balanceQuery = queryOptions({
  queryKey: ["balance"],
  queryFn: ({ signal }) => api.get("/api/user/credit/balance", { signal }),
});
export const quotaQuery = queryOptions({
  queryKey: ["quota"],
  queryFn: ({ signal }) => api.get("/api/usage/quota", { query: { timeRange: 30 }, signal }),
});

/** Home is what somebody wants to know first: what is left, what was spent, what was called. */
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
      <Figures />
      <Begin admin={isAdmin(me?.user.role)} none={calls.data?.data.length === 0} />
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

/** Figures are the wallet in numbers. Where nothing is charged there are none. */
function Figures() {
  const { t, tn, format } = useI18n();
  const balance = useQuery(balanceQuery);
  const quota = useQuery(quotaQuery);
  if (balance.error) return <Loaded query={balance}>{() => null}</Loaded>;
  const b = balance.data;
  if (b?.billing === "off") return null;
  const q = quota.data;
  const wait = <Skeleton className="mt-2 h-6 w-24" />;
  return (
    <div className="grid gap-3 sm:grid-cols-3">
      <Stat
        label={t("home.available")}
        note={b && (b.held !== "0" ? t("home.held", { amount: b.held }) : tn("home.grants", b.grantCount))}
      >
        {b ? <Amount of={b.available} /> : wait}
      </Stat>
      <Stat label={t("home.spent")} note={q && tn("home.average", q.days)}>
        {q ? <Amount of={q.dailyAvgCredits.toFixed(9)} /> : wait}
      </Stat>
      <Stat label={t("home.lasts")} note={t("home.lasts.note")}>
        {q
          ? q.estimatedDaysRemaining >= 999
            ? "999+"
            : tn("home.days", q.estimatedDaysRemaining, { n: count(format, q.estimatedDaysRemaining) })
          : wait}
      </Stat>
    </div>
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

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api } from "../api/client";
import { count, share } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { plain } from "../lib/measure";
import { Amount, Card, Facts } from "../ui/page";
import { Loaded, Skeleton } from "../ui/states";
import type { Asked } from "./usage-query";

const year = 366 * 86_400;

/** Quota is what is left of what was granted, and how long it lasts at the pace of the range. */
export function Quota({ asked }: { asked: Asked }) {
  const { t, tn, format } = useI18n();
  const { startTime, endTime } = asked.span;
  const long = startTime === undefined || (endTime ?? Date.now() / 1000) - startTime > year;
  const query = long ? { timeRange: 365 } : { startTime, endTime };
  const quota = useQuery({
    queryKey: ["quota", query],
    queryFn: ({ signal }) => api.get("/api/usage/quota", { query, signal }),
    placeholderData: keepPreviousData,
  });
  if (quota.data?.unlimited) return null;
  return (
    <Card title={t("usage.quota")}>
      <Loaded query={quota} loading={<Skeleton className="h-24 w-full" />}>
        {(q) => {
          const used = share(plain(q.used), plain(q.total));
          return (
            <div className="flex flex-col gap-4">
              <div>
                <div className="mb-1.5 flex flex-wrap justify-between gap-2">
                  <span>
                    {t("usage.quota.used")} <Amount of={plain(q.used)} />
                  </span>
                  <span className="text-ink-3">
                    {t("usage.quota.of")} <Amount of={plain(q.total)} />
                  </span>
                </div>
                <progress className="w-full" max={100} value={used} aria-label={t("usage.quota.used")} />
              </div>
              <Facts
                items={[
                  [t("usage.quota.left"), <Amount key="l" of={plain(q.remaining)} />],
                  [tn("home.average", q.days), <Amount key="a" of={plain(q.dailyAvgCredits)} />],
                  [
                    t("home.lasts"),
                    q.estimatedDaysRemaining >= 999
                      ? "999+"
                      : tn("home.days", q.estimatedDaysRemaining, { n: count(format, q.estimatedDaysRemaining) }),
                  ],
                  q.pendingCredit > 0 && [t("usage.quota.owed"), <Amount key="o" of={plain(q.pendingCredit)} />],
                ]}
              />
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}

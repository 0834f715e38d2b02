import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api } from "../api/client";
import { dateTime, sign } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Amount } from "../ui/page";
import { Note } from "../ui/states";
import { balanceQuery, quotaQuery } from "./home-query";

const soon = 7 * 86_400_000; // ms before an end of which one is told
const fewDays = 3;

/** HomeNotices are what somebody has to know or do today; nothing when all is well. */
export function HomeNotices() {
  const { t, tn, format } = useI18n();
  const balance = useQuery(balanceQuery);
  const quota = useQuery(quotaQuery);
  const keys = useQuery({
    queryKey: ["keys", "ending"],
    queryFn: ({ signal }) => api.get("/api/auth/keys", { query: { pageSize: 100 }, signal }),
  });
  const status = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => api.get("/api/status", { signal }),
  });
  const now = Date.now();
  const notes: [string, "warn" | "danger", ReactNode][] = [];
  const b = balance.data;
  if (b && b.billing !== "off") {
    const days = quota.data?.estimatedDaysRemaining;
    const credits = (
      <Link to="/credits" search={{}} className="font-medium text-accent underline">
        {t("nav.credits")}
      </Link>
    );
    if (sign(b.debt) > 0)
      notes.push([
        "debt",
        "danger",
        <>
          {t("home.notice.debt")} <Amount of={b.debt} /> · {credits}
        </>,
      ]);
    else if (sign(b.available) <= 0)
      notes.push([
        "empty",
        "danger",
        <>
          {t("home.notice.empty")} {credits}
        </>,
      ]);
    else if (days !== undefined && days <= fewDays)
      notes.push([
        "low",
        "warn",
        <>
          {tn("home.notice.low", days)} {credits}
        </>,
      ]);
  }
  for (const k of keys.data?.data ?? []) {
    if (k.revoked_at || !k.expires_at) continue;
    const left = new Date(k.expires_at).getTime() - now;
    if (left > 0 && left < soon)
      notes.push([
        `key ${k.id}`,
        "warn",
        <>
          {t("home.notice.key", { name: k.name, at: dateTime(format, k.expires_at) })}{" "}
          <Link to="/keys" search={{ key: k.id }} className="font-medium text-accent underline">
            {t("nav.keys")}
          </Link>
        </>,
      ]);
  }
  if (status.data?.status === "outage" || status.data?.status === "degraded")
    notes.push([
      "status",
      status.data.status === "outage" ? "danger" : "warn",
      <>
        {t(`status.overall.${status.data.status}`)}{" "}
        <Link to="/status" search={{}} className="font-medium text-accent underline">
          {t("nav.status")}
        </Link>
      </>,
    ]);
  if (notes.length === 0) return null;
  return (
    <div className="flex flex-col gap-2">
      {notes.map(([key, kind, text]) => (
        <Note key={key} kind={kind}>
          {text}
        </Note>
      ))}
    </div>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { api } from "../api/client";
import { navigation } from "../app/nav";
import { useI18n } from "../lib/i18n";
import { Time } from "../ui/page";
import type { Overview } from "./overview";

interface Matter {
  key: string;
  kind: "danger" | "warn" | "info";
  text: ReactNode;
  about?: ReactNode;
  to?: string;
  search?: Record<string, string>;
}

/** placed is a path of the console that an administrator can go to. */
const placed = (to: string) => navigation("owner").some((g) => g.places.some((p) => p.to === to));

const severities: Record<string, Matter["kind"]> = { error: "danger", warning: "warn", info: "info" };

/** Hand lists what somebody has to look at, the worst first. */
export function Hand({ now }: { now: Overview }) {
  const { t, tn } = useI18n();
  const proposals = useQuery({
    queryKey: ["proposals", "some"],
    queryFn: ({ signal }) => api.get("/api/admin/catalogue/proposals", { query: { pageSize: 1 }, signal }),
  });
  const check = useQuery({
    queryKey: ["rates", "check"],
    queryFn: ({ signal }) => api.get("/api/admin/rates/check", { query: { pageSize: 1 }, signal }),
  });
  const matters: Matter[] = [
    ...now.alerts.map(
      (a): Matter => ({
        key: a.id,
        kind: severities[a.severity] ?? "warn",
        text: a.title,
        about: (
          <>
            {t("overview.since")} <Time at={a.raised_at} />
            {a.acknowledged_by && ` · ${t("overview.cared", { name: a.acknowledged_by })}`}
          </>
        ),
        to: "/admin/alerts",
      }),
    ),
    ...now.credentials
      .filter((c) => !now.alerts.some((a) => a.subject === `${c.provider}/${c.credential}`))
      .map(
        (c): Matter => ({
          key: `c ${c.provider} ${c.credential}`,
          kind: c.left === 0 ? "danger" : "warn",
          text: t(c.state === "cooling" ? "overview.credential.rests" : "overview.credential.off", {
            name: `${c.provider}/${c.credential}`,
          }),
          about: (
            <>
              {c.reason}
              {c.until && (
                <>
                  {t("credential.until")} <Time at={c.until} />
                </>
              )}
              {" · "}
              {tn("overview.credential.left", c.left)}
            </>
          ),
          to: "/admin/providers",
          search: { name: c.provider },
        }),
      ),
    ...now.failing.map(
      (m): Matter => ({
        key: `m ${m.provider} ${m.model}`,
        kind: "warn",
        text: t("overview.failing", { name: `${m.provider}/${m.model}` }),
        about: t("overview.failing.about"),
        to: "/admin/providers",
        search: { name: m.provider },
      }),
    ),
    ...now.jobs.map(
      (j): Matter => ({
        key: `j ${j.name}`,
        kind: "warn",
        text: tn("overview.job", j.failures, { name: j.name }),
        about: j.error,
        to: "/admin/system",
        search: { tab: "jobs" },
      }),
    ),
  ];
  if (now.backlog.usage_dead > 0)
    matters.push({ key: "dead", kind: "danger", text: tn("overview.dead", now.backlog.usage_dead), to: "/admin/outbox" });
  if ((check.data?.total ?? 0) > 0)
    matters.push({ key: "check", kind: "warn", text: tn("overview.rates", check.data?.total ?? 0), to: "/admin/rates" });
  if ((proposals.data?.data.length ?? 0) > 0)
    matters.push({
      key: "proposals",
      kind: "info",
      text: t("overview.proposals"),
      to: "/admin/rates",
      search: { tab: "proposals" },
    });
  if (matters.length === 0)
    return (
      <p className="flex items-center gap-2.5 px-4 py-6">
        <CircleCheck aria-hidden className="size-5 text-ok" />
        {t("overview.hand.none")}
      </p>
    );
  const rank = { danger: 0, warn: 1, info: 2 };
  const shown = matters.sort((a, b) => rank[a.kind] - rank[b.kind]);
  return (
    <ul className="divide-y divide-line">
      {shown.map((m) => (
        <li key={m.key} className="flex items-start gap-2.5 px-4 py-3">
          <Sign kind={m.kind} />
          <div className="min-w-0 flex-1">
            <p className="break-words">{m.text}</p>
            {m.about && <p className="text-sm break-words text-ink-3">{m.about}</p>}
          </div>
          {m.to && placed(m.to) && (
            <Link
              to={m.to as "/"}
              search={(m.search ?? {}) as never}
              aria-label={t("overview.look.at", { name: typeof m.text === "string" ? m.text : "" })}
              className="shrink-0 text-sm text-accent hover:underline"
            >
              {t("overview.look")}
            </Link>
          )}
        </li>
      ))}
    </ul>
  );
}

function Sign({ kind }: { kind: Matter["kind"] }) {
  const look = "mt-0.5 size-4.5 shrink-0";
  if (kind === "danger") return <CircleAlert aria-hidden className={`${look} text-danger`} />;
  if (kind === "warn") return <TriangleAlert aria-hidden className={`${look} text-warn`} />;
  return <Info aria-hidden className={`${look} text-accent`} />;
}

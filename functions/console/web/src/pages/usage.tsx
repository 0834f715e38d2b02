import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { RefreshCw, X } from "lucide-react";
import { api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useI18n } from "../lib/i18n";
import { type Chosen, stepsOf } from "../lib/range";
import { Button } from "../ui/button";
import { Page } from "../ui/page";
import { RangePicker } from "../ui/range-picker";
import { Note } from "../ui/states";
import { useFacet } from "./calls-query";
import { UsageErrors } from "./usage-errors";
import { UsageFigures } from "./usage-figures";
import { UsageLatency } from "./usage-latency";
import { type Asked, narrowings, useAsked } from "./usage-query";
import { Quota } from "./usage-quota";
import { UsageTop } from "./usage-top";
import { UsageTrend } from "./usage-trend";

/** Usage is what was called in a range of time, what it cost, how fast it was and what failed. */
export function Usage() {
  const { t } = useI18n();
  const asked = useAsked();
  const invalidate = useInvalidate();
  const summary = useQuery({
    queryKey: ["usage", "summary", asked.query],
    queryFn: ({ signal }) => api.get("/api/usage/summary", { query: { ...asked.query, compare: "previous" }, signal }),
    placeholderData: keepPreviousData,
  });
  return (
    <Page
      title={t("nav.usage")}
      about={t("usage.about")}
      actions={
        <Button
          onClick={() => invalidate("usage", "quota")}
          busy={summary.isFetching}
          icon={<RefreshCw aria-hidden className="size-4" />}
        >
          {t("action.refresh")}
        </Button>
      }
    >
      <Filters asked={asked} />
      {summary.data?.utc_days && <Note>{t("usage.utc")}</Note>}
      {summary.data?.complete_from && <Note kind="warn">{t("usage.partial")}</Note>}
      <UsageFigures summary={summary} />
      <UsageTrend asked={asked} />
      <UsageTop asked={asked} />
      <div className="grid items-start gap-5 xl:grid-cols-2">
        <UsageLatency asked={asked} summary={summary} />
        <UsageErrors asked={asked} />
      </div>
      {!asked.everyone && <Quota asked={asked} />}
    </Page>
  );
}

function Filters({ asked }: { asked: Asked }) {
  const { t, known } = useI18n();
  const navigate = useNavigate({ from: "/usage" });
  const { search, admin, everyone, span, step } = asked;
  const set = (change: Partial<typeof search>) => navigate({ search: (old) => ({ ...old, page: undefined, ...change }) });
  const keys = useFacet("key", everyone, search.key !== undefined);
  const apps = useFacet("app", everyone, search.app !== undefined);
  const said = (n: (typeof narrowings)[number]) => {
    const value = search[n] ?? "";
    if (n === "type") return known(`type.${value}`, value);
    if (n === "category") return known(`category.${value}`, value);
    return [...(n === "key" ? keys : n === "app" ? apps : [])].find(([v]) => v === value)?.[1] ?? value;
  };
  const narrowed = narrowings.filter((n) => search[n] !== undefined);
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-2 gap-2 sm:flex sm:flex-wrap">
        <RangePicker value={search} usual="30d" onChange={(change: Chosen) => set(change)} />
        <select
          aria-label={t("usage.step")}
          className="input sm:w-auto"
          value={step}
          onChange={(e) => set({ step: e.target.value })}
        >
          {stepsOf(span).map((s) => (
            <option key={s} value={s}>
              {t(`usage.step.${s}`)}
            </option>
          ))}
        </select>
        {admin && (
          <select
            aria-label={t("calls.of")}
            className="input sm:w-auto"
            value={everyone ? "all" : "own"}
            onChange={(e) => set({ everyone: e.target.value === "all" || undefined, user: undefined, key: undefined })}
          >
            <option value="own">{t("calls.own")}</option>
            <option value="all">{t("calls.everyone")}</option>
          </select>
        )}
      </div>
      {narrowed.length > 0 && (
        <ul className="flex flex-wrap gap-2">
          {narrowed.map((n) => (
            <li key={n}>
              <button
                type="button"
                onClick={() => set({ [n]: undefined, ...(n === "user" ? { everyone: true } : {}) })}
                className="inline-flex min-h-8 max-w-full items-center gap-1.5 rounded-full border border-line-strong bg-surface px-3 text-sm hover:bg-sunken"
              >
                <span className="text-ink-3">{t(`usage.by.${n}`)}</span>
                <span className="truncate font-medium">{said(n)}</span>
                <X aria-hidden className="size-3.5" />
                <span className="sr-only">{t("action.remove")}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

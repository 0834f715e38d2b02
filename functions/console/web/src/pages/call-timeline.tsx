import { duration } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { type Leg, timeline } from "../lib/timeline";
import { Badge } from "../ui/states";
import type { Detail } from "./call-drawer";

const fills: Record<Leg["kind"], string> = {
  hub: "fill-line-strong",
  failed: "fill-danger",
  wait: "fill-accent/55",
  answer: "fill-accent",
};

/** Timeline is the way of a call in time: a line for each leg, where and as long as it was. */
export function Timeline({ call }: { call: Detail }) {
  const { t, format } = useI18n();
  const tries = call.explanation?.attempts ?? [];
  const legs = timeline({ ...call, attempts: tries });
  const all = Math.max(1, call.duration_ms ?? 0);
  const name = (l: Leg) => {
    switch (l.kind) {
      case "hub":
        return t("call.leg.hub");
      case "failed":
        return t("call.leg.failed", { n: l.number ?? 0 });
      case "wait":
        return tries.length > 1 ? t("call.leg.wait.of", { n: l.number ?? 0 }) : t("call.leg.wait");
      case "answer":
        return call.stream ? t("call.leg.stream") : t("call.leg.answer");
    }
  };
  return (
    <ol className="flex flex-col gap-1.5">
      {legs.map((l) => (
        <li key={`${l.kind} ${l.number ?? ""}`} className="grid grid-cols-[minmax(7rem,11rem)_1fr_4.5rem] items-center gap-3">
          <span className="truncate text-sm text-ink-2" title={name(l)}>
            {name(l)}
          </span>
          <svg aria-hidden viewBox="0 0 1000 10" preserveAspectRatio="none" className="h-2.5 w-full">
            <rect width="1000" height="10" rx="3" className="fill-sunken" />
            <rect
              x={Math.min(994, (l.start / all) * 1000)}
              width={Math.max(6, (l.ms / all) * 1000)}
              height="10"
              className={fills[l.kind]}
            />
          </svg>
          <span className="text-right text-sm tabular-nums">{duration(format, l.ms)}</span>
        </li>
      ))}
      <li className="grid grid-cols-[minmax(7rem,11rem)_1fr_4.5rem] gap-3 border-t border-line pt-1.5 font-medium">
        <span className="text-sm">{t("call.leg.end")}</span>
        <span />
        <span className="text-right text-sm tabular-nums">{duration(format, call.duration_ms ?? 0)}</span>
      </li>
    </ol>
  );
}

/** Attempts are the tries of a call, in their order, and what came of each. */
export function Attempts({ call }: { call: Detail }) {
  const { t, known, format } = useI18n();
  const tries = call.explanation?.attempts ?? [];
  if (tries.length === 0) return <p className="text-ink-3">{call.plan.why || t("call.attempts.none")}</p>;
  return (
    <ol className="flex flex-col gap-2">
      {tries.map((a, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: tries have their order only
        <li key={i} className="rounded-lg border border-line px-3 py-2">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="text-sm text-ink-3 tabular-nums">{i + 1}</span>
            <span className="min-w-0 flex-1 font-mono text-[13px] break-all">
              {a.provider}/{a.model}
            </span>
            <Badge kind={a.answered && a.http_status < 400 ? "ok" : "danger"}>
              {a.http_status ? `HTTP ${a.http_status}` : t("call.noanswer")}
            </Badge>
            <span className="text-sm text-ink-3 tabular-nums">
              {a.duration_ms === null ? "–" : duration(format, a.duration_ms)}
            </span>
          </div>
          {(a.category || a.credential) && (
            <p className="mt-0.5 text-sm text-ink-3">
              {[a.category && known(`category.${a.category}`, a.category.replaceAll("_", " ")), a.credential]
                .filter(Boolean)
                .join(" · ")}
            </p>
          )}
          {a.error && <p className="mt-1 text-sm text-danger">{a.error}</p>}
        </li>
      ))}
    </ol>
  );
}

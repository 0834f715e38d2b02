import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { count, credits, duration } from "../lib/format";
import { useI18n } from "../lib/i18n";
import type { Figures } from "./talk";

/** perSecond is how many tokens came in a second, from the first on; undefined where that was too short to tell. */
export function perSecond(f: Figures): number | undefined {
  if (!f.output || f.totalMs === undefined) return undefined;
  const ms = f.totalMs - (f.firstMs ?? 0);
  return ms >= 1 ? (f.output * 1000) / ms : undefined;
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex gap-1 whitespace-nowrap">
      <dt>{name}</dt>
      <dd className="font-medium text-ink-2 tabular-nums">{children}</dd>
    </div>
  );
}

/** Took is what an answer took: times, tokens and its price. */
export function Took({ figures: f, waiting }: { figures: Figures; waiting?: boolean }) {
  const { t, format } = useI18n();
  const speed = perSecond(f);
  if (f.totalMs === undefined) return null;
  return (
    <dl className="flex flex-wrap gap-x-3 gap-y-0.5 text-sm text-ink-3">
      {f.firstMs !== undefined && <Figure name={t("play.figure.first")}>{duration(format, f.firstMs)}</Figure>}
      <Figure name={t("play.figure.total")}>{duration(format, f.totalMs)}</Figure>
      {f.input !== undefined && (
        <Figure name={t("play.figure.tokens")}>
          {count(format, f.input)}
          {f.output !== undefined && ` → ${count(format, f.output)}`}
        </Figure>
      )}
      {!!f.cached && <Figure name={t("play.figure.cached")}>{count(format, f.cached)}</Figure>}
      {!!f.reasoning && <Figure name={t("play.figure.reasoning")}>{count(format, f.reasoning)}</Figure>}
      {speed !== undefined && (
        <Figure name={t("play.figure.speed")}>
          {count(format, speed >= 10 ? Math.round(speed) : Math.round(speed * 10) / 10)}
        </Figure>
      )}
      {f.credits !== undefined ? (
        <Figure name={t("play.figure.cost")}>
          <span title={credits(format, f.credits, true)}>{credits(format, f.credits)}</span>
        </Figure>
      ) : f.free ? (
        <Figure name={t("play.figure.cost")}>{t("play.figure.free")}</Figure>
      ) : (
        waiting && f.callId && <Figure name={t("play.figure.cost")}>…</Figure>
      )}
      {f.callId && (
        <div className="whitespace-nowrap">
          <dt className="sr-only">{t("call.title")}</dt>
          <dd>
            <Link to="/calls" search={{ call: f.callId }} className="text-accent hover:underline">
              {t("play.figure.call")}
            </Link>
          </dd>
        </div>
      )}
    </dl>
  );
}

import { Square } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useInvalidate } from "../app/session";
import { duration } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { callOf, request } from "./call";
import { costOf } from "./cost";
import { Thrown } from "./fault";
import type { Figures } from "./talk";

export interface Run {
  busy: boolean;
  fault: unknown;
  /** since when it runs, by performance.now(). */
  since: number;
  start: (work: (signal: AbortSignal) => Promise<void>) => void;
  stop: () => void;
}

/** useRun does one thing at a time that takes long, can be stopped, and ends with its page. */
export function useRun(): Run {
  const controller = useRef<AbortController>(undefined);
  const [state, setState] = useState<{ busy: boolean; fault: unknown; since: number }>({
    busy: false,
    fault: undefined,
    since: 0,
  });
  useEffect(() => () => controller.current?.abort(), []);
  return {
    ...state,
    start: (work) => {
      controller.current?.abort();
      const own = new AbortController();
      controller.current = own;
      setState({ busy: true, fault: undefined, since: performance.now() });
      work(own.signal).then(
        () => setState((s) => ({ ...s, busy: false })),
        (fault) => setState((s) => ({ ...s, busy: false, fault: own.signal.aborted ? undefined : fault })),
      );
    },
    stop: () => controller.current?.abort(),
  };
}

/** Go starts a run, or stops it, and says what became of it. */
export function Go({ run, label, disabled, children }: { run: Run; label: string; disabled?: boolean; children?: ReactNode }) {
  const { t, format } = useI18n();
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (!run.busy) return;
    const timer = setInterval(() => setNow(performance.now()), 500);
    return () => clearInterval(timer);
  }, [run.busy]);
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit" look="primary" busy={run.busy} disabled={disabled}>
          {label}
        </Button>
        {run.busy && (
          <>
            <Button onClick={run.stop} icon={<Square aria-hidden className="size-3.5 fill-current" />}>
              {t("play.stop")}
            </Button>
            <span className="text-sm text-ink-3 tabular-nums">
              {duration(format, 1000 * Math.max(0, Math.round((now - run.since) / 1000)))}
            </span>
          </>
        )}
        {children}
      </div>
      <Thrown fault={run.fault} />
    </div>
  );
}

/** useAsk sends work beside chat, and gives the answer with what it took. told hears of the price when it is known later. */
export function useAsk() {
  const invalidate = useInvalidate();
  return async (
    path: string,
    body: object | FormData,
    signal: AbortSignal,
    told?: (more: Pick<Figures, "credits" | "free">) => void,
  ) => {
    const started = performance.now();
    const answer = await request(path, body, signal);
    const blob = await answer.blob();
    const callId = callOf(answer);
    const credits = answer.headers.get("x-aigne-hub-credits") ?? undefined;
    const figures: Figures = { totalMs: Math.round(performance.now() - started), callId: callId || undefined, credits };
    if (credits === undefined && callId && told) void costOf(callId).then((cost) => cost && told(cost));
    void invalidate("calls", "balance");
    return { blob, figures, kind: answer.headers.get("content-type") ?? "" };
  };
}

/** The way of a call in time: what passed in the hub, each try, the wait for the first byte, the answer. */

export interface Leg {
  kind: "hub" | "failed" | "wait" | "answer";
  /** try: its number from 1, of failed ones and of the wait. */
  number?: number;
  start: number; // ms since the call was admitted
  ms: number;
}

interface Tries {
  duration_ms: number | null;
  ttfb_ms: number | null;
  provider_ttfb_ms: number | null;
  attempts: { answered: boolean; duration_ms: number | null }[];
}

/** timeline puts a call's times one after the other. What is not on record, such as the order of waits between tries, is in the first leg. */
export function timeline(c: Tries): Leg[] {
  if (c.duration_ms === null) return [];
  const total = c.duration_ms;
  const failed = c.attempts.filter((a) => !a.answered).map((a) => a.duration_ms ?? 0);
  const sum = failed.reduce((x, y) => x + y, 0);
  const answers = c.attempts.some((a) => a.answered);
  const first = Math.min(total, c.ttfb_ms ?? total);
  const wait = answers ? Math.min(c.provider_ttfb_ms ?? Math.max(0, first - sum), first) : 0;
  const hub = Math.max(0, (answers ? first : total) - sum - wait);
  const legs: Leg[] = [];
  let at = 0;
  const add = (kind: Leg["kind"], ms: number, number?: number) => {
    if (ms > 0 || kind !== "hub")
      legs.push({ kind, number, start: Math.min(at, total), ms: Math.min(ms, Math.max(0, total - at)) });
    at += ms;
  };
  add("hub", hub);
  for (const [i, ms] of failed.entries()) add("failed", ms, i + 1);
  if (answers) {
    add("wait", wait, failed.length + 1);
    if (total > at) add("answer", total - at);
  }
  return legs;
}

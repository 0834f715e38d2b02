import { dayOf, plusDays, plusMonths, startOf } from "./zone";

/** Ranges of time as they stand in addresses: a name, or days from and until, both of them within. */

export const presets = ["24h", "today", "yesterday", "7d", "30d", "90d", "month", "last-month", "12m"] as const;
export type Preset = (typeof presets)[number];

export interface Chosen {
  range?: string;
  from?: string;
  until?: string;
}

/** Span is what the hub is asked for, in seconds since 1970. Without an end it goes on until now. */
export interface Span {
  startTime?: number;
  endTime?: number;
}

const hour = 3600;
const seconds = (ms: number | undefined) => (ms === undefined ? undefined : Math.floor(ms / 1000));

/** presetOf is the name of a chosen range: custom where days are given, else what is chosen, else the usual one. */
export function presetOf<T extends string>(c: Chosen, usual: T): Preset | "custom" | T {
  if (c.range === "custom" || c.from || c.until) return "custom";
  return presets.find((p) => p === c.range) ?? usual;
}

/** spanOf is the span of a chosen range, in days of a zone. What is no day bounds nothing. */
export function spanOf(c: Chosen, usual: Preset | "all", zone: string, now = Date.now()): Span {
  const today = dayOf(zone, now);
  const since = (day: string): Span => ({ startTime: seconds(startOf(zone, day)) });
  const between = (from: string, until: string): Span => ({ ...since(from), endTime: seconds(startOf(zone, until)) });
  switch (presetOf(c, usual)) {
    case "24h": {
      const quarter = 900; // so that the same is asked for a while
      return { startTime: Math.floor(now / 1000 / quarter) * quarter - 24 * hour };
    }
    case "today":
      return since(today);
    case "yesterday":
      return between(plusDays(today, -1), today);
    case "7d":
      return since(plusDays(today, -6));
    case "30d":
      return since(plusDays(today, -29));
    case "90d":
      return since(plusDays(today, -89));
    case "month":
      return since(plusMonths(today, 0));
    case "last-month":
      return between(plusMonths(today, -1), plusMonths(today, 0));
    case "12m":
      return since(plusMonths(today, -11));
    case "custom":
      return {
        startTime: c.from ? seconds(startOf(zone, c.from)) : undefined,
        endTime: c.until ? seconds(startOf(zone, plusDays(c.until, 1))) : undefined,
      };
    default:
      return {};
  }
}

export const steps = ["hour", "day", "week", "month"] as const;
export type Step = (typeof steps)[number];

const sizes: Record<Step, number> = { hour, day: 24 * hour, week: 168 * hour, month: 730 * hour };
const most = 400; // points that a chart shows well

/** stepsOf are the steps that make sense for a span: at least two points, and no more than can be seen. */
export function stepsOf(s: Span, now = Date.now()): Step[] {
  const length = (s.endTime ?? now / 1000) - (s.startTime ?? 0);
  const fit = steps.filter((x) => length / sizes[x] <= most && length >= sizes[x] * 1.5);
  if (fit.length > 0) return fit;
  return length > sizes.month ? ["month"] : ["hour"];
}

/** stepOf is the step that a chart has unless another that makes sense is chosen. */
export function stepOf(s: Span, chosen: string | undefined, now = Date.now()): Step {
  const fit = stepsOf(s, now);
  const length = (s.endTime ?? now / 1000) - (s.startTime ?? 0);
  const usual: Step = length <= 49 * hour ? "hour" : length <= 2400 * hour ? "day" : length <= 9600 * hour ? "week" : "month";
  return fit.find((x) => x === chosen) ?? fit.find((x) => x === usual) ?? fit[0] ?? "day";
}

import type { Format } from "../lib/format";
import type { Step } from "../lib/range";

const axis: Record<Step, Intl.DateTimeFormatOptions> = {
  hour: { hour: "numeric", minute: "2-digit" },
  day: { month: "short", day: "numeric" },
  week: { month: "short", day: "numeric" },
  month: { year: "2-digit", month: "short" },
};
const whole: Record<Step, Intl.DateTimeFormatOptions> = {
  hour: { weekday: "short", month: "short", day: "numeric", hour: "numeric", minute: "2-digit" },
  day: { weekday: "short", year: "numeric", month: "short", day: "numeric" },
  week: { year: "numeric", month: "short", day: "numeric" },
  month: { year: "numeric", month: "long" },
};

/** moment is what a point of a chart is called, in few characters or in full. */
export function moment(f: Format, iso: string, step: Step, full = false): string {
  return new Intl.DateTimeFormat(f.locale, { ...(full ? whole : axis)[step], timeZone: f.timeZone }).format(new Date(iso));
}

import type { Format } from "./format";

/** Days of a time zone. A day is written YYYY-MM-DD; moments are milliseconds since 1970. */

/** zoneOf is the IANA time zone that days are of: that of the profile, else the browser's. */
export function zoneOf(f: Format): string {
  return f.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

function clock(zone: string): Intl.DateTimeFormat {
  let known = clocks.get(zone);
  if (!known) {
    known = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    clocks.set(zone, known);
  }
  return known;
}

/** wall is what clocks of a zone show at a moment, as the milliseconds at which UTC's show the same. */
function wall(zone: string, at: number): number {
  const p: Record<string, number> = {};
  for (const { type, value } of clock(zone).formatToParts(at)) p[type] = Number(value);
  return Date.UTC(p.year ?? 0, (p.month ?? 1) - 1, p.day, p.hour, p.minute, p.second);
}

const day = 86_400_000;

/** dayOf is the day of a zone that a moment is in. */
export function dayOf(zone: string, at: number): string {
  return new Date(wall(zone, at)).toISOString().slice(0, 10);
}

const written = /^\d{4}-\d{2}-\d{2}$/;

/** utcOf is a day's midnight in UTC, undefined of what is no day. */
function utcOf(text: string): number | undefined {
  const at = written.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** startOf is the moment at which a day of a zone begins, undefined of what is no day. */
export function startOf(zone: string, text: string): number | undefined {
  const utc = utcOf(text);
  if (utc === undefined) return undefined;
  let at = utc;
  for (let i = 0; i < 3; i++) at = utc - (wall(zone, at) - Math.floor(at / 1000) * 1000); // the offset may change between
  return at;
}

/** plusDays counts days on the calendar. */
export function plusDays(text: string, n: number): string {
  return new Date((utcOf(text) ?? 0) + n * day).toISOString().slice(0, 10);
}

/** plusMonths gives the first day of the month n months on. */
export function plusMonths(text: string, n: number): string {
  const at = new Date(utcOf(text) ?? 0);
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + n, 1)).toISOString().slice(0, 10);
}

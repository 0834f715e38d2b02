/** Formatting by Intl. Money comes as exact decimal strings and stays so: Intl reads them digit by digit, nothing here is a float. */

const decimal = /^(-?)(\d+)(?:\.(\d+))?$/;

function parts(text: string): { negative: boolean; whole: string; fraction: string } | undefined {
  const m = decimal.exec(text);
  return m ? { negative: m[1] === "-", whole: m[2] ?? "0", fraction: m[3] ?? "" } : undefined;
}

/** sign of a decimal string: -1, 0 or 1. */
export function sign(text: string): -1 | 0 | 1 {
  const p = parts(text);
  if (!p || !/[1-9]/.test(p.whole + p.fraction)) return 0;
  return p.negative ? -1 : 1;
}

/** ratio of two decimal strings in percent, bounded by 0 and 100; for bars only, never for sums. */
export function share(part: string, whole: string): number {
  const scale = (text: string) => {
    const p = parts(text) ?? { negative: false, whole: "0", fraction: "" };
    const n = BigInt(p.whole + p.fraction.padEnd(12, "0").slice(0, 12));
    return p.negative ? -n : n;
  };
  const of = scale(whole);
  if (of <= 0n) return 0;
  const n = Number((scale(part) * 10000n) / of) / 100;
  return Math.min(100, Math.max(0, n));
}

/** digits says how many decimals an amount deserves: two where there is a whole part, more for what is smaller. */
function digits(text: string): Intl.NumberFormatOptions {
  const p = parts(text);
  if (!p || /[1-9]/.test(p.whole)) return { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  const zeros = /^0*/.exec(p.fraction)?.[0].length ?? 0;
  if (zeros >= p.fraction.length) return { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return { minimumFractionDigits: 2, maximumFractionDigits: Math.min(12, zeros + 3) };
}

export interface Format {
  locale: string;
  timeZone?: string;
}

/** credits formats an exact amount; full keeps every digit. */
export function credits(f: Format, text: string, full = false): string {
  const p = parts(text);
  if (!p) return text;
  const how = full
    ? { maximumFractionDigits: Math.min(20, Math.max(2, p.fraction.length)), minimumFractionDigits: 2 }
    : digits(text);
  return new Intl.NumberFormat(f.locale, how).format(text as Intl.StringNumericLiteral);
}

/** usd formats an exact amount in US dollars. */
export function usd(f: Format, text: string): string {
  if (!parts(text)) return text;
  return new Intl.NumberFormat(f.locale, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    ...digits(text),
  }).format(text as Intl.StringNumericLiteral);
}

export function count(f: Format, n: number): string {
  return new Intl.NumberFormat(f.locale).format(n);
}

/** short is a count in few characters: 12.3K. */
export function short(f: Format, n: number): string {
  return new Intl.NumberFormat(f.locale, { notation: "compact", maximumFractionDigits: 1 }).format(n);
}

export function percent(f: Format, fraction: number): string {
  return new Intl.NumberFormat(f.locale, { style: "percent", maximumFractionDigits: 1 }).format(fraction);
}

/** duration formats milliseconds as ms below a second and else as seconds or minutes. */
export function duration(f: Format, ms: number): string {
  const unit = (unit: string, value: number, digits: number) =>
    new Intl.NumberFormat(f.locale, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits }).format(value);
  if (ms < 1000) return unit("millisecond", ms, 0);
  return ms < 60_000 ? unit("second", ms / 1000, ms < 10_000 ? 2 : 1) : unit("minute", ms / 60_000, 1);
}

export function dateTime(f: Format, iso: string, seconds = false): string {
  return new Intl.DateTimeFormat(f.locale, {
    dateStyle: "medium",
    timeStyle: seconds ? "medium" : "short",
    timeZone: f.timeZone,
  }).format(new Date(iso));
}

export function date(f: Format, iso: string): string {
  return new Intl.DateTimeFormat(f.locale, { dateStyle: "medium", timeZone: f.timeZone }).format(new Date(iso));
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** ago says how long before or after now something is, in its largest unit. */
export function ago(f: Format, iso: string, now = Date.now()): string {
  const seconds = Math.round((new Date(iso).getTime() - now) / 1000);
  const words = new Intl.RelativeTimeFormat(f.locale, { numeric: "auto" });
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return words.format(seconds, "second");
}

const sizes = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** bytes is a size in its largest decimal unit. */
export function bytes(f: Format, n: number): string {
  let value = n;
  let i = 0;
  for (; Math.abs(value) >= 1000 && i < sizes.length - 1; i++) value /= 1000;
  return new Intl.NumberFormat(f.locale, {
    style: "unit",
    unit: sizes[i],
    unitDisplay: "short",
    maximumFractionDigits: Math.abs(value) < 10 && i > 0 ? 1 : 0,
  }).format(value);
}

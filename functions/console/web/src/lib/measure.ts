import { credits, type Format, short, usd } from "./format";

/** What usage is measured in. Money is the operators'. */

export const measures = ["credits", "calls", "tokens"] as const;
export const money = ["cost", "revenue", "margin"] as const;
export type Measure = (typeof measures)[number] | (typeof money)[number];

export function measuresOf(operator: boolean): Measure[] {
  return operator ? [...measures, ...money] : [...measures];
}

/** sortOf is the hub's order for a measure: what it cannot sort by goes by what it depends on. */
export function sortOf(m: Measure): "credits" | "calls" | "tokens" | "cost" {
  return m === "revenue" || m === "margin" ? "credits" : m;
}

interface SeriesPoint {
  totalCalls: number;
  totalCredits: number;
  totalUsage: number;
  cost_usd?: string;
  revenue_usd?: string;
  margin_usd?: string | null;
}

/** drawn is a point's value for drawing; what is counted exactly is said elsewhere. */
export function drawn(m: Measure, p: SeriesPoint): number {
  switch (m) {
    case "calls":
      return p.totalCalls;
    case "credits":
      return p.totalCredits;
    case "tokens":
      return p.totalUsage;
    case "cost":
      return Number(p.cost_usd ?? 0);
    case "revenue":
      return Number(p.revenue_usd ?? 0);
    case "margin":
      return Number(p.margin_usd ?? 0);
  }
}

/** plain writes a number as a decimal text, never with an exponent. */
export function plain(n: number): string {
  return n.toFixed(9).replace(/\.?0+$/, "") || "0";
}

/** said formats a drawn value in full. */
export function said(f: Format, m: Measure, n: number): string {
  if (m === "calls" || m === "tokens") return new Intl.NumberFormat(f.locale).format(n);
  return m === "credits" ? credits(f, plain(n)) : usd(f, plain(n));
}

/** ticked formats a value of an axis. */
export function ticked(f: Format, m: Measure, n: number): string {
  const small = n !== 0 && Math.abs(n) < 1;
  if (m === "calls" || m === "tokens") return short(f, n);
  if (m === "credits") return small ? new Intl.NumberFormat(f.locale, { maximumSignificantDigits: 2 }).format(n) : short(f, n);
  return new Intl.NumberFormat(f.locale, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    ...(small ? { maximumSignificantDigits: 2 } : { notation: "compact", maximumFractionDigits: 1 }),
  }).format(n);
}

/** Exact sums of decimal texts, for what is shown as money: no floats. */

interface Decimal {
  /** n × 10^-scale */
  n: bigint;
  scale: number;
}

function read(text: string): Decimal {
  const [, sign = "", whole = "0", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  const n = BigInt(whole + fraction);
  return { n: sign ? -n : n, scale: fraction.length };
}

function write({ n, scale }: Decimal): string {
  const digits = (n < 0n ? -n : n).toString().padStart(scale + 1, "0");
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  return `${n < 0n ? "-" : ""}${digits.slice(0, digits.length - scale)}${scale > 0 && fraction ? `.${fraction}` : ""}`;
}

/** times is a price for so many units; parts of units are dropped. */
export function times(price: string, units: number): string {
  const p = read(price);
  return write({ n: p.n * BigInt(Math.trunc(units)), scale: p.scale });
}

export function plus(...all: string[]): string {
  const read_ = all.map(read);
  const scale = Math.max(0, ...read_.map((d) => d.scale));
  return write({ n: read_.reduce((sum, d) => sum + d.n * 10n ** BigInt(scale - d.scale), 0n), scale });
}

/** compare orders decimal texts. */
export function compare(a: string, b: string): number {
  const difference = read(plus(a, b.startsWith("-") ? b.slice(1) : `-${b}`)).n;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

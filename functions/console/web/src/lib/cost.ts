import { plus, times } from "./exact";

/** What calls would cost, by a model's prices: exact, in credits. */

interface Priced {
  prices: Record<string, string> | null;
  tiers?: { above: number; prices: Record<string, string> }[];
}

export interface Example {
  prompt: number; // tokens of the whole prompt
  cached: number; // percent of the prompt that the provider has in its cache
  answer: number; // tokens
  calls: number;
}

export interface Cost {
  input: string;
  cached: string;
  output: string;
  request: string;
  call: string;
  all: string;
}

/** ratesFor are the prices of calls with prompts of so many tokens. */
export function ratesFor(p: Priced, prompt: number): Record<string, string> {
  const tier = (p.tiers ?? []).filter((t) => prompt > t.above).sort((a, b) => b.above - a.above)[0];
  return { ...p.prices, ...tier?.prices };
}

/** cost is what an example comes to; undefined where it is not priced by tokens. */
export function cost(p: Priced, e: Example): Cost | undefined {
  if (p.prices === null) return undefined;
  const rates = ratesFor(p, e.prompt);
  if (rates.input === undefined && rates.output === undefined) return undefined;
  const kept = Math.floor((e.prompt * Math.min(100, Math.max(0, e.cached))) / 100);
  const input = times(rates.input ?? "0", e.prompt - kept);
  const cached = times(rates.cache_read ?? rates.input ?? "0", kept);
  const output = times(rates.output ?? "0", e.answer);
  const request = rates.requests ?? "0";
  const call = plus(input, cached, output, request);
  return { input, cached, output, request, call, all: times(call, e.calls) };
}

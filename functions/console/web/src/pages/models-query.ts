import { useQuery } from "@tanstack/react-query";
import { type Answer, api } from "../api/client";

export type Price = Answer<"/api/billing/prices">["data"][number];
export type Fares = Answer<"/api/status">["models"][number];

export const types = [
  "chatCompletion",
  "embedding",
  "imageGeneration",
  "audioGeneration",
  "video",
  "moderation",
  "rerank",
] as const;

/** What models can be asked for; of structured output nothing is known. */
export const capabilities = ["tools", "vision", "audio", "files", "thinking"] as const;

/** What is priced by the piece and not by the million. */
export const pieces = new Set(["requests", "web_searches", "images", "seconds", "characters"]);

const order = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"];

/** standIn is the kind of token whose price another has that is not priced by itself. */
function standIn(bucket: string): string | undefined {
  if (bucket === "input" || bucket === "output" || pieces.has(bucket)) return undefined;
  return bucket === "reasoning" || bucket.startsWith("output") ? "output" : "input";
}

/** ownPrices are a model's prices without those that only repeat another one, the usual ones first. */
export function ownPrices(p: Pick<Price, "prices">): [string, string][] {
  const all = p.prices ?? {};
  const rank = (b: string) => (order.includes(b) ? order.indexOf(b) : order.length);
  return Object.entries(all)
    .filter(([b, amount]) => amount !== "0" && amount !== all[standIn(b) ?? ""])
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}

/** perMillion moves the point of an exact price per token six places. */
export function perMillion(price: string): string {
  const [whole = "0", fraction = ""] = price.split(".");
  const moved = (whole + fraction.padEnd(6, "0").slice(0, 6)).replace(/^0+(?=\d)/, "");
  const rest = fraction.slice(6).replace(/0+$/, "");
  return rest ? `${moved}.${rest}` : moved;
}

/** useFares gives how a priced model fares. The status page names models without their providers. */
export function useFares(): (p: Price) => Fares | undefined {
  const status = useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => api.get("/api/status", { signal }),
    refetchInterval: 60_000,
  });
  const all = new Map((status.data?.models ?? []).map((m) => [`${m.type} ${m.model}`, m]));
  return (p) => all.get(`${p.type} ${p.model.slice(p.provider.length + 1)}`);
}

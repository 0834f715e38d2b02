import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { type Answer, api } from "../api/client";
import { isAdmin, useMe } from "../app/session";
import { useI18n } from "../lib/i18n";
import { type Measure, measuresOf } from "../lib/measure";
import { spanOf, stepOf } from "../lib/range";
import { zoneOf } from "../lib/zone";
import { type Dimension, dimensions } from "./usage-names";

export type Summary = Answer<"/api/usage/summary">;

/** What statistics are narrowed to, by the names of the address. */
export const narrowings = ["model", "provider", "app", "key", "type", "user", "category"] as const;

const usualDays = 30; // of a range without a beginning, as the hub has it

/** useAsked is what the address of the usage page asks for, as the hub takes it. */
export function useAsked() {
  const { format } = useI18n();
  const me = useMe();
  const search = useSearch({ from: "/inside/usage" });
  const admin = isAdmin(me?.user.role);
  const everyone = admin && (search.everyone === true || search.user !== undefined);
  const zone = zoneOf(format);
  const chosen = spanOf(search, "30d", zone);
  const quarter = 900; // seconds; so that the same is asked for a while
  const end = chosen.endTime ?? Math.ceil(Date.now() / 1000 / quarter) * quarter;
  const span = { ...chosen, startTime: chosen.startTime ?? end - usualDays * 86_400 };
  const types = ["chatCompletion", "embedding", "imageGeneration", "audioGeneration", "video", "moderation", "rerank"] as const;
  const query = {
    ...span,
    timezone: zone,
    scope: everyone && !search.user ? ("all" as const) : undefined,
    user: everyone ? search.user : undefined,
    model: search.model,
    provider: search.provider,
    app: search.app,
    keyId: search.key,
    type: types.find((x) => x === search.type),
    category: search.category,
  };
  const by: Dimension = dimensions.find((d) => d === search.by && (d !== "user" || everyone)) ?? "model";
  const measure: Measure = measuresOf(admin).find((m) => m === search.measure) ?? "credits";
  return { search, admin, everyone, span, query, step: stepOf(span, search.step), by, measure };
}

export type Asked = ReturnType<typeof useAsked>;

export function useTrends({ query, step }: Asked) {
  return useQuery({
    queryKey: ["usage", "trends", query, step],
    queryFn: ({ signal }) => api.get("/api/usage/trends", { query: { ...query, granularity: step }, signal }),
    placeholderData: keepPreviousData,
  });
}

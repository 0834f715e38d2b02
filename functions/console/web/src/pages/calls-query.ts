import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { api } from "../api/client";
import { isAdmin, useMe } from "../app/session";
import { useI18n } from "../lib/i18n";
import { spanOf } from "../lib/range";
import { zoneOf } from "../lib/zone";
import { nameOf } from "./usage-names";

export const callStatuses = ["success", "failed", "aborted", "interrupted", "processing"] as const;
export const callTypes = [
  "chatCompletion",
  "embedding",
  "imageGeneration",
  "audioGeneration",
  "video",
  "moderation",
  "rerank",
] as const;

/** The filters beside time and search, by their names in the address. */
export const callFilters = ["status", "type", "provider", "model", "app", "key", "user", "category", "slow", "credits"] as const;
export type CallFilter = (typeof callFilters)[number];

/** useCallQuery is what the address asks the call log for, as the hub takes it. */
export function useCallQuery() {
  const { format } = useI18n();
  const me = useMe();
  const search = useSearch({ from: "/inside/calls" });
  const admin = isAdmin(me?.user.role);
  const everyone = admin && (search.everyone === true || search.user !== undefined);
  const query = {
    ...spanOf(search, "all", zoneOf(format)),
    scope: everyone ? ("all" as const) : ("own" as const),
    userId: everyone ? search.user : undefined,
    status: search.status,
    type: callTypes.find((x) => x === search.type),
    provider: search.provider,
    model: search.model,
    appId: search.app,
    keyId: search.key,
    errorCategory: search.category,
    minDurationSeconds: search.slow,
    minCredits: search.credits,
    search: search.q,
  };
  return { search, admin, everyone, query };
}

export type CallQuery = ReturnType<typeof useCallQuery>["query"];

const facetDays = 90;
const most = 100;

/** useFacet lists what calls of the last 90 days had, for a filter: value and name, the most used first. */
export function useFacet(by: "provider" | "model" | "app" | "key" | "user" | "category", everyone: boolean, wanted: boolean) {
  const i18n = useI18n();
  const query = { by, timeRange: facetDays, pageSize: most, scope: everyone ? ("all" as const) : undefined };
  const found = useQuery({
    queryKey: ["usage", "facet", query],
    queryFn: ({ signal }) => api.get("/api/usage/breakdown", { query, signal }),
    enabled: wanted,
    staleTime: 300_000,
  });
  return (found.data?.data ?? [])
    .filter((r) => r.key !== "")
    .map((r): [string, string] => {
      if (by === "model") return [r.model ?? r.key, r.model ?? r.key];
      if (by === "category") return [r.key, i18n.known(`category.${r.key}`, r.key.replaceAll("_", " "))];
      if (by === "user") return [r.email || r.key, r.email || r.key];
      return [r.key, nameOf(i18n, by, r)];
    });
}

/** useUserNames names the users whose calls were most in the last 90 days, for admins. */
export function useUserNames(wanted: boolean): Map<string, string> {
  const query = { by: "user" as const, timeRange: facetDays, pageSize: most, scope: "all" as const };
  const found = useQuery({
    queryKey: ["usage", "facet", query],
    queryFn: ({ signal }) => api.get("/api/usage/breakdown", { query, signal }),
    enabled: wanted,
    staleTime: 300_000,
  });
  return useMemo(() => new Map((found.data?.data ?? []).map((r) => [r.key, r.name || r.email || r.key])), [found.data]);
}

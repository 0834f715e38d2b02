import { QueryClient, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { type Answer, ApiError, api } from "../api/client";

export type Me = Answer<"/api/auth/me">;
export type Role = Me["user"]["role"];

/** client keeps what the hub said. Faults of the network are tried again, answers of the hub are not. */
export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (tries, fault) => tries < 2 && (!(fault instanceof ApiError) || fault.status === 0 || fault.status >= 502),
    },
  },
});

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => api.get("/api/auth/me", { signal }),
  staleTime: 60_000,
});

/** waysQuery says how people can sign in, and whether the hub has an owner. */
export const waysQuery = queryOptions({
  queryKey: ["ways"],
  queryFn: ({ signal }) => api.get("/api/auth/providers", { signal }),
});

export const isAdmin = (role: Role | undefined) => role === "owner" || role === "admin";

export function useMe(): Me | undefined {
  return useQuery(meQuery).data;
}

/** useInvalidate marks what the hub said about nouns as old. */
export function useInvalidate() {
  const queries = useQueryClient();
  return (...nouns: string[]) => Promise.all(nouns.map((noun) => queries.invalidateQueries({ queryKey: [noun] })));
}

/** firstKey is where the API key rests that the set-up made, which the hub shows only once, until the page is left. */
export const firstKey = ["first-key"];

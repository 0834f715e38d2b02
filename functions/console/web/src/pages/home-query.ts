import { queryOptions } from "@tanstack/react-query";
import { api } from "../api/client";

export const balanceQuery = queryOptions({
  queryKey: ["balance"],
  queryFn: ({ signal }) => api.get("/api/user/credit/balance", { signal }),
});
export const quotaQuery = queryOptions({
  queryKey: ["quota"],
  queryFn: ({ signal }) => api.get("/api/usage/quota", { query: { timeRange: 30 }, signal }),
});

import { api } from "../api/client";

export const systemQuery = {
  queryKey: ["system"],
  queryFn: ({ signal }: { signal: AbortSignal }) => api.get("/api/admin/system", { signal }),
  refetchInterval: 30_000,
};

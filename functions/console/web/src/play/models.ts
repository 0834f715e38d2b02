import { queryOptions } from "@tanstack/react-query";
import { api } from "../api/client";

export type Kind = "chatCompletion" | "imageGeneration" | "video" | "embedding" | "audioGeneration";

export interface Model {
  /** name is what a request calls it. */
  name: string;
  provider: string;
  /** down: no provider answers for it at the moment. */
  down: boolean;
}

/** own is what the hub names the provider of aliases, which are called by their bare names. */
const own = "aigne-hub";

/** modelsQuery lists what this user can call for a kind of work: aliases first, then models by name. */
export const modelsQuery = (kind: Kind) =>
  queryOptions({
    queryKey: ["play", "models", kind],
    queryFn: async ({ signal }): Promise<Model[]> => {
      const list = await api.get("/api/ai/models", { query: { type: kind === "video" ? "video" : kind }, signal });
      const models = list.map((m) => ({
        name: m.provider === own ? m.model : `${m.provider}/${m.model}`,
        provider: m.providerDisplayName,
        down: m.status?.available === false,
      }));
      return models.filter((m, i) => models.findIndex((o) => o.name === m.name) === i);
    },
    staleTime: 60_000,
  });

/** voicesQuery says how models of sound are priced, from which one sees what they do. */
export const soundQuery = queryOptions({
  queryKey: ["play", "sound"],
  queryFn: async ({ signal }) => {
    const { data } = await api.get("/api/billing/prices", { query: { type: "audioGeneration", pageSize: 100 }, signal });
    return new Map(
      data.map((p) => [p.model, Object.entries(p.prices ?? {}).flatMap(([b, price]) => (price === "0" ? [] : [b]))]),
    );
  },
  staleTime: 60_000,
});

/**
 * does says whether a model of sound may be one that speaks or one that listens. The hub has one kind for both; a model that is
 * priced by characters only speaks, one by seconds only listens, and of all others it is not known.
 */
export function does(work: "speak" | "listen", buckets: readonly string[] | undefined): boolean {
  if (!buckets || buckets.length === 0) return true;
  const only = (...names: string[]) => buckets.every((b) => names.includes(b.split(":")[0] ?? ""));
  return work === "speak" ? !only("seconds", "input_audio", "requests") : !only("characters", "output_audio");
}

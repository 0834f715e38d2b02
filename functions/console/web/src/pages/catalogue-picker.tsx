import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useMemo, useState } from "react";
import { type Answer, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { count } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { TextField } from "../ui/form";
import { Empty, Loaded, Note, useFault } from "../ui/states";
import type { Provider } from "./provider-form";

type Model = Answer<"/api/admin/catalogue/models">["data"][number];
type Rate = Answer<"/api/admin/rates">["data"][number];

/** every reads all pages of what the catalogue knows of a kind. */
async function every(kind: string, signal: AbortSignal): Promise<Model[]> {
  const all: Model[] = [];
  for (let page = 1; ; page++) {
    const got = await api.get("/api/admin/catalogue/models", { query: { kind, page, pageSize: 100 }, signal });
    all.push(...got.data);
    if (got.data.length === 0 || all.length >= got.total) return all;
  }
}

async function priced(provider: string, signal: AbortSignal): Promise<Set<string>> {
  const all: Rate[] = [];
  for (let page = 1; ; page++) {
    const got = await api.get("/api/admin/rates", { query: { provider, page, pageSize: 100 }, signal });
    all.push(...got.data);
    if (got.data.length === 0 || all.length >= got.total) return new Set(all.map((r) => r.model));
  }
}

/** kindOf guesses what a model is for from what it gives. */
function typeOf(m: Model): "chatCompletion" | "embedding" | "imageGeneration" | "video" | undefined {
  const out = m.output_modalities ?? [];
  if (/embed/.test(m.model)) return "embedding";
  if (out.length > 0 && !out.includes("text"))
    return out.includes("image") ? "imageGeneration" : out.includes("video") ? "video" : undefined;
  return "chatCompletion";
}

const most = 60; // rows shown at once; the search finds the rest

/** CataloguePicker prices models of a provider from the catalogue, at cost or with a margin on it. */
export function CataloguePicker({ provider, done }: { provider: Provider; done: (models: string[]) => void }) {
  const { t, tn, format } = useI18n();
  const say = useFault();
  const invalidate = useInvalidate();
  const models = useQuery({
    queryKey: ["catalogue", provider.kind],
    queryFn: ({ signal }) => every(provider.kind, signal),
    staleTime: 600_000,
  });
  const have = useQuery({ queryKey: ["rates", "of", provider.name], queryFn: ({ signal }) => priced(provider.name, signal) });
  const [wanted, setWanted] = useState(new Set<string>());
  const [search, setSearch] = useState("");
  const [margin, setMargin] = useState("0");
  const [progress, setProgress] = useState<number>();
  const [fault, setFault] = useState<unknown>();

  const found = useMemo(() => {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    return (models.data ?? []).filter((m) => m.cost_usd && typeOf(m) && words.every((w) => m.model.toLowerCase().includes(w)));
  }, [models.data, search]);

  function toggle(model: string, on: boolean) {
    setWanted((old) => {
      const next = new Set(old);
      if (on) next.add(model);
      else next.delete(model);
      return next;
    });
  }

  async function save() {
    setFault(undefined);
    setProgress(0);
    const made: string[] = [];
    try {
      for (const m of models.data ?? []) {
        if (!wanted.has(m.model) || !m.cost_usd) continue;
        const tiers = m.cost_usd.tiers?.map((x) => ({
          above_prompt_tokens: x.above_prompt_tokens,
          usd_per_million: x.per_million,
        }));
        await api.put("/api/admin/rates", {
          body: {
            provider: provider.name,
            model: m.model,
            type: typeOf(m),
            usd_per_million: m.cost_usd.per_million,
            cost_usd_per_million: m.cost_usd.per_million,
            tiers,
            cost_tiers: tiers,
            context: m.context,
            max_output: m.max_output,
            reason: "catalogue",
          },
        });
        if (margin && margin !== "0")
          await api.post("/api/admin/rates/reprice", { body: { provider: provider.name, model: m.model, margin } });
        made.push(`${provider.name}/${m.model}`);
        toggle(m.model, false);
        setProgress(made.length);
      }
      done(made);
    } catch (thrown) {
      setFault(thrown); // what is made stays made, what is chosen stays chosen
    } finally {
      setProgress(undefined);
      await invalidate("rates", "models", "prices");
    }
  }

  return (
    <Loaded query={models}>
      {(all) =>
        all.length === 0 ? (
          <Empty title={t("catalogue.none")}>{t("catalogue.none.hint")}</Empty>
        ) : (
          <div className="flex flex-col gap-4">
            <div className="relative">
              <Search aria-hidden className="absolute top-2.5 left-3 size-4 text-ink-3" />
              <input
                type="search"
                aria-label={t("catalogue.search")}
                placeholder={t("catalogue.search")}
                value={search}
                onChange={(e) => setSearch(e.target.value)}
                className="input pl-9"
              />
            </div>
            <ul aria-label={t("catalogue.models")} className="max-h-72 overflow-y-auto rounded-lg border border-line">
              {found.slice(0, most).map((m) => {
                const has = have.data?.has(m.model);
                return (
                  <li key={m.model} className="border-b border-line last:border-0">
                    <label className="flex items-center gap-3 px-3 py-2 hover:bg-sunken">
                      <input
                        type="checkbox"
                        checked={has || wanted.has(m.model)}
                        disabled={has}
                        onChange={(e) => toggle(m.model, e.target.checked)}
                        className="size-4 shrink-0 accent-accent-fill"
                      />
                      <span className="min-w-0 flex-1">
                        <span className="font-mono text-[13px]">{m.model}</span>
                        {m.context > 0 && (
                          <span className="ml-2 text-sm text-ink-3">
                            {t("catalogue.context", { n: count(format, m.context) })}
                          </span>
                        )}
                      </span>
                      <span className="num text-sm text-ink-2">
                        {has
                          ? t("catalogue.priced")
                          : `$${m.cost_usd?.per_million.input ?? "–"} · $${m.cost_usd?.per_million.output ?? "–"}`}
                      </span>
                    </label>
                  </li>
                );
              })}
              {found.length === 0 && <li className="p-4 text-center text-ink-3">{t("catalogue.nothing")}</li>}
              {found.length > most && (
                <li className="p-3 text-center text-sm text-ink-3">{tn("catalogue.more", found.length - most)}</li>
              )}
            </ul>
            <div className="flex flex-wrap items-end gap-3">
              <div className="w-36">
                <TextField
                  label={t("catalogue.margin")}
                  value={margin}
                  onChange={(e) => setMargin(e.target.value.trim())}
                  inputMode="decimal"
                />
              </div>
              <p className="min-w-48 flex-1 pb-2 text-sm text-ink-3">{t("catalogue.hint")}</p>
              <Button look="primary" disabled={wanted.size === 0} busy={progress !== undefined} onClick={save}>
                {wanted.size === 0
                  ? t("start.models")
                  : progress === undefined
                    ? tn("catalogue.price", wanted.size)
                    : `${progress} / ${wanted.size + progress}`}
              </Button>
            </div>
            {fault !== undefined && <Note kind="danger">{say(fault)}</Note>}
          </div>
        )
      }
    </Loaded>
  );
}

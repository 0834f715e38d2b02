import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plug } from "lucide-react";
import { useEffect, useState } from "react";
import { api } from "../api/client";
import { duration } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Badge, Note, useFault } from "../ui/states";
import { type Probe, test } from "./provider-form";

/** useTest asks a provider whether it takes its credentials, and has the health shown anew. */
export function useTest(name: string) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: () => test(name), onSettled: () => queries.invalidateQueries({ queryKey: ["health"] }) });
}

/** useLive asks a provider under one credential after the other, and tells how far it is. */
export function useLive(name: string, credentials: string[]) {
  const queries = useQueryClient();
  const [probes, setProbes] = useState<Probe[]>();
  const asking = useMutation({
    mutationFn: async () => {
      setProbes([]);
      if (credentials.length < 2) {
        setProbes(await test(name));
        return;
      }
      for (const credential of credentials) {
        const { data } = await api.post("/api/admin/providers/{name}/test", { params: { name }, query: { credential } });
        setProbes((old) => [...(old ?? []), ...data]);
      }
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["health"] }),
  });
  return { asking, probes, of: Math.max(1, credentials.length) };
}

/** Probes are what a provider said under each credential. */
export function Probes({ probes }: { probes: Probe[] }) {
  const { t, format } = useI18n();
  if (probes.length === 0) return <Note kind="warn">{t("provider.test.none")}</Note>;
  return (
    <ul className="flex flex-col gap-1.5">
      {probes.map((p) => (
        <li key={p.credential} className="flex flex-wrap items-center gap-2">
          <Badge kind={p.ok ? "ok" : "danger"}>{p.ok ? t("provider.test.ok") : t("provider.test.bad")}</Badge>
          <span>{p.credential}</span>
          <span className="text-sm text-ink-3">{p.ok ? duration(format, p.latency_ms) : p.error || `HTTP ${p.http_status}`}</span>
        </li>
      ))}
    </ul>
  );
}

/** Tested is a provider with a button that tests it live. */
export function Tested({ name, at_once }: { name: string; at_once: boolean }) {
  const { t } = useI18n();
  const say = useFault();
  const probe = useTest(name);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it was just added
  useEffect(() => {
    if (at_once) probe.mutate();
  }, [at_once]);
  return (
    <div className="flex flex-col gap-2.5 rounded-lg border border-line p-3">
      <div className="flex items-center justify-between gap-3">
        <span className="font-medium">{name}</span>
        <Button small busy={probe.isPending} onClick={() => probe.mutate()} icon={<Plug aria-hidden className="size-4" />}>
          {t("provider.test")}
        </Button>
      </div>
      {probe.data && <Probes probes={probe.data} />}
      {probe.error && <Note kind="danger">{say(probe.error)}</Note>}
    </div>
  );
}

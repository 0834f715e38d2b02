import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ArrowLeft, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { api } from "../api/client";
import { cost, type Example } from "../lib/cost";
import { compare } from "../lib/exact";
import { count, credits, duration } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button, IconButton } from "../ui/button";
import { TextField } from "../ui/form";
import { Card, Page } from "../ui/page";
import { Badge, Empty, Loaded, Rows } from "../ui/states";
import { useBucketName } from "./call-price";
import { State, TryIt } from "./models-prices";
import { capabilities, ownPrices, type Price, perMillion, pieces, useFares } from "./models-query";

interface Props {
  names: string[];
  drop: (name: string) => void;
  back: () => void;
}

/** Compare puts models side by side, and what an example would cost with each. */
export function Compare({ names, drop, back }: Props) {
  const { t } = useI18n();
  const [example, setExample] = useState<Example>({ prompt: 2000, cached: 0, answer: 500, calls: 1000 });
  const found = useQuery({
    queryKey: ["prices", "compare", names],
    queryFn: ({ signal }) => api.get("/api/billing/prices", { query: { models: names.join(","), pageSize: 100 }, signal }),
    placeholderData: keepPreviousData,
  });
  return (
    <Page
      title={t("models.compare.title")}
      about={t("models.about")}
      actions={
        <Button onClick={back} icon={<ArrowLeft aria-hidden className="size-4" />}>
          {t("models.compare.back")}
        </Button>
      }
    >
      <Calculator value={example} onChange={setExample} />
      <Card flush>
        <Loaded query={found} loading={<Rows n={10} />}>
          {({ data }) => {
            const models = names.map((n) => data.find((p) => p.model === n)).filter((p) => p !== undefined);
            return models.length === 0 ? (
              <Empty title={t("models.none")}>{t("models.compare.gone")}</Empty>
            ) : (
              <Sides models={models} example={example} drop={drop} />
            );
          }}
        </Loaded>
      </Card>
    </Page>
  );
}

const fields = ["prompt", "cached", "answer", "calls"] as const;
const most: Record<(typeof fields)[number], number> = {
  prompt: 10_000_000,
  cached: 100,
  answer: 1_000_000,
  calls: 1_000_000_000,
};

function Calculator({ value, onChange }: { value: Example; onChange: (e: Example) => void }) {
  const { t } = useI18n();
  return (
    <Card title={t("models.example")}>
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
        {fields.map((f) => (
          <TextField
            key={f}
            label={t(`models.example.${f}`)}
            type="number"
            min={0}
            max={most[f]}
            step={1}
            value={value[f]}
            onChange={(e) => onChange({ ...value, [f]: Math.min(most[f], Math.max(0, Math.trunc(Number(e.target.value) || 0))) })}
          />
        ))}
      </div>
    </Card>
  );
}

function Sides({ models, example, drop }: { models: Price[]; example: Example; drop: (name: string) => void }) {
  const { t, format } = useI18n();
  const bucketName = useBucketName();
  const fares = useFares();
  const costs = models.map((p) => cost(p, example));
  const known = costs.filter((c) => c !== undefined).map((c) => c.all);
  const least = known.reduce<string | undefined>((min, c) => (min === undefined || compare(c, min) < 0 ? c : min), undefined);
  const buckets = [...new Set(models.flatMap((p) => ownPrices(p).map(([b]) => b)))];
  const line = (name: string, cell: (p: Price, i: number) => ReactNode, strong = false) => (
    <tr key={name} className="border-b border-line last:border-0">
      <th
        scope="row"
        className="sticky left-0 min-w-28 bg-surface px-3 py-2.5 text-left align-top text-sm font-normal text-ink-3 sm:min-w-40 sm:px-4"
      >
        {name}
      </th>
      {models.map((p, i) => (
        <td key={p.model} className={`min-w-36 px-3 py-2.5 align-top tabular-nums sm:px-4 ${strong ? "font-semibold" : ""}`}>
          {cell(p, i)}
        </td>
      ))}
    </tr>
  );
  const head = (name: string) => (
    <tr key={name} className="border-b border-line bg-sunken">
      <th scope="colgroup" colSpan={models.length + 1} className="px-3 py-1.5 text-left text-sm font-medium sm:px-4">
        {name}
      </th>
    </tr>
  );
  const amount = (text: string | undefined) => (text === undefined ? "–" : credits(format, text));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section aria-label={t("models.compare.title")} tabIndex={0} className="overflow-x-auto">
      <table className="w-full border-collapse">
        <thead>
          <tr className="border-b border-line">
            <td className="sticky left-0 bg-surface" />
            {models.map((p) => (
              <th key={p.model} scope="col" className="px-3 py-3 text-left align-top font-medium sm:px-4">
                <span className="flex items-start gap-1">
                  <span className="min-w-0 flex-1 break-all">{p.model}</span>
                  <IconButton label={t("action.remove")} onClick={() => drop(p.model)} className="-mt-1.5 -mr-2">
                    <X aria-hidden className="size-4" />
                  </IconButton>
                </span>
                <span className="mt-1.5 block">
                  <TryIt of={p} small />
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {head(t("models.example.of"))}
          {line(t("models.example.call"), (_, i) => amount(costs[i]?.call))}
          {line(
            t("models.example.all", { n: count(format, example.calls) }),
            (_, i) => (
              <span className="flex flex-wrap items-center gap-2">
                {amount(costs[i]?.all)}
                {known.length > 1 && costs[i]?.all === least && <Badge kind="ok">{t("models.example.least")}</Badge>}
              </span>
            ),
            true,
          )}
          {head(t("models.compare.what"))}
          {line(t("models.type"), (p) => t(`type.${p.type}`))}
          {line(t("models.status"), (p) => (
            <State of={fares(p)} />
          ))}
          {line(t("status.response"), (p) => {
            const ms = fares(p)?.response_ms;
            return ms === null || ms === undefined ? "–" : duration(format, ms);
          })}
          {line(t("models.context"), (p) => (p.context_length ? count(format, p.context_length) : "–"))}
          {line(t("models.output.most"), (p) => (p.max_output_tokens ? count(format, p.max_output_tokens) : "–"))}
          {line(t("models.can"), (p) => {
            const all = capabilities.filter((c) => p.capabilities.includes(c));
            return all.length > 0 ? all.map((c) => t(`models.can.${c}`)).join(", ") : "–";
          })}
          {buckets.length > 0 && head(t("models.compare.prices"))}
          {buckets.map((b) =>
            line(pieces.has(b) ? t("models.each", { what: bucketName(b) }) : bucketName(b), (p) => {
              const price = p.prices?.[b];
              return amount(price && !pieces.has(b) ? perMillion(price) : price);
            }),
          )}
        </tbody>
      </table>
    </section>
  );
}

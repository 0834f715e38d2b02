import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client";
import { useT } from "../lib/i18n";
import { IconButton } from "../ui/button";
import { Form, SelectField, TextField } from "../ui/form";
import { Note } from "../ui/states";
import { useBucketName } from "./call-price";
import { types } from "./models-query";
import { providersQuery } from "./provider-form";
import type { Rate } from "./rates";

const buckets = [
  "input",
  "output",
  "cache_read",
  "cache_write_5m",
  "cache_write_1h",
  "reasoning",
  "input_audio",
  "output_audio",
  "input_image",
  "output_image",
  "images",
  "seconds",
  "characters",
  "web_searches",
  "requests",
];

interface Row {
  bucket: string;
  price: string;
  cost: string;
}

function rowsOf(rate: Rate | undefined): Row[] {
  if (!rate)
    return [
      { bucket: "input", price: "", cost: "" },
      { bucket: "output", price: "", cost: "" },
    ];
  const costs = rate.cost_usd_per_million ?? {};
  const names = new Set([...Object.keys(rate.credits_per_million), ...Object.keys(costs)]);
  const order = (b: string) => (buckets.includes(b) ? buckets.indexOf(b) : buckets.length);
  return [...names]
    .sort((a, b) => order(a) - order(b) || a.localeCompare(b))
    .map((bucket) => ({ bucket, price: rate.credits_per_million[bucket] ?? "", cost: costs[bucket] ?? "" }));
}

const table = (rows: Row[], of: "price" | "cost") =>
  Object.fromEntries(rows.filter((r) => r[of].trim() !== "").map((r) => [r.bucket, r[of].trim()]));

/** RateForm makes the rate of a model, or changes one. Prices are exact decimals from the field to the database. */
export function RateForm({ rate, onClose, saved }: { rate?: Rate; onClose: () => void; saved: () => Promise<unknown> }) {
  const t = useT();
  const bucketName = useBucketName();
  const providers = useQuery(providersQuery);
  const [rows, setRows] = useState(() => rowsOf(rate));
  const set = (i: number, change: Partial<Row>) => setRows((old) => old.map((r, n) => (n === i ? { ...r, ...change } : r)));
  const free = buckets.filter((b) => !rows.some((r) => r.bucket === b));
  const costs = table(rows, "cost");
  const hasCosts = Object.keys(costs).length > 0;

  return (
    <Form
      submit={rate ? t("action.save") : t("rates.add")}
      onCancel={onClose}
      save={async (value) => {
        const context = Number(value("context") || 0);
        const max_output = Number(value("max_output") || 0);
        const reason = value("reason");
        if (rate)
          await api.patch("/api/admin/rates/{id}", {
            params: { id: rate.id },
            body: {
              version: rate.version,
              credits_per_million: table(rows, "price"),
              tiers: rate.tiers,
              cost_usd_per_million: hasCosts ? costs : rate.cost_usd_per_million ? {} : undefined,
              cost_tiers: hasCosts ? rate.cost_tiers : undefined,
              display: value("display"),
              description: value("description"),
              context,
              max_output,
              reason,
            },
          });
        else
          await api.post("/api/admin/rates", {
            body: {
              providers: [value("provider")],
              model: value("model"),
              type: value("type") as Rate["type"],
              usd_per_million: table(rows, "price"),
              cost_usd_per_million: hasCosts ? costs : undefined,
              context,
              max_output,
              reason,
            },
          });
        await saved();
        onClose();
      }}
    >
      {(fault) => (
        <>
          {rate ? (
            <p className="font-mono text-sm text-ink-2">
              {rate.provider}/{rate.model} · {t(`type.${rate.type}`)} · v{rate.version}
            </p>
          ) : (
            <div className="grid gap-4 sm:grid-cols-3">
              <SelectField name="provider" label={t("provider.one")} error={fault("provider") ?? fault("providers")} required>
                {providers.data?.data.map((p) => (
                  <option key={p.name}>{p.name}</option>
                ))}
              </SelectField>
              <TextField
                name="model"
                label={t("call.model")}
                error={fault("model")}
                required
                autoComplete="off"
                spellCheck={false}
              />
              <SelectField name="type" label={t("models.type")} error={fault("type")}>
                {types.map((x) => (
                  <option key={x} value={x}>
                    {t(`type.${x}`)}
                  </option>
                ))}
              </SelectField>
            </div>
          )}
          <fieldset className="flex flex-col gap-2">
            <legend className="mb-1 font-medium">{t("rates.prices")}</legend>
            <p className="text-sm text-ink-3">{rate ? t("rates.prices.credits") : t("rates.prices.usd")}</p>
            <div
              aria-hidden
              className="grid grid-cols-[1fr_1fr_2.25rem] gap-2 text-right text-sm text-ink-3 sm:grid-cols-[10rem_1fr_1fr_2.25rem]"
            >
              <span className="max-sm:hidden" />
              <span>{t("rates.price")}</span>
              <span>{t("rates.cost.usd")}</span>
            </div>
            {rows.map((r, i) => (
              <div key={r.bucket} className="grid grid-cols-[1fr_1fr_auto] items-center gap-2 sm:grid-cols-[10rem_1fr_1fr_auto]">
                <span className="text-ink-2 max-sm:col-span-3 max-sm:-mb-1.5">{bucketName(r.bucket)}</span>
                <input
                  aria-label={t("rates.price.of", { unit: bucketName(r.bucket) })}
                  placeholder={t("rates.price")}
                  inputMode="decimal"
                  value={r.price}
                  onChange={(e) => set(i, { price: e.target.value })}
                  className="input num"
                />
                <input
                  aria-label={t("rates.cost.of", { unit: bucketName(r.bucket) })}
                  placeholder={t("rates.cost.usd")}
                  inputMode="decimal"
                  value={r.cost}
                  onChange={(e) => set(i, { cost: e.target.value })}
                  className="input num"
                />
                <IconButton label={t("action.remove")} onClick={() => setRows((old) => old.filter((_, n) => n !== i))}>
                  <X aria-hidden className="size-4" />
                </IconButton>
              </div>
            ))}
            {free.length > 0 && (
              <div className="flex items-center gap-2">
                <Plus aria-hidden className="size-4 text-ink-3" />
                <select
                  aria-label={t("rates.unit.add")}
                  value=""
                  onChange={(e) => setRows((old) => [...old, { bucket: e.target.value, price: "", cost: "" }])}
                  className="input w-auto"
                >
                  <option value="">{t("rates.unit.add")}</option>
                  {free.map((b) => (
                    <option key={b} value={b}>
                      {bucketName(b)}
                    </option>
                  ))}
                </select>
              </div>
            )}
            {(fault("usd_per_million") || fault("credits_per_million") || fault("cost_usd_per_million")) && (
              <Note kind="danger">
                {fault("usd_per_million") || fault("credits_per_million") || fault("cost_usd_per_million")}
              </Note>
            )}
            {rate?.tiers && rate.tiers.length > 0 && <Note>{t("rates.tiers", { n: rate.tiers.length })}</Note>}
          </fieldset>
          <details>
            <summary className="text-ink-2">{t("action.more")}</summary>
            <div className="mt-3 grid gap-4 sm:grid-cols-2">
              <TextField
                name="context"
                type="number"
                min={0}
                label={t("models.context")}
                hint={t("rates.zero")}
                defaultValue={rate?.context}
                error={fault("context")}
              />
              <TextField
                name="max_output"
                type="number"
                min={0}
                label={t("models.output.most")}
                hint={t("rates.zero")}
                defaultValue={rate?.max_output}
                error={fault("max_output")}
              />
              {rate && (
                <TextField name="display" label={t("rates.display")} defaultValue={rate.display} error={fault("display")} />
              )}
              {rate && (
                <TextField
                  name="description"
                  label={t("rates.description")}
                  defaultValue={rate.description}
                  error={fault("description")}
                />
              )}
            </div>
          </details>
          <TextField name="reason" label={t("rates.reason")} hint={t("rates.reason.hint")} error={fault("reason")} />
        </>
      )}
    </Form>
  );
}

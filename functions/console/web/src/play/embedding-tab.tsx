import { useQuery } from "@tanstack/react-query";
import { Plus, Spline, X } from "lucide-react";
import { count } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { Button, IconButton } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { TextField } from "../ui/form";
import { Card } from "../ui/page";
import { Empty } from "../ui/states";
import { Area } from "./area";
import { Took } from "./figures";
import { Fitting, Order } from "./fitting";
import { useKept, useWanted } from "./kept";
import { modelsQuery } from "./models";
import { Go, useAsk, useRun } from "./run";
import { type Figures, named } from "./talk";
import { cosine, strip } from "./vectors";
import { WorkCode } from "./work-code-dialog";

interface Embedded {
  id: string;
  model: string;
  inputs: string[];
  vectors: number[][];
  figures: Figures;
}

const mostInputs = 8;
const blank = () => ({ id: named(), text: "" });

/** EmbeddingTab turns texts into vectors, and says how near they are to each other. */
export function EmbeddingTab({ wanted }: { wanted?: string }) {
  const { t } = useI18n();
  const models = useQuery(modelsQuery("embedding"));
  const [form, setForm] = useKept("embedding", { model: "", inputs: [blank(), blank()], dimensions: "" });
  const [made, setMade] = useKept<Embedded | undefined>("embedding.made", undefined);
  useWanted(wanted, setForm);
  const run = useRun();
  const ask = useAsk();
  const texts = form.inputs.map((i) => i.text.trim()).filter((text) => text !== "");

  const bodyOf = (model: string) => {
    const dimensions = Number(form.dimensions);
    return { model, input: texts, encoding_format: "float", ...(dimensions > 0 ? { dimensions } : {}) };
  };
  function start(model: string) {
    run.start(async (signal) => {
      const id = named();
      const body = bodyOf(model);
      const { blob, figures } = await ask("/v1/embeddings", body, signal, (more) =>
        setMade((old) => (old?.id === id ? { ...old, figures: { ...old.figures, ...more } } : old)),
      );
      const answer = JSON.parse(await blob.text()) as {
        data: { index: number; embedding: number[] }[];
        usage?: { prompt_tokens?: number };
      };
      const vectors = [...answer.data].sort((a, b) => a.index - b.index).map((d) => d.embedding);
      setMade({ id, model, inputs: texts, vectors, figures: { ...figures, input: answer.usage?.prompt_tokens } });
    });
  }
  return (
    <Fitting models={models} value={form.model} onChange={(model) => setForm((old) => ({ ...old, model }))}>
      {(model, picker) => (
        <div className="grid items-start gap-5 lg:grid-cols-[22rem_minmax(0,1fr)]">
          <Order picker={picker} start={() => start(model)}>
            {form.inputs.map((input, i) => (
              <div key={input.id} className="flex items-end gap-1">
                <div className="min-w-0 flex-1">
                  <Area
                    label={t("play.embedding.input", { n: i + 1 })}
                    rows={2}
                    value={input.text}
                    onChange={(text) =>
                      setForm((old) => ({ ...old, inputs: old.inputs.map((x) => (x.id === input.id ? { ...x, text } : x)) }))
                    }
                  />
                </div>
                {form.inputs.length > 1 && (
                  <IconButton
                    label={t("play.embedding.remove", { n: i + 1 })}
                    onClick={() => setForm((old) => ({ ...old, inputs: old.inputs.filter((x) => x.id !== input.id) }))}
                  >
                    <X aria-hidden className="size-4" />
                  </IconButton>
                )}
              </div>
            ))}
            {form.inputs.length < mostInputs && (
              <Button
                small
                className="self-start"
                icon={<Plus aria-hidden className="size-4" />}
                onClick={() => setForm((old) => ({ ...old, inputs: [...old.inputs, blank()] }))}
              >
                {t("play.embedding.add")}
              </Button>
            )}
            <TextField
              label={t("play.embedding.dimensions")}
              hint={t("play.embedding.dimensions.hint")}
              inputMode="numeric"
              value={form.dimensions}
              onChange={(e) => setForm((old) => ({ ...old, dimensions: e.target.value.replace(/\D/g, "") }))}
            />
            <Go run={run} label={t("play.embedding.make")} disabled={texts.length === 0 || !model}>
              <WorkCode asked={() => ({ work: "embedding", fields: bodyOf(model) })} />
            </Go>
          </Order>
          {made ? (
            <Result made={made} />
          ) : (
            <div className="card">
              <Empty icon={<Spline aria-hidden className="size-5" />} title={t("play.embedding.none")}>
                {t("play.embedding.none.hint")}
              </Empty>
            </div>
          )}
        </div>
      )}
    </Fitting>
  );
}

function Result({ made }: { made: Embedded }) {
  const { t, tn, format } = useI18n();
  const exact = new Intl.NumberFormat(format.locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  return (
    <div className="flex min-w-0 flex-col gap-4">
      {made.vectors.length > 1 && (
        <Card title={t("play.embedding.similarity")} flush>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <section aria-label={t("play.embedding.similarity")} tabIndex={0} className="overflow-x-auto">
            <table className="w-full border-collapse text-sm">
              <thead>
                <tr className="border-b border-line text-ink-3">
                  <th scope="col" className="px-3 py-2 text-left font-medium">
                    {t("play.embedding.text")}
                  </th>
                  {made.vectors.map((_, i) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: texts have their numbers only
                    <th key={i} scope="col" className="num px-3 py-2 font-medium">
                      {i + 1}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {made.vectors.map((a, i) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: texts have their numbers only
                  <tr key={i} className="border-b border-line last:border-0">
                    <th scope="row" className="max-w-64 truncate px-3 py-2 text-left font-normal">
                      <span className="text-ink-3">{i + 1}</span> {made.inputs[i]}
                    </th>
                    {made.vectors.map((b, j) => {
                      const c = cosine(a, b);
                      return (
                        <td
                          // biome-ignore lint/suspicious/noArrayIndexKey: texts have their numbers only
                          key={j}
                          className={`num px-3 py-2 ${i === j ? "text-ink-3" : c !== undefined && c > 0.8 ? "font-semibold text-ok" : ""}`}
                        >
                          {c === undefined ? "–" : exact.format(c)}
                        </td>
                      );
                    })}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </Card>
      )}
      <Card title={<span className="break-all">{made.model}</span>}>
        <div className="flex flex-col gap-4">
          {made.vectors.map((v, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: texts have their numbers only
            <div key={i} className="flex min-w-0 flex-col gap-1.5">
              <div className="flex items-center justify-between gap-3">
                <p className="min-w-0 truncate text-sm">
                  <span className="text-ink-3">{i + 1}</span> {made.inputs[i]}
                </p>
                <CopyButton
                  text={JSON.stringify(v)}
                  label={tn("play.embedding.size", v.length, { n: count(format, v.length) })}
                />
              </div>
              <Strip vector={v} />
              <p className="truncate font-mono text-[13px] text-ink-3">
                [
                {v
                  .slice(0, 8)
                  .map((x) => x.toPrecision(4))
                  .join(", ")}
                {v.length > 8 ? ", …" : ""}]
              </p>
            </div>
          ))}
          <Took figures={made.figures} waiting />
        </div>
      </Card>
    </div>
  );
}

/** Strip draws a vector: bars up and down from the middle. */
function Strip({ vector }: { vector: number[] }) {
  const bars = strip(vector, 128);
  return (
    <svg
      aria-hidden="true"
      viewBox={`0 0 ${bars.length} 2`}
      preserveAspectRatio="none"
      className="h-10 w-full rounded bg-sunken text-accent"
    >
      {bars.map((x, i) => (
        <rect
          // biome-ignore lint/suspicious/noArrayIndexKey: numbers have their order only
          key={i}
          x={i + 0.1}
          width={0.8}
          y={x >= 0 ? 1 - x : 1}
          height={Math.abs(x)}
          fill="currentColor"
        />
      ))}
    </svg>
  );
}

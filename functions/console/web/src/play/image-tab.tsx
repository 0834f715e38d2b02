import { useQuery } from "@tanstack/react-query";
import { Download, Image as ImageIcon } from "lucide-react";
import { useI18n } from "../lib/i18n";
import { buttonClass } from "../ui/button";
import { SelectField } from "../ui/form";
import { Card } from "../ui/page";
import { Empty } from "../ui/states";
import { Area } from "./area";
import { Took } from "./figures";
import { FilesField } from "./files-field";
import { Fitting, Order } from "./fitting";
import { useKept, useWanted } from "./kept";
import { modelsQuery } from "./models";
import { Go, useAsk, useRun } from "./run";
import { type Figures, named } from "./talk";
import { useAddress } from "./turn";
import type { WorkAsked } from "./work-code";
import { WorkCode } from "./work-code-dialog";

interface Made {
  id: string;
  prompt: string;
  model: string;
  pictures: { blob?: Blob; url?: string }[];
  figures: Figures;
}

const sizes = ["1024x1024", "1536x1024", "1024x1536", "1792x1024", "1024x1792", "512x512", "256x256"];

/** decoded is a file of its base64. */
function decoded(text: string, type: string): Blob {
  const raw = atob(text);
  return new Blob([Uint8Array.from(raw, (c) => c.charCodeAt(0))], { type });
}

/** kindOf looks at the first letters of a picture's base64, since answers do not always say what it is. */
const kindOf = (text: string) => (text.startsWith("/9j/") ? "image/jpeg" : text.startsWith("UklGR") ? "image/webp" : "image/png");

const empty = { model: "", prompt: "", size: "", quality: "", n: "1", files: [] as File[] };

/** ImageTab makes pictures, or others of those that are given. */
export function ImageTab({ wanted }: { wanted?: string }) {
  const { t } = useI18n();
  const models = useQuery(modelsQuery("imageGeneration"));
  const [form, setForm] = useKept("image", empty);
  const [made, setMade] = useKept<Made[]>("image.made", []);
  useWanted(wanted, setForm);
  const run = useRun();
  const ask = useAsk();
  const set = (part: Partial<typeof empty>) => setForm((old) => ({ ...old, ...part }));

  const fieldsOf = (model: string) => ({
    model,
    prompt: form.prompt,
    n: Number(form.n),
    response_format: "b64_json",
    ...(form.size ? { size: form.size } : {}),
    ...(form.quality ? { quality: form.quality } : {}),
  });
  const asked = (model: string): WorkAsked => {
    const names = form.files.map((f) => f.name);
    if (names.length === 0) return { work: "image", fields: fieldsOf(model) };
    return { work: "edit", fields: fieldsOf(model), files: { image: names.length > 1 ? names : (names[0] ?? "") } };
  };
  function start(model: string) {
    const { prompt, files } = form;
    run.start(async (signal) => {
      const fields = fieldsOf(model);
      let body: object | FormData = fields;
      if (files.length > 0) {
        const data = new FormData();
        for (const [name, value] of Object.entries(fields)) data.append(name, String(value));
        for (const f of files) data.append(files.length > 1 ? "image[]" : "image", f);
        body = data;
      }
      const id = named();
      const path = files.length > 0 ? "/v1/images/edits" : "/v1/images/generations";
      const { blob, figures } = await ask(path, body, signal, (more) =>
        setMade((all) => all.map((m) => (m.id === id ? { ...m, figures: { ...m.figures, ...more } } : m))),
      );
      const answer = JSON.parse(await blob.text()) as { data?: { b64_json?: string; url?: string }[] };
      const pictures = (answer.data ?? []).map((p) =>
        p.b64_json ? { blob: decoded(p.b64_json, kindOf(p.b64_json)) } : { url: p.url },
      );
      setMade((all) => [{ id, prompt, model, pictures, figures }, ...all]);
    });
  }
  return (
    <Fitting models={models} value={form.model} onChange={(model) => set({ model })}>
      {(model, picker) => (
        <div className="grid items-start gap-5 lg:grid-cols-[22rem_minmax(0,1fr)]">
          <Order picker={picker} start={() => start(model)}>
            <Area label={t("play.prompt")} rows={4} value={form.prompt} onChange={(prompt) => set({ prompt })} />
            <div className="grid grid-cols-2 gap-3">
              <SelectField label={t("play.image.size")} value={form.size} onChange={(e) => set({ size: e.target.value })}>
                <option value="">{t("play.default")}</option>
                {sizes.map((s) => (
                  <option key={s}>{s}</option>
                ))}
              </SelectField>
              <SelectField
                label={t("play.image.quality")}
                value={form.quality}
                onChange={(e) => set({ quality: e.target.value })}
              >
                <option value="">{t("play.default")}</option>
                {(["low", "medium", "high", "hd"] as const).map((q) => (
                  <option key={q} value={q}>
                    {q === "hd" ? "HD" : t(`play.quality.${q}`)}
                  </option>
                ))}
              </SelectField>
              <SelectField label={t("play.image.count")} value={form.n} onChange={(e) => set({ n: e.target.value })}>
                {["1", "2", "3", "4"].map((n) => (
                  <option key={n}>{n}</option>
                ))}
              </SelectField>
            </div>
            <FilesField
              label={t("play.image.from")}
              hint={t("play.image.from.hint")}
              accept="image/png,image/jpeg,image/webp"
              files={form.files}
              most={4}
              onChange={(files) => set({ files })}
            />
            <Go run={run} label={t("play.image.make")} disabled={form.prompt.trim() === "" || !model}>
              <WorkCode asked={() => asked(model)} />
            </Go>
          </Order>
          <div className="flex min-w-0 flex-col gap-4">
            {made.length === 0 ? (
              <div className="card">
                <Empty icon={<ImageIcon aria-hidden className="size-5" />} title={t("play.image.none")}>
                  {t("play.made.hint")}
                </Empty>
              </div>
            ) : (
              made.map((m) => (
                <Card key={m.id} title={<span className="break-all">{m.model}</span>}>
                  <div className="flex flex-col gap-3">
                    <p className="line-clamp-3 text-ink-2">{m.prompt}</p>
                    <div className="grid grid-cols-[repeat(auto-fill,minmax(12rem,1fr))] gap-3">
                      {m.pictures.map((p, i) => (
                        // biome-ignore lint/suspicious/noArrayIndexKey: pictures have their order only
                        <Picture key={i} blob={p.blob} url={p.url} alt={m.prompt} />
                      ))}
                    </div>
                    <Took figures={m.figures} waiting />
                  </div>
                </Card>
              ))
            )}
          </div>
        </div>
      )}
    </Fitting>
  );
}

/** Picture shows what came in the answer. What the answer only links lies with others, and is not loaded here. */
function Picture({ blob, url, alt }: { blob?: Blob; url?: string; alt: string }) {
  const { t } = useI18n();
  const address = useAddress(blob);
  if (!blob)
    return (
      <a href={url} target="_blank" rel="noopener noreferrer" className="self-center text-accent underline">
        {t("play.image.remote")}
      </a>
    );
  if (!address) return null;
  return (
    <figure className="flex flex-col gap-1.5">
      <img src={address} alt={alt} className="w-full rounded-lg border border-line bg-sunken" />
      <figcaption>
        <a href={address} download={`image.${blob.type.split("/")[1]}`} className={buttonClass("quiet", true)}>
          <Download aria-hidden className="size-4" />
          {t("play.download")}
        </a>
      </figcaption>
    </figure>
  );
}

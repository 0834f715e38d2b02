import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useId } from "react";
import { useI18n } from "../lib/i18n";
import { buttonClass } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { SelectField, TextField } from "../ui/form";
import { Card } from "../ui/page";
import { Area } from "./area";
import { Took } from "./figures";
import { FilesField } from "./files-field";
import { Fitting, Order } from "./fitting";
import { useKept, useWanted } from "./kept";
import { does, type Model, modelsQuery, soundQuery } from "./models";
import { Go, useAsk, useRun } from "./run";
import { type Figures, named } from "./talk";
import { useAddress } from "./turn";
import { WorkCode } from "./work-code-dialog";

interface Made {
  id: string;
  figures: Figures;
}
type Spoken = Made & { sound: Blob; format: string };
type Heard = Made & { text: string };

const voices = ["alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse"];
const formats = ["mp3", "wav", "opus", "aac", "flac"];
/** largest recording in bytes, as the vendors have it. */
const recording = 25_000_000;

/** SpeechTab speaks texts and writes down recordings. */
export function SpeechTab({ wanted }: { wanted?: string }) {
  const sound = useQuery(soundQuery);
  const fits = (work: "speak" | "listen") => (m: Model) => does(work, sound.data?.get(m.name));
  return (
    <div className="grid items-start gap-5 lg:grid-cols-2">
      <Speak wanted={wanted} fits={fits("speak")} />
      <Listen wanted={wanted} fits={fits("listen")} />
    </div>
  );
}

interface Props {
  wanted?: string;
  fits: (model: Model) => boolean;
}

function Speak({ wanted, fits }: Props) {
  const { t } = useI18n();
  const models = useQuery(modelsQuery("audioGeneration"));
  const [form, setForm] = useKept("speech", { model: "", text: "", voice: "alloy", format: "mp3", instructions: "" });
  const [made, setMade] = useKept<Spoken | undefined>("speech.made", undefined);
  const address = useAddress(made?.sound);
  useWanted(wanted, setForm);
  const run = useRun();
  const ask = useAsk();
  const id = useId();
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const bodyOf = (model: string) => {
    const { text, voice, format, instructions } = form;
    return { model, input: text, voice, response_format: format, ...(instructions ? { instructions } : {}) };
  };
  function start(model: string) {
    const { format } = form;
    run.start(async (signal) => {
      const own = named();
      const body = bodyOf(model);
      const { blob, figures, kind } = await ask("/v1/audio/speech", body, signal, (more) =>
        setMade((old) => (old?.id === own ? { ...old, figures: { ...old.figures, ...more } } : old)),
      );
      setMade({ id: own, sound: new Blob([blob], { type: kind }), format, figures });
    });
  }
  return (
    <Card title={t("play.speak")}>
      <Fitting models={models} fits={fits} value={form.model} onChange={(model) => set({ model })}>
        {(model, picker) => (
          <Order plain picker={picker} start={() => start(model)}>
            <Area label={t("play.speak.text")} rows={4} value={form.text} onChange={(text) => set({ text })} />
            <div className="grid grid-cols-2 gap-3">
              <TextField
                label={t("play.speak.voice")}
                list={id}
                value={form.voice}
                onChange={(e) => set({ voice: e.target.value })}
              />
              <datalist id={id}>
                {voices.map((v) => (
                  <option key={v} value={v} />
                ))}
              </datalist>
              <SelectField label={t("play.speak.format")} value={form.format} onChange={(e) => set({ format: e.target.value })}>
                {formats.map((f) => (
                  <option key={f} value={f}>
                    {f.toUpperCase()}
                  </option>
                ))}
              </SelectField>
            </div>
            <TextField
              label={t("play.speak.instructions")}
              value={form.instructions}
              onChange={(e) => set({ instructions: e.target.value })}
            />
            <Go run={run} label={t("play.speak.make")} disabled={form.text.trim() === "" || !model}>
              <WorkCode asked={() => ({ work: "speech", fields: bodyOf(model) })} />
            </Go>
            {made && address && (
              <div className="flex flex-col gap-2 border-t border-line pt-4">
                {/* biome-ignore lint/a11y/useMediaCaption: its text stands above */}
                <audio controls src={address} aria-label={t("play.speak.result")} className="w-full" />
                <div className="flex flex-wrap items-center gap-3">
                  <a href={address} download={`speech.${made.format}`} className={buttonClass("plain", true)}>
                    <Download aria-hidden className="size-4" />
                    {t("play.download")}
                  </a>
                  <Took figures={made.figures} waiting />
                </div>
              </div>
            )}
          </Order>
        )}
      </Fitting>
    </Card>
  );
}

function Listen({ wanted, fits }: Props) {
  const { t } = useI18n();
  const models = useQuery(modelsQuery("audioGeneration"));
  const [form, setForm] = useKept("listen", { model: "", files: [] as File[], language: "", prompt: "" });
  const [made, setMade] = useKept<Heard | undefined>("listen.made", undefined);
  useWanted(wanted, setForm);
  const run = useRun();
  const ask = useAsk();
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));
  const fieldsOf = (model: string) => ({
    model,
    response_format: "json",
    ...(form.language.trim() ? { language: form.language.trim() } : {}),
    ...(form.prompt.trim() ? { prompt: form.prompt.trim() } : {}),
  });
  function start(model: string) {
    const file = form.files[0];
    if (!file) return;
    run.start(async (signal) => {
      const own = named();
      const body = new FormData();
      for (const [name, value] of Object.entries(fieldsOf(model))) body.append(name, value);
      body.append("file", file);
      const { blob, figures } = await ask("/v1/audio/transcriptions", body, signal, (more) =>
        setMade((old) => (old?.id === own ? { ...old, figures: { ...old.figures, ...more } } : old)),
      );
      const { text = "" } = JSON.parse(await blob.text()) as { text?: string };
      setMade({ id: own, text, figures });
    });
  }
  return (
    <Card title={t("play.listen")}>
      <Fitting models={models} fits={fits} value={form.model} onChange={(model) => set({ model })}>
        {(model, picker) => (
          <Order plain picker={picker} start={() => start(model)}>
            <FilesField
              label={t("play.listen.file")}
              hint={t("play.listen.file.hint", { one: recording / 1e6 })}
              accept="audio/*,video/mp4,video/webm"
              files={form.files}
              most={1}
              limit={recording}
              onChange={(files) => set({ files })}
            />
            <div className="grid grid-cols-2 gap-3">
              <TextField
                label={t("play.listen.language")}
                placeholder="en"
                value={form.language}
                onChange={(e) => set({ language: e.target.value })}
              />
              <TextField label={t("play.listen.prompt")} value={form.prompt} onChange={(e) => set({ prompt: e.target.value })} />
            </div>
            <Go run={run} label={t("play.listen.make")} disabled={form.files.length === 0 || !model}>
              <WorkCode
                asked={() => ({
                  work: "transcription",
                  fields: fieldsOf(model),
                  files: { file: form.files[0]?.name ?? "recording.mp3" },
                })}
              />
            </Go>
            {made && (
              <div className="flex flex-col gap-2 border-t border-line pt-4">
                <p className="whitespace-pre-wrap">{made.text || t("play.answer.empty")}</p>
                <div className="flex flex-wrap items-center gap-3">
                  <CopyButton text={made.text} />
                  <Took figures={made.figures} waiting />
                </div>
              </div>
            )}
          </Order>
        )}
      </Fitting>
    </Card>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Clapperboard, Download, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { api, at } from "../api/client";
import { useInvalidate, useMe } from "../app/session";
import { useI18n } from "../lib/i18n";
import { buttonClass, IconButton } from "../ui/button";
import { Confirm } from "../ui/dialog";
import { SelectField } from "../ui/form";
import { Amount, Time } from "../ui/page";
import { Badge, Empty, Loaded, Note, Rows } from "../ui/states";
import { Area } from "./area";
import { costOf } from "./cost";
import { FilesField } from "./files-field";
import { filmNotes, forgetFilm, noteFilm } from "./film-notes";
import { Fitting, Order } from "./fitting";
import { useKept, useWanted } from "./kept";
import { modelsQuery } from "./models";
import { Go, useAsk, useRun } from "./run";
import { WorkCode } from "./work-code-dialog";

/** Video is a film as OpenAI shows it, which the hub does for all providers. */
interface Video {
  id: string;
  status: "queued" | "in_progress" | "completed" | "failed";
  model: string;
  progress: number;
  created_at: number;
  seconds: string;
  size: string;
  error: { message: string } | null;
}

const sizes = ["1280x720", "720x1280", "1792x1024", "1024x1792", "1920x1080", "1080x1920"];
const lengths = ["4", "5", "6", "8", "10", "12"];
const asksEvery = 3000; // ms

/** VideoTab begins films and shows how they come along. The hub goes on with them when the page is left. */
export function VideoTab({ wanted }: { wanted?: string }) {
  const { t } = useI18n();
  const invalidate = useInvalidate();
  const models = useQuery(modelsQuery("video"));
  const [form, setForm] = useKept("video", { model: "", prompt: "", seconds: "", size: "", files: [] as File[] });
  const videos = useQuery({
    queryKey: ["videos", "list"],
    queryFn: async ({ signal }) => ((await api.get("/v1/videos", { signal })) as { data: Video[] }).data,
  });
  useWanted(wanted, setForm);
  const user = useMe()?.user.id ?? "";
  const run = useRun();
  const ask = useAsk();
  const set = (part: Partial<typeof form>) => setForm((old) => ({ ...old, ...part }));

  const fieldsOf = (model: string) => {
    const { prompt, seconds, size } = form;
    return { model, prompt, ...(seconds ? { seconds } : {}), ...(size ? { size } : {}) };
  };
  function start(model: string) {
    const { prompt, files } = form;
    run.start(async (signal) => {
      const fields = fieldsOf(model);
      let body: object | FormData = fields;
      if (files[0]) {
        const data = new FormData();
        for (const [name, value] of Object.entries(fields)) data.append(name, value);
        data.append("input_reference", files[0]);
        body = data;
      }
      const { blob, figures } = await ask("/v1/videos", body, signal);
      const { id } = JSON.parse(await blob.text()) as { id: string };
      noteFilm(user, { id, prompt, callId: figures.callId ?? "" });
      await invalidate("videos");
    });
  }
  return (
    <Fitting models={models} value={form.model} onChange={(model) => set({ model })}>
      {(model, picker) => (
        <div className="grid items-start gap-5 lg:grid-cols-[22rem_minmax(0,1fr)]">
          <Order picker={picker} start={() => start(model)}>
            <Area label={t("play.prompt")} rows={4} value={form.prompt} onChange={(prompt) => set({ prompt })} />
            <div className="grid grid-cols-2 gap-3">
              <SelectField
                label={t("play.video.seconds")}
                value={form.seconds}
                onChange={(e) => set({ seconds: e.target.value })}
              >
                <option value="">{t("play.default")}</option>
                {lengths.map((s) => (
                  <option key={s}>{s}</option>
                ))}
              </SelectField>
              <SelectField label={t("play.image.size")} value={form.size} onChange={(e) => set({ size: e.target.value })}>
                <option value="">{t("play.default")}</option>
                {sizes.map((s) => (
                  <option key={s}>{s}</option>
                ))}
              </SelectField>
            </div>
            <FilesField
              label={t("play.video.from")}
              accept="image/png,image/jpeg,image/webp"
              files={form.files}
              most={1}
              onChange={(files) => set({ files })}
            />
            <Go run={run} label={t("play.video.make")} disabled={form.prompt.trim() === "" || !model}>
              <WorkCode
                asked={() => ({
                  work: "video",
                  fields: fieldsOf(model),
                  ...(form.files[0] ? { files: { input_reference: form.files[0].name } } : {}),
                })}
              />
            </Go>
          </Order>
          <Loaded query={videos} loading={<Rows />}>
            {(list) =>
              list.length === 0 ? (
                <div className="card">
                  <Empty icon={<Clapperboard aria-hidden className="size-5" />} title={t("play.video.none")}>
                    {t("play.video.none.hint")}
                  </Empty>
                </div>
              ) : (
                <ul className="grid grid-cols-1 gap-4 xl:grid-cols-2">
                  {list.map((v) => (
                    <VideoView key={v.id} first={v} />
                  ))}
                </ul>
              )
            }
          </Loaded>
        </div>
      )}
    </Fitting>
  );
}

function VideoView({ first }: { first: Video }) {
  const { t } = useI18n();
  const invalidate = useInvalidate();
  const [asked, setAsked] = useState(false);
  const running = (v: Video | undefined) => v?.status === "queued" || v?.status === "in_progress";
  const video = useQuery({
    queryKey: ["videos", "one", first.id],
    queryFn: async ({ signal }) => (await api.get("/v1/videos/{id}", { params: { id: first.id }, signal })) as Video,
    initialData: first,
    staleTime: running(first) ? 0 : 60_000,
    refetchInterval: (query) => (running(query.state.data) ? asksEvery : false),
  });
  const v = video.data;
  const user = useMe()?.user.id ?? "";
  const note = useMemo(() => filmNotes(user).find((n) => n.id === first.id), [user, first.id]);
  const cost = useQuery({
    queryKey: ["videos", "cost", note?.callId],
    queryFn: async () => (await costOf(note?.callId ?? "")) ?? {},
    enabled: !!note?.callId && !running(v),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const content = at(`/v1/videos/${encodeURIComponent(v.id)}/content`);
  return (
    <li className="card flex flex-col gap-3 p-3.5">
      <div className="flex items-center gap-2">
        <span className="min-w-0 flex-1 truncate font-medium">{v.model}</span>
        <Badge kind={v.status === "completed" ? "ok" : v.status === "failed" ? "danger" : "info"}>
          {t(`play.video.${v.status}`)}
        </Badge>
        <IconButton label={t("play.video.delete")} onClick={() => setAsked(true)}>
          <Trash2 aria-hidden className="size-4" />
        </IconButton>
      </div>
      {note && <p className="line-clamp-3 text-ink-2">{note.prompt}</p>}
      {running(v) && <progress aria-label={t("play.video.progress")} max={100} value={v.progress} className="w-full" />}
      {v.status === "completed" && (
        // biome-ignore lint/a11y/useMediaCaption: what a model films has no captions
        <video controls preload="metadata" src={content} className="aspect-video w-full rounded-lg bg-black/80" />
      )}
      {v.status === "failed" && v.error && <Note kind="danger">{v.error.message}</Note>}
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-ink-3">
        <Time at={new Date(v.created_at * 1000).toISOString()} />
        {v.seconds !== "0" && <span>{t("play.video.length", { n: v.seconds })}</span>}
        {v.size && <span>{v.size}</span>}
        {cost.data?.credits !== undefined && (
          <span>
            {t("play.figure.cost")} <Amount of={cost.data.credits} />
          </span>
        )}
        {v.status === "completed" && (
          <a href={content} download={`${v.id}.mp4`} className={buttonClass("quiet", true)}>
            <Download aria-hidden className="size-4" />
            {t("play.download")}
          </a>
        )}
      </div>
      <Confirm
        open={asked}
        onClose={() => setAsked(false)}
        title={t("play.video.delete")}
        consequences={running(v) ? t("play.video.delete.running") : t("play.video.delete.so")}
        action={t("action.remove")}
        act={async () => {
          await api.delete("/v1/videos/{id}", { params: { id: v.id } });
          forgetFilm(user, v.id);
          await invalidate("videos");
        }}
      />
    </li>
  );
}

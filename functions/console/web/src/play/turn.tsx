import { FileText, Pencil } from "lucide-react";
import { useEffect, useState } from "react";
import { useI18n } from "../lib/i18n";
import { Button, IconButton } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { AnswerView } from "./answer";
import type { Bench } from "./bench";
import type { Attachment, Lane, Talk, Turn } from "./talk";
import { useTry } from "./try";

/** useAddress is where the page finds a file of its own, as long as it shows it. */
export function useAddress(blob: Blob | undefined): string {
  const [address, setAddress] = useState("");
  useEffect(() => {
    if (!blob) return;
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return address;
}

export function AttachmentView({ of: a }: { of: Attachment }) {
  const { t } = useI18n();
  const address = useAddress(a.kind === "image" || a.kind === "audio" ? a.blob : undefined);
  if (a.kind === "image")
    return address ? <img src={address} alt={a.name} className="max-h-48 max-w-full rounded-lg border border-line" /> : null;
  if (a.kind === "audio")
    return address ? (
      // biome-ignore lint/a11y/useMediaCaption: it is what the person recorded
      <audio controls src={address} aria-label={t("play.attached", { name: a.name })} className="max-w-full" />
    ) : null;
  return (
    <span className="inline-flex max-w-full items-center gap-1.5 rounded-lg border border-line bg-surface px-2 py-1 text-sm">
      <FileText aria-hidden className="size-4 shrink-0" />
      <span className="truncate">{a.name}</span>
    </span>
  );
}

/** columns is how many answers stand side by side: as many as there are lanes, where the window has the room. */
export const columns = (n: number) =>
  n >= 4 ? "md:grid-cols-2 2xl:grid-cols-4" : n === 3 ? "md:grid-cols-2 xl:grid-cols-3" : n === 2 ? "md:grid-cols-2" : "";

interface Props {
  bench: Bench;
  talk: Talk;
  turn: Turn;
  last: boolean;
}

/** TurnView is what the person said, and below it what each model answered. */
export function TurnView({ bench, talk, turn, last }: Props) {
  const many = talk.lanes.length > 1;
  return (
    <section className="flex flex-col gap-3">
      <Said bench={bench} turn={turn} last={last} />
      <div className={`grid gap-3 ${columns(talk.lanes.length)}`}>
        {talk.lanes.map((lane) => (
          <LaneView key={lane.id} bench={bench} talk={talk} turn={turn} lane={lane} last={last} framed={many} />
        ))}
      </div>
    </section>
  );
}

function Said({ bench, turn, last }: { bench: Bench; turn: Turn; last: boolean }) {
  const { t } = useI18n();
  const attempt = useTry();
  const [editing, setEditing] = useState<string>();
  const busy = bench.busy();
  if (editing !== undefined)
    return (
      <form
        className="flex flex-col gap-2 self-end w-full max-w-3xl"
        onSubmit={(e) => {
          e.preventDefault();
          attempt(() => bench.resend(turn.id, editing));
          setEditing(undefined);
        }}
      >
        <textarea
          aria-label={t("play.edit")}
          rows={Math.min(12, editing.split("\n").length + 1)}
          value={editing}
          onChange={(e) => setEditing(e.target.value)}
          className="input"
        />
        {!last && <p className="text-sm text-ink-3">{t("play.edit.branch")}</p>}
        <div className="flex justify-end gap-2">
          <Button small look="quiet" onClick={() => setEditing(undefined)}>
            {t("action.cancel")}
          </Button>
          <Button small look="primary" type="submit" disabled={busy}>
            {t("play.send")}
          </Button>
        </div>
      </form>
    );
  return (
    <div className="group flex max-w-[min(48rem,92%)] min-w-0 flex-col items-end gap-1 self-end">
      <div className="flex max-w-full min-w-0 flex-col gap-2 rounded-2xl rounded-br-md bg-accent-soft px-3.5 py-2">
        {turn.attachments.length > 0 && (
          <div className="flex flex-wrap gap-2">
            {turn.attachments.map((a) => (
              <AttachmentView key={a.id} of={a} />
            ))}
          </div>
        )}
        {turn.text && <p className="break-words whitespace-pre-wrap">{turn.text}</p>}
      </div>
      <div className="flex items-center gap-1">
        <IconButton label={t("play.edit")} disabled={busy} onClick={() => setEditing(turn.text)}>
          <Pencil aria-hidden className="size-4" />
        </IconButton>
        <CopyButton text={turn.text} />
      </div>
    </div>
  );
}

function LaneView({ bench, talk, turn, lane, last, framed }: Props & { lane: Lane; framed: boolean }) {
  const { t } = useI18n();
  const attempt = useTry();
  const answers = turn.answers[lane.id];
  if (!answers || answers.length === 0)
    return framed ? (
      <div className="rounded-xl border border-dashed border-line p-3 text-sm text-ink-3">{t("play.lane.none")}</div>
    ) : null;
  const structured = talk.settings.format !== "text";
  return (
    <article
      aria-label={answers.at(-1)?.model}
      className={`flex min-w-0 flex-col gap-4 ${framed ? "card p-3.5" : "border-l-2 border-line pl-3.5"}`}
    >
      {answers.map((a, i) => (
        <div key={a.id} className="flex min-w-0 flex-col gap-2">
          {(i === 0 || answers[i - 1]?.model !== a.model) && (
            <h2 className="text-sm font-medium break-all text-ink-2">{a.model}</h2>
          )}
          <AnswerView
            answer={a}
            structured={structured}
            last={last && i === answers.length - 1}
            again={() => attempt(() => bench.again(turn.id, lane.id, a.id))}
            stop={() => bench.stop(lane.id)}
            result={(tool, text) => bench.result(turn.id, lane.id, a.id, tool, text)}
            goOn={() => attempt(() => bench.goOn(turn.id, lane.id, a.id))}
          />
        </div>
      ))}
    </article>
  );
}

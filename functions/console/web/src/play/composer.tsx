import { Paperclip, SendHorizontal, Square, X } from "lucide-react";
import { type ClipboardEvent, type DragEvent, type KeyboardEvent, useRef, useState } from "react";
import { useI18n } from "../lib/i18n";
import { Button, IconButton } from "../ui/button";
import { Note } from "../ui/states";
import { accept, limits, type Refusal, taken } from "./attach";
import type { Attachment } from "./talk";
import { useAddress } from "./turn";

interface Props {
  draft: string;
  attachments: Attachment[];
  busy: boolean;
  ready: boolean;
  /** unfit says which setting keeps the message from being sent. */
  unfit: string;
  onDraft: (draft: string) => void;
  onAttach: (attachments: Attachment[]) => void;
  send: () => void;
  stop: () => void;
}

const mb = (bytes: number) => Math.round(bytes / 1e6);

/** Composer is where the next message is written. Files come by its button, by dropping or by pasting. */
export function Composer({ draft, attachments, busy, ready, unfit, onDraft, onAttach, send, stop }: Props) {
  const { t } = useI18n();
  const chooser = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [refused, setRefused] = useState<Refusal[]>([]);
  const empty = draft.trim() === "" && attachments.length === 0;

  function take(files: readonly File[]) {
    if (files.length === 0) return;
    const sorted = taken(attachments, files);
    setRefused(sorted.refused);
    if (sorted.attachments.length !== attachments.length) onAttach(sorted.attachments);
  }
  function submit() {
    setRefused([]);
    send();
  }
  function onPaste(e: ClipboardEvent) {
    const files = [...e.clipboardData.files];
    if (files.length === 0) return;
    e.preventDefault();
    take(files);
  }
  function onDrop(e: DragEvent) {
    e.preventDefault();
    setOver(false);
    take([...e.dataTransfer.files]);
  }
  function onKeyDown(e: KeyboardEvent) {
    if (e.key !== "Enter" || e.shiftKey || e.nativeEvent.isComposing) return; // an input method's Enter takes a word
    e.preventDefault();
    if (!busy && ready && !empty) submit();
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files can also be chosen by the button
    <div
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
      className={`card flex flex-col gap-2 p-2.5 shadow-lift ${over ? "border-accent" : ""}`}
    >
      {unfit && <Note kind="danger">{unfit}</Note>}
      {refused.length > 0 && (
        <Note kind="warn">
          <ul>
            {refused.map((r) => (
              <li key={r.name}>
                {t(`play.refused.${r.why}`, { name: r.name, one: mb(limits.one), all: mb(limits.all), count: limits.count })}
              </li>
            ))}
          </ul>
        </Note>
      )}
      {attachments.length > 0 && (
        <ul className="flex flex-wrap gap-2">
          {attachments.map((a) => (
            <Attached key={a.id} of={a} remove={() => onAttach(attachments.filter((o) => o.id !== a.id))} />
          ))}
        </ul>
      )}
      <textarea
        aria-label={t("play.message")}
        placeholder={t("play.message.hint")}
        rows={Math.min(10, Math.max(2, draft.split("\n").length))}
        value={draft}
        onChange={(e) => onDraft(e.target.value)}
        onPaste={onPaste}
        onKeyDown={onKeyDown}
        className="w-full resize-none bg-transparent px-1.5 py-1 outline-none"
      />
      <div className="flex items-center gap-2">
        <input
          ref={chooser}
          type="file"
          multiple
          accept={accept}
          className="hidden"
          aria-label={t("play.attach")}
          onChange={(e) => {
            take([...(e.target.files ?? [])]);
            e.target.value = "";
          }}
        />
        <IconButton label={t("play.attach")} onClick={() => chooser.current?.click()}>
          <Paperclip aria-hidden className="size-4.5" />
        </IconButton>
        <p className="min-w-0 flex-1 truncate text-sm text-ink-3 max-sm:hidden">
          {t("play.attach.limits", { one: mb(limits.one), all: mb(limits.all), count: limits.count })}
        </p>
        <div className="ml-auto">
          {busy ? (
            <Button onClick={stop} icon={<Square aria-hidden className="size-3.5 fill-current" />}>
              {t("play.stop.all")}
            </Button>
          ) : (
            <Button
              look="primary"
              disabled={empty || !ready}
              onClick={submit}
              icon={<SendHorizontal aria-hidden className="size-4" />}
            >
              {t("play.send")}
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}

function Attached({ of: a, remove }: { of: Attachment; remove: () => void }) {
  const { t } = useI18n();
  const address = useAddress(a.kind === "image" ? a.blob : undefined);
  return (
    <li className="flex max-w-60 items-center gap-2 rounded-lg border border-line bg-sunken py-1 pr-1 pl-1.5 text-sm">
      {address && <img src={address} alt="" className="size-8 rounded object-cover" />}
      <span className="min-w-0 truncate">{a.name}</span>
      <button
        type="button"
        aria-label={t("play.attach.remove", { name: a.name })}
        onClick={remove}
        className="inline-flex size-7 shrink-0 items-center justify-center rounded text-ink-3 hover:text-ink"
      >
        <X aria-hidden className="size-4" />
      </button>
    </li>
  );
}

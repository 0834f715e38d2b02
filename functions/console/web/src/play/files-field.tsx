import { Upload, X } from "lucide-react";
import { type ReactNode, useId, useRef, useState } from "react";
import { useI18n } from "../lib/i18n";
import { limits } from "./attach";

interface Props {
  label: string;
  hint?: ReactNode;
  accept: string;
  files: readonly File[];
  most: number;
  /** limit of each in bytes. */
  limit?: number;
  onChange: (files: File[]) => void;
}

/** FilesField takes files, chosen or dropped. */
export function FilesField({ label, hint, accept, files, most, limit = limits.one, onChange }: Props) {
  const { t } = useI18n();
  const id = useId();
  const chooser = useRef<HTMLInputElement>(null);
  const [error, setError] = useState("");
  function take(list: readonly File[]) {
    const large = list.find((f) => f.size > limit);
    setError(large ? t("play.refused.size", { name: large.name, one: Math.round(limit / 1e6) }) : "");
    const good = list.filter((f) => f.size > 0 && f.size <= limit);
    if (good.length > 0) onChange([...(most > 1 ? files : []), ...good].slice(0, most));
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: files can also be chosen by the field
    <div
      onDragOver={(e) => e.preventDefault()}
      onDrop={(e) => {
        e.preventDefault();
        take([...e.dataTransfer.files]);
      }}
    >
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <input
        ref={chooser}
        id={id}
        type="file"
        accept={accept}
        multiple={most > 1}
        tabIndex={-1}
        onChange={(e) => {
          take([...(e.target.files ?? [])]);
          e.target.value = "";
        }}
        className="sr-only"
      />
      <button
        type="button"
        aria-label={`${label}: ${t("play.files.choose")}`}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onClick={() => chooser.current?.click()}
        className="flex min-h-11 w-full items-center justify-center gap-2 rounded-lg border border-dashed border-line-strong px-3 text-sm text-ink-2 hover:bg-sunken"
      >
        <Upload aria-hidden className="size-4" />
        {t("play.files.choose")}
      </button>
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-sm text-ink-3">
          {hint}
        </p>
      )}
      {error && (
        <p role="alert" className="mt-1 text-sm text-danger">
          {error}
        </p>
      )}
      {files.length > 0 && (
        <ul className="mt-2 flex flex-col gap-1">
          {files.map((f) => (
            <li
              key={`${f.name} ${f.size} ${f.lastModified}`}
              className="flex items-center gap-2 rounded-md bg-sunken pl-2 text-sm"
            >
              <span className="min-w-0 flex-1 truncate">{f.name}</span>
              <button
                type="button"
                aria-label={t("play.attach.remove", { name: f.name })}
                onClick={() => onChange(files.filter((o) => o !== f))}
                className="inline-flex size-8 items-center justify-center text-ink-3 hover:text-ink"
              >
                <X aria-hidden className="size-4" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

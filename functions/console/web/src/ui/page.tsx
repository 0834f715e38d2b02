import { type ReactNode, useEffect } from "react";
import { ago, credits, dateTime } from "../lib/format";
import { useI18n } from "../lib/i18n";

/** Page is a page's frame: its title, what can be done, and its content. */
export function Page({
  title,
  about,
  actions,
  wide,
  children,
}: {
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  /** wide takes all of the window, for what stands side by side. */
  wide?: boolean;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} – AIGNE Hub`;
  }, [title]);
  return (
    <div className={`mx-auto flex w-full flex-col ${wide ? "" : "max-w-6xl"} gap-5 px-4 py-5 sm:px-6 lg:py-7`}>
      <header className="flex flex-wrap items-start gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-64">
          <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
          {about && <p className="mt-0.5 text-ink-3">{about}</p>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Card({
  title,
  action,
  children,
  flush,
}: {
  title?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
  flush?: boolean;
}) {
  return (
    <section className="card min-w-0 overflow-hidden">
      {title && (
        <header className="flex min-h-12 items-center justify-between gap-3 border-b border-line px-3 py-2 sm:px-4">
          <h2 className="font-semibold">{title}</h2>
          {action}
        </header>
      )}
      <div className={flush ? "" : "p-4"}>{children}</div>
    </section>
  );
}

export function Stat({ label, children, note }: { label: string; children: ReactNode; note?: ReactNode }) {
  return (
    <div className="card min-w-0 px-4 py-3.5">
      <p className="text-sm text-ink-3">{label}</p>
      <p className="mt-1 text-2xl font-semibold tracking-tight tabular-nums">{children}</p>
      {note && <p className="mt-1 text-sm text-ink-3">{note}</p>}
    </div>
  );
}

/** Facts are names with their values. */
export function Facts({ items }: { items: (readonly [string, ReactNode] | undefined | false)[] }) {
  return (
    <dl className="grid grid-cols-[fit-content(55%)_1fr] gap-x-4 gap-y-1.5">
      {items.map(
        (item) =>
          item && (
            <div key={item[0]} className="contents">
              <dt className="min-w-28 text-ink-3">{item[0]}</dt>
              <dd className="min-w-0">{item[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** Time shows how long ago something is; the exact time is its title. */
export function Time({ at, exact }: { at: string; exact?: boolean }) {
  const { format } = useI18n();
  const full = dateTime(format, at, true);
  return (
    <time dateTime={at} title={full} className="whitespace-nowrap">
      {exact ? full : ago(format, at)}
    </time>
  );
}

/** Amount shows credits in short; all digits are its title. */
export function Amount({ of, signed }: { of: string; signed?: boolean }) {
  const { format } = useI18n();
  const plus = signed && !of.startsWith("-") ? "+" : "";
  return (
    <span title={credits(format, of, true)} className="tabular-nums whitespace-nowrap">
      {plus}
      {credits(format, of)}
    </span>
  );
}

export const Mono = ({ children }: { children: ReactNode }) => (
  <span className="font-mono text-[13px] break-all">{children}</span>
);

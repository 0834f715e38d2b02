import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { faultText } from "../lib/fault";
import { useI18n, useT } from "../lib/i18n";
import { Button } from "./button";

/** useFault says what went wrong in words for the user. */
export function useFault(): (fault: unknown) => string {
  const words = useI18n();
  return (fault) => {
    if (!(fault instanceof ApiError)) return words.t("fault.unknown");
    if (fault.status === 0) return words.t("fault.unreachable");
    return faultText(words, fault);
  };
}

type Kind = "info" | "ok" | "warn" | "danger";
const looks: Record<Kind, [string, typeof Info]> = {
  info: ["bg-accent-soft text-ink", Info],
  ok: ["bg-ok-soft text-ink", CircleCheck],
  warn: ["bg-warn-soft text-ink", TriangleAlert],
  danger: ["bg-danger-soft text-ink", CircleAlert],
};
const tints: Record<Kind, string> = { info: "text-accent", ok: "text-ok", warn: "text-warn", danger: "text-danger" };

export function Note({ kind = "info", children }: { kind?: Kind; children: ReactNode }) {
  const [look, Icon] = looks[kind];
  return (
    <div role={kind === "danger" ? "alert" : undefined} className={`flex gap-2.5 rounded-lg px-3 py-2.5 ${look}`}>
      <Icon aria-hidden className={`mt-0.5 size-4.5 shrink-0 ${tints[kind]}`} />
      <div className="min-w-0 flex-1 wrap-anywhere">{children}</div>
    </div>
  );
}

export function Badge({ kind, children }: { kind?: Kind; children: ReactNode }) {
  const look = kind ? `${looks[kind][0].split(" ")[0]} ${tints[kind]}` : "bg-sunken text-ink-2";
  return (
    <span className={`inline-flex items-center gap-1 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${look}`}>
      {children}
    </span>
  );
}

export function Empty({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode;
  title: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 px-6 py-12 text-center">
      {icon && <div className="mb-1 flex size-11 items-center justify-center rounded-xl bg-sunken text-ink-3">{icon}</div>}
      <div className="font-medium">{title}</div>
      {children && <div className="max-w-md text-ink-3">{children}</div>}
      {action && <div className="mt-3">{action}</div>}
    </div>
  );
}

export function Failed({ fault, retry }: { fault: unknown; retry?: () => void }) {
  const t = useT();
  const say = useFault();
  return (
    <div role="alert" className="flex flex-col items-center gap-2 px-6 py-12 text-center">
      <CircleAlert aria-hidden className="size-7 text-danger" />
      <p className="font-medium">{t("fault.title")}</p>
      <p className="max-w-md text-ink-3">{say(fault)}</p>
      {retry && (
        <Button className="mt-2" onClick={retry}>
          {t("action.retry")}
        </Button>
      )}
    </div>
  );
}

export function Skeleton({ className = "h-4 w-full" }: { className?: string }) {
  return <div aria-hidden className={`skeleton ${className}`} />;
}

/** Rows are the places of rows that are on their way. */
export function Rows({ n = 6 }: { n?: number }) {
  const { t } = useI18n();
  return (
    <div role="status" aria-label={t("state.loading")} className="flex flex-col gap-4 p-4">
      {Array.from({ length: n }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places have no other name
        <Skeleton key={i} className={`h-4 ${i % 3 === 1 ? "w-4/5" : "w-full"}`} />
      ))}
    </div>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

/** Loaded shows one of a query's states: what loads, what failed, or what came. */
export function Loaded<T>({
  query,
  loading,
  children,
}: {
  query: Asked<T>;
  loading?: ReactNode;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.isPending) return loading ?? <Rows />;
  return <Failed fault={query.error} retry={() => query.refetch()} />;
}

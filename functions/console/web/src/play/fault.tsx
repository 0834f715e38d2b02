import { Link } from "@tanstack/react-router";
import { duration } from "../lib/format";
import { type Key, useI18n } from "../lib/i18n";
import { Note } from "../ui/states";
import { CallFault } from "./call";
import type { Fault } from "./talk";

/** headOf says what kind of thing went wrong. */
function headOf(f: Fault): Key {
  if (f.code === "broken") return "play.fault.broken";
  if (f.status === 0) return "play.fault.unreachable";
  if (f.status === 200) return "play.fault.midway";
  if (f.status === 402) return "play.fault.credits";
  if (f.status === 429) return "play.fault.rate";
  if (f.status === 413) return "play.fault.large";
  if (f.status >= 500) return "play.fault.provider";
  return "play.fault.refused";
}

/** Faulty says why there is no answer, in the reader's words and the hub's, and what helps. */
export function Faulty({ fault }: { fault: Fault }) {
  const { t, format } = useI18n();
  const head = headOf(fault);
  return (
    <Note kind="danger">
      <p className="font-medium">{t(head)}</p>
      {fault.message && <p className="mt-0.5 break-words">{fault.message}</p>}
      {fault.retryAfter !== undefined && (
        <p className="mt-0.5">{t("play.fault.after", { time: duration(format, fault.retryAfter * 1000) })}</p>
      )}
      {fault.status === 402 && (
        <Link to="/credits" search={{}} className="mt-1 inline-block text-accent underline">
          {t("play.fault.credits.go")}
        </Link>
      )}
    </Note>
  );
}

/** Thrown is Faulty for what was thrown. */
export function Thrown({ fault }: { fault: unknown }) {
  const { t } = useI18n();
  if (fault === undefined) return null;
  if (fault instanceof CallFault) return <Faulty fault={fault.fault} />;
  return <Note kind="danger">{t("fault.unknown")}</Note>;
}

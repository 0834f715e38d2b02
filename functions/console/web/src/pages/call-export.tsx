import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { type Answer, ApiError, address, api } from "../api/client";
import { collect, nameIn, save } from "../lib/download";
import { count, dateTime, short } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { zoneOf } from "../lib/zone";
import { Button } from "../ui/button";
import { Modal } from "../ui/dialog";
import { Menu, MenuItem, MenuLine } from "../ui/menu";
import { Badge, Empty, Loaded, Note, useFault } from "../ui/states";
import type { CallQuery } from "./calls-query";

type Export = Answer<"/api/usage/exports/{id}">;
type Kind = "csv" | "ndjson";
type Shown = { kind: Kind } | "past" | undefined;

/** ExportCalls writes all calls that the filters let through: into a file at once, or by a job of the hub with links to the files. */
export function ExportCalls({ query }: { query: CallQuery }) {
  const { t } = useI18n();
  const [shown, setShown] = useState<Shown>();
  const close = () => setShown(undefined);
  return (
    <>
      <Menu trigger={<Button icon={<Download aria-hidden className="size-4" />}>{t("calls.export")}</Button>}>
        <MenuItem onClick={() => setShown({ kind: "csv" })}>{t("calls.export.csv")}</MenuItem>
        <MenuItem onClick={() => setShown({ kind: "ndjson" })}>{t("calls.export.ndjson")}</MenuItem>
        <MenuLine />
        <MenuItem onClick={() => setShown("past")}>{t("calls.export.past")}</MenuItem>
      </Menu>
      <Modal
        open={shown !== undefined}
        onClose={close}
        title={shown === "past" ? t("calls.export.past") : t("calls.export.title")}
        about={shown === "past" ? t("calls.export.past.about") : t("calls.export.about")}
      >
        {shown === "past" ? <Past query={query} /> : shown && <Now query={query} kind={shown.kind} close={close} />}
      </Modal>
    </>
  );
}

/** Now reads an export into a file; where the hub cannot send it at once, it becomes a job that is waited for. */
function Now({ query, kind, close }: { query: CallQuery; kind: Kind; close: () => void }) {
  const { t, language, format } = useI18n();
  const say = useFault();
  const [bytes, setBytes] = useState(0);
  const [done, setDone] = useState(false);
  const [job, setJob] = useState<string>();
  const [fault, setFault] = useState<unknown>();
  const asked = useRef({ ...query, format: kind, lang: language, tz: zoneOf(format) });
  useEffect(() => {
    const stop = new AbortController();
    async function read() {
      const answer = await fetch(address("/api/user/model-calls/export", {}, asked.current), {
        credentials: "same-origin",
        signal: stop.signal,
      }).catch((thrown) => {
        throw stop.signal.aborted ? thrown : new ApiError(0, "unreachable", "");
      });
      if (answer.status === 202) return setJob(((await answer.json()) as Export).id);
      if (!answer.ok) {
        const said = (await answer.json().catch(() => undefined)) as { error?: { code?: string; message?: string } } | undefined;
        throw new ApiError(answer.status, said?.error?.code ?? "", said?.error?.message ?? "");
      }
      save(await collect(answer, setBytes), nameIn(answer, `model-calls.${kind}`));
      setDone(true);
    }
    read().catch((thrown) => {
      if (!stop.signal.aborted) setFault(thrown);
    });
    return () => stop.abort();
  }, [kind]);
  if (fault !== undefined) return <Note kind="danger">{say(fault)}</Note>;
  if (job) return <Job id={job} />;
  return (
    <div className="flex flex-col gap-4">
      {done ? (
        <Note kind="ok">{t("calls.export.done", { size: size(format.locale, bytes) })}</Note>
      ) : (
        <p aria-live="polite">{t("calls.export.reading", { size: size(format.locale, bytes) })}</p>
      )}
      <div className="flex justify-end">
        <Button look={done ? "primary" : "plain"} onClick={close}>
          {done ? t("action.close") : t("action.cancel")}
        </Button>
      </div>
    </div>
  );
}

/** size is a number of bytes in words. */
function size(locale: string, bytes: number): string {
  const [unit, of] = bytes < 1e6 ? ["kilobyte", 1e3] : ["megabyte", 1e6];
  return new Intl.NumberFormat(locale, { style: "unit", unit: unit as string, maximumFractionDigits: 1 }).format(
    bytes / (of as number),
  );
}

const often = 1500; // ms between looks at a job

const pending = (x: Export | undefined) => x === undefined || x.state === "waiting" || x.state === "writing";

/** Job waits for an export that the hub writes. */
function Job({ id }: { id: string }) {
  const { t } = useI18n();
  const found = useQuery({
    queryKey: ["exports", id],
    queryFn: ({ signal }) => api.get("/api/usage/exports/{id}", { params: { id }, signal }),
    refetchInterval: ({ state }) => (pending(state.data) ? often : false),
  });
  return (
    <div className="flex flex-col gap-3">
      <Note>{t("calls.export.job")}</Note>
      <Loaded query={found}>{(x) => <One of={x} />}</Loaded>
    </div>
  );
}

const looks = { done: "ok", failed: "danger", writing: "info", waiting: "info" } as const;

function One({ of: x }: { of: Export }) {
  const { t, known, format } = useI18n();
  return (
    <div className="rounded-lg border border-line p-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span>
          {dateTime(format, x.created_at)} · {x.format.toUpperCase()}
        </span>
        <Badge kind={looks[x.state as keyof typeof looks]}>{known(`calls.export.state.${x.state}`, x.state)}</Badge>
      </div>
      <p className="mt-1 text-sm text-ink-3" aria-live="polite">
        {t("calls.export.sofar", { calls: count(format, x.calls), size: size(format.locale, x.bytes) })}
        {x.expires_at && ` · ${t("calls.export.until", { at: dateTime(format, x.expires_at) })}`}
      </p>
      {x.error && <p className="mt-1 text-sm text-danger">{x.error}</p>}
      {x.links.length > 0 && (
        <ul className="mt-2 flex flex-wrap gap-2">
          {x.links.map((link, i) => (
            <li key={link}>
              <a href={link} download className="text-accent hover:underline">
                {t("calls.export.file", { n: short(format, i + 1), of: short(format, x.links.length) })}
              </a>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Past are the exports that jobs wrote, and a way to have another one. */
function Past({ query }: { query: CallQuery }) {
  const { t, language, format } = useI18n();
  const say = useFault();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const [cursor, setCursor] = useState<string>();
  const all = useQuery({
    queryKey: ["exports", "all", cursor],
    queryFn: ({ signal }) => api.get("/api/usage/exports", { query: { cursor, pageSize: 10 }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.data.some(pending) ? often : false),
  });
  async function begin() {
    setBusy(true);
    setFault(undefined);
    try {
      await api.post("/api/usage/exports", { query: { ...query, format: "csv", lang: language, tz: zoneOf(format) } });
      setCursor(undefined);
      await all.refetch();
    } catch (thrown) {
      setFault(thrown);
    } finally {
      setBusy(false);
    }
  }
  return (
    <div className="flex flex-col gap-3">
      {fault !== undefined && <Note kind="danger">{say(fault)}</Note>}
      <Loaded query={all}>
        {({ data, next_cursor }) => (
          <>
            {data.length === 0 && <Empty title={t("calls.export.none")} />}
            {data.map((x) => (
              <One key={x.id} of={x} />
            ))}
            <div className="flex flex-wrap justify-between gap-2">
              <Button onClick={begin} busy={busy}>
                {t("calls.export.begin")}
              </Button>
              {next_cursor && <Button onClick={() => setCursor(next_cursor)}>{t("pager.next")}</Button>}
            </div>
          </>
        )}
      </Loaded>
    </div>
  );
}

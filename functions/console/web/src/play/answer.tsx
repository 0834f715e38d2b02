import { RotateCcw, Square, Wrench } from "lucide-react";
import { memo, useId, useState } from "react";
import { useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { Code, CopyButton } from "../ui/copy";
import { Markdown } from "../ui/markdown";
import { Badge, Note } from "../ui/states";
import { pretty } from "./chat";
import { Faulty } from "./fault";
import { Took } from "./figures";
import type { Answer, ToolUse } from "./talk";

interface Props {
  answer: Answer;
  /** structured: the answer is to be JSON. */
  structured: boolean;
  /** last in its lane: it can be made again, and tools wait for results. */
  last: boolean;
  again: () => void;
  stop: () => void;
  result: (tool: string, result: string) => void;
  goOn: () => void;
}

/** AnswerView is what one model said: its thoughts, its words, the tools it wants, and what it took. */
export const AnswerView = memo(
  function AnswerView({ answer: a, structured, last, again, stop, result, goOn }: Props) {
    const { t } = useI18n();
    const running = a.state === "running";
    const nothing = !a.text && !a.reasoning && !a.refusal && a.tools.length === 0;
    return (
      <div className="flex min-w-0 flex-col gap-2.5">
        {a.reasoning && <Reasoning text={a.reasoning} growing={running && !a.text} />}
        {a.text && (structured ? <Structured text={a.text} running={running} /> : <Markdown text={a.text} growing={running} />)}
        {a.refusal && <Note kind="warn">{a.refusal}</Note>}
        {a.tools.length > 0 && <Tools answer={a} open={last && a.state === "done"} result={result} goOn={goOn} />}
        {running && nothing && <p className="animate-pulse text-ink-3">{t("play.answer.waiting")}</p>}
        {a.state === "done" && nothing && <p className="text-ink-3">{t("play.answer.empty")}</p>}
        {a.fault && <Faulty fault={a.fault} />}
        <div className="flex flex-wrap items-center gap-2">
          {a.state === "stopped" && <Badge kind="warn">{t("play.answer.stopped")}</Badge>}
          {a.finish === "length" && <Badge kind="warn">{t("play.answer.length")}</Badge>}
          {a.finish === "content_filter" && <Badge kind="warn">{t("play.answer.filtered")}</Badge>}
          <Took figures={a.figures} waiting={last} />
        </div>
        <div className="flex flex-wrap gap-1.5">
          {running ? (
            <Button small onClick={stop} icon={<Square aria-hidden className="size-3.5 fill-current" />}>
              {t("play.stop")}
            </Button>
          ) : (
            <>
              {a.text && <CopyButton text={a.text} />}
              {last && (
                <Button small look="quiet" onClick={again} icon={<RotateCcw aria-hidden className="size-3.5" />}>
                  {t("action.retry")}
                </Button>
              )}
            </>
          )}
        </div>
      </div>
    );
  },
  (a, b) => a.answer === b.answer && a.last === b.last && a.structured === b.structured,
);

function Reasoning({ text, growing }: { text: string; growing: boolean }) {
  const { t } = useI18n();
  return (
    <details className="rounded-lg border border-line bg-sunken px-3 py-2">
      <summary className="text-sm font-medium text-ink-2">{growing ? t("play.reasoning.now") : t("play.reasoning")}</summary>
      <div className="mt-2 text-sm text-ink-2">
        <Markdown text={text} growing={growing} />
      </div>
    </details>
  );
}

/** Structured is an answer that is to be JSON: in lines once it is whole, as it comes until then. */
function Structured({ text, running }: { text: string; running: boolean }) {
  const { t } = useI18n();
  const formatted = running ? undefined : pretty(text);
  return (
    <div className="flex flex-col gap-2">
      <Code label="JSON" text={formatted ?? text} />
      {!running && (
        <div>
          {formatted === undefined ? (
            <Badge kind="danger">{t("play.json.bad")}</Badge>
          ) : (
            <Badge kind="ok">{t("play.json.good")}</Badge>
          )}
        </div>
      )}
    </div>
  );
}

interface ToolsProps {
  answer: Answer;
  open: boolean;
  result: (tool: string, result: string) => void;
  goOn: () => void;
}

/** Tools are the functions that a model wants called. The person plays them, and types what they give. */
function Tools({ answer, open, result, goOn }: ToolsProps) {
  const { t } = useI18n();
  return (
    <form
      className="flex flex-col gap-2.5"
      onSubmit={(e) => {
        e.preventDefault();
        goOn();
      }}
    >
      {answer.tools.map((use) => (
        <ToolView key={use.id || use.name} use={use} open={open} change={(text) => result(use.id, text)} />
      ))}
      {open && (
        <div>
          <Button type="submit" look="primary" small>
            {t("play.tool.send")}
          </Button>
        </div>
      )}
    </form>
  );
}

function ToolView({ use, open, change }: { use: ToolUse; open: boolean; change: (text: string) => void }) {
  const { t } = useI18n();
  const id = useId();
  const [text, setText] = useState(use.result ?? "");
  return (
    <div className="overflow-hidden rounded-lg border border-line">
      <p className="flex items-center gap-2 border-b border-line bg-sunken px-3 py-1.5 text-sm">
        <Wrench aria-hidden className="size-3.5 shrink-0 text-ink-3" />
        <span className="font-mono break-all">{use.name}</span>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0} className="max-h-60 overflow-auto px-3 py-2 font-mono text-[13px]">
        {pretty(use.args) ?? use.args}
      </pre>
      <div className="border-t border-line p-2">
        <label htmlFor={id} className="mb-1 block text-sm text-ink-3">
          {t("play.tool.result", { name: use.name })}
        </label>
        {open ? (
          <textarea
            id={id}
            rows={2}
            value={text}
            onChange={(e) => {
              setText(e.target.value);
              change(e.target.value);
            }}
            className="input font-mono text-[13px]"
          />
        ) : (
          <pre id={id} className="overflow-x-auto font-mono text-[13px] whitespace-pre-wrap">
            {use.result || "–"}
          </pre>
        )}
      </div>
    </div>
  );
}

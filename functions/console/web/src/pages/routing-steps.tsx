import { GripVertical, Plus, Trash2 } from "lucide-react";
import { type DragEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { percent } from "../lib/format";
import { useI18n } from "../lib/i18n";
import { newTarget, part, place, type Step, shift, type Target } from "../lib/routes";
import { Button, IconButton } from "../ui/button";

interface StepsProps {
  steps: Step[];
  list: string; // id of the datalist of models
  wrong: string; // what the hub found wrong, below the rule
  change: (next: (steps: Step[]) => Step[]) => void;
}

type Spot = { step: number; where: "in" | "before" | "after" };

/** Steps are the targets of a rule in the order in which they are tried. Targets are moved by pointer, or by the arrow keys on their handle. */
export function Steps({ steps, list, wrong, change }: StepsProps) {
  const { t } = useI18n();
  const [dragged, setDragged] = useState<number>();
  const [spot, setSpot] = useState<Spot>();
  const [told, setTold] = useState("");
  const keep = useRef<number>(undefined); // whose handle had the focus before it moved
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (keep.current === undefined) return;
    box.current?.querySelector<HTMLElement>(`[data-handle="${keep.current}"]`)?.focus();
    keep.current = undefined;
  });
  const drop = () => {
    if (dragged !== undefined && spot) change((old) => place(old, dragged, spot.step, spot.where));
    setDragged(undefined);
    setSpot(undefined);
  };
  const over = (e: DragEvent, next: Spot) => {
    if (dragged === undefined) return;
    e.preventDefault();
    e.stopPropagation();
    if (spot?.step !== next.step || spot.where !== next.where) setSpot(next);
  };
  const press = (e: KeyboardEvent, target: Target) => {
    const by = e.key === "ArrowUp" ? -1 : e.key === "ArrowDown" ? 1 : 0;
    if (by === 0) return;
    e.preventDefault();
    const next = shift(steps, target.key, by);
    const at = next.findIndex((s) => s.targets.some((x) => x.key === target.key));
    keep.current = target.key;
    change(() => next);
    setTold(t("routing.moved", { name: target.model, n: at + 1, of: next.length }));
  };
  const set = (target: number, to: Partial<Target>) =>
    change((old) => old.map((s) => ({ ...s, targets: s.targets.map((x) => (x.key === target ? { ...x, ...to } : x)) })));
  const gap = (step: Step, where: "before" | "after") => (
    <li
      aria-hidden
      onDragOver={(e) => over(e, { step: step.key, where })}
      onDrop={drop}
      className={`${dragged === undefined ? "h-2" : "h-5"} rounded ${spot?.step === step.key && spot.where === where ? "bg-accent-soft outline-1 outline-accent outline-dashed" : ""}`}
    />
  );
  return (
    <div ref={box}>
      <p aria-live="polite" className="sr-only">
        {told}
      </p>
      <ol className="flex flex-col">
        {steps.map((step, at) => (
          <li key={step.key} className="contents">
            <ul className="contents">
              {gap(step, "before")}
              <li
                onDragOver={(e) => over(e, { step: step.key, where: "in" })}
                onDrop={drop}
                className={`rounded-lg border px-2 py-2 ${spot?.step === step.key && spot.where === "in" ? "border-accent bg-accent-soft" : "border-line bg-surface"}`}
              >
                <p className="px-1 pb-1.5 text-xs font-medium text-ink-3">
                  {at === 0 ? t("routing.step.first") : t("routing.step.later", { n: at + 1 })}
                </p>
                <ul className="flex flex-col gap-1.5">
                  {step.targets.map((target, i) => (
                    <li
                      key={target.key}
                      className={`flex flex-wrap items-center gap-1.5 ${dragged === target.key ? "opacity-50" : ""}`}
                    >
                      <button
                        type="button"
                        draggable
                        data-handle={target.key}
                        aria-label={t("routing.handle", { name: target.model })}
                        title={t("routing.handle.hint")}
                        onKeyDown={(e) => press(e, target)}
                        onDragStart={(e) => {
                          e.dataTransfer.effectAllowed = "move";
                          e.dataTransfer.setData("text/plain", target.model);
                          setDragged(target.key);
                        }}
                        onDragEnd={() => {
                          setDragged(undefined);
                          setSpot(undefined);
                        }}
                        className="inline-flex size-8 shrink-0 !cursor-grab items-center justify-center rounded-md text-ink-3 hover:bg-sunken hover:text-ink active:!cursor-grabbing"
                      >
                        <GripVertical aria-hidden className="size-4" />
                      </button>
                      <input
                        value={target.model}
                        list={list}
                        aria-label={t("routing.target")}
                        aria-invalid={wrong === `steps[${at}].targets[${i}].model` || undefined}
                        placeholder="openai/gpt-4.1"
                        required
                        spellCheck={false}
                        onChange={(e) => set(target.key, { model: e.target.value })}
                        className="input !w-auto min-w-40 flex-1 font-mono !text-[13px]"
                      />
                      <input
                        type="number"
                        min={1}
                        max={1000000}
                        value={target.weight}
                        aria-label={t("routing.weight.of", { name: target.model })}
                        aria-invalid={wrong === `steps[${at}].targets[${i}].weight` || undefined}
                        onChange={(e) => set(target.key, { weight: Math.max(1, Math.floor(Number(e.target.value) || 1)) })}
                        className="input num !w-20"
                      />
                      <Part step={step} target={target} />
                      <IconButton
                        label={t("routing.target.remove", { name: target.model })}
                        className="!size-8"
                        onClick={() =>
                          change((old) =>
                            old
                              .map((s) => ({ ...s, targets: s.targets.filter((x) => x.key !== target.key) }))
                              .filter((s) => s.targets.length > 0),
                          )
                        }
                      >
                        <Trash2 aria-hidden className="size-4" />
                      </IconButton>
                    </li>
                  ))}
                </ul>
                <Button
                  small
                  look="quiet"
                  className="mt-1.5"
                  icon={<Plus aria-hidden className="size-4" />}
                  onClick={() =>
                    change((old) => old.map((s) => (s.key === step.key ? { ...s, targets: [...s.targets, newTarget()] } : s)))
                  }
                >
                  {t("routing.target.add")}
                </Button>
              </li>
              {at === steps.length - 1 && gap(step, "after")}
            </ul>
          </li>
        ))}
      </ol>
    </div>
  );
}

/** Part shows which share of a step's calls a target gets first. */
function Part({ step, target }: { step: Step; target: Target }) {
  const { t, format } = useI18n();
  const share = part(step, target);
  return (
    <span className="flex w-20 items-center gap-1.5 max-sm:hidden" title={t("routing.share")}>
      <progress max={1} value={share} aria-label={t("routing.share")} className="w-8" />
      <span className="text-sm text-ink-3 tabular-nums">{percent(format, Math.round(share * 1000) / 1000)}</span>
    </span>
  );
}

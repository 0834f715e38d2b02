/** What a name of the operator's leads to, while it is edited. Steps and targets have keys, so that they stay what they are when they move. */

export interface Target {
  key: number;
  model: string;
  weight: number;
}
export interface Step {
  key: number;
  targets: Target[];
}
export interface When {
  needs: string[];
  min_tokens: number;
  max_tokens: number;
  regions: string[];
  groups: string[];
  tags: string[];
}
export interface Rule {
  key: number;
  when: When;
  policy: string;
  steps: Step[];
}

/** The hub's form of a rule. */
export interface Written {
  when?: Partial<{ [K in keyof When]: When[K] | null }>;
  policy?: string;
  steps: { targets: { model: string; weight?: number }[] | null }[] | null;
}

let last = 0;
const key = () => ++last;

export const newTarget = (model = "", weight = 1): Target => ({ key: key(), model, weight });
export const newStep = (targets: Target[] = [newTarget()]): Step => ({ key: key(), targets });
export const newRule = (): Rule => ({
  key: key(),
  when: { needs: [], min_tokens: 0, max_tokens: 0, regions: [], groups: [], tags: [] },
  policy: "",
  steps: [newStep()],
});

/** read makes rules that can be edited. */
export function read(rules: readonly Written[]): Rule[] {
  return rules.map((r) => ({
    key: key(),
    when: {
      needs: r.when?.needs ?? [],
      min_tokens: r.when?.min_tokens ?? 0,
      max_tokens: r.when?.max_tokens ?? 0,
      regions: r.when?.regions ?? [],
      groups: r.when?.groups ?? [],
      tags: r.when?.tags ?? [],
    },
    policy: r.policy ?? "",
    steps: (r.steps ?? []).map((s) => newStep((s.targets ?? []).map((x) => newTarget(x.model, x.weight || 1)))),
  }));
}

/** write makes the hub's form of rules: without steps that have no target left. */
export function write(rules: readonly Rule[]) {
  return rules.map((r) => ({
    when: Object.fromEntries(Object.entries(r.when).filter(([, v]) => (Array.isArray(v) ? v.length > 0 : v > 0))),
    ...(r.policy ? { policy: r.policy } : {}),
    steps: r.steps
      .filter((s) => s.targets.length > 0)
      .map((s) => ({
        targets: s.targets.map((x) => ({ model: x.model.trim(), ...(x.weight !== 1 ? { weight: x.weight } : {}) })),
      })),
  }));
}

/** words are those of a list that was typed with commas. */
export const words = (text: string): string[] =>
  text
    .split(/[,，、]/)
    .map((w) => w.trim())
    .filter(Boolean);

/** part is the share of a step's calls that a target gets first, from 0 to 1. */
export function part(step: Step, target: Target): number {
  const all = step.targets.reduce((n, x) => n + x.weight, 0);
  return all > 0 ? target.weight / all : 0;
}

const tidy = (steps: Step[]) => steps.filter((s) => s.targets.length > 0);
const without = (steps: readonly Step[], target: number) =>
  steps.map((s) => ({ ...s, targets: s.targets.filter((x) => x.key !== target) }));
const find = (steps: readonly Step[], target: number) => steps.flatMap((s) => s.targets).find((x) => x.key === target);

/** place moves a target into a step, "before" puts it into one of its own before that, and "after" behind. */
export function place(steps: readonly Step[], target: number, step: number, where: "in" | "before" | "after"): Step[] {
  const moved = find(steps, target);
  if (!moved) return [...steps];
  const at = steps.findIndex((s) => s.key === step);
  if (at < 0 || (where === "in" && steps[at]?.targets.includes(moved))) return [...steps];
  const rest = without(steps, target);
  if (where === "in") return tidy(rest.map((s, i) => (i === at ? { ...s, targets: [...s.targets, moved] } : s)));
  rest.splice(where === "before" ? at : at + 1, 0, newStep([moved]));
  return tidy(rest);
}

/** shift moves a target up or down by one: out of a step that it shares into one of its own, else into the next. */
export function shift(steps: readonly Step[], target: number, by: -1 | 1): Step[] {
  const at = steps.findIndex((s) => s.targets.some((x) => x.key === target));
  const here = steps[at];
  if (!here) return [...steps];
  if (here.targets.length > 1) return place(steps, target, here.key, by < 0 ? "before" : "after");
  const next = steps[at + by];
  return next ? place(steps, target, next.key, "in") : [...steps];
}

/** swap moves a rule up or down by one. */
export function swap<T>(list: readonly T[], at: number, by: -1 | 1): T[] {
  const out = [...list];
  const [a, b] = [out[at], out[at + by]];
  if (a === undefined || b === undefined) return out;
  out[at] = b;
  out[at + by] = a;
  return out;
}

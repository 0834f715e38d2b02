import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import { useId, useState } from "react";
import { ApiError, api } from "../api/client";
import { useInvalidate } from "../app/session";
import { useI18n } from "../lib/i18n";
import { newRule, newStep, type Rule, read, swap, type When, type Written, words, write } from "../lib/routes";
import { Button, IconButton } from "../ui/button";
import { Check, Form, SelectField, TextField } from "../ui/form";
import { Note } from "../ui/states";
import { useToast } from "../ui/toast";
import type { Alias } from "./routing";
import { Steps } from "./routing-steps";

export const needs = ["tools", "vision", "audio", "files", "structured_output", "thinking"] as const;
export const policies = ["fast", "cheap", "long-context", "coding"] as const;

/** useModels are names that targets can have. */
export function useModels(): string[] {
  const models = useQuery({ queryKey: ["prices", "names"], queryFn: ({ signal }) => api.get("/api/ai/models", { signal }) });
  const names = (models.data ?? []).map((m) => (m as { model: string; provider?: unknown }).model);
  return [...new Set(names)].sort();
}

/** AliasForm edits what a name leads to. */
export function AliasForm({ alias, taken, onClose }: { alias: Alias | undefined; taken: string[]; onClose: () => void }) {
  const { t } = useI18n();
  const say = useToast();
  const invalidate = useInvalidate();
  const [rules, setRules] = useState<Rule[]>(() => (alias ? read((alias.rules ?? []) as Written[]) : [newRule()]));
  const [fault, setFault] = useState("");
  const [name, setName] = useState(alias?.name ?? "");
  const models = useModels();
  const list = useId();
  const change = (key: number, next: (rule: Rule) => Rule) => setRules((all) => all.map((r) => (r.key === key ? next(r) : r)));
  const overwrites = !alias && taken.includes(name);
  const catchAll = rules.findIndex((r) => write([r])[0] && Object.keys(write([r])[0]?.when ?? {}).length === 0);
  return (
    <Form
      submit={alias ? t("action.save") : t("routing.add")}
      onCancel={onClose}
      save={async (value) => {
        setFault("");
        try {
          const body = { name: alias?.name ?? value("name"), rules: write(rules) };
          await api.put("/api/admin/aliases", { body: body as never });
        } catch (thrown) {
          if (thrown instanceof ApiError) setFault(thrown.param);
          throw thrown;
        }
        await invalidate("aliases", "prices", "plan");
        say(t("action.saved"));
        onClose();
      }}
    >
      {(faultOf) => (
        <>
          {!alias && (
            <TextField
              name="name"
              label={t("routing.name")}
              hint={t("routing.name.hint")}
              error={faultOf("name")}
              value={name}
              onChange={(e) => setName(e.target.value)}
              required
              maxLength={200}
              autoComplete="off"
            />
          )}
          {overwrites && <Note kind="warn">{t("routing.name.taken", { name })}</Note>}
          <datalist id={list}>
            {models
              .filter((m) => m !== name)
              .map((m) => (
                <option key={m} value={m} />
              ))}
          </datalist>
          {rules.map((rule, at) => (
            <RuleCard
              key={rule.key}
              rule={rule}
              at={at}
              of={rules.length}
              list={list}
              fault={fault}
              unreached={catchAll >= 0 && at > catchAll}
              change={(next) => change(rule.key, next)}
              move={(by) => setRules((all) => swap(all, at, by))}
              remove={() => setRules((all) => all.filter((r) => r.key !== rule.key))}
            />
          ))}
          <div>
            <Button small icon={<Plus aria-hidden className="size-4" />} onClick={() => setRules((all) => [newRule(), ...all])}>
              {t("routing.rule.add")}
            </Button>
            <p className="mt-1 text-sm text-ink-3">{t("routing.rule.add.hint")}</p>
          </div>
        </>
      )}
    </Form>
  );
}

interface CardProps {
  rule: Rule;
  at: number;
  of: number;
  list: string;
  fault: string;
  unreached: boolean;
  change: (next: (rule: Rule) => Rule) => void;
  move: (by: -1 | 1) => void;
  remove: () => void;
}

function RuleCard({ rule, at, of, list, fault, unreached, change, move, remove }: CardProps) {
  const { t } = useI18n();
  const wrong = fault.startsWith(`rules[${at}]`) ? fault.slice(`rules[${at}].`.length) : "";
  const title = t("routing.rule", { n: at + 1 });
  return (
    <section aria-label={title} className={`rounded-xl border ${wrong ? "border-danger" : "border-line"}`}>
      <header className="flex items-center gap-1 border-b border-line py-1 pr-1 pl-3">
        <h3 className="min-w-0 flex-1 truncate font-medium">
          {title} <span className="font-normal text-ink-3">· {summary(rule, t)}</span>
        </h3>
        {of > 1 && (
          <>
            <IconButton label={t("routing.rule.up")} disabled={at === 0} onClick={() => move(-1)}>
              <ArrowUp aria-hidden className="size-4" />
            </IconButton>
            <IconButton label={t("routing.rule.down")} disabled={at === of - 1} onClick={() => move(1)}>
              <ArrowDown aria-hidden className="size-4" />
            </IconButton>
            <IconButton label={t("routing.rule.remove")} onClick={remove}>
              <Trash2 aria-hidden className="size-4" />
            </IconButton>
          </>
        )}
      </header>
      <div className="flex flex-col gap-3 p-3">
        {unreached && <Note kind="warn">{t("routing.rule.unreached")}</Note>}
        <Conditions when={rule.when} open={wrong.startsWith("when")} change={(when) => change((r) => ({ ...r, when }))} />
        <Steps steps={rule.steps} list={list} wrong={wrong} change={(next) => change((r) => ({ ...r, steps: next(r.steps) }))} />
        <div className="flex flex-wrap items-end justify-between gap-3">
          <Button
            small
            icon={<Plus aria-hidden className="size-4" />}
            onClick={() => change((r) => ({ ...r, steps: [...r.steps, newStep()] }))}
          >
            {t("routing.step.add")}
          </Button>
          <div className="w-56 max-w-full">
            <SelectField
              label={t("routing.policy")}
              value={rule.policy}
              onChange={(e) => change((r) => ({ ...r, policy: e.target.value }))}
            >
              <option value="">{t("routing.policy.weight")}</option>
              {policies.map((p) => (
                <option key={p} value={p}>
                  {t(`routing.policy.${p}`)}
                </option>
              ))}
            </SelectField>
          </div>
        </div>
      </div>
    </section>
  );
}

/** summary says in short when a rule holds. */
function summary(rule: Rule, t: ReturnType<typeof useI18n>["t"]): string {
  const w = rule.when;
  const parts = [
    ...w.needs.map((n) => t(`routing.need.${n as (typeof needs)[number]}`)),
    w.min_tokens > 0 && `≥ ${w.min_tokens}`,
    w.max_tokens > 0 && `≤ ${w.max_tokens}`,
    ...w.groups,
    ...w.tags.map((x) => `#${x}`),
    ...w.regions,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : t("routing.always");
}

function Conditions({ when, open, change }: { when: When; open: boolean; change: (when: When) => void }) {
  const { t } = useI18n();
  const amount = (field: "min_tokens" | "max_tokens", label: string) => (
    <TextField
      label={label}
      type="number"
      min={0}
      value={when[field] || ""}
      onChange={(e) => change({ ...when, [field]: Math.max(0, Math.floor(Number(e.target.value) || 0)) })}
    />
  );
  const many = (field: "groups" | "tags" | "regions", label: string) => (
    <TextField
      label={label}
      defaultValue={when[field].join(", ")}
      onChange={(e) => change({ ...when, [field]: words(e.target.value) })}
    />
  );
  return (
    <details open={open || undefined} className="rounded-lg bg-sunken px-3 py-2">
      <summary className="text-sm font-medium">{t("routing.when")}</summary>
      <div className="mt-3 flex flex-col gap-3">
        <p className="text-sm text-ink-3">{t("routing.when.hint")}</p>
        <fieldset>
          <legend className="mb-1 text-sm font-medium">{t("routing.needs")}</legend>
          <div className="grid grid-cols-2 gap-x-4 gap-y-1 sm:grid-cols-3">
            {needs.map((n) => (
              <Check
                key={n}
                label={t(`routing.need.${n}`)}
                checked={when.needs.includes(n)}
                onChange={(e) =>
                  change({ ...when, needs: e.target.checked ? [...when.needs, n] : when.needs.filter((x) => x !== n) })
                }
              />
            ))}
          </div>
        </fieldset>
        <div className="grid gap-3 sm:grid-cols-2">
          {amount("min_tokens", t("routing.tokens.min"))}
          {amount("max_tokens", t("routing.tokens.max"))}
          {many("groups", t("routing.groups"))}
          {many("tags", t("routing.tags"))}
          {many("regions", t("routing.regions"))}
        </div>
      </div>
    </details>
  );
}

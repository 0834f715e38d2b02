import { useNavigate } from "@tanstack/react-router";
import { ListFilter, Search, X } from "lucide-react";
import { useEffect, useId, useState } from "react";
import { duration } from "../lib/format";
import { type Key, useI18n } from "../lib/i18n";
import { Button } from "../ui/button";
import { SelectField, TextField } from "../ui/form";
import { RangePicker } from "../ui/range-picker";
import { type CallFilter, callFilters, callStatuses, callTypes, useCallQuery, useFacet } from "./calls-query";

const pause = 350; // ms after the last key until a text counts
const slowest = ["1", "5", "10", "30", "60"]; // seconds

/** useTyped keeps what is typed and gives it on after a pause. */
function useTyped(value: string | undefined, give: (text: string | undefined) => void): [string, (text: string) => void] {
  const [typed, setTyped] = useState(value ?? "");
  const [last, setLast] = useState(value);
  if (value !== last) {
    setLast(value);
    if ((value ?? "") !== typed.trim()) setTyped(value ?? ""); // by the way back, or cleared
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: only typing starts the pause
  useEffect(() => {
    const text = typed.trim() || undefined;
    if (text === value) return;
    const timer = setTimeout(() => give(text), pause);
    return () => clearTimeout(timer);
  }, [typed]);
  return [typed, setTyped];
}

/** CallFilters choose which calls are shown; everything stands in the address. */
export function CallFilters() {
  const { t, known, format } = useI18n();
  const navigate = useNavigate({ from: "/calls" });
  const { search, admin, everyone } = useCallQuery();
  const active = callFilters.filter((f) => search[f] !== undefined);
  const [more, setMore] = useState(false);
  const panel = useId();
  const set = (change: Partial<typeof search>) => navigate({ search: (old) => ({ ...old, before: undefined, ...change }) });
  const [q, setQ] = useTyped(search.q, (text) => set({ q: text }));
  const keys = useFacet("key", everyone, search.key !== undefined);
  const apps = useFacet("app", everyone, search.app !== undefined);
  const named = (all: [string, string][]) => (v: string) => all.find(([key]) => key === v)?.[1] ?? v;
  const names: Partial<Record<CallFilter, (v: string) => string>> = {
    status: (v) =>
      v
        .split(",")
        .map((s) => known(`call.status.${s}`, s))
        .join(", "),
    type: (v) => known(`type.${v}`, v),
    category: (v) => known(`category.${v}`, v.replaceAll("_", " ")),
    slow: (v) => `≥ ${duration(format, Number(v) * 1000)}`,
    credits: (v) => `≥ ${v}`,
    key: named(keys),
    app: named(apps),
  };
  return (
    <div className="flex flex-col gap-3">
      <div className="grid grid-cols-2 items-center gap-2 sm:flex sm:flex-wrap">
        <div className="relative max-sm:col-span-2 min-w-44 flex-1 sm:max-w-72">
          <Search aria-hidden className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-ink-3" />
          <input
            type="search"
            aria-label={t("calls.search")}
            placeholder={t("calls.search")}
            title={t("calls.search.hint")}
            maxLength={100}
            value={q}
            onChange={(e) => setQ(e.target.value)}
            className="input pl-8"
          />
        </div>
        <RangePicker value={search} usual="all" onChange={set} />
        {admin && (
          <select
            aria-label={t("calls.of")}
            className="input sm:w-auto"
            value={everyone ? "all" : "own"}
            onChange={(e) => set({ everyone: e.target.value === "all" || undefined, user: undefined, key: undefined })}
          >
            <option value="own">{t("calls.own")}</option>
            <option value="all">{t("calls.everyone")}</option>
          </select>
        )}
        <Button
          aria-expanded={more}
          aria-controls={panel}
          onClick={() => setMore(!more)}
          icon={<ListFilter aria-hidden className="size-4" />}
        >
          {t("calls.filters")}
          {active.length > 0 && (
            <span className="rounded-full bg-accent-soft px-1.5 text-xs text-accent tabular-nums">{active.length}</span>
          )}
        </Button>
        <label className="flex min-h-9 items-center gap-2">
          <input
            type="checkbox"
            checked={search.live === true}
            onChange={(e) => set({ live: e.target.checked || undefined })}
            className="size-4 accent-accent-fill"
          />
          {t("calls.live")}
        </label>
      </div>
      {active.length > 0 && (
        <ul className="flex flex-wrap gap-2">
          {active.map((f) => (
            <li key={f} className="max-w-full">
              <button
                type="button"
                onClick={() => set({ [f]: undefined, ...(f === "user" ? { everyone: true } : {}) })}
                className="inline-flex min-h-8 max-w-full items-center gap-1.5 rounded-full border border-line-strong bg-surface px-3 text-sm hover:bg-sunken"
              >
                <span className="whitespace-nowrap text-ink-3">{t(`calls.filter.${f}` as Key)}</span>
                <span className="truncate font-medium">{(names[f] ?? String)(search[f] ?? "")}</span>
                <X aria-hidden className="size-3.5 shrink-0" />
                <span className="sr-only">{t("action.remove")}</span>
              </button>
            </li>
          ))}
          <li>
            <Button small look="quiet" onClick={() => set(Object.fromEntries(callFilters.map((f) => [f, undefined])))}>
              {t("filter.clear")}
            </Button>
          </li>
        </ul>
      )}
      {more && (
        <div id={panel} className="card p-4">
          <More />
        </div>
      )}
    </div>
  );
}

/** More are the filters that are not always wanted. */
function More() {
  const { t, format } = useI18n();
  const navigate = useNavigate({ from: "/calls" });
  const { search, admin, everyone } = useCallQuery();
  const set = (change: Partial<typeof search>) => navigate({ search: (old) => ({ ...old, before: undefined, ...change }) });
  const models = useFacet("model", everyone, true);
  const providers = useFacet("provider", everyone, true);
  const apps = useFacet("app", everyone, true);
  const keys = useFacet("key", everyone, true);
  const users = useFacet("user", true, admin);
  const categories = useFacet("category", everyone, true);
  const [model, setModel] = useTyped(search.model, (text) => set({ model: text }));
  const [credits, setCredits] = useTyped(search.credits, (text) => set({ credits: text }));
  const list = useId();
  return (
    <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
      <Choice filter="status" options={callStatuses.map((s) => [s, t(`call.status.${s}`)])} set={set} />
      <Choice filter="type" options={callTypes.map((x) => [x, t(`type.${x}`)])} set={set} />
      <Choice filter="provider" options={providers} set={set} />
      <div className="min-w-0">
        <TextField
          label={t("calls.filter.model")}
          list={list}
          value={model}
          placeholder={t("calls.any")}
          onChange={(e) => setModel(e.target.value)}
        />
        <datalist id={list}>
          {models.map(([v]) => (
            <option key={v} value={v} />
          ))}
        </datalist>
      </div>
      <Choice filter="app" options={apps} set={set} />
      <Choice filter="key" options={keys} set={set} />
      {admin && <Choice filter="user" options={users} set={set} />}
      <Choice filter="category" options={categories} set={set} />
      <Choice filter="slow" options={slowest.map((s) => [s, `≥ ${duration(format, Number(s) * 1000)}`])} set={set} />
      <TextField
        label={t("calls.filter.credits")}
        inputMode="decimal"
        value={credits}
        placeholder={t("calls.any")}
        onChange={(e) => setCredits(e.target.value.replaceAll(/[^\d.]/g, ""))}
      />
    </div>
  );
}

interface ChoiceProps {
  filter: CallFilter;
  options: readonly (readonly [string, string])[];
  set: (change: Partial<Record<CallFilter, string>>) => void;
}

/** Choice is a filter that takes one of several values, or a value of the address that is none of them. */
function Choice({ filter, options, set }: ChoiceProps) {
  const { t } = useI18n();
  const { search } = useCallQuery();
  const value = search[filter];
  const all = value !== undefined && !options.some(([v]) => v === value) ? [[value, value] as const, ...options] : options;
  return (
    <SelectField
      label={t(`calls.filter.${filter}` as Key)}
      value={value ?? ""}
      onChange={(e) => set({ [filter]: e.target.value || undefined })}
    >
      <option value="">{t("calls.any")}</option>
      {all.map(([v, name]) => (
        <option key={v} value={v}>
          {name}
        </option>
      ))}
    </SelectField>
  );
}

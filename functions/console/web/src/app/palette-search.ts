import type { ReactNode } from "react";

/** Entry is something that the palette goes to or does. */
export interface Entry {
  id: string;
  group: string;
  text: string;
  note?: string;
  /** words that it is found by beside its text and note. */
  words?: string;
  /** always: it was found elsewhere already. */
  always?: boolean;
  icon: ReactNode;
  act: () => unknown;
}

const plain = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const most = 50;

/** score is how well a text answers what was typed: 0 not at all, more at the beginning of the text or of a word in it. */
export function score(text: string, typed: string): number {
  const within = plain(text);
  let sum = 0;
  for (const word of plain(typed).split(/\s+/).filter(Boolean)) {
    const at = within.indexOf(word);
    if (at < 0) return 0;
    sum += at === 0 ? 3 : /[\s/.:_-]/.test(within[at - 1] ?? "") ? 2 : 1;
  }
  return sum || 1;
}

/** found are the entries that answer what was typed, the best first within each group, groups by their best. */
export function found(entries: readonly Entry[], typed: string): Entry[] {
  const rated = entries
    .map((entry) => {
      const of = Math.max(score(entry.text, typed) * 2, score(`${entry.text} ${entry.note ?? ""} ${entry.words ?? ""}`, typed));
      return { entry, of: of || (entry.always ? 1 : 0) };
    })
    .filter((r) => r.of > 0);
  if (!typed.trim()) return rated.map((r) => r.entry);
  const best = new Map<string, number>();
  for (const r of rated) best.set(r.entry.group, Math.max(best.get(r.entry.group) ?? 0, r.of));
  return rated
    .sort((a, b) => {
      if (a.entry.group === b.entry.group) return b.of - a.of;
      return (best.get(b.entry.group) ?? 0) - (best.get(a.entry.group) ?? 0) || a.entry.group.localeCompare(b.entry.group);
    })
    .slice(0, most)
    .map((r) => r.entry);
}

/** grouped are entries under their groups, in their order, each with its number. */
export function grouped(entries: readonly Entry[]): [string, [Entry, number][]][] {
  const groups = new Map<string, [Entry, number][]>();
  entries.forEach((entry, n) => {
    const group = groups.get(entry.group) ?? [];
    group.push([entry, n]);
    groups.set(entry.group, group);
  });
  return [...groups];
}

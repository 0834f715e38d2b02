import { expect, it } from "vitest";
import { type Entry, found, grouped, score } from "./palette-search";

const entry = (group: string, text: string, more: Partial<Entry> = {}): Entry => ({
  id: `${group} ${text}`,
  group,
  text,
  icon: null,
  act: () => undefined,
  ...more,
});
const all = [
  entry("Pages", "Home"),
  entry("Pages", "API keys", { words: "/keys" }),
  entry("Pages", "Models"),
  entry("Actions", "Theme: Dark"),
  entry("Models", "gpt-4.1-nano", { note: "openai", always: true }),
];
const names = (typed: string) => found(all, typed).map((e) => e.text);

it("finds all words that were typed, wherever they stand", () => {
  expect(names("key")).toEqual(["API keys", "gpt-4.1-nano"]);
  expect(names("dark the")[0]).toBe("Theme: Dark");
  expect(names("4.1 openai")[0]).toBe("gpt-4.1-nano");
  expect(found([entry("a", "Réglages")], "regl")).toHaveLength(1);
  expect(found([entry("a", "API 金鑰")], "金鑰")).toHaveLength(1);
});

it("shows everything in its order before something is typed, and the best first after", () => {
  expect(names("")).toEqual(all.map((e) => e.text));
  expect(names("mod")[0]).toBe("Models");
  expect(score("home", "zz")).toBe(0);
});

it("keeps groups together, and counts through", () => {
  expect(grouped(all).map(([g, of]) => [g, of.map(([, n]) => n)])).toEqual([
    ["Pages", [0, 1, 2]],
    ["Actions", [3]],
    ["Models", [4]],
  ]);
});

// @vitest-environment node
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { languages } from "../lib/i18n";
import en from "./en.json";

const here = fileURLToPath(new URL(".", import.meta.url));
const source = fileURLToPath(new URL("..", import.meta.url));
const read = (tag: string): Record<string, string> => JSON.parse(readFileSync(`${here}${tag}.json`, "utf8"));
const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

describe.each(Object.keys(languages))("%s", (tag) => {
  const messages = read(tag);
  it("has every message and no other", () => {
    expect(Object.keys(messages)).toEqual(Object.keys(en));
  });
  it("says something in each, with the same places to fill", () => {
    for (const [key, text] of Object.entries(en)) {
      expect(messages[key]?.trim(), key).not.toBe("");
      // A plural form may spell its number out; the general form must not lose it.
      if (!key.endsWith(".one")) expect(places(messages[key] ?? ""), key).toEqual(places(text));
    }
  });
  it("is translated", () => {
    if (tag === "en") return;
    const same = Object.entries(en).filter(([key, text]) => messages[key] === text && /[a-z]{4}/.test(text));
    expect(same.map(([key]) => key)).toEqual([]);
  });
});

it("keeps no message that no page says", () => {
  const code = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes(".test."))
    .map((name) => readFileSync(source + name, "utf8"))
    .join("\n");
  const composed = [...code.matchAll(/`([a-z.]+\.)\$\{[^}]+\}(\.[a-z]+)?/g)].map((m) => m[1] ?? "");
  const unused = Object.keys(en).filter((key) => {
    const stem = key.replace(/\.(one|other)$/, "");
    return !code.includes(`"${key}"`) && !code.includes(`"${stem}"`) && !composed.some((prefix) => key.startsWith(prefix));
  });
  expect(unused).toEqual([]);
});

it("lies in the catalogues that there are languages for", () => {
  const files = readdirSync(here).filter((name) => name.endsWith(".json"));
  expect(files.map((name) => name.replace(".json", "")).sort()).toEqual(Object.keys(languages).sort());
});

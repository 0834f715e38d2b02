import { describe, expect, it } from "vitest";
import { fill, match } from "./i18n";

describe("the language of a browser", () => {
  it.each([
    [["de-DE", "ja"], "ja"],
    [["zh"], "zh-CN"],
    [["zh-Hans-HK"], "zh-TW"],
    [["zh-Hant"], "zh-TW"],
    [["zh-TW", "en"], "zh-TW"],
    [["zh-CN"], "zh-CN"],
    [["fr"], "en"],
    [[], "en"],
  ])("%j is answered in %s", (wishes, language) => {
    expect(match(wishes)).toBe(language);
  });
});

it("fills places and leaves unknown ones", () => {
  expect(fill("{a} of {b}", { a: 1, b: "2" })).toBe("1 of 2");
  expect(fill("{a} {c}", { a: "{b}" })).toBe("{b} {c}");
});

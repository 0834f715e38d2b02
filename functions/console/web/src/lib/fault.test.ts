import { describe, expect, it } from "vitest";
import zh from "../locales/zh-CN.json";
import { faultText, said } from "./fault";
import { fill, type Key } from "./i18n";

const words = (language: string) => ({
  language,
  t: (key: Key, vars = {}) => fill(zh[key], vars),
  known: (key: string, word: string) => (zh as Record<string, string>)[key] ?? word,
});
const fault = (code: string, message: string, param = "") => ({ status: 400, code, message, param });

describe("a fault", () => {
  it("is said as the hub says it in English", () => {
    expect(faultText(words("en"), fault("conflict", "It is so."))).toBe("It is so.");
  });
  it("has a sentence of its own where people meet it often", () => {
    expect(faultText(words("zh-CN"), fault("unauthenticated", "The e-mail address or the password is wrong."))).toBe(
      zh["said.login"],
    );
    expect(faultText(words("zh-CN"), fault("invalid_request", "Buy 1 to 500 credits at once.", "credits"))).toBe(
      fill(zh["said.buy"], { a: "1", b: "500" }),
    );
  });
  it("is else named by its sort, with the hub's text as the detail", () => {
    const text = faultText(words("zh-CN"), fault("insufficient_credits", "Not enough."));
    expect(text).toContain(zh["fault.code.insufficient_credits"]);
    expect(text).toContain("Not enough.");
    expect(faultText(words("zh-CN"), fault("invalid_request", "Odd.", "models[3]"))).toContain(zh["fault.field.models"]);
    expect(faultText(words("zh-CN"), fault("invalid_request", "Odd.", "never_heard_of"))).toContain("never_heard_of");
    expect(faultText(words("zh-CN"), fault("brand_new", "Odd."))).toContain("Odd.");
  });
});

it("takes the parts of a sentence that differ", () => {
  expect(said('"10.0.0" is neither an address nor a network such as 192.0.2.0/24.')?.vars).toEqual({ a: '"10.0.0"' });
  expect(said("There is no user with the e-mail address x@y.test.")?.vars).toEqual({ a: "x@y.test" });
  expect(said("There is no user with this name.")).toBeUndefined();
});

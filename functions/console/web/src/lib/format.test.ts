import { describe, expect, it } from "vitest";
import { perMillion } from "../pages/models-query";
import { ago, bytes, change, count, credits, duration, type Format, growth, percent, share, sign, usd } from "./format";

const en: Format = { locale: "en", timeZone: "UTC" };
const ja: Format = { locale: "ja", timeZone: "Asia/Tokyo" };

describe("credits", () => {
  it.each([
    ["0", "0.00"],
    ["5", "5.00"],
    ["4.99979", "5.00"],
    ["1234567.891", "1,234,567.89"],
    ["0.000055", "0.000055"],
    ["0.00408123", "0.00408"],
    ["-0.5", "-0.50"],
    ["-12.345", "-12.35"],
  ])("shows %s as %s", (text, shown) => {
    expect(credits(en, text)).toBe(shown);
  });
  it("keeps every digit of amounts that no float can hold", () => {
    expect(credits(en, "9007199254740993.123456789", true)).toBe("9,007,199,254,740,993.123456789");
    expect(credits(en, "0.100000000000000001", true)).toBe("0.100000000000000001");
  });
  it("leaves what is no amount as it is", () => {
    expect(credits(en, "∞")).toBe("∞");
    expect(credits(en, "1e-7")).toBe("1e-7");
  });
});

describe("the price of a million", () => {
  it.each([
    ["0.000001", "1"],
    ["0.0000001", "0.1"],
    ["0.00000012", "0.12"],
    ["0", "0"],
    ["1.5", "1500000"],
    ["12.000000005", "12000000.005"],
    ["0.00025", "250"],
  ])("of %s each is %s", (each, million) => {
    expect(perMillion(each)).toBe(million);
  });
});

it("knows the sign of an amount", () => {
  expect(["-0.01", "0", "-0.00", "0.000000001"].map(sign)).toEqual([-1, 0, 0, 1]);
});

it("measures shares for bars, within their bounds", () => {
  expect(share("1", "3")).toBeCloseTo(33.33);
  expect(share("5", "0")).toBe(0);
  expect(share("7", "5")).toBe(100);
  expect(share("-1", "5")).toBe(0);
});

it("speaks the reader's language", () => {
  expect(usd(en, "0.0000034")).toBe("$0.0000034");
  expect(count(ja, 1234567)).toBe("1,234,567");
  expect(percent(en, 0.9876)).toBe("98.8%");
  expect(duration(en, 850)).toBe("850 ms");
  expect(duration(en, 1234)).toBe("1.23 sec");
  expect(duration(en, 90_000)).toBe("1.5 min");
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(ago(en, "2026-01-01T00:00:00Z", now)).toBe("yesterday");
  expect(ago(en, "2026-01-01T21:00:00Z", now)).toBe("3 hours ago");
  expect(ago(ja, "2026-01-02T00:05:00Z", now)).toBe("5 分後");
});

it("shows sizes and growth", () => {
  expect(bytes(en, 0)).toBe("0 bytes");
  expect(bytes(en, 1_500)).toBe("1.5 kB");
  expect(bytes(en, 12_345_678)).toBe("12 MB");
  expect(bytes(en, 3_000_000_000_000_000)).toBe("3,000 TB");
  expect(change(en, 0.125)).toBe("+12.5%");
  expect(change(en, 0)).toBe("0%");
  expect(growth("3", "2")).toBe(0.5);
  expect(growth("-1", "-2")).toBe(0.5);
  expect(growth("1", "0")).toBeUndefined();
  expect(growth("0.000000000002", "0.000000000001")).toBe(1);
});

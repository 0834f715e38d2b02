import { expect, it } from "vitest";
import { compare, plus, times } from "./exact";

it("multiplies prices without a rounding", () => {
  expect(times("0.00000015", 1_000_000)).toBe("0.15");
  expect(times("0.000000000123", 3)).toBe("0.000000000369");
  expect(times("2", 0)).toBe("0");
  expect(times("0.1", 3.9)).toBe("0.3");
});

it("adds what floats would not", () => {
  expect(plus("0.1", "0.2")).toBe("0.3");
  expect(plus("9007199254740993", "0.000000001")).toBe("9007199254740993.000000001");
  expect(plus("1", "-1.5")).toBe("-0.5");
  expect(plus()).toBe("0");
});

it("compares by value", () => {
  expect(compare("0.10", "0.1")).toBe(0);
  expect(compare("-2", "-3")).toBe(1);
  expect(compare("0.9", "0.10")).toBe(1);
});

import { expect, it } from "vitest";
import { drawn, measuresOf, plain, said, sortOf, ticked } from "./measure";

const en = { locale: "en" };

it("keeps money from those who do not run the hub", () => {
  expect(measuresOf(false)).toEqual(["credits", "calls", "tokens"]);
  expect(measuresOf(true)).toContain("margin");
});

it("draws what is measured", () => {
  const p = { totalCalls: 3, totalCredits: 0.5, totalUsage: 70, cost_usd: "0.25", revenue_usd: "0.5", margin_usd: null };
  expect(drawn("calls", p)).toBe(3);
  expect(drawn("cost", p)).toBe(0.25);
  expect(drawn("margin", p)).toBe(0);
  expect(sortOf("margin")).toBe("credits");
});

it("writes numbers as people read them", () => {
  expect(plain(1e-7)).toBe("0.0000001");
  expect(plain(0)).toBe("0");
  expect(plain(1200)).toBe("1200");
  expect(said(en, "credits", 0.00123)).toBe("0.00123");
  expect(said(en, "cost", 12)).toBe("$12.00");
  expect(ticked(en, "tokens", 12_300)).toBe("12.3K");
  expect(ticked(en, "revenue", 0.004)).toBe("$0.004");
});

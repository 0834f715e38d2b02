import { expect, it } from "vitest";
import { cost } from "./cost";

const prices = { input: "0.000002", cache_read: "0.0000005", output: "0.000008" };

it("adds what prompt, cache and answer cost, exactly", () => {
  expect(cost({ prices }, { prompt: 1000, cached: 50, answer: 200, calls: 1000 })).toEqual({
    input: "0.001",
    cached: "0.00025",
    output: "0.0016",
    request: "0",
    call: "0.00285",
    all: "2.85",
  });
});

it("takes the prices of longer prompts, and only for those", () => {
  const tiers = [
    { above: 200_000, prices: { input: "0.000004" } },
    { above: 128_000, prices: { input: "0.000003" } },
  ];
  const of = (prompt: number) => cost({ prices, tiers }, { prompt, cached: 0, answer: 0, calls: 1 })?.call;
  expect(of(128_000)).toBe("0.256");
  expect(of(128_001)).toBe("0.384003");
  expect(of(300_000)).toBe("1.2");
});

it("says nothing of what is free or priced by other units", () => {
  expect(cost({ prices: null }, { prompt: 1, cached: 0, answer: 1, calls: 1 })).toBeUndefined();
  expect(cost({ prices: { images: "0.04" } }, { prompt: 1, cached: 0, answer: 1, calls: 1 })).toBeUndefined();
});

it("adds a price of each request", () => {
  expect(cost({ prices: { ...prices, requests: "0.01" } }, { prompt: 0, cached: 0, answer: 0, calls: 3 })?.all).toBe("0.03");
});

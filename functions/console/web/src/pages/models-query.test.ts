import { expect, it } from "vitest";
import { ownPrices } from "./models-query";

it("leaves out prices that only repeat another one, and puts the usual ones first", () => {
  const prices = {
    cache_read: "0.0000005",
    cache_write_5m: "0.000002",
    images: "0",
    input: "0.000002",
    input_audio: "0.00001",
    output: "0.000008",
    reasoning: "0.000008",
    requests: "0.000002",
  };
  expect(ownPrices({ prices }).map(([b]) => b)).toEqual(["input", "cache_read", "output", "input_audio", "requests"]);
  expect(ownPrices({ prices: null })).toEqual([]);
});

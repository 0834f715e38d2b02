import { expect, it } from "vitest";
import { timeline } from "./timeline";

it("puts the legs of a streamed call one after the other", () => {
  expect(
    timeline({ duration_ms: 1000, ttfb_ms: 320, provider_ttfb_ms: 300, attempts: [{ answered: true, duration_ms: 1000 }] }),
  ).toEqual([
    { kind: "hub", number: undefined, start: 0, ms: 20 },
    { kind: "wait", number: 1, start: 20, ms: 300 },
    { kind: "answer", number: undefined, start: 320, ms: 680 },
  ]);
});

it("shows tries that failed before the one that answered", () => {
  const legs = timeline({
    duration_ms: 900,
    ttfb_ms: 500,
    provider_ttfb_ms: 200,
    attempts: [
      { answered: false, duration_ms: 250 },
      { answered: true, duration_ms: 650 },
    ],
  });
  expect(legs.map((l) => [l.kind, l.start, l.ms])).toEqual([
    ["hub", 0, 50],
    ["failed", 50, 250],
    ["wait", 300, 200],
    ["answer", 500, 400],
  ]);
});

it("ends with the last try where none answered, and never leaves the call", () => {
  const legs = timeline({
    duration_ms: 100,
    ttfb_ms: null,
    provider_ttfb_ms: null,
    attempts: [
      { answered: false, duration_ms: 60 },
      { answered: false, duration_ms: 70 },
    ],
  });
  expect(legs.map((l) => [l.kind, l.start, l.ms])).toEqual([
    ["failed", 0, 60],
    ["failed", 60, 40],
  ]);
  expect(timeline({ duration_ms: null, ttfb_ms: null, provider_ttfb_ms: null, attempts: [] })).toEqual([]);
});

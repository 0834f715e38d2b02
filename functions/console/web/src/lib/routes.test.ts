import { describe, expect, it } from "vitest";
import { newStep, newTarget, part, place, read, type Step, shift, swap, words, write } from "./routes";

const names = (steps: readonly Step[]) => steps.map((s) => s.targets.map((x) => x.model).join("+"));

describe("the targets of a name", () => {
  const [a, b, c] = [newTarget("a"), newTarget("b"), newTarget("c")];
  const steps = [newStep([a, b]), newStep([c])];

  it("leave a shared step for one of their own, then join the next", () => {
    const once = shift(steps, b.key, 1);
    expect(names(once)).toEqual(["a", "b", "c"]);
    const twice = shift(once, b.key, 1);
    expect(names(twice)).toEqual(["a", "c+b"]);
    expect(names(shift(twice, b.key, -1))).toEqual(["a", "b", "c"]);
    expect(names(shift(steps, a.key, -1))).toEqual(["a", "b", "c"]);
  });
  it("stay where there is no further to go", () => {
    const apart = shift(steps, b.key, 1);
    expect(names(shift(apart, a.key, -1))).toEqual(names(apart));
    expect(names(shift(apart, c.key, 1))).toEqual(names(apart));
    expect(names(shift(apart, 999_999, 1))).toEqual(names(apart));
  });
  it("are dropped into a step, and a step that is left empty goes", () => {
    expect(names(place(steps, c.key, steps[0]?.key ?? 0, "in"))).toEqual(["a+b+c"]);
    expect(names(place(steps, a.key, steps[0]?.key ?? 0, "in"))).toEqual(names(steps));
    expect(names(place(steps, a.key, steps[1]?.key ?? 0, "after"))).toEqual(["b", "c", "a"]);
    expect(names(place(steps, c.key, steps[0]?.key ?? 0, "before"))).toEqual(["c", "a+b"]);
  });
  it("share calls by weight", () => {
    const heavy = newTarget("heavy", 3);
    const step = newStep([heavy, newTarget("light")]);
    expect(part(step, heavy)).toBe(0.75);
  });
});

it("says to the hub what it read from it, and nothing more", () => {
  const written = [
    {
      when: { needs: ["tools"], max_tokens: 1000 },
      policy: "cheap",
      steps: [{ targets: [{ model: "a/m", weight: 9 }, { model: "b/m" }] }, { targets: [{ model: "c/m" }] }],
    },
    { when: {}, steps: [{ targets: [{ model: "d" }] }] },
  ];
  expect(write(read(written))).toEqual(written);
  expect(write([{ ...(read(written)[1] as never as ReturnType<typeof read>[0]), steps: [newStep([])] }])).toEqual([
    { when: {}, steps: [] },
  ]);
});

it("reads lists with commas of any language, and moves rules", () => {
  expect(words(" a, b，c、 ,")).toEqual(["a", "b", "c"]);
  expect(swap(["a", "b", "c"], 1, -1)).toEqual(["b", "a", "c"]);
  expect(swap(["a"], 0, 1)).toEqual(["a"]);
});

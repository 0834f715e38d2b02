import { expect, it } from "vitest";
import { meaning } from "./shortcuts";

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
});

it.each([
  ["Ctrl K", press("k", { ctrlKey: true }), false, false, true, { open: "palette" }],
  ["⌘ K in a field", press("K", { metaKey: true }), true, false, false, { open: "palette" }],
  ["Ctrl Alt K is another's", press("k", { ctrlKey: true, altKey: true }), false, false, true, undefined],
  ["?", press("?"), false, false, true, { open: "sheet" }],
  ["? in a field", press("?"), true, false, true, undefined],
  ["? where single keys are off", press("?"), false, false, false, undefined],
  ["g", press("g"), false, false, true, "first"],
  ["g k", press("k"), false, true, true, { go: "/keys" }],
  ["k alone", press("k"), false, false, true, undefined],
  ["g z", press("z"), false, true, true, undefined],
] as const)("%s", (_, e, typing, first, single, want) => {
  expect(meaning(e, typing, first, single)).toEqual(want);
});

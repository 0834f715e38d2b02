import { expect, it } from "vitest";
import { blocks } from "./blocks";

const text =
  "# One\n\nA paragraph\nof two lines.\n\n- a\n\n  still a\n\n```js\nlet a;\n\nlet b;\n```\n\n~~~~\n~~~\n\n```\n~~~~\n\nThe end.";

it("cuts between blocks and not inside of fences and what is indented", () => {
  expect(blocks(text).map((b) => b.trim())).toEqual([
    "# One",
    "A paragraph\nof two lines.",
    "- a\n\n  still a",
    "```js\nlet a;\n\nlet b;\n```",
    "~~~~\n~~~\n\n```\n~~~~",
    "The end.",
  ]);
});

it("loses nothing", () => {
  for (const t of [text, "", "\n\n", "a", "a\n", "\n\na\n\n\n\nb\n\n"]) expect(blocks(t).join("\n")).toBe(t);
});

it("leaves blocks as they were while more comes", () => {
  for (let n = 1; n < text.length; n++) {
    const before = blocks(text.slice(0, n));
    const after = blocks(text.slice(0, n + 1));
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
  }
});

import { expect, it } from "vitest";
import { inside } from "./inside";

it.each([
  ["/calls?from=2026-01-01#x", "/calls?from=2026-01-01#x"],
  ["/oauth/authorize?client_id=a&state=b", "/oauth/authorize?client_id=a&state=b"],
  [undefined, "/"],
  ["", "/"],
  ["calls", "/"],
  ["//evil.test/", "/"],
  ["/\\evil.test/", "/"],
  ["/\t/evil.test/", "/"],
  ["/\n/evil.test/", "/"],
  ["https://evil.test/", "/"],
  ["javascript:alert(1)", "/"],
])("%j leads to %s", (path, to) => {
  expect(inside(path)).toBe(to);
});

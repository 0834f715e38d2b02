import { describe, expect, it } from "vitest";
import { Reader, type SentEvent } from "./sse";

const bytes = (text: string) => new TextEncoder().encode(text);

/** cut reads a stream in pieces of n bytes. */
function cut(stream: Uint8Array, n: number): SentEvent[] {
  const reader = new Reader();
  const events: SentEvent[] = [];
  for (let at = 0; at < stream.length; at += n) events.push(...reader.push(stream.slice(at, at + n)));
  return events.concat(reader.end());
}

const stream = [
  ": ping",
  "",
  'data: {"delta":"你好，世界 🌍"}',
  "",
  "event: error",
  "data: one",
  "data:two",
  "data",
  "",
  "id: 7",
  "retry: 10",
  "",
  "data: [DONE]",
  "",
  "",
];
const wanted = [
  { name: "message", data: '{"delta":"你好，世界 🌍"}' },
  { name: "error", data: "one\ntwo\n" },
  { name: "message", data: "[DONE]" },
];

describe.each([
  ["LF", "\n"],
  ["CRLF", "\r\n"],
  ["CR", "\r"],
])("lines that end in %s", (_, end) => {
  const whole = bytes(stream.join(end));
  it.each([1, 2, 3, 5, 7, 64, 10_000])("are read in pieces of %i bytes", (n) => {
    expect(cut(whole, n)).toEqual(wanted);
  });
});

it("gives an event as soon as its empty line is there", () => {
  const reader = new Reader();
  expect(reader.push(bytes("data: a\n"))).toEqual([]);
  expect(reader.push(bytes("\ndata: b"))).toEqual([{ name: "message", data: "a" }]);
  expect(reader.push(bytes("\n\n"))).toEqual([{ name: "message", data: "b" }]);
  expect(reader.end()).toEqual([]);
});

it("does not lose the last event of a stream that ends without an empty line", () => {
  expect(cut(bytes('data: {"a":1}'), 4)).toEqual([{ name: "message", data: '{"a":1}' }]);
  expect(cut(bytes("data: a\n"), 100)).toEqual([{ name: "message", data: "a" }]);
  expect(cut(bytes("data: a\r"), 100)).toEqual([{ name: "message", data: "a" }]);
});

it("passes a byte order mark over and keeps all spaces but the first", () => {
  const mark = new Uint8Array([0xef, 0xbb, 0xbf]);
  expect(cut(new Uint8Array([...mark, ...bytes("data:  two spaces \n\n")]), 1)).toEqual([
    { name: "message", data: " two spaces " },
  ]);
});

it("reads a long stream in time that grows with its length only", () => {
  const reader = new Reader();
  let n = 0;
  const started = performance.now();
  for (let i = 0; i < 20_000; i++) n += reader.push(bytes(`data: ${"x".repeat(40)}\n\n`)).length;
  expect(n).toBe(20_000);
  expect(performance.now() - started).toBeLessThan(5000);
});

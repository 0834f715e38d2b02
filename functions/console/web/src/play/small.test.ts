import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { kindOf, limits, taken } from "./attach";
import { code, type Program, programs, python, short } from "./code";
import { perFrame } from "./frames";
import { does } from "./models";
import { cosine, strip } from "./vectors";
import { type Work, type WorkProgram, workCode, workPrograms } from "./work-code";

describe("files", () => {
  const file = (name: string, type: string, size = 10) => ({ name, type, size }) as File;
  it("are taken by their kind", () => {
    expect(
      [
        "a.png image/png",
        "b.pdf application/pdf",
        "c.go ",
        "d.wav audio/x-wav",
        "e.zip application/zip",
        "f.svg image/svg+xml",
      ].map((x) => kindOf({ name: x.split(" ")[0] ?? "", type: x.split(" ")[1] ?? "" })),
    ).toEqual(["image", "file", "text", "audio", undefined, undefined]);
  });
  it("are refused with the reason, and the others are taken", () => {
    const { attachments, refused } = taken(
      [],
      [
        file("a.png", "image/png"),
        file("b.zip", "application/zip"),
        file("c.png", "image/png", limits.one + 1),
        file("d.txt", "text/plain", 0),
      ],
    );
    expect(attachments.map((a) => a.name)).toEqual(["a.png"]);
    expect(refused).toEqual([
      { name: "b.zip", why: "kind" },
      { name: "c.png", why: "size" },
      { name: "d.txt", why: "empty" },
    ]);
  });
  it("are bounded together and in number", () => {
    const big = Array.from({ length: 3 }, (_, i) => file(`${i}.png`, "image/png", limits.one));
    expect(taken([], big).refused).toEqual([{ name: "2.png", why: "all" }]);
    const many = Array.from({ length: limits.count + 1 }, (_, i) => file(`${i}.png`, "image/png"));
    expect(taken([], many).refused.map((r) => r.why)).toEqual(["count"]);
  });
});

describe("frames", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "requestAnimationFrame", "cancelAnimationFrame"] });
  });
  afterEach(() => vi.useRealTimers());
  it("hands over once a frame what came in it", () => {
    const got: number[][] = [];
    const batch = perFrame<number>((items) => got.push(items));
    for (let i = 0; i < 5; i++) batch.add(i);
    expect(got).toEqual([]);
    vi.advanceTimersToNextFrame();
    expect(got).toEqual([[0, 1, 2, 3, 4]]);
    batch.add(5);
    batch.flush();
    vi.advanceTimersByTime(1000);
    expect(got).toEqual([[0, 1, 2, 3, 4], [5]]);
  });
  it("does not wait for frames of a page that is not seen", () => {
    vi.stubGlobal("requestAnimationFrame", () => 0);
    const got: number[][] = [];
    const batch = perFrame<number>((items) => got.push(items));
    batch.add(1);
    vi.advanceTimersByTime(300);
    expect(got).toEqual([[1]]);
    vi.unstubAllGlobals();
  });
});

it("tells models that speak from those that listen by what they are priced for", () => {
  expect(does("speak", ["characters"])).toBe(true);
  expect(does("listen", ["characters"])).toBe(false);
  expect(does("speak", ["seconds"])).toBe(false);
  expect(does("listen", ["seconds"])).toBe(true);
  expect(does("speak", ["input", "output_audio"]) && does("listen", ["input", "output"])).toBe(true);
  expect(does("speak", undefined)).toBe(true);
});

it("compares vectors", () => {
  expect(cosine([1, 0], [0, 2])).toBe(0);
  expect(cosine([1, 2], [2, 4])).toBeCloseTo(1);
  expect(cosine([1, 0], [-3, 0])).toBe(-1);
  expect(cosine([0, 0], [1, 1])).toBeUndefined();
  expect(strip([1, 1, -4, -4], 2)).toEqual([0.25, -1]);
});

describe("code", () => {
  const asked = {
    base: "https://hub.example.com/ai",
    model: "openai/gpt-x",
    messages: [
      { role: "system", content: "Be 'brief'." },
      {
        role: "user",
        content: [
          { type: "text", text: "Hi" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c", type: "function", function: { name: "w", arguments: '{"x":1}' } }],
      },
      { role: "tool", tool_call_id: "c", content: "rain" },
    ],
    options: {
      temperature: 0.5,
      max_completion_tokens: 99,
      stop: ["END"],
      tools: [{ type: "function", function: { name: "w", parameters: { type: "object" } } }],
      tool_choice: "required",
    },
  };
  it.each(Object.keys(programs) as Program[])("for %s names the hub, the model, the settings and no key", (program) => {
    const text = code(program, asked);
    for (const part of ["https://hub.example.com/ai", "openai/gpt-x", "0.5", "99", "END", "rain", "AIGNE_HUB_KEY"])
      expect(text).toContain(part);
    expect(/hub\.example\.com\/ai\/v1/.test(text)).toBe(!["anthropic", "gemini"].includes(program));
  });
  it("quotes what a shell would read", () => {
    expect(code("curl", asked)).toContain(`Be '\\''brief'\\''.`);
  });
  it("puts tools and their results where Anthropic and Gemini want them", () => {
    expect(code("anthropic", asked)).toMatch(/type: "tool_result",\s+tool_use_id: "c",\s+content: "rain"/);
    expect(code("anthropic", asked)).toMatch(/tool_choice: \{\s+type: "any"/);
    expect(code("gemini", asked)).toMatch(/functionResponse: \{\s+name: "w"/);
    expect(code("gemini", asked)).toMatch(/inlineData: \{\s+mimeType: "image\/png",\s+data: "AAAA"/);
  });
  it("writes Python's own words", () => {
    expect(python({ a: true, b: null, c: [1, "x"], d: {} })).toBe(
      '{\n    "a": True,\n    "b": None,\n    "c": [\n        1,\n        "x",\n    ],\n    "d": {},\n}',
    );
  });
  it("leaves the bodies of files out", () => {
    const long = "A".repeat(5000);
    const text = JSON.stringify(short([{ content: [{ url: `data:image/png;base64,${long}` }, { data: long }, { text: long }] }]));
    expect(text.length).toBeLessThan(5300);
    expect(text).toContain("data:image/png;base64,AAAAAAAAAAAAAAAA…");
    expect(text).toContain(long); // words are shown whole
  });
});

describe.each(Object.keys(workPrograms) as WorkProgram[])("work beside chat, for %s", (program) => {
  it.each(["image", "video", "embedding", "speech", "transcription", "edit"] as Work[])("asks for %s with its fields", (work) => {
    const files: Record<string, string | string[]> = work === "transcription" ? { file: "note.wav" } : {};
    if (work === "edit") files.image = ["a.png", "b.png"];
    const text = workCode(program, "https://hub.example.com/ai", { work, fields: { model: "openai/x", prompt: "It's" }, files });
    for (const part of ["https://hub.example.com/ai/v1", "openai/x", "AIGNE_HUB_KEY", ...Object.values(files).flat()])
      expect(text).toContain(part);
    if (program === "curl") expect(text).toContain(`It'\\''s`);
  });
});

import { describe, expect, it } from "vitest";
import { applied, deltaOf, messagesOf, optionsOf, Unfit } from "./chat";
import { type Answer, newAnswer, newTalk, plain, type Turn } from "./talk";

const said = (model: string, part: Partial<Answer>): Answer => ({ ...newAnswer(model), state: "done", ...part });
const turn = (text: string, answers: Turn["answers"] = {}): Turn => ({ id: text, text, attachments: [], answers });

describe("options", () => {
  it("leaves out what was not set", () => {
    expect(optionsOf(plain)).toEqual({});
  });
  it("reads numbers, also with a comma, and one stop sequence a line", () => {
    const s = { ...plain, temperature: "0,7", topP: " 1 ", maxTokens: "100", seed: "-3", stop: "END\n\n###", effort: "low" };
    expect(optionsOf(s)).toEqual({
      temperature: 0.7,
      top_p: 1,
      max_completion_tokens: 100,
      seed: -3,
      stop: ["END", "###"],
      reasoning_effort: "low",
    });
  });
  it.each([
    ["temperature", "number", { temperature: "warm" }],
    ["schema", "json", { format: "json_schema", schema: "{" }],
    ["schema", "json", { format: "json_schema", schema: "[]" }],
    ["tools", "json", { tools: [{ id: "1", name: "f", description: "", parameters: "nope" }] }],
    ["tools", "name", { tools: [{ id: "1", name: "no spaces", description: "", parameters: "" }] }],
  ] as const)("names %s where it is no %s", (setting, why, part) => {
    let fault: unknown;
    try {
      optionsOf({ ...plain, ...part } as typeof plain);
    } catch (thrown) {
      fault = thrown;
    }
    expect(fault).toBeInstanceOf(Unfit);
    expect(fault).toMatchObject({ setting, why });
  });
});

describe("messages", () => {
  it("carries a tool round: the calls with results, then the results", async () => {
    const talk = newTalk(["a"], { ...plain, system: "Be brief." });
    const lane = talk.lanes[0]?.id ?? "";
    const asked = said("a", {
      tools: [
        { id: "c1", name: "weather", args: '{"city":"Oslo"}', result: "rain", extra: { google: { thought_signature: "s" } } },
        { id: "c2", name: "time", args: "" },
      ],
    });
    talk.turns = [turn("Hi", { [lane]: [asked] })];
    expect(await messagesOf(talk, lane, "Hi")).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hi" },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "c1",
            type: "function",
            function: { name: "weather", arguments: '{"city":"Oslo"}' },
            extra_content: { google: { thought_signature: "s" } },
          },
        ],
      },
      { role: "tool", tool_call_id: "c1", content: "rain" },
    ]);
  });
  it("lets a model that came later go on from the first one's answers, without its signed thoughts", async () => {
    const talk = newTalk(["a", "b"]);
    const [a, b] = talk.lanes;
    const details = [{ type: "reasoning.text", text: "hm", signature: "x" }];
    talk.turns = [turn("one", { [a?.id ?? ""]: [said("a", { text: "1", details })] }), turn("two")];
    expect(await messagesOf(talk, b?.id ?? "", "two")).toEqual([
      { role: "user", content: "one" },
      { role: "assistant", content: "1" },
      { role: "user", content: "two" },
    ]);
    expect((await messagesOf(talk, a?.id ?? "", "two"))[1]).toMatchObject({ reasoning_details: details });
  });
  it("leaves out answers that failed before they said anything, and keeps what was said before a fault", async () => {
    const talk = newTalk(["a"]);
    const lane = talk.lanes[0]?.id ?? "";
    const fault = { status: 502, code: "provider", message: "", param: "" };
    talk.turns = [
      turn("one", { [lane]: [{ ...newAnswer("a"), state: "failed", fault }] }),
      turn("two", { [lane]: [{ ...newAnswer("a"), state: "stopped", text: "half" }] }),
      turn("three"),
    ];
    expect((await messagesOf(talk, lane, "three")).map((m) => m.content)).toEqual(["one", "two", "half", "three"]);
  });
  it("sends files as their kind wants it", async () => {
    const talk = newTalk(["a"]);
    const file = (name: string, kind: "image" | "file" | "text" | "audio", type: string, text: string) => ({
      id: name,
      name,
      kind,
      type,
      size: text.length,
      blob: new Blob([text], { type }),
    });
    talk.turns = [
      {
        ...turn("look"),
        attachments: [
          file("p.png", "image", "image/png", "PNG"),
          file("d.pdf", "file", "application/pdf", "PDF"),
          file("n.txt", "text", "text/plain", "words"),
          file("s.wav", "audio", "audio/wav", "RIFF"),
        ],
      },
    ];
    expect((await messagesOf(talk, talk.lanes[0]?.id ?? "", "look"))[0]?.content).toEqual([
      { type: "text", text: "look" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${btoa("PNG")}` } },
      { type: "file", file: { filename: "d.pdf", file_data: `data:application/pdf;base64,${btoa("PDF")}` } },
      { type: "text", text: "n.txt:\nwords" },
      { type: "input_audio", input_audio: { data: btoa("RIFF"), format: "wav" } },
    ]);
  });
});

describe("a stream", () => {
  const chunk = (delta: object, finish: string | null = null) =>
    deltaOf({ choices: [{ index: 0, delta, finish_reason: finish }] });
  it("adds up words, thoughts, and tools that come in pieces side by side", () => {
    const deltas = [
      chunk({ role: "assistant", reasoning_content: "Let " }),
      chunk({ reasoning: "me." }),
      chunk({ content: "Hel" }),
      chunk({ content: "lo" }),
      chunk({ tool_calls: [{ index: 1, id: "b", function: { name: "two", arguments: "" } }] }),
      chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "one", arguments: '{"x"' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: ":1}" } }] }, "tool_calls"),
      deltaOf({
        choices: [],
        usage: { prompt_tokens: 9, completion_tokens: 4, completion_tokens_details: { reasoning_tokens: 2 } },
      }),
    ];
    const whole = applied(newAnswer("m"), deltas);
    expect(whole).toMatchObject({ text: "Hello", reasoning: "Let me.", finish: "tool_calls" });
    expect(whole.tools).toEqual([
      { id: "a", name: "one", args: '{"x":1}' },
      { id: "b", name: "two", args: "" },
    ]);
    expect(whole.figures).toEqual({ input: 9, output: 4, reasoning: 2 });
    // One frame or many, the outcome is the same.
    expect(deltas.reduce((a, d) => applied(a, [d]), { ...newAnswer("m"), id: whole.id })).toEqual(whole);
  });
  it("puts the pieces of a signed thought together", () => {
    const detail = (part: object) => chunk({ reasoning_details: [{ type: "reasoning.text", index: 0, ...part }] });
    const whole = applied(newAnswer("m"), [detail({ text: "I " }), detail({ text: "think" }), detail({ signature: "abc" })]);
    expect(whole.details).toEqual([{ type: "reasoning.text", index: 0, text: "I think", signature: "abc" }]);
  });
  it("reads an error in its middle", () => {
    expect(deltaOf({ error: { message: "Overloaded", type: "server_error", code: "upstream" } }).fault).toEqual({
      status: 200,
      code: "upstream",
      message: "Overloaded",
      param: "",
    });
  });
});

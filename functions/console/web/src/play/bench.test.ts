import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Bench } from "./bench";
import { Unfit } from "./chat";
import { inMemory } from "./store";
import { newTalk, plain } from "./talk";

/** A hub whose streams the test writes. */
class Line {
  body: { messages: { role: string; content: unknown }[]; model: string };
  signal: AbortSignal;
  private control?: ReadableStreamDefaultController<Uint8Array>;
  readonly answer: Promise<Response>;
  constructor(init: RequestInit) {
    this.body = JSON.parse(String(init.body));
    this.signal = init.signal as AbortSignal;
    const stream = new ReadableStream<Uint8Array>({
      start: (c) => {
        this.control = c;
      },
    });
    this.signal.addEventListener("abort", () => this.control?.error(new DOMException("stopped", "AbortError")));
    this.answer = Promise.resolve(
      new Response(stream, {
        headers: { "content-type": "text/event-stream", "x-aigne-hub-call-id": `call ${this.body.model}` },
      }),
    );
  }
  say(value: unknown) {
    this.control?.enqueue(new TextEncoder().encode(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`));
  }
  words(text: string) {
    this.say({ choices: [{ delta: { content: text } }] });
  }
  end(finish = "stop") {
    this.say({ choices: [{ delta: {}, finish_reason: finish }] });
    this.say("[DONE]");
    this.control?.close();
  }
}

let lines: Line[];
beforeEach(() => {
  lines = [];
  vi.stubGlobal("fetch", (_: string, init: RequestInit) => {
    const line = new Line(init);
    lines.push(line);
    return line.answer;
  });
});
afterEach(() => vi.unstubAllGlobals());

const until = (check: () => boolean) => vi.waitFor(() => expect(check()).toBe(true), { timeout: 3000 });

function begin(models: string[], settings = plain) {
  const shelf = inMemory();
  const bench = new Bench(newTalk(models, settings), { shelf, cost: async (id) => ({ credits: id.endsWith("b") ? "2" : "1" }) });
  const answers = (lane = 0, turn = -1) => {
    const talk = bench.talk();
    return talk.turns.at(turn)?.answers[talk.lanes[lane]?.id ?? ""] ?? [];
  };
  return { shelf, bench, answers };
}

it("asks all models at once and writes down what each took and cost", async () => {
  const { bench, answers, shelf } = begin(["a", "b"]);
  bench.draft("Hello");
  bench.say();
  await until(() => lines.length === 2);
  expect(bench.talk().draft).toBe("");
  for (const line of lines) {
    line.words(`I am ${line.body.model}`);
    line.say({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 5 } });
    line.end();
  }
  await until(() => answers(1)[0]?.figures.credits === "2" && answers(0)[0]?.figures.credits === "1");
  expect(answers(0)[0]).toMatchObject({ text: "I am a", state: "done", figures: { input: 3, output: 5, callId: "call a" } });
  await bench.leave();
  expect((await shelf.list())[0]?.title).toBe("Hello");
});

it("stops one model, closes its connection, and leaves the other alone", async () => {
  const { bench, answers } = begin(["a", "b"]);
  bench.draft("Hello");
  bench.say();
  await until(() => lines.length === 2);
  lines[0]?.words("Half");
  await until(() => answers(0)[0]?.text === "Half");
  bench.stop(bench.talk().lanes[0]?.id);
  await until(() => answers(0)[0]?.state === "stopped");
  expect(lines[0]?.signal.aborted).toBe(true);
  expect(answers(0)[0]?.text).toBe("Half");
  expect(answers(1)[0]?.state).toBe("running");
  lines[1]?.words("All");
  lines[1]?.end();
  await until(() => answers(1)[0]?.state === "done");
  expect(bench.busy()).toBe(false);
});

it("sends nothing and loses nothing where a setting is no good", () => {
  const { bench } = begin(["a"], { ...plain, temperature: "warm" });
  bench.draft("Hello");
  expect(() => bench.say()).toThrow(Unfit);
  expect(bench.talk().draft).toBe("Hello");
  expect(bench.talk().turns).toEqual([]);
  expect(lines).toEqual([]);
});

it("goes on after a tool with what the person typed", async () => {
  const { bench, answers } = begin(["a"]);
  const lane = bench.talk().lanes[0]?.id ?? "";
  bench.draft("Weather?");
  bench.say();
  await until(() => lines.length === 1);
  lines[0]?.say({ choices: [{ delta: { tool_calls: [{ index: 0, id: "c", function: { name: "w", arguments: "{}" } }] } }] });
  lines[0]?.end("tool_calls");
  await until(() => answers()[0]?.state === "done");
  const turn = bench.talk().turns[0]?.id ?? "";
  bench.result(turn, lane, answers()[0]?.id ?? "", "c", "rain");
  bench.goOn(turn, lane, answers()[0]?.id ?? "");
  await until(() => lines.length === 2);
  expect(lines[1]?.body.messages.map((m) => m.role)).toEqual(["user", "assistant", "tool"]);
  lines[1]?.words("Take a coat.");
  lines[1]?.end();
  await until(() => answers()[1]?.state === "done");
  expect(answers().map((a) => a.text)).toEqual(["", "Take a coat."]);
});

it("keeps the old conversation when something in its middle is said anew", async () => {
  const { bench, shelf } = begin(["a"]);
  for (const text of ["one", "two"]) {
    bench.draft(text);
    bench.say();
    await until(() => lines.length === bench.talk().turns.length);
    lines.at(-1)?.words(`re ${text}`);
    lines.at(-1)?.end();
    await until(() => !bench.busy());
  }
  const old = bench.talk();
  await bench.resend(old.turns[0]?.id ?? "", "uno");
  await until(() => lines.length === 3);
  expect(lines[2]?.body.messages).toEqual([{ role: "user", content: "uno" }]);
  expect(bench.talk().id).not.toBe(old.id);
  expect((await shelf.get(old.id))?.turns.map((t) => t.text)).toEqual(["one", "two"]);
});

it("stops what runs when the page is left", async () => {
  const { bench } = begin(["a"]);
  bench.draft("Hello");
  bench.say();
  await until(() => lines.length === 1);
  await bench.leave();
  expect(lines[0]?.signal.aborted).toBe(true);
});

it("does not bring a deleted conversation back", async () => {
  const { bench, shelf } = begin(["a"]);
  bench.draft("Hello");
  bench.say();
  await until(() => lines.length === 1);
  await bench.keep();
  const { id } = bench.talk();
  await shelf.remove(id);
  bench.drop(newTalk(["a"]));
  await until(() => !bench.busy());
  await new Promise((done) => setTimeout(done, 600));
  expect(await shelf.get(id)).toBeUndefined();
});

it("gives what is typed and attached right after another conversation was opened to that one", async () => {
  const { bench, shelf } = begin(["a"]);
  bench.draft("Old words");
  let stored = () => {};
  const put = shelf.put;
  shelf.put = async (talk) => {
    await new Promise<void>((resolve) => {
      stored = resolve;
    });
    await put(talk);
  };
  const old = bench.talk().id;
  const opened = bench.open(newTalk(["a"], plain)); // the browser takes its time to keep the old one
  bench.draft("New words");
  bench.attach([{ id: "1", name: "dot.png", kind: "image", type: "image/png", size: 1, blob: new Blob(["x"]) }]);
  stored();
  await opened;
  expect(bench.talk().id).not.toBe(old);
  expect(bench.talk().draft).toBe("New words");
  expect(bench.talk().attachments).toHaveLength(1);
  expect((await shelf.get(old))?.draft).toBe("Old words");
});

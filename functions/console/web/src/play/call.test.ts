import { afterEach, expect, it, vi } from "vitest";
import { CallFault, chat, request } from "./call";
import type { Delta } from "./chat";

afterEach(() => vi.unstubAllGlobals());

const headers = { "content-type": "text/event-stream", "x-aigne-hub-call-id": "call_1" };

/** serve answers the next request with pieces of a stream; "tear" breaks the connection there. */
function serve(pieces: string[], init: ResponseInit = { headers }) {
  const asked = vi.fn(async (_: string, __: RequestInit) => {
    const body = new ReadableStream<Uint8Array>({
      pull(c) {
        const piece = pieces.shift();
        if (piece === undefined) c.close();
        else if (piece === "tear") c.error(new TypeError("network error"));
        else c.enqueue(new TextEncoder().encode(piece));
      },
    });
    return new Response(body, init);
  });
  vi.stubGlobal("fetch", asked);
  return asked;
}

const words = (text: string) => `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`;
const finish = `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\n`;

async function listen(signal = new AbortController().signal) {
  let text = "";
  let call = "";
  let fault: unknown;
  try {
    await chat({ model: "m" }, signal, {
      opened: (id) => {
        call = id;
      },
      delta: (d: Delta) => {
        text += d.text ?? "";
      },
    });
  } catch (thrown) {
    fault = thrown;
  }
  return { text, call, fault };
}

it("hears a stream to its end and sends the mark against forged requests", async () => {
  const asked = serve([": ping\n\n", words("Hel").slice(0, 9), words("Hel").slice(9), words("lo"), finish, "data: [DONE]\n\n"]);
  expect(await listen()).toEqual({ text: "Hello", call: "call_1", fault: undefined });
  expect(asked.mock.calls[0]?.[1].headers).toMatchObject({ "X-Aigne-Hub-Csrf": "1" });
});

it.each([
  ["its connection is torn", [words("Half"), "tear"]],
  ["it ends without an end", [words("Half")]],
  ["it says what is no JSON", [words("Half"), "data: {oops\n\n", finish]],
])("says that a stream broke off where %s, and keeps what came", async (_, pieces) => {
  serve(pieces);
  const { text, fault } = await listen();
  expect(text).toBe("Half");
  expect((fault as CallFault).fault.code).toBe("broken");
  expect((fault as CallFault).callId).toBe("call_1");
});

it("says what the provider said when it fails in the middle", async () => {
  serve([words("Half"), 'data: {"error":{"message":"Overloaded","code":"upstream"}}\n\n']);
  const { text, fault } = await listen();
  expect(text).toBe("Half");
  expect((fault as CallFault).fault).toMatchObject({ status: 200, code: "upstream", message: "Overloaded" });
});

it("takes a whole answer from a model that does not stream", async () => {
  serve([JSON.stringify({ choices: [{ message: { content: "Whole" }, finish_reason: "stop" }] })], {
    headers: { "content-type": "application/json" },
  });
  expect(await listen()).toMatchObject({ text: "Whole", fault: undefined });
});

it("gives the hub's error with the time to wait", async () => {
  serve([JSON.stringify({ error: { message: "Slow down.", code: "rate_limited", param: "" } })], {
    status: 429,
    headers: { "retry-after": "12", "x-aigne-hub-call-id": "call_2" },
  });
  const fault = await request("/v1/embeddings", {}).catch((thrown) => thrown);
  expect(fault).toBeInstanceOf(CallFault);
  expect(fault.callId).toBe("call_2");
  expect(fault.fault).toMatchObject({ status: 429, code: "rate_limited", message: "Slow down.", retryAfter: 12 });
});

it("says that the hub was not reached, but not when the person stopped it", async () => {
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("Failed to fetch");
  });
  expect(((await listen()).fault as CallFault).fault.status).toBe(0);
  const stopped = new AbortController();
  stopped.abort();
  expect((await listen(stopped.signal)).fault).not.toBeInstanceOf(CallFault);
});

/** Calls of models with the session of this browser, as programs make them with a key. */
import { ApiError, at } from "../api/client";
import { type Delta, deltaOf, faultOf } from "./chat";
import { Reader } from "./sse";
import type { Fault } from "./talk";

/** CallFault is an answer of the hub that is none, with all that it said about it. */
export class CallFault extends ApiError {
  constructor(
    readonly fault: Fault,
    readonly callId = "",
  ) {
    super(fault.status, fault.code, fault.message, fault.param);
  }
}

/** unreached: there was no answer at all. */
const unreached: Fault = { status: 0, code: "unreachable", message: "", param: "" };
/** broken: the answer began and did not end. */
export const broken: Fault = { status: 200, code: "broken", message: "", param: "" };

/** callOf is the hub's number of the call that an answer belongs to. */
export const callOf = (answer: Response) => answer.headers.get("x-aigne-hub-call-id") ?? "";

/** request sends a body to a path of the hub, JSON or a form, and gives a good answer or throws CallFault. */
export async function request(path: string, body: object | FormData, signal?: AbortSignal): Promise<Response> {
  const form = body instanceof FormData;
  let answer: Response;
  try {
    answer = await fetch(at(path), {
      method: "POST",
      headers: { "X-Aigne-Hub-Csrf": "1", ...(form ? {} : { "Content-Type": "application/json" }) },
      credentials: "same-origin",
      body: form ? body : JSON.stringify(body),
      signal,
    });
  } catch (thrown) {
    if (signal?.aborted) throw thrown;
    throw new CallFault(unreached);
  }
  if (answer.ok) return answer;
  const fault = faultOf(await answer.json().catch(() => undefined), answer.status);
  const after = Number(answer.headers.get("retry-after"));
  throw new CallFault(after > 0 ? { ...fault, retryAfter: after } : fault, callOf(answer));
}

interface Watch {
  /** opened: the hub has begun to answer. */
  opened: (callId: string) => void;
  delta: (delta: Delta) => void;
}

/** chat asks for a stream and tells what comes. It returns when the answer is complete and throws CallFault when it breaks. */
export async function chat(body: object, signal: AbortSignal, watch: Watch): Promise<void> {
  const answer = await request("/v1/chat/completions", body, signal);
  watch.opened(callOf(answer));
  if (/json/.test(answer.headers.get("content-type") ?? "")) {
    watch.delta(deltaOf(await answer.json()));
    return;
  }
  const reader = answer.body?.getReader();
  if (!reader) throw new CallFault(broken, callOf(answer));
  const events = new Reader();
  let ended = false;
  const take = (data: string) => {
    if (data === "[DONE]") {
      ended = true;
      return;
    }
    let chunk: unknown;
    try {
      chunk = JSON.parse(data);
    } catch {
      throw new CallFault(broken, callOf(answer));
    }
    const delta = deltaOf(chunk);
    if (delta.fault) throw new CallFault(delta.fault, callOf(answer));
    if (delta.finish) ended = true;
    watch.delta(delta);
  };
  try {
    for (;;) {
      const { done, value } = await reader.read();
      for (const e of done ? events.end() : events.push(value)) take(e.data);
      if (done) break;
    }
  } catch (thrown) {
    reader.cancel().catch(() => {}); // it is of no more use
    if (signal.aborted || thrown instanceof CallFault) throw thrown;
    throw new CallFault(broken, callOf(answer));
  }
  if (!ended) throw new CallFault(broken, callOf(answer));
}

/** A conversation in the words of OpenAI's chat completions, which the hub speaks for every model. */
import type { Answer, Attachment, Fault, Figures, Settings, Talk, ToolUse } from "./talk";
import { answersOf } from "./talk";

/** Unfit says which setting cannot be sent, and stands at it. */
export class Unfit extends Error {
  constructor(
    readonly setting: keyof Settings,
    readonly why: "number" | "json" | "name",
  ) {
    super(`${setting}: ${why}`);
  }
}

type Json = Record<string, unknown>;

function number(settings: Settings, name: "temperature" | "topP" | "maxTokens" | "frequency" | "presence" | "seed") {
  const text = settings[name].trim();
  if (text === "") return undefined;
  const n = Number(text.replace(",", "."));
  if (!Number.isFinite(n)) throw new Unfit(name, "number");
  return n;
}

function json(text: string, setting: "schema" | "tools"): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // said below
  }
  throw new Unfit(setting, "json");
}

/** optionsOf are a request's members beside the model and the messages. */
export function optionsOf(s: Settings): Json {
  const out: Json = {};
  const set = (name: string, value: unknown) => {
    if (value !== undefined && value !== "") out[name] = value;
  };
  set("temperature", number(s, "temperature"));
  set("top_p", number(s, "topP"));
  set("max_completion_tokens", number(s, "maxTokens"));
  set("frequency_penalty", number(s, "frequency"));
  set("presence_penalty", number(s, "presence"));
  set("seed", number(s, "seed"));
  set("reasoning_effort", s.effort);
  const stop = s.stop.split("\n").filter((line) => line !== "");
  if (stop.length > 0) out.stop = stop;
  if (s.format === "json_object") out.response_format = { type: "json_object" };
  if (s.format === "json_schema")
    out.response_format = {
      type: "json_schema",
      json_schema: { name: "answer", schema: json(s.schema, "schema"), strict: true },
    };
  if (s.tools.length > 0) {
    out.tools = s.tools.map((t) => {
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(t.name)) throw new Unfit("tools", "name");
      return {
        type: "function",
        function: {
          name: t.name,
          ...(t.description ? { description: t.description } : {}),
          parameters: t.parameters.trim() ? json(t.parameters, "tools") : { type: "object", properties: {} },
        },
      };
    });
    if (s.toolChoice !== "auto") out.tool_choice = s.toolChoice;
  }
  return out;
}

/** base64 of a file, without a stack of a million arguments. */
export async function base64(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

async function part(a: Attachment): Promise<Json> {
  switch (a.kind) {
    case "text":
      return { type: "text", text: `${a.name}:\n${await a.blob.text()}` };
    case "image":
      return { type: "image_url", image_url: { url: `data:${a.type};base64,${await base64(a.blob)}` } };
    case "audio":
      return { type: "input_audio", input_audio: { data: await base64(a.blob), format: /wav/.test(a.type) ? "wav" : "mp3" } };
    case "file":
      return { type: "file", file: { filename: a.name, file_data: `data:${a.type};base64,${await base64(a.blob)}` } };
  }
}

async function userContent(text: string, attachments: readonly Attachment[]): Promise<string | Json[]> {
  if (attachments.length === 0) return text;
  const parts = await Promise.all(attachments.map(part));
  return text ? [{ type: "text", text }, ...parts] : parts;
}

/** messagesOf is what a lane is asked at the end of a turn, up to and with the results of its tools. */
export async function messagesOf(talk: Talk, lane: string, turn: string): Promise<Json[]> {
  const model = talk.lanes.find((l) => l.id === lane)?.model;
  const out: Json[] = [];
  if (talk.settings.system.trim()) out.push({ role: "system", content: talk.settings.system });
  for (const t of talk.turns) {
    out.push({ role: "user", content: await userContent(t.text, t.attachments) });
    const own = t.id === turn ? (t.answers[lane] ?? []) : answersOf(talk, t, lane);
    for (const a of own) {
      if (!a.text && !a.refusal && a.tools.length === 0) continue; // it failed before it said anything
      // A call of a tool without a result would be refused by every provider.
      const tools = a.tools.filter((use) => use.result !== undefined);
      if (!a.text && !a.refusal && tools.length === 0) continue;
      const said: Json = { role: "assistant", content: a.text || a.refusal || null };
      if (tools.length > 0)
        said.tool_calls = tools.map((use) => ({
          id: use.id,
          type: "function",
          function: { name: use.name, arguments: use.args || "{}" },
          ...(use.extra === undefined ? {} : { extra_content: use.extra }),
        }));
      if (a.details && a.model === model) said.reasoning_details = a.details;
      out.push(said);
      for (const use of tools) out.push({ role: "tool", tool_call_id: use.id, content: use.result });
    }
    if (t.id === turn) break;
  }
  return out;
}

/** Delta is what one event of a stream adds to an answer. */
export interface Delta {
  text?: string;
  reasoning?: string;
  details?: Json[];
  refusal?: string;
  tools?: { index: number; id?: string; name?: string; args?: string; extra?: unknown }[];
  finish?: string;
  usage?: Figures;
  fault?: Fault;
}

const words = (value: unknown): string => (typeof value === "string" ? value : "");
const object = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const counted = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** faultOf reads the hub's error body. */
export function faultOf(value: unknown, status: number): Fault {
  const e = object(object(value).error);
  return {
    status,
    code: words(e.code) || words(e.type) || "unreadable",
    message: words(e.message),
    param: words(e.param),
    ...(words(e.link) ? { link: words(e.link) } : {}),
  };
}

function usageOf(value: Json): Figures {
  const figures: Figures = {
    input: counted(value.prompt_tokens),
    output: counted(value.completion_tokens),
    reasoning: counted(object(value.completion_tokens_details).reasoning_tokens),
    cached: counted(object(value.prompt_tokens_details).cached_tokens),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, n]) => n !== undefined));
}

/** deltaOf reads one chunk of a stream, or a whole answer, whose message has the same members. */
export function deltaOf(chunk: unknown): Delta {
  const whole = object(chunk);
  const out: Delta = {};
  if (whole.error) out.fault = faultOf(whole, 200);
  if (whole.usage) out.usage = usageOf(object(whole.usage));
  const choice = object(list(whole.choices)[0]);
  const d = object(choice.delta ?? choice.message);
  if (words(d.content)) out.text = words(d.content);
  const thought = words(d.reasoning_content) || words(d.reasoning);
  if (thought) out.reasoning = thought;
  if (list(d.reasoning_details).length > 0) out.details = list(d.reasoning_details).map(object);
  if (words(d.refusal)) out.refusal = words(d.refusal);
  const calls = list(d.tool_calls).map(object);
  if (calls.length > 0)
    out.tools = calls.map((c, i) => ({
      index: counted(c.index) ?? i,
      id: words(c.id),
      name: words(object(c.function).name),
      args: words(object(c.function).arguments),
      extra: c.extra_content,
    }));
  if (words(choice.finish_reason)) out.finish = words(choice.finish_reason);
  return out;
}

/** details of one thought come in pieces with one index: words are put together, the rest is taken as it comes. */
function joined(old: readonly Json[], more: readonly Json[]): Json[] {
  const out = [...old];
  for (const piece of more) {
    const at = out.findIndex((o) => piece.index !== undefined && o.index === piece.index && o.type === piece.type);
    const before = out[at];
    if (before === undefined) {
      out.push(piece);
      continue;
    }
    const sum: Json = { ...before, ...piece };
    for (const name of ["text", "summary"])
      if (typeof before[name] === "string" && typeof piece[name] === "string") sum[name] = before[name] + piece[name];
    out[at] = sum;
  }
  return out;
}

/** applied is an answer with what deltas add to it. */
export function applied(answer: Answer, deltas: readonly Delta[]): Answer {
  const out: Answer = { ...answer, figures: { ...answer.figures }, tools: [...answer.tools] };
  for (const d of deltas) {
    out.text += d.text ?? "";
    out.reasoning += d.reasoning ?? "";
    out.refusal += d.refusal ?? "";
    if (d.details) out.details = joined(out.details ?? [], d.details);
    for (const t of d.tools ?? []) {
      const old: ToolUse = out.tools[t.index] ?? { id: "", name: "", args: "" };
      out.tools[t.index] = {
        ...old,
        id: t.id || old.id,
        name: old.name || t.name || "",
        args: old.args + (t.args ?? ""),
        ...(t.extra === undefined ? {} : { extra: t.extra }),
      };
    }
    if (d.finish) out.finish = d.finish;
    if (d.usage) Object.assign(out.figures, d.usage);
    if (d.fault) out.fault = d.fault;
  }
  // A stream may number its tools with gaps; what is kept has none when it ends.
  return out;
}

/** pretty is JSON text in lines, or undefined where it does not parse. */
export function pretty(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

/** The current conversation as a program would ask it, in the words of each client. */

type Json = Record<string, unknown>;

/** keyName is the variable of the environment that holds the person's key: keys do not belong into code. */
export const keyName = "AIGNE_HUB_KEY";

export interface Asked {
  /** base is the hub's address without a slash at its end. */
  base: string;
  model: string;
  /** messages and options in OpenAI's words (chat.ts). */
  messages: Json[];
  options: Json;
}

export const programs = {
  curl: "curl",
  openai: "OpenAI JS",
  python: "OpenAI Python",
  anthropic: "Anthropic",
  gemini: "Gemini",
  vercel: "Vercel AI",
} as const;
export type Program = keyof typeof programs;

/** js is a value as JavaScript, with its lines after the first indented. */
export function js(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, null, 2).replace(/^(\s*)"([A-Za-z_]\w*)":/gm, "$1$2:");
  return text.replaceAll("\n", `\n${" ".repeat(indent)}`);
}

/** python is a value as Python. */
export function python(value: unknown, depth = 0): string {
  const pad = "    ".repeat(depth + 1);
  const end = "    ".repeat(depth);
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((v) => `${pad}${python(v, depth + 1)},\n`).join("")}${end}]`;
  }
  if (typeof value === "object") {
    const rows = Object.entries(value);
    if (rows.length === 0) return "{}";
    return `{\n${rows.map(([k, v]) => `${pad}${JSON.stringify(k)}: ${python(v, depth + 1)},\n`).join("")}${end}}`;
  }
  return JSON.stringify(value);
}

const members = (o: Json, indent: number) =>
  Object.entries(o)
    .map(([k, v]) => `${" ".repeat(indent)}${k}: ${js(v, indent)},`)
    .join("\n");

const compact = (o: Json): Json => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));
const words = (v: unknown) => (typeof v === "string" ? v : "");
const list = (v: unknown): Json[] => (Array.isArray(v) ? (v as Json[]) : []);
const object = (v: unknown): Json => (typeof v === "object" && v !== null ? (v as Json) : {});
const parsed = (text: unknown): unknown => {
  try {
    return JSON.parse(words(text) || "{}");
  } catch {
    return {};
  }
};

/** data takes a data address apart. */
const data = (url: unknown) => {
  const m = /^data:([^;]*);base64,(.*)$/s.exec(words(url));
  return { type: m?.[1] ?? "", body: m?.[2] ?? "" };
};

const systemOf = (messages: Json[]) => words(messages.find((m) => m.role === "system")?.content) || undefined;
const partsOf = (content: unknown): Json[] => (typeof content === "string" ? [{ type: "text", text: content }] : list(content));
const functionsOf = (o: Json) => list(o.tools).map((t) => object(t.function));
const schemaOf = (o: Json) => object(object(o.response_format).json_schema).schema;

function anthropic({ model, messages, options: o }: Asked): Json {
  const part = (p: Json): Json => {
    const file = object(p.file);
    const from = data(p.type === "file" ? file.file_data : object(p.image_url).url);
    if (p.type === "image_url") return { type: "image", source: { type: "base64", media_type: from.type, data: from.body } };
    if (p.type === "file") return { type: "document", source: { type: "base64", media_type: from.type, data: from.body } };
    return p;
  };
  const turns: Json[] = [];
  for (const m of messages) {
    if (m.role === "system") continue;
    if (m.role === "tool") {
      const result = { type: "tool_result", tool_use_id: m.tool_call_id, content: m.content };
      const before = turns.at(-1);
      if (before?.role === "user" && Array.isArray(before.content)) before.content.push(result);
      else turns.push({ role: "user", content: [result] });
    } else if (m.tool_calls) {
      const uses = list(m.tool_calls).map((c) => ({
        type: "tool_use",
        id: c.id,
        name: object(c.function).name,
        input: parsed(object(c.function).arguments),
      }));
      turns.push({ role: "assistant", content: [...(m.content ? partsOf(m.content) : []), ...uses] });
    } else turns.push({ role: m.role, content: typeof m.content === "string" ? m.content : list(m.content).map(part) });
  }
  const tools = functionsOf(o).map((f) => compact({ name: f.name, description: f.description, input_schema: f.parameters }));
  const choice = { required: "any", none: "none" }[words(o.tool_choice)];
  const config = compact({
    effort: o.reasoning_effort,
    format: schemaOf(o) ? { type: "json_schema", schema: schemaOf(o) } : undefined,
  });
  return compact({
    model,
    max_tokens: o.max_completion_tokens ?? 4096,
    system: systemOf(messages),
    messages: turns,
    temperature: o.temperature,
    top_p: o.top_p,
    stop_sequences: o.stop,
    tools: tools.length > 0 ? tools : undefined,
    tool_choice: choice ? { type: choice } : undefined,
    output_config: Object.keys(config).length > 0 ? config : undefined,
  });
}

function gemini({ model, messages, options: o }: Asked): Json {
  const names = new Map<unknown, unknown>(); // of tools, by the id of the call
  const part = (p: Json): Json => {
    if (p.type === "text") return { text: p.text };
    const sound = object(p.input_audio);
    if (p.type === "input_audio") return { inlineData: { mimeType: `audio/${words(sound.format)}`, data: sound.data } };
    const from = data(p.type === "file" ? object(p.file).file_data : object(p.image_url).url);
    return { inlineData: { mimeType: from.type, data: from.body } };
  };
  const contents: Json[] = [];
  for (const m of messages) {
    if (m.role === "system") continue;
    if (m.role === "tool") {
      contents.push({
        role: "user",
        parts: [{ functionResponse: { name: names.get(m.tool_call_id), response: { result: m.content } } }],
      });
      continue;
    }
    const calls = list(m.tool_calls).map((c) => {
      const f = object(c.function);
      names.set(c.id, f.name);
      return { functionCall: { name: f.name, args: parsed(f.arguments) } };
    });
    const said = m.content ? partsOf(m.content).map(part) : [];
    contents.push({ role: m.role === "assistant" ? "model" : "user", parts: [...said, ...calls] });
  }
  const tools = functionsOf(o).map((f) =>
    compact({ name: f.name, description: f.description, parametersJsonSchema: f.parameters }),
  );
  const mode = { required: "ANY", none: "NONE" }[words(o.tool_choice)];
  const config = compact({
    systemInstruction: systemOf(messages),
    temperature: o.temperature,
    topP: o.top_p,
    maxOutputTokens: o.max_completion_tokens,
    frequencyPenalty: o.frequency_penalty,
    presencePenalty: o.presence_penalty,
    seed: o.seed,
    stopSequences: o.stop,
    tools: tools.length > 0 ? [{ functionDeclarations: tools }] : undefined,
    toolConfig: mode ? { functionCallingConfig: { mode } } : undefined,
    responseMimeType: o.response_format ? "application/json" : undefined,
    responseJsonSchema: schemaOf(o),
  });
  return compact({ model, contents, config: Object.keys(config).length > 0 ? config : undefined });
}

function vercel(a: Asked): string {
  const o = a.options;
  const part = (p: Json): Json => {
    if (p.type === "text") return p;
    const sound = object(p.input_audio);
    if (p.type === "input_audio") return { type: "file", mediaType: `audio/${words(sound.format)}`, data: sound.data };
    const from = data(p.type === "file" ? object(p.file).file_data : object(p.image_url).url);
    return p.type === "file"
      ? { type: "file", mediaType: from.type, data: from.body, filename: object(p.file).filename }
      : { type: "image", image: from.body, mediaType: from.type };
  };
  const names = new Map<unknown, unknown>();
  const messages = a.messages.flatMap((m): Json[] => {
    if (m.role === "system") return [];
    if (m.role === "tool") {
      const output = { type: "text", value: m.content };
      return [
        {
          role: "tool",
          content: [{ type: "tool-result", toolCallId: m.tool_call_id, toolName: names.get(m.tool_call_id), output }],
        },
      ];
    }
    if (!m.tool_calls) return [{ role: m.role, content: typeof m.content === "string" ? m.content : list(m.content).map(part) }];
    const calls = list(m.tool_calls).map((c) => {
      const f = object(c.function);
      names.set(c.id, f.name);
      return { type: "tool-call", toolCallId: c.id, toolName: f.name, input: parsed(f.arguments) };
    });
    return [{ role: "assistant", content: [...(m.content ? partsOf(m.content) : []), ...calls] }];
  });
  const given = compact({
    system: systemOf(a.messages),
    messages,
    temperature: o.temperature,
    topP: o.top_p,
    maxOutputTokens: o.max_completion_tokens,
    frequencyPenalty: o.frequency_penalty,
    presencePenalty: o.presence_penalty,
    seed: o.seed,
    stopSequences: o.stop,
    toolChoice: o.tool_choice,
    providerOptions: o.reasoning_effort ? { hub: { reasoningEffort: o.reasoning_effort } } : undefined,
  });
  const tools = functionsOf(o).map(
    (f) =>
      `    ${JSON.stringify(f.name)}: tool({ description: ${JSON.stringify(f.description ?? "")}, inputSchema: jsonSchema(${js(f.parameters, 4)}) }),\n`,
  );
  const schema = schemaOf(o);
  const imports = [
    "streamText",
    ...(tools.length > 0 ? ["tool"] : []),
    ...(schema ? ["Output"] : []),
    ...(tools.length > 0 || schema ? ["jsonSchema"] : []),
  ];
  return `// npm install ai @ai-sdk/openai-compatible
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ${imports.join(", ")} } from "ai";

const hub = createOpenAICompatible({ name: "hub", baseURL: "${a.base}/v1", apiKey: process.env.${keyName} });
const { textStream } = streamText({
  model: hub(${JSON.stringify(a.model)}),
${members(given, 2)}
${tools.length > 0 ? `  tools: {\n${tools.join("")}  },\n` : ""}${schema ? `  output: Output.object({ schema: jsonSchema(${js(schema, 2)}) }),\n` : ""}});
for await (const text of textStream) process.stdout.write(text);`;
}

/** quoted is a text inside of a shell's single quotes. */
export const quoted = (text: string) => text.replaceAll("'", `'\\''`);

export function code(program: Program, a: Asked): string {
  const body = { model: a.model, messages: a.messages, ...a.options, stream: true };
  switch (program) {
    case "curl":
      return `curl -N ${a.base}/v1/chat/completions \\
  -H "Authorization: Bearer $${keyName}" \\
  -H 'Content-Type: application/json' \\
  -d '${quoted(JSON.stringify(body, null, 2))}'`;
    case "openai":
      return `// npm install openai
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${a.base}/v1", apiKey: process.env.${keyName} });
const stream = await client.chat.completions.create(${js(body)});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");`;
    case "python":
      return `# pip install openai
import os
from openai import OpenAI

client = OpenAI(base_url="${a.base}/v1", api_key=os.environ["${keyName}"])
stream = client.chat.completions.create(
${Object.entries(body)
  .map(([k, v]) => `    ${k}=${python(v, 1)},\n`)
  .join("")})
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)`;
    case "anthropic":
      return `// npm install @anthropic-ai/sdk
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: "${a.base}", apiKey: process.env.${keyName} });
const stream = client.messages.stream(${js(anthropic(a))});
stream.on("text", (text) => process.stdout.write(text));
await stream.finalMessage();`;
    case "gemini":
      return `// npm install @google/genai
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: process.env.${keyName}, httpOptions: { baseUrl: "${a.base}" } });
const stream = await client.models.generateContentStream(${js(gemini(a))});
for await (const chunk of stream) process.stdout.write(chunk.text ?? "");`;
    case "vercel":
      return vercel(a);
  }
}

/** short leaves the bodies of files out of what is shown: nobody copies a picture's megabytes by hand. */
export function short(messages: Json[]): Json[] {
  const most = 200; // characters
  return JSON.parse(
    JSON.stringify(messages, (name, value) => {
      if (typeof value !== "string" || value.length <= most) return value;
      const at = value.indexOf(";base64,");
      if (value.startsWith("data:") && at > 0) return `${value.slice(0, at)};base64,${value.slice(at + 8, at + 24)}…`;
      return name === "data" ? `${value.slice(0, 16)}…` : value;
    }),
  );
}

/** Work beside chat as a program would ask for it. */
import { js, keyName, python, quoted } from "./code";

type Json = Record<string, unknown>;

export const workPrograms = { curl: "curl", openai: "OpenAI JS", python: "OpenAI Python" } as const;
export type WorkProgram = keyof typeof workPrograms;

/** works are the calls, each with its path, its methods in the published packages, and what is done with the answer. */
const works = {
  image: { path: "/v1/images/generations", js: "images.generate", py: "images.generate", use: "data[0].b64_json" },
  edit: { path: "/v1/images/edits", js: "images.edit", py: "images.edit", use: "data[0].b64_json" },
  video: { path: "/v1/videos", js: "videos.createAndPoll", py: "videos.create_and_poll", use: "status" },
  embedding: { path: "/v1/embeddings", js: "embeddings.create", py: "embeddings.create", use: "data[0].embedding" },
  speech: { path: "/v1/audio/speech", js: "audio.speech.create", py: "audio.speech.create", use: "" },
  transcription: {
    path: "/v1/audio/transcriptions",
    js: "audio.transcriptions.create",
    py: "audio.transcriptions.create",
    use: "text",
  },
} as const;
export type Work = keyof typeof works;

export interface WorkAsked {
  work: Work;
  fields: Json;
  /** files by their fields' names: a list where the field takes several. */
  files?: Record<string, string | string[]>;
}

export function workCode(program: WorkProgram, base: string, { work, fields, files = {} }: WorkAsked): string {
  const w = works[work];
  const file = `speech.${String(fields.response_format ?? "mp3")}`;
  const sent = Object.entries(files);
  const each = (value: string | string[], open: (name: string) => string) =>
    Array.isArray(value) ? `[${value.map(open).join(", ")}]` : open(value);
  if (program === "curl") {
    const head = `curl ${base}${w.path} \\\n  -H "Authorization: Bearer $${keyName}" \\\n`;
    const out = work === "speech" ? ` \\\n  -o ${file}` : "";
    if (sent.length === 0 && work !== "transcription")
      return `${head}  -H 'Content-Type: application/json' \\\n  -d '${quoted(JSON.stringify(fields, null, 2))}'${out}`;
    const parts = [
      ...Object.entries(fields).map(([k, v]) => `  -F '${k}=${quoted(String(v))}'`),
      ...sent.flatMap(([k, v]) => [v].flat().map((name) => `  -F '${k}${Array.isArray(v) ? "[]" : ""}=@${quoted(name)}'`)),
    ];
    return head + parts.join(" \\\n");
  }
  if (program === "openai") {
    const opened = sent
      .map(([k, v]) => `  ${k}: ${each(v, (name) => `fs.createReadStream(${JSON.stringify(name)})`)},\n`)
      .join("");
    const body = js(fields).replace(/\n}$/, `\n${opened}}`);
    const needsFiles = sent.length > 0 || work === "speech";
    const after =
      work === "speech"
        ? `fs.writeFileSync("${file}", Buffer.from(await answer.arrayBuffer()));`
        : `console.log(answer.${w.use});`;
    return `// npm install openai
${needsFiles ? 'import fs from "node:fs";\n' : ""}import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${base}/v1", apiKey: process.env.${keyName} });
const answer = await client.${w.js}(${body});
${after}`;
  }
  const rows = Object.entries(fields).map(([k, v]) => `    ${k}=${python(v, 1)},\n`);
  const opened = sent.map(([k, v]) => `    ${k}=${each(v, (name) => `open(${JSON.stringify(name)}, "rb")`)},\n`);
  return `# pip install openai
import os
from openai import OpenAI

client = OpenAI(base_url="${base}/v1", api_key=os.environ["${keyName}"])
answer = client.${w.py}(
${[...rows, ...opened].join("")})
${work === "speech" ? `answer.write_to_file("${file}")` : `print(answer.${w.use})`}`;
}

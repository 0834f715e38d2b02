/** How to call the hub from what people use. The calls are those that the tests of the hub run with the published packages. */

export interface Target {
  /** base is the hub's address without a slash at its end. */
  base: string;
  key: string;
  /** model is provider/model. */
  model: string;
}

export const clients = {
  curl: "curl",
  openai: "OpenAI",
  anthropic: "Anthropic",
  gemini: "Gemini",
  vercel: "Vercel AI",
  langchain: "LangChain",
  claude: "Claude Code",
  codex: "Codex",
  aigne: "AIGNE",
} as const;
export type Client = keyof typeof clients;

const question = "Hello!";

const texts: Record<Client, (t: Target) => string> = {
  curl: ({ base, key, model }) => `curl ${base}/v1/chat/completions \\
  -H 'Authorization: Bearer ${key}' \\
  -H 'Content-Type: application/json' \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "${question}"}]}'`,

  openai: ({ base, key, model }) => `// npm install openai
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${base}/v1", apiKey: "${key}" });
const answer = await client.chat.completions.create({
  model: "${model}",
  messages: [{ role: "user", content: "${question}" }],
});
console.log(answer.choices[0].message.content);`,

  anthropic: ({ base, key, model }) => `// npm install @anthropic-ai/sdk
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: "${base}", apiKey: "${key}" });
const answer = await client.messages.create({
  model: "${model}",
  max_tokens: 1024,
  messages: [{ role: "user", content: "${question}" }],
});
console.log(answer.content);`,

  gemini: ({ base, key, model }) => `// npm install @google/genai
import { GoogleGenAI } from "@google/genai";

const client = new GoogleGenAI({ apiKey: "${key}", httpOptions: { baseUrl: "${base}" } });
const answer = await client.models.generateContent({
  model: "${model}",
  contents: "${question}",
});
console.log(answer.text);`,

  vercel: ({ base, key, model }) => `// npm install ai @ai-sdk/openai-compatible
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText } from "ai";

const hub = createOpenAICompatible({ name: "hub", baseURL: "${base}/v1", apiKey: "${key}" });
const { text } = await generateText({ model: hub("${model}"), prompt: "${question}" });
console.log(text);`,

  langchain: ({ base, key, model }) => `// npm install @langchain/openai
import { ChatOpenAI } from "@langchain/openai";

const chat = new ChatOpenAI({
  model: "${model}",
  apiKey: "${key}",
  configuration: { baseURL: "${base}/v1" },
});
console.log((await chat.invoke("${question}")).content);`,

  claude: ({ base, key, model }) => `ANTHROPIC_BASE_URL=${base} \\
ANTHROPIC_AUTH_TOKEN=${key} \\
claude --model ${model}`,

  codex: ({ base, key, model }) => `# ~/.codex/config.toml
model = "${model}"
model_provider = "hub"

[model_providers.hub]
name = "AIGNE Hub"
base_url = "${base}/v1"
wire_api = "responses"
env_key = "HUB_KEY"

# then: HUB_KEY=${key} codex`,

  aigne: ({ base, key, model }) => `// npm install @aigne/aigne-hub
import { AIGNEHubChatModel } from "@aigne/aigne-hub";

const chat = new AIGNEHubChatModel({
  baseURL: "${base}",
  apiKey: "${key}",
  model: "aignehub/${model}",
});
console.log(await chat.invoke({ messages: [{ role: "user", content: "${question}" }] }));`,
};

export function snippet(client: Client, target: Target): string {
  return texts[client](target);
}

/** base is the address of this hub. */
export function base(): string {
  return document.baseURI.replace(/\/$/, "");
}

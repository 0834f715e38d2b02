/** A call as a line for a shell. The key is not in it: the shell reads it from AIGNE_HUB_KEY. */

export interface Called {
  type: string;
  dialect: string;
  requested_model: string;
  stream: boolean;
}

interface Sent {
  path: string;
  body: unknown;
}

const question = "Hello!";

/** sample is a short request of the same kind, for calls whose own is not kept. */
export function sample(c: Called): Sent {
  const model = c.requested_model;
  const stream = c.stream ? { stream: true } : {};
  const messages = [{ role: "user", content: question }];
  switch (c.type) {
    case "embedding":
      return { path: "/v1/embeddings", body: { model, input: question } };
    case "imageGeneration":
      return { path: "/v1/images/generations", body: { model, prompt: "A lighthouse at dawn" } };
    case "audioGeneration":
      return { path: "/v1/audio/speech", body: { model, input: question, voice: "alloy" } };
    case "video":
      return { path: "/v1/videos", body: { model, prompt: "Waves at a lighthouse" } };
    case "moderation":
      return { path: "/v1/moderations", body: { model, input: question } };
    case "rerank":
      return { path: "/v1/rerank", body: { model, query: "greeting", documents: [question, "Goodbye!"] } };
  }
  switch (c.dialect) {
    case "anthropic":
      return { path: "/v1/messages", body: { model, max_tokens: 256, messages, ...stream } };
    case "openai-responses":
      return { path: "/v1/responses", body: { model, input: question, ...stream } };
    case "openai-completions":
      return { path: "/v1/completions", body: { model, prompt: question, ...stream } };
    case "gemini":
      return {
        path: `/v1beta/models/${model}:${c.stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
        body: { contents: [{ parts: [{ text: question }] }] },
      };
  }
  return { path: "/v1/chat/completions", body: { model, messages, ...stream } };
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** curl writes a call; body is the request as it was kept, or else a sample is sent. */
export function curl(base: string, c: Called, body?: string): string {
  const sent = sample(c);
  const stream = c.stream ? " -N" : "";
  return `curl${stream} ${quoted(base + sent.path)} \\
  -H "Authorization: Bearer $AIGNE_HUB_KEY" \\
  -H 'Content-Type: application/json' \\
  -d ${quoted(body ?? JSON.stringify(sent.body))}`;
}

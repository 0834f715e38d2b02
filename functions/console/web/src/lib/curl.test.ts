import { describe, expect, it } from "vitest";
import { curl } from "./curl";

const call = { type: "chatCompletion", dialect: "openai-chat", requested_model: "openai/gpt-x", stream: false };

describe("a call as curl", () => {
  it("reads the key from the environment and has nothing to fill in", () => {
    const text = curl("https://hub.example.com/ai", call);
    expect(text).toContain('"Authorization: Bearer $AIGNE_HUB_KEY"');
    expect(text).toContain("'https://hub.example.com/ai/v1/chat/completions'");
    expect(text).toContain('"model":"openai/gpt-x"');
    expect(text).not.toMatch(/sk-|<|YOUR/);
  });
  it("sends the request that was kept, safe for a shell", () => {
    const text = curl("https://h", call, `{"x":"it's $HOME"}`);
    expect(text).toContain(`-d '{"x":"it'\\''s $HOME"}'`);
  });
  it.each([
    ["anthropic", "chatCompletion", "/v1/messages"],
    ["openai-responses", "chatCompletion", "/v1/responses"],
    ["gemini", "chatCompletion", ":generateContent"],
    ["aigne", "chatCompletion", "/v1/chat/completions"],
    ["openai", "embedding", "/v1/embeddings"],
    ["openai", "rerank", "/v1/rerank"],
  ])("goes in %s for %s to %s", (dialect, type, path) => {
    expect(curl("https://h", { ...call, dialect, type })).toContain(path);
  });
  it("does not hold a stream back", () => {
    expect(curl("https://h", { ...call, stream: true })).toMatch(/^curl -N /);
  });
});

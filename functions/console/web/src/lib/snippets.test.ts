import { describe, expect, it } from "vitest";
import { type Client, clients, snippet } from "./snippets";

describe.each(Object.keys(clients) as Client[])("%s", (client) => {
  const text = snippet(client, { base: "https://hub.example.com/ai", key: "sk-hub-x", model: "openai/gpt-x" });
  it("names the hub below its prefix, the key and the model", () => {
    expect(text).toContain("https://hub.example.com/ai");
    expect(text).toContain("sk-hub-x");
    expect(text).toContain("openai/gpt-x");
  });
  it("adds /v1 where the client wants it, and only there", () => {
    expect(/hub\.example\.com\/ai\/v1/.test(text)).toBe(!["anthropic", "gemini", "claude", "aigne"].includes(client));
  });
});

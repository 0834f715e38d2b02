// The Vercel AI SDK (ai) with its providers against a gateway; see scenario.mjs. A
// scenario is named "<provider>/<what>": each provider package speaks a language of
// its own, chat and responses being two of @ai-sdk/openai.
import { embed, embedMany, generateImage, generateObject, generateSpeech, generateText, isStepCount, jsonSchema, streamText, tool, transcribe } from 'ai';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { baseURL, key, model, modelFor, unknownModel, wrongKey, picture, recording, citySchema, expectError, main } from './scenario.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;
const base = `${baseURL}/v1`;
const compatible = apiKey => createOpenAICompatible({ name: 'gateway', baseURL: base, apiKey, includeUsage: true, supportsStructuredOutputs: true });
const openai = apiKey => createOpenAI({ baseURL: base, apiKey });
const google = apiKey => createGoogle({ baseURL: `${baseURL}/v1beta`, apiKey });

// How a provider makes a chat model, and what switches thinking on.
const chatModels = {
  chat: { make: (k, m) => openai(k).chat(m), think: { openai: { reasoningEffort: 'low', forceReasoning: true } } },
  responses: { make: (k, m) => openai(k)(m), think: { openai: { reasoningEffort: 'low', reasoningSummary: 'auto', forceReasoning: true } } },
  compatible: { make: (k, m) => compatible(k)(m), think: { gateway: { reasoningEffort: 'low' } } },
  anthropic: { make: (k, m) => createAnthropic({ baseURL: base, apiKey: k })(m), think: { anthropic: { thinking: { type: 'enabled', budgetTokens: 1024 } } } },
  google: { make: (k, m) => google(k)(m), think: { google: { thinkingConfig: { includeThoughts: true, thinkingBudget: 1024 } } } },
};

const long = 'Hi there, say a lot, please. '.repeat(8); // Responses takes no limit below 16
const get_weather = tool({ description: 'Weather of a city', inputSchema: jsonSchema(citySchema), execute: async ({ city }) => `20 degrees in ${city}` });
const callsOf = step => step.toolCalls.map(c => ({ id: c.toolCallId, name: c.toolName, arguments: c.input }));

// collect reads a stream to its end; an error in it is thrown.
async function collect(result, onPart) {
  const out = { text: '', thought: '', chunks: 0, aborted: false };
  for await (const part of result.fullStream) {
    out.chunks++;
    if (part.type === 'text-delta') out.text += part.text;
    if (part.type === 'reasoning-delta') out.thought += part.text;
    if (part.type === 'abort') out.aborted = true;
    if (part.type === 'error') throw part.error;
    onPart?.(part);
  }
  return out;
}

function chatScenarios({ make, think }) {
  const ask = more => ({ model: make(key, model), maxRetries: 0, maxOutputTokens: 2000, ...more });
  const tools = { tools: { get_weather }, stopWhen: isStepCount(3) };
  const toolTurn = async prompt => {
    const r = await generateText(ask({ prompt, ...tools }));
    return { calls: callsOf(r.steps[0]), finish: r.steps[0].finishReason, text: r.text, usage: r.usage };
  };
  const streamed = (more, name = model) => collect(streamText({ ...ask(more), model: make(key, name), onError() {} }));
  return {
    async whole() {
      const r = await generateText(ask({ instructions: 'Be brief.', prompt: 'Hi there' }));
      return { text: r.text, finish: r.finishReason, usage: r.usage };
    },
    async stream() {
      const result = streamText(ask({ prompt: 'Hi there' }));
      const r = await collect(result);
      return { ...r, finish: await result.finishReason, usage: await result.usage };
    },
    tool: () => toolTurn('please use tool get_weather'),
    parallel_tools: () => toolTurn('please use tools twice'),
    async stream_tools() {
      const result = streamText(ask({ prompt: 'please use tool get_weather', ...tools }));
      const r = await collect(result);
      return { ...r, calls: callsOf((await result.steps)[0]) };
    },
    // The SDK decides how an earlier turn is sent back: Responses by reference.
    async conversation() {
      const messages = [{ role: 'user', content: 'Hi there' }];
      const first = await generateText(ask({ messages, providerOptions: think }));
      const r = await generateText(ask({ messages: [...messages, ...first.response.messages, { role: 'user', content: 'And again' }] }));
      return { text: r.text };
    },
    async thinking_tool() {
      const r = await generateText(ask({ prompt: 'please use tool get_weather', ...tools, providerOptions: think }));
      return { calls: callsOf(r.steps[0]), text: r.text };
    },
    async structured() {
      const r = await generateObject(ask({ prompt: 'Name a city.', schema: jsonSchema(citySchema) }));
      return { value: r.object, usage: r.usage };
    },
    async image() {
      const content = [{ type: 'text', text: 'What is this?' }, { type: 'file', mediaType: 'image/png', data: picture }];
      const r = await generateText(ask({ messages: [{ role: 'user', content }] }));
      return { text: r.text };
    },
    async thinking() {
      const r = await generateText(ask({ prompt: 'Hi there', providerOptions: think }));
      return { text: r.text, thought: r.reasoningText ?? '', usage: r.usage };
    },
    async stream_thinking() {
      const r = await streamed({ prompt: 'Hi there', providerOptions: think });
      return { text: r.text, thought: r.thought };
    },
    async length() {
      const r = await generateText(ask({ prompt: long, maxOutputTokens: 16 }));
      return { finish: r.finishReason, tokens: r.usage.outputTokens };
    },
    unknown_model: () => expectError(() => generateText(ask({ model: make(key, unknownModel), prompt: 'Hi' }))),
    unknown_model_stream: () => expectError(() => streamed({ prompt: 'Hi' }, unknownModel)),
    wrong_key: () => expectError(() => generateText(ask({ model: make(wrongKey, model), prompt: 'Hi' }))),
    async abort() {
      const stop = new AbortController();
      const result = streamText(ask({ prompt: 'please stall', abortSignal: stop.signal, onError() {} }));
      const r = await collect(result, part => { if (part.type === 'text-delta') stop.abort(); });
      return { chunks: r.chunks, aborted: r.aborted };
    },
  };
}

// Of vectors and files the sizes are told.
function embeddingScenarios(make) {
  return {
    async embed() {
      const r = await embed({ model: make(key, modelFor('embedding')), value: 'Hi there', maxRetries: 0 });
      return { sizes: [r.embedding.length], tokens: r.usage.tokens };
    },
    async embed_many() {
      const r = await embedMany({ model: make(key, modelFor('embedding')), values: ['one', 'two', 'three'], maxRetries: 0 });
      return { sizes: r.embeddings.map(e => e.length), tokens: r.usage.tokens };
    },
    unknown_embedding: () => expectError(() => embed({ model: make(key, unknownModel), value: 'Hi', maxRetries: 0 })),
  };
}

function imageScenarios(make) {
  return {
    async generate_image() {
      const r = await generateImage({ model: make(key, modelFor('image')), prompt: 'A red point', n: 2, maxRetries: 0 });
      return { sizes: r.images.map(i => i.uint8Array.length), text: r.images[0].mediaType };
    },
    unknown_image: () => expectError(() => generateImage({ model: make(key, unknownModel), prompt: 'Hi', maxRetries: 0 })),
  };
}

const audioScenarios = {
  async speech() {
    const r = await generateSpeech({ model: openai(key).speech(modelFor('speech')), text: 'Hi there', voice: 'alloy', outputFormat: 'mp3', maxRetries: 0 });
    return { sizes: [r.audio.uint8Array.length], text: r.audio.mediaType };
  },
  async transcription() {
    const r = await transcribe({ model: openai(key).transcription(modelFor('transcription')), audio: recording, maxRetries: 0 });
    return { text: r.text };
  },
};

const scenarios = {};
const add = (prefix, group) => { for (const [name, work] of Object.entries(group)) scenarios[`${prefix}/${name}`] = work; };
for (const [name, how] of Object.entries(chatModels)) add(name, chatScenarios(how));
add('openai', embeddingScenarios((k, m) => openai(k).embedding(m)));
add('compatible', embeddingScenarios((k, m) => compatible(k).embeddingModel(m)));
add('google', embeddingScenarios((k, m) => google(k).embedding(m)));
add('openai', imageScenarios((k, m) => openai(k).image(m)));
add('compatible', imageScenarios((k, m) => compatible(k).imageModel(m)));
add('openai', audioScenarios);
await main(scenarios);

// The AIGNE SDK (@aigne/aigne-hub) against a gateway; see scenario.mjs. SDK_MODEL is
// "provider/model"; the prefix "aignehub/" makes the SDK speak the hub's own protocol.
// The SDK finds the hub's mount point with GET {origin}/__blocklet__.js?type=json.
import { stat } from 'node:fs/promises';

process.env.AIGNE_HUB_API_URL = process.env.SDK_BASE_URL; // models() looks only here
process.env.BLOCKLET_APP_PID = 'z-sdk-test'; // the calling app, sent as x-aigne-hub-client-did
const { AIGNEHubChatModel, AIGNEHubImageModel, AIGNEHubVideoModel } = await import('@aigne/aigne-hub');
const { baseURL, key, model, modelFor, unknownModel, wrongKey, picture, citySchema, expectError, main } = await import('./scenario.mjs');

const connect = (apiKey, name = model) => new AIGNEHubChatModel({ baseURL, apiKey, model: `aignehub/${name}` });
const hub = connect(key);
const drawer = name => new AIGNEHubImageModel({ baseURL, apiKey: key, model: `aignehub/${name}` });
const filmer = name => new AIGNEHubVideoModel({ baseURL, apiKey: key, model: `aignehub/${name}` });
const user = content => ({ role: 'user', content });
const tools = [{ type: 'function', function: { name: 'get_weather', description: 'Weather of a city', parameters: citySchema } }];
const callsOf = r => (r.toolCalls ?? []).map(c => ({ id: c.id, name: c.function.name, arguments: c.function.arguments }));

// sizesOf reads files: unless told otherwise the SDK fetches the hub's and keeps
// them in a folder of its own.
const sizesOf = async files => Promise.all(files.map(async f => {
  if (f.type !== 'local') throw new Error(`a file of type ${f.type}`);
  return (await stat(f.path)).size;
}));

// collect reads a streamed answer: texts are appended, all else replaces.
async function collect(stream, onChunk) {
  const out = { text: '', json: {}, chunks: 0 };
  for await (const chunk of stream) {
    out.chunks++;
    out.text += chunk.delta?.text?.text ?? '';
    Object.assign(out.json, chunk.delta?.json ?? {});
    if (onChunk?.(out) === false) break;
  }
  return out;
}

async function toolTurn(text) {
  const first = await hub.invoke({ messages: [user(text)], tools });
  const results = (first.toolCalls ?? []).map(c => ({ role: 'tool', toolCallId: c.id, content: `20 degrees in ${c.function.arguments.city}` }));
  const second = await hub.invoke({ messages: [user(text), { role: 'agent', toolCalls: first.toolCalls }, ...results], tools });
  return { calls: callsOf(first), text: second.text };
}

await main({
  async discovery() {
    const { url } = await hub.credential;
    return { url };
  },
  async whole() {
    const r = await hub.invoke({ messages: [{ role: 'system', content: 'Be brief.' }, user('Hi there')] });
    return { text: r.text, usage: r.usage, model: r.model };
  },
  async stream() {
    const r = await collect(await hub.invoke({ messages: [user('Hi there')] }, { streaming: true }));
    return { text: r.text, usage: r.json.usage, model: r.json.model, chunks: r.chunks };
  },
  tool: () => toolTurn('please use tool get_weather'),
  parallel_tools: () => toolTurn('please use tools twice'),
  async structured() {
    const r = await hub.invoke({ messages: [user('Name a city.')], responseFormat: { type: 'json_schema', jsonSchema: { name: 'city', schema: citySchema, strict: true } } });
    return { value: r.json };
  },
  async image() {
    const r = await hub.invoke({ messages: [user([{ type: 'text', text: 'What is this?' }, { type: 'file', data: picture, mimeType: 'image/png' }])] });
    return { text: r.text };
  },
  async models() {
    const all = await AIGNEHubChatModel.models();
    return { ids: all.map(m => `${m.provider}/${m.model}`) };
  },
  async picture() {
    const r = await drawer(modelFor('image')).invoke({ prompt: 'A red point', n: 2 });
    return { sizes: await sizesOf(r.images), usage: r.usage, model: r.model };
  },
  async picture_edit() {
    const r = await drawer(modelFor('image')).invoke({ prompt: 'Make it blue', image: [{ type: 'file', data: picture, mimeType: 'image/png' }] });
    return { sizes: await sizesOf(r.images), usage: r.usage };
  },
  async film() {
    const r = await filmer(modelFor('video')).invoke({ prompt: 'A red point rises', seconds: '4' });
    return { sizes: await sizesOf(r.videos), usage: r.usage, model: r.model, value: r.seconds };
  },
  async picture_models() {
    return { ids: (await drawer(modelFor('image')).models()).map(m => `${m.provider}/${m.model}`) };
  },
  unknown_picture: () => expectError(() => drawer(unknownModel).invoke({ prompt: 'Hi' })),
  unknown_film: () => expectError(() => filmer(unknownModel).invoke({ prompt: 'Hi' })),
  unknown_model: () => expectError(() => connect(key, unknownModel).invoke({ messages: [user('Hi')] })),
  unknown_model_stream: () => expectError(async () => collect(await connect(key, unknownModel).invoke({ messages: [user('Hi')] }, { streaming: true }))),
  wrong_key: () => expectError(() => connect(wrongKey).invoke({ messages: [user('Hi')] })),
  async abort() {
    const r = await collect(await hub.invoke({ messages: [user('please stall')] }, { streaming: true }), () => false);
    return { chunks: r.chunks, aborted: true };
  },
});

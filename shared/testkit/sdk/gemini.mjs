// The official Google Gen AI SDK against a gateway; see scenario.mjs.
import { GoogleGenAI, Type, FunctionCallingConfigMode } from '@google/genai';
import { baseURL, key, model, modelFor, unknownModel, wrongKey, picture, citySchema, expectError, main } from './scenario.mjs';

const connect = apiKey => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: baseURL, timeout: 30000 } });
const client = connect(key);
const user = (...parts) => ({ role: 'user', parts: parts.map(p => (typeof p === 'string' ? { text: p } : p)) });
const schema = { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] };
const byJSONSchema = { functionDeclarations: [{ name: 'get_weather', description: 'Weather of a city', parametersJsonSchema: citySchema }] };
const bySchema = { functionDeclarations: [{ name: 'get_weather', description: 'Weather of a city', parameters: schema }] };
const ask = (contents, config) => client.models.generateContent({ model, contents, config });
const finishOf = r => r.candidates[0].finishReason.toLowerCase();
// The API need not give ids; the name then tells which function was called.
const callsOf = r => (r.functionCalls ?? []).map(c => ({ id: c.id ?? c.name, name: c.name, arguments: c.args }));
const answerTo = c => ({ functionResponse: { id: c.id, name: c.name, response: { output: `20 degrees in ${c.args.city}` } } });

async function toolTurn(text, tool) {
  const first = await ask([user(text)], { tools: [tool] });
  const second = await ask([user(text), first.candidates[0].content, user(...first.functionCalls.map(answerTo))], { tools: [tool] });
  return { calls: callsOf(first), finish: finishOf(first), text: second.text };
}

await main({
  async whole() {
    const r = await ask('Hi there', { systemInstruction: 'Be brief.' });
    return { text: r.text, finish: finishOf(r), usage: r.usageMetadata, model: r.modelVersion };
  },
  async stream() {
    let text = '', finish = null, usage = null, chunks = 0;
    for await (const r of await client.models.generateContentStream({ model, contents: 'Hi there' })) {
      chunks++;
      text += r.text ?? '';
      finish = r.candidates?.[0]?.finishReason?.toLowerCase() ?? finish;
      usage = r.usageMetadata ?? usage;
    }
    return { text, finish, usage, chunks };
  },
  async stream_helper() {
    const chat = client.chats.create({ model, config: { tools: [bySchema] } });
    const calls = [];
    let finish = null;
    for await (const r of await chat.sendMessageStream({ message: 'please use tool get_weather' })) {
      calls.push(...callsOf(r));
      finish = r.candidates?.[0]?.finishReason?.toLowerCase() ?? finish;
    }
    return { calls, finish };
  },
  async chat() {
    const chat = client.chats.create({ model, config: { tools: [bySchema] } });
    const say = async message => {
      let text = '';
      const calls = [];
      for await (const r of await chat.sendMessageStream({ message })) {
        text += (r.candidates?.[0]?.content?.parts ?? []).map(p => p.text ?? '').join('');
        calls.push(...(r.functionCalls ?? []));
      }
      return { text, calls };
    };
    await say('Hi there');
    const { calls } = await say('please use tools twice');
    const { text } = await say(calls.map(answerTo));
    return { calls: calls.map(c => ({ id: c.id ?? c.name, name: c.name, arguments: c.args })), text, chunks: chat.getHistory(true).length };
  },
  tool: () => toolTurn('please use tool get_weather', byJSONSchema),
  parallel_tools: () => toolTurn('please use tools twice', bySchema),
  async forced_tool() {
    const r = await ask('Hi there', { tools: [bySchema], toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['get_weather'] } } });
    return { calls: callsOf(r) };
  },
  async structured() {
    const r = await ask('Name a city.', { responseMimeType: 'application/json', responseSchema: schema });
    return { value: JSON.parse(r.text) };
  },
  async structured_json_schema() {
    const r = await ask('Name a city.', { responseMimeType: 'application/json', responseJsonSchema: citySchema });
    return { value: JSON.parse(r.text) };
  },
  async thinking() {
    const r = await ask('Hi there', { thinkingConfig: { includeThoughts: true, thinkingBudget: 2048 } });
    const thought = r.candidates[0].content.parts.find(p => p.thought);
    return { text: r.text, thought: thought?.text ?? null, signed: Boolean(thought?.thoughtSignature) };
  },
  async image() {
    const r = await ask([user('What is this?', { inlineData: { mimeType: 'image/png', data: picture } })]);
    return { text: r.text };
  },
  async length() {
    const r = await ask('Hi there, say a lot, please', { maxOutputTokens: 5 });
    return { finish: finishOf(r), tokens: r.usageMetadata.candidatesTokenCount };
  },
  async count_tokens() {
    const { totalTokens } = await client.models.countTokens({ model, contents: 'Hi there' });
    return { tokens: totalTokens };
  },
  async models() {
    const ids = [];
    for await (const m of await client.models.list({ config: { pageSize: 1 } })) ids.push(m.name);
    return { ids };
  },
  async model() {
    const m = await client.models.get({ model });
    return { model: m.name };
  },
  async embed() {
    const r = await client.models.embedContent({ model: modelFor('embedding'), contents: 'Hi there' });
    return { sizes: r.embeddings.map(e => e.values.length) };
  },
  async embed_many() {
    const r = await client.models.embedContent({ model: modelFor('embedding'), contents: ['one', 'two', 'three'] });
    return { sizes: r.embeddings.map(e => e.values.length) };
  },
  unknown_model: () => expectError(() => client.models.generateContent({ model: unknownModel, contents: 'Hi' })),
  unknown_model_stream: () => expectError(() => client.models.generateContentStream({ model: unknownModel, contents: 'Hi' })),
  wrong_key: () => expectError(() => connect(wrongKey).models.generateContent({ model, contents: 'Hi' })),
  async abort() {
    const stop = new AbortController();
    const stream = await client.models.generateContentStream({ model, contents: 'please stall', config: { abortSignal: stop.signal } });
    let chunks = 0;
    try {
      for await (const _ of stream) { if (++chunks === 1) stop.abort(); }
    } catch (e) {
      if (!stop.signal.aborted) throw e;
    }
    return { chunks, aborted: stop.signal.aborted };
  },
});

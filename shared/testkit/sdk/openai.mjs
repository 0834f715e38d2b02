// The official OpenAI SDK against a gateway; see scenario.mjs.
import OpenAI from 'openai';
import { baseURL, key, model, unknownModel, wrongKey, picture, citySchema, expectError, main } from './scenario.mjs';

const connect = apiKey => new OpenAI({ baseURL: `${baseURL}/v1`, apiKey, maxRetries: 0, timeout: 30000 });
const client = connect(key);
const user = content => ({ role: 'user', content });
const tools = [{ type: 'function', function: { name: 'get_weather', description: 'Weather of a city', parameters: citySchema, strict: true } }];
const create = (messages, more) => client.chat.completions.create({ model, messages, ...more });
const callsOf = message => (message.tool_calls ?? []).map(c => ({ id: c.id, name: c.function.name, arguments: JSON.parse(c.function.arguments) }));

async function toolTurn(text) {
  const first = await create([user(text)], { tools });
  const message = first.choices[0].message;
  const results = callsOf(message).map(c => ({ role: 'tool', tool_call_id: c.id, content: `20 degrees in ${c.arguments.city}` }));
  const second = await create([user(text), message, ...results], { tools });
  return { calls: callsOf(message), finish: first.choices[0].finish_reason, text: second.choices[0].message.content };
}

await main({
  async whole() {
    const r = await create([{ role: 'system', content: 'Be brief.' }, user('Hi there')]);
    return { text: r.choices[0].message.content, finish: r.choices[0].finish_reason, usage: r.usage, object: r.object };
  },
  async stream() {
    let text = '', finish = null, usage = null, chunks = 0;
    for await (const chunk of await create([user('Hi there')], { stream: true, stream_options: { include_usage: true } })) {
      chunks++;
      text += chunk.choices[0]?.delta?.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    return { text, finish, usage, chunks };
  },
  async stream_without_usage() {
    let text = '', usage = null, empty = 0;
    for await (const chunk of await create([user('Hi there')], { stream: true })) {
      text += chunk.choices[0]?.delta?.content ?? '';
      usage = chunk.usage ?? usage;
      if (chunk.choices.length === 0) empty++;
    }
    return { text, usage, empty };
  },
  // A long answer that may be ended before its own end.
  async cut_short() {
    const r = await client.chat.completions.stream({ model, messages: [user('Tell a long tale.')] }).finalChatCompletion();
    return { text: r.choices[0].message.content, finish: r.choices[0].finish_reason };
  },
  async stream_helper() {
    const stream = client.chat.completions.stream({ model, messages: [user('please use tool get_weather')], tools, stream_options: { include_usage: true } });
    const r = await stream.finalChatCompletion();
    return { calls: callsOf(r.choices[0].message), finish: r.choices[0].finish_reason, usage: r.usage };
  },
  tool: () => toolTurn('please use tool get_weather'),
  parallel_tools: () => toolTurn('please use tools twice'),
  async run_tools() {
    const runner = client.chat.completions.runTools({ model, messages: [user('please use tool get_weather')], tools: [{
      type: 'function', function: { name: 'get_weather', description: 'Weather of a city', parameters: citySchema, parse: JSON.parse, function: ({ city }) => `20 degrees in ${city}` } }] });
    return { text: await runner.finalContent() };
  },
  async structured() {
    const r = await client.chat.completions.parse({ model, messages: [user('Name a city.')],
      response_format: { type: 'json_schema', json_schema: { name: 'city', strict: true, schema: { $schema: 'http://json-schema.org/draft-07/schema#', ...citySchema } } } });
    return { value: JSON.parse(r.choices[0].message.content) };
  },
  async image() {
    const r = await create([user([{ type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } }])]);
    return { text: r.choices[0].message.content };
  },
  async length() {
    const r = await create([user('Hi there, say a lot, please')], { max_tokens: 5 });
    return { finish: r.choices[0].finish_reason, tokens: r.usage.completion_tokens };
  },
  async models() {
    const ids = [];
    for await (const m of client.models.list()) ids.push(m.id);
    return { ids };
  },
  unknown_model: () => expectError(() => create([user('Hi')], { model: unknownModel })),
  unknown_model_stream: () => expectError(() => create([user('Hi')], { model: unknownModel, stream: true })),
  wrong_key: () => expectError(() => connect(wrongKey).chat.completions.create({ model, messages: [user('Hi')] })),
  async abort() {
    const stop = new AbortController();
    const stream = await client.chat.completions.create({ model, messages: [user('please stall')], stream: true }, { signal: stop.signal });
    let chunks = 0;
    for await (const _ of stream) { if (++chunks === 1) stop.abort(); }
    return { chunks, aborted: stop.signal.aborted };
  },
});

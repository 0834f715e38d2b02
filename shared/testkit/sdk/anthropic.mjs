// The official Anthropic SDK against a gateway; see scenario.mjs.
import Anthropic from '@anthropic-ai/sdk';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import { baseURL, key, model, unknownModel, wrongKey, picture, citySchema, expectError, main } from './scenario.mjs';

const connect = apiKey => new Anthropic({ baseURL, apiKey, maxRetries: 0, timeout: 30000 });
const client = connect(key);
const user = content => ({ role: 'user', content });
const tools = [{ name: 'get_weather', description: 'Weather of a city', input_schema: citySchema }];
const ask = (messages, more) => ({ model, max_tokens: 2000, messages, ...more });
const textOf = message => message.content.filter(b => b.type === 'text').map(b => b.text).join('');
const callsOf = message => message.content.filter(b => b.type === 'tool_use').map(b => ({ id: b.id, name: b.name, arguments: b.input }));

async function toolTurn(text) {
  const first = await client.messages.create(ask([user(text)], { tools }));
  const results = callsOf(first).map(c => ({ type: 'tool_result', tool_use_id: c.id, content: `20 degrees in ${c.arguments.city}` }));
  const second = await client.messages.create(ask([user(text), { role: 'assistant', content: first.content }, user(results)], { tools }));
  return { calls: callsOf(first), finish: first.stop_reason, text: textOf(second) };
}

await main({
  async whole() {
    const r = await client.messages.create(ask([user('Hi there')], { system: 'Be brief.' }));
    return { text: textOf(r), finish: r.stop_reason, usage: r.usage, object: r.type };
  },
  async stream() {
    let text = '', finish = null, usage = null, chunks = 0;
    for await (const e of await client.messages.create(ask([user('Hi there')], { stream: true }))) {
      chunks++;
      if (e.type === 'message_start') usage = { ...e.message.usage };
      if (e.type === 'content_block_delta' && e.delta.type === 'text_delta') text += e.delta.text;
      if (e.type === 'message_delta') { finish = e.delta.stop_reason; usage = { ...usage, ...e.usage }; }
    }
    return { text, finish, usage, chunks };
  },
  // A long answer that may be ended before its own end.
  async cut_short() {
    const r = await client.messages.stream(ask([user('Tell a long tale.')])).finalMessage();
    return { text: textOf(r), finish: r.stop_reason, usage: r.usage };
  },
  async stream_helper() {
    const r = await client.messages.stream(ask([user('please use tool get_weather')], { tools })).finalMessage();
    return { calls: callsOf(r), finish: r.stop_reason, usage: r.usage };
  },
  tool: () => toolTurn('please use tool get_weather'),
  parallel_tools: () => toolTurn('please use tools twice'),
  async structured() {
    const r = await client.messages.parse(ask([user('Name a city.')], { output_config: { format: jsonSchemaOutputFormat(citySchema) } }));
    return { value: r.parsed_output };
  },
  async thinking() {
    const r = await client.messages.create(ask([user('Hi there')], { thinking: { type: 'enabled', budget_tokens: 1024 } }));
    const thought = r.content.find(b => b.type === 'thinking');
    return { text: textOf(r), thought: thought?.thinking ?? null, signed: Boolean(thought?.signature) };
  },
  async image() {
    const r = await client.messages.create(ask([user([{ type: 'text', text: 'What is this?' }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: picture } }])]));
    return { text: textOf(r) };
  },
  async length() {
    const r = await client.messages.create(ask([user('Hi there, say a lot, please')], { max_tokens: 5 }));
    return { finish: r.stop_reason, tokens: r.usage.output_tokens };
  },
  async count_tokens() {
    const { input_tokens } = await client.messages.countTokens({ model, messages: [user('Hi there')] });
    return { tokens: input_tokens };
  },
  async models() {
    const ids = [];
    for await (const m of client.models.list()) ids.push(m.id);
    return { ids };
  },
  unknown_model: () => expectError(() => client.messages.create(ask([user('Hi')], { model: unknownModel }))),
  unknown_model_stream: () => expectError(() => client.messages.create(ask([user('Hi')], { model: unknownModel, stream: true }))),
  wrong_key: () => expectError(() => connect(wrongKey).messages.create(ask([user('Hi')]))),
  async abort() {
    const stop = new AbortController();
    const stream = await client.messages.create(ask([user('please stall')], { stream: true }), { signal: stop.signal });
    let chunks = 0;
    for await (const _ of stream) { if (++chunks === 1) stop.abort(); }
    return { chunks, aborted: stop.signal.aborted };
  },
});

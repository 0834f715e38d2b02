// The official OpenAI SDK's Responses API, and its legacy completions, against a
// gateway; see scenario.mjs.
import OpenAI from 'openai';
import { baseURL, key, model, unknownModel, wrongKey, picture, citySchema, expectError, main } from './scenario.mjs';

const connect = apiKey => new OpenAI({ baseURL: `${baseURL}/v1`, apiKey, maxRetries: 0, timeout: 30000 });
const client = connect(key);
const tools = [{ type: 'function', name: 'get_weather', description: 'Weather of a city', parameters: citySchema, strict: true }];
const create = (input, more) => client.responses.create({ model, input, store: false, ...more });
const callsOf = r => r.output.filter(i => i.type === 'function_call').map(c => ({ id: c.call_id, name: c.name, arguments: JSON.parse(c.arguments) }));

// toolTurn sends the whole conversation back, as callers do that store nothing.
async function toolTurn(text) {
  const asked = [{ role: 'user', content: text }];
  const first = await create(asked, { tools });
  const results = callsOf(first).map(c => ({ type: 'function_call_output', call_id: c.id, output: `20 degrees in ${c.arguments.city}` }));
  const second = await create([...asked, ...first.output, ...results], { tools });
  return { calls: callsOf(first), finish: first.status, text: second.output_text };
}

await main({
  async whole() {
    const r = await create('Hi there', { instructions: 'Be brief.' });
    return { text: r.output_text, finish: r.status, usage: r.usage };
  },
  async stream() {
    let text = '', finish = null, usage = null, chunks = 0;
    for await (const event of await create('Hi there', { stream: true })) {
      chunks++;
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.completed') ({ status: finish, usage } = event.response);
    }
    return { text, finish, usage, chunks };
  },
  // A long answer that may be ended before its own end.
  async cut_short() {
    const r = await client.responses.stream({ model, input: 'Tell a long tale.', store: false }).finalResponse();
    return { text: r.output_text, finish: r.incomplete_details?.reason ?? r.status, usage: r.usage };
  },
  async stream_helper() {
    const stream = client.responses.stream({ model, input: 'please use tool get_weather', tools, store: false });
    const r = await stream.finalResponse();
    return { calls: callsOf(r), finish: r.status, usage: r.usage };
  },
  tool: () => toolTurn('please use tool get_weather'),
  parallel_tools: () => toolTurn('please use tools twice'),
  async structured() {
    const r = await client.responses.parse({ model, input: 'Name a city.', store: false,
      text: { format: { type: 'json_schema', name: 'city', strict: true, schema: citySchema } } });
    return { value: JSON.parse(r.output_text) };
  },
  async image() {
    const r = await create([{ role: 'user', content: [
      { type: 'input_text', text: 'What is this?' }, { type: 'input_image', image_url: `data:image/png;base64,${picture}`, detail: 'auto' }] }]);
    return { text: r.output_text };
  },
  async stored() {
    const first = await client.responses.create({ model, input: 'My name is Ada' });
    const again = await client.responses.retrieve(first.id);
    const second = await client.responses.stream({ model, input: 'Hi there', previous_response_id: first.id }).finalResponse();
    const ids = [];
    for await (const item of client.responses.inputItems.list(second.id)) ids.push(item.id);
    await client.responses.delete(first.id);
    const { error } = await expectError(() => client.responses.retrieve(first.id));
    return { text: second.output_text, value: again.output_text, ids, error };
  },
  async legacy() {
    const r = await client.completions.create({ model, prompt: 'Hi there', max_tokens: 100 });
    let text = '';
    for await (const chunk of await client.completions.create({ model, prompt: 'Hi there', max_tokens: 100, stream: true })) text += chunk.choices[0]?.text ?? '';
    return { text, value: r.choices[0].text, finish: r.choices[0].finish_reason, usage: r.usage };
  },
  unknown_model: () => expectError(() => create('Hi', { model: unknownModel })),
  unknown_model_stream: () => expectError(() => create('Hi', { model: unknownModel, stream: true })),
  wrong_key: () => expectError(() => connect(wrongKey).responses.create({ model, input: 'Hi' })),
  async abort() {
    const stop = new AbortController();
    const stream = await create('please stall', { stream: true });
    let chunks = 0;
    try {
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta' && ++chunks === 1) { stop.abort(); stream.controller.abort(); }
      }
    } catch (e) { if (!stop.signal.aborted) throw e; }
    return { chunks, aborted: stop.signal.aborted };
  },
});

// LangChain's OpenAI package against a gateway; see scenario.mjs. It speaks chat
// completions and, told to, Responses ("responses/…").
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { baseURL, key, model, modelFor, unknownModel, wrongKey, picture, citySchema, expectError, main } from './scenario.mjs';

const how = apiKey => ({ apiKey, maxRetries: 0, timeout: 30000, configuration: { baseURL: `${baseURL}/v1` } });
const tools = [{ type: 'function', function: { name: 'get_weather', description: 'Weather of a city', parameters: citySchema } }];
const callsOf = message => (message.tool_calls ?? []).map(c => ({ id: c.id, name: c.name, arguments: c.args }));
const finishOf = ({ response_metadata: m }) => m?.finish_reason ?? m?.incomplete_details?.reason ?? m?.status ?? null;

function chatScenarios(more) {
  const chat = (options = {}, apiKey = key) => new ChatOpenAI({ model, ...how(apiKey), ...more, ...options });
  const toolTurn = async text => {
    const bound = chat().bindTools(tools, { strict: true });
    const messages = [new HumanMessage(text)];
    const first = await bound.invoke(messages);
    const results = first.tool_calls.map(c => new ToolMessage({ tool_call_id: c.id, content: `20 degrees in ${c.args.city}` }));
    const second = await bound.invoke([...messages, first, ...results]);
    return { calls: callsOf(first), finish: finishOf(first), text: second.text };
  };
  return {
    async whole() {
      const r = await chat().invoke([new SystemMessage('Be brief.'), new HumanMessage('Hi there')]);
      return { text: r.text, finish: finishOf(r), usage: r.usage_metadata };
    },
    async stream() {
      let all, chunks = 0;
      for await (const chunk of await chat().stream('Hi there')) { chunks++; all = all ? all.concat(chunk) : chunk; }
      return { text: all.text, finish: finishOf(all), usage: all.usage_metadata, chunks };
    },
    async stream_tools() {
      let all;
      for await (const chunk of await chat().bindTools(tools).stream('please use tool get_weather')) all = all ? all.concat(chunk) : chunk;
      const results = all.tool_calls.map(c => new ToolMessage({ tool_call_id: c.id, content: `20 degrees in ${c.args.city}` }));
      const message = new AIMessage({ content: all.content, tool_calls: all.tool_calls, additional_kwargs: all.additional_kwargs, response_metadata: all.response_metadata });
      const second = await chat().bindTools(tools).invoke([new HumanMessage('please use tool get_weather'), message, ...results]);
      return { calls: callsOf(all), text: second.text };
    },
    tool: () => toolTurn('please use tool get_weather'),
    parallel_tools: () => toolTurn('please use tools twice'),
    async structured() {
      return { value: await chat().withStructuredOutput({ title: 'city', ...citySchema }, { method: 'jsonSchema', strict: true }).invoke('Name a city.') };
    },
    async structured_by_tool() {
      return { value: await chat().withStructuredOutput({ title: 'city', ...citySchema }, { method: 'functionCalling' }).invoke('Name a city.') };
    },
    async image() {
      const content = [{ type: 'text', text: 'What is this?' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } }];
      const r = await chat().invoke([new HumanMessage({ content })]);
      return { text: r.text };
    },
    async length() {
      const r = await chat({ maxTokens: 16 }).invoke('Hi there, say a lot, please. '.repeat(8));
      return { finish: finishOf(r), tokens: r.usage_metadata.output_tokens };
    },
    unknown_model: () => expectError(() => chat({ model: unknownModel }).invoke('Hi')),
    unknown_model_stream: () => expectError(async () => { for await (const _ of await chat({ model: unknownModel }).stream('Hi')); }),
    wrong_key: () => expectError(() => chat({}, wrongKey).invoke('Hi')),
    async abort() {
      const stop = new AbortController();
      let chunks = 0;
      try {
        for await (const _ of await chat().stream('please stall', { signal: stop.signal })) { if (++chunks === 1) stop.abort(); }
      } catch (e) { if (!stop.signal.aborted) throw e; }
      return { chunks, aborted: stop.signal.aborted };
    },
  };
}

const embeddings = (more = {}) => new OpenAIEmbeddings({ model: modelFor('embedding'), ...how(key), ...more });
const scenarios = chatScenarios({});
for (const [name, work] of Object.entries(chatScenarios({ useResponsesApi: true }))) scenarios[`responses/${name}`] = work;
await main({
  ...scenarios,
  async embed() {
    return { sizes: [(await embeddings().embedQuery('Hi there')).length] };
  },
  async embed_many() {
    return { sizes: (await embeddings({ encodingFormat: 'float' }).embedDocuments(['one', 'two', 'three'])).map(e => e.length) };
  },
  unknown_embedding: () => expectError(() => embeddings({ model: unknownModel }).embedQuery('Hi')),
});

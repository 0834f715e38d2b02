// The official OpenAI SDK's work beside chat against a gateway: embeddings,
// moderations, speech, transcripts; see scenario.mjs. Of vectors and files the
// sizes are told.
import OpenAI, { toFile } from 'openai';
import { baseURL, key, modelFor, unknownModel, wrongKey, recording, expectError, main } from './scenario.mjs';

const connect = apiKey => new OpenAI({ baseURL: `${baseURL}/v1`, apiKey, maxRetries: 0, timeout: 30000 });
const client = connect(key);
const embed = (input, more) => client.embeddings.create({ model: modelFor('embedding'), input, ...more });
const vectors = r => ({ sizes: r.data.map(d => d.embedding.length), value: r.data.map(d => d.embedding[1]), tokens: r.usage.total_tokens });
const speak = more => client.audio.speech.create({ model: modelFor('speech'), voice: 'alloy', input: 'Hi there', ...more });
const talk = () => toFile(recording, 'talk.wav', { type: 'audio/wav' });
const listen = async more => client.audio.transcriptions.create({ file: await talk(), model: modelFor('transcription'), ...more });

await main({
  // Unless told otherwise the SDK asks for base64 and decodes it.
  async embed() { return vectors(await embed('Hi there')); },
  async embed_float() { return vectors(await embed('Hi there', { encoding_format: 'float' })); },
  async embed_batch() { return vectors(await embed(['one', 'two', 'three'])); },
  async embed_dimensions() { return vectors(await embed('Hi there', { dimensions: 4 })); },
  async embed_tokens() { return vectors(await embed([[1, 2, 3], [4]])); },
  async moderate() {
    const r = await client.moderations.create({ model: modelFor('moderation'), input: 'I mean harm' });
    return { value: r.results.map(x => x.flagged) };
  },
  async moderate_by_default() {
    const r = await client.moderations.create({ input: 'I mean no ill' });
    return { value: r.results.map(x => x.flagged) };
  },
  async speech() {
    const r = await speak({ response_format: 'pcm' });
    return { sizes: [(await r.arrayBuffer()).byteLength], text: r.headers.get('content-type') };
  },
  async speech_stream() {
    let size = 0, chunks = 0;
    for await (const piece of (await speak({ response_format: 'pcm', input: 'Hi there. '.repeat(40) })).body) { size += piece.length; chunks++; }
    return { sizes: [size], chunks };
  },
  async transcribe() {
    const r = await listen();
    return { text: r.text, usage: r.usage };
  },
  async transcribe_stream() {
    let text = '', done = '', usage = null, chunks = 0;
    for await (const e of await listen({ stream: true })) {
      chunks++;
      if (e.type === 'transcript.text.delta') text += e.delta;
      if (e.type === 'transcript.text.done') ({ text: done, usage } = e);
    }
    return { text, value: done, usage, chunks };
  },
  async transcribe_verbose() {
    const r = await listen({ model: modelFor('whisper'), response_format: 'verbose_json', timestamp_granularities: ['segment'] });
    return { text: r.text, value: r.segments.length };
  },
  async subtitles() {
    return { text: await listen({ model: modelFor('whisper'), response_format: 'srt' }) };
  },
  async translate() {
    const r = await client.audio.translations.create({ file: await talk(), model: modelFor('whisper') });
    return { text: r.text };
  },
  unknown_embedding: () => expectError(() => embed('Hi', { model: unknownModel })),
  unknown_speech: () => expectError(() => speak({ model: unknownModel })),
  unknown_transcription: () => expectError(() => listen({ model: unknownModel })),
  unknown_moderation: () => expectError(() => client.moderations.create({ model: unknownModel, input: 'Hi' })),
  wrong_key: () => expectError(() => connect(wrongKey).embeddings.create({ model: modelFor('embedding'), input: 'Hi' })),
});

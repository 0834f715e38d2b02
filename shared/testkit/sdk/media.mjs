// The official OpenAI SDK's pictures and films against a gateway; see scenario.mjs.
// Of files the sizes are told.
import OpenAI, { toFile } from 'openai';
import { baseURL, key, modelFor, unknownModel, wrongKey, picture, expectError, main } from './scenario.mjs';

const connect = apiKey => new OpenAI({ baseURL: `${baseURL}/v1`, apiKey, maxRetries: 0, timeout: 30000 });
const client = connect(key);
const draw = more => client.images.generate({ model: modelFor('image'), prompt: 'A red point', ...more });
const film = more => client.videos.create({ model: modelFor('video'), prompt: 'A red point rises', ...more });
const png = name => toFile(Buffer.from(picture, 'base64'), name, { type: 'image/png' });
const bytesOf = ({ b64_json }) => Buffer.from(b64_json, 'base64').length;
const fetched = async url => (await (await fetch(url)).arrayBuffer()).byteLength;

// made waits for a film, asking as often as the SDK's users do.
async function made(id) {
  for (let i = 0; i < 200; i++) {
    const v = await client.videos.retrieve(id);
    if (v.status === 'completed' || v.status === 'failed') return v;
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  throw new Error('the film is not getting done');
}

await main({
  async picture() {
    const r = await draw({ n: 2 });
    return { sizes: r.data.map(bytesOf), usage: r.usage };
  },
  async picture_url() {
    const r = await draw({ model: modelFor('image_url'), response_format: 'url' });
    return { sizes: [await fetched(r.data[0].url)], url: r.data[0].url };
  },
  async picture_base64() {
    const r = await draw({ model: modelFor('image_url'), response_format: 'b64_json' });
    return { sizes: r.data.map(bytesOf) };
  },
  async picture_stream() {
    let sizes = [], usage = null, chunks = 0;
    for await (const e of await draw({ stream: true, partial_images: 2 })) {
      chunks++;
      if (e.type === 'image_generation.completed') { sizes = [bytesOf(e)]; usage = e.usage; }
    }
    return { sizes, usage, chunks };
  },
  async picture_edit() {
    const r = await client.images.edit({ model: modelFor('image'), prompt: 'Make it blue', image: await png('point.png') });
    return { sizes: r.data.map(bytesOf), usage: r.usage };
  },
  async picture_edit_of_several() {
    const r = await client.images.edit({ model: modelFor('image'), prompt: 'Make it one', image: [await png('one.png'), await png('two.png')] });
    return { sizes: r.data.map(bytesOf), usage: r.usage };
  },
  async film() {
    const { id, status } = await film({ seconds: '4' });
    const done = await made(id);
    const content = await client.videos.downloadContent(id);
    return { ids: [id, done.id], finish: done.status, text: status, sizes: [(await content.arrayBuffer()).byteLength], value: done.seconds };
  },
  async film_deleted() {
    const { id } = await film();
    await made(id);
    await client.videos.delete(id);
    return expectError(() => client.videos.retrieve(id));
  },
  unknown_picture: () => expectError(() => draw({ model: unknownModel })),
  unknown_edit: async () => { const image = await png('point.png'); return expectError(() => client.images.edit({ model: unknownModel, prompt: 'Hi', image })); },
  unknown_film: () => expectError(() => film({ model: unknownModel })),
  wrong_key: () => expectError(() => connect(wrongKey).images.generate({ model: modelFor('image'), prompt: 'Hi' })),
});

// What the SDK scripts have in common: each runs named scenarios one after the
// other and prints one JSON line for each, {"scenario", "ok", …facts} or
// {"scenario", "ok": false, "error": {…}}.
//
//   SDK_BASE_URL=http://127.0.0.1:3030 SDK_KEY=… SDK_MODEL=… node openai.mjs [scenario …]
//
// The base URL has no /v1; SDK_UNKNOWN_MODEL names a model that does not exist.
// Errors become facts of the scenarios that ask for them.
export const baseURL = need('SDK_BASE_URL').replace(/\/$/, '');
export const key = need('SDK_KEY');
export const model = need('SDK_MODEL');
export const unknownModel = process.env.SDK_UNKNOWN_MODEL || 'no-such-model';
const models = JSON.parse(process.env.SDK_MODELS || 'null') ?? {};
export const modelFor = what => models[what] ?? model; // SDK_MODELS: models for work beside chat, by what they do
export const wrongKey = 'sk-hub-this-key-is-wrong';

// A picture of one red point.
export const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
// A second of silence: 16 kHz, 8 bits.
export const recording = Buffer.concat([Buffer.from('RIFF\xa4\x3e\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\x80\x3e\0\0\x01\0\x08\0data\x80\x3e\0\0', 'latin1'), Buffer.alloc(16000, 128)]);
export const citySchema = {
  type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false,
};

function need(name) {
  const value = process.env[name];
  if (!value) { console.error(`${name} is not set`); process.exit(2); }
  return value;
}

// failure tells what a caller of the SDK sees of an error.
export function failure(e) {
  return {
    class: e?.constructor?.name ?? typeof e, name: e?.name, status: e?.status ?? e?.statusCode ?? null, retryable: e?.isRetryable ?? null,
    type: e?.type ?? null, code: e?.code ?? null, message: String(e?.message ?? e).slice(0, 500),
  };
}

// expectError runs what must fail and returns how it failed.
export async function expectError(work) {
  try { await work(); } catch (e) { return { error: failure(e) }; }
  throw new Error('this call should have failed');
}

export async function main(scenarios) {
  const chosen = process.argv.slice(2);
  for (const [scenario, work] of Object.entries(scenarios)) {
    if (chosen.length && !chosen.some(c => c === scenario || (c.endsWith('/') && scenario.startsWith(c)))) continue;
    let line;
    try { line = { scenario, ok: true, ...await work() }; } catch (e) { line = { scenario, ok: false, error: failure(e) }; }
    console.log(JSON.stringify(line));
  }
  process.exit(0); // sockets kept alive by an SDK must not hold the process
}

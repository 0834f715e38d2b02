// Prices of @pydantic/genai-prices in the hub's own form: buckets with decimal
// strings per unit (dollars), tiers for a whole call, dates and hours in UTC.

// The providers taken over. `kind` is the hub's provider kind. `prices`, `facts`
// and `older` are the provider's names in the three sources; `own` keeps the models
// that the kind's API really serves. `units` are the provider's names in the list of
// units.mjs and what its keys begin with. The names of those that `resell` are others',
// so they do not tell whose model it is at an OpenAI-compatible vendor.
export const pricedProviders = [
  { id: 'openai', kind: 'openai', prices: 'openai', facts: 'openai', older: 'openai', units: { providers: ['openai'], prefix: 'openai' } },
  { id: 'anthropic', kind: 'anthropic', prices: 'anthropic', facts: 'anthropic', older: 'anthropic', units: { providers: ['anthropic'], prefix: 'anthropic' } },
  { id: 'google', kind: 'google', prices: 'google', facts: 'google', older: 'google', own: /^(gemini|gemma)/, units: { providers: ['gemini'], prefix: 'gemini' } },
  { id: 'deepseek', kind: 'deepseek', prices: 'deepseek', facts: 'deepseek', older: 'deepseek' },
  { id: 'xai', kind: 'xai', prices: 'x-ai', facts: 'xai', older: 'xai', units: { providers: ['xai'], prefix: 'xai' } },
  { id: 'bedrock', kind: 'bedrock', prices: 'aws', facts: 'amazon-bedrock', older: 'amazon-bedrock', units: { providers: ['bedrock', 'bedrock_converse'], prefix: 'bedrock', chat: true } },
  { id: 'openrouter', kind: 'openrouter', prices: 'openrouter', facts: 'openrouter', older: 'openrouter' },
  { id: 'cerebras', kind: 'cerebras', prices: 'cerebras', facts: 'cerebras', older: 'cerebras' },
  { id: 'cohere', kind: 'cohere', prices: 'cohere', units: { providers: ['cohere'], prefix: 'cohere' } },
  { id: 'fireworks', kind: 'fireworks', prices: 'fireworks', facts: 'fireworks', older: 'fireworks-ai', units: { providers: ['fireworks_ai'], prefix: 'fireworks_ai' } },
  { id: 'groq', kind: 'groq', prices: 'groq', facts: 'groq', older: 'groq', units: { providers: ['groq'], prefix: 'groq' } },
  { id: 'minimax', kind: 'minimax', prices: 'minimax', facts: 'minimax' },
  { id: 'mistral', kind: 'mistral', prices: 'mistral', facts: 'mistral', older: 'mistral', units: { providers: ['mistral'], prefix: 'mistral' } },
  { id: 'moonshotai', kind: 'moonshot', prices: 'moonshotai', facts: 'moonshotai', older: 'moonshotai' },
  { id: 'perplexity', kind: 'perplexity', prices: 'perplexity', older: 'perplexity' },
  { id: 'together', kind: 'together', prices: 'together', facts: 'together', older: 'togetherai' },
  { id: 'zai', kind: 'zhipu', prices: 'zai', facts: 'zai', older: 'zai' },
  { id: 'azure', kind: 'azure', prices: 'azure', facts: 'azure', older: 'azure', resell: true, units: { providers: ['azure'], prefix: 'azure', chat: true } },
  { id: 'vertex', kind: 'vertex', prices: 'google', facts: 'google-vertex', older: ['google-vertex', 'google-vertex-anthropic'], resell: true,
    units: { providers: ['vertex_ai', 'vertex_ai-language-models', 'vertex_ai-video-models', 'vertex_ai-anthropic_models'], prefix: 'vertex_ai', chat: true } },
  { id: 'huggingface', kind: 'huggingface', facts: 'huggingface', older: 'huggingface', resell: true },
  { id: 'nvidia', kind: 'nvidia', facts: 'nvidia', older: 'nvidia', resell: true },
]

// Price key → bucket and the units one price is for. Keys that are not here have
// no bucket (cached audio and images, video, pages, citations, file searches).
const buckets = {
  input_mtok: ['input', 1e6],
  cache_read_mtok: ['cache_read', 1e6],
  cache_write_mtok: ['cache_write_5m', 1e6],
  cache_write_5m_mtok: ['cache_write_5m', 1e6],
  cache_write_1h_mtok: ['cache_write_1h', 1e6],
  output_mtok: ['output', 1e6],
  output_reasoning_mtok: ['reasoning', 1e6],
  input_audio_mtok: ['input_audio', 1e6],
  output_audio_mtok: ['output_audio', 1e6],
  input_image_mtok: ['input_image', 1e6],
  output_image_mtok: ['output_image', 1e6],
  input_audio_hours: ['seconds', 3600],
  audio_hours: ['seconds', 3600],
  input_mchars: ['characters', 1e6],
  web_searches_kcount: ['web_searches', 1e3],
  requests_kcount: ['requests', 1e3],
}
const order = ['input', 'cache_read', 'cache_write_5m', 'cache_write_1h', 'output', 'reasoning', 'input_audio', 'output_audio',
  'input_image', 'output_image', 'images', 'seconds', 'characters', 'web_searches', 'requests']

// perUnit divides a price by its units, rounds half up to a trillionth and
// writes the shortest decimal. Numbers are read by their decimal text: no floats.
export function perUnit(price, per) {
  const text = String(price)
  const plain = text.includes('e') ? price.toFixed(20) : text
  const match = /^(\d+)(?:\.(\d+))?$/.exec(plain)
  if (!match) throw new Error(`price ${price}`)
  const [, whole, frac = ''] = match
  const top = BigInt(whole + frac) * 10n ** 12n * 2n
  const below = 10n ** BigInt(frac.length) * BigInt(per)
  const pico = (top / below + 1n) / 2n
  const digits = pico.toString().padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '') || '0'
}

export function sorted(table) {
  return Object.fromEntries(order.filter(b => b in table).map(b => [b, table[b]]))
}

export function pricesOf(raw) {
  const base = {}
  const tiers = new Map()
  for (const [key, value] of Object.entries(raw)) {
    const [bucket, per] = buckets[key] ?? []
    if (!bucket) continue
    base[bucket] = perUnit(typeof value === 'object' ? value.base : value, per)
    for (const t of value.tiers ?? []) {
      if (!tiers.has(t.start)) tiers.set(t.start, {})
      tiers.get(t.start)[bucket] = perUnit(t.price, per)
    }
  }
  const out = sorted(base)
  if (tiers.size) {
    out.tiers = [...tiers].sort(([a], [b]) => a - b).map(([above, table]) => ({ above, ...sorted(table) }))
  }
  return out
}

const clauses = ['equals', 'starts_with', 'ends_with', 'contains', 'regex', 'or', 'and']

// clause checks a match clause and rewrites what Go's regular expressions lack:
// a negative look-ahead over the whole name becomes a negation.
function clause(match) {
  const [name, ...more] = Object.keys(match)
  if (more.length || !clauses.includes(name)) throw new Error(`match clause ${JSON.stringify(match)}`)
  if (name === 'or' || name === 'and') return { [name]: match[name].map(clause) }
  if (name !== 'regex') return { [name]: match[name] }
  const negated = /^\^\(\?!(.*)\)$/.exec(match.regex)
  if (negated) return { not: { regex: `^(?:${negated[1]})` } }
  if (/\(\?[=!<]/.test(match.regex)) throw new Error(`regular expression ${match.regex}`)
  return { regex: match.regex }
}

// periods turns conditional prices into a list in which the last that applies wins.
function periods(model) {
  const list = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }]
  const hourly = list.some(p => p.constraint?.type === 'time_of_date')
  return list.map(({ constraint: c, prices }) => {
    const out = { cost: pricesOf(prices) }
    if (hourly && out.cost.tiers) throw new Error(`${model.id}: hourly prices with tiers`)
    if (!c) return out
    if (c.type === 'start_date') return { from: c.start_date, ...out }
    if (c.type === 'time_of_date') return { start: c.start_time.replace(/Z$/, ''), end: c.end_time.replace(/Z$/, ''), ...out }
    throw new Error(`${model.id}: constraint ${c.type}`)
  })
}

export function entriesOf(provider, { own }) {
  return provider.models
    .filter(m => !own || own.test(m.id))
    .map(m => ({
      id: m.id,
      match: clause(m.match),
      ...(m.context_window ? { context: m.context_window } : {}),
      prices: periods(m),
    }))
}

// What the other sources lack: work that is charged by the piece, the second, the
// character or the request, pictures by quality and size, fees for searches, and
// the prices of other service tiers (batch, flex, priority), by exact name, from
// the price list of litellm.
import { perUnit, sorted } from './prices.mjs'

const dollars = n => (typeof n === 'number' && n > 0 ? perUnit(n, 1) : undefined)

// Token price key → bucket; "_above_200k_tokens" and a service's suffix follow.
const tokens = {
  input_cost_per_token: 'input',
  cache_read_input_token_cost: 'cache_read',
  cache_creation_input_token_cost: 'cache_write_5m',
  cache_creation_input_token_cost_above_1hr: 'cache_write_1h',
  output_cost_per_token: 'output',
  output_cost_per_reasoning_token: 'reasoning',
  input_cost_per_audio_token: 'input_audio',
  output_cost_per_audio_token: 'output_audio',
  input_cost_per_image_token: 'input_image',
  output_cost_per_image_token: 'output_image',
}

// tokenPrices reads the token prices of a service, '' for the usual one.
function tokenPrices(m, service) {
  const base = {}
  const tiers = new Map()
  for (const [key, value] of Object.entries(m)) {
    const rest = service ? (key.endsWith(`_${service}`) ? key.slice(0, -service.length - 1) : '') : key
    const [, name, thousands] = /^(.*?)(?:_above_(\d+)k_tokens)?$/.exec(rest)
    const bucket = tokens[name]
    const price = bucket && dollars(value)
    if (!price) continue
    if (!thousands) base[bucket] = price
    else {
      const above = Number(thousands) * 1000
      if (!tiers.has(above)) tiers.set(above, {})
      tiers.get(above)[bucket] = price
    }
  }
  const out = sorted(base)
  if (tiers.size) out.tiers = [...tiers].sort(([a], [b]) => a - b).map(([above, table]) => ({ above, ...sorted(table) }))
  return out
}

// The list says batches where the hub says batch.
const services = { batch: 'batches', flex: 'flex', priority: 'priority' }

function servicesOf(m) {
  const out = {}
  for (const [name, suffix] of Object.entries(services)) {
    const prices = tokenPrices(m, suffix)
    if (prices.input && prices.output) out[name] = prices
  }
  return Object.keys(out).length ? out : undefined
}

// Kinds of work → what comes out. Transcripts and rankings are left unknown: text
// would make the model one for chat.
const work = { image_generation: 'image', image_edit: 'image', video_generation: 'video', audio_speech: 'audio', audio_transcription: undefined, rerank: undefined }

// pieces reads what a whole picture or a second of film costs, as variants where
// the size decides.
function pieces(m) {
  const out = {}
  const variants = []
  const tokenPriced = dollars(m.output_cost_per_image_token) || dollars(m.output_cost_per_token)
  if (work[m.mode] === 'image' && !tokenPriced) {
    const each = dollars(m.output_cost_per_image) ?? dollars(m.input_cost_per_image)
    if (each) out.images = each
    for (const [key, value] of Object.entries(m)) {
      const [, size] = /^output_cost_per_image_(\d[\dK.]*)$/.exec(key) ?? []
      if (size && dollars(value)) variants.push({ bucket: 'images', size, rate: dollars(value) })
    }
  }
  if (work[m.mode] === 'video') {
    const second = dollars(m.output_cost_per_second) ?? dollars(m.output_cost_per_video_per_second)
    if (second) out.seconds = second
    for (const [key, value] of Object.entries(m)) {
      const [, size] = /^output_cost_per_second_(\d+[pk])$/.exec(key) ?? []
      if (size && dollars(value)) variants.push({ bucket: 'seconds', size, rate: dollars(value) })
    }
  }
  return [out, variants]
}

function costOf(m) {
  const [out, variants] = pieces(m)
  if (out.images || out.seconds) return { ...out, ...(variants.length ? { variants } : {}) }
  const text = tokenPrices(m, '')
  if (m.mode === 'audio_speech' && dollars(m.input_cost_per_character)) return { characters: dollars(m.input_cost_per_character) }
  if (m.mode === 'audio_transcription' && !text.input && dollars(m.input_cost_per_second)) return { seconds: dollars(m.input_cost_per_second) }
  if (m.mode === 'rerank' && !text.input && dollars(m.input_cost_per_query)) return { requests: dollars(m.input_cost_per_query) }
  return Object.keys(text).length ? text : undefined
}

// split reads names such as high/1024-x-1536/gpt-image-1 or max-x-max/50-steps/x.
function split(name) {
  const [, , size, rest] = /^(?:([a-z]+)\/)?(\d+-x-\d+)\/(.+)$/.exec(name) ?? []
  if (!size) return undefined
  const quality = /^([a-z]+)\//.exec(name)?.[1]
  return { model: rest.replace(/^bedrock\//, ''), quality: quality ?? '', size: size.replace('-x-', 'x') }
}

// A whole picture whose price is written by the pixel costs a round sum.
function wholePicture(m, size) {
  const each = dollars(m.output_cost_per_image) ?? dollars(m.input_cost_per_image)
  if (each || !(m.input_cost_per_pixel > 0)) return each
  const [w, h] = size.split('x').map(Number)
  return perUnit(Math.round(m.input_cost_per_pixel * w * h * 1e4), 1e4)
}

// Steps of a diffusion say nothing that a request says; upright is what a film of
// the same price is called when it is taller than wide.
const odd = /-steps\/|^max-x-max/
const highRes = /^(.*)-high-res$/

// Of the older Gemini models a search is not counted alone: the fee is for a prompt,
// however many searches answer it, which the hub does not count.
const perPrompt = /^gemini-[12]\D/

// unitsOf collects, by model name, a cost for what is charged by the piece, fees
// and services, of the providers that the list names so; with `chat`, for resellers,
// the prices of chat and embeddings too. What comes out is only what the list says:
// a model that is taken for one of text alone would be held too little for.
export function unitsOf(list, { providers, prefix = '', chat = false }) {
  const out = {}
  const of = name => (out[name] ??= {})
  const variants = {}
  for (const [key, m] of Object.entries(list)) {
    if (!providers.includes(m.litellm_provider) || odd.test(key)) continue
    const name = prefix && key.startsWith(`${prefix}/`) ? key.slice(prefix.length + 1) : key
    const variant = split(name)
    if (variant) {
      const rate = wholePicture(m, variant.size)
      if (rate && !list[variant.model]?.output_cost_per_image_token && !list[`${prefix}/${variant.model}`]?.output_cost_per_image_token) {
        const { model, quality, size } = variant
        ;(variants[model] ??= []).push({ bucket: 'images', ...(quality ? { quality } : {}), size, rate })
      }
      continue
    }
    if (name.includes('*') || (prefix && !key.startsWith(`${prefix}/`) && list[`${prefix}/${key}`])) continue
    const [, film] = highRes.exec(name) ?? []
    if (film && work[m.mode] === 'video') {
      const rate = pieces(m)[0].seconds
      ;(variants[film] ??= []).push(...['1024x1792', '1792x1024'].map(size => ({ bucket: 'seconds', size, rate })))
      continue
    }
    const cost = m.mode in work && costOf(m)
    if (cost) Object.assign(of(name), { cost, ...(work[m.mode] ? { output: [work[m.mode]] } : {}) })
    if (chat && ['chat', 'responses', 'embedding'].includes(m.mode) && tokenPrices(m, '').input) {
      const max = m.mode !== 'embedding' && m.max_output_tokens
      Object.assign(of(name), { cost: tokenPrices(m, ''), ...(max > 0 ? { max_output: max } : {}), ...(m.supported_output_modalities?.length ? { output: [...m.supported_output_modalities].sort() } : {}) })
    }
    const tiers = servicesOf(m)
    if (tiers) of(name).services = tiers
    const search = m.search_context_cost_per_query?.search_context_size_medium
    if (search && m.mode === 'chat' && !perPrompt.test(name)) of(name).search = perUnit(search, 1)
  }
  for (const [model, list] of Object.entries(variants)) {
    const entry = of(model)
    entry.cost = { ...entry.cost, variants: [...(entry.cost?.variants ?? []), ...list] }
    entry.output ??= [list[0].bucket === 'images' ? 'image' : 'video']
  }
  return out
}

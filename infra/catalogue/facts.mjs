// What models can do, by exact model name. The newer source wins field by field;
// a field that neither source knows is left out, never guessed.
import { perUnit } from './prices.mjs'

// costOf reads dollars per million tokens. The source writes 0 both for "free"
// and for "unknown": a model that costs nothing at all is taken as free only when
// its name says so, and a zero cache price beside a paid prompt as unknown.
function costOf(id, cost) {
  const rate = n => perUnit(n, 1e6)
  if (!cost || [cost.input, cost.output].some(n => !(n >= 0))) return undefined
  if (cost.input === 0 && cost.output === 0 && !id.endsWith(':free')) return undefined
  const table = c => ({
    input: rate(c.input),
    ...(c.cacheRead > 0 ? { cache_read: rate(c.cacheRead) } : {}),
    ...(c.cacheWrite > 0 ? { cache_write_5m: rate(c.cacheWrite) } : {}),
    output: rate(c.output),
  })
  const out = table(cost)
  if (cost.tiers?.length) {
    out.tiers = cost.tiers
      .map(t => ({ above: t.inputTokensAbove, ...table(t) }))
      .sort((a, b) => a.above - b.above)
  }
  return out
}

const positive = n => (Number.isInteger(n) && n > 0 ? n : undefined)

function defined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, v]) => v !== undefined))
}

function newer(groups) {
  const out = {}
  for (const models of Object.values(groups)) {
    for (const m of Object.values(models)) {
      if (m.type !== 'chat') continue
      out[m.id] = defined({
        context: positive(m.contextWindow),
        max_output: positive(m.maxTokens),
        input: m.input,
        reasoning: m.reasoning,
        cost: costOf(m.id, m.cost),
      })
    }
  }
  return out
}

function older(models) {
  const out = {}
  for (const m of Object.values(models)) {
    out[m.id] = defined({
      context: positive(m.limit?.context),
      max_output: positive(m.limit?.output),
      input: m.modalities?.input,
      output: m.modalities?.output,
      reasoning: m.reasoning,
      tools: m.tool_call,
    })
  }
  return out
}

// factsOf joins the sources; units are those of units.mjs. A price from there counts
// only where the others have none.
export function factsOf(current, past, units) {
  const now = newer(current)
  const then = older(past)
  const ids = [...new Set([...Object.keys(now), ...Object.keys(then), ...Object.keys(units)])].sort()
  return Object.fromEntries(ids.map(id => {
    const [a, b, u] = [now[id] ?? {}, then[id] ?? {}, units[id] ?? {}]
    // The newer source tells only text and images apart, so kinds it leaves out may still be known.
    const input = [...new Set([...(a.input ?? []), ...(b.input ?? [])])].sort()
    return [id, defined({
      context: a.context ?? b.context,
      max_output: a.max_output ?? b.max_output ?? u.max_output,
      input: input.length ? input : undefined,
      output: b.output ? [...b.output].sort() : u.output,
      reasoning: a.reasoning ?? b.reasoning,
      tools: b.tools,
      cost: a.cost ?? u.cost,
      services: u.services,
      search: u.search,
    })]
  }))
}

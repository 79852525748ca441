// Does anything stay behind? node --expose-gc memory.mjs [millions]: resident memory over so many million
// calls of each kind, ten by default, the event loop turning every 256 calls. What leaks grows from the
// first half to the second; the allocator's own store goes up and down by some tens of MiB.
import { setImmediate as turn } from 'node:timers/promises'
import { gate } from './contestants.mjs'
import { issuer } from './tokens.mjs'

const CALLS = Number(process.argv[2] ?? 10) * 1e6
const from = issuer('HS256')
const tokens = Array.from({ length: 512 }, (_, n) => from.mint(n))
const bad = tokens.map((token) => `${token.slice(0, -4)}AAAA`)
const { verify, judge, verifyBatch } = gate(from, 0)
const kept = gate(from, 256) // smaller than the tokens are many: each is kept and given up

const kinds = {
  accepted: (n) => verify(tokens[n % 512]),
  'accepted, looked at': (n) => verify(tokens[n % 512]).subject,
  'accepted, kept and given up': (n) => kept.verify(tokens[n % 512]),
  refused: (n) => judge(bad[n % 512]),
  'refused, its error made': (n) => judge(bad[n % 512]).error.code,
}

async function resident() {
  for (let round = 0; round < 4; round++) {
    gc()
    await turn()
  }
  return process.memoryUsage.rss() / 2 ** 20
}

/** Runs `call` for all of the calls, `size` at a time; MiB after each tenth. */
async function sampled(call, size) {
  const samples = []
  for (let n = 0; n < CALLS; n += size) {
    await call(n)
    if (n + size >= ((samples.length + 1) * CALLS) / 10) samples.push(await resident())
  }
  return samples
}

const span = (samples) => `${Math.min(...samples).toFixed(0)} to ${Math.max(...samples).toFixed(0)}`
const row = (name, samples) => console.log(`| ${name} | ${span(samples.slice(0, 5))} | ${span(samples.slice(5))} |`)
console.log(`${CALLS / 1e6} million calls, MiB\n\n| | first half | second half |\n|---|---:|---:|`)
for (const [name, call] of Object.entries(kinds)) {
  const calls = async (n) => {
    for (let k = 0; k < 256; k++) call(n + k)
    await turn()
  }
  row(name, await sampled(calls, 256))
}
const lines = Buffer.from(Array.from({ length: 20_000 }, (_, n) => (n % 2 ? tokens : bad)[n % 512]).join('\n'))
row('in batches of 20,000, errors made', await sampled(async () => {
  const batch = await verifyBatch(lines)
  for (const [, error] of batch.errors()) if (error.code !== 'bad_signature') throw error
}, 20_000))

// Side by side with the peers: node bench.mjs [verify | concurrent | cache | dpop | refused | crossing | batch]...
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { cached, concurrent, core, gate, sync } from './contestants.mjs'
import { contestants, requests } from './dpop.mjs'
import { median, table } from './interleave.mjs'
import { issuer } from './tokens.mjs'

const ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA']
/** Tokens that take turns, so that no branch learns one by heart. */
const TURNS = 64
/** As long as garbage is collected in it, and what it held is freed. */
const WITH_GARBAGE_NS = 100e6

const mint = (from, count) => Array.from({ length: count }, (_, n) => from.mint(n))

/** So many calls, the tokens taking turns. */
const loop = (call, tokens) => (calls) => {
  for (let n = 0; n < calls; n++) call(tokens[n % tokens.length])
}

const tables = {
  /** What does one verification cost, without a cache? */
  async verify() {
    for (const alg of ALGORITHMS) {
      const from = issuer(alg)
      const tokens = mint(from, TURNS)
      const cases = Object.entries(sync(from)).map(([name, call]) => [name, loop(call, tokens)])
      await table(`${alg}, one by one`, Object.fromEntries(cases))
    }
  },

  /** And with 64 calls in flight? */
  async concurrent() {
    for (const alg of ALGORITHMS) {
      const from = issuer(alg)
      const tokens = mint(from, TURNS)
      const flights = (call) => async (calls) => {
        for (let n = 0; n < calls; n += TURNS) await Promise.all(tokens.map((token) => call(token)))
      }
      const cases = Object.entries(concurrent(from)).map(([name, call]) => [name, flights(call)])
      await table(`${alg}, 64 in flight`, Object.fromEntries(cases), TURNS)
    }
  },

  /** What does a token cost that was seen before? */
  async cache() {
    const from = issuer('ES256')
    const tokens = mint(from, 256)
    const { verify, fast } = cached(from, 50_000) // as by default
    const bytes = tokens.map((token) => Buffer.from(token))
    const fresh = (buffer) => buffer.latin1Slice(0, buffer.length) // as a header arrives
    await table('seen before (256 tokens)', {
      'sealgate, Buffer': loop(verify, bytes),
      'sealgate, string fresh from the network': loop((buffer) => verify(fresh(buffer)), bytes),
      'sealgate, the same string': loop(verify, tokens),
      'sealgate, Buffer, subject read': loop((buffer) => verify(buffer).subject, bytes),
      'fast-jwt, string fresh from the network': loop((buffer) => fast(fresh(buffer)), bytes),
      'fast-jwt, the same string': loop(fast, tokens),
      'only making the fresh string': loop(fresh, bytes),
    })
  },

  /** What does a DPoP request cost, its token seen before and its proof fresh? */
  async dpop() {
    for (const alg of ['ES256', 'EdDSA']) {
      const all = contestants(await requests(alg))
      for (const call of Object.values(all)) await call(0) // the token is seen; whoever refuses it says so
      const flights = (call) => async (calls) => {
        for (let n = 0; n < calls; n++) await call(n)
      }
      const { sealgate, ...peers } = all
      const cases = { sealgate: (calls) => { for (let n = 0; n < calls; n++) sealgate() } }
      for (const [name, call] of Object.entries(peers)) cases[name] = flights(call)
      await table(`DPoP, ${alg} proofs`, cases, 8)
    }
  },

  /** What does JavaScript add to the same verifications in one call of the native half? */
  async crossing() {
    for (const alg of ALGORITHMS) {
      const from = issuer(alg)
      const tokens = mint(from, 512)
      const bytes = tokens.map((token) => Buffer.from(token))
      const { verify } = gate(from, 0)
      const all = core(from, tokens)
      // As in a server, the loop turns: only then does Node let the native half free what was collected.
      const turning = (calls) => async (count) => {
        for (let n = 0; n < count; n += tokens.length) {
          calls()
          await turn()
        }
      }
      const each = (call, inputs) => turning(() => {
        for (let n = 0; n < inputs.length; n++) call(inputs[n])
      })
      const cases = {
        core: turning(all),
        string: each(verify, tokens),
        Buffer: each(verify, bytes),
        'string, subject read': each((token) => verify(token).subject, tokens),
        'string, claims read': each((token) => verify(token).claims, tokens),
      }
      const times = await table(`${alg}, over the core`, cases, tokens.length, WITH_GARBAGE_NS)
      for (const name of ['string', 'Buffer']) {
        const over = median(times[name].map((value, round) => value - times.core[round]))
        console.log(`${alg} ${name}: ${(over / 1000).toFixed(2)} µs over the core`)
      }
    }
  },

  /** What does a refusal cost, and what its error? */
  async refused() {
    const from = issuer('HS256')
    const { verify, judge, verifyBatchSync } = gate(from, 0)
    const bad = mint(from, 512).map((token) => `${token.slice(0, -4)}AAAA`)
    const thrown = (token) => {
      try {
        verify(token)
      } catch (error) {
        return error.code
      }
    }
    const batch = verifyBatchSync(bad)
    await table('refused', {
      'judge, code read': loop((token) => judge(token).code, bad),
      'judge, error made': loop((token) => judge(token).error.code, bad),
      'judge, answer read': loop((token) => judge(token).error.headers, bad),
      'verify, caught': loop(thrown, bad),
      'errors() of a batch': (calls) => {
        for (let n = 0; n < calls; n += bad.length) for (const [, error] of batch.errors()) error.code
      },
    }, bad.length)
  },

  /** Does the event loop notice a batch of 100,000? */
  async batch() {
    const from = issuer('RS256')
    const { verifyBatch } = gate(from, 0)
    const good = mint(from, 256)
    // Distinct tokens, each with its signature checked: they differ in the signature.
    const tokens = Array.from({ length: 100_000 }, (_, n) => {
      const token = good[n % good.length]
      const place = token.length - 40
      const digits = Buffer.from(String(n).padStart(9, '0')).toString('base64url')
      return token.slice(0, place) + digits + token.slice(place + digits.length)
    })
    const inputs = { strings: tokens, Buffers: tokens.map((token) => Buffer.from(token)), lines: Buffer.from(tokens.join('\n')) }
    console.log('\n100,000 RS256 tokens, none of them good: each costs its signature, and no token is made')
    console.log('| | tokens per second | loop delay p50 ms | p99 ms | max ms |')
    console.log('|---|---:|---:|---:|---:|')
    const row = (name, perSecond, delay) => {
      const millis = [delay.percentile(50), delay.percentile(99), delay.max].map((value) => (value / 1e6).toFixed(1))
      console.log(`| ${name} | ${Math.round(perSecond)} | ${millis.join(' | ')} |`)
    }
    for (const [name, input] of [['idle', undefined], ...Object.entries(inputs)]) {
      const delay = monitorEventLoopDelay({ resolution: 1 })
      const timer = setInterval(() => {}, 1)
      delay.enable()
      const began = performance.now()
      if (input === undefined) await new Promise((resolve) => setTimeout(resolve, 2000))
      else await verifyBatch(input)
      const seconds = (performance.now() - began) / 1000
      delay.disable()
      clearInterval(timer)
      row(name, input === undefined ? 0 : tokens.length / seconds, delay)
    }
  },
}

const chosen = process.argv.slice(2)
for (const name of chosen.length > 0 ? chosen : ['verify', 'concurrent', 'cache', 'dpop', 'refused', 'crossing', 'batch']) {
  if (!Object.hasOwn(tables, name)) throw new Error(`no table ${name}; there are: ${Object.keys(tables).join(', ')}`)
  await tables[name]()
}

// A process or worker of its own that asks a server about a proof, and waits.
import { Worker, isMainThread } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import { Verifier } from 'sealgate'
import { FakeAgent, FakeIssuer, FixedClock } from 'sealgate/testing'
import { AUDIENCE, ISSUER, NOW, world } from './world.mjs'

/** A gate whose used proofs are in this store, and requests with a proof of their own each. */
export function caller(store, replay = {}) {
  const clock = new FixedClock(NOW)
  const corp = new FakeIssuer(ISSUER, { clock, seed: 1000 })
  const agent = new FakeAgent('agent', { clock })
  const document = { stores: { fleet: store }, dpop: {}, replay: { store: 'fleet', ...replay } }
  const { policy } = world({ document, gate: { public_url: 'https://api.example.com' } })
  const verifier = Verifier.fromPolicy(policy, { clock })
  verifier.keys.publish('corp', corp.jwks())
  const gate = verifier.gate('tools')
  const token = (more) => corp.token({ sub: 'u1', aud: AUDIENCE, scope: 'mcp:use', ...more })
  const jwt = token({ bindTo: agent })
  const request = () => ({ method: 'POST', uri: '/mcp', headers: agent.headers(gate, 'POST', '/mcp', jwt) })
  return { verifier, gate, request, token }
}

/** A gate whose transactions are good once, as this store remembers them, and tokens for it. */
export function transactions(store) {
  const clock = new FixedClock(NOW)
  const tts = new FakeIssuer(ISSUER, { clock, seed: 1000 })
  const policy = {
    version: 1,
    issuers: { tts: { issuer: ISSUER, jwks_push: 'process', algorithms: ['ES256'], profiles: ['txn_token'] } },
    gates: { calls: { profile: 'txn_token', audience: 'td.example', issuers: ['tts'], transactions: { use: 'once' } } },
    replay: { store: 'fleet' },
    stores: { fleet: store },
  }
  const verifier = Verifier.fromPolicy(policy, { clock })
  verifier.keys.publish('tts', tts.jwks())
  const claims = { iss: ISSUER, sub: 'u1', aud: 'td.example', scope: 'trade', req_wl: 'gw.td.example', iat: NOW, exp: NOW + 300 }
  const token = (txn) => tts.sign({ ...claims, txn }, { typ: 'txntoken+jwt' })
  return { verifier, gate: verifier.gate('calls'), token }
}

const own = fileURLToPath(import.meta.url)
const scenes = {
  /** Ends while it is asked. */
  exit(store) {
    const { gate, request } = caller(store)
    gate.judgeRequestAsync(request())
    process.stdin.once('data', () => process.exit(0))
  },
  /** A worker that is ended from outside while it is asked. */
  worker(store) {
    const worker = new Worker(own, { argv: ['wait', JSON.stringify(store)] })
    process.stdin.once('data', async () => {
      console.log(await worker.terminate())
      process.stdin.once('data', () => process.exit(0))
    })
  },
  async wait(store) {
    const { gate, request } = caller(store)
    console.log((await gate.judgeRequestAsync(request())).code)
  },
}
if (process.argv[1] === own || !isMainThread) {
  const [scene, store] = process.argv.slice(2)
  scenes[scene](JSON.parse(store))
}

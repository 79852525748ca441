// A cluster for cluster.test.mjs: its workers judge the same requests at once, over one file store.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { Verifier } from 'sealgate'
import { FakeAgent, FakeIssuer, FixedClock } from 'sealgate/testing'
import { AUDIENCE, ISSUER, NOW, world } from './world.mjs'

const ORIGIN = 'https://api.example.com'
const WORKERS = 4

/** What each process has: the same policy, issuer and moment. `open` of `sealgate/testing` would share nothing. */
function opened(folder) {
  const stores = { local: { kind: 'file', path: folder } }
  const { policy } = world({ document: { dpop: {}, replay: { store: 'local' }, stores }, gate: { public_url: ORIGIN } })
  const clock = new FixedClock(NOW)
  const corp = new FakeIssuer(ISSUER, { clock, seed: 1 })
  const verifier = Verifier.fromPolicy(policy, { clock })
  verifier.keys.publish('corp', corp.jwks())
  return { gate: verifier.gate('tools'), corp, clock }
}

const judge = (gate, requests) => requests.map((request) => gate.judgeRequest(request).code)

async function primary(folder) {
  const workers = Array.from({ length: WORKERS }, () => cluster.fork())
  await Promise.all(workers.map((worker) => once(worker, 'message'))) // each has its verifier
  const { gate, corp, clock } = opened(folder)
  const agent = new FakeAgent('agent', { clock })
  const jwt = corp.token({ sub: 'u1', aud: AUDIENCE, bindTo: agent })
  const request = () => ({ method: 'POST', uri: '/mcp', headers: agent.headers('POST', `${ORIGIN}/mcp`, jwt) })
  const requests = Array.from({ length: 200 }, request)
  const answers = workers.map((worker) => once(worker, 'message'))
  for (const worker of workers) worker.send(requests)
  const codes = (await Promise.all(answers)).map(([codes]) => codes)
  const later = judge(gate, requests)
  const { replayReach } = gate.verifyRequest(request())
  process.stdout.write(JSON.stringify({ codes, later, replayReach }))
  for (const worker of workers) worker.disconnect()
}

async function worker(folder) {
  const { gate } = opened(folder)
  process.send('ready')
  const [requests] = await once(process, 'message')
  process.send(judge(gate, requests))
}

await (cluster.isPrimary ? primary : worker)(process.argv[2])

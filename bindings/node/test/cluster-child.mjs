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
  const corp = new FakeIssuer(ISSUER, { clock, seed: 1000 })
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
  const request = () => {
    const proof = agent.proof('POST', `${ORIGIN}/mcp`, jwt)
    return { method: 'POST', uri: '/mcp', headers: [['Authorization', `DPoP ${jwt}`], ['DPoP', proof]] }
  }
  /** What each worker answers to the requests of its place, all at once. */
  const ask = async (requests) => {
    const answers = workers.map((worker) => once(worker, 'message'))
    for (const [place, worker] of workers.entries()) worker.send(requests[place])
    return (await Promise.all(answers)).map(([codes]) => codes)
  }
  const requests = Array.from({ length: 200 }, request)
  const codes = await ask(workers.map(() => requests))
  const later = judge(gate, requests)
  // How many of those each took is up to the scheduler; of these each is first with one.
  const own = workers.map(() => [request()])
  const firsts = await ask(own)
  const seconds = await ask(workers.map(() => own.flat()))
  const { replayReach } = gate.verifyRequest(request())
  process.stdout.write(JSON.stringify({ codes, later, firsts, seconds, replayReach }))
  for (const worker of workers) worker.disconnect()
}

async function worker(folder) {
  const { gate } = opened(folder)
  process.on('message', (requests) => process.send(judge(gate, requests)))
  process.send('ready')
}

await (cluster.isPrimary ? primary : worker)(process.argv[2])

// Scenes for runtime.test.mjs, each in a process or worker of its own.
import { Worker, isMainThread, parentPort } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import { Verifier } from 'sealgate'
import { FakeIssuer, FixedClock } from 'sealgate/testing'
import { policy } from './served.mjs'
import { AUDIENCE, ISSUER, NOW, world } from './world.mjs'

const say = (text) => (isMainThread ? process.stdout.write(`${text}\n`) : parentPort.postMessage(text))

/** A batch that runs for seconds: each token has its signature checked, and none is good. */
function begin() {
  const { gate, token } = world({ document: { cache: { tokens: 0 } } })
  const jwt = token()
  const place = jwt.length - 40
  const tokens = Array.from({ length: 60_000 }, (_, index) => {
    const digits = Buffer.from(`${index}`.padStart(9, '0')).toString('base64url')
    return Buffer.from(jwt.slice(0, place) + digits + jwt.slice(place + 12))
  })
  const batch = gate.verifyBatch(tokens)
  say('running')
  return batch
}

function judge() {
  const { gate, token } = world()
  say([token(), token({ aud: 'x' })].map((jwt) => gate.judge(jwt).code))
}

/** Where no thread can be started (see RUST_MIN_STACK), a batch on all cores panics. */
async function panic() {
  const { gate, token } = world()
  const jwt = token()
  const ended = [() => gate.verifyBatchSync([jwt, token()]), () => gate.verifyBatch([jwt, token()])].map(async (call) => {
    try {
      await call()
    } catch (error) {
      return `${error.name} ${error.code} ${error.httpStatus}`
    }
  })
  say([...(await Promise.all(ended)), gate.judge(jwt).code].join(', '))
}

/** Resident bytes, before and after 40,000 refusals in a loop that never lets the event loop turn. */
function refusals() {
  const { gate, token } = world()
  const bad = token({ aud: 'x' })
  const leave = (count) => {
    for (let turn = 0; turn < count; turn++) {
      const verdict = gate.judge(bad)
      if (turn % 50 === 0 && verdict.error.code !== 'aud_mismatch') throw verdict.error
    }
    gc()
    return process.memoryUsage.rss()
  }
  const first = leave(10_000) // the heap has its size
  console.log(JSON.stringify({ first, last: leave(40_000) }))
}

/** Resident bytes half way, when every pool and arena has its size, and at the end. */
async function memory() {
  const { gate, token, corp } = world({ document: { cache: { tokens: 64 } } })
  const bad = Array.from({ length: 20 }, () => token({ aud: 'x' }))
  const good = bad.map((_, index) => token({ sub: `user-${index}` }))
  const turn = async () => {
    for (const jwt of [...good, ...bad]) {
      const verdict = gate.judge(jwt)
      if (verdict.ok) verdict.token.claims.sub.length + verdict.token.chain.length
      else verdict.error.message.length
    }
    gate.verifyBatchSync(good).at(0).ok
    await gate.verifyBatch(good)
    gate.explain(good[0])
    corp.rotate()
    corp.withdraw(corp.jwks().keys[0].kid)
    for (const index of good.keys()) good[index] = token({ sub: `user-${index}` })
  }
  const rounds = async (count) => {
    for (let round = 0; round < count; round++) {
      await turn()
      if (round % 20 === 0) gc()
    }
    gc()
    return process.memoryUsage.rss()
  }
  const first = await rounds(300)
  const last = await rounds(300)
  console.log(JSON.stringify({ first, last }))
}

/** Resident bytes when a cache of 2,000 tokens has seen 1,000 of 10 KiB, their claims read, and 3,000. */
async function large() {
  const { gate, token } = world({ document: { cache: { tokens: 2000 } } })
  const notes = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(1200))
  const rounds = async (from, to) => {
    for (let index = from; index < to; index++) {
      gate.verify(token({ sub: `user-${index}`, claims: { notes } })).claims.notes.length
      if (index % 20 === 0) await new Promise(setImmediate)
    }
    gc()
    return process.memoryUsage.rss()
  }
  const first = await rounds(0, 1000)
  console.log(JSON.stringify({ first, last: await rounds(1000, 3000) }))
}

/** A verifier whose issuer never answers, at the URI that this program was given, and a token of it. */
function unanswered() {
  const corp = new FakeIssuer(ISSUER, { clock: new FixedClock(NOW), seed: 1 })
  const verifier = Verifier.fromPolicy(policy(process.argv[3]), { clock: new FixedClock(NOW), allowDanger: true })
  return { verifier, jwt: corp.token({ sub: 'u1', aud: AUDIENCE }) }
}

async function waiting() {
  const { verifier, jwt } = unanswered()
  const verdict = verifier.judgeAsync(jwt, { wait: '500ms' })
  say('waiting')
  say((await verdict).code)
}

/** Somebody who listens and waits for ever. */
function listening() {
  const { verifier, jwt } = unanswered()
  verifier.on('event', () => {})
  verifier.judge(jwt)
  return { verifier, jwt }
}

/** A listener that throws, while somebody waits; and whether the program catches it. */
async function throwing(isCaught) {
  const corp = await FakeIssuer.serve()
  const options = { danger: { httpLoopbackIssuers: true }, allowDanger: true }
  const verifier = Verifier.create({ issuer: corp.issuer, audience: AUDIENCE, ...options })
  if (isCaught) process.on('uncaughtException', (error) => say(error.message))
  verifier.on('event', ({ event }) => {
    throw new Error(`at ${event}`)
  })
  say((await verifier.verifyAsync(corp.token({ sub: 'u1', aud: AUDIENCE }), { wait: '60s' })).subject)
  await corp.close()
}

/** Verifiers that were listened to are freed once nobody holds them. */
async function forgotten() {
  let freed = 0
  const registry = new FinalizationRegistry(() => freed++)
  for (let count = 0; count < 20; count++) {
    const { verifier } = world()
    verifier.on('event', () => verifier.gates)
    registry.register(verifier)
  }
  for (let turn = 0; turn < 200 && freed < 20; turn++) {
    gc()
    await new Promise(setImmediate)
  }
  say(`${freed}`)
}

const scenes = {
  batch: () => void begin(),
  judge,
  exit() {
    begin()
    setImmediate(() => process.exit(7))
  },
  'exit-in-worker'() {
    const worker = new Worker(fileURLToPath(import.meta.url), { argv: ['exit'] })
    worker.on('message', say)
  },
  throw() {
    begin()
    setImmediate(() => {
      throw new Error('on purpose')
    })
  },
  idle() {
    world().gate.judge('x')
  },
  panic,
  waiting,
  listening: () => void listening(),
  'exit-waiting'() {
    const { verifier, jwt } = listening()
    verifier.verifyAsync(jwt, { wait: '60s' })
    setImmediate(() => process.exit(7))
  },
  'wait-for-ever'() {
    const { verifier, jwt } = listening()
    verifier.verifyAsync(jwt, { wait: '60s' })
    verifier.waitReady({ timeout: '60s' })
    say('waiting')
  },
  throwing: () => throwing(true),
  'throwing-uncaught': () => throwing(false),
  forgotten,
  memory,
  large,
  refusals,
}

await scenes[process.argv[2]]()

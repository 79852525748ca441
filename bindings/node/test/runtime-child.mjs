// Scenes for runtime.test.mjs, each in a process or worker of its own.
import { Worker, isMainThread, parentPort } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'
import { world } from './world.mjs'

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

/** Bytes that so many refusals leave where the event loop never turns: errors are made of each. */
function refusals() {
  const { gate, token } = world()
  const bad = token({ aud: 'x' })
  const leave = (count) => {
    for (let turn = 0; turn < count; turn++) {
      try {
        gate.verify(bad)
      } catch (error) {
        if (gate.judge(bad).error.code !== error.code) throw error
      }
    }
    gc()
    return process.memoryUsage.rss()
  }
  const first = leave(30_000) // the heap has its size
  console.log(JSON.stringify({ first, last: leave(100_000) }))
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
  memory,
  refusals,
}

await scenes[process.argv[2]]()

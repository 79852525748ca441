// Revocations in a store that processes share: what one of them revokes, all of them refuse.
import assert from 'node:assert/strict'
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Handle, PolicyError, RevocationUnavailableError, UsageError, Verifier } from 'sealgate'
import { FakeIssuer, FixedClock } from 'sealgate/testing'
import { folder, serve, storeAt } from './servers.mjs'
import { AUDIENCE, ISSUER, NOW, thrown, world } from './world.mjs'

const child = fileURLToPath(new URL('shared-child.mjs', import.meta.url))
const clock = new FixedClock(NOW)
const corp = new FakeIssuer(ISSUER, { clock, seed: 1000 })
const token = (...agents) => corp.token({ sub: 'u1', aud: AUDIENCE, act: agents })
const agent = (sub) => Handle.actor({ iss: ISSUER, sub })

/** A verifier of this process, over a store named `local`; its background ends with the test. */
function opened(t, store, revocation = {}) {
  const document = { stores: { local: store }, revocation: { store: 'local', ...revocation } }
  const verifier = Verifier.fromPolicy(world({ document }).policy, { clock })
  t.after(() => verifier.close())
  verifier.keys.publish('corp', corp.jwks())
  return verifier
}

/** A process of its own; a function that has it do something, and resolves to its answer. */
async function worker(t, path) {
  const forked = fork(child, [path])
  t.after(() => forked.kill())
  const answer = async () => {
    const end = new AbortController()
    const { signal } = end
    try {
      const died = once(forked, 'exit', { signal }).then(([code]) => assert.fail(`a worker ended: ${code}`))
      const [{ answer }] = await Promise.race([once(forked, 'message', { signal }), died])
      return answer
    } finally {
      end.abort()
    }
  }
  assert.equal(await answer(), 'ready')
  const ask = (...told) => {
    forked.send(told)
    return answer()
  }
  return Object.assign(ask, { kill: () => (forked.kill('SIGKILL'), once(forked, 'exit')) })
}

test('of what no store has the process warns, once, when a verifier is closed and when it exits', () => {
  const program = (end) => `
    const { Handle, Verifier } = require('sealgate')
    const { FakeIssuer } = require('sealgate/testing')
    const corp = new FakeIssuer('https://login.example.com', { seed: 1000 })
    const verifier = Verifier.create({
      issuer: corp.issuer, audience: 'api', jwks: corp.jwks(), revocation: { store: 'fleet' },
      stores: { fleet: { kind: 'redis', url: { env: 'STORE' } } },
    })
    const { delivered } = verifier.revocations.revoke(Handle.subject({ iss: corp.issuer, sub: 'u1' }))
    if (delivered) process.exit(2)
    ${end}`
  for (const end of ['verifier.close()', 'process.exit(0)', '']) {
    const { status, stderr } = spawnSync(process.execPath, ['-e', program(end)], {
      cwd: new URL('..', import.meta.url),
      env: { ...process.env, STORE: 'redis://127.0.0.1:1' }, // nobody is there
    })
    const told = stderr.toString().match(/SealgateWarning: store "fleet" is not known to have 1 /g)
    assert.deepEqual([status, told?.length], [0, 1], stderr.toString())
  }
})

test('what one worker revokes the others refuse, and it outlives the worker', async (t) => {
  const path = join(folder(t), 'store')
  const workers = await Promise.all([1, 2, 3].map(() => worker(t, path)))
  const [first, second, third] = workers
  const [jwt, other] = [token('agent-7'), token('agent-8')]
  const all = (...told) => Promise.all(workers.map((ask) => ask(...told)))
  assert.deepEqual(await all('judge', jwt), ['accepted', 'accepted', 'accepted'])

  assert.deepEqual(await first('revoke', 'agent-7'), { epoch: 1, reach: 'host', delivered: true, cutoff: null })
  assert.equal(await first('judge', jwt), 'revoked')
  assert.deepEqual(await all('until', jwt, 'revoked'), ['revoked', 'revoked', 'revoked'])
  assert.deepEqual(await all('judge', other), ['accepted', 'accepted', 'accepted'])

  assert.equal((await second('lift', 'agent-7')).delivered, true)
  assert.deepEqual(await all('until', jwt, 'accepted'), ['accepted', 'accepted', 'accepted'])

  assert.equal((await third('revoke', 'agent-8')).delivered, true)
  await third.kill()
  const late = await worker(t, path)
  assert.deepEqual([await late('judge', other), await late('judge', jwt)], ['revoked', 'accepted'])
  const stands = { name: 'local', reach: 'host', staleness: 0, undelivered: 0, unreadable: 0, lastError: null }
  assert.deepEqual(await late('store'), stands)
})

test('a verdict and the counters name the store', async (t) => {
  const verifier = opened(t, { kind: 'file', path: join(folder(t), 'store') })
  const { revocations } = verifier
  await verifier.waitReady()
  assert.equal(await revocations.flush(), true)
  const { revocation } = verifier.verify(token('agent-7'))
  assert.deepEqual(revocation, { checked: true, store: 'local', sequence: 0, staleness: 0 })
  const { store, reach, undelivered, unreadable } = verifier.stats().revocations
  assert.deepEqual([store, reach, undelivered, unreadable], ['local', 'host', 0, 0])
  assert.ok(Object.isFrozen(revocations.store()))
})

test('a token that was kept says how old the news are by now', async (t) => {
  const clock = new FixedClock(NOW)
  const stores = { local: { kind: 'file', path: join(folder(t), 'store') } }
  const document = { stores, revocation: { store: 'local', on_stale: 'accept_marked' } }
  const verifier = Verifier.fromPolicy(world({ document }).policy, { clock })
  verifier.keys.publish('corp', corp.jwks())
  await verifier.waitReady({ timeout: '1m' })
  const jwt = token('agent-7')
  verifier.close() // there are no news from now on
  const before = verifier.verify(jwt)
  assert.equal(verifier.verify(jwt), before)
  clock.advance('12s')
  const after = verifier.verify(jwt)
  const ages = [before, after].map(({ revocation }) => Math.round(revocation.staleness))
  assert.deepEqual(ages, [0, 12])
  assert.equal(verifier.verify(jwt), after)
})

test('neither a store nor what is undelivered keeps a process running', (t) => {
  const path = join(folder(t), 'url')
  writeFileSync(path, 'redis://127.0.0.1:1', { mode: 0o600 })
  const stores = { fleet: { kind: 'redis', url: { file: path } } }
  const single = { issuer: ISSUER, audience: AUDIENCE, jwksPush: 'process', stores, revocation: { store: 'fleet' } }
  const code = `
    const { Handle, Verifier } = require('sealgate')
    const { revocations } = Verifier.create(${JSON.stringify(single)})
    revocations.revoke(Handle.actor({ iss: '${ISSUER}', sub: 'a' }))
    revocations.flush({ timeout: '50ms' }).then((flushed) => console.log(flushed, revocations.store().undelivered))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', code], { cwd: fileURLToPath(new URL('.', import.meta.url)), timeout: 60_000 })
  assert.deepEqual([status, stdout.toString()], [0, 'false 1\n'], stderr.toString())
})

test('where processes share no store there is nothing to wait for', async () => {
  for (const store of ['process', 'off']) {
    const { revocations } = world({ document: { revocation: { store } } }).verifier
    assert.equal(revocations.store(), null)
    assert.equal(await revocations.flush({ timeout: '1h' }), true)
  }
  const { revocations } = world().verifier
  for (const options of [{ timeout: 5 }, { timeout: 'soon' }, { wait: '1s' }, '1s', null]) {
    await assert.rejects(revocations.flush(options), UsageError)
  }
})

test('what cannot be written is in force here, and written as soon as it can be', async (t) => {
  const path = join(folder(t), 'store')
  writeFileSync(path, 'where the folder should be')
  const verifier = opened(t, { kind: 'file', path })
  const { revocations } = verifier
  const jwt = token('agent-7')
  assert.equal(verifier.judge(jwt).code, 'revocation_unavailable')
  await assert.rejects(verifier.waitReady({ timeout: '0s' }), RevocationUnavailableError)
  assert.deepEqual(revocations.revoke(agent('agent-7')), { epoch: 1, reach: 'host', delivered: false, cutoff: null })
  assert.equal(await revocations.flush({ timeout: '0s' }), false)
  const { staleness, undelivered, lastError } = revocations.store()
  assert.deepEqual([staleness, undelivered, typeof lastError], [null, 1, 'string'])

  const flushed = revocations.flush({ timeout: '1m' })
  const began = performance.now()
  rmSync(path)
  assert.equal(await flushed, true)
  assert.ok(performance.now() - began < 30_000, 'when it was written, not when the time was over')
  const stands = { name: 'local', reach: 'host', staleness: 0, undelivered: 0, unreadable: 0, lastError: null }
  assert.deepEqual(revocations.store(), stands)
  assert.equal(verifier.judge(jwt).code, 'revoked')
  assert.equal(opened(t, { kind: 'file', path }).judge(jwt).code, 'revoked')
})

for (const kind of ['redis', 'nats']) {
  test(`what one process revokes through ${kind} another refuses`, async (t) => {
    const started = await serve(t, kind)
    if (started === undefined) return t.skip(`${kind}-server is not installed: \`tests/run servers\` gets it`)
    const store = { ...storeAt(t, started.url), namespace: 'test' }
    const [here, there] = [opened(t, store), opened(t, store)]
    await Promise.all([here, there].map((verifier) => verifier.waitReady({ timeout: '1m' })))
    const jwt = token('agent-7')
    assert.deepEqual([here.judge(jwt).code, there.judge(jwt).code], ['accepted', 'accepted'])
    assert.deepEqual(here.revocations.revoke(agent('agent-7')), { epoch: 1, reach: 'fleet', delivered: false, cutoff: null })
    assert.equal(here.judge(jwt).code, 'revoked', 'at once')
    assert.equal(await here.revocations.flush({ timeout: '1m' }), true)
    assert.equal(here.revocations.store().undelivered, 0)
    const end = performance.now() + 60_000
    while (there.judge(jwt).ok && performance.now() < end) await setImmediate()
    assert.equal(there.judge(jwt).code, 'revoked')
    assert.deepEqual([there.revocations.store().reach, there.revocations.store().lastError], ['fleet', null])
  })

  test(`a server (${kind}) that says nothing holds nobody up`, async (t) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const sockets = []
    server.on('connection', (socket) => sockets.push(socket.on('error', () => {})))
    t.after(() => (server.close(), sockets.forEach((socket) => socket.destroy())))
    const verifier = opened(t, storeAt(t, `${kind}://127.0.0.1:${server.address().port}`))
    const { revocations } = verifier
    assert.equal(verifier.judge(token()).code, 'revocation_unavailable')
    assert.deepEqual(revocations.revoke(agent('agent-7')), { epoch: 1, reach: 'fleet', delivered: false, cutoff: null })

    const waits = revocations.flush({ timeout: '1h' })
    let turns = 0
    const turning = setInterval(() => ++turns)
    if (sockets.length === 0) await once(server, 'connection') // on this thread, while it waits
    assert.equal(await revocations.flush({ timeout: '100ms' }), false)
    clearInterval(turning)
    assert.ok(turns > 1, 'the event loop turned')
    assert.deepEqual([revocations.store().reach, revocations.store().undelivered], ['fleet', 1])
    verifier.close()
    assert.equal(await waits, false, 'a verifier that is closed delivers no more')
  })
}

test('the short form names stores, under names of the caller’s', async (t) => {
  const path = join(folder(t), 'store')
  const single = { issuer: ISSUER, audience: AUDIENCE, jwksPush: 'process', delegation: 'surface', clock }
  const revocation = { store: 'my_store', maxStaleness: '1m', onStale: 'accept_marked', innerActors: 'ignore' }
  const verifier = Verifier.create({ ...single, stores: { my_store: { kind: 'file', path } }, revocation })
  t.after(() => verifier.close())
  assert.equal(verifier.revocations.store().name, 'my_store')
  const said = verifier.policy.effective()
  assert.deepEqual([said.revocation.max_staleness, said.revocation.on_stale], ['1m', 'accept_marked'])
  const wrong = [
    [{ stores: { my_store: { kind: 'file' } } }, 'stores.my_store.path'],
    [{ stores: { my_store: { kind: 'file', path, lockTimeout: '1s' } } }, 'stores.my_store.lockTimeout'],
    [{ stores: { my_store: { kind: 'file', path } }, revocation: { ...revocation, onStale: 'pass' } }, 'revocation.onStale'],
    [{ stores: { other: { kind: 'file', path } } }, 'revocation.store'],
  ]
  for (const [more, place] of wrong) {
    const error = thrown(() => Verifier.create({ ...single, revocation, ...more }))
    assert.ok(error instanceof PolicyError)
    assert.ok(error.problems.some((problem) => problem.path === place), `${place}: ${error.message}`)
  }
  const snake = thrown(() => Verifier.create({ ...single, stores: { my_store: { kind: 'file', path, lock_timeout: '1s' } } }))
  assert.match(snake.message, /write "lockTimeout" for "lock_timeout"/)
})

test('nothing is revoked that nobody would deliver', async (t) => {
  const verifier = opened(t, { kind: 'file', path: join(folder(t), 'store') })
  const { revocations } = verifier
  verifier.close()
  for (const call of [revocations.revoke, revocations.lift]) {
    const error = thrown(() => call(agent('agent-7')))
    assert.ok(error instanceof UsageError && /was closed/.test(error.message), error.message)
  }
})

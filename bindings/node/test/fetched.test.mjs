// Keys that are fetched, from issuers on loopback: nobody waits in a call that judges at once.
import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { KeysUnavailableError, Policy, UsageError, Verifier } from 'sealgate'
import { FakeIssuer, FixedClock, open } from 'sealgate/testing'
import { thrown } from './world.mjs'
import { AUDIENCE, ISSUER, held, policy, served } from './served.mjs'

const { Events } = createRequire(import.meta.url)('../lib/events.cjs')

const OPTIONS = { audience: AUDIENCE, danger: { httpLoopbackIssuers: true }, allowDanger: true }

/** A verifier over a served issuer, which answers when it is told to. */
async function world(t) {
  const clock = new FixedClock(1_800_000_000)
  const fake = new FakeIssuer(ISSUER, { clock, seed: 1000 })
  const server = await held(t, () => fake.jwks())
  const verifier = Verifier.fromPolicy(policy(server.uri), { clock, allowDanger: true })
  t.after(() => verifier.close())
  return { clock, fake, server, verifier, jwt: fake.token({ sub: 'u1', aud: AUDIENCE }) }
}

test('tokens are undecided until the keys are there', async (t) => {
  const { server, verifier, jwt } = await world(t)
  const verdict = verifier.judge(jwt)
  assert.equal(verdict.code, 'keys_refreshing')
  assert.deepEqual([verdict.error.httpStatus, verdict.error.headers['Retry-After']], [503, '1'])
  server.answer()
  await verifier.waitReady({ timeout: '30s' })
  assert.ok(verifier.judge(jwt).ok)
  const state = verifier.keys.state('corp')
  assert.deepEqual([state.source, state.generation, state.lastError], ['jwks_uri', 1, null])
  assert.ok(state.nextRefresh > state.fetchedAt)
  assert.equal(verifier.keys.refresh('corp').generation, 1)
})

test('an issuer that does not answer is named', async (t) => {
  const { uri } = await served(t, () => ({ status: 500, body: '' }))
  const loaded = new Policy(policy(uri), { allowDanger: true })
  const verifier = Verifier.fromPolicy(loaded)
  t.after(() => verifier.close())
  await assert.rejects(verifier.waitReady({ timeout: '300ms' }), (error) => {
    assert.ok(error instanceof KeysUnavailableError)
    assert.deepEqual([error.issuerName, error.httpStatus, error.retryAfter], ['corp', 503, 5])
    return /corp has no usable keys/.test(error.message)
  })
  await assert.rejects(verifier.waitReady({ timeout: 'soon' }), UsageError)
})

test('a thousand calls wait for one fetch', async (t) => {
  const { server, verifier, jwt, fake } = await world(t)
  const { verifyAsync, judgeAsync } = verifier.gate('tools')
  const bytes = Buffer.from(jwt)
  const options = { wait: '60s', requiredScopes: [] }
  const waiting = [
    ...Array.from({ length: 1000 }, () => verifyAsync(jwt, { wait: '60s' })),
    verifyAsync(bytes, options),
    verifier.verifyAsync(jwt),
    judgeAsync(jwt, options).then((verdict) => verdict.unwrap()),
    verifier.judgeAsync(jwt).then((verdict) => verdict.token),
  ]
  const stranger = judgeAsync(fake.token({ sub: 'u1', aud: 'x' }), { wait: '60s' })
  await server.asked()
  bytes.fill(0) // what becomes of a buffer changes nothing
  server.answer()
  for (const token of await Promise.all(waiting)) assert.equal(token.subject, 'u1')
  assert.equal((await stranger).code, 'aud_mismatch')
  assert.equal(server.requests, 1)
  // With the keys there, nothing waits.
  const began = performance.now()
  await assert.rejects(verifyAsync('x'), { code: 'malformed_token' })
  assert.equal((await judgeAsync(fake.token({ sub: 'u1', aud: 'x' }))).code, 'aud_mismatch')
  assert.equal((await verifyAsync(jwt)).subject, 'u1')
  assert.ok(performance.now() - began < 1000)
})

test('nobody waits longer than asked', async (t) => {
  const { server, verifier, jwt } = await world(t)
  await assert.rejects(verifier.verifyAsync(jwt, { wait: '20ms' }), (error) => {
    assert.ok(error instanceof KeysUnavailableError)
    return error.code === 'keys_refreshing' && error.httpStatus === 503
  })
  const verdict = await verifier.judgeAsync(jwt, { wait: '0s' })
  assert.deepEqual([verdict.ok, verdict.code], [false, 'keys_refreshing'])
  server.answer()
})

test('closing ends the waiting, and wrong arguments reject', async (t) => {
  const { server, verifier, jwt } = await world(t)
  const { judgeAsync, verifyAsync } = verifier.gate('tools')
  const waiting = [judgeAsync(jwt, { wait: '365d' }), verifyAsync(jwt, { wait: '60s' })]
  await server.asked()
  server.answer(503)
  for (const [options, word] of [[{ wait: 2 }, 'duration'], [{ wait: 'long' }, 'duration'], [{ weight: '2s' }, 'no option "weight"'], [7, 'options']]) {
    await assert.rejects(verifyAsync(jwt, options), (error) => error instanceof UsageError && error.message.includes(word))
    await assert.rejects(judgeAsync(jwt, options), UsageError)
  }
  await assert.rejects(judgeAsync(7), UsageError)
  const ready = verifier.waitReady({ timeout: '60s' })
  verifier.close()
  assert.equal((await waiting[0]).code, 'keys_unavailable')
  for (const call of [waiting[1], verifyAsync(jwt), ready, verifier.waitReady({ timeout: '365d' })]) {
    await assert.rejects(call, { code: 'keys_unavailable' })
  }
})

test('a reload answers those who wait', async (t) => {
  const { fake, server, verifier, jwt } = await world(t)
  const waiting = verifier.gate('tools').verifyAsync(jwt, { wait: '365d' })
  const ready = verifier.waitReady({ timeout: '365d' })
  await server.asked()
  const document = policy(server.uri)
  document.issuers.corp = { issuer: ISSUER, jwks: fake.jwks() }
  verifier.reload(document, { allowDanger: true })
  assert.equal((await waiting).subject, 'u1')
  await ready
})

test('whoever has waited long enough looks once more', async () => {
  const events = new Events(undefined)
  const looks = []
  let happened = false // and nobody is told
  const over = events.until(() => looks.push(happened) && happened, 1)
  happened = true
  await over
  assert.deepEqual(looks, [true])
  await assert.rejects(events.until(() => assert.fail('at the last look'), 1), /at the last look/)
})

test('a key that the issuer has just begun to use is waited for', async (t) => {
  const { clock, fake, server, verifier } = await world(t)
  server.answer()
  await verifier.waitReady({ timeout: '30s' })
  fake.rotate()
  const jwt = fake.token({ sub: 'u2', aud: AUDIENCE })
  clock.advance('31s') // beyond the cooldown
  assert.equal((await verifier.verifyAsync(jwt, { wait: '60s' })).subject, 'u2')
  assert.equal(server.requests, 2)
})

test('events tell of keys, as any emitter does', async (t) => {
  const { clock, fake, server, verifier, jwt } = await world(t)
  const told = on(verifier, 'event')
  const next = async () => (await told.next()).value[0]
  const seen = []
  const listener = (event) => seen.push(event.event)
  assert.equal(verifier.on('event', listener), verifier)
  verifier.once('event', listener)
  const first = once(verifier, 'event')
  verifier.judge(jwt)
  server.answer(500)
  const failed = await next()
  assert.equal(failed.event, 'keys_refresh_failed')
  assert.equal(failed.issuerName, 'corp')
  assert.match(failed.reason, /500/)
  assert.ok(Object.isFrozen(failed))
  assert.equal((await first)[0], failed)
  clock.advance('61s') // beyond the pause after a failure
  verifier.keys.refresh('corp')
  server.answer()
  assert.deepEqual(await next(), { event: 'keys_refreshed', issuerName: 'corp', keys: 1, generation: 1, changed: true })
  assert.deepEqual(seen, ['keys_refresh_failed', 'keys_refresh_failed', 'keys_refreshed'])
  verifier.off('event', listener)
  const old = fake.kid
  fake.rotate()
  fake.withdraw(old)
  clock.advance('31s')
  verifier.keys.refresh('corp')
  const both = [await next(), await next()]
  const withdrawn = both.find(({ event }) => event === 'key_withdrawn')
  assert.deepEqual([withdrawn.issuerName, withdrawn.kid], ['corp', old])
  assert.match(withdrawn.thumbprint, /^[\w-]{43}$/)
  assert.equal(seen.length, 3)
  for (const call of ['on', 'once', 'off']) {
    assert.throws(() => verifier[call]('keys_refreshed', listener), (error) => error instanceof UsageError && /"event", not "keys_refreshed"/.test(error.message))
    for (const name of [undefined, Symbol('event')]) assert.throws(() => verifier[call](name, listener), UsageError)
    for (const wrong of ['x', undefined, {}]) assert.throws(() => verifier[call]('event', wrong), UsageError)
  }
})

test('keys that are published are told of, too', async () => {
  const clock = new FixedClock(1_800_000_000)
  const corp = new FakeIssuer(ISSUER, { clock })
  const document = policy('http://localhost:1/keys')
  const verifier = open(document, { issuers: { corp }, clock, allowDanger: true })
  const event = once(verifier, 'event')
  const keep = setInterval(() => {}, 1000) // a listener alone keeps no process
  corp.rotate()
  const [{ event: name, keys, generation }] = await event
  clearInterval(keep)
  assert.deepEqual([name, keys, generation], ['keys_refreshed', 2, 2])
})

test('an issuer on this machine, found by discovery', async (t) => {
  const corp = await FakeIssuer.serve()
  t.after(() => corp.close())
  const verifier = Verifier.create({ issuer: corp.issuer, ...OPTIONS })
  t.after(() => verifier.close())
  await verifier.waitReady({ timeout: '30s' })
  const old = corp.token({ sub: 'u1', aud: AUDIENCE })
  assert.equal(verifier.verify(old).issuer, corp.issuer)
  const { kid } = corp
  corp.rotate()
  corp.withdraw(kid)
  const withdrawn = once(verifier, 'event')
  verifier.keys.refresh('default')
  await withdrawn
  assert.equal((await verifier.verifyAsync(corp.token({ sub: 'u2', aud: AUDIENCE }), { wait: '60s' })).subject, 'u2')
  assert.ok(['key_not_found', 'keys_refreshing'].includes(verifier.judge(old).code))
  assert.deepEqual(await (await fetch(corp.jwksUri)).json(), corp.jwks())
  assert.equal((await fetch(`${corp.issuer}/other`)).status, 404)
  await corp.close()
  await corp.close()
  await assert.rejects(fetch(corp.jwksUri))
})

test('an issuer of another name, with its keys on this machine', async (t) => {
  const clock = new FixedClock(1_800_000_000)
  const corp = await FakeIssuer.serve({ issuer: ISSUER, clock, seed: 3, alg: 'Ed25519' })
  t.after(() => corp.close())
  assert.equal(corp.issuer, ISSUER)
  assert.ok(Object.isFrozen(corp))
  assert.deepEqual(corp.jwks(), new FakeIssuer(ISSUER, { clock, seed: 3, alg: 'Ed25519' }).jwks())
  const verifier = Verifier.create({ issuer: ISSUER, jwksUri: corp.jwksUri, clock, ...OPTIONS })
  t.after(() => verifier.close())
  assert.equal((await verifier.verifyAsync(corp.token({ sub: 'u1', aud: AUDIENCE }), { wait: '60s' })).subject, 'u1')
  await assert.rejects(FakeIssuer.serve({ alg: 'none' }), UsageError)
  await assert.rejects(FakeIssuer.serve({ port: 1 }), UsageError)
  assert.ok(thrown(() => new FakeIssuer(ISSUER, { clock: 7 })) instanceof UsageError)
})

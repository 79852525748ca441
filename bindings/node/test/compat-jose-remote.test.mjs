// createRemoteJWKSet of jose and of sealgate/compat/jose against the same scripted server: the same
// outcomes after the same requests, but for what is listed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as jose from 'jose'
import { KeysUnavailableError, UsageError } from 'sealgate'
import * as compat from 'sealgate/compat/jose'
import { FakeIssuer } from 'sealgate/testing'
import { listen } from './served.mjs'
import { STRICTER_REMOTE, clock, corp, document, mint } from './stricter.mjs'
import { AUDIENCE, ISSUER, NOW } from './world.mjs'

const OPTIONS = { issuer: ISSUER, audience: AUDIENCE, currentDate: new Date(NOW * 1000) }
const next = new FakeIssuer(ISSUER, { clock, seed: 2 })
const renamed = next.jwks().keys.map((key) => ({ ...key, kid: 'key-2' }))
const both = { keys: [...corp.jwks().keys, ...renamed] }
const good = mint()
const rotated = next.token({ sub: 'u2', aud: AUDIENCE, header: { typ: 'JWT', kid: 'key-2' } })
const status = (code, headers) => (response) => response.writeHead(code, headers).end()
const silence = () => {}

/** What one library does in a scene: outcomes, and how many requests there were. */
async function play(t, library, { answers, options, rules, steps }) {
  let requests = 0
  const uri = await listen(t, (_, response) => {
    const answer = answers[Math.min(requests++, answers.length - 1)]
    answer(response)
  })
  const set = library.createRemoteJWKSet(new URL(uri), options)
  const outcomes = []
  for (const step of steps) {
    const calls = Array.isArray(step) ? step : [step]
    const ended = calls.map(async (call) => {
      try {
        if (typeof call === 'function') return await call(set)
        return (await library.jwtVerify(call, set, { ...OPTIONS, ...rules })).payload.sub
      } catch (error) {
        return error.code ?? error.name
      }
    })
    outcomes.push(...(await Promise.all(ended)), requests, set.fresh, set.coolingDown, set.reloading)
  }
  outcomes.push(set.jwks())
  return outcomes
}

const ALIKE = {
  'one fetch for many calls': { answers: [document(corp.jwks())], steps: [Array(20).fill(good), good, good] },
  'an unknown kid while cooling down': { answers: [document(corp.jwks()), document(both)], steps: [good, rotated, good] },
  'an unknown kid after that': { answers: [document(corp.jwks()), document(both)], options: { cooldownDuration: 0 }, steps: [good, rotated, good, rotated] },
  'a kid that stays unknown': { answers: [document(corp.jwks())], options: { cooldownDuration: 0 }, steps: [rotated, rotated] },
  'a set that is never fresh': { answers: [document(corp.jwks())], options: { cacheMaxAge: 0 }, steps: [good, good] },
  'a set that is always fresh': { answers: [document(corp.jwks())], options: { cacheMaxAge: Infinity, cooldownDuration: Infinity }, steps: [good, rotated] },
  'a key that was withdrawn': { answers: [document(both), document({ keys: renamed })], options: { cacheMaxAge: 0 }, steps: [good, rotated, good] },
  'reload': { answers: [document(corp.jwks()), document(both)], steps: [(set) => set.reload(), (set) => set.reload(), rotated] },
  'two reloads at once': { answers: [document(corp.jwks())], steps: [[(set) => set.reload(), (set) => set.reload(), (set) => set.reloading]] },
  'what is no token': { answers: [document(corp.jwks())], steps: ['', 'x', `${good}.x`, 'a.b.c'] },
  'an algorithm that is not allowed': { answers: [document(corp.jwks())], rules: { algorithms: ['RS256'] }, steps: [good] },
  'a token for another audience': { answers: [document(corp.jwks())], steps: [mint({ aud: 'x' })] },
  'an outage that ends': { answers: [status(503), document(corp.jwks())], steps: [good, good] },
  'an outage after good keys': { answers: [document(corp.jwks()), status(500)], options: { cacheMaxAge: 0 }, steps: [good, good] },
  'a redirect': { answers: [status(302, { location: 'https://example.com/' })], steps: [good] },
  'no content': { answers: [status(204)], steps: [good] },
  'no set': { answers: [document([])], steps: [good, (set) => set.reload()] },
  'a set of no keys': { answers: [document({ keys: [7] })], steps: [good] },
}

for (const [name, scene] of Object.entries(ALIKE)) {
  test(`as jose: ${name}`, async (t) => {
    assert.deepEqual(await play(t, compat, scene), await play(t, jose, scene))
  })
}

for (const [name, { answer, options, jose: theirs, ours }] of Object.entries(STRICTER_REMOTE)) {
  test(`stricter than jose: ${name}`, async (t) => {
    const scene = { answers: [answer], options, steps: [good] }
    const [outcomes, own] = [await play(t, jose, scene), await play(t, compat, scene)]
    assert.equal(outcomes[0] === 'u1' ? 'accepted' : outcomes[0], theirs)
    assert.equal(own[0], ours)
  })
}

test('an outage is the cause of jose’s error, and says 503', async (t) => {
  for (const answer of [status(500), document('{'), document([]), silence]) {
    const uri = await listen(t, (_, response) => answer(response))
    const set = compat.createRemoteJWKSet(new URL(uri), { timeoutDuration: 50 })
    await assert.rejects(compat.jwtVerify(good, set, OPTIONS), ({ cause }) => {
      assert.ok(cause instanceof KeysUnavailableError)
      return cause.httpStatus === 503 && cause.retryAfter === 5
    })
  }
})

test('who gives up waiting leaves the fetch to the next, so that a server that hangs has one of ours', async (t) => {
  const hung = []
  const uri = await listen(t, (_, response) => hung.push(response))
  const set = compat.createRemoteJWKSet(new URL(uri), { timeoutDuration: 50 })
  for (const call of [() => compat.jwtVerify(good, set, OPTIONS), () => set.reload()]) {
    await assert.rejects(call(), { code: 'ERR_JWKS_TIMEOUT' })
    assert.equal(set.reloading, true)
  }
  assert.equal(hung.length, 1)
  const patient = set.reload()
  document(corp.jwks())(hung[0])
  await patient
  assert.equal((await compat.jwtVerify(good, set, OPTIONS)).payload.sub, 'u1')
  assert.equal(hung.length, 1)
})

test('no address that is not public, and no plain HTTP to another machine', async () => {
  for (const host of ['10.1.2.3', '169.254.169.254', '[fd00::1]', '[::ffff:10.1.2.3]']) {
    const set = compat.createRemoteJWKSet(new URL(`https://${host}/keys`))
    for (const call of [() => set.reload(), () => compat.jwtVerify(good, set, OPTIONS)]) {
      await assert.rejects(call(), (error) => error instanceof UsageError && /not a public address.*allowHosts/.test(error.message), host)
    }
    assert.deepEqual([set.reloading, set.jwks()], [false, undefined])
  }
  for (const href of ['http://login.example.com/jwks', 'http://10.1.2.3/jwks', 'file:///x']) {
    await assert.rejects(compat.createRemoteJWKSet(new URL(href), { allowHosts: ['10.1.2.3'] }).reload(), UsageError, href)
  }
  // Named, it is tried: nobody is there, or nobody speaks TLS. Link-local addresses are never.
  const port = 9
  const tried = compat.createRemoteJWKSet(new URL(`https://127.0.0.2:${port}/keys`), { allowHosts: ['127.0.0.2'] })
  await assert.rejects(tried.reload(), KeysUnavailableError)
  await assert.rejects(compat.createRemoteJWKSet(new URL(`https://127.0.0.2:${port}/keys`)).reload(), UsageError)
  const local = compat.createRemoteJWKSet(new URL('https://169.254.169.254/keys'), { allowHosts: ['169.254.169.254'] })
  await assert.rejects(local.reload(), UsageError)
})

test('wrong arguments', () => {
  const url = new URL('https://login.example.com/jwks')
  for (const options of [{ cooldownDuration: NaN }, { cacheMaxAge: -1 }, { timeoutDuration: '5s' }, { headers: {} }, { allowHosts: 'x' }, { allowHosts: [7] }, 7]) {
    assert.throws(() => compat.createRemoteJWKSet(url, options), UsageError)
  }
  for (const wrong of ['https://login.example.com/jwks', undefined]) {
    assert.throws(() => compat.createRemoteJWKSet(wrong), UsageError)
  }
  const set = compat.createRemoteJWKSet(url)
  assert.throws(() => set(), UsageError)
  assert.equal(set.jwks(), undefined)
  assert.deepEqual([set.fresh, set.coolingDown, set.reloading], [false, false, false])
})

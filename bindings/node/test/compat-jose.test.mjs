// The same calls to jose and to sealgate/compat/jose: equal answers, but for one table.
import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import * as jose from 'jose'
import { UsageError } from 'sealgate'
import * as compat from 'sealgate/compat/jose'
import { FakeIssuer } from 'sealgate/testing'
import { STRICTER, clock, corp, mint } from './stricter.mjs'
import { AUDIENCE, ISSUER, NOW } from './world.mjs'

const { TABLE } = createRequire(import.meta.url)('../lib/compat/jose-errors.cjs')
const native = createRequire(import.meta.url)('../lib/native.cjs')
const { codes } = createRequire(import.meta.url)('../lib/errors.cjs')

const other = new FakeIssuer(ISSUER, { clock, seed: 2 })
const rsa = new FakeIssuer(ISSUER, { clock, alg: 'RS256' })
const jwks = corp.jwks()
const OPTIONS = { issuer: ISSUER, audience: AUDIENCE, currentDate: new Date(NOW * 1000) }
async function outcome({ jwtVerify, createLocalJWKSet }, { jwt, options, key, set = jwks }) {
  try {
    const { payload, protectedHeader } = await jwtVerify(jwt, key ?? createLocalJWKSet(set), { ...OPTIONS, ...options })
    return { payload, protectedHeader }
  } catch ({ code, claim, reason }) {
    return { code, ...(claim === undefined ? {} : { claim, reason }) }
  }
}

const [head, body, signature] = mint().split('.')
const b64u = (text) => Buffer.from(text).toString('base64url')

const ALIKE = {
  'a good token': { jwt: mint() },
  'bytes': { jwt: Buffer.from(mint()) },
  'one of several audiences': { jwt: mint({ aud: ['x', AUDIENCE] }) },
  'several audiences allowed': { jwt: mint(), options: { audience: ['x', AUDIENCE] } },
  'several issuers allowed': { jwt: mint(), options: { issuer: ['https://x.example', ISSUER] } },
  'expired': { jwt: mint({ issuedAt: NOW - 400 }) },
  'expired at this very second': { jwt: mint({ issuedAt: NOW - 300 }) },
  'expired within the tolerance': { jwt: mint({ issuedAt: NOW - 310 }), options: { clockTolerance: 30 } },
  'not yet valid': { jwt: mint({ notBefore: NOW + 60 }) },
  'not yet valid within the tolerance': { jwt: mint({ notBefore: NOW + 20 }), options: { clockTolerance: '30s' } },
  'another audience': { jwt: mint({ aud: 'x' }) },
  'no audience': { jwt: mint({ claims: { aud: undefined } }) },
  'another issuer': { jwt: mint({ claims: { iss: 'https://x.example' } }) },
  'too old': { jwt: mint({ issuedAt: NOW - 100 }), options: { maxTokenAge: 60 } },
  'not too old': { jwt: mint({ issuedAt: NOW - 50 }), options: { maxTokenAge: '60s' } },
  'a required claim is there': { jwt: mint({ claims: { tenant: 't' } }), options: { requiredClaims: ['tenant'] } },
  'the typ that was asked for': { jwt: mint({ header: { typ: 'at+jwt' } }), options: { typ: 'at+jwt' } },
  'another typ': { jwt: mint(), options: { typ: 'at+jwt' } },
  'exp is a text': { jwt: mint({ claims: { exp: `${NOW + 300}` } }) },
  'nbf is a text': { jwt: mint({ claims: { nbf: 'now' } }) },
  'the signature of another key': { jwt: other.token({ sub: 'u1', aud: AUDIENCE, header: { typ: 'JWT' } }) },
  'a changed payload': { jwt: `${head}.${b64u(JSON.stringify({ iss: ISSUER, aud: AUDIENCE, exp: NOW + 300 }))}.${signature}` },
  'an unknown kid': { jwt: mint({ header: { kid: 'x' } }) },
  'an algorithm that is not allowed': { jwt: mint(), options: { algorithms: ['RS256'] }, set: { keys: [...jwks.keys, ...rsa.jwks().keys] } },
  'a set with keys for others': { jwt: mint(), set: { keys: [...jwks.keys, { kty: 'what' }, { ...rsa.jwks().keys[0], use: 'enc' }] } },
  'a typ of one’s own': { jwt: mint({ header: { typ: 'own+jwt' } }), options: { typ: 'own+jwt' } },
  'an unknown critical parameter': { jwt: mint({ header: { crit: ['x'], x: 1 } }) },
  'two segments': { jwt: `${head}.${body}` },
  'nothing': { jwt: '' },
  'rubbish': { jwt: 'rubbish' },
  'a JWK': { jwt: mint(), key: jwks.keys[0] },
  'a KeyObject': { jwt: mint(), key: createPublicKey({ key: jwks.keys[0], format: 'jwk' }) },
  'the wrong JWK': { jwt: mint(), key: { ...other.jwks().keys[0] } },
  'a chain of actors': { jwt: mint({ act: [{ sub: 'agent' }] }) },
}

for (const [name, request] of Object.entries(ALIKE)) {
  test(`as jose: ${name}`, async () => {
    assert.deepEqual(await outcome(compat, request), await outcome(jose, request))
  })
}

for (const [name, { jose: theirs, ours, ...request }] of Object.entries(STRICTER)) {
  test(`stricter than jose: ${name}`, async () => {
    assert.equal((await outcome(jose, request)).code ?? 'accepted', theirs)
    assert.equal((await outcome(compat, request)).code ?? 'accepted', ours)
  })
}

test('a missing claim of the caller’s own has jose’s code and reason, and no name', async () => {
  const request = { jwt: mint(), options: { requiredClaims: ['tenant'] } }
  const { code, claim, reason } = await outcome(jose, request)
  assert.deepEqual([code, claim, reason], ['ERR_JWT_CLAIM_VALIDATION_FAILED', 'tenant', 'missing'])
  const error = await compat.jwtVerify(request.jwt, compat.createLocalJWKSet(jwks), { ...OPTIONS, ...request.options }).catch((error) => error)
  assert.deepEqual([error.code, error.claim, error.reason], [code, undefined, reason])
})

test('what jose lets a caller leave out is a usage error', async () => {
  const set = compat.createLocalJWKSet(jwks)
  const jwt = mint()
  for (const [key, options] of [
    [set, undefined],
    [set, { issuer: ISSUER }],
    [set, { audience: AUDIENCE }],
    [set, { ...OPTIONS, subject: 'u1' }],
    [set, { ...OPTIONS, crit: { x: true } }],
    [set, { ...OPTIONS, currentDate: NOW }],
    [async () => jwks.keys[0], OPTIONS],
    [Buffer.alloc(32), { ...OPTIONS, algorithms: ['HS256'] }],
    ['-----BEGIN PUBLIC KEY-----', OPTIONS],
    [null, OPTIONS],
    [undefined, OPTIONS],
  ]) {
    await assert.rejects(compat.jwtVerify(jwt, key, options), UsageError)
  }
  await assert.rejects(compat.jwtVerify(7, set, OPTIONS), UsageError)
  assert.throws(() => set(), UsageError)
  assert.throws(() => compat.createLocalJWKSet({}), { code: 'ERR_JWKS_INVALID' })
})

test('an outage is no bad token: it stays an error of ours', async () => {
  const set = compat.createLocalJWKSet({ keys: [] })
  await assert.rejects(compat.jwtVerify(mint(), set, OPTIONS), (error) => error.blame !== 'rejected')
})

test('every refusal has a jose error, and jose has its code', () => {
  const rejected = codes.filter(({ blame }) => blame === 'rejected').map(({ code }) => code)
  assert.deepEqual(Object.keys(TABLE).sort(), rejected.sort())
  for (const [name, made] of Object.entries(compat.errors)) {
    assert.equal(made.code, jose.errors[name].code, name)
  }
})

test('the cause is our error, and strangers’ kids do not fill memory', async () => {
  const key = jwks.keys[0]
  await assert.rejects(compat.jwtVerify(mint({ aud: 'x' }), key, OPTIONS), (error) => error.cause.code === 'aud_mismatch')
  for (let index = 0; index < 100; index++) {
    const jwt = mint({ header: { kid: `stranger-${index}` } })
    assert.equal((await compat.jwtVerify(jwt, key, OPTIONS)).payload.sub, 'u1')
  }
})

test('a stranger’s kid renames no key', async () => {
  const key = { ...jwks.keys[0] }
  const good = mint()
  assert.equal((await compat.jwtVerify(good, key, OPTIONS)).payload.sub, 'u1')
  let published = 0
  const { publishKeys } = native
  native.publishKeys = (...args) => (published++, publishKeys(...args))
  try {
    const [, ...rest] = good.split('.')
    for (const header of [{ kid: 'stranger' }, {}, { kid: 'crit', crit: ['x'], x: 1 }]) {
      const jwt = [b64u(JSON.stringify({ alg: 'ES256', typ: 'JWT', ...header })), ...rest].join('.')
      const [ours, theirs] = await Promise.all([compat, jose].map((side) => outcome(side, { jwt, key })))
      assert.equal(ours.code, theirs.code)
      assert.equal((await compat.jwtVerify(good, key, OPTIONS)).payload.sub, 'u1')
    }
    assert.equal(published, 0)
    await compat.jwtVerify(mint({ header: { kid: 'renamed' } }), key, OPTIONS)
    assert.equal(published, 1)
  } finally {
    native.publishKeys = publishKeys
  }
})

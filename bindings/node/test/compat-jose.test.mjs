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
const ed = new FakeIssuer(ISSUER, { clock, alg: 'Ed25519' })
const rsa = new FakeIssuer(ISSUER, { clock, alg: 'RS256' })
const jwks = corp.jwks()
const OPTIONS = { issuer: ISSUER, audience: AUDIENCE, currentDate: new Date(NOW * 1000) }
async function outcome({ jwtVerify, createLocalJWKSet }, { jwt, options, key, set = jwks }) {
  try {
    const { payload, protectedHeader } = await jwtVerify(jwt, key ?? createLocalJWKSet(set), { ...OPTIONS, ...options })
    return { payload, protectedHeader }
  } catch (error) {
    const { claim, reason } = error
    const code = error instanceof TypeError ? 'TypeError' : error.code
    return { code, ...(claim == null ? {} : { claim, reason }) }
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
  'an access token, and no typ was asked for': { jwt: mint({ header: { typ: 'at+jwt' }, lifetime: '12h' }) },
  'an access token by its whole media type, and no typ was asked for': { jwt: mint({ header: { typ: 'Application/AT+jwt' } }) },
  'the typ that was asked for by its whole media type': { jwt: mint({ header: { typ: 'at+jwt' } }), options: { typ: 'application/at+jwt' } },
  'an access token, and another typ was asked for': { jwt: mint({ header: { typ: 'at+jwt' } }), options: { typ: 'own+jwt' } },
  'an access token of another issuer, and no typ was asked for': { jwt: mint({ header: { typ: 'at+jwt' }, claims: { iss: 'https://x.example' } }) },
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
  'typ: JWT': { jwt: mint(), options: { typ: 'JWT' } },
  'typ: jwt, of application/JWT': { jwt: mint({ header: { typ: 'application/JWT' } }), options: { typ: 'jwt' } },
  'typ: JWT, and the token has none': { jwt: mint({ header: { typ: undefined } }), options: { typ: 'JWT' } },
  'typ: JWT, and the token has another': { jwt: mint({ header: { typ: 'at+jwt' } }), options: { typ: 'JWT' } },
  'a tolerance of 5 minutes': { jwt: mint({ issuedAt: NOW - 400 }), options: { clockTolerance: '5 minutes' } },
  'a tolerance of half a minute': { jwt: mint({ issuedAt: NOW - 325 }), options: { clockTolerance: '+ 0.5 Mins' } },
  'a tolerance of no length': { jwt: mint(), options: { clockTolerance: 'rubbish' } },
  'a tolerance without a unit': { jwt: mint(), options: { clockTolerance: '60' } },
  'a tolerance in the past': { jwt: mint(), options: { clockTolerance: '5 minutes ago' } },
  'a negative tolerance': { jwt: mint(), options: { clockTolerance: -5 } },
  'a tolerance that is no number': { jwt: mint(), options: { clockTolerance: NaN } },
  'a tolerance that is a flag': { jwt: mint(), options: { clockTolerance: true } },
  'an age of 1 hour': { jwt: mint(), options: { maxTokenAge: '1 hour' } },
  'an age of 2 years': { jwt: mint(), options: { maxTokenAge: '2 years' } },
  'an age of 10 secs, and too old': { jwt: mint({ issuedAt: NOW - 20 }), options: { maxTokenAge: '10 secs' } },
  'an age of no length': { jwt: mint(), options: { maxTokenAge: 'x' } },
  'a foreign algorithm among others': { jwt: mint(), options: { algorithms: ['ES256', 'XX999'] } },
  'foreign algorithms only': { jwt: mint(), options: { algorithms: ['XX999'] } },
  'foreign algorithms only, and no token': { jwt: 'rubbish', options: { algorithms: ['XX999'] } },
  'a secret’s algorithm among others': { jwt: mint(), options: { algorithms: ['HS256', 'ES256'] } },
  'no algorithm': { jwt: mint(), options: { algorithms: [] } },
  'algorithms: none': { jwt: mint({ header: { alg: 'none' } }), options: { algorithms: ['none'] } },
  'alg: none, and no algorithms named': { jwt: mint({ header: { alg: 'none' } }) },
  'alg: HS256, and no algorithms named': { jwt: mint({ header: { alg: 'HS256' } }) },
  'a foreign alg': { jwt: mint({ header: { alg: 'XX999' } }) },
  'a foreign alg that is allowed': { jwt: mint({ header: { alg: 'XX999' } }), options: { algorithms: ['XX999'] } },
  'EdDSA among algorithms': { jwt: mint(), options: { algorithms: ['EdDSA', 'ES256'] } },
  'Ed25519 where EdDSA is allowed': { jwt: ed.token({ sub: 'u1', aud: AUDIENCE, header: { typ: 'JWT' } }), set: ed.jwks(), options: { algorithms: ['EdDSA'] } },
  'Ed25519 where Ed25519 is allowed': { jwt: ed.token({ sub: 'u1', aud: AUDIENCE, header: { typ: 'JWT' } }), set: ed.jwks(), options: { algorithms: ['Ed25519'] } },
  'algorithms as a text': { jwt: mint(), options: { algorithms: 'ES256' } },
  'algorithms that are numbers': { jwt: mint(), options: { algorithms: [1] } },
  'a set without keys': { jwt: mint(), set: { keys: [] } },
  'a set of foreign keys': { jwt: mint(), set: { keys: [{ kty: 'what' }] } },
  'a set of keys for other algorithms': { jwt: mint(), set: rsa.jwks() },
  'a set of no keys': { jwt: mint(), set: { keys: [7] } },
  'a key twice': { jwt: mint(), set: { keys: [...jwks.keys, ...jwks.keys] } },
  'a required claim is missing': { jwt: mint({ claims: { there: 1 } }), options: { requiredClaims: ['there', 'tenant'] } },
  'no text': { jwt: 7 },
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
    [set, { ...OPTIONS, clockTolerance: 301 }],
    [null, OPTIONS],
    [undefined, OPTIONS],
  ]) {
    await assert.rejects(compat.jwtVerify(jwt, key, options), UsageError)
  }
  assert.throws(() => set(), UsageError)
  assert.throws(() => compat.createLocalJWKSet({}), { code: 'ERR_JWKS_INVALID' })
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

test('the size comes first: of what is too large nothing is decoded', async () => {
  const large = mint({ header: { alg: 'none', x: Array(300).fill('x'.repeat(60)) } })
  const set = compat.createLocalJWKSet(jwks)
  const huge = `${'e'.repeat(1 << 26)}.e30.`
  for (const jwt of [large, Buffer.from(large), huge]) {
    for (const algorithms of [undefined, ['ES256']]) {
      const parse = JSON.parse
      const parsed = []
      JSON.parse = (text, ...more) => (parsed.push(text), parse(text, ...more))
      try {
        await assert.rejects(compat.jwtVerify(jwt, set, { ...OPTIONS, algorithms }), ({ code, cause }) => code === 'ERR_JWS_INVALID' && cause.code === 'oversized')
      } finally {
        JSON.parse = parse
      }
      assert.ok(parsed.every((text) => String(text).length < 1 << 12))
    }
  }
})

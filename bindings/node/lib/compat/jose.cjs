'use strict'
// jose's `jwtVerify`, `createLocalJWKSet` and `createRemoteJWKSet` over a gate: same calls, same error
// codes.
//
// Where sealgate is stricter it stays so; test/compat-jose.test.mjs has the table.

const { KeyObject } = require('node:crypto')
const { types } = require('node:util')
const { checkOptions, checkToken, isPlain, kind } = require('../arguments.cjs')
const { FixedClock, clockHandle } = require('../clock.cjs')
const { SealgateError } = require('../errors.cjs').classes
const { usage } = require('../errors.cjs')
const { policyHandle } = require('../policy.cjs')
const { makeVerifier } = require('../verifier.cjs')
const errors = require('./jose-errors.cjs')
const { RemoteSet, outage } = require('./jose-remote.cjs')

/** What `createLocalJWKSet` and `createRemoteJWKSet` have returned; its JWK Set is `current`. */
const sets = new WeakMap()

/** A function as jose's sets are, which only this module can use. */
function makeSet(source) {
  const set = () => {
    throw usage('this key set is for jwtVerify of sealgate/compat/jose alone')
  }
  set.jwks = () => structuredClone(source.current)
  sets.set(set, source)
  return set
}

function createLocalJWKSet(jwks) {
  if (!isPlain(jwks) || !Array.isArray(jwks.keys)) throw new errors.JWKSInvalid('JSON Web Key Set malformed')
  return makeSet({ current: structuredClone(jwks), verify: (attempt) => attempt() })
}

function createRemoteJWKSet(url, options) {
  const source = new RemoteSet(url, options)
  const set = makeSet(source)
  set.reload = () => source.reload()
  for (const name of ['fresh', 'coolingDown', 'reloading']) {
    Object.defineProperty(set, name, { get: () => source[name], enumerable: true })
  }
  return set
}

const OPTIONS = [
  'issuer',
  'audience',
  'algorithms',
  'typ',
  'clockTolerance',
  'maxTokenAge',
  'requiredClaims',
  'currentDate',
]

/** Verifiers by key and options: a policy is read once, as jose imports a key once. */
const verifiers = new WeakMap()
/** A program has a few sets of options; one that makes them anew each time must not fill memory. */
const MOST = 32

async function jwtVerify(jwt, key, options) {
  checkToken(jwt)
  checkOptions(options, 'jwtVerify', OPTIONS)
  const { issuer, audience, currentDate, ...rest } = options ?? {}
  if (issuer === undefined || audience === undefined) {
    throw usage('jwtVerify: issuer and audience are required')
  }
  if (currentDate !== undefined && !(currentDate instanceof Date)) {
    throw usage('jwtVerify: currentDate must be a Date')
  }
  const attempt = () => verifyOnce(jwt, key, { issuer, audience, ...rest }, currentDate)
  const source = sets.get(key)
  return source === undefined ? attempt() : source.verify(attempt)
}

/** With the keys that are there. */
function verifyOnce(jwt, key, rules, currentDate) {
  const { clock, verify } = verifierFor(key, jwt, rules, currentDate)
  if (currentDate !== undefined) clock.set(Math.trunc(currentDate.getTime() / 1000))
  try {
    const token = verify(jwt)
    return {
      payload: JSON.parse(Buffer.from(token.payload).toString()),
      protectedHeader: structuredClone(token.header),
    }
  } catch (error) {
    throw SealgateError.is(error) ? errors.translate(error) : error
  }
}

function verifierFor(key, jwt, rules, currentDate) {
  const source = sets.get(key)
  const jwk = source === undefined ? jwkOf(key) : undefined
  let known = verifiers.get(key)
  if (known === undefined || known.size >= MOST) verifiers.set(key, (known = new Map()))
  const name = JSON.stringify([rules, currentDate !== undefined])
  let entry = known.get(name)
  if (entry === undefined) {
    const clock = currentDate === undefined ? undefined : new FixedClock(0)
    const policy = policyHandle(policyOf(rules), 'jwtVerify')
    const { keys, verify } = makeVerifier(policy, clockHandle(clock, 'jwtVerify'))
    entry = { clock, verify, keys, kid: NONE, set: undefined }
    known.set(name, entry)
  }
  if (source !== undefined && entry.set !== source.current) {
    // Published, since a set may hold keys for others; in a policy they would be a mistake.
    publishSet(entry.keys, source)
    entry.set = source.current
  }
  if (jwk !== undefined) {
    // A key that is given alone goes by whatever name the token uses.
    const kid = kidOf(jwt)
    if (kid !== entry.kid) {
      // A key that may serve several algorithms is bound to the one that is allowed.
      const alg = jwk.alg ?? (rules.algorithms?.length === 1 ? rules.algorithms[0] : undefined)
      entry.keys.publish('jose', { keys: [{ ...jwk, kid, alg }] })
      entry.kid = kid
    }
  }
  return entry
}

function publishSet(keys, source) {
  try {
    keys.publish('jose', source.current)
  } catch (error) {
    // A set that was given is the caller's mistake, one that was fetched is not.
    throw source instanceof RemoteSet ? outage('the fetched set has no key that can be used', error) : error
  }
}

/** Before a key has a name; no header has it. */
const NONE = Symbol('none')

/** The header's `kid`, unverified. */
function kidOf(jwt) {
  const text = typeof jwt === 'string' ? jwt : Buffer.from(jwt).toString('latin1')
  try {
    const header = JSON.parse(Buffer.from(text.split('.', 1)[0], 'base64url').toString())
    return typeof header?.kid === 'string' ? header.kid : undefined
  } catch {
    return undefined
  }
}

/** A key that is given alone, as a JWK. */
function jwkOf(key) {
  if (types.isCryptoKey(key)) key = KeyObject.from(key)
  const jwk = types.isKeyObject(key) && key.type === 'public' ? key.export({ format: 'jwk' }) : key
  if (types.isUint8Array(key) || jwk?.kty === 'oct' || jwk?.type === 'secret') {
    throw usage('jwtVerify: a shared secret goes into a policy: keys = [{ secret = { env = "NAME" }, … }]')
  }
  if (!isPlain(jwk) || typeof jwk.kty !== 'string') {
    const known = 'what createLocalJWKSet returns, a JWK, a public KeyObject or CryptoKey'
    throw usage(`jwtVerify: the key is ${known}, not ${kind(key)}`)
  }
  return jwk
}

function policyOf({ issuer, audience, algorithms, typ, clockTolerance, maxTokenAge, requiredClaims }) {
  const seconds = (value) => (typeof value === 'number' ? `${value}s` : value)
  // Access tokens by their name are a kind of their own (RFC 9068).
  const profile = typ === 'at+jwt' ? 'access_token' : 'jwt_custom'
  return {
    version: 1,
    preset: 'rfc',
    leeway: seconds(clockTolerance ?? 0), // jose's default
    issuers: { jose: { issuer, algorithms, profiles: [profile], jwks_push: 'process' } },
    gates: {
      jose: {
        profile,
        audience,
        issuers: ['jose'],
        typ: profile === 'jwt_custom' ? typ : undefined,
        max_age: seconds(maxTokenAge),
        required_claims: requiredClaims,
        delegation: 'surface', // jose reads no `act`
      },
    },
  }
}

module.exports = { createLocalJWKSet, createRemoteJWKSet, errors: errors.classes, jwtVerify }

'use strict'
// jose's `jwtVerify`, `createLocalJWKSet` and `createRemoteJWKSet` over a gate: same calls, same error
// codes.
//
// Where sealgate is stricter it stays so; test/compat-jose.test.mjs has the table.

const { KeyObject } = require('node:crypto')
const { types } = require('node:util')
const { checkOptions, checkToken, isPlain, kind } = require('../arguments.cjs')
const { verifyJws } = require('../jws.cjs')
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
  const entry = verifierFor(key, rules, currentDate)
  const { clock, verify } = entry
  if (currentDate !== undefined) clock.set(Math.trunc(currentDate.getTime() / 1000))
  try {
    if (entry.jwk !== undefined) nameKey(entry, jwt)
    const token = verify(jwt)
    return {
      payload: JSON.parse(Buffer.from(token.payload).toString()),
      protectedHeader: structuredClone(token.header),
    }
  } catch (error) {
    throw SealgateError.is(error) ? errors.translate(error) : error
  }
}

function verifierFor(key, rules, currentDate) {
  const source = sets.get(key)
  const jwk = source === undefined ? jwkOf(key) : undefined
  let known = verifiers.get(key)
  if (known === undefined || known.size >= MOST) verifiers.set(key, (known = new Map()))
  const name = JSON.stringify([rules, currentDate !== undefined])
  let entry = known.get(name)
  if (entry === undefined) {
    const clock = currentDate === undefined ? undefined : new FixedClock(0)
    const policy = policyHandle(policyOf(rules), 'jwtVerify')
    const verifier = makeVerifier(policy, clockHandle(clock, 'jwtVerify'))
    const { keys, verify } = verifier
    const { algorithms } = verifier.policy.effective().issuers.jose
    entry = { clock, verify, keys, algorithms, jwk: undefined, set: undefined }
    if (jwk !== undefined) {
      // A key that may serve several algorithms is bound to the one that is allowed.
      const alg = jwk.alg ?? (rules.algorithms?.length === 1 ? rules.algorithms[0] : undefined)
      publishKey(entry, { ...jwk, alg })
    }
    known.set(name, entry)
  }
  if (source !== undefined && entry.set !== source.current) {
    // Published, since a set may hold keys for others; in a policy they would be a mistake.
    publishSet(entry.keys, source)
    entry.set = source.current
  }
  return entry
}

function publishKey(entry, jwk) {
  entry.keys.publish('jose', { keys: [jwk] })
  entry.jwk = jwk
}

/**
 * A key that is given alone goes by whatever name the token uses. Only who has the key can rename it:
 * that ends what the cache knows, which no stranger may.
 */
function nameKey(entry, jwt) {
  const kid = kidOf(jwt)
  if (kid === entry.jwk.kid) return
  const jwk = { ...entry.jwk, kid }
  try {
    verifyJws(jwt, jwk, { algorithms: entry.algorithms })
  } catch (error) {
    if (error.code === 'bad_signature') throw error
    return // what else is wrong with it, the gate says
  }
  publishKey(entry, jwk)
}

function publishSet(keys, source) {
  try {
    keys.publish('jose', source.current)
  } catch (error) {
    // A set that was given is the caller's mistake, one that was fetched is not.
    throw source instanceof RemoteSet ? outage('the fetched set has no key that can be used', error) : error
  }
}

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

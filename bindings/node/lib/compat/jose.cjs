'use strict'
// jose's `jwtVerify`, `createLocalJWKSet` and `createRemoteJWKSet` over a gate: same calls, same error
// codes.
//
// Where sealgate is stricter it stays so; test/compat-jose.test.mjs has the table.

const { KeyObject } = require('node:crypto')
const { types } = require('node:util')
const native = require('../native.cjs')
const { isPlain, isToken, kind } = require('../arguments.cjs')
const { inspect, verifyJws } = require('../jws.cjs')
const { FixedClock, clockHandle } = require('../clock.cjs')
const { SealgateError } = require('../errors.cjs').classes
const { refused, usage } = require('../errors.cjs')
const { policyHandle } = require('../policy.cjs')
const { makeVerifier } = require('../verifier.cjs')
const errors = require('./jose-errors.cjs')
const { KNOWN, isAccessToken, isPlainJwt, policyOf, rulesOf, usable } = require('./jose-options.cjs')
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
  if (!isPlain(jwks) || !Array.isArray(jwks.keys) || !jwks.keys.every(isPlain)) throw new errors.JWKSInvalid('JSON Web Key Set malformed')
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

/** Verifiers by key and options: a policy is read once, as jose imports a key once. */
const verifiers = new WeakMap()
/** A program has a few sets of options; one that makes them anew each time must not fill memory. */
const MOST = 32

/** Of a token: the limit of these gates, whose policies say none. */
const MOST_BYTES = native.usualTokenSize()

async function jwtVerify(jwt, key, options) {
  const { rules, currentDate } = rulesOf(options)
  if (!isToken(jwt)) throw new errors.JWSInvalid('Compact JWS must be a string or Uint8Array')
  const attempt = () => verifyOnce(jwt, key, rules, currentDate)
  const source = sets.get(key)
  return source === undefined ? attempt() : source.verify(attempt)
}

/**
 * The rules for this token. jose looks at `typ` where it is asked for: an access token passes for what it says
 * it is, whoever asks for nothing. Other kinds do not, since they are for other readers.
 */
function rulesFor(jwt, rules) {
  return rules.typ === undefined && isAccessToken(headerOf(jwt).typ) ? { ...rules, typ: 'at+jwt' } : rules
}

/** With the keys that are there. */
function verifyOnce(jwt, key, asked, currentDate) {
  let rules = asked
  try {
    if (jwt.length > MOST_BYTES) throw refused({ code: 'oversized' }) // before any of it is decoded
    rules = rulesFor(jwt, asked)
    checkAlgorithm(jwt, key, rules)
    const entry = verifierFor(key, rules, currentDate)
    if (currentDate !== undefined) entry.clock.set(Math.trunc(currentDate.getTime() / 1000))
    if (entry.jwk !== undefined) nameKey(entry, jwt)
    const token = entry.verify(jwt)
    if (isPlainJwt(rules.typ) && !isPlainJwt(token.header.typ)) throw refused({ code: 'typ_mismatch' })
    return {
      payload: JSON.parse(Buffer.from(token.payload).toString()),
      protectedHeader: structuredClone(token.header),
    }
  } catch (error) {
    throw SealgateError.is(error) ? translate(error, jwt, key, rules) : error
  }
}

/** What algorithms there are is told by a list of names, where they may be anybody's. */
function checkAlgorithm(jwt, key, rules) {
  const { algorithms } = rules
  const { alg } = headerOf(jwt)
  if (algorithms === undefined || (usable(rules).length > 0 && algorithms.includes(alg) && KNOWN.has(alg))) return
  if (!sets.has(key)) jwkOf(key) // what is no key is told first
  inspect(jwt) // and then what is no token
  throw refused({ code: 'alg_not_allowed' })
}

function translate(error, jwt, key, { algorithms, requiredClaims }) {
  const { code } = error
  // An algorithm that nobody has excluded is one that jose does not know either.
  if (code === 'alg_not_allowed' && (algorithms?.includes(headerOf(jwt).alg) ?? true)) {
    return new errors.JOSENotSupported('Unsupported "alg" value for a JSON Web Key Set', { cause: error })
  }
  // A set that was given has no key for this token; one that was fetched may be out of order.
  if (code === 'keys_unavailable' && sets.has(key) && !(sets.get(key) instanceof RemoteSet)) {
    return new errors.JWKSNoMatchingKey('no applicable key found in the JSON Web Key Set', { cause: error })
  }
  // By its name among those that the caller has asked for.
  const missing = code === 'missing_claim' && error.claim === null
  const { claims } = missing ? inspect(jwt) : {}
  return errors.translate(error, missing ? requiredClaims?.find((name) => !Object.hasOwn(claims, name)) : undefined)
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
  const { kid } = headerOf(jwt)
  if (kid !== undefined && typeof kid !== 'string') return
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
  } catch (cause) {
    if (isAmbiguous(source.current)) {
      throw new errors.JWKSMultipleMatchingKeys('multiple matching keys found in the JSON Web Key Set', { cause })
    }
    if (source instanceof RemoteSet) throw outage('the fetched set has no key that can be used', cause)
    throw new errors.JWKSNoMatchingKey('no applicable key found in the JSON Web Key Set', { cause })
  }
}

/** Whether two keys of a set would both be a token's. */
function isAmbiguous({ keys }) {
  const names = keys.map(({ kid, kty, alg }) => JSON.stringify([kid, kty, alg]))
  return new Set(names).size < names.length
}

/** The header, unverified; an empty one where there is none. */
function headerOf(jwt) {
  const text = typeof jwt === 'string' ? jwt : Buffer.from(jwt).toString('latin1')
  try {
    const header = JSON.parse(Buffer.from(text.split('.', 1)[0], 'base64url').toString())
    return isPlain(header) ? header : {}
  } catch {
    return {}
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

module.exports = { createLocalJWKSet, createRemoteJWKSet, errors: errors.classes, jwtVerify }

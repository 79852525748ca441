// Who takes part: each checks signature, `exp`, `nbf`, issuer and audience of the same tokens, with a
// key that was parsed once where the library allows it.
import { createSecretKey } from 'node:crypto'
import { createRequire } from 'node:module'
import nodeRs from '@node-rs/jsonwebtoken'
import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier } from 'fast-jwt'
import * as jose from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { AUDIENCE, ISSUER } from './tokens.mjs'

/** A policy over this issuer's key set, with a cache of `tokens` entries. */
function policyOf({ alg, jwk }, tokens) {
  const profile = alg === 'HS256' ? 'jwt_custom' : 'access_token'
  return {
    version: 1,
    preset: 'rfc',
    cache: { tokens },
    issuers: {
      corp: {
        issuer: ISSUER,
        algorithms: [alg === 'EdDSA' ? 'Ed25519' : alg],
        profiles: [profile],
        jwks: { keys: [jwk] },
      },
    },
    gates: { tools: { profile, audience: AUDIENCE, issuers: ['corp'], delegation: 'surface' } },
  }
}

const inside = createRequire(createRequire(import.meta.url).resolve('sealgate'))

/** A gate of ours, by the package's inside, since HS256 takes its secret from a file or variable elsewhere. */
export function gate(issuer, tokens) {
  const policy = inside('./policy.cjs').policyHandle(policyOf(issuer, tokens), 'gate', { allowTestKeys: true })
  return inside('./verifier.cjs').makeVerifier(policy).gate('tools')
}

/** The core's verifications of these tokens, one by one in one call: all that JavaScript adds is left out. */
export function core(issuer, tokens) {
  const native = inside('./native.cjs')
  const policy = native.loadPolicy('json', JSON.stringify(policyOf(issuer, 0)), false, true, false)
  const { door } = native.gate(native.open(policy), 'tools')
  const input = native.batchInput()
  native.batchRead(input, tokens, 0, tokens.length)
  return () => {
    if (native.verifyOneByOne(door, input) !== tokens.length) throw new Error('refused')
  }
}

/** Synchronous verifications by name; each returns the claims or what holds them. */
export function sync(issuer) {
  const { alg, jwk, pem, secret, publicKey } = issuer
  const key = pem ?? secret
  const { verify } = gate(issuer, 0)
  const all = { sealgate: verify }
  all['sealgate, claims read'] = (token) => verify(token).claims
  all['fast-jwt'] = createVerifier({ key, algorithms: [alg], allowedIss: ISSUER, allowedAud: AUDIENCE, cache: false })
  if (alg !== 'EdDSA') {
    const options = { algorithms: [alg], issuer: ISSUER, audience: AUDIENCE }
    const parsed = publicKey ?? createSecretKey(secret)
    all.jsonwebtoken = (token) => jsonwebtoken.verify(token, parsed, options)
  }
  const rsOptions = { algorithms: [alg], iss: [ISSUER], aud: [AUDIENCE], validateExp: true, validateNbf: true }
  all['@node-rs/jsonwebtoken'] = (token) => nodeRs.verifySync(token, key, rsOptions)
  if (alg !== 'HS256') {
    const aws = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/jwks` })
    aws.cacheJwks({ keys: [jwk] })
    all['aws-jwt-verify'] = (token) => aws.verifySync(token)
  }
  return all
}

/** Asynchronous ones; `sealgate` is synchronous and has nothing to wait for. */
export function concurrent(issuer) {
  const { alg, jwk, pem, secret } = issuer
  const { verify } = gate(issuer, 0)
  // jose has no key sets of secrets.
  const set = secret ? createSecretKey(secret) : jose.createLocalJWKSet({ keys: [jwk] })
  const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: [alg] }
  const rsOptions = { algorithms: [alg], iss: [ISSUER], aud: [AUDIENCE], validateExp: true, validateNbf: true }
  return {
    sealgate: async (token) => verify(token),
    jose: (token) => jose.jwtVerify(token, set, options),
    '@node-rs/jsonwebtoken': (token) => nodeRs.verify(token, pem ?? secret, rsOptions),
  }
}

/** Verifications of tokens seen before. */
export function cached(issuer, entries) {
  const { alg, pem, secret } = issuer
  const { verify } = gate(issuer, entries)
  const fast = createVerifier({
    key: pem ?? secret,
    algorithms: [alg],
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    cache: entries,
    cacheTTL: 3_600_000,
  })
  return { verify, fast }
}

// DPoP requests (RFC 9449): one bound access token, seen before, and a fresh proof each time. All check token
// and proof: signatures, times, issuer, audience, binding, method, URI, hash of the token.
import { createHash } from 'node:crypto'
import * as jose from 'jose'
import * as oauth from 'oauth4webapi'
import { Verifier } from 'sealgate'
import { b64u, compactJws, issuer } from './tokens.mjs'

const ISSUER = 'https://login.example.com'
const ORIGIN = 'https://api.example.com'
const URI = '/mcp'
const AUDIENCE = ORIGIN + URI

/** Requests that are made before the clock starts: here a proof is used once. */
const REQUESTS = 12_000

export async function requests(alg) {
  const from = issuer('ES256')
  const client = issuer(alg)
  const { kty, crv, x, y } = client.jwk
  const jwk = y === undefined ? { kty, crv, x } : { kty, crv, x, y }
  const jkt = await jose.calculateJwkThumbprint(jwk)
  const token = from.mint(1, { cnf: { jkt }, aud: AUDIENCE })
  const ath = createHash('sha256').update(token).digest('base64url')
  const iat = Math.trunc(Date.now() / 1000)
  // Proofs go by the algorithm's new name, which all here know.
  const header = { typ: 'dpop+jwt', alg: alg === 'EdDSA' ? 'Ed25519' : alg, jwk }
  const proofs = Array.from({ length: REQUESTS }, (_, n) =>
    compactJws(header, { jti: b64u(`proof-${n}`), htm: 'POST', htu: AUDIENCE, iat, ath }, client.sign)
  )
  return { from, token, proofs }
}

/** Each answers the nth request. */
export function contestants({ from, token, proofs }) {
  const policy = {
    version: 1,
    preset: 'rfc',
    issuers: { corp: { issuer: ISSUER, algorithms: ['ES256'], jwks: { keys: [from.jwk] } } },
    gates: { tools: { profile: 'access_token', audience: AUDIENCE, issuers: ['corp'], delegation: 'surface', public_url: ORIGIN, sender_constrained: 'required' } },
    dpop: { max_age: '300s' },
    replay: { store: 'process' },
  }
  const gate = Verifier.fromPolicy(policy).gate('tools')
  let used = 0
  const authorization = `DPoP ${token}`
  const raw = (proof) => ['Host', 'api.example.com', 'Accept', '*/*', 'Authorization', authorization, 'DPoP', proof]
  const nodes = proofs.map((proof) => ({ method: 'POST', uri: URI, headers: raw(proof) }))
  const fetched = proofs.slice(0, 256).map((dpop) => new Request(AUDIENCE, { method: 'POST', headers: { authorization, dpop } }))

  const set = jose.createLocalJWKSet({ keys: [from.jwk] })
  const byHand = async (n) => {
    const proof = proofs[n % proofs.length]
    const { payload } = await jose.jwtVerify(token, set, { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt', algorithms: ['ES256'] })
    const { payload: shown, protectedHeader } = await jose.jwtVerify(proof, jose.EmbeddedJWK, {
      typ: 'dpop+jwt', maxTokenAge: 300, clockTolerance: 30, algorithms: ['ES256', 'Ed25519'],
    })
    const ath = createHash('sha256').update(token).digest('base64url')
    const bound = (await jose.calculateJwkThumbprint(protectedHeader.jwk)) === payload.cnf.jkt
    if (!bound || shown.ath !== ath || shown.htm !== 'POST' || shown.htu !== AUDIENCE) throw new Error('refused')
    return payload
  }
  const server = { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` }
  const cache = { jwks: { keys: [from.jwk] }, uat: Math.trunc(Date.now() / 1000) }
  const options = { requireDPoP: true, [oauth.jwksCache]: cache }
  return {
    sealgate: () => gate.verifyRequest(nodes[used++]),
    'jose, by hand': byHand,
    oauth4webapi: (n) => oauth.validateJwtAccessToken(server, fetched[n % 256], AUDIENCE, options),
  }
}

// What the tests share: one issuer, one gate, a clock that stands still.
import { FakeIssuer, FixedClock, open } from 'sealgate/testing'

export const NOW = 1_800_000_000
export const AUDIENCE = 'https://api.example.com/mcp'
export const ISSUER = 'https://login.example.com'

export function world({ gate = {}, document = {}, alg = 'ES256' } = {}) {
  const clock = new FixedClock(NOW)
  const corp = new FakeIssuer(ISSUER, { clock, alg })
  const policy = {
    version: 1,
    issuers: { corp: { issuer: ISSUER, algorithms: [alg], jwks_push: 'process' } },
    gates: { tools: { profile: 'access_token', audience: AUDIENCE, issuers: ['corp'], delegation: 'surface', ...gate } },
    ...document,
  }
  const verifier = open(policy, { issuers: { corp }, clock })
  const token = (more) => corp.token({ sub: 'u1', aud: AUDIENCE, scope: 'mcp:use', ...more })
  return { clock, corp, policy, verifier, gate: verifier.gate('tools'), token }
}

/** What a call throws. */
export function thrown(call) {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

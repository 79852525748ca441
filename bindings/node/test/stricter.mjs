// Where sealgate/compat/jose is stricter than jose: a token, what jose answers to it, what we do.
// compat-jose.test.mjs and compat-jose-remote.test.mjs check each, and readme.test.mjs that the README prints this table.
import { FakeAgent, FakeIssuer, FixedClock } from 'sealgate/testing'
import { AUDIENCE, ISSUER, NOW } from './world.mjs'

export const clock = new FixedClock(NOW)
export const corp = new FakeIssuer(ISSUER, { clock })
export const mint = ({ header, claims, ...more } = {}) =>
  corp.token({ sub: 'u1', aud: AUDIENCE, header: { typ: 'JWT', ...header }, claims, ...more })

export const STRICTER = {
  'an access token (typ: at+jwt) without client_id': { jwt: mint({ header: { typ: 'at+jwt' }, claims: { client_id: undefined } }), options: { typ: 'at+jwt' }, jose: 'accepted', ours: 'ERR_JWT_CLAIM_VALIDATION_FAILED' },
  'the same, where no typ is asked for': { jwt: mint({ header: { typ: 'at+jwt' }, claims: { client_id: undefined } }), jose: 'accepted', ours: 'ERR_JWT_CLAIM_VALIDATION_FAILED' },
  'no exp': { jwt: mint({ claims: { exp: undefined } }), jose: 'accepted', ours: 'ERR_JWT_CLAIM_VALIDATION_FAILED' },
  'a typ of another kind of token': { jwt: mint({ header: { typ: 'dpop+jwt' } }), jose: 'accepted', ours: 'ERR_JWT_CLAIM_VALIDATION_FAILED' },
  'a member twice': { jwt: corp.sign(`{"iss":"${ISSUER}","aud":"${AUDIENCE}","exp":${NOW + 300},"sub":"a","sub":"b"}`), jose: 'accepted', ours: 'ERR_JWT_INVALID' },
  'iat in the future': { jwt: mint({ issuedAt: NOW + 100 }), jose: 'accepted', ours: 'ERR_JWT_CLAIM_VALIDATION_FAILED' },
  'a claim of the wrong type': { jwt: mint({ claims: { sub: 7 } }), jose: 'accepted', ours: 'ERR_JWT_CLAIM_VALIDATION_FAILED' },
  'a token bound to a key': { jwt: mint({ bindTo: new FakeAgent('agent') }), jose: 'accepted', ours: 'ERR_JWT_CLAIM_VALIDATION_FAILED' },
  'actors that act in a circle': { jwt: mint({ act: [{ sub: 'a' }, { sub: 'a' }] }), jose: 'accepted', ours: 'ERR_JWT_CLAIM_VALIDATION_FAILED' },
  'larger than 16 KiB': { jwt: mint({ claims: { x: Array(300).fill('x'.repeat(60)) } }), jose: 'accepted', ours: 'ERR_JWS_INVALID' },
  'spare bits in the signature': { jwt: spareBits(mint()), jose: 'accepted', ours: 'ERR_JWS_INVALID' },
}

/** Answers with a document: a text as it is, anything else as JSON. */
export const document = (body) => (response) =>
  response.writeHead(200).end(typeof body === 'string' ? body : JSON.stringify(body))

/** The same of fetched sets: what their server answers, what both libraries make of it. */
export const STRICTER_REMOTE = {
  'a fetched set without a usable key': { answer: document({ keys: [] }), jose: 'ERR_JWKS_NO_MATCHING_KEY', ours: 'keys_unavailable' },
  'a key server that hangs up': { answer: (response) => response.destroy(), jose: 'TypeError', ours: 'keys_unavailable' },
  'a fetched set with a member twice': { answer: document(`{"keys":[],"keys":${JSON.stringify(corp.jwks().keys)}}`), jose: 'accepted', ours: 'ERR_JWKS_INVALID' },
  'a fetched answer that is no JSON': { answer: document('{'), jose: 'ERR_JOSE_GENERIC', ours: 'ERR_JWKS_INVALID' },
  'a fetched set larger than 1 MiB': { answer: document({ keys: corp.jwks().keys, x: 'x'.repeat(1 << 20) }), jose: 'accepted', ours: 'ERR_JOSE_GENERIC' },
}

/** The same octets, spelled otherwise: the last character has bits that decode to nothing. */
function spareBits(jwt) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return jwt.slice(0, -1) + alphabet[alphabet.indexOf(jwt.at(-1)) + 1]
}


'use strict'
// For users' own tests: their real policy, with issuers and agents whose keys the test holds.

const { createHash } = require('node:crypto')
const native = require('./native.cjs')
const { checkOptions, checkString, isPlain, kind } = require('./arguments.cjs')
const { FixedClock, clockHandle, millis } = require('./clock.cjs')
const { refused, usage } = require('./errors.cjs')
const { inspect } = require('./jws.cjs')
const { policyHandle } = require('./policy.cjs')
const { makeVerifier } = require('./verifier.cjs')

/** A key that a name and a number stand for, the same in every run; RSA keys are always fresh. */
function makeKey(algorithm, kid, ...seed) {
  const key = native.signingKey(algorithm, kid, digest(...seed))
  if (typeof key === 'string') throw refused(JSON.parse(key))
  return key
}

function digest(...seed) {
  return createHash('sha256').update(JSON.stringify(['sealgate/testing', ...seed])).digest()
}

function encode(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return Buffer.from(text).toString('base64url')
}

/** Has an issuer publish its keys through this function, now and whenever they change. */
let subscribe

class FakeIssuer {
  #clock
  #seed
  #made = 0
  #minted = 0
  // What is published, the signing key last.
  #keys = []
  #subscribers = new Set()

  constructor(issuer, options) {
    this.issuer = checkString(issuer, 'FakeIssuer: the issuer')
    const names = ['clock', 'seed', 'alg']
    const { clock, seed = 0, alg = 'ES256' } = checkOptions(options, 'FakeIssuer', names)
    clockHandle(clock, 'FakeIssuer')
    this.#clock = clock
    this.alg = alg
    this.#seed = seed
    this.#addKey()
    if (new.target === FakeIssuer) Object.freeze(this)
  }

  static async serve(options) {
    const names = ['issuer', 'clock', 'seed', 'alg']
    return require('./served.cjs').serve(checkOptions(options, 'FakeIssuer.serve', names))
  }

  static {
    subscribe = (issuer, publish) => {
      publish(issuer.jwks())
      issuer.#subscribers.add(publish)
    }
  }

  #addKey() {
    const kid = `key-${++this.#made}`
    this.#keys.push({ kid, key: makeKey(this.alg, kid, this.issuer, this.#seed, this.#made) })
  }

  #publish() {
    for (const publish of this.#subscribers) publish(this.jwks())
  }

  /** The `kid` it signs with. */
  get kid() {
    return this.#keys.at(-1)?.kid
  }

  jwks() {
    return { keys: this.#keys.map(({ key }) => JSON.parse(native.publicJwk(key))) }
  }

  /** Signs with a new key from now on; the old ones stay published. */
  rotate() {
    this.#addKey()
    this.#publish()
    return this.kid
  }

  /** Takes a key back. */
  withdraw(kid) {
    const keys = this.#keys.filter((entry) => entry.kid !== kid)
    if (keys.length === this.#keys.length) throw usage(`no key ${JSON.stringify(kid)} is published`)
    this.#keys = keys
    this.#publish()
  }

  /** An access token (RFC 9068), unless the options say otherwise. */
  token(options) {
    const { header, ...rest } = checkOptions(options, 'FakeIssuer.token', TOKEN_OPTIONS)
    return this.sign(this.#claims(rest), { typ: 'at+jwt', ...header })
  }

  /** A compact JWS over any claims, or over a text that is none. */
  sign(payload, header) {
    const signer = this.#keys.at(-1)
    if (signer === undefined) throw usage('every key was withdrawn')
    const input = `${encode({ alg: this.alg, kid: signer.kid, ...header })}.${encode(payload)}`
    return `${input}.${native.sign(signer.key, Buffer.from(input)).toString('base64url')}`
  }

  #claims({ sub, aud, scope, act = [], bindTo, lifetime = '5m', clientId, jti, issuedAt, notBefore, claims }) {
    const actors = act.map(({ iss = this.issuer, sub }) => ({ iss, sub }))
    const iat = issuedAt ?? now(this.#clock)
    const made = {
      iss: this.issuer,
      sub,
      aud,
      client_id: clientId ?? actors[0]?.sub ?? sub,
      jti: jti ?? `jti-${++this.#minted}`,
      iat,
      nbf: notBefore,
      exp: iat + Math.trunc(millis(lifetime) / 1000),
      scope,
      act: actors.reduceRight((inner, actor) => (inner ? { ...actor, act: inner } : actor), undefined),
      cnf: bindTo && { jkt: bindTo.jkt },
    }
    return { ...made, ...claims }
  }
}

const TOKEN_OPTIONS = [
  'sub',
  'aud',
  'scope',
  'act',
  'bindTo',
  'lifetime',
  'clientId',
  'jti',
  'issuedAt',
  'notBefore',
  'claims',
  'header',
]

class FakeAgent {
  #clock
  #key

  constructor(sub, options) {
    this.sub = checkString(sub, 'FakeAgent: the sub')
    const { clock, iss, seed = 0 } = checkOptions(options, 'FakeAgent', ['clock', 'iss', 'seed'])
    clockHandle(clock, 'FakeAgent')
    if (iss !== undefined) this.iss = checkString(iss, 'FakeAgent: iss')
    this.#clock = clock
    this.#key = native.prover(digest(sub, seed))
    this.jkt = native.proverThumbprint(this.#key)
    Object.freeze(this)
  }

  headers(method, url, token, options) {
    const { nonce } = checkOptions(options, 'FakeAgent.headers', ['nonce'])
    if (boundTo(token) !== this.jkt) return [['Authorization', `Bearer ${token}`]]
    const proof = native.prove(this.#key, method, `${url}`, token, now(this.#clock), nonce)
    return [
      ['Authorization', `DPoP ${token}`],
      ['DPoP', proof],
    ]
  }

  /** Presents a token at a gate; the verdict. */
  call(gate, method, uri, token) {
    const { origin } = opened.get(gate) ?? {}
    const url = origin ? new URL(uri, origin) : uri
    return gate.judgeRequest({ method, uri, headers: this.headers(method, url, token) })
  }
}

/** The `cnf.jkt` of a token, unverified. */
function boundTo(token) {
  try {
    return inspect(token).claims.cnf?.jkt
  } catch {
    return undefined
  }
}

const now = (clock) => clock?.now() ?? Math.trunc(Date.now() / 1000)

/** What `refusals` must know of a gate: whose tokens it takes, and what they look like. */
const opened = new WeakMap()

function open(source, options) {
  const names = ['issuers', 'clock', 'allowDanger']
  const { issuers = {}, clock, allowDanger } = checkOptions(options, 'open', names)
  if (!isPlain(issuers)) throw usage(`open: the issuers are an object, not ${kind(issuers)}`)
  const fakes = Object.entries(issuers)
  const flags = { allowDanger, allowTestKeys: true, pushAllKeys: fakes.length > 0 }
  const policy = policyHandle(source, 'open', flags)
  const verifier = makeVerifier(policy, clockHandle(clock, 'open'), flags)
  const { issuers: rules, gates } = verifier.policy.effective()
  for (const [name, fake] of fakes) {
    if (!(fake instanceof FakeIssuer)) throw usage(`open: issuers.${name} must be a FakeIssuer`)
    if (rules[name] && ![rules[name].issuer].flat().includes(fake.issuer)) {
      throw usage(`open: the policy says that ${name} is ${rules[name].issuer}, not ${fake.issuer}`)
    }
    subscribe(fake, (jwks) => verifier.keys.publish(name, jwks))
  }
  for (const name of verifier.gates) {
    const issuer = gates[name].issuers.map((known) => issuers[known]).find(Boolean)
    opened.set(verifier.gate(name), { issuer, clock, rules: gates[name], origin: gates[name].public_url })
  }
  return verifier
}

/** Every refusal that this gate gives for a request or its token, each with a request that meets it. */
function* refusals(gate) {
  const { issuer, clock, rules, origin } = opened.get(gate) ?? {}
  if (issuer === undefined) throw usage('refusals takes a gate of `open` with a FakeIssuer')
  const options = {
    sub: 'somebody',
    aud: [rules.audience].flat()[0],
    scope: rules.required_scopes.join(' '),
  }
  const raw = issuer.token(options)
  const good = gate.judge(raw)
  if (!good.ok) throw usage(`refusals knows access tokens; this gate answers ${good.code} to one`)
  const agent = new FakeAgent('refused', { clock })
  const bound = issuer.token({ ...options, bindTo: agent })
  for (const [code, request] of requests(raw, agent.headers('PUT', new URL('/', origin ?? 'https://a.example'), bound))) {
    const { uri = '/', headers } = request
    const verdict = gate.judgeRequest({ method: 'GET', uri, headers: Object.entries(headers) })
    if (verdict.code === code) yield [code, new Refusal(uri, headers, verdict.error)]
  }
  for (const [code, token] of attempts(issuer, options, clock ?? new FixedClock(good.token.issuedAt))) {
    const headers = { authorization: `Bearer ${token}` }
    const verdict = gate.judgeRequest({ method: 'GET', uri: '/', headers: Object.entries(headers) })
    if (verdict.code === code) yield [code, new Refusal('/', headers, verdict.error, token)]
  }
}

/** Codes, each with a request that earns it: what it lacks or has twice, and a proof for another method. */
function requests(good, proven) {
  const authorization = `Bearer ${good}`
  return [
    ['no_token', { headers: {} }],
    ['multiple_credentials', { headers: { authorization: `${authorization}, ${authorization}` } }],
    ['token_in_query', { uri: `/?access_token=${good}`, headers: { authorization } }],
    ['malformed_request', { headers: { authorization: 'Bearer' } }],
    ['pop_invalid', { headers: Object.fromEntries(proven) }],
  ]
}

/** Codes, each with a token that earns it where the gate's rules allow the code at all. */
function attempts(issuer, options, clock) {
  const now = clock.now()
  const token = (more) => issuer.token({ ...options, ...more })
  const good = token()
  const [header, payload, signature] = good.split('.')
  const changed = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`
  const stranger = new FakeIssuer(`${issuer.issuer}/stranger`, { clock })
  const agents = ['agent-1', 'agent-2', 'agent-3', 'agent-4', 'agent-5', 'agent-6']
  const act = (...names) => names.map((sub) => ({ sub }))
  return [
    ['malformed_token', good.slice(1)],
    ['oversized', 'A'.repeat(1 << 17)],
    ['nesting_too_deep', issuer.sign(`{"x":${'['.repeat(300)}${']'.repeat(300)}}`, { typ: 'at+jwt' })],
    ['duplicate_member', issuer.sign('{"sub":"a","sub":"b"}', { typ: 'at+jwt' })],
    ['unsupported_serialization', JSON.stringify({ payload })],
    ['unsupported_crit', token({ header: { crit: ['x'], x: 1 } })],
    ['encrypted_not_supported', `${encode({ alg: 'dir', enc: 'A256GCM' })}..${payload}.${payload}.${payload}`],
    ['alg_not_allowed', token({ header: { alg: 'none' } })],
    ['key_not_found', token({ header: { kid: 'nobody-has-this-key' } })],
    ['bad_signature', `${header}.${payload}.${changed}`],
    ['typ_mismatch', token({ header: { typ: 'dpop+jwt' } })],
    ['missing_claim', token({ claims: { exp: undefined } })],
    ['claim_type', token({ claims: { exp: 'tomorrow' } })],
    ['forbidden_claim', token({ claims: { nonce: 'n', at_hash: 'h', events: {} } })],
    ['iss_untrusted', stranger.token(options)],
    ['aud_mismatch', token({ aud: 'https://another.example' })],
    ['expired', token({ issuedAt: now - 900 })],
    ['not_yet_valid', token({ notBefore: now + 900, lifetime: '30m' })],
    ['issued_in_future', token({ issuedAt: now + 900 })],
    ['too_old', token({ issuedAt: now - 86_400, lifetime: '2d' })],
    ['lifetime_too_long', token({ lifetime: '400d' })],
    ['pop_required', token({ bindTo: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' } })],
    ['actor_malformed', token({ claims: { act: null } })],
    ['chain_too_deep', token({ act: act(...agents) })],
    ['chain_loop', token({ act: act('agent-1', 'agent-2', 'agent-1') })],
    ['actor_not_allowed', token({ act: act('agent-1') })],
    ['insufficient_scope', token({ scope: '' })],
    ['insufficient_user_authentication', token({ claims: { acr: 'nobody-asks-for-this' } })],
  ]
}

/** A request that is refused, and the answer it must get. */
class Refusal {
  constructor(uri, headers, error, token) {
    this.method = 'GET'
    this.uri = uri
    this.token = token
    this.headers = headers
    this.httpStatus = error.httpStatus
    Object.freeze(this)
  }
}

module.exports = { FakeAgent, FakeIssuer, FixedClock, open, refusals }

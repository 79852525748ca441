'use strict'
// For users' own tests: their real policy, with issuers and agents whose keys the test holds.

const native = require('./native.cjs')
const { checkOptions, checkString, isPlain, kind } = require('./arguments.cjs')
const { FixedClock, clockHandle, millis } = require('./clock.cjs')
const { refused, usage } = require('./errors.cjs')
const { doorOf } = require('./gate.cjs')
const { inspect } = require('./jws.cjs')
const { policyHandle } = require('./policy.cjs')
const { makeVerifier } = require('./verifier.cjs')

/** What the native half made, unless it tells why it did not. */
function made(handle) {
  if (typeof handle === 'string') throw refused(JSON.parse(handle))
  return handle
}

/** Members that replace others; one that is `undefined` is left out, as `null` is. */
function changes(members = {}) {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, value ?? null]))
}

/** Has an issuer publish its keys through this function, now and whenever they change. */
let subscribe

/** What the core knows an issuer by. */
let fakeOf

class FakeIssuer {
  #fake
  #subscribers = new Set()

  constructor(issuer, options) {
    this.issuer = checkString(issuer, 'FakeIssuer: the issuer')
    const { clock, seed, alg, name } = checkOptions(options, 'FakeIssuer', ['clock', 'seed', 'alg', 'name'])
    this.#fake = made(native.fakeIssuer(issuer, clockHandle(clock, 'FakeIssuer'), seed, alg, name))
    this.alg = native.fakeAlg(this.#fake)
    if (new.target === FakeIssuer) Object.freeze(this)
  }

  static async serve(options) {
    const names = ['issuer', 'clock', 'seed', 'alg', 'name']
    return require('./served.cjs').serve(checkOptions(options, 'FakeIssuer.serve', names))
  }

  static {
    subscribe = (issuer, publish) => {
      publish(issuer.jwks())
      issuer.#subscribers.add(publish)
    }
    fakeOf = (issuer) => issuer.#fake
  }

  #publish() {
    for (const publish of this.#subscribers) publish(this.jwks())
  }

  /** The `kid` it signs with. */
  get kid() {
    return native.fakeKid(this.#fake)
  }

  jwks() {
    return JSON.parse(native.fakeJwks(this.#fake))
  }

  /** Signs with a new key from now on; `keep` old ones stay published. */
  rotate(options) {
    const { keep } = checkOptions(options, 'FakeIssuer.rotate', ['keep'])
    const kid = native.fakeRotate(this.#fake, keep)
    this.#publish()
    return kid
  }

  /** Takes a key back. */
  withdraw(kid) {
    if (!native.fakeWithdraw(this.#fake, kid)) throw usage(`no key ${JSON.stringify(kid)} is published`)
    this.#publish()
  }

  /** An access token (RFC 9068), unless the options say otherwise. */
  token(options) {
    const given = checkOptions(options, 'FakeIssuer.token', TOKEN_OPTIONS)
    const { aud = [], act = [], bindTo, lifetime, clientId, jti, issuedAt, notBefore, claims, header, ...told } = given
    if (lifetime !== undefined) told.lifetime_millis = millis(lifetime)
    const own = changes(claims)
    if (jti !== undefined) own.jti ??= jti
    if (notBefore !== undefined) own.nbf ??= notBefore
    return compact(native.fakeToken(
      this.#fake,
      JSON.stringify({
        ...told,
        aud: [aud].flat(),
        act: [act].flat().map(link),
        jkt: bindTo?.jkt,
        client_id: clientId,
        issued_at: issuedAt,
        claims: own,
        header: changes(header),
      })
    ))
  }

  /** A compact JWS over any claims, or over a text that is none. */
  sign(payload, header) {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
    return compact(native.fakeSign(this.#fake, text, JSON.stringify(header ?? {})))
  }
}

/** A compact JWS, unless it is what was wrong with what it was to say. */
function compact(text) {
  if (text.startsWith('{')) throw refused(JSON.parse(text))
  return text
}

/** One actor of a chain: an agent, a `sub`, or both of its names. */
function link(actor) {
  if (typeof actor === 'string') return { sub: actor }
  if (typeof actor !== 'object' || actor === null) throw usage(`FakeIssuer.token: an actor of act is ${kind(actor)}`)
  return { iss: actor.iss, sub: actor.sub }
}

const TOKEN_OPTIONS = [
  'sub',
  'aud',
  'scope',
  'act',
  'bindTo',
  'lifetime',
  'clientId',
  'typ',
  'jti',
  'issuedAt',
  'notBefore',
  'claims',
  'header',
]

class FakeAgent {
  #fake

  constructor(sub, options) {
    this.sub = checkString(sub, 'FakeAgent: the sub')
    const { clock, iss, seed, alg } = checkOptions(options, 'FakeAgent', ['clock', 'iss', 'seed', 'alg'])
    if (iss !== undefined) this.iss = checkString(iss, 'FakeAgent: iss')
    this.#fake = made(native.fakeAgent(sub, clockHandle(clock, 'FakeAgent'), seed, alg))
    this.jkt = native.agentJkt(this.#fake)
    Object.freeze(this)
  }

  headers(method, url, token, options) {
    const { nonce } = checkOptions(options, 'FakeAgent.headers', ['nonce'])
    if (boundTo(token) !== this.jkt) return [['Authorization', `Bearer ${token}`]]
    const proof = compact(native.agentProve(this.#fake, JSON.stringify({ method, url: `${url}`, token, nonce })))
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

/** Of the gates of `open`: the fakes of their verifier, and where clients reach them. */
const opened = new WeakMap()

function open(source, options) {
  const names = ['issuers', 'clock', 'allowDanger']
  const { issuers = {}, clock, allowDanger } = checkOptions(options, 'open', names)
  if (!isPlain(issuers)) throw usage(`open: the issuers are an object, not ${kind(issuers)}`)
  const fakes = Object.entries(issuers)
  const flags = { allowDanger, pushAllKeys: true }
  const policy = policyHandle(source, 'open', flags)
  const verifier = makeVerifier(policy, clockHandle(clock, 'open'), flags)
  const { issuers: rules, gates } = verifier.policy.effective()
  const known = native.fakes()
  for (const [name, fake] of fakes) {
    if (!(fake instanceof FakeIssuer)) throw usage(`open: issuers.${name} must be a FakeIssuer`)
    if (rules[name] && ![rules[name].issuer].flat().includes(fake.issuer)) {
      throw usage(`open: the policy says that ${name} is ${rules[name].issuer}, not ${fake.issuer}`)
    }
    native.addFake(known, name, fakeOf(fake))
    subscribe(fake, (jwks) => verifier.keys.publish(name, jwks))
  }
  for (const name of verifier.gates) {
    opened.set(verifier.gate(name), { known, origin: gates[name].public_url })
  }
  return verifier
}

/** Every code that this gate gives, each with what makes requests that give it. */
function refusals(gate, options) {
  const { method, uri } = checkOptions(options, 'refusals', ['method', 'uri'])
  const found = foundAt(gate, method, uri)
  const { reachable } = JSON.parse(native.refusalCodes(found))
  return reachable.map(([code, httpStatus], place) => [code, callOf(found, place, code, httpStatus)])
}

/** Every code that this gate does not give, each with the reason. */
function unreachable(gate) {
  return Object.fromEntries(JSON.parse(native.refusalCodes(foundAt(gate))).unreachable)
}

function foundAt(gate, method, uri) {
  const { known } = opened.get(gate) ?? {}
  if (known === undefined) throw usage('refusals takes a gate of `open`')
  return made(native.refusals(doorOf(gate), known, method, uri))
}

const MADE = ['method', 'uri', 'headers', 'token', 'context', 'clientCertificate', 'proof', 'tool', 'answerHeaders', 'answerBody']

/** A function that makes one request; its properties are those of a request made for each. */
function callOf(found, place, code, httpStatus) {
  const call = () => {
    const request = JSON.parse(native.refusalCall(found, place))
    if (request.method === undefined) throw refused(request)
    const { clientCertificate } = request
    return Object.freeze({ code, ...request, clientCertificate: clientCertificate && Buffer.from(clientCertificate) })
  }
  const made = MADE.map((name) => [name, { get: () => call()[name], enumerable: true }])
  const fixed = { code, httpStatus }
  const constant = Object.entries(fixed).map(([name, value]) => [name, { value, enumerable: true }])
  return Object.freeze(Object.defineProperties(call, Object.fromEntries([...constant, ...made])))
}

module.exports = { FakeAgent, FakeIssuer, FixedClock, open, refusals, unreachable }

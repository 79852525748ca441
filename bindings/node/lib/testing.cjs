'use strict'
// For users' own tests: their real policy, with issuers and agents whose keys the test holds.

const { types } = require('node:util')
const native = require('./native.cjs')
const { checkOptions, isPlain } = require('./arguments.cjs')
const { FixedClock, clockOf } = require('./clock.cjs')
const { refused, usage } = require('./errors.cjs')
const { doorOf } = require('./gate.cjs')
const { policyHandle, wrapPolicy } = require('./policy.cjs')
const { check, members, need, toJson, wrong } = require('./told.cjs')
const { makeVerifier } = require('./verifier.cjs')

/** What the native half made, unless it tells why it did not. */
function made(handle) {
  if (typeof handle === 'string') throw refused(JSON.parse(handle))
  return handle
}

/** A text of the native half, unless it is what was wrong with what it was told. */
function compact(text) {
  if (text.startsWith('{')) throw refused(JSON.parse(text))
  return text
}

/** The handle of the clock of a call; none of none. */
function handleOf(call, clock) {
  const handle = clockOf(clock)
  if (clock !== undefined && clock !== null && handle === undefined) throw wrong(call, 'clock', 'clock', clock)
  return handle
}

/** What a fake is told, as JSON. */
function withMembers(call, told, claims, header) {
  const texts = [members(call, 'claims', claims), members(call, 'header', header)]
  return `${JSON.stringify(told).slice(0, -1)},"claims":${texts[0]},"header":${texts[1]}}`
}

/** What is left of `null`s, which are as good as not given. */
const orNone = (value) => value ?? undefined

/** Has an issuer publish its keys through this function, now and whenever they change. */
let subscribe

/** What the core knows an issuer by. */
let fakeOf

class FakeIssuer {
  #fake
  #clock
  #subscribers = new Set()

  constructor(issuer, options) {
    const call = 'FakeIssuer'
    need(call, 'text', { issuer })
    const { clock, seed, alg, name } = checkOptions(options, call, ['clock', 'seed', 'alg', 'name'])
    const handle = handleOf(call, clock)
    check(call, 'count', { seed })
    check(call, 'algorithm', { alg })
    check(call, 'text', { name })
    this.#clock = clock ?? null
    this.#fake = made(native.fakeIssuer(issuer, handle, orNone(seed), orNone(alg), orNone(name)))
    this.issuer = issuer
    this.alg = native.fakeAlg(this.#fake)
    if (new.target === FakeIssuer) Object.freeze(this)
  }

  static async serve(options) {
    const call = 'FakeIssuer.serve'
    const given = checkOptions(options, call, ['issuer', 'clock', 'seed', 'alg', 'name'])
    check(call, 'text', { issuer: given.issuer })
    return require('./served.cjs').serve(given)
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

  /** What its tokens are dated by; `null`: the system's. */
  get clock() {
    return this.#clock
  }

  /** The `kid` it signs with. */
  get kid() {
    return native.fakeKid(this.#fake)
  }

  now() {
    return native.fakeNow(this.#fake)
  }

  jwks() {
    return JSON.parse(native.fakeJwks(this.#fake))
  }

  /** Signs with a new key from now on; `keep` old ones stay published. */
  rotate(options) {
    const { keep } = checkOptions(options, 'FakeIssuer.rotate', ['keep'])
    check('FakeIssuer.rotate', 'count', { keep })
    const kid = native.fakeRotate(this.#fake, orNone(keep))
    this.#publish()
    return kid
  }

  /** Takes a key back. */
  withdraw(kid) {
    need('FakeIssuer.withdraw', 'text', { kid })
    if (!native.fakeWithdraw(this.#fake, kid)) throw usage(`FakeIssuer.withdraw: no key of this kid is published: ${kid}`)
    this.#publish()
  }

  /** An access token (RFC 9068), unless the options say otherwise. */
  token(options) {
    const call = 'FakeIssuer.token'
    const given = checkOptions(options, call, TOKEN_OPTIONS)
    const { sub, aud, scope, clientId, act, bindTo, lifetime, typ, jti, issuedAt, notBefore, claims, header } = given
    check(call, 'text', { sub, scope, clientId, typ, jti })
    check(call, 'seconds', { issuedAt, notBefore })
    check(call, 'texts', { aud })
    check(call, 'duration', { lifetime })
    if (!Array.isArray(act ?? [])) throw wrong(call, 'act', 'actors', act)
    const told = {
      sub,
      aud: [aud ?? []].flat(),
      scope,
      client_id: clientId,
      act: (act ?? []).map((actor) => link(call, actor)),
      ...holder(call, bindTo),
      jti,
      issued_at: issuedAt,
      not_before: notBefore,
      lifetime_millis: typeof lifetime === 'string' ? native.duration(lifetime) : undefined,
      typ,
    }
    return compact(native.fakeToken(this.#fake, withMembers(call, told, claims, header)))
  }

  /** A compact JWS over any claims, or over a text or bytes that are none. */
  sign(payload, header) {
    const call = 'FakeIssuer.sign'
    need(call, 'payload', { payload })
    const octets = Buffer.from(isPlain(payload) ? toJson(call, 'payload', payload) : payload)
    if (types.isUint8Array(header)) return compact(native.fakeSignAs(this.#fake, octets, Buffer.from(header)))
    return compact(native.fakeSign(this.#fake, octets, members(call, 'header', header)))
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
  'typ',
  'jti',
  'issuedAt',
  'notBefore',
  'claims',
  'header',
]

/** One actor of a chain: an agent, a `sub`, or both of its names. */
function link(call, actor) {
  if (typeof actor === 'string') return { sub: actor }
  if (actor instanceof FakeAgent) return { sub: actor.sub, iss: actor.iss }
  const isLink = isPlain(actor) && Object.keys(actor).every((name) => name === 'iss' || name === 'sub')
  if (!isLink || typeof actor.sub !== 'string' || typeof (actor.iss ?? '') !== 'string') {
    throw wrong(call, 'each of act', 'actors', actor)
  }
  return { sub: actor.sub, iss: actor.iss }
}

/** What a token is bound to: an agent's key, or a certificate. */
function holder(call, bound) {
  if (bound === undefined || bound === null) return {}
  if (bound instanceof FakeAgent) return { jkt: bound.jkt }
  if (!types.isUint8Array(bound)) throw wrong(call, 'bindTo', 'holder', bound)
  return { certificate: [...bound] }
}

class FakeAgent {
  #fake

  constructor(sub, options) {
    const call = 'FakeAgent'
    need(call, 'text', { sub })
    const { clock, iss, seed, alg } = checkOptions(options, call, ['clock', 'iss', 'seed', 'alg'])
    check(call, 'text', { iss })
    const handle = handleOf(call, clock)
    check(call, 'count', { seed })
    check(call, 'key_pair', { alg })
    this.sub = sub
    this.iss = iss ?? null
    this.clock = clock ?? null
    this.#fake = made(native.fakeAgent(sub, handle, orNone(seed), orNone(alg)))
    this.jkt = native.agentJkt(this.#fake)
    Object.freeze(this)
  }

  /** A new copy of what stands for its client certificate. */
  get certificate() {
    return native.agentCertificate(this.#fake)
  }

  proof(method, url, token, options) {
    const call = 'FakeAgent.proof'
    const { nonce, issuedAt, claims, header } = checkOptions(options, call, ['nonce', 'issuedAt', 'claims', 'header'])
    if (url instanceof URL) url = url.href
    need(call, 'text', { method, url })
    check(call, 'text', { token, nonce })
    check(call, 'seconds', { issuedAt })
    const told = { method, url, token, nonce, issued_at: issuedAt }
    return compact(native.agentProve(this.#fake, withMembers(call, told, claims, header)))
  }

  headers(gate, method, uri, token, options) {
    const call = 'FakeAgent.headers'
    return this.#headers(call, gate, method, uri, token, checkOptions(options, call, ['nonce']))
  }

  #headers(call, gate, method, uri, token, { nonce }) {
    const door = doorOf(gate)
    if (door === undefined) throw wrong(call, 'gate', 'gate', gate)
    if (uri instanceof URL) uri = uri.href
    need(call, 'text', { method, uri, token })
    check(call, 'text', { nonce })
    return JSON.parse(compact(native.agentHeaders(this.#fake, door, method, uri, token, orNone(nonce))))
  }

  /** Presents a token at a gate; the verdict. */
  call(gate, method, uri, token, options) {
    const call = 'FakeAgent.call'
    const { nonce, context, clientCertificate, ...asked } = checkOptions(options, call, CALL_OPTIONS)
    const headers = this.#headers(call, gate, method, uri, token, { nonce })
    return gate.judgeRequest({ method, uri: `${uri}`, headers, context, clientCertificate }, asked)
  }
}

const CALL_OPTIONS = ['nonce', 'requiredScopes', 'operation', 'approved', 'context', 'clientCertificate']

/** The fakes of the verifier of each gate of `open`. */
const opened = new WeakMap()

function open(source, options) {
  const names = ['issuers', 'clock', 'allowDanger']
  const { issuers = {}, clock, allowDanger } = checkOptions(options, 'open', names)
  need('open', 'issuers', { issuers })
  const fakes = Object.entries(issuers)
  if (!fakes.every(([, fake]) => fake instanceof FakeIssuer)) throw wrong('open', 'issuers', 'issuers', issuers)
  const handle = handleOf('open', clock)
  const flags = { allowDanger, pushAllKeys: true }
  const policy = policyHandle(source, 'open', flags)
  const verifier = makeVerifier(policy, handle, flags)
  const { issuers: rules } = verifier.policy.effective()
  const known = native.fakes()
  for (const [name, fake] of fakes) {
    if (rules[name] === undefined) throw usage(`open: the policy has no issuer ${name}`)
    const written = [rules[name].issuer].flat()
    if (!written.includes(fake.issuer)) {
      throw usage(`open: the policy says that ${name} is ${written.join(' or ')}, not ${fake.issuer}`)
    }
    if ((fake.clock === null) !== (handle === undefined)) {
      throw usage(`open: ${name} and the verifier go by different clocks; give both the same one`)
    }
    native.addFake(known, name, fakeOf(fake))
    subscribe(fake, (jwks) => verifier.keys.publish(name, jwks))
  }
  for (const name of verifier.gates) opened.set(verifier.gate(name), known)
  return verifier
}

function policy(source, options) {
  const { allowDanger } = checkOptions(options, 'policy', ['allowDanger'])
  return wrapPolicy(policyHandle(source, 'policy', { allowDanger, allowTestKeys: true }))
}

/** Every code that this gate gives, each with what makes requests that give it. */
function refusals(gate, options) {
  const { method, uri } = checkOptions(options, 'refusals', ['method', 'uri'])
  const found = foundAt('refusals', gate, method, uri)
  const { reachable } = JSON.parse(native.refusalCodes(found))
  return reachable.map(([code, httpStatus], place) => [code, callOf(found, place, code, httpStatus)])
}

/** Every code that this gate does not give, each with the reason. */
function unreachable(gate) {
  return Object.fromEntries(JSON.parse(native.refusalCodes(foundAt('unreachable', gate))).unreachable)
}

function foundAt(call, gate, method, uri) {
  const known = opened.get(gate)
  if (known === undefined) throw wrong(call, 'gate', 'open_gate', gate)
  check(call, 'text', { method, uri })
  return made(native.refusals(doorOf(gate), known, orNone(method), orNone(uri)))
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

module.exports = { FakeAgent, FakeIssuer, FixedClock, open, policy, refusals, unreachable }

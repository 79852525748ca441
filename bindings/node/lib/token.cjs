'use strict'
// Verified tokens: handles whose content is decoded when it is first looked at.

const { inspect } = require('node:util')
const native = require('./native.cjs')
const { checkOptions, kind, operation, scopes, toCamel } = require('./arguments.cjs')
const { refusedInFull, usage } = require('./errors.cjs')

/** Whoever has it may make tokens; nobody else does. */
const SECRET = Symbol('verified')

let withClaims, handleOf

class VerifiedToken {
  /** Verdicts, or undefined while it is one of a page and nobody has looked at it. */
  #own
  #page
  #index
  #subject
  #facts
  #claims

  constructor(secret, verdicts, page, index, claims) {
    if (secret !== SECRET) throw usage('a VerifiedToken is made by verifying')
    this.#own = verdicts
    this.#page = page
    this.#index = index
    this.#claims = claims
    Object.preventExtensions(this)
  }

  static {
    withClaims = (token, claims) => new VerifiedToken(SECRET, token.#verdicts, undefined, token.#index, claims)
    /** What the native half knows of a token: verdicts, and a place among them. */
    handleOf = (token, call) => {
      if (typeof token !== 'object' || token === null || !(#own in token)) {
        throw usage(`${call}: the token is a VerifiedToken, not ${kind(token)}`)
      }
      return [token.#verdicts, token.#index]
    }
  }

  /** Whoever looks at a token keeps it, perhaps for long: it lets go of its page. */
  get #verdicts() {
    if (this.#own === undefined) {
      this.#own = native.alone(this.#page, this.#index)
      this.#page = undefined
      this.#index = 0
    }
    return this.#own
  }

  get #all() {
    if (this.#facts === undefined) {
      const facts = JSON.parse(native.facts(this.#verdicts, this.#index))
      facts.chain = facts.chain.map((actor) => new Actor(SECRET, actor))
      this.#facts = deepFreeze(facts)
    }
    return this.#facts
  }

  get subject() {
    return (this.#subject ??= native.subject(this.#verdicts, this.#index))
  }

  get issuer() {
    return this.#all.issuer
  }

  get issuerName() {
    return this.#all.issuerName
  }

  get clientId() {
    return this.#all.clientId
  }

  get jwtId() {
    return this.#all.jwtId
  }

  get audience() {
    return this.#all.audience
  }

  get issuedAt() {
    return this.#all.issuedAt
  }

  get notBefore() {
    return this.#all.notBefore
  }

  get expiresAt() {
    return this.#all.expiresAt
  }

  get scopes() {
    return this.#all.scopes
  }

  get authorizationDetails() {
    return this.#all.authorizationDetails
  }

  get chain() {
    return this.#all.chain
  }

  get delegated() {
    return this.#all.delegated
  }

  get lineage() {
    return this.#all.lineage
  }

  get unproven() {
    return this.#all.unproven
  }

  get senderConstrained() {
    return this.#all.senderConstrained
  }

  get subjectKind() {
    return this.#all.subjectKind
  }

  get profile() {
    return this.#all.profile
  }

  get gate() {
    return this.#all.gate
  }

  get header() {
    return this.#all.header
  }

  get snapshot() {
    return this.#all.snapshot
  }

  get revocation() {
    return this.#all.revocation
  }

  get responseHeaders() {
    return this.#all.responseHeaders
  }

  get statusChecked() {
    return this.#all.statusChecked
  }
  get verifiedBy() {
    return this.#all.verifiedBy
  }
  get introspectedAt() {
    return this.#all.introspectedAt
  }

  get replayReach() {
    return this.#all.replayReach
  }

  get actor() {
    return this.#all.chain[0] ?? null
  }

  get claims() {
    return (this.#claims ??= deepFreeze(JSON.parse(native.claims(this.#verdicts, this.#index))))
  }

  get payload() {
    return native.payload(this.#verdicts, this.#index)
  }

  hasScope(...names) {
    if (names.length === 0 || !names.every((name) => typeof name === 'string')) {
      throw usage('hasScope takes one scope or more, as strings')
    }
    return native.hasScopes(this.#verdicts, this.#index, names)
  }

  require(options) {
    const needs = checkOptions(options, 'require', ['requiredScopes', 'operation'])
    const needed = scopes(needs.requiredScopes, 'require') ?? ''
    const refusal = native.require(this.#verdicts, this.#index, needed, operation(needs.operation, 'require'))
    if (refusal !== null) throw refusedInFull(refusal)
    return this
  }

  toDict() {
    const { actor, chain, ...told } = JSON.parse(native.wholeToken(this.#verdicts, this.#index))
    return { ...inCamel(told), actor: actor && inCamel(actor), chain: chain.map(inCamel) }
  }

  auditRecord() {
    return JSON.parse(native.auditRecord(this.#verdicts, this.#index))
  }

  toJSON() {
    const { gate, issuerName, profile, chain } = this.#all
    return { gate, issuerName, profile, depth: chain.length }
  }

  [inspect.custom](_depth, options) {
    return `VerifiedToken ${inspect(this.toJSON(), options)}`
  }
}

class Actor {
  constructor(secret, { iss, sub, issInferred, subProfile, claims }) {
    if (secret !== SECRET) throw usage('an Actor is made by verifying')
    Object.assign(this, { iss, sub, issInferred, subProfile, claims })
  }

  equals(other) {
    return other instanceof Actor && other.iss === this.iss && other.sub === this.sub
  }
}

for (const made of [VerifiedToken, Actor]) {
  Object.freeze(made.prototype)
  Object.freeze(made)
}

/** The token at this index of verdicts. */
function makeToken(verdicts, index) {
  return new VerifiedToken(SECRET, verdicts, undefined, index)
}

/** The token at this index of a page. */
function makeTokenOf(page, index) {
  return new VerifiedToken(SECRET, undefined, page, index)
}

/** The same token with its claims as the application's schema makes them (Standard Schema). */
function fit(token, schema) {
  const result = schema['~standard'].validate(token.claims)
  if (typeof result?.then === 'function') {
    result.then(undefined, () => {}) // its end is nobody's business any more
    throw usage('into must validate synchronously; this schema answers with a promise')
  }
  if (result.issues) {
    const [step] = result.issues[0]?.path ?? []
    const claim = typeof step === 'object' && step !== null ? step.key : step
    throw refusedInFull(native.misfit(...handleOf(token)), { claim: claim?.toString() })
  }
  return withClaims(token, result.value)
}

/** The members of an object under the names that JavaScript has for them. */
function inCamel(object) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [toCamel(name), value]))
}

function deepFreeze(value) {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}

module.exports = { Actor, VerifiedToken, deepFreeze, fit, handleOf, makeToken, makeTokenOf }

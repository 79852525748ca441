'use strict'
// What can be revoked, and revoking it.

const native = require('./native.cjs')
const { checkOptions, checkString, kind, toCamel } = require('./arguments.cjs')
const { WAITS, millis } = require('./clock.cjs')
const { refused, usage } = require('./errors.cjs')
const { handleOf } = require('./token.cjs')

/** The names of a handle's two parts, by kind: whose it is, and its name there. */
const PARTS = new Map(JSON.parse(native.handleKinds()).map(([kind, ...parts]) => [kind, parts]))

/** Lets this file alone make a handle. */
const SECRET = Symbol('named')

class Handle {
  /** Kind and parts, as the native half takes them. */
  #native

  constructor(secret, kind, parts) {
    if (secret !== SECRET) throw usage('write Handle.actor({ iss, sub }), or another of its makers')
    this.#native = [kind, ...parts]
    this.kind = kind
    for (const [index, name] of PARTS.get(kind).entries()) if (name !== null) this[toCamel(name)] = parts[index]
    Object.freeze(this)
  }

  static {
    for (const [kind, names] of PARTS) {
      const call = `Handle.${toCamel(kind)}`
      const known = names.filter((name) => name !== null).map(toCamel)
      const make = (named) => {
        const given = checkOptions(named, call, known)
        const parts = names.map((name) => (name === null ? '' : checkString(given[toCamel(name)], `${call}: ${toCamel(name)}`)))
        return new Handle(SECRET, kind, parts)
      }
      Object.defineProperty(this, toCamel(kind), { value: make })
    }
    Object.freeze(this.prototype)
  }

  /** The handle that the native half names so. */
  static ofParts([kind, ...parts]) {
    return new Handle(SECRET, kind, parts)
  }

  /** What the native half takes in place of a handle. */
  static partsOf(handle, call) {
    if (!(typeof handle === 'object' && handle !== null && #native in handle)) {
      throw usage(`${call}: a Handle, not ${kind(handle)}`)
    }
    return handle.#native
  }
}
const { ofParts, partsOf } = Handle
delete Handle.ofParts
delete Handle.partsOf

/**
 * What became of an event, with its changes as programs have them. They name people: whoever logs the
 * whole, or writes it as JSON, does not show them by accident.
 */
function withChanges({ changes, ...told }) {
  const made = changes?.map(({ handle, ...change }) => Object.freeze({ ...change, handle: ofParts(handle) }))
  const shown = { ...told, entries: made?.length ?? null }
  return Object.freeze(Object.defineProperty(shown, 'changes', { value: Object.freeze(made ?? []) }))
}

/** A number as text, else one that is none: the native half, which knows what seconds there are, tells why. */
function seconds(value) {
  if (value === undefined) return undefined
  return typeof value === 'number' ? String(value) : ''
}

/** `verifier.revocations`; `events` are the verifier's. */
function makeRevocations(engine, events) {
  const told = (text) => {
    const receipt = JSON.parse(text)
    if (receipt.code) throw refused(receipt)
    return Object.freeze(receipt)
  }

  function revoke(handle, options) {
    const { cutoff, expires, reason } = checkOptions(options, 'revoke', ['cutoff', 'expires', 'reason'])
    if (reason !== undefined) checkString(reason, 'revoke: reason')
    const until = cutoff === 'now' ? cutoff : seconds(cutoff)
    return told(native.revoke(engine, partsOf(handle, 'revoke'), until, seconds(expires), reason))
  }

  function lift(handle) {
    return told(native.lift(engine, partsOf(handle, 'lift')))
  }

  function apply(eventToken) {
    const [verdicts, index] = handleOf(eventToken, 'apply')
    return withChanges(told(native.applyEvent(engine, verdicts, index)))
  }

  async function flush(options) {
    const { timeout } = checkOptions(options, 'flush', ['timeout'])
    const wait = timeout === undefined ? WAITS.flush : millis(timeout)
    let flushed
    const look = () => (flushed = native.isFlushed(engine))
    events.watch() // before it is asked: whoever is told no is told of it once that is over
    if (!look()) await events.until(look, wait)
    return flushed
  }

  function store() {
    const state = native.storeState(engine)
    return state === null ? null : Object.freeze(JSON.parse(state))
  }

  return Object.freeze({
    revoke,
    lift,
    apply,
    flush,
    store,
    get epoch() {
      return Number(native.revocationEpoch(engine))
    },
  })
}

module.exports = { Handle, makeRevocations, withChanges }

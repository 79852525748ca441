'use strict'
// Verifiers: a policy and a clock put together, and the gates of the policy.

const native = require('./native.cjs')
const { checkOptions, checkString, isPlain, json, kind, toMembers } = require('./arguments.cjs')
const { WAITS, clockHandle, millis } = require('./clock.cjs')
const { policyRefused, refused, usage } = require('./errors.cjs')
const { Events } = require('./events.cjs')
const { makeGate } = require('./gate.cjs')
const { policyHandle, singleHandle, wrapPolicy } = require('./policy.cjs')
const { makeReceiver } = require('./receiver.cjs')
const { makeRevocations } = require('./revocations.cjs')
const { deepFreeze } = require('./token.cjs')

/** Lets this package alone make a verifier of a policy's handle. */
const SECRET = Symbol('opened')

let makeVerifier

class Verifier {
  #engine
  #events
  #gates = new Map()
  #only
  #keys
  #revocations

  constructor(secret, policy, clock) {
    if (secret !== SECRET) throw usage('write Verifier.create({ … }) or Verifier.fromPolicy(…)')
    const engine = native.open(policy, clock)
    if (typeof engine === 'string') throw policyRefused(JSON.parse(engine))
    this.#engine = engine
    this.#events = new Events(engine)
    this.#keys = makeKeys(engine)
    this.#revocations = makeRevocations(engine, this.#events)
    Object.freeze(this)
  }

  static create(options) {
    if (!isPlain(options)) {
      throw usage(`Verifier.create: the options must be an object, not ${kind(options)}`)
    }
    const { clock, allowDanger, ...members } = options
    const handle = clockHandle(clock, 'Verifier.create')
    return makeVerifier(singleHandle(toMembers(members), { allowDanger }), handle)
  }

  static fromPolicy(source, options) {
    const call = 'Verifier.fromPolicy'
    const { clock, ...flags } = checkOptions(options, call, ['clock', 'allowDanger'])
    const handle = clockHandle(clock, call)
    return makeVerifier(policyHandle(source, call, flags), handle)
  }

  static {
    makeVerifier = (policy, clock) => new Verifier(SECRET, policy, clock)
    for (const call of [
      'verify',
      'judge',
      'verifyAsync',
      'judgeAsync',
      'verifyChain',
      'checkOutbound',
      'verifyRequest',
      'judgeRequest',
      'verifyRequestAsync',
      'judgeRequestAsync',
      'verifyBatch',
      'verifyBatchSync',
      'explain',
      'explainRequest',
      'trace',
      'resourceMetadata',
    ]) {
      Object.defineProperty(Verifier.prototype, call, {
        get() {
          return this.#gate()[call]
        },
      })
    }
  }

  /** The one gate, or one that says why there is none. */
  #gate() {
    if (this.#only === undefined) {
      const names = this.gates
      if (names.length === 1) {
        this.#only = this.gate(names[0])
      } else {
        const choose = () => {
          const text = `the policy has several gates: choose one with verifier.gate(name)`
          throw usage(`${text}; there are: ${names.join(', ')}`)
        }
        this.#only = new Proxy({}, { get: () => choose })
      }
    }
    return this.#only
  }

  get gates() {
    return native.gateNames(this.#engine)
  }

  gate(name) {
    checkString(name, 'the name of a gate')
    const known = this.#gates.get(name)
    if (known !== undefined) return known.gate
    const made = makeGate(this.#engine, name, this.#events)
    if (made === undefined) {
      throw usage(`no gate ${JSON.stringify(name)}; there are: ${this.gates.join(', ')}`)
    }
    this.#gates.set(name, made)
    return made.gate
  }

  get keys() {
    return this.#keys
  }

  get revocations() {
    return this.#revocations
  }

  receiver(gate, options) {
    return makeReceiver(this.#engine, gate, options)
  }

  async waitReady(options) {
    const { timeout } = checkOptions(options, 'waitReady', ['timeout'])
    const wait = timeout === undefined ? WAITS.ready : millis(timeout)
    let outage
    const ready = () => (outage = native.notReady(this.#engine)) === null
    // Listening first: what ends before the next look is seen by it, and what ends after it is told.
    this.#events.watch()
    if (!ready()) await this.#events.until(ready, wait)
    if (outage !== null) throw refused(JSON.parse(outage))
  }

  on(name, listener) {
    this.#events.on(name, listener)
    return this
  }

  once(name, listener) {
    this.#events.once(name, listener)
    return this
  }

  off(name, listener) {
    this.#events.off(name, listener)
    return this
  }

  get policy() {
    return wrapPolicy(native.currentPolicy(this.#engine))
  }

  reload(source) {
    const permits = JSON.parse(native.permits(this.#engine))
    const problems = native.reload(this.#engine, policyHandle(source, 'reload', permits))
    if (problems !== null) throw policyRefused(JSON.parse(problems))
    this.#only = undefined
    for (const { release } of this.#gates.values()) release()
    this.#events.wake() // the new policy may answer at once what was waited for
  }

  stats() {
    return JSON.parse(native.stats(this.#engine))
  }

  close() {
    this.#events.warn()
    native.closeEngine(this.#engine)
    this.#events.close()
  }
}

if (Symbol.dispose) {
  Object.defineProperty(Verifier.prototype, Symbol.dispose, { value: Verifier.prototype.close })
}

/** `verifier.keys`. */
function makeKeys(engine) {
  function publish(name, jwks) {
    checkString(name, 'keys.publish: the issuer name')
    if (!isPlain(jwks)) throw usage(`keys.publish: the keys are a JWK Set, not ${kind(jwks)}`)
    const receipt = JSON.parse(native.publishKeys(engine, name, json(jwks, 'the JWK Set')))
    if (receipt.code) throw refused(receipt)
    return deepFreeze(receipt)
  }

  function state(name) {
    const state = native.keyState(engine, checkString(name, 'keys.state: the issuer name'))
    if (state === null) throw usage(`the policy has no issuer ${JSON.stringify(name)}`)
    return deepFreeze(JSON.parse(state))
  }

  function refresh(name) {
    const state = native.refreshKeys(engine, checkString(name, 'keys.refresh: the issuer name'))
    if (state === null) throw usage(`the policy has no issuer ${JSON.stringify(name)}`)
    return deepFreeze(JSON.parse(state))
  }

  return Object.freeze({ publish, state, refresh })
}

module.exports = { Verifier, makeVerifier }

'use strict'
// What happens to a verifier's keys and stores: for whoever listens, and for whoever waits for it.

const { EventEmitter } = require('node:events')
const native = require('./native.cjs')
const { kind } = require('./arguments.cjs')
const { usage } = require('./errors.cjs')

/** Longer and Node's timers would not wait at all. */
const LONGEST = 2 ** 31 - 1

/** An emitter takes any name and never calls: a name that there is not would be a listener left out. */
function checkListener(name, listener) {
  // Node's own `once` and `on` listen for errors, too, of which there are none.
  if (name !== 'event' && name !== 'error') {
    const given = typeof name === 'string' ? JSON.stringify(name) : kind(name)
    throw usage(`a verifier has one kind of events, "event", not ${given}; event.event says what happened`)
  }
  if (typeof listener !== 'function') throw usage(`the listener must be a function, not ${kind(listener)}`)
}

/** Of the warning that a store does not have everything. */
const WARNING = 'SealgateWarning'
/** Every verifier's, for as long as somebody has it. */
const living = new Set()
const forgotten = new FinalizationRegistry((own) => living.delete(own))

// Nothing that waits for its turn runs any more when a process exits, `emitWarning` included.
process.on('exit', () => {
  for (const own of living) {
    for (const text of own.deref()?.left() ?? []) {
      process.emit('warning', Object.assign(new Error(text), { name: WARNING }))
    }
  }
})

class Events {
  #engine
  #watching = false
  #emitter = new EventEmitter()
  /** What each that waits does: look again, or look for the last time. */
  #waiting = new Set()
  #closed = false

  constructor(engine) {
    this.#engine = engine
    const own = new WeakRef(this)
    living.add(own)
    forgotten.register(this, own)
  }

  /** Begins to listen. What has happened before is in force, and is not told. */
  watch() {
    if (this.#watching) return
    this.#watching = true
    // The engine holds the listener: were this held by it, neither would ever be freed.
    const events = new WeakRef(this)
    native.observe(this.#engine, (told) => events.deref()?.#heard(told))
  }

  #heard(told) {
    this.wake() // before the listeners, which may throw
    const { event, ...more } = JSON.parse(told)
    this.#emitter.emit('event', Object.freeze({ event, ...more }))
  }

  wake() {
    for (const { look } of [...this.#waiting]) look()
  }

  /** Ends the carrying to shared stores; says, once, what they are not known to have. */
  left() {
    const text = ({ store, changes }) =>
      `store ${JSON.stringify(store)} is not known to have ${changes} of this process's changes, which are in force in it alone`
    return JSON.parse(native.closeRevocations(this.#engine)).map(text)
  }

  /** As `left`, told to whoever runs the process. */
  warn() {
    for (const text of this.left()) process.emitWarning(text, WARNING)
  }

  /** Nothing more will happen: whoever waits looks for the last time. */
  close() {
    this.#closed = true
    for (const { last } of [...this.#waiting]) last()
  }

  /**
   * Asks `done` after each event whether this is what was waited for, and once more when it has waited
   * so many milliseconds: what has happened in the last of them may not have been told yet. Resolves
   * then. It keeps the process running until then, as any request on its way does.
   */
  until(done, millis) {
    return new Promise((resolve, reject) => {
      const settle = (end, value) => {
        clearTimeout(timer)
        this.#waiting.delete(waiting)
        end(value)
      }
      const ask = (isLast) => {
        try {
          if (done() || isLast) settle(resolve)
        } catch (error) {
          settle(reject, error)
        }
      }
      const waiting = { look: () => ask(false), last: () => ask(true) }
      const timer = setTimeout(waiting.last, Math.min(millis, LONGEST))
      this.#waiting.add(waiting)
      if (this.#closed) waiting.last()
    })
  }

  on(name, listener) {
    checkListener(name, listener)
    this.#emitter.on(name, listener)
    this.watch()
  }

  once(name, listener) {
    checkListener(name, listener)
    this.#emitter.once(name, listener)
    this.watch()
  }

  off(name, listener) {
    checkListener(name, listener)
    this.#emitter.off(name, listener)
  }
}

module.exports = { Events }

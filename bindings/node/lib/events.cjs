'use strict'
// What happens to a verifier's keys: for whoever listens, and for whoever waits for it.

const { EventEmitter } = require('node:events')
const native = require('./native.cjs')

/** Longer and Node's timers would not wait at all. */
const LONGEST = 2 ** 31 - 1

class Events {
  #engine
  #watching = false
  #emitter = new EventEmitter()
  #waiting = new Set()

  constructor(engine) {
    this.#engine = engine
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
    const { event: name, issuerName, ...more } = JSON.parse(told)
    this.#emitter.emit('event', Object.freeze({ event: name, issuerName, ...more }))
  }

  wake() {
    for (const look of [...this.#waiting]) look()
  }

  /**
   * Asks `done` after each event whether this is what was waited for; resolves when it is, or after so
   * many milliseconds. It keeps the process running until then, as any request on its way does.
   */
  until(done, millis) {
    return new Promise((resolve, reject) => {
      const settle = (end, value) => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        end(value)
      }
      const look = () => {
        try {
          if (done()) settle(resolve)
        } catch (error) {
          settle(reject, error)
        }
      }
      const timer = setTimeout(settle, Math.min(millis, LONGEST), resolve)
      this.#waiting.add(look)
    })
  }

  on(name, listener) {
    this.#emitter.on(name, listener)
    this.watch()
  }

  once(name, listener) {
    this.#emitter.once(name, listener)
    this.watch()
  }

  off(name, listener) {
    this.#emitter.off(name, listener)
  }
}

module.exports = { Events }

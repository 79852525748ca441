'use strict'
// A clock that stands still, and durations.

const native = require('./native.cjs')
const { kind } = require('./arguments.cjs')
const { usage } = require('./errors.cjs')
const { need } = require('./told.cjs')

/** How many milliseconds the calls that wait do, unless they are told: `verify`, `ready` and `flush`. */
const WAITS = JSON.parse(native.waits())

/** Milliseconds of a duration as policy documents write it. None is negative. */
function millis(duration) {
  if (typeof duration !== 'string') throw usage(`a duration is a text like "30s", not ${kind(duration)}`)
  const span = native.duration(duration)
  if (typeof span === 'string') throw usage(`duration: ${span}`)
  return span
}

let handleOf

class FixedClock {
  #handle

  constructor(at) {
    need('FixedClock', 'seconds', { seconds: at })
    this.#handle = native.fixedClock(at)
    Object.freeze(this)
  }

  static {
    handleOf = (clock) => (#handle in clock ? clock.#handle : undefined)
  }

  now() {
    return native.clockNow(this.#handle)
  }

  advance(duration) {
    native.clockAdvance(this.#handle, millis(duration))
  }

  set(at) {
    need('FixedClock.set', 'seconds', { seconds: at })
    native.clockSet(this.#handle, at)
  }
}

/** The handle of a clock; `undefined` of what is none. */
const clockOf = (clock) => (typeof clock === 'object' && clock !== null ? handleOf(clock) : undefined)

/** The handle of the `clock` among a call's options. */
function clockHandle(clock, call) {
  if (clock === undefined) return undefined
  const handle = clockOf(clock)
  if (handle === undefined) throw usage(`${call}: the clock must be a FixedClock`)
  return handle
}

module.exports = { FixedClock, WAITS, clockHandle, clockOf, millis }

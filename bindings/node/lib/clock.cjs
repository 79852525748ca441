'use strict'
// A clock that stands still.

const native = require('./native.cjs')
const { kind } = require('./arguments.cjs')
const { usage } = require('./errors.cjs')

const MILLIS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `"30s"`. No duration is negative. */
function millis(duration) {
  const [, digits, unit] = /^(\d{1,12})(ms|s|m|h|d)$/.exec(duration) ?? []
  if (typeof duration !== 'string' || unit === undefined) {
    throw usage('a duration is a whole number with a unit: "30s" (ms, s, m, h or d)')
  }
  return Number(digits) * MILLIS[unit]
}

function seconds(value) {
  if (!Number.isSafeInteger(value)) {
    throw usage(`a clock stands at whole seconds since 1970, not at ${kind(value)}`)
  }
  return value
}

let handleOf

class FixedClock {
  #handle

  constructor(at) {
    this.#handle = native.fixedClock(seconds(at))
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
    native.clockSet(this.#handle, seconds(at))
  }
}

/** The handle of the `clock` among a call's options. */
function clockHandle(clock, call) {
  if (clock === undefined) return undefined
  const handle = typeof clock === 'object' && clock !== null ? handleOf(clock) : undefined
  if (handle === undefined) throw usage(`${call}: the clock must be a FixedClock`)
  return handle
}

module.exports = { FixedClock, clockHandle, millis }

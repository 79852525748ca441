'use strict'
// Three-valued answers, one or many.

const native = require('./native.cjs')
const { codes, isMisuse, refused, usage } = require('./errors.cjs')
const { deepFreeze, makeToken } = require('./token.cjs')

const SECRET = Symbol('judged')

class Verdict {
  #token
  #error

  constructor(secret, code, token, error) {
    if (secret !== SECRET) throw usage('a Verdict is made by judging')
    this.ok = code === 'accepted'
    this.code = code
    this.#token = token
    this.#error = error
    Object.freeze(this)
  }

  get token() {
    return this.#token
  }

  /** Made when it is asked for: whoever only counts needs no stack. */
  get error() {
    if (typeof this.#error === 'function') this.#error = this.#error()
    return this.#error
  }

  unwrap() {
    if (this.ok) return this.#token
    throw this.error
  }
}

/** The code at each number of the native columns. */
const CODES = ['accepted', ...codes.map((row) => row.code)]
const REFUSED = new Set(codes.filter((row) => row.blame === 'rejected').map((row) => row.code))

const MISUSE = new Set(codes.filter((row) => row.blame === 'misuse').map((row) => row.code))

function accepted(token) {
  return new Verdict(SECRET, 'accepted', token)
}

/** The verdict of an error, or of what makes it. */
function notAccepted(code, error) {
  return new Verdict(SECRET, code, undefined, error)
}

function refusalAt(verdicts, index) {
  return refused(JSON.parse(native.refusal(verdicts, index)))
}

class Batch {
  #verdicts
  #columns
  #counts

  constructor(secret, verdicts) {
    if (secret !== SECRET) throw usage('a Batch is made by verifyBatch')
    this.#verdicts = verdicts
    this.#columns = native.columns(verdicts)
    const counts = new Array(CODES.length).fill(0)
    for (const number of this.#columns) counts[number]++
    const given = CODES.map((code, number) => [code, counts[number]]).filter(([, count]) => count > 0)
    this.#counts = Object.freeze(Object.fromEntries(given.sort(([, a], [, b]) => b - a)))
    Object.freeze(this)
  }

  get length() {
    return this.#columns.length
  }

  get counts() {
    return this.#counts
  }

  get snapshot() {
    return deepFreeze(JSON.parse(native.batchSnapshot(this.#verdicts)))
  }

  get accepted() {
    return this.#counts.accepted ?? 0
  }

  get refused() {
    const refused = Object.entries(this.#counts).filter(([code]) => REFUSED.has(code))
    return refused.reduce((sum, [, count]) => sum + count, 0)
  }

  get undecided() {
    return this.length - this.accepted - this.refused
  }

  at(index) {
    const place = Number.isInteger(index) && index < 0 ? this.length + index : index
    const number = this.#columns[place]
    if (number === undefined) return undefined
    if (number === 0) return accepted(makeToken(this.#verdicts, place))
    return notAccepted(CODES[number], () => refusalAt(this.#verdicts, place))
  }

  *[Symbol.iterator]() {
    for (let index = 0; index < this.length; index++) yield this.at(index)
  }

  *tokens() {
    for (let index = 0; index < this.length; index++) {
      if (this.#columns[index] === 0) yield [index, makeToken(this.#verdicts, index)]
    }
  }

  *errors() {
    for (let index = 0; index < this.length; index++) {
      if (this.#columns[index] !== 0) yield [index, refusalAt(this.#verdicts, index)]
    }
  }
}

/** The verdicts of a batch, unless the call was wrong: then no token was judged. */
function makeBatch(verdicts) {
  const batch = new Batch(SECRET, verdicts)
  for (const code of MISUSE) if (batch.counts[code] !== undefined) throwMisuse(batch)
  return batch
}

function throwMisuse(batch) {
  for (const [, error] of batch.errors()) if (isMisuse(error)) throw error
}

module.exports = { Batch, CODES, MISUSE, Verdict, accepted, makeBatch, notAccepted }

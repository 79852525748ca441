'use strict'
// Three-valued answers, one or many.

const { inspect } = require('node:util')
const native = require('./native.cjs')
const { codes, outlined, unthrown, usage } = require('./errors.cjs')
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
    const { error } = this
    Error.captureStackTrace(error, this.unwrap)
    throw error
  }
}

/** The code at each number of the native columns. */
const CODES = ['accepted', ...codes.map((row) => row.code)]
const REFUSED = new Set(codes.filter((row) => row.blame === 'rejected').map((row) => row.code))
const MISUSE = new Set(codes.filter((row) => row.blame === 'misuse').map((row) => row.code))
/** Those that may say that another answer is on its way. */
const PENDING = new Set(codes.filter((row) => row.pending).map((row) => row.code))

function accepted(token) {
  return new Verdict(SECRET, 'accepted', token)
}

/** The verdict of an error, or of what makes it. */
function notAccepted(code, error) {
  return new Verdict(SECRET, code, undefined, error)
}

/** The place of a code among {@link CODES}, of a number in a batch's column; what alike ones share is the rest. */
const codeAt = (number) => number & 0xff

class Batch {
  #verdicts
  #column
  #counts
  /** By number of the column: what errors of its refusals share. */
  #outlines = new Map()

  constructor(secret, verdicts) {
    if (secret !== SECRET) throw usage('a Batch is made by verifyBatch')
    this.#verdicts = verdicts
    this.#column = native.columns(verdicts)
    const counts = new Array(CODES.length).fill(0)
    for (const number of this.#column) counts[codeAt(number)]++
    const given = CODES.map((code, number) => [code, counts[number]]).filter(([, count]) => count > 0)
    this.#counts = Object.freeze(Object.fromEntries(given.sort(([, a], [, b]) => b - a)))
    Object.freeze(this)
  }

  #errorAt(place) {
    const number = this.#column[place]
    let outline = this.#outlines.get(number)
    if (outline === undefined) {
      outline = outlined(JSON.parse(native.outline(this.#verdicts, place)))
      this.#outlines.set(number, outline)
    }
    return unthrown(outline, () => native.answer(this.#verdicts, place))
  }

  get length() {
    return this.#column.length
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
    const number = this.#column[place]
    if (number === undefined) return undefined
    if (number === 0) return accepted(makeToken(this.#verdicts, place))
    return notAccepted(CODES[codeAt(number)], () => this.#errorAt(place))
  }

  *[Symbol.iterator]() {
    for (let index = 0; index < this.length; index++) yield this.at(index)
  }

  *tokens() {
    for (let index = 0; index < this.length; index++) {
      if (this.#column[index] === 0) yield [index, makeToken(this.#verdicts, index)]
    }
  }

  *errors() {
    for (let index = 0; index < this.length; index++) {
      if (this.#column[index] !== 0) yield [index, this.#errorAt(index)]
    }
  }

  toJSON() {
    const { accepted, refused, undecided, counts } = this
    return { accepted, refused, undecided, counts }
  }

  [inspect.custom](_depth, options) {
    return `Batch ${inspect(this.toJSON(), options)}`
  }
}

/** The verdicts of a batch. */
function makeBatch(verdicts) {
  return new Batch(SECRET, verdicts)
}

module.exports = { Batch, CODES, MISUSE, PENDING, Verdict, accepted, makeBatch, notAccepted }

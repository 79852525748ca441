'use strict'
// Signed payloads that are not claims, and looking without trust.

const { inspect: show } = require('node:util')
const native = require('./native.cjs')
const { checkOptions, checkToken, isPlain, json, kind } = require('./arguments.cjs')
const { refused, usage } = require('./errors.cjs')
const { deepFreeze } = require('./token.cjs')

class Jws {
  constructor(payload, header) {
    this.payload = payload
    this.header = deepFreeze(header)
    Object.freeze(this)
  }

  [show.custom]() {
    return `Jws of ${this.payload.length} bytes`
  }
}

function verifyJws(jws, keys, options) {
  checkToken(jws, 'the JWS')
  if (!isPlain(keys)) throw usage(`verifyJws: the keys are a JWK Set or a JWK, not ${kind(keys)}`)
  const { algorithms } = checkOptions(options, 'verifyJws', ['algorithms'])
  if (!Array.isArray(algorithms) || !algorithms.every((name) => typeof name === 'string')) {
    throw usage('verifyJws: algorithms must be an array of names; there is no default')
  }
  const text = json(keys, 'the keys')
  const verified = native.verifyJws(jws, text, Array.isArray(keys.keys), algorithms)
  if (typeof verified === 'string') throw refused(JSON.parse(verified))
  return new Jws(native.jwsPayload(verified), JSON.parse(native.jwsHeader(verified)))
}

/** What anybody can write: it is neither a string nor a token, so no other call takes it. */
class Unverified {
  #read

  constructor(read) {
    this.#read = deepFreeze(read)
    Object.freeze(this)
  }

  get header() {
    return this.#read.header
  }

  get claims() {
    return this.#read.claims
  }

  toJSON() {
    return {}
  }

  [show.custom]() {
    return 'Unverified {}'
  }
}

function inspect(token) {
  checkToken(token)
  const read = JSON.parse(native.inspect(token))
  if (read.code) throw refused(read)
  return new Unverified(read)
}

module.exports = { Jws, Unverified, inspect, verifyJws }

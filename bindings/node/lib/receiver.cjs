'use strict'
// Events that issuers deliver: pushed (RFC 8935) and polled (RFC 8936).

const { types } = require('node:util')
const native = require('./native.cjs')
const { checkOptions, checkString, kind } = require('./arguments.cjs')
const { refused, usage } = require('./errors.cjs')
const { withChanges } = require('./revocations.cjs')

/** Bytes of a body; a text is its UTF-8. */
function bytes(body, call) {
  if (typeof body === 'string') return Buffer.from(body)
  if (types.isUint8Array(body)) return body
  throw usage(`${call}: the body is a string or a Uint8Array, not ${kind(body)}`)
}

/** The one `Content-Type` of pairs, of Fetch headers, or of Node's own object, which keeps the first. */
function contentType(headers) {
  if (typeof headers !== 'object' || headers === null) throw usage(`push: the headers are an object or pairs, not ${kind(headers)}`)
  const flat = Array.isArray(headers) && headers.every((entry) => typeof entry === 'string')
  const pairs = flat
    ? Array.from({ length: headers.length >> 1 }, (_, index) => [headers[2 * index], headers[2 * index + 1]])
    : typeof headers[Symbol.iterator] === 'function'
      ? [...headers]
      : Object.entries(headers)
  const found = pairs.filter(([name]) => `${name}`.toLowerCase() === 'content-type').map(([, value]) => value)
  return found.length === 1 && typeof found[0] === 'string' ? found[0] : undefined
}

function makePoller(handle) {
  return Object.freeze({
    request: () => native.pollRequest(handle),
    take(body) {
      const polled = JSON.parse(native.pollTake(handle, bytes(body, 'take')))
      if (polled.code) throw refused(polled)
      return withChanges(polled)
    },
  })
}

/** `verifier.receiver(gate, options)`. */
function makeReceiver(engine, gate, options) {
  checkString(gate, 'the name of a gate')
  const { expectingState } = checkOptions(options, 'receiver', ['expectingState'])
  if (expectingState !== undefined) checkString(expectingState, 'receiver: expectingState')
  const handle = native.openReceiver(engine, gate, expectingState)
  if (typeof handle === 'string') throw refused(JSON.parse(handle))
  return Object.freeze({
    push(body, headers) {
      const delivery = JSON.parse(native.push(handle, bytes(body, 'push'), contentType(headers)))
      Object.freeze(delivery.headers)
      return withChanges(delivery)
    },
    poller(options) {
      const { maxEvents = 100 } = checkOptions(options, 'poller', ['maxEvents'])
      if (!Number.isInteger(maxEvents) || maxEvents < 1) throw usage('poller: maxEvents is a whole number from 1')
      return makePoller(native.openPoller(handle, Math.min(maxEvents, 65_536)))
    },
  })
}

module.exports = { makeReceiver }

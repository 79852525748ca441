'use strict'
// An HTTP request as `verifyRequest` takes it, from what each kind of server calls its parts.
//
// Scheme and host are never read: `publicUrl` alone decides them. Headers stay pairs in the order
// in which they came: Node's `headers` shows only the first `Authorization`, and whoever reads it
// cannot refuse the second.

const { usage } = require('./errors.cjs')
const { isPlain, kind } = require('./arguments.cjs')

const SINGLE = Symbol('singleValued')

/**
 * A plain object of headers, for `verifyRequest({ headers })`. It cannot show that a header came
 * twice, which a proof and an `Authorization` must not: use it only where the server before you
 * refuses such requests.
 */
function singleValued(headers) {
  if (!isPlain(headers)) throw usage(`singleValued: headers must be an object, not ${kind(headers)}`)
  const flat = []
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    // Node's own objects have arrays where a header may come more than once.
    for (const each of Array.isArray(value) ? value : [value]) flat.push(name, each)
  }
  return Object.freeze({ [SINGLE]: Object.freeze(flat) })
}

/** Names and values by turns, as `rawHeaders` has them. */
function flat(headers) {
  if (Array.isArray(headers)) {
    const list = headers.every(Array.isArray) ? pairs(headers) : headers
    if (list.length % 2 === 0 && list.every((text) => typeof text === 'string')) return list
    throw usage('headers must be rawHeaders (names and values by turns) or pairs of strings')
  }
  if (typeof headers === 'object' && headers !== null) {
    if (headers[SINGLE] !== undefined) return headers[SINGLE]
    // Fetch `Headers` joins repeats with a comma, which the checks of the two headers that matter
    // refuse.
    if (typeof headers[Symbol.iterator] === 'function') return pairs([...headers])
    throw usage(
      'headers must be rawHeaders or pairs: an object cannot show that a header came twice; where ' +
        'your server refuses such requests, wrap it in singleValued()'
    )
  }
  throw usage(`headers must be rawHeaders or pairs, not ${kind(headers)}`)
}

function pairs(list) {
  const wrong = list.find((pair) => !Array.isArray(pair) || pair.length !== 2)
  if (wrong !== undefined) throw usage('headers must be pairs of strings')
  return list.flat()
}

/**
 * Method, path and query as sent, and headers by turns, of an `IncomingMessage`, a request of
 * Express, Fastify or Hono, a Fetch `Request`, or `{ method, uri, headers }`.
 */
function parts(request) {
  if (typeof request !== 'object' || request === null) {
    throw usage(`the request must be an object, not ${kind(request)}`)
  }
  if ('uri' in request || isPlain(request)) {
    const { method, uri, headers } = request
    return { method: text(method, 'method'), uri: text(uri, 'uri'), headers: flat(headers) }
  }
  // Express keeps here what a router has cut from `url`.
  const { method, originalUrl } = request
  if (Array.isArray(request.rawHeaders)) {
    return { method, uri: originalUrl ?? request.url, headers: request.rawHeaders }
  }
  // Fastify's and Hono's: what they wrap.
  if (typeof request.raw === 'object' && request.raw !== null) {
    const inner = parts(request.raw)
    return originalUrl === undefined ? inner : { ...inner, uri: originalUrl }
  }
  if (typeof request.url === 'string' && typeof request.headers?.[Symbol.iterator] === 'function') {
    return { method: text(method, 'method'), uri: pathOf(request.url), headers: flat(request.headers) }
  }
  throw usage(
    'the request must be an IncomingMessage, a request of Express, Fastify or Hono, a Fetch Request, ' +
      'or { method, uri, headers }'
  )
}

/** Of a Fetch Request, whose URL has the host that the caller named. */
function pathOf(url) {
  const { pathname, search } = new URL(url)
  return pathname + search
}

function text(value, what) {
  if (typeof value !== 'string') throw usage(`${what} must be a string, not ${kind(value)}`)
  return value
}

module.exports = { parts, singleValued }

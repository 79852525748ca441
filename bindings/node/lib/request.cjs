'use strict'
// Requests of every make, as what possession is judged by.

const { X509Certificate } = require('node:crypto')
const { types } = require('node:util')
const { approved, checkOptions, checkString, checkToken, isPlain, kind, operation } = require('./arguments.cjs')
const { usage } = require('./errors.cjs')
const { kinds, requestFields, tooLong } = require('./native.cjs')

/** The fields that the engine looks at; the others are left behind. */
const FIELDS = new Set(requestFields())
const isWanted = (name) => FIELDS.has(name.toLowerCase())

/** Letters of a field or further token that are read: as many again as no token has. */
const MOST = 2 * tooLong()

/** The kinds of tokens that there are. */
const KINDS = kinds()

const SINGLE = Symbol('singleValued')

/** A plain object of headers, told apart from those of a server that cannot refuse repeated ones. */
function singleValued(headers) {
  if (!isPlain(headers)) throw usage(`singleValued: headers must be an object, not ${kind(headers)}`)
  // Node's own objects have an array where a field may come more than once.
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).filter((each) => each !== undefined).map((each) => [name, each])
  )
  return Object.freeze({ [SINGLE]: pairs })
}

/** Names and values in turn, those of fields that are wanted; every one of them, repeats too. */
function fields(headers, call) {
  if (typeof headers?.[Symbol.iterator] !== 'function' || typeof headers === 'string' || types.isMap(headers)) {
    if (headers?.[SINGLE] !== undefined) return fields(headers[SINGLE], call)
    // A mapping has lost the second of two fields already.
    throw usage(
      `${call}: headers are pairs, as rawHeaders or an array of [name, value], not ${kind(headers)}; where ` +
        'your server refuses repeated ones, wrap its object in singleValued()'
    )
  }
  const all = [...headers]
  const pairs = all.every((entry) => typeof entry === 'string') ? inPairs(all) : all
  const wanted = []
  for (const pair of pairs) {
    const [name, value] = Array.isArray(pair) ? pair : []
    if (typeof name !== 'string' || typeof value !== 'string') {
      throw usage(`${call}: each of the headers is a name and a value, both strings`)
    }
    if (isWanted(name)) wanted.push(name, value.length > MOST ? value.slice(0, MOST) : value)
  }
  return wanted
}

function inPairs(flat) {
  return Array.from({ length: Math.ceil(flat.length / 2) }, (_, index) => [flat[2 * index], flat[2 * index + 1]])
}

/** DER, in memory that nobody changes meanwhile. */
function der(certificate, call) {
  if (certificate === undefined || certificate === null) return undefined
  if (certificate instanceof X509Certificate) return certificate.raw
  if (types.isUint8Array(certificate)) return Uint8Array.from(certificate)
  throw usage(`${call}: the client certificate is DER or an X509Certificate, not ${kind(certificate)}`)
}

/** Of Node's own requests, which Express and others extend and Fastify has as `raw`. */
function ofNode(request) {
  const { method, originalUrl, url, rawHeaders, socket } = request
  const clientCertificate = socket?.getPeerX509Certificate?.()
  return { method, uri: originalUrl ?? url, headers: rawHeaders, clientCertificate }
}

/** Of a Fetch request: where it says it came to is not known to be true, so path and query alone count. */
function ofFetch({ method, url, headers }) {
  const { pathname, search } = new URL(url)
  return { method, uri: pathname + search, headers }
}

/** A token as text. A byte above 0x7F stays one that no token has; beyond what a token has nothing matters. */
function textOf(token, what) {
  checkToken(token, what)
  const start = token.length > MOST ? token.slice(0, MOST) : token
  return typeof start === 'string' ? start : Buffer.from(start).toString('latin1')
}

/** Kinds and tokens in turn, of the tokens that the request's own comes from. */
function further(context, call) {
  if (context === undefined) return []
  if (!Array.isArray(context)) throw usage(`${call}: context is an array of { kind, token }, not ${kind(context)}`)
  return context.flatMap((entry) => {
    const { kind, token } = checkOptions(entry, `${call}: context`, ['kind', 'token'])
    const text = textOf(token, `${call}: context`)
    checkString(kind, `${call}: context: kind`)
    if (!KINDS.includes(kind)) {
      throw usage(`${call}: context: no kind ${JSON.stringify(kind)}; there are: ${KINDS.join(', ')}`)
    }
    return [kind, text]
  })
}

/** A token and its proof, of a request that has them in its content; a grant's proof is in no content. */
function contentOf(content, call) {
  if (content === undefined) return []
  const { token, proof } = checkOptions(content, `${call}: content`, ['token', 'proof'])
  const proofs = proof === undefined ? [] : [textOf(proof, `${call}: content: proof`)]
  return [textOf(token, `${call}: content: token`), ...proofs]
}

/** What a call may tell of a request beside it: what no server's own has, or one with a proxy before it. */
const BESIDE = ['clientCertificate', 'context', 'content', 'operation', 'approved']
const PARTS = ['method', 'uri', 'headers', ...BESIDE]

/** The parts of a server's own request; nothing of a request in parts. */
function ofServer(request) {
  if (Array.isArray(request.rawHeaders)) return ofNode(request)
  if (request instanceof Request) return ofFetch(request)
  // Fastify's and Hono's requests: what they wrap.
  const { raw } = request
  if (Array.isArray(raw?.rawHeaders)) return ofNode(raw)
  if (raw instanceof Request) return ofFetch(raw)
  return undefined
}

/** The same with what is told beside it. What is told twice would be a check left out. */
function together(request, beside, call) {
  const told = BESIDE.filter((name) => beside[name] !== undefined).map((name) => [name, beside[name]])
  const server = ofServer(request)
  if (server !== undefined) return { ...server, ...Object.fromEntries(told) }
  const parts = checkOptions(request, call, PARTS)
  const twice = told.find(([name]) => parts[name] !== undefined)
  if (twice !== undefined) throw usage(`${call}: ${twice[0]} is given twice: in the request and beside it`)
  return { ...parts, ...Object.fromEntries(told) }
}

/**
 * Method, URI, header fields, client certificate, further tokens, content and what else a call tells, with
 * what the caller knows.
 */
function partsOf(request, beside, known, call) {
  if (typeof request !== 'object' || request === null) {
    throw usage(`${call}: a request, or { method, uri, headers }, not ${kind(request)}`)
  }
  const { method, uri, headers, clientCertificate, context, content, ...tells } = together(request, beside, call)
  checkString(method, `${call}: the method`)
  checkString(uri, `${call}: the uri`)
  return [
    method,
    uri,
    fields(headers, call),
    der(clientCertificate, call),
    further(context, call),
    contentOf(content, call),
    [...operation(tells.operation, call), ...approved(tells.approved, call), ...known],
  ]
}

module.exports = { BESIDE, further, partsOf, singleValued, textOf }

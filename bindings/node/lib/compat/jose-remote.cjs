'use strict'
// jose's `createRemoteJWKSet`: a key set that is fetched when a token needs it, with jose's options.
//
// For whoever changes one import. A policy's `discovery` fetches ahead of need, in the background.

const { checkOptions, isPlain, kind } = require('../arguments.cjs')
const { refused, usage } = require('../errors.cjs')
const native = require('../native.cjs')
const errors = require('./jose-errors.cjs')

/** jose's defaults, in milliseconds. */
const DURATIONS = { timeoutDuration: 5000, cooldownDuration: 30_000, cacheMaxAge: 600_000 }
/** Bytes of a key set: as much as the core reads. */
const MOST = 1 << 20
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']
/** Refusals for which jose asks no key: what is no token makes nobody fetch. */
const BEFORE_KEYS = new Set(['JWSInvalid', 'JOSEAlgNotAllowed', 'JOSENotSupported'])

function checkUrl(url) {
  if (!(url instanceof URL)) throw usage(`createRemoteJWKSet: the url must be a URL, not ${kind(url)}`)
  const isLocal = url.protocol === 'http:' && LOOPBACK.includes(url.hostname)
  if (url.protocol !== 'https:' && !isLocal) throw usage('createRemoteJWKSet: the url must be https')
  return url.href
}

function durations(options) {
  const given = checkOptions(options, 'createRemoteJWKSet', Object.keys(DURATIONS))
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !(typeof value === 'number' && value >= 0)) {
      throw usage(`createRemoteJWKSet: ${name} must be a number of milliseconds`)
    }
  }
  const known = Object.entries(DURATIONS).map(([name, usual]) => [name, given[name] ?? usual])
  return Object.fromEntries(known)
}

/** The keys could not be had: an outage, which jose's error has as its cause. */
function outage(text, cause) {
  return Object.assign(refused(JSON.parse(native.outage(text))), { cause })
}

async function read(response) {
  const chunks = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MOST) throw new Error('too large for a key set')
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString())
}

async function fetchSet(href, timeout) {
  const signal = AbortSignal.timeout(timeout)
  const late = (cause) => new errors.JWKSTimeout('request timed out', { cause: outage('the key set came too late', cause) })
  const wrong = (text, cause) => new errors.JOSEError(text, { cause: outage(text, cause) })
  let response
  try {
    const headers = { accept: 'application/json, application/jwk-set+json' }
    response = await fetch(href, { signal, redirect: 'manual', headers })
  } catch (cause) {
    throw signal.aborted ? late(cause) : outage('the key set cannot be fetched', cause)
  }
  if (response.status !== 200) throw wrong('Expected 200 OK from the JSON Web Key Set HTTP response')
  let set
  try {
    set = await read(response)
  } catch (cause) {
    throw signal.aborted ? late(cause) : wrong('Failed to parse the JSON Web Key Set HTTP response as JSON', cause)
  }
  if (!isPlain(set) || !Array.isArray(set.keys) || !set.keys.every(isPlain)) {
    throw new errors.JWKSInvalid('JSON Web Key Set malformed', { cause: outage('what was fetched is no key set') })
  }
  return set
}

/** A set that is fetched; `verify` judges a token by it, `attempt` by what of it is there. */
class RemoteSet {
  #href
  #durations
  #fetchedAt = -Infinity
  #pending

  constructor(url, options) {
    this.#href = checkUrl(url)
    this.#durations = durations(options)
    this.current = undefined
  }

  #isYoungerThan(duration) {
    return Date.now() < this.#fetchedAt + duration
  }

  get fresh() {
    return this.#isYoungerThan(this.#durations.cacheMaxAge)
  }

  get coolingDown() {
    return this.#isYoungerThan(this.#durations.cooldownDuration)
  }

  get reloading() {
    return this.#pending !== undefined
  }

  async reload() {
    this.#pending ??= this.#fetch().finally(() => (this.#pending = undefined))
    await this.#pending
  }

  async #fetch() {
    this.current = await fetchSet(this.#href, this.#durations.timeoutDuration)
    this.#fetchedAt = Date.now()
  }

  async verify(attempt) {
    if (!this.fresh) {
      try {
        attempt()
      } catch (error) {
        if (BEFORE_KEYS.has(error.name)) throw error
      }
      await this.reload()
    }
    try {
      return attempt()
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.coolingDown) throw error
    }
    await this.reload()
    return attempt()
  }
}

module.exports = { RemoteSet, outage }

'use strict'
// jose's `createRemoteJWKSet`: a key set that is fetched when a token needs it, with jose's options.
//
// For whoever changes one import. A policy's `discovery` fetches ahead of need, in the background.

const { checkOptions, isPlain, kind } = require('../arguments.cjs')
const { internal, refused, usage } = require('../errors.cjs')
const native = require('../native.cjs')
const errors = require('./jose-errors.cjs')

/** jose's defaults, in milliseconds. */
const DURATIONS = { timeoutDuration: 5000, cooldownDuration: 30_000, cacheMaxAge: 600_000 }
/** Refusals for which jose asks no key: what is no token makes nobody fetch. */
const BEFORE_KEYS = new Set(['JWSInvalid', 'JOSEAlgNotAllowed', 'JOSENotSupported'])

function durations(given) {
  const known = Object.entries(DURATIONS).map(([name, usual]) => {
    const { [name]: value = usual } = given
    if (!(typeof value === 'number' && value >= 0)) throw usage(`createRemoteJWKSet: ${name} must be a number of milliseconds`)
    return [name, value]
  })
  return Object.fromEntries(known)
}

function checkHosts(hosts = []) {
  if (!Array.isArray(hosts) || !hosts.every((host) => typeof host === 'string')) {
    throw usage('createRemoteJWKSet: allowHosts must be an array of host names')
  }
  return [...hosts]
}

/** The keys could not be had: an outage, which jose's error has as its cause. */
function outage(text, cause) {
  return Object.assign(refused({ code: 'keys_unavailable', text }), { cause })
}

/** What jose makes of a fetch in vain, by why it was; two of these it knows no error for. */
const VAIN = {
  url: (text) => usage(`createRemoteJWKSet: ${text.replace('refresh.allow_hosts', 'allowHosts')}`),
  late: (text) => new errors.JWKSTimeout('request timed out', { cause: outage(text) }),
  set: (text) => new errors.JWKSInvalid('JSON Web Key Set malformed', { cause: outage(text) }),
  answer: (text) => new errors.JOSEError('Expected 200 OK from the JSON Web Key Set HTTP response', { cause: outage(text) }),
  outage: (text) => outage(text),
}

async function fetchSet(href, hosts) {
  const fetched = await native.fetchJwks(href, hosts).catch((error) => {
    throw internal(error)
  })
  if (typeof fetched === 'string') {
    const { why, text } = JSON.parse(fetched)
    throw VAIN[why](text)
  }
  const set = JSON.parse(fetched.toString())
  if (!set.keys.every(isPlain)) throw VAIN.set('a key of the set is no object')
  return set
}

/** What comes of it, unless that takes longer than so many milliseconds. */
async function within(duration, pending) {
  let timer
  const late = new Promise((_, reject) => {
    // Longer than Node counts is as good as for ever, and the fetch ends before that.
    timer = setTimeout(() => reject(VAIN.late('the key set came too late')), Math.min(duration, 2 ** 31 - 1))
  })
  try {
    return await Promise.race([pending, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A set that is fetched; `verify` judges a token by it, `attempt` by what of it is there. */
class RemoteSet {
  #href
  #hosts
  #durations
  #fetchedAt = -Infinity
  #pending

  constructor(url, options) {
    if (!(url instanceof URL)) throw usage(`createRemoteJWKSet: the url must be a URL, not ${kind(url)}`)
    const { allowHosts, ...given } = checkOptions(options, 'createRemoteJWKSet', [...Object.keys(DURATIONS), 'allowHosts'])
    this.#href = url.href
    this.#hosts = checkHosts(allowHosts)
    this.#durations = durations(given)
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

  /** Who gives up waiting leaves the fetch to those who come after: a server that hangs has one of ours at a time. */
  async reload() {
    this.#pending ??= this.#fetch().finally(() => (this.#pending = undefined))
    await within(this.#durations.timeoutDuration, this.#pending)
  }

  async #fetch() {
    this.current = await fetchSet(this.#href, this.#hosts)
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

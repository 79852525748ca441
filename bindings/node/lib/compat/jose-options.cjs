'use strict'
// jose's options as members of a policy, and its words for those that are none.

const { types } = require('node:util')
const { algorithms: known } = require('../native.cjs')
const { checkOptions } = require('../arguments.cjs')
const { usage } = require('../errors.cjs')

const NAMES = [
  'issuer',
  'audience',
  'algorithms',
  'typ',
  'clockTolerance',
  'maxTokenAge',
  'requiredClaims',
  'currentDate',
]

const KNOWN = new Set(known())
/** Seconds: what a policy may allow. */
const MOST_TOLERANCE = 300

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_557_600 }
const PERIOD = /^(\+|-)? ?(\d+(?:\.\d+)?) ?(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|years?|yrs?|y)(?: (ago|from now))?$/i

/** Whole seconds of `"5 minutes"`, or of a number of them. */
function seconds(value, name) {
  if (value === undefined) return undefined
  let given = value
  if (typeof value === 'string') {
    const [, sign, digits, unit, suffix] = PERIOD.exec(value) ?? []
    if (digits === undefined || (suffix && sign)) throw new TypeError('Invalid time period format')
    given = Number(digits) * SECONDS[unit[0].toLowerCase()]
    if (sign === '-' || suffix?.toLowerCase() === 'ago') given = -given
  }
  if (typeof given !== 'number' || !(given >= 0 && given < Infinity)) {
    throw new TypeError(`Invalid ${name} option input`)
  }
  return Math.floor(given)
}

/** The rules of jose's options, for `policyOf`, with `currentDate` apart. */
function rulesOf(options) {
  const given = checkOptions(options, 'jwtVerify', NAMES)
  const { issuer, audience, algorithms, typ, requiredClaims, currentDate } = given
  if (issuer === undefined || audience === undefined) {
    throw usage('jwtVerify: issuer and audience are required')
  }
  if (currentDate !== undefined && !types.isDate(currentDate)) {
    throw usage('jwtVerify: currentDate must be a Date')
  }
  if (algorithms !== undefined && !(Array.isArray(algorithms) && algorithms.every((name) => typeof name === 'string'))) {
    throw new TypeError('"algorithms" option must be an array of strings')
  }
  const clockTolerance = seconds(given.clockTolerance, 'clockTolerance') ?? 0 // jose's default
  if (clockTolerance > MOST_TOLERANCE) {
    throw usage(`jwtVerify: clockTolerance is at most ${MOST_TOLERANCE} seconds`)
  }
  const maxTokenAge = seconds(given.maxTokenAge, 'maxTokenAge')
  const rules = { issuer, audience, algorithms, typ, clockTolerance, maxTokenAge, requiredClaims }
  return { rules, currentDate }
}

/** As media types are compared. */
const mediaType = (typ) => (typ.includes('/') ? typ : `application/${typ}`).toLowerCase()
/** Of access tokens by their name, which are a kind of their own (RFC 9068). */
const isAccessToken = (typ) => typeof typ === 'string' && mediaType(typ) === 'application/at+jwt'
/** What the kind without a name of its own has, or leaves out. */
const isPlainJwt = (typ) => typeof typ === 'string' && mediaType(typ) === 'application/jwt'

/** The algorithms of these rules that there are here; others cannot be a token's. */
const usable = ({ algorithms }) => algorithms?.map((name) => (name === 'EdDSA' ? 'Ed25519' : name)).filter((name) => KNOWN.has(name))

/** The document of the one gate that has these rules. */
function policyOf(rules) {
  const { issuer, audience, algorithms, typ, clockTolerance, maxTokenAge, requiredClaims } = rules
  const profile = isAccessToken(typ) ? 'access_token' : 'jwt_custom'
  return {
    version: 1,
    preset: 'rfc',
    leeway: `${clockTolerance}s`,
    issuers: {
      jose: {
        issuer,
        algorithms: usable(rules) && [...new Set(usable(rules))],
        legacy_eddsa: algorithms === undefined || algorithms.includes('EdDSA'),
        profiles: [profile],
        jwks_push: 'process',
      },
    },
    gates: {
      jose: {
        profile,
        audience,
        issuers: ['jose'],
        typ: profile === 'jwt_custom' && !isPlainJwt(typ) ? typ : undefined,
        max_age: maxTokenAge === undefined ? undefined : `${maxTokenAge}s`,
        required_claims: requiredClaims,
        delegation: 'surface', // jose reads no `act`
      },
    },
  }
}

module.exports = { KNOWN, isAccessToken, isPlainJwt, policyOf, rulesOf, usable }

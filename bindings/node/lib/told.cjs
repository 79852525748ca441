'use strict'
// What fakes take. Anything else is refused in the core's words, the same in every language.

const { randomUUID } = require('node:crypto')
const { types } = require('node:util')
const native = require('./native.cjs')
const { isPlain } = require('./arguments.cjs')
const { usage } = require('./errors.cjs')

const { expected: EXPECTED, most: MOST } = JSON.parse(native.fakeArguments())

const isText = (value) => typeof value === 'string'
const isWhole = (value) => Number.isInteger(value) && Math.abs(value) <= MOST
const isNamed = (kind) => {
  const names = EXPECTED[kind].replace('one of ', '').split(', ')
  return (value) => names.includes(value)
}

const FITS = {
  text: isText,
  texts: (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
  count: (value) => isWhole(value) && value >= 0,
  seconds: isWhole,
  duration: (value) => isText(value) && typeof native.duration(value) === 'number',
  algorithm: isNamed('algorithm'),
  key_pair: isNamed('key_pair'),
  members: isPlain,
  payload: (value) => isPlain(value) || isText(value) || types.isUint8Array(value),
  issuers: isPlain,
}

/** The error of an argument that is not what it must be. */
function wrong(call, name, kind, value) {
  return usage(`${call}: ${name} must be ${EXPECTED[kind]}, not ${shown(value)}`)
}

/** Checks those of the arguments that were given; `null` is as good as not given. */
function check(call, kind, given) {
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && value !== null && !FITS[kind](value)) throw wrong(call, name, kind, value)
  }
}

/** As `check`, of arguments that a call cannot do without. */
function need(call, kind, given) {
  for (const [name, value] of Object.entries(given)) {
    if (!FITS[kind](value)) throw wrong(call, name, kind, value)
  }
}

/** A kind, or a number, which is no secret. */
function shown(value) {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number') return `${value}`
  if (Array.isArray(value)) return 'an array'
  if (types.isUint8Array(value)) return 'bytes'
  if (isPlain(value)) return 'an object'
  return `a ${typeof value === 'object' ? value.constructor.name : typeof value}`
}

/** JSON of claims or header parameters, whose values JSON can say; one that is `undefined` is left out, as `null` is. */
function members(call, name, value) {
  check(call, 'members', { [name]: value })
  const told = Object.entries(value ?? {}).map(([member, value]) => [member, value ?? null])
  return toJson(call, name, Object.fromEntries(told))
}

/** JSON of the caller's data, in which a `bigint` is a number. */
function toJson(call, name, value) {
  const mark = randomUUID()
  const written = (member, value) => {
    if (typeof value === 'bigint') return `${mark}${value}`
    const isJson = typeof value === 'number' ? Number.isFinite(value) : !['function', 'symbol'].includes(typeof value)
    if (!isJson) throw new TypeError(`${member} is no JSON`)
    return value
  }
  try {
    return JSON.stringify(value, written).replace(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1')
  } catch {
    throw usage(`${call}: ${name} must be ${EXPECTED.members}`)
  }
}

module.exports = { check, members, need, toJson, wrong }

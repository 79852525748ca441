'use strict'
// What callers pass in, checked before it crosses the border.

const { types } = require('node:util')
const { classes, usage } = require('./errors.cjs')

const { SealgateError } = classes

/** How a value reads in a message: its kind, never itself, since it may be a token. */
function kind(value) {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'no prototype'})`
  return typeof value
}

function isToken(value) {
  return typeof value === 'string' || types.isUint8Array(value)
}

/** That claims can be made into what the caller wants, whatever the token. */
function checkInto(schema) {
  if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function') {
    throw usage(`into must be a Standard Schema, not ${kind(schema)}`)
  }
  return schema
}

function checkToken(value, what = 'the token') {
  if (!isToken(value)) {
    throw usage(`${what} must be a string or a Uint8Array, not ${kind(value)}`)
  }
}

/** An options object with these members and no other: a misspelt one would be a check left out. */
function checkOptions(options, call, names) {
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null) {
    throw usage(`${call}: the options must be an object, not ${kind(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw usage(`${call}: no option ${JSON.stringify(name)}; there are: ${names.join(', ')}`)
    }
  }
  return options
}

/** Scopes as the native half takes them: separated by spaces, or none. */
function scopes(value, call) {
  return words(value, call, 'requiredScopes', 'a scope')
}

/** The same, and behind an end of line the values of `acr` of which one is needed. */
function needed({ requiredScopes, acrValues }, call) {
  const own = scopes(requiredScopes, call)
  if (acrValues === undefined) return own
  const classes = words(acrValues, call, 'acrValues', 'an acr')
  return classes === undefined ? own : `${own ?? ''}\n${classes}`
}

function words(values, call, name, each) {
  if (values === undefined) return undefined
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) {
    throw usage(`${call}: ${name} must be an array of strings`)
  }
  if (values.some((value) => value === '' || value.includes(' ') || value.includes('\n'))) {
    throw usage(`${call}: ${name}: ${each} is neither empty nor has it a space; give one string each`)
  }
  return values.length === 0 ? undefined : values.join(' ')
}

/** What every call about a token or a request may need beyond its gate's demands. */
const NEEDS = ['requiredScopes', 'acrValues', 'presenter', 'nonce', 'clientId', 'accessToken', 'code']

const KNOWN = ['nonce', 'clientId', 'accessToken', 'code']
const NOTHING = Object.freeze([])

/** Names and texts in turn, of what the caller knows and the token must be of. */
function known(told, call) {
  const { presenter, nonce, clientId, accessToken, code } = told
  // Of most calls nothing is known, and they are not to wait for it.
  const none = presenter === undefined && nonce === undefined && clientId === undefined
  if (none && accessToken === undefined && code === undefined) return NOTHING
  const names = KNOWN.filter((name) => told[name] !== undefined)
  const texts = names.flatMap((name) => [name, checkString(told[name], `${call}: ${name}`)])
  if (presenter === undefined) return texts
  const what = `${call}: presenter`
  const { iss, sub } = checkOptions(presenter, what, ['iss', 'sub'])
  return [...texts, 'presenterIss', checkString(iss, `${what}: iss`), 'presenterSub', checkString(sub, `${what}: sub`)]
}

/** Members and texts in turn, of what a call is about to do; none where it does not say. */
function operation(value, call) {
  if (value === undefined) return []
  const what = `${call}: operation`
  const told = checkOptions(value, what, ['tool', 'resource', 'action', 'scope', 'arguments'])
  const members = Object.entries(told).filter(([, text]) => text !== undefined)
  if (members.length === 0) throw usage(`${what} tells nothing; leave it out`)
  return members.flatMap(([name, value]) => {
    if (name !== 'arguments') return [name, checkString(value, `${what}: ${name}`)]
    if (!isPlain(value)) throw usage(`${what}: arguments must be an object, not ${kind(value)}`)
    return [name, plainJson(value, `${what}: arguments`)]
  })
}

/** The same of what was approved: by whom, and the whole of it. */
function approved(value, call) {
  if (value === undefined) return []
  const what = `${call}: approved`
  const { issuer, ...texts } = checkOptions(value, what, ['issuer', 'authoritySet', 'intent'])
  const given = Object.entries(texts).filter(([, text]) => text !== undefined)
  if (given.length !== 1) throw usage(`${what} has either authoritySet or intent`)
  const [[name, text]] = given
  if (name === 'intent' ? !isPlain(text) : !Array.isArray(text)) {
    throw usage(`${what}: ${name} must be ${name === 'intent' ? 'an object' : 'an array'}, not ${kind(text)}`)
  }
  return ['approvedBy', checkString(issuer, `${what}: issuer`), name, plainJson(text, `${what}: ${name}`)]
}

function checkString(value, what) {
  if (typeof value !== 'string') throw usage(`${what} must be a string, not ${kind(value)}`)
  return value
}

function isPlain(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** JSON of the caller's data; what JSON cannot say is the caller's mistake. */
function json(value, what, check) {
  try {
    return JSON.stringify(value, check)
  } catch (error) {
    if (SealgateError.is(error)) throw error
    throw usage(`${what} is not JSON: ${error.message}`)
  }
}

/**
 * The same of what a verdict depends on: what JSON would write as something else, or leave out, is refused.
 */
function plainJson(value, what) {
  return json(value, what, (name, member) => {
    const isOdd = typeof member === 'object' && member !== null ? !Array.isArray(member) && !isPlain(member) : !IN_JSON.has(typeof member)
    if (isOdd || (typeof member === 'number' && !Number.isFinite(member))) {
      const odd = typeof member === 'number' ? member : kind(member)
      throw usage(`${what}${name === '' ? '' : `: ${name}`} has no place in JSON: ${odd}`)
    }
    return member
  })
}
// Those that JSON.stringify itself refuses among them.
const IN_JSON = new Set(['string', 'number', 'boolean', 'object', 'bigint'])

// Members under which names are the caller's or another standard's.
const VERBATIM = new Set(['jwks', 'scopeImplies', 'metadata', 'annotations'])

// Members with tables in them under names of the caller's.
const NAMED = new Set(['stores'])

/** Options in camelCase, at every depth, as the members of a policy document. */
function toMembers(options) {
  return mapPlain(options, (name, value) => {
    if (name.includes('_')) {
      throw usage(`write ${JSON.stringify(toCamel(name))} for ${JSON.stringify(name)}`)
    }
    if (VERBATIM.has(name)) return [toSnake(name), value]
    return [toSnake(name), NAMED.has(name) ? mapPlain(value, (own, table) => [own, toMembers(table)]) : toMembers(value)]
  })
}

/** An object with each of its members changed, those of the objects in an array likewise; else what it is. */
function mapPlain(value, change) {
  if (Array.isArray(value)) return value.map((element) => mapPlain(element, change))
  if (!isPlain(value)) return value
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return Object.fromEntries(members.map(([name, member]) => change(name, member)))
}

/** The path of a member as the caller wrote it: {@link toMembers} the other way round. */
function toOptionPath(path) {
  return path
    .split('.')
    .map((name, place, all) => (NAMED.has(all[place - 1]) ? name : toCamel(name)))
    .join('.')
}

function toSnake(name) {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function toCamel(name) {
  return name.replace(/_+([a-z])/g, (_, letter) => letter.toUpperCase())
}

module.exports = {
  NEEDS,
  approved,
  checkInto,
  checkOptions,
  checkString,
  checkToken,
  isPlain,
  isToken,
  json,
  kind,
  known,
  needed,
  operation,
  scopes,
  toCamel,
  toMembers,
  toOptionPath,
}

'use strict'
// Policy documents.

const { fileURLToPath } = require('node:url')
const native = require('./native.cjs')
const { checkOptions, checkString, isPlain, json, kind, toOptionPath } = require('./arguments.cjs')
const { policyRefused, usage } = require('./errors.cjs')

/** What the native half has loaded. */
function handleFrom(loaded) {
  if (typeof loaded === 'string') throw policyRefused(JSON.parse(loaded))
  return loaded
}

const inOrder = ({ allowDanger, allowTestKeys, pushAllKeys } = {}) =>
  [allowDanger, allowTestKeys, pushAllKeys].map((flag) => flag === true)

/** Loads what `source` is a `kind` of, for the callers of this package alone. */
function loadHandle(kind, source, flags) {
  return handleFrom(native.loadPolicy(kind, source, ...inOrder(flags)))
}

/** A policy of flat members, whose problems name them as the caller wrote them. */
function singleHandle(members, flags) {
  try {
    return loadHandle('members', json(members, 'the options'), flags)
  } catch (error) {
    if (!error.problems) throw error
    const problems = error.problems.map((problem) => ({ ...problem, path: toOptionPath(problem.path) }))
    throw policyRefused({ text: error.message.replace(/^policy_invalid: /, ''), document: null, problems })
  }
}

/** A path or `file:` URL as a path. */
function pathOf(source, call) {
  if (source instanceof URL) {
    if (source.protocol !== 'file:') throw usage(`${call}: only file: URLs name a policy`)
    return fileURLToPath(source)
  }
  return checkString(source, `${call}: the path`)
}

let handleOf, wrap

class Policy {
  #handle
  #said

  constructor(document, options) {
    if (document instanceof Key) {
      this.#handle = document.handle
    } else {
      const flags = checkOptions(options, 'Policy', ['allowDanger'])
      if (!isPlain(document)) {
        throw usage(`Policy: the document must be a plain object, not ${kind(document)}`)
      }
      this.#handle = loadHandle('json', json(document, 'the document'), flags)
    }
  }

  static {
    handleOf = (policy) => (#handle in policy ? policy.#handle : undefined)
    wrap = (handle) => new Policy(new Key(handle))
  }

  static load(path, options) {
    const flags = checkOptions(options, 'Policy.load', ['allowDanger'])
    return wrap(loadHandle('path', pathOf(path, 'Policy.load'), flags))
  }

  static parse(text, options) {
    const { format = 'toml', ...flags } = checkOptions(options, 'Policy.parse', ['format', 'allowDanger'])
    if (format !== 'toml' && format !== 'json') {
      throw usage('Policy.parse: the format is "toml" or "json"')
    }
    return wrap(loadHandle(format, checkString(text, 'Policy.parse: the text'), flags))
  }

  get #description() {
    return (this.#said ??= JSON.parse(native.describePolicy(this.#handle)))
  }

  get digest() {
    return this.#description.digest
  }

  get warnings() {
    return structuredClone(this.#description.warnings)
  }

  effective() {
    return structuredClone(this.#description.effective)
  }

  toDict() {
    return structuredClone(this.#description.document)
  }

  toJSON() {
    return this.toDict()
  }
}

/** Lets this file alone make a policy of a handle. */
class Key {
  constructor(handle) {
    this.handle = handle
  }
}

/** The handle of a policy, however it is given: path, URL, document or `Policy`. */
function policyHandle(source, call, flags) {
  if (typeof source === 'string' || source instanceof URL) {
    return loadHandle('path', pathOf(source, call), flags)
  }
  const handle = typeof source === 'object' && source !== null ? handleOf(source) : undefined
  if (handle !== undefined) return handleFrom(native.policyUnder(handle, ...inOrder(flags)))
  if (isPlain(source)) return loadHandle('json', json(source, `${call}: the policy`), flags)
  throw usage(`${call}: the policy is a path, a URL, an object or a Policy, not ${kind(source)}`)
}

module.exports = { Policy, policyHandle, singleHandle, wrapPolicy: wrap }

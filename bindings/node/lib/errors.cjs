'use strict'
// The error classes, and which code belongs to which: the one place that knows.

const { inspect } = require('node:util')
const native = require('./native.cjs')

// Each class with its parent, the groups of codes it stands for, and the codes it takes out of
// another class's group.
const TREE = {
  TokenError: { of: 'SealgateError' },
  CredentialError: { of: 'TokenError', groups: ['no_credential', 'request'] },
  MalformedTokenError: { of: 'TokenError', groups: ['parse'] },
  SignatureError: { of: 'TokenError', groups: ['crypto'] },
  TokenKindError: { of: 'TokenError', groups: ['kind'] },
  ValidityError: { of: 'TokenError', groups: ['validity'] },
  ExpiredTokenError: { of: 'ValidityError', codes: ['expired'] },
  AudienceError: { of: 'ValidityError', codes: ['aud_mismatch'] },
  IssuerError: { of: 'ValidityError', codes: ['iss_untrusted'] },
  ReplayError: { of: 'ValidityError', codes: ['replayed'] },
  PossessionError: { of: 'TokenError', groups: ['possession'] },
  DelegationError: { of: 'TokenError', groups: ['chain'] },
  ActorError: { of: 'DelegationError', groups: ['actor_policy'] },
  RevokedError: { of: 'TokenError', groups: ['revocation'] },
  AuthorityError: { of: 'TokenError', groups: ['authority'] },
  StepUpError: { of: 'AuthorityError', groups: ['authentication'] },
  UnavailableError: { of: 'SealgateError' },
  KeysUnavailableError: { of: 'UnavailableError', codes: ['keys_unavailable', 'keys_refreshing'] },
  RevocationUnavailableError: {
    of: 'UnavailableError',
    codes: ['revocation_unavailable', 'revocation_stale', 'status_unavailable', 'status_stale'],
  },
  IntrospectionUnavailableError: {
    of: 'UnavailableError',
    codes: ['introspection_pending', 'introspection_unavailable'],
  },
  ReplayUnavailableError: { of: 'UnavailableError', codes: ['replay_unavailable', 'replay_full'] },
  PolicyError: { of: 'SealgateError', codes: ['policy_invalid'] },
  UsageError: { of: 'SealgateError', also: TypeError, groups: ['misuse'] },
  InternalError: { of: 'SealgateError', groups: ['internal'] },
}

// An ESM and a CommonJS copy, or two versions, may meet in one process: what an error is goes by
// these names on its prototype, not by which copy made it.
const BRAND = Symbol.for('sealgate.error')

/** The code that a class stands for where no other is given. */
const FIRST = Symbol('first')

const classes = {}

/** What an error tells, in this order in JSON, and what each is made of. */
const TELLS = {
  code: ({ code }) => code,
  blame: ({ code }) => rows.get(code).blame,
  group: ({ code }) => rows.get(code).group,
  reason: ({ code, reason }) => reason ?? rows.get(code).reason,
  hint: (_, { hint }) => hint ?? null,
  doc: ({ code }) => rows.get(code).doc,
  claim: ({ claim }) => claim ?? null,
  expected: ({ expected }) => expected ?? NONE,
  gate: ({ gate }) => gate ?? null,
  issuerName: ({ issuerName }) => issuerName ?? null,
  httpStatus: (_, { status }) => status,
  headers: (_, { headers }) => headers,
  body: (_, { body }) => body ?? '',
  oauthError: (_, { body }) => (body ? JSON.parse(body).error : undefined) ?? null,
  wwwAuthenticate: (_, { headers }) => headers['WWW-Authenticate'] ?? null,
  retryAfter: (_, { headers }) => (headers['Retry-After'] === undefined ? null : Number(headers['Retry-After'])),
}
const NONE = Object.freeze([])

/**
 * Errors that know their outline at once, and ask for the answer (hint, status, headers and body) when
 * somebody looks at it: most are only counted, and an answer takes longer than a verification.
 */
function telling(base) {
  const made = class extends base {
    #outline
    #ask
    #answer

    constructor(outline, ask) {
      // Only this package has outlines, and who to ask; a program makes stand-ins.
      const isStandIn = typeof outline !== 'object'
      if (isStandIn) outline = standIn(new.target, outline, ask?.code)
      super(outline.message)
      this.#outline = outline
      this.#ask = isStandIn ? undefined : ask
    }

    static {
      for (const [name, tell] of Object.entries(TELLS)) {
        const get = function () {
          return tell(this.#outline, tell.length > 1 ? this.#answered() : undefined)
        }
        // Those who go through an error with `for … in`, as loggers do, find them.
        Object.defineProperty(this.prototype, name, { get, enumerable: true, configurable: true })
      }
    }

    #answered() {
      return (this.#answer ??= this.#ask?.() ?? withoutGate(this.#outline))
    }
  }
  return made
}

/** The outline of an error that a program makes, for want of a gate that refuses. */
function standIn(made, text, code = made[FIRST]) {
  if (!rows.has(code)) throw usage(`no code ${JSON.stringify(code)}`)
  return outlined({ code, more: text })
}

function toJSON() {
  const names = [...Object.keys(TELLS), 'message', ...Object.keys(this)]
  return Object.fromEntries(names.map((name) => [name, this[name]]))
}

/** The error that {@link toJSON} has told of, wherever that was. What a code means, this version knows. */
function fromJSON(told) {
  const { code, reason, message, hint, claim, expected, gate, issuerName, httpStatus, headers, body, ...more } = told ?? {}
  if (!rows.has(code)) throw usage('SealgateError.fromJSON takes what toJSON() has given, of a code that there is')
  const answer = { hint, status: httpStatus, headers: Object.freeze({ ...headers }), body }
  const said = { code, reason, message, claim, expected: Object.freeze([...(expected ?? [])]), gate, issuerName }
  const own = Object.entries(more).filter(([name]) => !Object.hasOwn(TELLS, name))
  return Object.assign(errorOf({ ...said, ...answer }), Object.fromEntries(own))
}

function show(depth, options, inspect) {
  const { name, message, stack } = this
  if (depth < 0) return `[${name}: ${message}]`
  const { message: _, ...all } = this.toJSON() // the stack begins with it
  const told = Object.entries(all).filter(([, value]) => value !== null && value !== '')
  const cause = Object.hasOwn(this, 'cause') ? { cause: this.cause } : {}
  return `${stack} ${inspect({ ...Object.fromEntries(told), ...cause }, options)}`
}

function define(name, parent, base = parent) {
  const isRoot = base.prototype[BRAND] === undefined
  const root = isRoot ? telling(base) : base
  const made = { [name]: class extends root {} }[name]
  const names = new Set([name, ...(parent.prototype[BRAND] ?? [])])
  Object.defineProperties(made.prototype, {
    name: { value: name, configurable: true, writable: true },
    [BRAND]: { value: names },
  })
  if (isRoot) {
    Object.defineProperties(made.prototype, {
      toJSON: { value: toJSON, configurable: true, writable: true },
      [inspect.custom]: { value: show, configurable: true, writable: true },
    })
  }
  Object.defineProperty(made, Symbol.hasInstance, {
    value(value) {
      if (this === made) return typeof value === 'object' && value?.[BRAND]?.has(name) === true
      return Function.prototype[Symbol.hasInstance].call(this, value) // a subclass of the user's
    },
  })
  classes[name] = made
  return made
}

const SealgateError = define('SealgateError', Error)
Object.defineProperties(SealgateError, {
  is: { value: (value) => value instanceof SealgateError },
  fromJSON: { value: fromJSON },
})
for (const [name, { of, also }] of Object.entries(TREE)) define(name, classes[of], also)

/** The core's table, in its order. */
const codes = JSON.parse(native.codes()).map(answered)
// The one code that no verification gives: a mistake as others are.
const POLICY_INVALID = {
  ...codes.find(({ code }) => code === 'usage'),
  code: 'policy_invalid',
  reason: 'the policy document does not load',
  doc: 'https://docs.rs/sealgate/latest/sealgate/struct.PolicyError.html',
}
const rows = new Map([...codes, POLICY_INVALID].map((row) => [row.code, row]))

function classOf({ code, group }) {
  const entries = Object.entries(TREE)
  const entry =
    entries.find(([, row]) => row.codes?.includes(code)) ??
    entries.find(([, row]) => row.groups?.includes(group))
  if (entry === undefined) throw new Error(`no error class for the code ${code}`)
  return classes[entry[0]]
}
const byCode = new Map([...rows.values()].map((row) => [row.code, classOf(row)]))
// A class stands for its own first code, else for the first of those below it.
for (const made of Object.values(classes)) {
  const codes = [...byCode].filter(([, other]) => made === other || other.prototype[BRAND].has(made.name))
  const [first] = codes.find(([, other]) => made === other) ?? (made === SealgateError ? ['internal'] : codes[0])
  Object.defineProperty(made, FIRST, { value: first })
}

/** What errors of one kind share, of what the native half says about them: their outline. */
function outlined({ expected = [], expectation, headers, ...said }) {
  const { code, claim, text, more, issuerName, hint } = said
  const { blame } = rows.get(code)
  const { reason = rows.get(code).reason } = said
  let message = `${code}: ${text ?? reason}`
  if (claim) message += ` (${claim})`
  if (issuerName && blame === 'unavailable' && text === undefined) message += ` (${issuerName})`
  if (expectation) message += `; ${expectation}`
  if (more !== undefined) message += `: ${more}`
  if (code === 'usage' && hint) message += `: ${hint}` // what the call got wrong
  return { ...said, ...answered({ headers }), message, expected: Object.freeze(expected) }
}

/** An outline with its answer, where it is no gate's. */
function withoutGate(outline) {
  const { status, headers } = rows.get(outline.code)
  return { status, headers, ...outline }
}

/** An answer, whose header fields are pairs, as errors have it. */
function answered({ headers, ...said }) {
  return headers === undefined ? said : { ...said, headers: Object.freeze(Object.fromEntries(headers)) }
}

/** The errors of calls that were wrong. */
const misuses = new WeakSet()

/** An error of this outline; `ask` answers it with JSON when somebody looks. */
function errorOf(outline, ask) {
  const error = new (byCode.get(outline.code))(outline, ask && (() => answered(JSON.parse(ask()))))
  if (outline.misuse) misuses.add(error)
  return error
}

/** Whether the call was wrong, as the core has it: thrown also where refusals are values. */
const isMisuse = (error) => misuses.has(error)

/**
 * The same as a value that nobody throws: without the frames of whoever looked at it, which take ten
 * times as long as all else about it.
 */
function unthrown(outline, ask) {
  const { stackTraceLimit } = Error
  Reflect.set(Error, 'stackTraceLimit', 0) // not by assignment: a program may have frozen it
  try {
    return errorOf(outline, ask)
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}

/** The error of a refusal that the native half has said all about. */
function refused(said) {
  return errorOf(outlined(said))
}

/** The same where it came as `[outline, answer]`. */
function refusedInFull(json, more) {
  const [outline, answer] = JSON.parse(json)
  return refused({ ...outline, ...answer, ...more })
}

/** The caller's mistake. */
function usage(text) {
  return refused({ code: 'usage', hint: text, misuse: true })
}

/** What the native half never throws of its own accord. */
function internal(cause) {
  const error = refused({ code: 'internal' })
  Object.defineProperty(error, 'cause', { value: cause })
  return error
}

/** A policy that does not load. */
function policyRefused({ text, document, problems }) {
  const message = `policy_invalid: ${text}`
  const error = errorOf({ code: 'policy_invalid', message })
  const frozen = Object.freeze(problems.map(Object.freeze))
  return Object.assign(error, { document, problems: frozen })
}

module.exports = { classes, codes, errorOf, internal, isMisuse, outlined, policyRefused, refused, refusedInFull, unthrown, usage }

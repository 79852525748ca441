'use strict'
// The error classes, and which code belongs to which: the one place that knows.

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
  ReplayUnavailableError: { of: 'UnavailableError', codes: ['replay_unavailable', 'replay_full'] },
  PolicyError: { of: 'SealgateError', codes: ['policy_invalid'] },
  UsageError: { of: 'SealgateError', also: TypeError, groups: ['misuse'] },
  InternalError: { of: 'SealgateError', groups: ['internal'] },
}

// An ESM and a CommonJS copy, or two versions, may meet in one process: what an error is goes by
// these names on its prototype, not by which copy made it.
const BRAND = Symbol.for('sealgate.error')

const classes = {}

function define(name, parent, base = parent) {
  const root = base.prototype[BRAND] === undefined
  const made = {
    [name]: class extends base {
      constructor(details) {
        super(root ? details.message : details)
        if (root) fill(this, details)
      }
    },
  }[name]
  const names = new Set([name, ...(parent.prototype[BRAND] ?? [])])
  Object.defineProperties(made.prototype, {
    name: { value: name, configurable: true, writable: true },
    [BRAND]: { value: names },
  })
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
Object.defineProperty(SealgateError, 'is', {
  value: (value) => value instanceof SealgateError,
})
for (const [name, { of, also }] of Object.entries(TREE)) define(name, classes[of], also)

// The one code that no verification gives.
const POLICY_INVALID = {
  code: 'policy_invalid',
  reason: 'the policy document does not load',
  group: 'misuse',
  blame: 'misuse',
  doc: 'https://docs.rs/sealgate/latest/sealgate/struct.PolicyError.html',
}
/** The core's table, in its order. */
const codes = JSON.parse(native.codes())
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

function fill(error, details) {
  const { code, reason, group, blame, doc } = rows.get(details.code)
  const headers = Object.freeze(Object.fromEntries(details.headers ?? []))
  const retryAfter = headers['Retry-After']
  const body = details.body ?? ''
  Object.assign(error, {
    code,
    blame,
    group,
    reason,
    hint: details.hint ?? null,
    doc,
    claim: details.claim ?? null,
    expected: Object.freeze(details.expected ?? []),
    gate: details.gate ?? null,
    issuerName: details.issuerName ?? null,
    httpStatus: details.status ?? (blame === 'rejected' ? 401 : 500),
    headers,
    body,
    oauthError: body === '' ? null : JSON.parse(body).error,
    wwwAuthenticate: headers['WWW-Authenticate'] ?? null,
    retryAfter: retryAfter === undefined ? null : Number(retryAfter),
  })
}

/** The errors of calls that were wrong. */
const misuses = new WeakSet()

/** The error of a refusal, as the native half describes it. */
function refused(details) {
  const { code, claim, expected, text } = details
  let message = `${code}: ${text ?? rows.get(code).reason}`
  if (claim) message += ` (${claim})`
  if (expected?.length > 0) message += `; expected ${expected.join(' or ')}`
  const error = new (byCode.get(code))({ ...details, message })
  if (details.misuse) misuses.add(error)
  return error
}

/** Whether the call was wrong, as the core has it, so that it is thrown also where refusals are values. */
const isMisuse = (error) => misuses.has(error)

/** The caller's mistake. */
function usage(text) {
  return refused({ code: 'usage', text, misuse: true })
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
  const error = new classes.PolicyError({ code: 'policy_invalid', message })
  const frozen = Object.freeze(problems.map(Object.freeze))
  return Object.assign(error, { document, problems: frozen })
}

module.exports = { classes, codes, internal, isMisuse, policyRefused, refused, usage }

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { inspect } from 'node:util'
import { test } from 'node:test'
import * as sealgate from 'sealgate'
import { FakeIssuer, refusals } from 'sealgate/testing'
import { thrown, world } from './world.mjs'

const require = createRequire(import.meta.url)
const { classes, codes, internal, refused } = require('../lib/errors.cjs')

// User-experience 1.2: each class with its parent.
const TREE = {
  TokenError: 'SealgateError',
  CredentialError: 'TokenError',
  MalformedTokenError: 'TokenError',
  SignatureError: 'TokenError',
  TokenKindError: 'TokenError',
  ValidityError: 'TokenError',
  ExpiredTokenError: 'ValidityError',
  AudienceError: 'ValidityError',
  IssuerError: 'ValidityError',
  ReplayError: 'ValidityError',
  PossessionError: 'TokenError',
  DelegationError: 'TokenError',
  ActorError: 'DelegationError',
  RevokedError: 'TokenError',
  AuthorityError: 'TokenError',
  StepUpError: 'AuthorityError',
  UnavailableError: 'SealgateError',
  KeysUnavailableError: 'UnavailableError',
  RevocationUnavailableError: 'UnavailableError',
  IntrospectionUnavailableError: 'UnavailableError',
  ReplayUnavailableError: 'UnavailableError',
  PolicyError: 'SealgateError',
  UsageError: 'SealgateError',
  InternalError: 'SealgateError',
}

test('the class tree is the one that is promised', () => {
  assert.deepEqual(Object.keys(classes).sort(), ['SealgateError', ...Object.keys(TREE)].sort())
  for (const name of Object.keys(TREE)) {
    const error = new classes[name]({ code: 'usage', message: 'm' })
    const ancestors = new Set()
    for (let at = name; at !== undefined; at = TREE[at]) ancestors.add(at)
    for (const other of Object.keys(classes)) {
      assert.equal(error instanceof classes[other], ancestors.has(other), `${name} instanceof ${other}`)
    }
    assert.equal(error.name, name)
    assert.ok(error instanceof Error)
    assert.equal(sealgate[name], classes[name])
  }
})

test('every code of the core has a class that fits its blame, a reason and a documented place', () => {
  assert.ok(codes.length > 30)
  const root = { rejected: 'TokenError', unavailable: 'UnavailableError', misuse: 'UsageError', internal: 'InternalError' }
  for (const { code, reason, group, blame, doc } of codes) {
    const error = refused({ code })
    assert.ok(error instanceof classes[root[blame]], code)
    assert.equal(error instanceof sealgate.TokenError && error instanceof sealgate.UnavailableError, false)
    assert.deepEqual([error.code, error.reason, error.group, error.blame], [code, reason, group, blame])
    assert.equal(error.message, `${code}: ${reason}`)
    assert.match(doc, /^https:\/\/docs\.rs\/sealgate\/[\d.]+\/sealgate\/enum\.Code\.html#variant\.[A-Z]\w+$/)
  }
})

test('codes that have a class of their own', () => {
  const own = {
    expired: 'ExpiredTokenError',
    aud_mismatch: 'AudienceError',
    iss_untrusted: 'IssuerError',
    not_yet_valid: 'ValidityError',
    actor_not_allowed: 'ActorError',
    chain_loop: 'DelegationError',
    insufficient_user_authentication: 'StepUpError',
    keys_unavailable: 'KeysUnavailableError',
    suspended: 'RevokedError',
    revocation_stale: 'RevocationUnavailableError',
    status_unavailable: 'RevocationUnavailableError',
    status_stale: 'RevocationUnavailableError',
    introspection_pending: 'IntrospectionUnavailableError',
    usage: 'UsageError',
  }
  for (const [code, name] of Object.entries(own)) assert.equal(refused({ code }).name, name)
})

test('another copy of the package knows the errors of this one', () => {
  const path = require.resolve('../lib/errors.cjs')
  const kept = require.cache[path]
  delete require.cache[path]
  const copy = require(path)
  require.cache[path] = kept
  assert.notEqual(copy.classes.AudienceError, classes.AudienceError)
  const error = refused({ code: 'aud_mismatch' })
  assert.ok(error instanceof copy.classes.AudienceError)
  assert.ok(error instanceof copy.classes.TokenError)
  assert.equal(error instanceof copy.classes.IssuerError, false)
  assert.ok(copy.classes.SealgateError.is(error))
  assert.equal(require('sealgate').AudienceError, sealgate.AudienceError)
})

test('what is no error of ours is none', () => {
  for (const value of [null, undefined, 0, 'x', {}, new Error('x'), new TypeError('x'), () => {}]) {
    assert.equal(sealgate.SealgateError.is(value), false)
    assert.equal(value instanceof sealgate.TokenError, false)
  }
  class Own extends sealgate.TokenError {}
  assert.equal(refused({ code: 'expired' }) instanceof Own, false)
  assert.ok(new Own({ code: 'expired', message: 'm' }) instanceof Own)
})

test('a usage error is a TypeError too', () => {
  const error = thrown(() => world().gate.verify(42))
  assert.ok(error instanceof TypeError)
  assert.ok(error instanceof sealgate.UsageError)
  assert.ok(error instanceof sealgate.SealgateError)
  assert.deepEqual([error.code, error.blame, error.httpStatus, error.body], ['usage', 'misuse', 500, ''])
  assert.equal(error.hint, 'the token must be a string or a Uint8Array, not number')
  assert.equal(error.message, `usage: ${error.reason}: ${error.hint}`)
})

test('an error holds the answer, our half of the mismatch, and nothing of the token', () => {
  const { gate, token } = world({ gate: { public_url: 'https://api.example.com' } })
  const jwt = token({ sub: 'someone-secret', aud: 'https://secret.example' })
  const error = thrown(() => gate.verify(jwt))
  assert.equal(error.constructor, sealgate.AudienceError)
  assert.deepEqual(error.expected, ['https://api.example.com/mcp'])
  assert.equal(
    error.message,
    'aud_mismatch: the token is for another audience (aud); expected https://api.example.com/mcp'
  )
  assert.deepEqual([error.gate, error.issuerName, error.claim], ['tools', 'corp', 'aud'])
  assert.equal(error.httpStatus, 401)
  assert.equal(error.oauthError, 'invalid_token')
  assert.equal(error.wwwAuthenticate, error.headers['WWW-Authenticate'])
  assert.match(error.wwwAuthenticate, /^Bearer error="invalid_token".*resource_metadata=/)
  assert.equal(error.headers['Cache-Control'], 'no-store')
  assert.match(error.hint, /Gate tools expects/)
  const shown = JSON.stringify(error) + inspect(error) + error.stack + Object.values(error).join()
  for (const part of [...jwt.split('.'), 'someone-secret', 'secret.example']) {
    assert.equal(shown.includes(part), false, part)
  }
})

test('an outage is no refusal', () => {
  const { policy, clock, token } = world()
  const gate = sealgate.Verifier.fromPolicy(policy, { clock }).gate('tools')
  const jwt = token()
  const error = thrown(() => gate.verify(jwt))
  assert.ok(error instanceof sealgate.KeysUnavailableError)
  assert.equal(error instanceof sealgate.TokenError, false)
  assert.deepEqual([error.httpStatus, error.retryAfter, error.wwwAuthenticate, error.body], [503, 5, null, ''])
  const verdict = gate.judge(jwt)
  assert.deepEqual([verdict.ok, verdict.code, verdict.error.blame], [false, 'keys_unavailable', 'unavailable'])
})

test('a missing scope names all that are needed', () => {
  const { gate, token } = world({ gate: { required_scopes: ['mcp:use'] } })
  const error = thrown(() => gate.verify(token(), { requiredScopes: ['files.write'] }))
  assert.ok(error instanceof sealgate.AuthorityError)
  assert.deepEqual([error.httpStatus, error.oauthError], [403, 'insufficient_scope'])
  assert.match(error.wwwAuthenticate, /scope="mcp:use files\.write"/)
})

test('a batch numbers codes as the table does', () => {
  const { gate } = world({ gate: { required_scopes: ['mcp:use'] } })
  // Those of the token itself, whatever the request around it.
  const known = refusals(gate).filter(([code, { token }]) => gate.judge(token ?? '').code === code)
  assert.ok(known.length > 25)
  const batch = gate.verifyBatchSync(known.map(([, { token }]) => token))
  assert.deepEqual(
    [...batch].map((verdict) => [verdict.code, verdict.error.code]),
    known.map(([code]) => [code, code])
  )
})

const FIELDS = ['code', 'blame', 'group', 'reason', 'hint', 'doc', 'claim', 'expected', 'gate', 'issuerName', 'httpStatus', 'headers', 'body', 'oauthError', 'wwwAuthenticate', 'retryAfter']

test('JSON, for … in, inspect and structuredClone show an error as they show others', () => {
  const { gate, token } = world()
  const error = gate.judge(token({ aud: 'x' })).error
  const plain = JSON.parse(JSON.stringify(error))
  assert.deepEqual(Object.keys(plain), [...FIELDS, 'message'])
  assert.deepEqual([plain.code, plain.httpStatus, plain.expected], ['aud_mismatch', 401, error.expected])
  const found = []
  for (const name in error) found.push(name)
  assert.deepEqual(found, FIELDS)
  const shown = inspect(error)
  assert.ok(shown.startsWith(error.stack))
  assert.match(shown, /code: 'aud_mismatch'[^]*httpStatus: 401/)
  assert.match(inspect({ deep: { deeper: error } }, { depth: 0 }), /^\{ deep: \[Object\] \}$/)
  assert.match(inspect([[error]], { depth: 1 }), /\[AudienceError: aud_mismatch: [^\]]+\]/)
  assert.throws(() => (error.code = 'accepted'), TypeError)
})

test('a structured clone is data, and passes for nothing that it was', () => {
  const { gate, token } = world()
  const error = gate.judge(token({ aud: 'x' })).error
  for (const made of [error, thrown(() => gate.verify(5)), thrown(() => gate.verify('x'))]) {
    const cloned = structuredClone(made)
    assert.ok(cloned instanceof Error && !sealgate.SealgateError.is(cloned) && !(cloned instanceof sealgate.TokenError))
    assert.deepEqual([cloned.message, cloned.stack, cloned.code], [made.message, made.stack, undefined])
    assert.throws(() => sealgate.SealgateError.fromJSON(cloned), sealgate.UsageError)
    assert.equal(sealgate.SealgateError.fromJSON(structuredClone(made.toJSON())).code, made.code)
  }
  const verified = gate.verify(token())
  const cloned = structuredClone(verified)
  assert.ok(!(cloned instanceof sealgate.VerifiedToken))
  assert.deepEqual(Reflect.ownKeys(cloned), [])
  assert.throws(() => gate.checkOutbound(cloned, { kind: 'access_token', token: token() }, { target: 'x' }), sealgate.UsageError)
  const data = verified.toDict()
  assert.deepEqual(structuredClone(data), JSON.parse(JSON.stringify(data)))
  assert.deepEqual(structuredClone(gate.judge(token())), { ok: true, code: 'accepted' })
  assert.deepEqual(structuredClone(gate.judge('x')), { ok: false, code: 'malformed_token' })
  assert.throws(() => structuredClone(gate), { name: 'DataCloneError' })
})

test('an error of a policy shows its problems, and one of a fault its cause', () => {
  const refusal = thrown(() => sealgate.Policy.parse('version = 7'))
  assert.deepEqual(JSON.parse(JSON.stringify(refusal)).problems, refusal.problems)
  assert.match(inspect(refusal), /problems: \[/)
  const fault = internal(new RangeError('deep'))
  assert.match(inspect(fault), /cause: RangeError: deep/)
  assert.deepEqual([fault.code, fault.httpStatus, fault.body], ['internal', 500, ''])
})

test('an error that is thrown says where; one that is a value, once it is unwrapped', () => {
  const { gate, token } = world()
  const jwt = token({ aud: 'x' })
  const limit = Error.stackTraceLimit
  assert.match(thrown(function here() { gate.verify(jwt) }).stack, /at here /)
  const verdict = gate.judge(jwt)
  assert.equal(verdict.error.stack, `AudienceError: ${verdict.error.message}`)
  assert.match(thrown(function there() { verdict.unwrap() }).stack, /at there /)
  assert.equal(Error.stackTraceLimit, limit)
})

test('what errors say of scopes is that of their call, however many sets of them there are', () => {
  const { gate, token, verifier, policy } = world()
  const jwt = token()
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 100; index++) {
      const { error } = gate.judge(jwt, { requiredScopes: [`s${index}`] })
      assert.deepEqual(error.expected, [`s${index}`])
      assert.match(error.wwwAuthenticate, new RegExp(`scope="s${index}"`))
    }
  }
  const wrong = token({ aud: 'x' })
  assert.deepEqual(gate.judge(wrong).error.expected, [policy.gates.tools.audience])
  const other = structuredClone(policy)
  other.gates.tools.audience = 'https://moved.example'
  verifier.reload(other)
  assert.deepEqual(gate.judge(wrong).error.expected, ['https://moved.example'])
})

test('the errors of a hundred thousand refusals do not hold up the event loop', () => {
  const { gate, token } = world()
  const wrong = [token({ aud: 'x' }), token({ claims: { exp: undefined } }), 'x']
  const batch = gate.verifyBatchSync(Array.from({ length: 99_000 }, (_, index) => wrong[index % 3]))
  const counts = {}
  const began = process.cpuUsage()
  for (const [, { code }] of batch.errors()) counts[code] = (counts[code] ?? 0) + 1
  const { user, system } = process.cpuUsage(began)
  assert.deepEqual(counts, { aud_mismatch: 33_000, missing_claim: 33_000, malformed_token: 33_000 })
  // A tenth of that is usual; an error that is made in full takes 20 times as long.
  assert.ok(user + system < 1e6, `${user + system} µs`)
})

test('a program can make errors, as stand-ins for a gate', () => {
  for (const [name, made] of Object.entries(classes)) {
    const error = new made('mocked')
    assert.ok(error instanceof made, name)
    assert.equal(error.message, `${error.code}: ${error.reason}: mocked`)
    assert.equal(refused({ code: error.code }) instanceof made || name === 'PolicyError', true)
  }
  const { ExpiredTokenError, KeysUnavailableError, TokenError } = sealgate
  assert.deepEqual([new ExpiredTokenError().code, new ExpiredTokenError().httpStatus], ['expired', 401])
  assert.equal(new KeysUnavailableError().httpStatus, 503)
  assert.equal(new TokenError('x', { code: 'replayed' }).code, 'replayed')
  assert.throws(() => new TokenError('x', { code: 'what' }), sealgate.UsageError)
})

test('a stand-in of each code is answered as the core answers without a gate', () => {
  const forbidden = ['AuthorityError', 'ActorError']
  const usual = { unavailable: 503, misuse: 500, internal: 500 }
  for (const { code, blame, group } of codes) {
    const error = new sealgate.TokenError('x', { code })
    const name = refused({ code }).name
    const rejected = forbidden.includes(name) ? 403 : group === 'request' ? 400 : 401
    assert.equal(error.httpStatus, usual[blame] ?? rejected, code)
    assert.equal(refused({ code }).httpStatus, error.httpStatus, code)
    const pause = ['keys_refreshing', 'introspection_pending'].includes(code) ? 1 : 5
    assert.deepEqual(error.headers, { 'Cache-Control': 'no-store', ...(blame === 'unavailable' && { 'Retry-After': `${pause}` }) }, code)
    assert.deepEqual([error.retryAfter, error.wwwAuthenticate, error.body, error.oauthError], [blame === 'unavailable' ? pause : null, null, '', null], code)
    assert.ok(Object.isFrozen(error.headers))
  }
  assert.equal(new sealgate.AuthorityError('x').httpStatus, 403)
  const policy = thrown(() => sealgate.Policy.parse('version = 7'))
  assert.deepEqual([policy.httpStatus, policy.headers], [500, { 'Cache-Control': 'no-store' }])
})

test('a fake says what it was told wrongly', () => {
  const corp = new FakeIssuer('https://login.example.com', { seed: 1 })
  assert.match(corp.token({ aud: 'a', act: ['agent-7', { sub: 'agent-8' }] }), /^ey/)
  for (const wrong of [{ scope: 7 }, { sub: 7 }, { act: [7] }, { act: [{ iss: 'x' }] }, { typ: {} }, { issuedAt: '1' }]) {
    assert.throws(() => corp.token(wrong), (error) => error instanceof sealgate.UsageError && /FakeIssuer.token/.test(error.message), JSON.stringify(wrong))
  }
  assert.throws(() => corp.sign('x', [1]), sealgate.UsageError)
})

test('an error goes to another thread and back as plain data', async () => {
  const { gate, token } = world({ gate: { public_url: 'https://api.example.com' } })
  const made = Object.assign(new sealgate.RevokedError('mocked'), { tenant: 't1' })
  const wrong = thrown(() => new sealgate.Policy({ version: 2 }))
  const all = [thrown(() => gate.verify(token({ aud: 'x' }))), gate.judge('x').error, thrown(() => gate.verify(5)), made, wrong]
  for (const error of all) {
    const { port1, port2 } = new MessageChannel()
    port1.postMessage(error.toJSON())
    const [told] = await once(port2, 'message').finally(() => (port1.close(), port2.close()))
    const back = sealgate.SealgateError.fromJSON(told)
    assert.equal(back.constructor, error.constructor)
    assert.equal(back.message, error.message)
    assert.deepEqual(back.toJSON(), error.toJSON())
    assert.deepEqual(sealgate.SealgateError.fromJSON(JSON.parse(JSON.stringify(error))).toJSON(), error.toJSON())
    assert.ok(Object.isFrozen(back.headers) && Object.isFrozen(back.expected))
  }
  for (const told of [undefined, null, 5, {}, { code: 'no_such_code' }, new Error('x')]) {
    assert.ok(thrown(() => sealgate.SealgateError.fromJSON(told)) instanceof sealgate.UsageError)
  }
})

test('a wrong call is wrong whatever the tokens', async () => {
  const { gate, corp, token } = world()
  const none = thrown(() => sealgate.verifyJws(token(), corp.jwks(), { algorithms: [] }))
  assert.deepEqual([none.code, /there is no default/.test(none.message)], ['usage', true])
  for (const tokens of [[], ['bad']]) {
    const wrong = thrown(() => gate.verifyBatchSync(tokens, { requiredScopes: ['"'] }))
    assert.match(wrong.message, /one string each/)
    await assert.rejects(gate.verifyBatch(tokens, { requiredScopes: ['"'] }), wrong.constructor)
  }
  const judged = thrown(() => gate.judge(token(), { requiredScopes: ['"'] }))
  assert.equal(judged.message, `usage: ${judged.reason} (required_scopes): ${judged.hint}`)
})

test('all scopes are needed, one acr would do, and a reason says what is malformed', () => {
  const { gate, token } = world()
  const requiredScopes = ['zz', 'yy']
  const { error } = gate.judge(token(), { requiredScopes })
  assert.match(error.message, /; expected zz and yy$/)
  assert.ok(String(gate.explain(token(), { requiredScopes })).includes(error.message))
  const { error: acr } = gate.judge(token(), { acrValues: ['gold', 'silver'] })
  assert.match(acr.message, /; expected gold or silver$/)
  const { error: malformed } = gate.judge('W10.e30.AA')
  assert.equal(malformed.reason, "the token's header is not well-formed JSON")
  assert.ok(malformed.message.includes(malformed.reason), malformed.message)
  assert.equal(sealgate.SealgateError.fromJSON(malformed.toJSON()).reason, malformed.reason)
})

// What fakes make of what they are told, wrong and right, as in every language.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Policy, PolicyError, UsageError, Verifier } from 'sealgate'
import { FakeAgent, FakeIssuer, FixedClock, open, policy, refusals, unreachable } from 'sealgate/testing'
import { AUDIENCE, ISSUER, thrown, world } from './world.mjs'

// The same file is read by the tests of the core and of Python.
const fakes = JSON.parse(readFileSync(new URL('../../../tests/vectors/fakes.json', import.meta.url)))

const toCamel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())
const parts = (jwt) => jwt.split('.', 2).map((part) => Buffer.from(part, 'base64url').toString())
/** Options, in whose texts names are spelled as here. */
const options = (given) => Object.fromEntries(Object.entries(given).map(([name, value]) => [toCamel(name), value]))

const { corp, gate } = world()
const agent = new FakeAgent('agent')
const request = { method: 'GET', uri: '/', token: 'x' }

/** Each call with arguments that it takes, and how it is made of them. */
const CALLS = {
  FakeIssuer: [{ issuer: ISSUER }, ({ issuer, ...more }) => new FakeIssuer(issuer, more)],
  FakeAgent: [{ sub: 'agent' }, ({ sub, ...more }) => new FakeAgent(sub, more)],
  'FakeIssuer.rotate': [{}, (more) => corp.rotate(more)],
  'FakeIssuer.withdraw': [{}, ({ kid }) => corp.withdraw(kid)],
  'FakeIssuer.token': [{}, (more) => corp.token(more)],
  'FakeIssuer.sign': [{ payload: {} }, ({ payload, header }) => corp.sign(payload, header)],
  'FakeAgent.proof': [{ method: 'GET', url: 'https://a.example' }, ({ method, url, token, ...more }) => agent.proof(method, url, token, more)],
  'FakeAgent.headers': [{ gate, ...request }, ({ gate, method, uri, token, ...more }) => agent.headers(gate, method, uri, token, more)],
  'FakeAgent.call': [{ gate, ...request }, ({ gate, method, uri, token, ...more }) => agent.call(gate, method, uri, token, more)],
  open: [{}, (more) => open(world().policy, more)],
  refusals: [{ gate }, ({ gate, ...more }) => refusals(gate, more)],
  unreachable: [{}, ({ gate }) => unreachable(gate)],
  FixedClock: [{}, ({ seconds }) => new FixedClock(seconds)],
  'FixedClock.set': [{}, ({ seconds }) => new FixedClock(0).set(seconds)],
}

test('mistakes are said as in every language', () => {
  for (const { call, name, value, text } of fakes.mistakes) {
    const [given, made] = CALLS[call]
    const error = thrown(() => made(options({ ...given, [name]: value })))
    assert.ok(error instanceof UsageError, text)
    assert.equal(error.hint, text.replace(`: ${name} `, `: ${toCamel(name)} `))
  }
  assert.ok(fakes.mistakes.length > 60)
})

test('no option is overlooked', () => {
  for (const [call, [given, made]] of Object.entries(CALLS)) {
    if (!/^(FakeIssuer|FakeAgent|open|refusals)/.test(call) || /withdraw|sign/.test(call)) continue
    assert.throws(() => made({ ...given, subject: 'u1' }), { hint: new RegExp(`^${call}: no option "subject"; there are: `) })
    assert.throws(() => made({ ...given, allowTestKeys: true }), UsageError)
  }
  for (const wrong of [7, 'options', null]) assert.throws(() => corp.token(wrong), UsageError)
})

test('what JSON cannot say', () => {
  for (const [name, value] of [['claims', { x: NaN }], ['claims', { x: [Infinity] }], ['claims', { x: () => 1 }], ['header', { x: Symbol('x') }]]) {
    assert.throws(() => corp.token({ [name]: value }), { hint: `FakeIssuer.token: ${name} must be an object of what JSON can say` })
  }
  const circle = {}
  circle.circle = circle
  assert.throws(() => corp.sign(circle), UsageError)
})

test('tokens say what they are told', () => {
  for (const { token, claims, payload, header } of fakes.told) {
    const corp = new FakeIssuer(ISSUER, { clock: new FixedClock(fakes.now) })
    assert.deepEqual(parts(corp.token({ ...options(token), claims: parsed(claims) })), [header, payload])
  }
})

/** JSON whose large numbers keep their digits. */
function parsed(text) {
  const marked = text.replace(/:(\d{16,})/g, ':"#$1"')
  return JSON.parse(marked, (_, value) => (typeof value === 'string' && value.startsWith('#') ? BigInt(value.slice(1)) : value))
}

test('what is signed is what is given', () => {
  const corp = new FakeIssuer(ISSUER, { name: 'corp' })
  const big = '{"n":123456789012345678901234567890}'
  for (const payload of [{ n: 123456789012345678901234567890n }, big, Buffer.from(big)]) {
    assert.deepEqual(parts(corp.sign(payload)), ['{"alg":"ES256","kid":"corp-1","typ":"at+jwt"}', big])
  }
  const changed = corp.sign('x', { kid: null, typ: 'JWT', b: 2n ** 70n })
  assert.equal(parts(changed)[0], `{"alg":"ES256","b":${2n ** 70n},"typ":"JWT"}`)
  assert.equal(parts(corp.sign('x', Buffer.from('{"alg" : "none"}')))[0], '{"alg" : "none"}')
})

test('a policy refuses the keys of a fake', () => {
  const written = (seed) => {
    const document = world().policy
    document.issuers.corp = { issuer: ISSUER, algorithms: ['ES256'], jwks: new FakeIssuer(ISSUER, { seed }).jwks() }
    return document
  }
  for (const seed of [0, 63]) {
    assert.throws(() => new Policy(written(seed)), (error) => error instanceof PolicyError && /everyone has this private key/.test(error.message))
    const jwt = new FakeIssuer(ISSUER, { seed }).token({ aud: AUDIENCE, scope: 'mcp:use' })
    assert.equal(Verifier.fromPolicy(policy(written(seed))).verify(jwt).subjectKind, null)
  }
  assert.ok(new Policy(written(64)))
})

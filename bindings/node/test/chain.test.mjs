// Tokens with those they come from, and tokens that go out in the name of one that came in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { AuthorityError, DelegationError, UsageError, VerifiedToken } from 'sealgate'
import { NOW, thrown, world } from './world.mjs'

// The audience of this server is the name under which it exchanges.
const AUDIENCE = 'mcp'
const TARGET = 'https://next.example'

function chained(gate) {
  const rules = { allow: [{ actor: { iss: 'https://login.example.com' } }] }
  const made = world({
    gate: { audience: AUDIENCE, context: { access_token: 'allowed' }, delegation: 'agents', ...gate },
    document: { delegation: { agents: rules } },
  })
  const token = (agents, more) =>
    made.token({ aud: AUDIENCE, scope: 'a b', clientId: 'c1', act: agents.map((sub) => ({ sub })), ...more })
  return { ...made, token }
}

test('a token with the one it was exchanged for', () => {
  const { gate, verifier, token } = chained()
  const parent = token(['planner'])
  const child = token(['mcp', 'planner'], { scope: 'a' })
  const context = [{ kind: 'access_token', token: parent }]
  const verified = gate.verifyChain(child, context)
  assert.ok(verified instanceof VerifiedToken)
  assert.deepEqual([verified.lineage, verified.unproven.includes('scope')], ['issuer_attested', false])
  assert.ok(Object.isFrozen(verified.unproven))
  assert.deepEqual(verified.toDict().unproven, [...verified.unproven])
  assert.deepEqual([gate.verify(child).lineage, gate.verify(child).unproven], ['asserted', []])
  const bytes = [{ kind: 'access_token', token: Buffer.from(parent) }]
  assert.equal(verifier.verifyChain(Buffer.from(child), bytes).lineage, verified.lineage)
  assert.equal(gate.verifyChain(child, []).lineage, 'asserted')
  const into = z.object({ sub: z.string() })
  assert.deepEqual(gate.verifyChain(child, context, { into }).claims, { sub: 'u1' })
})

test('what does not come out of its parent is refused', () => {
  const { gate, token } = chained()
  const context = [{ kind: 'access_token', token: token(['planner']) }]
  const cases = {
    attenuation_scope: token(['mcp', 'planner'], { scope: 'a c' }),
    chain_link_broken: token(['mcp', 'another']),
    subject_changed: token(['mcp', 'planner'], { sub: 'u2' }),
    aud_mismatch: token(['mcp', 'planner'], { aud: 'x' }),
    oversized: 'A'.repeat(1e7),
  }
  for (const [code, jwt] of Object.entries(cases)) {
    assert.equal(thrown(() => gate.verifyChain(jwt, context)).code, code)
    assert.equal(thrown(() => gate.verifyChain(Buffer.from(jwt), context)).code, code)
  }
  const child = token(['mcp', 'planner'])
  const expired = [{ kind: 'access_token', token: token(['planner'], { issuedAt: NOW - 900 }) }]
  assert.equal(thrown(() => gate.verifyChain(child, expired)).code, 'expired')
  assert.ok(thrown(() => gate.verifyChain(child, [{ kind: 'set', token: child }])) instanceof UsageError)
  const scoped = thrown(() => gate.verifyChain(child, context, { requiredScopes: ['z'] }))
  assert.deepEqual([scoped.code, scoped.expected], ['insufficient_scope', ['z']])
  assert.equal(thrown(() => gate.verifyChain(child, context, { operation: { scope: 'z' } })).code, 'insufficient_scope')
})

test('what goes out is another token, and comes out of the one that came in', () => {
  const { gate, verifier, token } = chained()
  const came = token(['planner'])
  const inbound = gate.verify(came)
  const next = (more, agents = ['mcp', 'planner']) => token(agents, { aud: TARGET, scope: 'a', ...more })
  const check = (jwt) => gate.checkOutbound(inbound, { kind: 'access_token', token: jwt }, { target: TARGET })
  assert.equal(check(next()), undefined)
  assert.equal(check(Buffer.from(next())), undefined)
  assert.equal(verifier.checkOutbound(gate.verify(came), { kind: 'access_token', token: next() }, { target: TARGET }), undefined)
  const code = (jwt) => thrown(() => check(jwt)).code
  assert.ok(thrown(() => check(came)) instanceof AuthorityError)
  assert.equal(code(came), 'token_passthrough')
  for (const aud of ['https://other.example', [TARGET, 'x']]) assert.equal(code(next({ aud })), 'attenuation_audience')
  assert.ok(thrown(() => check(next({ aud: 'x' }))) instanceof DelegationError)
  assert.equal(code(next({ scope: 'a c' })), 'attenuation_scope')
  assert.equal(code(next({}, ['mcp', 'another'])), 'chain_link_broken')
  assert.equal(code(next({ notBefore: NOW + 100 })), 'not_yet_valid')
  assert.equal(thrown(() => check(next({ scope: 'a c' }))).gate, 'tools')
})

test('a chain is explained and traced', () => {
  const { gate, verifier, token } = chained()
  const context = [{ kind: 'access_token', token: token(['planner']) }]
  const child = token(['mcp', 'planner'], { scope: 'a' })
  const wider = token(['mcp', 'planner'], { scope: 'a b c' })
  for (const owner of [gate, verifier]) {
    assert.equal(owner.explain(child, { context }).ok, true)
    assert.equal(owner.explain(wider, { context }).code, 'attenuation_scope')
    assert.equal(owner.explain(wider).code, 'accepted')
    assert.equal(owner.explain(child, { requiredScopes: ['w'], operation: { tool: 'x' } }).code, 'insufficient_scope')
    const traced = owner.trace(child, { context })
    assert.deepEqual([traced.verdict, traced.gate, traced.actors, traced.lineage], ['accepted', 'tools', 2, 'issuer_attested'])
    const refused = owner.trace(Buffer.from(wider), { context })
    assert.deepEqual([refused.verdict, refused.code], ['refused', 'attenuation_scope'])
    const stages = refused.stages.filter(({ outcome }) => outcome === 'refused').map(({ stage }) => stage)
    assert.deepEqual(stages, ['links'])
    assert.equal(owner.trace(child, { requiredScopes: ['w'] }).code, 'insufficient_scope')
  }
})

test('a trace has no claim values, and is the verdict', () => {
  const { gate, token } = chained({ delegation: 'surface' })
  const jwt = token([], { sub: 'u1@example.com', act: undefined })
  const request = { method: 'GET', uri: '/', headers: ['Authorization', `Bearer ${jwt}`, 'Accept', 'x'] }
  const traced = gate.trace(request)
  assert.equal(traced.verdict, 'accepted')
  assert.ok(!JSON.stringify(traced).includes('u1@'))
  assert.deepEqual([traced.stages[0].stage, traced.stages.at(-1).stage], ['request', 'replay'])
  assert.equal(gate.trace({ ...request, headers: ['Authorization', 'Bearer x'] }).code, 'malformed_token')
  assert.deepEqual(gate.trace('x').stages[0], { stage: 'size', rules: 'JWS-01', outcome: 'passed' })
})

test('wrong arguments', () => {
  const { gate, token } = chained()
  const jwt = token(['planner'])
  const [inbound, outbound] = [gate.verify(jwt), { kind: 'access_token', token: jwt }]
  for (const call of [
    () => gate.verifyChain(jwt),
    () => gate.verifyChain(jwt, jwt),
    () => gate.verifyChain(jwt, [jwt]),
    () => gate.verifyChain(jwt, [{ kind: 'what', token: jwt }]),
    () => gate.verifyChain(7, []),
    () => gate.verifyChain(jwt, [], { wait: '1s' }),
    () => gate.checkOutbound(jwt, outbound, { target: TARGET }),
    () => gate.checkOutbound(null, outbound, { target: TARGET }),
    () => gate.checkOutbound({}, outbound, { target: TARGET }),
    () => gate.checkOutbound(inbound, jwt, { target: TARGET }),
    () => gate.checkOutbound(inbound, { kind: 'id_jag', token: token(['mcp', 'planner'], { aud: TARGET }) }, { target: TARGET }),
    () => gate.explain(jwt, { into: {} }),
    () => gate.explain(jwt, { context: [jwt] }),
    () => gate.explain(jwt, { requiredScopes: ['"'] }),
    () => gate.trace(),
    () => gate.trace(jwt, { method: 'GET' }),
    () => gate.trace(jwt, { requiredScopes: ['"'] }),
    () => gate.trace({ method: 'GET', uri: '/', headers: [], context: [] }, { context: [] }),
    () => gate.checkOutbound(inbound, outbound),
    () => gate.checkOutbound(inbound, outbound, { target: 7 }),
  ]) {
    assert.ok(thrown(call) instanceof UsageError, `${call}`)
  }
})

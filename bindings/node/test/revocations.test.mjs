// Revoking: at once, of what was named and of nothing else.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'
import { Handle, RevokedError, UsageError } from 'sealgate'
import { FakeIssuer, FixedClock, open } from 'sealgate/testing'

const ISSUER = 'https://login.example.com'
const AUDIENCE = 'https://api.example.com/mcp'
const EVENTS = 'https://api.example.com/events'
const NOW = 1_800_000_000

function world(revocation = { store: 'process' }) {
  const clock = new FixedClock(NOW)
  const corp = new FakeIssuer(ISSUER, { clock, seed: 1 })
  const policy = {
    version: 1,
    ...(revocation && { revocation }),
    issuers: { corp: { issuer: ISSUER, algorithms: [corp.alg], jwks_push: 'process' } },
    gates: { tools: { profile: 'access_token', audience: AUDIENCE, issuers: ['corp'], delegation: 'surface' } },
  }
  const verifier = open(policy, { issuers: { corp }, clock })
  return { clock, corp, verifier, tools: verifier.gate('tools'), revocations: verifier.revocations }
}

test('an agent, wherever it stands in a chain', async () => {
  const { corp, tools, revocations } = world()
  const jwt = corp.token({ aud: AUDIENCE, act: ['agent-7', 'agent-8'] })
  const other = corp.token({ aud: AUDIENCE, act: ['agent-9'] })
  assert.equal(tools.verify(jwt).snapshot.revocations, 0)
  const inner = Handle.actor({ iss: ISSUER, sub: 'agent-8' })
  assert.deepEqual(revocations.revoke(inner), { epoch: 1, reach: 'process', delivered: true, cutoff: null })
  assert.throws(() => tools.verify(jwt), (error) => error instanceof RevokedError && error.code === 'revoked' && error.httpStatus === 401 && !String(error).includes('agent-8'))
  assert.equal(tools.judge(other).ok, true)
  const batch = await tools.verifyBatch([jwt, other])
  assert.deepEqual({ ...batch.counts }, { accepted: 1, revoked: 1 })
  assert.equal(batch.snapshot.revocations, 1)
  assert.equal(revocations.lift(inner).epoch, 2)
  assert.equal(tools.verify(jwt).snapshot.revocations, 2)
  assert.equal(revocations.epoch, 2)
})

test('a subject, until it signs in again', () => {
  const { clock, corp, tools, revocations } = world()
  const old = corp.token({ aud: AUDIENCE })
  revocations.revoke(Handle.subject({ iss: ISSUER, sub: 'u1' }), { cutoff: 'now' })
  assert.equal(tools.judge(old).ok, false)
  clock.advance('1s')
  const young = corp.token({ aud: AUDIENCE })
  assert.equal(tools.judge(young).ok, true)
  const agent = corp.token({ aud: AUDIENCE, act: ['agent-7'] })
  revocations.revoke(Handle.actor({ iss: ISSUER, sub: 'agent-7' }), { cutoff: NOW + 1, expires: NOW + 60 })
  assert.equal(tools.judge(agent).ok, false)
  clock.advance('59s')
  assert.equal(tools.judge(agent).ok, true)
})

test('what a handle says, and what is none', () => {
  const { revocations } = world()
  const key = Handle.signingKey({ iss: ISSUER, kid: 'k1' })
  assert.deepEqual({ ...key }, { kind: 'signing_key', iss: ISSUER, kid: 'k1' })
  assert.match(inspect(Handle.holderKey({ jkt: 'x' })), /holder_key/)
  assert.throws(() => { key.kid = 'k2' }, TypeError)
  const wrong = [
    [() => new Handle('actor'), /write Handle.actor/],
    [() => Handle.actor({ iss: ISSUER }), /sub/],
    [() => Handle.actor({ iss: ISSUER, sub: 7 }), /sub/],
    [() => Handle.actor({ iss: ISSUER, sub: 'a', jti: 'j' }), /no option "jti"/],
    [() => revocations.revoke({ kind: 'actor', iss: ISSUER, sub: 'a' }), /a Handle, not an object/],
    [() => revocations.revoke('agent-7'), /a Handle, not string/],
    [() => revocations.revoke(Handle.issuer({ iss: 'corp' })), /name of the policy's/],
    [() => revocations.revoke(Handle.issuer({ iss: '' })), /empty/],
    [() => revocations.revoke(key, { expires: NOW - 1 }), /expires lies before/],
    [() => revocations.revoke(key, { expires: '1h' }), /expires is whole seconds/],
    [() => revocations.revoke(key, { cutoff: 'then' }), /cutoff is "now"/],
    [() => revocations.revoke(key, { cutoff: 1.5 }), /cutoff is "now"/],
    ...[null, '5', 5n, true, new Date(0), NaN, [5], ['now']].flatMap((wrong) => [
      [() => revocations.revoke(key, { cutoff: wrong }), /cutoff is "now"/],
      [() => revocations.revoke(key, { expires: wrong }), /expires is whole seconds/],
    ]),
    [() => revocations.revoke(key, { because: 'x' }), /no option "because"/],
    [() => world(null).revocations.revoke(key), /asks nobody/],
  ]
  for (const [call, text] of wrong) {
    assert.throws(call, (error) => error instanceof UsageError && text.test(error.message), String(text))
  }
  assert.equal(revocations.epoch, 0)
})

test('a token that was kept says what it was asked about, and is one object again', () => {
  const { corp, tools, revocations } = world()
  const [jwt, other] = ['u1', 'u2'].map((sub) => corp.token({ sub, aud: AUDIENCE }))
  const [before, neighbour] = [tools.verify(jwt), tools.verify(other)]
  assert.equal(tools.verify(jwt), before)
  revocations.revoke(Handle.subject({ iss: ISSUER, sub: 'nobody' }))
  const after = tools.verify(jwt)
  assert.deepEqual([before.snapshot.revocations, after.snapshot.revocations], [0, 1])
  assert.equal(tools.verify(jwt), after)
  const next = tools.verify(other)
  assert.deepEqual([next.subject, next.snapshot.revocations], ['u2', 1])
  assert.notEqual(next, neighbour)
  assert.equal(tools.verify(jwt), after)
})

test('a verdict says who was asked', () => {
  const { corp, tools, verifier, revocations } = world()
  const jwt = corp.token({ aud: AUDIENCE })
  assert.deepEqual(tools.verify(jwt).revocation, { checked: true, store: 'process', sequence: 0, staleness: null })
  const handle = Handle.session({ iss: ISSUER, sid: 's1' })
  assert.equal(revocations.revoke(handle, { reason: 'lost laptop' }).epoch, 1)
  const again = tools.verify(jwt)
  assert.equal(again.revocation.sequence, 1)
  assert.deepEqual(again.toDict().revocation, { ...again.revocation })
  const { entries, epoch, bytes } = verifier.stats().revocations
  assert.deepEqual([entries, epoch, bytes > 0], [1, 1, true])
  const nobody = world(null)
  const unasked = nobody.tools.verify(nobody.corp.token({ aud: AUDIENCE })).revocation
  assert.deepEqual(unasked, { checked: false, store: null, sequence: null, staleness: null })
  for (const reason of [7, null, ['lost']]) assert.throws(() => revocations.revoke(handle, { reason }), UsageError)
  assert.equal(revocations.epoch, 1)
})

test('what an issuer tells of', () => {
  const clock = new FixedClock(NOW)
  const corp = new FakeIssuer(ISSUER, { clock, seed: 1 })
  const gate = (profile, audience) => ({ profile, audience, issuers: ['corp'] })
  const policy = {
    version: 1,
    revocation: { store: 'process', inputs: ['sessions'] },
    issuers: { corp: { issuer: ISSUER, algorithms: [corp.alg], jwks_push: 'process', profiles: ['access_token', 'logout_token', 'set'] } },
    gates: { tools: gate('access_token', AUDIENCE), sessions: gate('logout_token', 'client-1'), signals: gate('set', EVENTS) },
  }
  const verifier = open(policy, { issuers: { corp }, clock })
  const { revocations } = verifier
  const tools = verifier.gate('tools')
  const jwt = corp.token({ aud: AUDIENCE, sub: 'u1', claims: { sid: 's1' } })
  const told = (typ, aud, event, more) =>
    corp.sign({ iss: ISSUER, aud, iat: NOW, jti: 'e', events: { [event]: { event_timestamp: NOW - 10 } }, ...more }, { alg: corp.alg, typ, kid: corp.kid })
  const u1 = { format: 'iss_sub', iss: ISSUER, sub: 'u1' }
  const disabled = told('secevent+jwt', EVENTS, 'https://schemas.openid.net/secevent/risc/event-type/account-disabled', { sub_id: u1 })
  const token = verifier.gate('signals').verify(disabled)
  assert.equal(tools.judge(jwt).ok, true, 'no input')
  const receipt = revocations.apply(token)
  assert.deepEqual(receipt, { epoch: 1, reach: 'process', delivered: true, cutoff: null, entries: 1, duplicate: false })
  const account = Handle.disabled({ iss: ISSUER, sub: 'u1' })
  const change = { issuerName: 'corp', handle: account, lifted: false, cutoff: null, expires: null, reason: 'account-disabled', at: NOW - 10 }
  assert.deepEqual(receipt.changes, [change])
  assert.ok(!`${inspect(receipt)}${JSON.stringify(receipt)}`.includes('u1'), 'nobody is logged by accident')
  assert.equal(tools.judge(jwt).code, 'revoked')
  revocations.lift(receipt.changes[0].handle)
  const accepted = tools.verify(jwt)
  assert.deepEqual(revocations.apply(token), { epoch: 2, reach: 'process', delivered: true, cutoff: null, entries: 0, duplicate: true }, 'lifted since')
  const logout = told('logout+jwt', 'client-1', 'http://schemas.openid.net/event/backchannel-logout', { sid: 's1', exp: NOW + 60 })
  verifier.gate('sessions').verify(logout)
  assert.equal(tools.judge(jwt).code, 'revoked')
  assert.throws(() => revocations.apply(accepted), (error) => error instanceof UsageError && /tells of no event/.test(error.message))
  assert.throws(() => revocations.apply(jwt), (error) => error instanceof UsageError && /a VerifiedToken/.test(error.message))
})

test('what an issuer delivers', () => {
  const clock = new FixedClock(NOW)
  const corp = new FakeIssuer(ISSUER, { clock, seed: 1 })
  const gate = (profile, audience) => ({ profile, audience, issuers: ['corp'] })
  const policy = {
    version: 1,
    revocation: { store: 'process' },
    issuers: { corp: { issuer: ISSUER, algorithms: [corp.alg], jwks_push: 'process', profiles: ['access_token', 'set'] } },
    gates: { tools: gate('access_token', AUDIENCE), signals: gate('set', EVENTS) },
  }
  const verifier = open(policy, { issuers: { corp }, clock })
  const jwt = corp.token({ aud: AUDIENCE, sub: 'u1' })
  const event = 'https://schemas.openid.net/secevent/risc/event-type/account-disabled'
  const told = (jti, more) =>
    corp.sign(
      { iss: ISSUER, aud: EVENTS, iat: NOW, jti, sub_id: { format: 'iss_sub', iss: ISSUER, sub: 'u1' }, events: { [event]: {} }, ...more },
      { alg: corp.alg, typ: 'secevent+jwt', kid: corp.kid }
    )
  const receiver = verifier.receiver('signals')
  const type = ['Content-Type', 'application/secevent+jwt']
  const refused = receiver.push(told('e1', { aud: 'others' }), [type])
  assert.deepEqual([refused.status, refused.code, refused.entries, refused.changes], [400, 'aud_mismatch', null, []])
  assert.match(refused.body, /invalid_audience/)
  for (const headers of [{ 'content-type': 'application/json' }, [], [...type, ...type]]) {
    assert.equal(receiver.push(told('e1'), headers).status, 400)
  }
  assert.equal(verifier.gate('tools').judge(jwt).ok, true)
  const taken = receiver.push(Buffer.from(told('e1')), type)
  assert.deepEqual(taken, { status: 202, headers: { 'Cache-Control': 'no-store' }, body: '', entries: 1, duplicate: false, code: null })
  const account = Handle.disabled({ iss: ISSUER, sub: 'u1' })
  const change = { issuerName: 'corp', handle: account, lifted: false, cutoff: null, expires: null, reason: 'account-disabled', at: NOW }
  assert.deepEqual(taken.changes, [change])
  const again = receiver.push(told('e1'), new Headers([type]))
  assert.deepEqual([again.status, again.entries, again.duplicate], [202, 0, true])
  assert.equal(verifier.gate('tools').judge(jwt).code, 'revoked')

  const poller = receiver.poller({ maxEvents: 2 })
  assert.equal(JSON.parse(poller.request()).maxEvents, 2)
  const polled = poller.take(JSON.stringify({ sets: { e1: told('e1'), e2: told('e2'), e3: 'x' }, moreAvailable: true }))
  assert.deepEqual(polled, { accepted: 2, refused: 1, undecided: 0, duplicates: 1, entries: 1, moreAvailable: true })
  assert.deepEqual(polled.changes, [change])
  const request = JSON.parse(poller.request())
  assert.deepEqual([request.ack, request.setErrs.e3.err], [['e1', 'e2'], 'invalid_request'])
  const mistakes = [
    [() => poller.take('[]'), /not a JSON object/],
    [() => receiver.push(7, []), /a string or a Uint8Array/],
    [() => verifier.receiver('tools'), /profile access_token/],
    [() => verifier.receiver('signals', { expectingState: 5 }), /expectingState must be a string/],
    [() => receiver.poller({ maxEvents: 0 }), /from 1/],
  ]
  for (const [call, text] of mistakes) assert.throws(call, (error) => error instanceof UsageError && text.test(error.message))
})

test('a cut-off is told in whole seconds, and a key is named by its thumbprint', () => {
  const { revocations } = world()
  const u1 = Handle.subject({ iss: ISSUER, sub: 'u1' })
  const cutoffs = ['now', 1_700_000_000, undefined].map((cutoff) => revocations.revoke(u1, { cutoff }).cutoff)
  assert.deepEqual(cutoffs, [NOW, 1_700_000_000, null])
  assert.throws(() => revocations.revoke(Handle.holderKey({ jkt: 'short' })), /43 characters/)
})

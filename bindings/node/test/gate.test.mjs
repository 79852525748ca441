import assert from 'node:assert/strict'
import { inspect as show } from 'node:util'
import { test } from 'node:test'
import * as z from 'zod'
import {
  Policy,
  PolicyError,
  TokenKindError,
  Unverified,
  UsageError,
  VerifiedToken,
  Verifier,
  inspect,
} from 'sealgate'
import { FakeAgent, FakeIssuer, FixedClock, open } from 'sealgate/testing'
import { AUDIENCE, ISSUER, NOW, thrown, world } from './world.mjs'

test('a gate is an object of closures', () => {
  const { gate, token } = world()
  const { verify, judge } = gate
  const jwt = token()
  assert.equal(verify(jwt).subject, 'u1')
  assert.equal(judge(jwt).ok, true)
  assert.ok(Object.isFrozen(gate))
})

test('a verifier has the calls of its only gate, and says so when it has several', () => {
  const { verifier, token, policy } = world()
  const { verify } = verifier
  assert.equal(verify(token()).gate, 'tools')
  assert.equal(verifier.gate('tools'), verifier.gate('tools'))
  const two = structuredClone(policy)
  two.gates.other = { ...two.gates.tools, audience: 'https://other.example' }
  verifier.reload(new Policy(two))
  assert.deepEqual(verifier.gates, ['tools', 'other'])
  const error = thrown(() => verifier.verify(token()))
  assert.ok(error instanceof UsageError)
  assert.match(error.message, /verifier\.gate\(name\); there are: tools, other/)
  assert.match(thrown(() => verifier.gate('tool')).message, /no gate "tool"; there are: tools, other/)
})

test('everything a token says', () => {
  const { gate, corp, token } = world({ gate: { scope_implies: { 'files.write': ['files.read'] } } })
  const agents = [{ sub: 'researcher' }, { sub: 'planner', iss: 'https://agents.example' }]
  const verified = gate.verify(
    token({ act: agents, scope: 'mcp:use files.write', claims: { tenant: { id: 7 }, aud: [AUDIENCE, 'x'] } })
  )
  assert.equal(verified.issuer, ISSUER)
  assert.equal(verified.issuerName, 'corp')
  assert.equal(verified.subject, 'u1')
  assert.equal(verified.clientId, 'researcher')
  assert.equal(verified.jwtId, 'key-1')
  assert.deepEqual(verified.audience, [AUDIENCE, 'x'])
  assert.deepEqual([verified.issuedAt, verified.notBefore, verified.expiresAt], [NOW, null, NOW + 300])
  assert.deepEqual(verified.scopes, ['mcp:use', 'files.write'])
  assert.equal(verified.hasScope('mcp:use', 'files.read'), true)
  assert.equal(verified.hasScope('mcp:use', 'admin'), false)
  assert.deepEqual(verified.authorizationDetails, [])
  assert.deepEqual(verified.responseHeaders, {})
  assert.equal(verified.actor, verified.chain[0])
  assert.deepEqual(
    verified.chain.map(({ iss, sub, issInferred }) => [iss, sub, issInferred]),
    [
      [ISSUER, 'researcher', false],
      ['https://agents.example', 'planner', false],
    ]
  )
  assert.ok(verified.actor.equals(gate.verify(token({ act: [agents[0]] })).actor))
  assert.equal(verified.actor.equals(verified.chain[1]), false)
  assert.deepEqual([verified.delegated, verified.lineage, verified.subjectKind], [true, 'asserted', null])
  assert.deepEqual([verified.senderConstrained, verified.profile, verified.gate], [null, 'access_token', 'tools'])
  assert.deepEqual(verified.header, { alg: 'ES256', kid: corp.kid, typ: 'at+jwt' })
  assert.deepEqual(verified.claims.tenant, { id: 7 })
  assert.deepEqual(JSON.parse(Buffer.from(verified.payload).toString()), verified.claims)
  assert.match(verified.snapshot.policy, /^sha256:[0-9a-f]{64}$/)
  assert.equal(gate.verify(token({ sub: 'c', clientId: 'c' })).subjectKind, 'client')
})

test('a token is frozen, has no constructor, and shows no claim value unless asked', () => {
  const { gate, token } = world()
  const verified = gate.verify(token({ sub: 'someone-secret' }))
  assert.ok(thrown(() => new VerifiedToken()) instanceof UsageError)
  assert.throws(() => Object.assign(verified, { subject: 'root' }), TypeError)
  assert.throws(() => Object.assign(verified, { other: 1 }), TypeError)
  assert.throws(() => (verified.claims.sub = 'root'), TypeError)
  assert.throws(() => verified.scopes.push('admin'), TypeError)
  assert.throws(() => (VerifiedToken.prototype.isAdmin = true), TypeError)
  verified.payload.fill(0)
  assert.notEqual(verified.payload[0], 0)
  assert.equal(show(verified).includes('someone-secret'), false)
  assert.equal(JSON.stringify(verified), '{"gate":"tools","issuerName":"corp","profile":"access_token","depth":0}')
  assert.equal(show(gate.judge(token({ sub: 'someone-secret' }))).includes('someone-secret'), false)
  assert.equal(verified.toDict().subject, 'someone-secret')
  assert.equal(verified.toDict().claims.sub, 'someone-secret')
})

test('the same token is the same object while the cache remembers it, and no longer', () => {
  const { gate, corp, clock, token } = world()
  const jwt = token()
  const verified = gate.verify(jwt)
  assert.equal(gate.verify(jwt), verified)
  assert.equal(gate.verify(Buffer.from(jwt)), verified)
  assert.equal(gate.judge(jwt).token, verified)
  assert.notEqual(gate.verify(token()), verified)
  assert.equal(gate.judge(jwt, { requiredScopes: ['admin'] }).code, 'insufficient_scope')
  assert.deepEqual(gate.judge(jwt, { requiredScopes: ['admin'] }).error.expected, ['admin'])
  const old = corp.kid
  corp.rotate()
  assert.notEqual(gate.verify(jwt), verified)
  corp.withdraw(old)
  assert.equal(gate.judge(jwt).code, 'key_not_found')
  clock.advance('330s')
  assert.equal(gate.judge(jwt).code, 'key_not_found')
})

test('an object never stands for another token, however many share its place', () => {
  const { gate, token } = world({ document: { cache: { tokens: 4 } } })
  const tokens = Array.from({ length: 64 }, (_, index) => token({ sub: `user-${index}` }))
  for (let round = 0; round < 4; round++) {
    for (const [index, jwt] of tokens.entries()) {
      assert.equal(gate.verify(jwt).subject, `user-${index}`)
      const again = gate.verify(tokens[index >> 1])
      assert.equal(again.subject, `user-${index >> 1}`)
    }
  }
})

test('a call that dies between the two halves leaves no object for another token', () => {
  const { gate, token } = world({ document: { cache: { tokens: 1 } } })
  const tokens = Array.from({ length: 40 }, (_, index) => token({ sub: `user-${index}` }))
  const dive = (depth, call) => {
    try {
      dive(depth + 1, call)
    } catch {
      call() // near the end of the stack
    }
  }
  for (const [index, jwt] of tokens.entries()) {
    try {
      dive(0, () => gate.verify(jwt))
    } catch {
      // a RangeError, or an InternalError about one
    }
    assert.equal(gate.verify(jwt).subject, `user-${index}`)
  }
})

test('without a cache each verification makes its own object', () => {
  const { gate, token } = world({ document: { cache: { tokens: 0 } } })
  const jwt = token()
  assert.notEqual(gate.verify(jwt), gate.verify(jwt))
  assert.equal(gate.verify(jwt).subject, 'u1')
})

test('a verdict is accepted or not, and unwraps', () => {
  const { gate, token } = world()
  const accepted = gate.judge(token())
  assert.deepEqual([accepted.ok, accepted.code, accepted.error], [true, 'accepted', undefined])
  assert.equal(accepted.unwrap(), accepted.token)
  const refused = gate.judge(token({ aud: 'x' }))
  assert.deepEqual([refused.ok, refused.code, refused.token], [false, 'aud_mismatch', undefined])
  assert.equal(refused.error, refused.error)
  assert.equal(thrown(() => refused.unwrap()), refused.error)
  assert.ok(Object.isFrozen(refused))
})

test('a later, narrower question', () => {
  const { gate, token, clock } = world()
  const verified = gate.verify(token({ scope: 'a b' }))
  assert.equal(verified.require({ requiredScopes: ['a', 'b'] }), verified)
  assert.equal(thrown(() => verified.require({ requiredScopes: ['c'] })).code, 'insufficient_scope')
  clock.advance('330s')
  assert.equal(thrown(() => verified.require({ requiredScopes: ['a'] })).code, 'expired')
})

test('into checks the claims and keeps the token', () => {
  const { gate, token } = world()
  const Claims = z.object({ sub: z.string(), tenant: z.string() })
  const jwt = token({ claims: { tenant: 't1' }, act: [{ sub: 'agent' }] })
  const typed = gate.verify(jwt, { into: Claims })
  assert.deepEqual(typed.claims, { sub: 'u1', tenant: 't1' })
  assert.equal(typed.actor.sub, 'agent')
  assert.equal(gate.verify(jwt).claims.aud, AUDIENCE)
  const misfit = token({ claims: { tenant: { name: 'secret' } } })
  const error = thrown(() => gate.verify(misfit, { into: Claims }))
  assert.ok(error instanceof TokenKindError)
  assert.deepEqual([error.code, error.claim, error.httpStatus], ['claim_type', 'tenant', 401])
  assert.equal(gate.judge(misfit, { into: Claims }).code, 'claim_type')
  assert.equal(gate.judge(token({ aud: 'x' }), { into: Claims }).code, 'aud_mismatch')
  const slow = { '~standard': { version: 1, vendor: 't', validate: () => Promise.reject(new Error('x')) } }
  assert.ok(thrown(() => gate.verify(jwt, { into: slow })) instanceof UsageError)
  for (const into of [{}, 'zod', () => {}, null]) {
    assert.ok(thrown(() => gate.verify(jwt, { into })) instanceof UsageError)
  }
})

test('only ASCII is read as a token: wide characters do not fold into it', () => {
  const { gate, token } = world()
  const jwt = token()
  const last = jwt.length - 1
  const disguises = [
    // U+0141 is `A` to whoever drops its upper half, and so on for the whole text.
    Array.from(jwt, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0x100)).join(''),
    jwt.slice(0, last) + String.fromCharCode(jwt.charCodeAt(last) + 0x100),
    jwt.slice(0, last) + String.fromCharCode(jwt.charCodeAt(last) + 0x80),
    jwt.slice(0, last) + String.fromCharCode(jwt.charCodeAt(last) + 0xff00),
    `${jwt}\u0000`,
    `\ufeff${jwt}`,
    jwt.replace('.', '\uff0e'),
    `${jwt}\ud800`,
  ]
  for (const text of disguises) {
    assert.equal(gate.judge(text).code, 'malformed_token')
    assert.equal(gate.judge(Buffer.from(text)).code, 'malformed_token')
  }
  assert.equal(gate.judge(jwt).ok, true)
  const latin1 = Buffer.from(jwt)
  latin1[last] |= 0x80
  assert.equal(gate.judge(latin1).code, 'malformed_token')
})

test('a text of any length is answered, and at once', () => {
  const { gate, token, corp } = world({ document: { limits: { max_token_size: '64KiB' } } })
  for (const length of [0, 1, 4094, 4095, 4096, 4097, 65_535]) {
    assert.equal(gate.judge('A'.repeat(length)).code, 'malformed_token', `${length}`)
    assert.equal(gate.judge(Buffer.alloc(length, 'A')).code, 'malformed_token', `${length}`)
  }
  for (const length of [65_537, 10_000_000]) {
    assert.equal(gate.judge('A'.repeat(length)).code, 'oversized', `${length}`)
    assert.equal(gate.judge(Buffer.alloc(length, 0xff)).code, 'oversized', `${length}`)
  }
  for (const size of [2900, 2960, 3000, 3050, 20_000]) {
    const claims = { fill: Array.from({ length: size / 50 }, () => 'x'.repeat(47)) }
    const jwt = token({ claims })
    assert.equal(gate.verify(jwt).subject, 'u1')
    assert.equal(gate.verify(Buffer.from(jwt)).subject, 'u1')
  }
  assert.ok(corp)
})

test('what is longer than any token is not read', async () => {
  const { gate } = world()
  const bytes = Buffer.alloc(1e7, 'A')
  const began = process.cpuUsage()
  for (let turn = 0; turn < 400; turn++) {
    for (const endless of ['x'.repeat(1e7), '\u0141'.repeat(1e7), bytes]) {
      assert.equal(gate.judge(endless).code, 'oversized')
      assert.equal(thrown(() => inspect(endless)).code, 'oversized')
    }
  }
  const many = Array.from({ length: 100 }, () => ['x'.repeat(1e7), '\u0141'.repeat(1e7), bytes]).flat()
  for (const batch of [gate.verifyBatchSync(many), await gate.verifyBatch(many)]) {
    assert.deepEqual({ ...batch.counts }, { oversized: 300 })
  }
  const { user, system } = process.cpuUsage(began)
  // Reading or copying one takes milliseconds.
  assert.ok(user + system < 1e6, `${user + system} µs`)
})

test('tokens that share a page are themselves, looked at in whatever order', () => {
  const { gate, token } = world({ document: { cache: { tokens: 0 } } })
  const jwts = Array.from({ length: 100 }, (_, index) => token({ sub: `user-${index}`, claims: { fill: 'x'.repeat(index * 20) } }))
  const tokens = jwts.map((jwt, index) => (index % 7 === 3 ? gate.verifyRequest(bearer(jwt)) : gate.verify(jwt)))
  for (let index = 0; index < tokens.length; index += 2) assert.equal(tokens[index].subject, `user-${index}`)
  for (const [index, verified] of tokens.entries()) {
    assert.deepEqual([verified.subject, verified.claims.sub, verified.gate], [`user-${index}`, `user-${index}`, 'tools'])
    assert.equal(thrown(() => verified.require({ requiredScopes: ['none'] })).code, 'insufficient_scope')
  }
})

const bearer = (jwt) => ({ method: 'GET', uri: '/', headers: [['Authorization', `Bearer ${jwt}`]] })

test('what a schema throws comes out of the call as it is', async () => {
  const { gate, token } = world()
  const jwt = token()
  const throwing = (what) => ({ '~standard': { version: 1, vendor: 't', validate() { throw what } } })
  const blamed = Object.assign(new Error('mine'), { blame: 'rejected', code: 'keys_refreshing' })
  for (const what of [new RangeError('mine'), blamed, null, undefined, 'text']) {
    const into = throwing(what)
    for (const call of ['verify', 'judge']) {
      assert.throws(() => gate[call](jwt, { into }), (error) => error === what)
      await assert.rejects(gate[`${call}Async`](jwt, { into }), (error) => error === what)
    }
    assert.throws(() => gate.judgeRequest(bearer(jwt), { into }), (error) => error === what)
    await assert.rejects(gate.judgeRequestAsync(bearer(jwt), { into }), (error) => error === what)
  }
})

test('rubbish arguments are the caller’s mistake', async () => {
  const { gate, verifier, token } = world()
  const jwt = token()
  const rubbish = [undefined, null, 0, NaN, true, Symbol('x'), 1n, {}, [], () => {}, new Date(), new Map(), [jwt]]
  const calls = [
    (value) => gate.verify(value),
    (value) => gate.judge(value),
    (value) => gate.explain(value),
    (value) => inspect(value),
    (value) => gate.verifyBatchSync([jwt, value]),
  ]
  for (const value of rubbish) {
    for (const call of calls) {
      const error = thrown(() => call(value))
      assert.ok(error instanceof UsageError && error instanceof TypeError, `${call} ${typeof value}`)
    }
    await assert.rejects(gate.verifyBatch([jwt, value]), UsageError)
    if (!Array.isArray(value)) await assert.rejects(gate.verifyBatch(value), UsageError)
  }
  for (const bytes of [new Uint16Array(4), new DataView(new ArrayBuffer(4)), new ArrayBuffer(4)]) {
    assert.ok(thrown(() => gate.verify(bytes)) instanceof UsageError)
  }
  const options = [null, 1, 'x', { requiredScope: ['a'] }, { requiredScopes: 'a' }, { requiredScopes: [1] }, { requiredScopes: ['a b'] }, { requiredScopes: [''] }]
  for (const text of ['"', 'é', '\\']) { // no scope has them (RFC 6749)
    const wrong = { requiredScopes: [text] }
    for (const call of ['verify', 'judge']) assert.ok(thrown(() => gate[call](jwt, wrong)) instanceof UsageError)
    await assert.rejects(gate.judgeAsync(jwt, wrong), UsageError)
    for (const tokens of [[jwt], ['x', jwt]]) {
      assert.ok(thrown(() => gate.verifyBatchSync(tokens, wrong)) instanceof UsageError)
      await assert.rejects(gate.verifyBatch(tokens, wrong), UsageError)
    }
  }
  for (const value of options) {
    assert.ok(thrown(() => gate.verify(jwt, value)) instanceof UsageError, show(value))
    assert.ok(thrown(() => gate.judge(jwt, value)) instanceof UsageError, show(value))
  }
  for (const value of [undefined, null, 0, {}, [], 'nobody']) {
    assert.ok(thrown(() => verifier.gate(value)) instanceof UsageError)
  }
  assert.ok(thrown(() => gate.verify(inspect(jwt))) instanceof UsageError)
  assert.ok(thrown(() => gate.verify(gate.verify(jwt))) instanceof UsageError)
})

test('any Uint8Array is a token: a slice, a shared one, one of another realm', () => {
  const { gate, token } = world()
  const jwt = token()
  const padded = Buffer.from(`xx${jwt}yy`)
  assert.equal(gate.verify(padded.subarray(2, -2)).subject, 'u1')
  const shared = new Uint8Array(new SharedArrayBuffer(jwt.length))
  shared.set(Buffer.from(jwt))
  assert.equal(gate.verify(shared).subject, 'u1')
  const detached = new Uint8Array(Buffer.from(jwt))
  structuredClone(detached.buffer, { transfer: [detached.buffer] })
  assert.equal(gate.judge(detached).code, 'malformed_token')
})

test('inspect trusts nothing and is trusted by nothing', () => {
  const { token } = world()
  const unverified = inspect(token({ aud: 'anything' }))
  assert.ok(unverified instanceof Unverified)
  assert.deepEqual([unverified.header.alg, unverified.claims.aud], ['ES256', 'anything'])
  assert.ok(Object.isFrozen(unverified.claims))
  assert.equal(thrown(() => inspect('a.b')).code, 'malformed_token')
  for (const shown of [show(unverified), show({ deep: [unverified] }), JSON.stringify(unverified), String(unverified)]) {
    assert.ok(!shown.includes('anything') && !shown.includes('ES256'), shown)
  }
  assert.throws(() => structuredClone(unverified).claims.aud)
})

test('everything as plain data, as the getters say it', () => {
  const { gate, token } = world()
  const verified = gate.verify(token({ act: [{ sub: 'a' }, { sub: 'b' }], claims: { some_claim: { inner_name: 1 } } }))
  const told = verified.toDict()
  const getters = Object.entries(Object.getOwnPropertyDescriptors(VerifiedToken.prototype)).filter(([, { get }]) => get)
  assert.deepEqual(Object.keys(told).sort(), getters.map(([name]) => name).filter((name) => name !== 'payload').sort())
  const plain = (value) => JSON.parse(JSON.stringify(value))
  for (const [name, value] of Object.entries(told)) assert.deepEqual(value, plain(verified[name]), name)
  assert.deepEqual(told.claims.some_claim, { inner_name: 1 })
  assert.deepEqual(told.actor, told.chain[0])
})

test('what the claims are to be is checked whatever the token', () => {
  const { gate, token } = world()
  for (const into of [5, {}, 'x', { '~standard': {} }]) {
    for (const jwt of [token(), 'bad']) {
      for (const call of ['verify', 'judge']) assert.ok(thrown(() => gate[call](jwt, { into })) instanceof UsageError)
      assert.ok(thrown(() => gate.verifyChain(jwt, [], { into })) instanceof UsageError)
    }
    const request = { method: 'GET', uri: '/', headers: [] }
    assert.ok(thrown(() => gate.judgeRequest(request, { into })) instanceof UsageError)
  }
})

test('other issuers keep their tokens when one changes its keys', () => {
  const clock = new FixedClock(NOW)
  const issuers = Object.fromEntries(['a', 'b'].map((name) => [name, new FakeIssuer(`https://${name}.example`, { clock })]))
  const document = {
    version: 1,
    issuers: Object.fromEntries(Object.entries(issuers).map(([name, { issuer, alg }]) => [name, { issuer, algorithms: [alg], jwks_push: 'process' }])),
    gates: { tools: { profile: 'access_token', audience: AUDIENCE, issuers: ['a', 'b'] } },
  }
  const verifier = open(document, { issuers, clock })
  const gate = verifier.gate('tools')
  const [a, b] = Object.values(issuers).map((issuer) => issuer.token({ sub: 'u1', aud: AUDIENCE }))
  const kept = [a, b].map((jwt) => (gate.verify(jwt), gate.verify(jwt)))
  issuers.a.rotate()
  verifier.keys.publish('a', issuers.a.jwks())
  const fresh = issuers.a.token({ sub: 'u2', aud: AUDIENCE })
  assert.equal(gate.verify(fresh).snapshot.keys, 2)
  assert.equal(gate.verify(b), kept[1], 'the object that is kept')
  assert.equal(gate.verify(a).snapshot.keys, 2)
  assert.notEqual(gate.verify(a), kept[0])
})

test('explain shows both halves', () => {
  const { gate, token } = world()
  const trail = gate.explain(token({ aud: 'https://other.example' }))
  assert.deepEqual([trail.ok, trail.code], [false, 'aud_mismatch'])
  const step = trail.steps.find(({ outcome }) => outcome === 'refused')
  assert.equal(step.stage, 'audience')
  assert.match(step.note, /other\.example.*expected "https:\/\/api\.example\.com\/mcp"/)
  assert.deepEqual(trail.expected, [AUDIENCE])
  const lines = `${trail}`.split('\n')
  assert.equal(lines[0], `refused   ${thrown(() => gate.verify(token({ aud: 'https://other.example' }))).message}`)
  assert.equal(lines.filter((line) => /^ {2}✓ typ {12}at\+jwt is access_token +JWT-05, JWT-06$/.test(line)).length, 1)
  assert.match(`${trail}`, /^ {2}✗ audience {7}aud is .*JWT-03$/m)
  assert.match(`${trail}`, /^ {2}· possession, [^·]* not\s+reached$/m)
  assert.match(`${trail}`, /\n\n {2}Do this {3}\S/)
  assert.ok(lines.slice(1).every((line) => line.length <= 80))
  assert.match(`${gate.explain(token())}`, /^accepted\n\n/)
  assert.equal(gate.explain(token()).code, 'accepted')
})

test('a reload is atomic, and gates outlive it', () => {
  const { verifier, gate, policy, token } = world()
  const jwt = token()
  gate.verify(jwt)
  const strict = structuredClone(policy)
  strict.gates.tools.required_scopes = ['admin']
  verifier.reload(strict)
  assert.equal(gate.judge(jwt).code, 'insufficient_scope')
  assert.equal(verifier.policy.effective().gates.tools.required_scopes[0], 'admin')
  const before = verifier.policy.digest
  const broken = structuredClone(policy)
  broken.gates.tools.audiance = 'x'
  const error = thrown(() => verifier.reload(broken))
  assert.ok(error instanceof PolicyError)
  assert.equal(verifier.policy.digest, before)
  const without = structuredClone(policy)
  without.gates = { other: without.gates.tools }
  verifier.reload(without)
  // The gate is gone, which no caller could know: an answer, and no wrong call.
  assert.equal(gate.judge(jwt).code, 'usage')
  assert.equal(gate.judgeRequest({ method: 'GET', uri: '/', headers: [['Authorization', `Bearer ${jwt}`]] }).error.claim, 'gate')
  assert.equal(gate.verifyBatchSync([jwt]).at(0).error.claim, 'gate')
  assert.equal(verifier.judge(jwt).ok, true)
})

test('a closed verifier goes on judging with the keys there are', async () => {
  const { verifier, gate, token } = world()
  const jwt = token()
  const kept = gate.verify(jwt)
  verifier.close()
  verifier.close()
  assert.equal(gate.verify(jwt), kept)
  assert.equal(verifier.gate('tools'), gate)
  assert.equal(verifier.judge(token({ aud: 'x' })).code, 'aud_mismatch')
  assert.equal((await gate.verifyBatch([jwt])).accepted, 1)
  assert.equal((await gate.verifyAsync(token({ sub: 'u2' }))).subject, 'u2')
  assert.ok(gate.explain(jwt).ok)
  await verifier.waitReady()
  if (Symbol.dispose) assert.equal(typeof verifier[Symbol.dispose], 'function')
})

test('an audit record holds no token', () => {
  const { gate, token } = world()
  const jwt = token()
  const record = gate.verify(jwt).auditRecord()
  assert.deepEqual([record.v, record.decision, record.gate, record.issuer_name], [1, 'accepted', 'tools', 'corp'])
  assert.ok(!('sub' in record) && !('sub_ref' in record))
  for (const part of jwt.split('.')) assert.ok(!JSON.stringify(record).includes(part))
})

test('published keys are waited for', async () => {
  const { corp, policy } = world()
  const verifier = Verifier.fromPolicy(policy)
  await assert.rejects(verifier.waitReady({ timeout: '20ms' }), (error) => {
    assert.deepEqual([error.code, error.issuerName, error.retryAfter], ['keys_unavailable', 'corp', 5])
    return /none were published/.test(error.message)
  })
  const ready = verifier.waitReady({ timeout: '60s' })
  verifier.keys.publish('corp', corp.jwks())
  await ready
  verifier.close()
})

test('keys are published to issuers that take them, and described', () => {
  const { verifier, corp, gate, token } = world()
  const jwt = token()
  assert.equal(verifier.keys.publish('corp', corp.jwks()).changed, false)
  const jwks = { keys: [...corp.jwks().keys, { kty: 'what' }] }
  const receipt = verifier.keys.publish('corp', jwks)
  assert.deepEqual([receipt.reach, receipt.skipped.length, receipt.skipped[0].index], ['process', 1, 1])
  const state = verifier.keys.state('corp')
  const [key] = state.keys
  assert.deepEqual([state.source, key.kid, key.alg, key.kty], ['push', corp.kid, 'ES256', 'EC'])
  assert.match(state.keys[0].thumbprint, /^[\w-]{43}$/)
  assert.equal(gate.judge(jwt).ok, true)
  assert.match(thrown(() => verifier.keys.publish('corp', { keys: [] })).message, /no keys; to withdraw a key/)
  assert.equal(gate.judge(jwt).ok, true)
  for (const call of [
    () => verifier.keys.publish('nobody', corp.jwks()),
    () => verifier.keys.publish('corp', 'x'),
    () => verifier.keys.publish('corp', {}),
    () => verifier.keys.publish('corp', { keys: [{ kty: 'what' }] }),
    () => verifier.keys.state('nobody'),
    () => verifier.keys.state(),
  ]) {
    assert.ok(thrown(call) instanceof UsageError)
  }
  const fixed = Verifier.fromPolicy({ ...world().policy, issuers: { corp: { issuer: ISSUER, algorithms: ['ES256'], jwks: new FakeIssuer(ISSUER, { seed: 1000 }).jwks() } } })
  assert.match(thrown(() => fixed.keys.publish('corp', corp.jwks())).message, /jwks_push/)
})

test('stats count', () => {
  const { verifier, gate, token } = world()
  const jwt = token()
  gate.verify(jwt)
  gate.verify(jwt)
  const { cache, policy, issuers } = verifier.stats()
  assert.deepEqual(issuers, { corp: { keys: 1, generation: 1 } })
  assert.deepEqual([cache.hits, cache.misses, cache.entries], [1, 1, 1])
  assert.equal(policy, verifier.policy.digest)
  assert.deepEqual(Object.keys(verifier.stats()).sort(), [
    'cache',
    'introspection',
    'issuers',
    'policy',
    'proofs',
    'revocations',
    'status',
  ])
  assert.deepEqual(verifier.stats().status, { lists: 0, missing: 0, stale: 0, bytes: 0 })
  assert.deepEqual(verifier.stats().introspection, {}, 'nobody is asked')
  assert.equal(verifier.stats().proofs, null)
  const own = world({ document: { dpop: {}, replay: { store: 'process' } }, gate: { public_url: 'https://api.example.com' } })
  assert.deepEqual(own.verifier.stats().proofs, { store: 'process', reach: 'process', entries: 0, capacity: 4 * 1024 * 1024 })
})

test('a test agent binds tokens to its key', () => {
  const { gate, token, clock } = world()
  const agent = new FakeAgent('agent', { clock, seed: 3 })
  assert.equal(agent.jkt, new FakeAgent('agent', { clock, seed: 3 }).jkt)
  assert.notEqual(agent.jkt, new FakeAgent('agent', { clock, seed: 4 }).jkt)
  assert.equal(agent.call(gate, 'POST', '/mcp', token({ act: [agent] })).token.actor.sub, 'agent')
  assert.equal(agent.call(gate, 'POST', '/mcp', token({ bindTo: agent })).code, 'pop_required')
})

test('resource metadata is the policy’s', () => {
  const { gate } = world({
    gate: { public_url: 'https://api.example.com', metadata: { resource_name: 'Tools' } },
  })
  assert.deepEqual(gate.resourceMetadata(), {
    resource: AUDIENCE,
    authorization_servers: [ISSUER],
    bearer_methods_supported: ['header'],
    resource_name: 'Tools',
  })
})

test('no constructor makes a verifier', () => {
  assert.ok(thrown(() => new Verifier()) instanceof UsageError)
})

test('what a caller knows is checked as it is given, and decides in every call', async () => {
  const { gate, token } = world()
  const jwt = token({ clientId: 'agent-a' })
  const request = { method: 'GET', uri: '/', headers: ['Authorization', `Bearer ${jwt}`] }
  const calls = [
    (options) => gate.judge(jwt, options),
    (options) => gate.judge(Buffer.from(jwt), options),
    (options) => gate.judgeAsync(jwt, options),
    (options) => gate.judgeRequest(request, options),
    (options) => gate.judgeRequestAsync(request, options),
    (options) => gate.explain(jwt, options),
    (options) => gate.explainRequest(request, options),
  ]
  const answers = [
    [{ clientId: 'agent-a' }, 'accepted'],
    [{ clientId: 'agent-b' }, 'pop_mismatch'],
    [{ nonce: 'n1' }, 'missing_claim'],
    [{ accessToken: jwt }, 'missing_claim'],
    [{ code: 'c' }, 'missing_claim'],
    [{ acrValues: ['mfa'] }, 'insufficient_user_authentication'],
    [{ acrValues: [], presenter: { iss: ISSUER, sub: 'agent-a' } }, 'accepted'],
  ]
  for (const call of calls) {
    for (const [options, code] of answers) assert.equal((await call(options)).code, code)
  }
  const challenge = thrown(() => gate.verify(jwt, { acrValues: ['mfa', 'hw'] })).wwwAuthenticate
  assert.match(challenge, /acr_values="mfa hw"/)
  const wrong = [
    [() => gate.verify(jwt, { nonce: 5 }), /verify: nonce must be a string, not number/],
    [() => gate.judge(jwt, { clientId: null }), /judge: clientId must be a string, not null/],
    [() => gate.verify(jwt, { presenter: [ISSUER, 'agent-a'] }), /presenter/],
    [() => gate.verify(jwt, { presenter: { iss: ISSUER } }), /presenter: sub must be a string, not undefined/],
    [() => gate.verify(jwt, { acrValues: 'mfa' }), /acrValues must be an array of strings/],
    [() => gate.verify(jwt, { acrValues: ['a\nb'] }), /an acr is neither empty/],
    [() => gate.verify(jwt, { requiredScopes: ['a\nb'] }), /a scope is neither empty/],
    [() => gate.verifyBatchSync([jwt], { nonce: 'n' }), /no option "nonce"/],
  ]
  for (const [call, text] of wrong) {
    const error = thrown(call)
    assert.ok(error instanceof UsageError)
    assert.match(error.message, text)
  }
})

// Whole requests: of every make, with proofs, and what becomes of them.
import assert from 'node:assert/strict'
import { X509Certificate, createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import * as z from 'zod'
import { AuthorityError, PossessionError, ReplayError, UsageError, Verifier, singleValued } from 'sealgate'
import { FakeAgent, FixedClock } from 'sealgate/testing'
import { held, policy } from './served.mjs'
import { AUDIENCE, ISSUER, NOW, thrown, world } from './world.mjs'

const ORIGIN = 'https://api.example.com'
const POSSESSION = { document: { dpop: {}, replay: { store: 'process' } }, gate: { public_url: ORIGIN } }

function bound(more) {
  const made = world({ ...POSSESSION, ...more })
  const agent = new FakeAgent('agent', { clock: made.clock })
  return { ...made, agent, jwt: made.token({ bindTo: agent }) }
}

test('a request with a proof, once', () => {
  const { gate, agent, jwt, token } = bound()
  const verdict = agent.call(gate, 'POST', '/mcp?session=1', jwt)
  assert.equal(verdict.code, 'accepted')
  assert.deepEqual([verdict.token.senderConstrained, verdict.token.replayReach], ['dpop', 'process'])
  assert.deepEqual(verdict.token.responseHeaders, {})
  const request = { method: 'POST', uri: '/mcp', headers: agent.headers(gate, 'POST', '/mcp', jwt) }
  assert.ok(gate.explainRequest(request).ok) // uses no proof up
  assert.equal(gate.verifyRequest(request).subject, 'u1')
  const replayed = thrown(() => gate.verifyRequest(request))
  assert.ok(replayed instanceof ReplayError)
  assert.match(replayed.wwwAuthenticate, /^DPoP error="invalid_dpop_proof"/)
  assert.equal(gate.judgeRequest({ ...request, method: 'GET' }).code, 'pop_invalid')
  const bearer = gate.judgeRequest({ ...request, headers: ['Authorization', `Bearer ${jwt}`] })
  assert.ok(bearer.error instanceof PossessionError)
  assert.equal(new FakeAgent('other').call(gate, 'GET', '/', jwt).code, 'pop_mismatch')
  assert.equal(agent.call(gate, 'GET', '/', token()).token.senderConstrained, null)
  assert.equal(agent.call(gate, 'GET', '/', 'x').code, 'malformed_token')
})

test('what a request shows is not remembered with its token', () => {
  const { gate, agent, jwt, token } = bound()
  const [one, other] = [agent.call(gate, 'GET', '/', jwt).token, agent.call(gate, 'GET', '/', jwt).token]
  assert.notEqual(one, other)
  assert.equal(gate.judge(jwt).code, 'pop_required')
  const plain = token()
  const kept = gate.verify(plain)
  const request = { method: 'GET', uri: '/', headers: [['authorization', `bearer ${plain}`]] }
  assert.notEqual(gate.verifyRequest(request), kept)
  assert.equal(gate.verify(plain), kept)
})

test('an object of headers, where its server refuses repeated ones', () => {
  const { gate, agent, jwt } = bound()
  const parts = { method: 'POST', uri: '/mcp' }
  const object = () => Object.fromEntries(agent.headers(gate, 'POST', '/mcp', jwt))
  for (const mapping of [object(), new Map(Object.entries(object()))]) {
    assert.throws(() => gate.judgeRequest({ ...parts, headers: mapping }), { message: /singleValued\(\)/ })
  }
  const headers = { ...object(), accept: undefined, 'set-cookie': ['a', 'b'] }
  assert.equal(gate.judgeRequest({ ...parts, headers: singleValued(headers) }).code, 'accepted')
  const twice = { ...object(), dpop: ['a', 'b'], DPoP: undefined }
  assert.equal(gate.judgeRequest({ ...parts, headers: singleValued(twice) }).code, 'pop_invalid')
  for (const wrong of [undefined, null, 'a: b', [], new Headers()]) {
    assert.throws(() => singleValued(wrong), UsageError)
  }
  // What is made of nothing but its shape is none.
  assert.throws(() => gate.judgeRequest({ ...parts, headers: { single: true } }), UsageError)
})

test('requests of every make', async (t) => {
  const { gate, verifier, agent, jwt } = bound()
  const fields = () => agent.headers(gate, 'POST', '/mcp?q=1', jwt)
  const parts = { method: 'POST', uri: '/mcp?q=1' }
  const socket = { getPeerX509Certificate: () => undefined }
  const node = () => ({ method: 'POST', url: '/mcp?q=1', rawHeaders: fields().flat(), socket })
  for (const request of [
    { ...parts, headers: fields() },
    { ...parts, headers: [...fields(), ['Accept', '*/*']].flat() },
    { ...parts, headers: new Headers(fields()) },
    { ...parts, headers: fields(), clientCertificate: null },
    node(),
    { ...node(), url: '/?q=1', originalUrl: '/mcp?q=1' },
    { raw: node() },
    new Request('http://localhost:3000/mcp?q=1', { method: 'POST', headers: fields() }),
  ]) {
    assert.equal(gate.judgeRequest(request).code, 'accepted')
  }
  const server = createServer((request, response) => {
    const { httpStatus, headers, body } = verifier.judgeRequest(request).error ?? { httpStatus: 200, headers: {}, body: 'yes' }
    response.writeHead(httpStatus, headers).end(body)
  })
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ask = (headers) => fetch(`http://127.0.0.1:${server.address().port}/mcp?q=1`, { method: 'POST', headers, keepalive: false })
  assert.equal(await (await ask(fields())).text(), 'yes')
  const nothing = await ask([])
  assert.deepEqual([nothing.status, nothing.headers.get('www-authenticate').includes('error=')], [401, false])
  const twice = fields()
  const two = await ask([...twice, twice[0]])
  assert.equal(two.status, 400)
})

test('a call for requests asks for what the others ask for', async () => {
  const { gate, agent, token } = bound()
  const { verifyRequest, judgeRequest, verifyRequestAsync, judgeRequestAsync } = gate
  const request = { method: 'GET', uri: '/', headers: agent.headers(gate, 'GET', '/', token({ claims: { tenant: 't' } })) }
  const into = z.object({ tenant: z.string() })
  assert.equal(verifyRequest(request, { into, requiredScopes: ['mcp:use'] }).claims.tenant, 't')
  assert.equal((await verifyRequestAsync(request, { into, wait: '1s' })).claims.tenant, 't')
  const refused = judgeRequest(request, { requiredScopes: ['admin'] })
  assert.match(refused.error.wwwAuthenticate, /scope="admin"/)
  assert.equal((await judgeRequestAsync(request, { requiredScopes: ['admin'] })).code, 'insufficient_scope')
})

test('a request waits for keys, and its proof is used up once', async (t) => {
  const clock = new FixedClock(NOW)
  const { corp } = world()
  const server = await held(t, () => corp.jwks())
  const document = policy(server.uri)
  Object.assign(document, POSSESSION.document)
  Object.assign(document.gates.tools, POSSESSION.gate)
  const verifier = Verifier.fromPolicy(document, { clock, allowDanger: true })
  t.after(() => verifier.close())
  const agent = new FakeAgent('agent', { clock })
  const jwt = corp.token({ sub: 'u1', aud: AUDIENCE, bindTo: agent })
  const request = { method: 'GET', uri: '/', headers: agent.headers(verifier.gate('tools'), 'GET', '/', jwt) }
  assert.equal(verifier.judgeRequest(request).code, 'keys_refreshing')
  const waiting = verifier.verifyRequestAsync(request, { wait: '60s' })
  await server.asked()
  server.answer()
  assert.equal((await waiting).senderConstrained, 'dpop')
  assert.equal((await verifier.judgeRequestAsync(request)).code, 'replayed')
})

test('a nonce of the server: refused with one, accepted with it', () => {
  const secret = Buffer.alloc(32, 7).toString('base64url')
  process.env.SEALGATE_TEST_NONCE = secret
  const { gate, agent, jwt } = bound({ document: { ...POSSESSION.document, dpop: { nonce: 'required', nonce_secret: { env: 'SEALGATE_TEST_NONCE' } } } })
  const first = agent.call(gate, 'GET', '/', jwt)
  assert.equal(first.code, 'nonce_required')
  const nonce = first.error.headers['DPoP-Nonce']
  assert.ok(nonce)
  const headers = agent.headers(gate, 'GET', '/', jwt, { nonce })
  assert.equal(gate.verifyRequest({ method: 'GET', uri: '/', headers }).senderConstrained, 'dpop')
})

// Nobody's: its key was thrown away.
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUKdBC/4e8bY3R3Cx0a/qvoiq3TzwwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFYWdlbnQwIBcNMjYxMTI2MDA1NjQ2WhgPMjEyNjExMDIwMDU2
NDZaMBAxDjAMBgNVBAMMBWFnZW50MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
ElSHm7KCEoYA3IxYiKg8vEZatfF15V1jsGPleyTIv8NN9g23yqHp3sTc/w3B9sz3
GOWAB4Wo+WubExWrlE2UdaNTMFEwHQYDVR0OBBYEFCCGECwHtZz6ZbrDFh8u8/C+
e384MB8GA1UdIwQYMBaAFCCGECwHtZz6ZbrDFh8u8/C+e384MA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAKSzzlNLGsP70KdeUUW2c5D5aatZtSqJ
TYtZnfduLKk7AiAwffIqlMT6DL+46q8wVQezCm99QgEAR+9SZM8mvIFhVg==
-----END CERTIFICATE-----
`

test('a client certificate, as DER or as Node has it', () => {
  const certificate = new X509Certificate(CERTIFICATE)
  const { gate, token } = world({ document: { mtls: {} } })
  const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url')
  const jwt = token({ claims: { cnf: { 'x5t#S256': thumbprint } } })
  const parts = { method: 'GET', uri: '/', headers: [['Authorization', `Bearer ${jwt}`]] }
  for (const clientCertificate of [certificate.raw, Uint8Array.from(certificate.raw), certificate]) {
    assert.equal(gate.verifyRequest({ ...parts, clientCertificate }).senderConstrained, 'mtls')
  }
  const node = { method: 'GET', url: '/', rawHeaders: parts.headers.flat() }
  const socket = { getPeerX509Certificate: () => certificate }
  assert.equal(gate.verifyRequest({ ...node, socket }).senderConstrained, 'mtls')
  assert.equal(gate.judgeRequest({ ...node, socket: { getPeerX509Certificate: () => undefined } }).ok, false)
  assert.equal(gate.judgeRequest(node).ok, false)
  // The socket's is the proxy's, where there is one that has seen the client's.
  const proxied = { ...node, socket: { getPeerX509Certificate: () => 'the proxy’s' } }
  assert.equal(gate.verifyRequest(proxied, { clientCertificate: certificate }).senderConstrained, 'mtls')
  assert.equal(gate.judgeRequest({ ...node, socket }, { clientCertificate: null }).ok, false)
  for (const call of ['judgeRequest', 'verifyRequest', 'explainRequest', 'trace']) {
    for (const wrong of ['DER?', CERTIFICATE]) {
      const clientCertificate = Buffer.from(wrong)
      assert.throws(() => gate[call]({ ...parts, clientCertificate }), (error) => error instanceof UsageError && error.claim === 'client_certificate')
    }
  }
})

test('an operation lies within what was granted', () => {
  const { gate, token } = world({ gate: { public_url: 'https://api.example.com' } })
  const tools = [{ type: 'attenuating_agent_token', tools: { read_file: {} } }]
  const granted = { authorization_details: tools }
  const headers = [['Authorization', `Bearer ${token({ claims: granted })}`]]
  const parts = { method: 'GET', uri: '/', headers }
  const verified = gate.verifyRequest({ ...parts, operation: { tool: 'read_file', scope: 'mcp:use' } })
  assert.equal(verified.require({ operation: { tool: 'read_file' } }), verified)
  const denied = thrown(() => verified.require({ operation: { tool: 'delete_file' } }))
  assert.ok(denied instanceof AuthorityError)
  assert.deepEqual([denied.code, denied.httpStatus, denied.wwwAuthenticate], ['operation_denied', 403, null])
  assert.equal(gate.judgeRequest({ ...parts, operation: { tool: 'delete_file' } }).code, 'operation_denied')
  const { steps } = gate.explainRequest({ ...parts, operation: { tool: 'delete_file' } })
  const step = steps.find(({ outcome }) => outcome === 'refused')
  assert.equal(step.stage, 'policy')
  const { error } = gate.judgeRequest({ ...parts, operation: { scope: 'files.read' } })
  assert.equal(error.code, 'insufficient_scope')
  assert.match(error.wwwAuthenticate, /scope="files.read"/)
})

test('what no server’s request has is told beside it', async () => {
  const { gate, token } = world({ gate: { public_url: ORIGIN, context: { access_token: 'allowed' } } })
  const jwt = token({ claims: { authorization_details: [{ type: 'attenuating_agent_token', tools: { read_file: {} } }] } })
  const fields = { authorization: `Bearer ${jwt}` }
  const [allowed, denied] = ['read_file', 'delete_file'].map((tool) => ({ operation: { tool } }))
  const parts = { method: 'GET', uri: '/', headers: Object.entries(fields) }
  const node = { method: 'GET', url: '/', rawHeaders: Object.entries(fields).flat() }
  for (const request of [node, { raw: node }, new Request(ORIGIN, { headers: fields }), parts]) {
    assert.equal(gate.verifyRequest(request, allowed).subject, 'u1')
    assert.equal(gate.judgeRequest(request, { ...denied, requiredScopes: ['mcp:use'] }).code, 'operation_denied')
    assert.equal((await gate.judgeRequestAsync(request, { ...denied, wait: '1s' })).code, 'operation_denied')
    await assert.rejects(gate.verifyRequestAsync(request, denied), AuthorityError)
    assert.equal(gate.explainRequest(request, denied).code, 'operation_denied')
    assert.equal(gate.trace(request, denied).code, 'operation_denied')
    const approved = { issuer: ISSUER, intent: { buy: 1 } }
    assert.equal(gate.judgeRequest(request, { approved }).code, gate.judgeRequest({ ...parts, approved }).code)
    const context = [{ kind: 'access_token', token: token({ sub: 'somebody else' }) }]
    assert.equal(gate.judgeRequest(request, { context }).code, gate.judgeRequest({ ...parts, context }).code)
    assert.notEqual(gate.judgeRequest(request, { context }).code, 'accepted')
    assert.equal(gate.judgeRequest(request, { operation: undefined, context: undefined }).code, 'accepted')
    for (const wrong of [{ operation: {} }, { context: 'x' }, { content: {} }, { clientCertificate: 'PEM' }, { uri: '/' }, { headers: [] }]) {
      for (const call of ['verifyRequest', 'judgeRequest', 'explainRequest', 'trace']) {
        assert.ok(thrown(() => gate[call](request, wrong)) instanceof UsageError, `${call} ${JSON.stringify(wrong)}`)
      }
    }
  }
  // Told in both places it is not guessed which was meant.
  const twice = thrown(() => gate.judgeRequest({ ...parts, ...allowed }, denied))
  assert.ok(twice instanceof UsageError)
  assert.match(twice.message, /operation is given twice/)
})

test('wrong arguments', async () => {
  const { gate } = bound()
  const parts = { method: 'GET', uri: '/', headers: [] }
  for (const wrong of [
    undefined,
    null,
    'GET / HTTP/1.1',
    {},
    { ...parts, method: undefined },
    { ...parts, uri: 7 },
    { ...parts, headers: { authorization: 'Bearer x' } },
    { ...parts, headers: 'Authorization: Bearer x' },
    { ...parts, headers: undefined },
    { ...parts, headers: ['Authorization'] },
    { ...parts, headers: [['Authorization', ['Bearer x']]] },
    { ...parts, headers: [7] },
    { ...parts, clientCertificate: 'PEM' },
    { ...parts, operation: {} },
    { ...parts, operation: 'read_file' },
    { ...parts, operation: { tool: 7 } },
    { ...parts, operation: { args: 'x' } },
  ]) {
    for (const call of ['verifyRequest', 'judgeRequest', 'explainRequest']) {
      assert.ok(thrown(() => gate[call](wrong)) instanceof UsageError, `${call} ${JSON.stringify(wrong)}`)
    }
    await assert.rejects(gate.verifyRequestAsync(wrong), UsageError)
    await assert.rejects(gate.judgeRequestAsync(wrong), UsageError)
  }
  assert.ok(thrown(() => gate.verifyRequest(parts, { scopes: [] })) instanceof UsageError)
  // A kind is a value, in no language's own spelling.
  for (const kind of ['some_token', 'txnToken']) {
    const context = [{ kind, token: 'x' }]
    const isTold = (error) => error instanceof UsageError && error.message.includes(`no kind "${kind}"; there are: access_token, `)
    for (const call of ['verifyRequest', 'judgeRequest', 'explainRequest']) assert.throws(() => gate[call]({ ...parts, context }), isTold)
    assert.throws(() => gate.verifyChain('x', context), isTold)
  }
})

test('the trail of a request is of a call with its scopes', () => {
  const { gate, token } = bound()
  const request = { method: 'GET', uri: '/', headers: [['Authorization', `Bearer ${token()}`]] }
  assert.ok(gate.explainRequest(request, { requiredScopes: ['mcp:use'] }).ok)
  assert.equal(gate.explainRequest(request, { requiredScopes: ['admin'] }).code, 'insufficient_scope')
  assert.ok(thrown(() => gate.explainRequest(request, { scopes: ['admin'] })) instanceof UsageError)
})

test('a field or further token of any length is answered, and at once', () => {
  const { gate } = world({ gate: { context: { access_token: 'allowed' } } })
  const endless = 'x'.repeat(1e7)
  const flat = Buffer.alloc(1e7, 'x').toString('latin1')
  const began = process.cpuUsage()
  for (let turn = 0; turn < 20; turn++) {
    for (const text of [endless, flat]) {
      const headers = [['Authorization', `Bearer ${text}`]]
      assert.equal(gate.judgeRequest({ method: 'GET', uri: '/', headers }).code, 'oversized')
    }
    const context = [{ kind: 'access_token', token: flat }]
    assert.throws(() => gate.verifyChain(flat, context), { code: 'oversized' })
  }
  const { user, system } = process.cpuUsage(began)
  assert.ok(user + system < 2e6, `${user + system} µs`)
})

test('arguments and what was approved, as the call tells of them', () => {
  const { gate, token } = world()
  const jwt = token()
  const parts = { method: 'GET', uri: '/', headers: [['Authorization', `Bearer ${jwt}`]] }
  const set = [{ type: 'x', actions: ['read'] }]
  assert.equal(gate.judgeRequest({ ...parts, operation: { tool: 't', arguments: { path: '/a' } } }).ok, true)
  for (const approved of [{ issuer: ISSUER, authoritySet: set }, { issuer: ISSUER, intent: { id: 1 } }]) {
    assert.equal(gate.judgeRequest({ ...parts, approved }).code, 'intent_mismatch')
    assert.equal(gate.explainRequest({ ...parts, approved }).code, 'intent_mismatch')
    assert.throws(() => gate.verifyChain(jwt, [], { approved }), { code: 'intent_mismatch' })
  }
  const wrong = [7, {}, { issuer: ISSUER }, { issuer: ISSUER, authoritySet: {} }, { issuer: ISSUER, intent: [] }, { authoritySet: set }, { issuer: '', authoritySet: set }, { issuer: ISSUER, authoritySet: set, intent: {} }]
  for (const approved of wrong) {
    assert.throws(() => gate.judgeRequest({ ...parts, approved }), UsageError)
    assert.throws(() => gate.explainRequest({ ...parts, approved }), UsageError)
    assert.throws(() => gate.verify(jwt).require({ approved }), UsageError)
  }
  const odd = [NaN, Infinity, undefined, () => 1, Symbol('x'), 1n, new Map(), new Set([1]), /x/]
  const inside = odd.flatMap((value) => [{ tool: 't', arguments: { value } }, { tool: 't', arguments: { deep: [{ value }] } }, { tool: 't', arguments: { list: [value] } }])
  for (const operation of [{ arguments: {} }, { tool: 't', arguments: 'x' }, { tool: 't', arguments: [] }, ...inside]) {
    assert.throws(() => gate.judgeRequest({ ...parts, operation }), UsageError)
  }
  const content = { token: jwt, proof: jwt }
  assert.throws(() => gate.judgeRequest({ ...parts, content }), UsageError) // no gate of capabilities
  for (const content of [7, { token: jwt }, { token: jwt, proof: 7 }]) {
    assert.throws(() => gate.judgeRequest({ ...parts, content }), UsageError)
  }
})

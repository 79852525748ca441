// A request for every code: over HTTP, against a service that answers by hand; and fakes that are those
// of every language.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request as send } from 'node:http'
import { after, before, test } from 'node:test'
import { SealgateError } from 'sealgate'
import { FakeAgent, FakeIssuer, FixedClock, refusals, unreachable } from 'sealgate/testing'
import { ISSUER, thrown, world } from './world.mjs'

const { gate, clock } = world({
  gate: {
    public_url: 'https://api.example.com',
    sender_constrained: 'required',
    required_scopes: ['mcp:use'],
    delegation: 'agents',
    context: { access_token: 'allowed' },
  },
  document: {
    dpop: {},
    replay: { store: 'process' },
    delegation: { agents: { actor: 'required', allow: [{ actor: { iss: ISSUER, sub_prefix: 'spiffe://example.com/agents/' } }] } },
  },
})

const server = createServer((request, response) => {
  try {
    gate.verifyRequest({ method: request.method, uri: request.url, headers: request.rawHeaders })
    response.end()
  } catch (error) {
    if (!SealgateError.is(error)) throw error
    response.writeHead(error.httpStatus, { ...error.headers, 'X-Code': error.code }).end(error.body)
  }
})

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
after(() => server.close())

async function answerTo({ method, uri, headers }) {
  const { port } = server.address()
  const sent = send({ host: '127.0.0.1', port, method, path: uri, headers: Object.fromEntries(headers), agent: false })
  sent.end()
  const [response] = await once(sent, 'response')
  response.resume()
  await once(response, 'end')
  return response
}

for (const [code, call] of refusals(gate, { uri: '/mcp' })) {
  test(`my service answers ${code} with ${call.httpStatus}`, async () => {
    for (let times = 0; times < 2; times++) {
      const request = call()
      // Whose further tokens no field carries: a service knows where its own come from.
      if (request.context.length > 0) {
        const { method, uri, headers, context } = request
        const { error } = gate.judgeRequest({ method, uri, headers, context })
        assert.deepEqual([error.code, error.httpStatus], [code, call.httpStatus])
        assert.deepEqual({ ...error.headers }, request.answerHeaders)
        continue
      }
      const answer = await answerTo(request)
      assert.deepEqual([answer.statusCode, answer.headers['x-code']], [call.httpStatus, code])
      for (const [name, value] of Object.entries(request.answerHeaders)) {
        assert.equal(answer.headers[name.toLowerCase()], value)
      }
      clock.advance('1h')
    }
  })
}

test('what a policy asks for', () => {
  const codes = refusals(gate).map(([code]) => code)
  for (const code of ['replayed', 'pop_mismatch', 'pop_invalid', 'actor_missing', 'may_act_mismatch']) {
    assert.ok(codes.includes(code), code)
  }
  const why = unreachable(gate)
  assert.match(why.nonce_required, /nonce/)
  assert.equal(codes.some((code) => code in why), false)
  assert.equal(thrown(() => refusals(world().verifier)).code, 'usage')
  const call = Object.fromEntries(refusals(gate, { method: 'PUT', uri: '/a?b=1' })).pop_invalid
  assert.deepEqual([call.method, call.uri, call.code], ['PUT', '/a?b=1', 'pop_invalid'])
  assert.notDeepEqual(call.headers, call.headers)
})

// The same file is read by the tests of the core and of Python.
const fakes = JSON.parse(readFileSync(new URL('../../../tests/vectors/fakes.json', import.meta.url)))

test('fakes are those of every language', () => {
  for (const { issuer, seed, alg, name, input, signature, kid, jwks } of fakes.issuers) {
    const corp = new FakeIssuer(issuer, { clock: new FixedClock(fakes.now), seed, alg, name })
    const jwt = corp.token({ ...fakes.token, claims: fakes.claims })
    assert.equal(jwt.slice(0, jwt.lastIndexOf('.')), input)
    if (signature !== null) assert.equal(jwt.slice(jwt.lastIndexOf('.') + 1), signature)
    assert.equal(corp.rotate(), kid)
    assert.deepEqual(corp.jwks(), jwks)
  }
  for (const { sub, seed, jkt } of fakes.agents) assert.equal(new FakeAgent(sub, { seed }).jkt, jkt)
})

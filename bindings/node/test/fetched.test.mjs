// Keys that are fetched: a server on loopback, and nobody waits in a call that judges.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import test from 'node:test'
import { KeysUnavailableError, Policy, UsageError, Verifier } from 'sealgate'
import { FakeIssuer, FixedClock, open } from 'sealgate/testing'

const AUDIENCE = 'https://api.example.com/mcp'

async function served(answer) {
  const server = createServer((_, response) => {
    const { status, body } = answer()
    response.writeHead(status, { connection: 'close' }).end(body)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, uri: `http://localhost:${server.address().port}/keys` }
}

function policy(uri) {
  return {
    version: 1,
    danger: { http_loopback_issuers: true },
    issuers: { corp: { issuer: 'https://login.example.com', jwks_uri: uri } },
    gates: { tools: { profile: 'access_token', audience: AUDIENCE, issuers: ['corp'] } },
  }
}

test('tokens are undecided until the keys are there', async (t) => {
  const clock = new FixedClock(1_800_000_000)
  const fake = new FakeIssuer('https://login.example.com', { clock, seed: 1 })
  const { server, uri } = await served(() => ({ status: 200, body: JSON.stringify(fake.jwks()) }))
  t.after(() => server.close())
  const verifier = open(policy(uri), { clock, allowDanger: true })
  t.after(() => verifier.close())
  const jwt = fake.token({ sub: 'u1', aud: AUDIENCE })
  const verdict = verifier.judge(jwt)
  assert.equal(verdict.code, 'keys_refreshing')
  assert.deepEqual([verdict.error.httpStatus, verdict.error.headers['Retry-After']], [503, '1'])
  await verifier.waitReady({ timeout: '30s' })
  assert.ok(verifier.judge(jwt).ok)
  const state = verifier.keys.state('corp')
  assert.deepEqual([state.source, state.generation, state.lastError], ['jwks_uri', 1, null])
  assert.ok(state.nextRefresh > state.fetchedAt)
  assert.equal(verifier.keys.refresh('corp').generation, 1)
})

test('an issuer that does not answer is named', async (t) => {
  const { server, uri } = await served(() => ({ status: 500, body: '' }))
  t.after(() => server.close())
  const loaded = new Policy(policy(uri), { allowDanger: true })
  const verifier = Verifier.fromPolicy(loaded)
  t.after(() => verifier.close())
  await assert.rejects(verifier.waitReady({ timeout: '300ms' }), (error) => {
    assert.ok(error instanceof KeysUnavailableError)
    assert.deepEqual([error.issuerName, error.httpStatus, error.retryAfter], ['corp', 503, 5])
    return /corp has no usable keys/.test(error.message)
  })
  await assert.rejects(verifier.waitReady({ timeout: 'soon' }), UsageError)
})

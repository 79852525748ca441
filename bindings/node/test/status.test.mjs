// Status lists that tokens refer to, fetched from a server on loopback.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { RevokedError, UnavailableError, Verifier } from 'sealgate'
import { FakeIssuer, FixedClock } from 'sealgate/testing'
import { AUDIENCE, ISSUER, served } from './served.mjs'
import { NOW } from './world.mjs'

/** An issuer whose list says of its first token that it is valid, and of its second that it is not. */
async function opened(t) {
  const clock = new FixedClock(NOW)
  const corp = new FakeIssuer(ISSUER, { clock, seed: 1000 })
  let status = 200
  const list = () => {
    const claims = { iat: NOW, exp: NOW + 600, ttl: 300, iss: ISSUER, sub: uri }
    const lst = deflateSync(Buffer.from([0b10])).toString('base64url')
    return corp.sign({ ...claims, status_list: { bits: 1, lst } }, { typ: 'statuslist+jwt' })
  }
  const { uri } = await served(t, () => ({ status, body: status === 200 ? list() : '' }))
  const verifier = Verifier.fromPolicy(
    {
      version: 1,
      danger: { http_loopback_issuers: true },
      revocation: { store: 'process', status_lists: { allow_hosts: ['localhost'] } },
      issuers: { corp: { issuer: ISSUER, jwks: corp.jwks(), algorithms: ['ES256'], profiles: ['access_token', 'status_list_token'] } },
      gates: { tools: { profile: 'access_token', audience: AUDIENCE, issuers: ['corp'] } },
    },
    { clock, allowDanger: true }
  )
  t.after(() => verifier.close())
  const token = (idx) => corp.token({ aud: AUDIENCE, claims: { status: { status_list: { idx, uri } } } })
  return { verifier, token, answer: (next) => (status = next) }
}

test('a call that is awaited waits for a list that is fetched for the first time', async (t) => {
  const { verifier, token } = await opened(t)
  const told = once(verifier, 'event')
  const verified = await verifier.verifyAsync(token(0), { wait: '60s' })
  assert.equal(verified.statusChecked, true)
  assert.deepEqual((await told)[0], { event: 'status_list_fetched', issuerName: 'corp' })
  await assert.rejects(verifier.verifyAsync(token(1)), RevokedError)
})

test('and for one that does not come no longer than until that is known', async (t) => {
  const { verifier, token, answer } = await opened(t)
  answer(503)
  const told = once(verifier, 'event')
  await assert.rejects(verifier.verifyAsync(token(0), { wait: '60s' }), (error) => {
    return error instanceof UnavailableError && error.code === 'status_unavailable'
  })
  const [{ event, issuerName, reason }] = await told
  assert.deepEqual([event, issuerName], ['status_list_failed', 'corp'])
  assert.match(reason, /503/)
})

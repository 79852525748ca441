// Opaque tokens, whose issuer is asked about them (RFC 7662) by a server on loopback.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { IntrospectionUnavailableError, RevokedError, Verifier } from 'sealgate'
import { AUDIENCE, ISSUER, held, served } from './served.mjs'

const OPAQUE = 'mF_9.B5f-4.1JqM'

const active = () => ({ active: true, sub: 'u1', client_id: 'c1', aud: AUDIENCE, exp: Math.floor(Date.now() / 1000) + 300 })

function opened(t, endpoint) {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'secret')
  writeFileSync(file, 'of a test\n')
  chmodSync(file, 0o600)
  const introspection = { endpoint, clientId: 'rs', clientSecret: { file }, allowHosts: ['localhost'] }
  const verifier = Verifier.create({
    issuer: ISSUER,
    audience: AUDIENCE,
    algorithms: ['ES256'],
    jwksPush: 'process',
    introspection,
    danger: { httpLoopbackIssuers: true },
    allowDanger: true,
  })
  t.after(() => verifier.close())
  return verifier
}

test('a call waits for the answer', async (t) => {
  const server = await held(t, active)
  const verifier = opened(t, server.uri)
  assert.equal(verifier.judge(OPAQUE).code, 'introspection_pending')
  assert.throws(() => verifier.verify(OPAQUE), (error) => {
    assert.ok(error instanceof IntrospectionUnavailableError)
    return error.httpStatus === 503 && error.headers['Retry-After'] === '1'
  })
  const waiting = [verifier.verifyAsync(OPAQUE, { wait: '60s' }), verifier.judgeAsync(OPAQUE, { wait: '60s' })]
  await server.asked()
  server.answer()
  const [token, verdict] = await Promise.all(waiting)
  assert.deepEqual([token.subject, token.verifiedBy, verdict.ok], ['u1', 'introspection', true])
  assert.ok(token.introspectedAt <= Date.now() / 1000)
  assert.equal(server.requests, 1)
})

test('what is not active is refused, and a server that fails leaves it undecided', async (t) => {
  let answer = { status: 200, body: '{"active":false}' }
  const { uri } = await served(t, () => answer)
  const verifier = opened(t, uri)
  await assert.rejects(verifier.verifyAsync(OPAQUE, { wait: '60s' }), (error) => {
    return error instanceof RevokedError && error.code === 'inactive'
  })
  answer = { status: 500, body: '' }
  const told = once(verifier, 'event')
  const verdict = await verifier.judgeAsync('another', { wait: '60s' })
  assert.equal(verdict.code, 'introspection_unavailable')
  assert.match(verdict.error.hint, /default could not be asked about the token/)
  assert.deepEqual((await told)[0].event, 'introspection_failed')
})

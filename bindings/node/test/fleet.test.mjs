// Used proofs at a server: asked about without holding the event loop, and by one that is gone.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { ReplayError, ReplayUnavailableError, UsageError } from 'sealgate'
import { caller as callerAt, transactions } from './fleet-child.mjs'
import { serve, storeAt } from './servers.mjs'
import { thrown } from './world.mjs'

const CHILD = fileURLToPath(new URL('fleet-child.mjs', import.meta.url))

/** A gate whose used proofs are at this server. */
function caller(t, url, replay) {
  const made = callerAt(storeAt(t, url), replay)
  t.after(() => made.verifier.close())
  return made
}

/** A server that takes what it is sent and says nothing; `asked` is its next connection. */
async function silent(t) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const asked = async () => {
    const [socket] = await once(server, 'connection')
    socket.on('error', () => {})
    await once(socket, 'data')
    return socket
  }
  return { url: `redis://127.0.0.1:${server.address().port}`, asked }
}

for (const kind of ['redis', 'nats']) {
  test(`of sixty-four with one proof one is accepted: ${kind}`, async (t) => {
    const server = await serve(t, kind)
    if (server === undefined) return t.skip(`${kind}-server is not installed`)
    const { verifier, gate, request } = caller(t, server.url)
    const shown = request()
    const verdicts = await Promise.all(Array.from({ length: 64 }, () => gate.judgeRequestAsync(shown)))
    const codes = verdicts.map(({ code }) => code).sort()
    assert.deepEqual(codes, ['accepted', ...new Array(63).fill('replayed')])
    const { token } = verdicts.find(({ ok }) => ok)
    assert.deepEqual([token.subject, token.replayReach, token.senderConstrained], ['u1', 'fleet', 'dpop'])
    await assert.rejects(gate.verifyRequestAsync(shown), ReplayError)
    // Each verdict has its own token and its own error, though they come back in any order.
    const mixed = await Promise.all([request(), shown, request(), shown].map((one) => verifier.judgeRequestAsync(one)))
    assert.deepEqual(mixed.map(({ code }) => code), ['accepted', 'replayed', 'accepted', 'replayed'])
    assert.equal(mixed[1].error.code, 'replayed')
    assert.equal(mixed[2].token.subject, 'u1')
  })

  test(`without its server it is undecided until that is back: ${kind}`, async (t) => {
    const server = await serve(t, kind)
    if (server === undefined) return t.skip(`${kind}-server is not installed`)
    const { verifier, gate, request } = caller(t, server.url)
    assert.equal((await gate.judgeRequestAsync(request())).code, 'accepted')
    await server.kill()
    const { code, error } = await gate.judgeRequestAsync(request())
    assert.equal(code, 'replay_unavailable')
    assert.ok(error instanceof ReplayUnavailableError)
    assert.deepEqual([error.httpStatus, error.wwwAuthenticate, error.retryAfter > 0], [503, null, true])
    assert.deepEqual(verifier.stats().proofs, { store: 'fleet', reach: 'fleet', asked: 2, unanswered: 1 })
    await server.start()
    assert.equal((await gate.judgeRequestAsync(request())).code, 'accepted')
  })
}

test('the event loop turns while a server is asked', async (t) => {
  const { url, asked } = await silent(t)
  const { gate, request, token } = caller(t, url)
  const shown = request()
  const waits = gate.judgeRequestAsync(shown)
  const socket = await asked()
  for (let turns = 0; turns < 100; turns++) await turn()
  // What needs no server is answered meanwhile, and what explains asks none.
  const bearer = { method: 'GET', uri: '/mcp', headers: ['Authorization', `Bearer ${token()}`] }
  assert.equal((await gate.judgeRequestAsync(bearer)).code, 'accepted')
  assert.equal((await gate.judgeRequestAsync({ ...bearer, headers: [] })).code, 'no_token')
  assert.equal(gate.explainRequest(shown).ok, true)
  socket.destroy()
  assert.equal((await waits).code, 'replay_unavailable')
})

test('what a call asks for is asked of what a server lets through', async (t) => {
  const server = await serve(t, 'redis')
  if (server === undefined) return t.skip('redis-server is not installed')
  const { gate, request } = caller(t, server.url)
  const into = z.object({ sub: z.string() })
  assert.deepEqual((await gate.verifyRequestAsync(request(), { into })).claims, { sub: 'u1' })
  const misfit = await gate.judgeRequestAsync(request(), { into: z.object({ tenant: z.string() }) })
  assert.deepEqual([misfit.code, misfit.error.claim], ['claim_type', 'tenant'])
  // Refused before anybody is asked: the proof may come again.
  const shown = request()
  assert.equal((await gate.judgeRequestAsync(shown, { requiredScopes: ['files.read'] })).code, 'insufficient_scope')
  assert.equal((await gate.judgeRequestAsync(shown)).code, 'accepted')
})

test('a policy may accept and mark what nobody answers', async (t) => {
  const { gate, request } = caller(t, 'redis://127.0.0.1:1', { on_unavailable: 'accept_marked' })
  const token = await gate.verifyRequestAsync(request())
  assert.deepEqual([token.senderConstrained, token.replayReach], ['dpop', null])
})

test('a call that answers at once asks no server, and says what does', async (t) => {
  const { verifier, request, token } = caller(t, 'redis://127.0.0.1:1')
  for (const call of ['verifyRequest', 'judgeRequest', 'trace']) {
    const error = thrown(() => verifier[call](request()))
    assert.ok(error instanceof UsageError, call)
    assert.match(error.message, /replay\.store names a server.*verifyRequestAsync/, call)
  }
  assert.equal(verifier.judge(token()).ok, true, 'what brings no proof')
})

test('a token that is good once is asked about too', async (t) => {
  const server = await serve(t, 'redis')
  if (server === undefined) return t.skip('redis-server is not installed')
  const { verifier, gate, token } = transactions(storeAt(t, server.url))
  t.after(() => verifier.close())
  const jwt = token('x1')
  const verdicts = await Promise.all(Array.from({ length: 16 }, () => gate.judgeAsync(jwt)))
  assert.deepEqual(verdicts.map(({ code }) => code).sort(), ['accepted', ...new Array(15).fill('replayed')])
  await assert.rejects(gate.verifyAsync(Buffer.from(jwt)), ReplayError)
  const into = z.object({ sub: z.string() })
  const verified = await gate.verifyAsync(token('x2'), { into })
  assert.deepEqual([verified.claims, verified.replayReach], [{ sub: 'u1' }, 'fleet'])
  // A batch waits on threads of the engine's.
  const batch = await gate.verifyBatch([jwt, token('x3')])
  assert.deepEqual([...batch].map(({ code }) => code), ['replayed', 'accepted'])
  const calls = [
    () => gate.verify(token('x4')),
    () => gate.judge(token('x4')),
    () => gate.trace(token('x4')),
    () => gate.verifyChain(token('x4'), []),
    () => gate.verifyBatchSync([token('x4')]),
  ]
  for (const call of calls) {
    const error = thrown(call)
    assert.ok(error instanceof UsageError, call)
    assert.match(error.message, /replay\.store names a server.*verifyAsync/, call)
  }
  assert.equal(gate.explain(token('x4')).ok, true)
  assert.equal((await gate.judgeAsync(token('x4'))).code, 'accepted')
})

for (const scene of ['exit', 'worker']) {
  test(`an answer that comes when nobody is there any more: ${scene}`, async (t) => {
    const { url, asked } = await silent(t)
    const child = spawn(process.execPath, [CHILD, scene, JSON.stringify(storeAt(t, url))], { stdio: ['pipe', 'pipe', 'inherit'] })
    t.after(() => child.kill())
    const ended = once(child, 'exit')
    const socket = await asked()
    child.stdin.write('end')
    if (scene === 'worker') {
      assert.equal((await once(child.stdout, 'data')).toString(), '1\n')
      socket.destroy() // the answer
      child.stdin.write('end')
    }
    assert.deepEqual(await ended, [0, null])
  })
}

test('what waits for a server keeps the process running until it has answered', async (t) => {
  const { url, asked } = await silent(t)
  const child = spawn(process.execPath, [CHILD, 'wait', JSON.stringify(storeAt(t, url))], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  const said = once(child.stdout, 'data')
  ;(await asked()).destroy()
  assert.equal((await said).toString(), 'replay_unavailable\n')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

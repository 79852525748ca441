import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Batch, UsageError, Verdict, VerifiedToken, Verifier } from 'sealgate'
import { thrown, world } from './world.mjs'

function mixed() {
  const { gate, verifier, token, corp, clock, policy } = world()
  const good = Array.from({ length: 30 }, (_, index) => token({ sub: `user-${index}` }))
  const tokens = good.flatMap((jwt, index) => [jwt, token({ aud: 'x' }), index % 2 ? 'x' : `${jwt}A`])
  return { gate, verifier, tokens, corp, clock, token, policy }
}

test('verdicts in input order, the same as one by one', async () => {
  const { gate, tokens } = mixed()
  const expected = tokens.map((jwt) => gate.judge(jwt).code)
  for (const batch of [
    await gate.verifyBatch(tokens),
    gate.verifyBatchSync(tokens),
    await gate.verifyBatch(tokens.map((jwt) => Buffer.from(jwt))),
    await gate.verifyBatch(tokens.map((jwt, index) => (index % 2 ? jwt : Buffer.from(jwt)))),
    await gate.verifyBatch(tokens.join('\n')),
    await gate.verifyBatch(Buffer.from(`${tokens.join('\n')}\n`)),
  ]) {
    assert.ok(batch instanceof Batch)
    assert.deepEqual(
      [...batch].map((verdict) => verdict.code),
      expected
    )
    assert.equal(batch.length, tokens.length)
    assert.deepEqual([batch.accepted, batch.refused, batch.undecided], [30, 60, 0])
    assert.deepEqual(Object.entries(batch.counts)[0][1], 30)
    assert.equal(Object.values(batch.counts).reduce((a, b) => a + b), tokens.length)
    assert.ok(batch.at(0) instanceof Verdict || batch.at(0).ok)
    assert.equal(batch.at(0).unwrap().subject, 'user-0')
    assert.equal(batch.at(1).error.code, 'aud_mismatch')
    assert.equal(batch.at(-1).code, expected.at(-1))
    for (const index of [tokens.length, -tokens.length - 1, 0.5, NaN, 'x', undefined]) {
      assert.equal(batch.at(index), undefined)
    }
    for (const [index, token] of batch.tokens()) {
      assert.ok(token instanceof VerifiedToken)
      assert.equal(token.subject, `user-${index / 3}`)
    }
    assert.deepEqual(
      [...batch.errors()].map(([index, error]) => [index, error.code]),
      expected.map((code, index) => [index, code]).filter(([, code]) => code !== 'accepted')
    )
  }
})

test('a batch is no array, and has no constructor', () => {
  const { gate } = world()
  const batch = gate.verifyBatchSync([])
  assert.equal(Array.isArray(batch), false)
  assert.equal(batch.every, undefined)
  assert.deepEqual([batch.length, batch.accepted, { ...batch.counts }], [0, 0, {}])
  assert.ok(thrown(() => new Batch()) instanceof UsageError)
  assert.equal(gate.verifyBatchSync('').length, 0)
  assert.equal(gate.verifyBatchSync('\n').length, 1)
  assert.equal(gate.verifyBatchSync('a\r\nb\r\n').length, 2)
  assert.equal(gate.verifyBatchSync('a\n\nb').length, 3)
})

test('a batch shows its counts, as text and as JSON', () => {
  const { gate, tokens } = mixed()
  const batch = gate.verifyBatchSync(tokens)
  const { accepted, refused, undecided, counts } = batch
  assert.deepEqual(JSON.parse(JSON.stringify(batch)), { accepted, refused, undecided, counts: { ...counts } })
  assert.match(inspect(batch), new RegExp(`^Batch \\{\\s+accepted: ${accepted},\\s+refused: ${refused},`))
})

test('a text of any length is cut between no two tokens', async () => {
  const { gate, token } = world()
  const jwt = token()
  const lines = Array.from({ length: 3000 }, (_, index) => (index % 3 ? jwt : 'é'.repeat(index)))
  for (const text of [lines.join('\n'), Buffer.from(lines.join('\n'))]) {
    for (const batch of [await gate.verifyBatch(text), gate.verifyBatchSync(text)]) {
      assert.deepEqual([batch.length, batch.accepted, batch.counts.malformed_token], [3000, 2000, 1000])
    }
  }
})

test('a batch asks for scopes, and knows outages', async () => {
  const { gate, tokens, policy, clock } = mixed()
  const batch = await gate.verifyBatch(tokens, { requiredScopes: ['admin'] })
  assert.equal(batch.counts.insufficient_scope, 30)
  assert.match(batch.at(0).error.wwwAuthenticate, /scope="admin"/)
  const unpublished = Verifier.fromPolicy(policy, { clock }).gate('tools')
  const outage = await unpublished.verifyBatch(tokens)
  assert.deepEqual([outage.accepted, outage.undecided, outage.refused], [0, 75, 15])
})

test('a batch says what it was judged under', async () => {
  const { gate, verifier, corp, tokens } = mixed()
  for (const batch of [await gate.verifyBatch(tokens), gate.verifyBatchSync([])]) {
    assert.deepEqual(batch.snapshot, { policy: verifier.policy.digest, keys: { corp: 1 }, revocations: 0 })
    assert.ok(Object.isFrozen(batch.snapshot.keys))
  }
  corp.rotate()
  assert.deepEqual(gate.verifyBatchSync(['x']).snapshot.keys, { corp: 2 })
})

test('a buffer that changes under a running batch changes no verdict', async () => {
  const { gate, tokens } = mixed()
  const expected = tokens.map((jwt) => gate.judge(jwt).code)
  const buffers = tokens.map((jwt) => Buffer.from(jwt))
  const lines = Buffer.from(tokens.join('\n'))
  const running = [gate.verifyBatch(buffers), gate.verifyBatch(lines)]
  for (const buffer of [...buffers, lines]) buffer.fill(0)
  buffers.length = 0
  for (const batch of await Promise.all(running)) {
    assert.deepEqual(
      [...batch].map((verdict) => verdict.code),
      expected
    )
  }
})

test('an array that changes under a running batch changes no verdict', async () => {
  const { gate, token } = world()
  const tokens = Array.from({ length: 5000 }, (_, index) => `${index}`)
  tokens.push(token())
  const running = gate.verifyBatch(tokens)
  tokens.fill('x')
  tokens.length = 3
  const batch = await running
  assert.deepEqual([batch.length, batch.accepted, batch.at(-1).ok], [5001, 1, true])
})

test('the event loop turns while a batch runs', async () => {
  const { gate, token } = world({ document: { cache: { tokens: 0 } } })
  const some = Array.from({ length: 200 }, (_, index) => token({ sub: `user-${index}` }))
  // Distinct, and each with its signature checked: they differ in the signature only.
  const tokens = Array.from({ length: 20_000 }, (_, index) => {
    const jwt = some[index % some.length]
    const place = jwt.length - 40
    return jwt.slice(0, place) + Buffer.from(`${index}`.padStart(9, '0')).toString('base64url') + jwt.slice(place + 12)
  })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const began = performance.now()
  delay.enable()
  const batch = await gate.verifyBatch(tokens)
  delay.disable()
  const millis = performance.now() - began
  assert.equal(batch.counts.bad_signature, 20_000)
  // Were they judged on this thread, it would stand still nearly all of that time. A busy machine
  // makes both longer.
  const longest = delay.max / 1e6
  assert.ok(delay.count > 50, `${delay.count} turns`)
  assert.ok(longest < millis / 3, `${longest} of ${millis} ms without a turn`)
})

test('many batches at once', async () => {
  const { gate, tokens } = mixed()
  const batches = await Promise.all(Array.from({ length: 50 }, () => gate.verifyBatch(tokens)))
  for (const batch of batches) assert.deepEqual([batch.accepted, batch.refused], [30, 60])
})

// What only a process shows: workers that are stopped, exits in the middle, memory over time.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { world } from './world.mjs'

const child = fileURLToPath(new URL('runtime-child.mjs', import.meta.url))

/** Runs one scene in a process of its own; how it ended. */
function run(scene, flags = [], env = {}) {
  const options = { timeout: 120_000, env: { ...process.env, ...env } }
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...flags, child, scene], options)
  return { status, signal, stdout: stdout.toString(), stderr: stderr.toString() }
}

test('four workers, stopped in the middle of a batch', async () => {
  const workers = Array.from({ length: 4 }, () => new Worker(child, { argv: ['batch'] }))
  await Promise.all(
    workers.map(async (worker) => {
      const [message] = await once(worker, 'message')
      assert.equal(message, 'running')
      const began = performance.now()
      await worker.terminate()
      // The batch would go on for seconds; nobody waits for it.
      assert.ok(performance.now() - began < 2000)
    })
  )
  // Their batches were given up, so the threads are there for ours.
  const began = performance.now()
  const { gate, token } = world()
  const batch = await gate.verifyBatch([token(), token()])
  assert.equal(batch.accepted, 2)
  // Else it would take minutes.
  assert.ok(performance.now() - began < 10_000)
})

test('a worker judges as the main thread does, and ends by itself', async () => {
  const worker = new Worker(child, { argv: ['judge'] })
  const [codes] = await once(worker, 'message')
  assert.deepEqual(codes, ['accepted', 'aud_mismatch'])
  const [code] = await once(worker, 'exit')
  assert.equal(code, 0)
})

for (const scene of ['exit', 'exit-in-worker', 'throw']) {
  test(`${scene} in the middle of a batch ends the process in order`, () => {
    const { status, signal, stdout, stderr } = run(scene)
    assert.equal(signal, null, stderr)
    assert.equal(status, { exit: 7, 'exit-in-worker': 0, throw: 1 }[scene], stderr)
    assert.match(stdout, /running/)
  })
}

test('an open verifier does not keep a process', () => {
  const { status, stderr } = run('idle')
  assert.equal(status, 0, stderr)
})

test('memory stays flat over calls of every kind', () => {
  const { status, stdout, stderr } = run('memory', ['--expose-gc'])
  assert.equal(status, 0, stderr)
  const { first, last } = JSON.parse(stdout)
  // 24,000 verdicts and 300 generations of keys: what leaked 400 bytes each would show.
  assert.ok(last - first < 8 * 2 ** 20, `${first} to ${last} bytes`)
})

test('refusals leave nothing behind, even where the event loop never turns', () => {
  const { status, stdout, stderr } = run('refusals', ['--expose-gc'])
  assert.equal(status, 0, stderr)
  const { first, last } = JSON.parse(stdout)
  // 200,000 of them; what left 130 bytes each would show, and a handle is 400.
  assert.ok(last - first < 24 * 2 ** 20, `${first} to ${last} bytes`)
})

test('a panic in the native half is an InternalError, and the verifier goes on', () => {
  // No thread gets a stack of a petabyte, and rayon panics without threads.
  const { status, signal, stdout, stderr } = run('panic', [], { RUST_MIN_STACK: `${2 ** 50}` })
  assert.equal(signal, null, stderr)
  assert.equal(status, 0, stderr)
  assert.match(stderr, /panicked at/)
  assert.equal(stdout, 'InternalError internal 500, InternalError internal 500, accepted\n')
})

test('no native function lets a panic through', () => {
  const folder = new URL('../src/', import.meta.url)
  const sources = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))
  const attributes = sources.flatMap((source) => source.match(/#\[napi\b.*/g) ?? [])
  assert.ok(attributes.length > 40)
  // Functions made of closures catch panics by themselves.
  assert.deepEqual([...new Set(attributes)], ['#[napi(catch_unwind)]'])
})

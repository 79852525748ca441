// What only a process shows: workers that are stopped, exits in the middle, memory over time.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { held } from './served.mjs'
import { world } from './world.mjs'

const child = fileURLToPath(new URL('runtime-child.mjs', import.meta.url))

/** Runs one scene in a process of its own; how it ended. */
function run(scene, { flags = [], env = {}, argv = [] } = {}) {
  const options = { timeout: 120_000, env: { ...process.env, ...env } }
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...flags, child, scene, ...argv], options)
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

test('whoever waits for keys keeps the process, and only until then', async (t) => {
  const { uri } = await held(t)
  const { status, stdout, stderr } = run('waiting', { argv: [uri] })
  assert.deepEqual([status, stdout], [0, 'waiting\nkeys_refreshing\n'], stderr)
})

test('whoever listens does not keep it', async (t) => {
  const { uri } = await held(t)
  const { status, stderr } = run('listening', { argv: [uri] })
  assert.equal(status, 0, stderr)
})

test('exit in the middle of waiting ends the process in order', async (t) => {
  const { uri } = await held(t)
  const { status, signal, stderr } = run('exit-waiting', { argv: [uri] })
  assert.deepEqual([status, signal], [7, null], stderr)
})

test('workers that listen and wait, stopped; then their fetches fail', async (t) => {
  const { uri, answer } = await held(t)
  const workers = Array.from({ length: 4 }, () => new Worker(child, { argv: ['wait-for-ever', uri] }))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  await Promise.all(workers.map((worker) => worker.terminate()))
  // What is told now, is told to nobody.
  for (const _ of workers) answer(503)
  const listener = new Worker(child, { argv: ['listening', uri] })
  assert.equal((await once(listener, 'exit'))[0], 0)
})

test('a listener that throws is an uncaught exception, and those who wait are served', () => {
  const { status, stdout, stderr } = run('throwing')
  assert.equal(status, 0, stderr)
  assert.deepEqual(stdout.trim().split('\n').sort(), ['at keys_refreshed', 'u1'])
})

test('a listener that throws, and nobody catches it, ends the process as any emitter’s does', () => {
  const { status, signal, stderr } = run('throwing-uncaught')
  assert.deepEqual([status, signal], [1, null])
  assert.match(stderr, /Error: at keys_refreshed\n {4}at /)
})

test('a verifier that was listened to is freed', () => {
  const { status, stdout, stderr } = run('forgotten', { flags: ['--expose-gc'] })
  assert.deepEqual([status, stdout], [0, '20\n'], stderr)
})

test('memory stays flat over calls of every kind', () => {
  const { status, stdout, stderr } = run('memory', { flags: ['--expose-gc'] })
  assert.equal(status, 0, stderr)
  const { first, last } = JSON.parse(stdout)
  // 24,000 verdicts and 300 generations of keys: what leaked 400 bytes each would show.
  assert.ok(last - first < 8 * 2 ** 20, `${first} to ${last} bytes`)
})

test('kept objects are bounded by bytes, however large the tokens are', () => {
  const { status, stdout, stderr } = run('large', { flags: ['--expose-gc'] })
  assert.equal(status, 0, stderr)
  const { first, last } = JSON.parse(stdout)
  // A cache of 8 MiB, and as much for objects: both are full by then. 2,000 objects would be 80 MiB.
  assert.ok(last - first < 44 * 2 ** 20, `${(last - first) / 2 ** 20} MiB`)
})

test('refusals leave nothing behind, even where the event loop never turns', () => {
  const { status, stdout, stderr } = run('refusals', { flags: ['--expose-gc'] })
  assert.equal(status, 0, stderr)
  const { first, last } = JSON.parse(stdout)
  // 40,000 of them; what left 200 bytes each would show, and a handle was 400.
  assert.ok(last - first < 8 * 2 ** 20, `${first} to ${last} bytes`)
})

test('a panic in the native half is an InternalError, and the verifier goes on', () => {
  // No thread gets a stack of a petabyte, and rayon panics without threads.
  const { status, signal, stdout, stderr } = run('panic', { env: { RUST_MIN_STACK: `${2 ** 50}` } })
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

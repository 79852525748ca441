// Used proofs in a file store: of the processes of one host, one takes a proof.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { PolicyError, Verifier } from 'sealgate'
import { world } from './world.mjs'

const child = fileURLToPath(new URL('cluster-child.mjs', import.meta.url))

/** A folder that is gone when the test is over. */
function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'sealgate-cluster-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('of four workers of a cluster one takes a proof', (t) => {
  const store = join(folder(t), 'store')
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, store], { timeout: 120_000 })
  assert.equal(status, 0, stderr.toString())
  const { codes, later, firsts, seconds, replayReach } = JSON.parse(stdout)
  assert.equal(codes.length, 4)
  for (const index of later.keys()) {
    const answers = codes.map((own) => own[index]).sort()
    assert.deepEqual(answers, ['accepted', 'replayed', 'replayed', 'replayed'])
  }
  assert.deepEqual(new Set(later), new Set(['replayed']))
  assert.deepEqual(firsts, Array(4).fill(['accepted']))
  assert.deepEqual(seconds, Array(4).fill(Array(4).fill('replayed')))
  assert.equal(replayReach, 'host')
})

test('a store that cannot be opened refuses the policy', (t) => {
  const path = folder(t)
  writeFileSync(join(path, 'proofs'), 'something else')
  const document = { dpop: {}, replay: { store: 'local' }, stores: { local: { kind: 'file', path } } }
  const { policy } = world({ document, gate: { public_url: 'https://api.example.com' } })
  const refused = () => Verifier.fromPolicy(policy)
  assert.throws(refused, (error) => {
    assert.ok(error instanceof PolicyError)
    assert.match(error.message, /replay\.store.*is no table of used proofs/)
    return true
  })
})

// All vectors through the package and through the core's own harness: the answers are equal.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { answer } from './conformance.mjs'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const folder = `${root}tests/vectors/`

const core = process.env.SEALGATE_CONFORMANCE
const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.jsonl'))

/** The lines of sessions in which nothing is revoked: the Node API has no call for that yet. */
function answerable(lines) {
  const requests = lines.map((line) => JSON.parse(line))
  const revoking = new Set(requests.filter(({ op }) => op === 'revoke').map(({ session }) => session))
  return lines.filter((_, index) => !revoking.has(requests[index].session))
}

/** Every member that is expected is there; others may be too. */
function assertWithin(given, expected, place) {
  if (typeof expected !== 'object' || expected === null) return assert.equal(given, expected, place)
  if (Array.isArray(expected)) assert.equal(given.length, expected.length, place)
  for (const [name, value] of Object.entries(expected)) assertWithin(given?.[name], value, `${place}: ${name}`)
}

test('there are vectors', () => assert.ok(files.length >= 5))

for (const file of files) {
  const lines = answerable(readFileSync(folder + file, 'utf8').trim().split('\n'))

  test(`${file}: ${lines.length} vectors are answered as they expect`, () => {
    for (const line of lines) {
      const { expect, id } = JSON.parse(line)
      assertWithin(answer(line), expect, id)
    }
  })

  test(`${file}: the core answers the same, line by line`, { skip: core ? false : 'SEALGATE_CONFORMANCE is not set' }, () => {
    const output = execFileSync(core, { input: lines.join('\n'), maxBuffer: 1 << 28 })
    const theirs = output.toString().split('\n').slice(0, -1)
    assert.equal(theirs.length, lines.length)
    for (const [index, line] of lines.entries()) {
      assert.deepEqual(answer(line), JSON.parse(theirs[index]))
    }
  })
}

test('what is no request is answered all the same', () => {
  for (const line of ['', '{', 'null', '[]', '7', '{}', '{"op":7}', '{"op":"verify"}', '{"op":"verify","policy":[]}', '{"op":"verify","session":"nobody","now":1}']) {
    assert.equal(answer(line).code, 'harness', line)
  }
  for (const op of ['toString', 'revoke']) assert.equal(answer(JSON.stringify({ op })).code, 'unsupported_op')
})

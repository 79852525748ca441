// Builds the native half with cargo and puts it where this checkout finds it:
// sealgate.<platform>.node beside package.json. Arguments go to cargo: `--release`.
import { execFileSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { triple } from './triple.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const options = process.argv.slice(2)
const message = execFileSync(
  'cargo',
  ['build', '--locked', '-p', 'sealgate-node', '--message-format', 'json', ...options],
  { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 }
)
const built = message
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .find(({ reason, target }) => reason === 'compiler-artifact' && target.name === 'sealgate_node')
const to = join(root, `sealgate.${triple()}.node`)
// Removed first: a library that a running process has mapped must not be written over.
rmSync(to, { force: true })
copyFileSync(built.filenames[0], to)

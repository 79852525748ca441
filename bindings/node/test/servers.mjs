// Stores for tests: folders of their own, and servers on this machine.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Where `tests/run` puts what it gets. */
const TOOLS = fileURLToPath(new URL('../../../target/tools/bin', import.meta.url))

/** A folder that is gone when the test is over. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'sealgate-shared-'))
  t.after(() => rmSync(path, { recursive: true, maxRetries: 5 }))
  return path
}

/** What a policy says of a store at this address, which could have a password in it. */
export function storeAt(t, url) {
  const file = join(folder(t), 'url')
  writeFileSync(file, url, { mode: 0o600 })
  return { kind: url.split(':', 1)[0], url: { file } }
}

/** A server of this kind, started for this test; nothing where there is none to start. */
export async function serve(t, kind) {
  const path = [process.env.PATH, TOOLS].join(delimiter).split(delimiter)
  const program = path.map((place) => join(place, `${kind}-server`)).find(existsSync)
  if (program === undefined) return assert.equal(process.env.CI, undefined, `${kind}-server is not installed`)
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address()
  await once(free.close(), 'close')
  const args = {
    redis: ['--bind', '127.0.0.1', '--port', port, '--save', '', '--dir', folder(t)],
    nats: ['--addr', '127.0.0.1', '--port', port, '--jetstream', '--store_dir', folder(t)],
  }
  let server
  const kill = async () => {
    const ended = once(server, 'exit')
    if (server.kill('SIGKILL')) await ended
  }
  const start = async () => {
    server = spawn(program, args[kind])
    for await (const line of createInterface(kind === 'redis' ? server.stdout : server.stderr)) {
      if (/Ready to accept connections|Server is ready/.test(line)) return
    }
    assert.fail(`${kind}-server does not start`)
  }
  await start()
  t.after(kill)
  return { url: `${kind}://127.0.0.1:${port}`, kill, start }
}

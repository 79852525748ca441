// Packs the package, installs it into a fresh folder as a user would, and uses it from there and from
// a folder elsewhere: by `import`, by `require` and from TypeScript.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNpm } from './npm.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const fresh = mkdtempSync(join(tmpdir(), 'sealgate-packed-'))
const run = (command, args, cwd) => execFileSync(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] }).toString()

const PROGRAM = `
const clock = new FixedClock(1_800_000_000)
const corp = new FakeIssuer('https://login.example.com', { clock, seed: 1000 })
const policy = {
  version: 1,
  issuers: { corp: { issuer: corp.issuer, algorithms: ['ES256'], jwks: corp.jwks() } },
  gates: { tools: { profile: 'access_token', audience: 'a', issuers: ['corp'] } },
}
const { verify, judge, verifyBatch } = Verifier.fromPolicy(policy, { clock }).gate('tools')
const jwt = corp.token({ sub: 'u1', aud: 'a' })
verifyBatch([jwt]).then((batch) => console.log(verify(jwt).subject, judge('x').code, batch.accepted))
`

try {
  const tarballs = join(fresh, 'tarballs')
  run(process.execPath, [join(root, 'scripts/pack.mjs'), tarballs], root)
  const files = readdirSync(tarballs)
  assert.equal(files.length, 2)
  for (const file of files) {
    // By its name alone: GNU tar takes what is before a colon, as in `C:`, for a machine.
    const list = run('tar', ['-tzf', file], tarballs).trim().split(/\r?\n/)
    assert.ok(list.includes('package/LICENSE-MIT'), file)
    assert.ok(!list.some((path) => /node_modules|\.rs$|test/.test(path.replace('lib/testing', ''))), `${list}`)
  }

  const app = join(fresh, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "version": "1.0.0", "private": true }')
  // Offline: the packages of other platforms are optional, and nobody has published them.
  const flags = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund']
  runNpm(['install', ...flags, ...files.map((file) => join(tarballs, file))], { cwd: app, stdio: ['ignore', 'pipe', 'inherit'] })
  const installed = JSON.parse(readFileSync(join(app, 'node_modules/sealgate/package.json'), 'utf8'))
  assert.equal(installed.scripts, undefined)
  assert.equal(Object.keys(installed.optionalDependencies).length, readdirSync(join(root, 'npm')).length)
  assert.equal(installed.dependencies, undefined)

  writeFileSync(
    join(app, 'esm.mjs'),
    `import { Verifier } from 'sealgate'\nimport { FakeIssuer, FixedClock } from 'sealgate/testing'\nimport 'sealgate/compat/jose'\n${PROGRAM}`
  )
  writeFileSync(
    join(app, 'cjs.cjs'),
    `const { Verifier } = require('sealgate')\nconst { FakeIssuer, FixedClock } = require('sealgate/testing')\nrequire('sealgate/compat/jose')\n${PROGRAM}`
  )
  const elsewhere = join(fresh, 'elsewhere')
  mkdirSync(elsewhere)
  for (const program of ['esm.mjs', 'cjs.cjs']) {
    assert.equal(run(process.execPath, ['--throw-deprecation', join(app, program)], elsewhere), 'u1 malformed_token 1\n')
  }

  cpSync(join(root, 'test/types'), join(app, 'types'), { recursive: true })
  for (const name of ['zod', '@types', 'undici-types']) {
    cpSync(join(root, 'node_modules', name), join(app, 'node_modules', name), { recursive: true })
  }
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(app, 'types')], elsewhere)
  console.log(`packed, installed and used: ${files.join(', ')}`)
} finally {
  rmSync(fresh, { recursive: true })
}

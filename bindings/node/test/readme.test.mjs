// The README: its examples run, and its table of differences is the tested one.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FakeIssuer, FixedClock } from 'sealgate/testing'
import { STRICTER, STRICTER_REMOTE } from './stricter.mjs'
import { AUDIENCE, ISSUER } from './world.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

test('the table of differences from jose is the one that is tested', () => {
  const rows = Object.entries({ ...STRICTER, ...STRICTER_REMOTE }).map(([name, { jose, ours }]) => `| ${name} | ${jose} | \`${ours}\` |`)
  const table = readme.split('<!-- stricter -->')[1].split('\n\n')[0].trim().split('\n')
  assert.deepEqual(table.slice(-rows.length), rows)
})

const clock = new FixedClock(Math.trunc(Date.now() / 1000))
const corp = new FakeIssuer(ISSUER, { clock, seed: 1000 })
const partner = new FakeIssuer('https://idp.partner.example/', { clock })
const jwt = corp.token({ sub: 'u1', aud: AUDIENCE, scope: 'mcp:use', act: [{ sub: 'agent-a' }], claims: { tenant: 't1' } })

// Exchanged by this service, which goes by its audience, for the next one.
const outbound = corp.token({ sub: 'u1', aud: 'https://next.example', scope: 'mcp:use', act: [{ sub: AUDIENCE }, { sub: 'agent-a' }] })

// What an example takes for granted; what it declares itself is left out.
const GIVEN = {
  jwt: JSON.stringify(jwt),
  jwks: JSON.stringify(partner.jwks()),
  verifier: "Verifier.fromPolicy('policy.toml')",
  exchanged: `async () => ${JSON.stringify(outbound)}`,
  verify: "verifier.gate('tools').verify",
  app: `{
    async post(_, answer) {
      await answer({ method: 'POST', originalUrl: '/', rawHeaders: ['Authorization', 'Bearer ' + jwt] }, { json: console.log })
    },
  }`,
  createServer: `(answer) => {
    const response = { writeHead: (status) => (console.log(status), response), end: console.log }
    for (const rawHeaders of [['Authorization', 'Bearer ' + jwt], []]) answer({ method: 'GET', url: '/', rawHeaders }, response)
  }`,
}
const AFTER = {
  'function answer': `
    const said = []
    const response = { writeHead: (...head) => (said.push(...head), response), end: (body) => said.push(body) }
    answer(verifier.judge('x').error, response)
    console.log(said[0], said[2])`,
}
/** Discovery finds an issuer on this machine in place of the one at login.example.com. */
function onLoopback(code) {
  if (!code.includes("discovery: '")) return code
  const issuer = "issuer: 'https://login.example.com'"
  assert.ok(code.includes(issuer))
  const served = 'issuer: served.issuer, danger: { httpLoopbackIssuers: true }, allowDanger: true'
  return `
    import { FakeIssuer } from 'sealgate/testing'
    const served = await FakeIssuer.serve()
    const jwt = served.token({ sub: 'u1', aud: ${JSON.stringify(AUDIENCE)} })
    ${code.replace(issuer, served)}
    console.log(token.subject)
    await served.close()`
}

const POLICY = `
version = 1
[issuers.corp]
issuer = "${ISSUER}"
jwks_file = "corp.jwks.json"
algorithms = ["ES256"]
[issuers.partner]
issuer = "${partner.issuer}"
jwks_push = "process"
algorithms = ["ES256"]
[gates.tools]
profile = "access_token"
audience = "${AUDIENCE}"
issuers = ["corp", "partner"]
delegation = "surface"
context.access_token = "allowed"
`
const PRINTED = {
  0: "u1 agent-a [ 'mcp:use' ]\n",
  3: '200\nnull\n401\n\n',
  4: "{ by: 'agent-a' }\n",
  7: 'tools\n',
  8: 'revoked\naccepted\n',
  9: 'keys_refreshed default\nu1\n',
  6: '401 {"error":"invalid_token","error_description":"this is not a compact JWT"}\n',
}

const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => onLoopback(code))

for (const [index, code] of examples.entries()) {
  test(`example ${index + 1} runs as it stands`, () => {
    const folder = mkdtempSync(join(root, 'test', '.readme-')) // inside the package, so that its name resolves
    try {
      writeFileSync(join(folder, 'corp.jwks.json'), JSON.stringify(corp.jwks()))
      writeFileSync(join(folder, 'policy.toml'), POLICY)
      const imports = ["import assert from 'node:assert/strict'", "import * as z from 'zod'"]
      const own = code.match(/^import .*$/gm) ?? []
      for (const name of ['Verifier', 'SealgateError']) {
        if (!own.some((line) => line.includes(name))) imports.push(`import { ${name} } from 'sealgate'`)
      }
      const given = Object.entries(GIVEN)
        .filter(([name]) => !new RegExp(`const (?:\\{.*\\b)?${name}\\b.*=`).test(code))
        .map(([name, value]) => `const ${name} = ${value}`)
      // Given names come after the example's own where they need them.
      const opens = /const verifier =/.test(code)
      const body = opens ? [given.filter((line) => !line.includes('verifier.')), code] : [given, code]
      const after = Object.entries(AFTER).flatMap(([sign, more]) => (code.includes(sign) ? [more] : []))
      writeFileSync(join(folder, 'example.mjs'), [...imports, ...body.flat(), ...after].join('\n'))
      const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], { cwd: folder })
      assert.equal(status, 0, stderr.toString())
      if (index in PRINTED) assert.equal(stdout.toString(), PRINTED[index])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

test('no example is left out', () => assert.equal(examples.length, 14))

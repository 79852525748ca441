import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'node:test'
import { Policy, PolicyError, UsageError, Verifier } from 'sealgate'
import { FakeIssuer, FixedClock, open } from 'sealgate/testing'
import { listen } from './served.mjs'
import { AUDIENCE, ISSUER, NOW, thrown, world } from './world.mjs'

const clock = new FixedClock(NOW)
const corp = new FakeIssuer(ISSUER, { clock, seed: 1000 })
const DOCUMENT = {
  version: 1,
  issuers: { corp: { issuer: ISSUER, algorithms: ['ES256'], jwks_file: 'corp.json' } },
  gates: { tools: { profile: 'access_token', audience: AUDIENCE, issuers: ['corp'] } },
}
const TOML = `
version = 1
[issuers.corp]
issuer = "${ISSUER}"
algorithms = ["ES256"]
jwks_file = "corp.json"
[gates.tools]
profile = "access_token"
audience = "${AUDIENCE}"
issuers = ["corp"]
`
const folder = mkdtempSync(join(tmpdir(), 'sealgate-policy-'))
writeFileSync(join(folder, 'corp.json'), JSON.stringify(corp.jwks()))
writeFileSync(join(folder, 'policy.toml'), TOML)
writeFileSync(join(folder, 'policy.json'), JSON.stringify(DOCUMENT))

test('the same policy from TOML, JSON, path and URL', () => {
  const toml = Policy.load(join(folder, 'policy.toml'))
  const json = Policy.load(pathToFileURL(join(folder, 'policy.json')))
  assert.equal(toml.digest, json.digest)
  assert.deepEqual(toml.toDict(), DOCUMENT)
  assert.deepEqual(JSON.parse(JSON.stringify(toml)), DOCUMENT)
  assert.equal(toml.effective().gates.tools.delegation, 'forbid')
  toml.toDict().version = 2
  assert.equal(toml.toDict().version, 1)
  assert.ok(Array.isArray(toml.warnings))
  for (const source of [toml, join(folder, 'policy.toml'), pathToFileURL(join(folder, 'policy.json'))]) {
    const verifier = Verifier.fromPolicy(source, { clock })
    assert.equal(verifier.verify(corp.token({ sub: 'u', aud: AUDIENCE })).subject, 'u')
    assert.equal(verifier.policy.digest, toml.digest)
  }
})

test('a policy that does not load names every problem with its place', () => {
  const broken = TOML.replace('audience', 'audiance').replace('version = 1', 'version = 1\nleeway = 30')
  const error = thrown(() => Policy.parse(broken))
  assert.ok(error instanceof PolicyError)
  assert.deepEqual([error.code, error.blame, error.httpStatus, error.document], ['policy_invalid', 'misuse', 500, null])
  const paths = error.problems.map(({ path }) => path)
  for (const path of ['leeway', 'gates.tools.audiance']) assert.ok(paths.includes(path), path)
  const leeway = error.problems.find(({ path }) => path === 'leeway')
  assert.deepEqual([leeway.line, leeway.column > 0], [3, true])
  assert.match(leeway.text, /30s/)
  assert.ok(error.problems.length >= 3)
})

test('what only the engine finds in a policy is found when it loads', () => {
  const published = {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  } // RFC 7515 A.3
  const document = structuredClone(DOCUMENT)
  document.issuers.corp = { issuer: ISSUER, algorithms: ['ES256'], jwks: { keys: [published] } }
  const error = thrown(() => new Policy(document))
  assert.ok(error instanceof PolicyError)
  assert.match(error.problems[0].text, /everyone has this private key/)
})

test('create takes the members of one issuer and one gate, in camelCase at every depth', () => {
  const verifier = Verifier.create({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwksFile: join(folder, 'corp.json'),
    algorithms: ['ES256'],
    claimNames: { clientId: 'azp' },
    scopeImplies: { keepMyCase: ['as_it_is'] },
    metadata: { resource_name: 'x' },
    maxLifetime: '10m',
    requiredScopes: undefined,
    clock,
  })
  const { issuers, gates } = verifier.policy.effective()
  assert.deepEqual(issuers.default.claim_names, { client_id: 'azp' })
  assert.equal(issuers.default.max_lifetime, '10m')
  assert.deepEqual(gates.default.scope_implies, { keepMyCase: ['as_it_is'] })
  assert.deepEqual(verifier.gates, ['default'])
  const token = verifier.verify(corp.token({ sub: 'u', aud: AUDIENCE, scope: 'keepMyCase', claims: { azp: 'a' } }))
  assert.equal(token.clientId, 'a')
  assert.ok(token.hasScope('as_it_is'))
})

test('what create is given wrongly is named as it was given', () => {
  const options = { issuer: ISSUER, audience: AUDIENCE, jwksFile: '/nowhere.json', clockTolerance: 30 }
  const error = thrown(() => Verifier.create(options))
  assert.deepEqual(error.problems.map(({ path }) => path).sort(), ['clockTolerance', 'jwksFile'])
  const snake = thrown(() => Verifier.create({ issuer: ISSUER, audience: AUDIENCE, jwks_file: 'x' }))
  assert.ok(snake instanceof UsageError)
  assert.match(snake.message, /write "jwksFile" for "jwks_file"/)
})

test('a string is always a path', () => {
  assert.ok(thrown(() => Verifier.fromPolicy(TOML)) instanceof PolicyError)
  assert.ok(thrown(() => Policy.load('/nowhere.toml')) instanceof PolicyError)
  assert.equal(thrown(() => Policy.load('/nowhere.toml')).document, '/nowhere.toml')
})

test('rubbish arguments are the caller’s mistake', () => {
  const cyclic = {}
  cyclic.self = cyclic
  for (const call of [
    () => new Policy(),
    () => new Policy('version = 1'),
    () => new Policy([]),
    () => new Policy(cyclic),
    () => Policy.load(),
    () => Policy.load(new URL('https://example.com/policy.toml')),
    () => Policy.parse(TOML, { format: 'yaml' }),
    () => Policy.parse(TOML, 'toml'),
    () => Policy.parse(),
    () => Verifier.create(),
    () => Verifier.create([]),
    () => Verifier.fromPolicy(null),
    () => Verifier.fromPolicy(7),
    () => Verifier.fromPolicy(DOCUMENT, { clock: {} }),
    () => Verifier.fromPolicy(DOCUMENT, { clock: Date.now }),
    () => Verifier.fromPolicy(DOCUMENT, { now: 1 }),
    () => new FixedClock(),
    () => new FixedClock('2027'),
    () => new FixedClock(1.5),
    () => clock.advance(30),
    () => clock.advance('30'),
    () => clock.advance('1e3s'),
    () => clock.advance('-5s'),
  ]) {
    assert.ok(thrown(call) instanceof UsageError, `${call}`)
  }
})

test('a fixed clock moves only when told to', () => {
  const clock = new FixedClock(100)
  clock.advance('1m')
  assert.equal(clock.now(), 160)
  clock.set(7)
  assert.equal(clock.now(), 7)
})

test('a verifier of `open` asks nobody for keys, whatever its policy is and whether there are fakes', async (t) => {
  let requests = 0
  const uri = await listen(t, (_, response) => {
    requests++
    response.end(JSON.stringify(corp.jwks()))
  })
  const fetched = structuredClone(DOCUMENT)
  fetched.danger = { http_loopback_issuers: true }
  fetched.issuers.corp = { issuer: ISSUER, jwks_uri: uri }
  const jwt = corp.token({ sub: 'u', aud: AUDIENCE })
  const loaded = new Policy(fetched, { allowDanger: true })
  for (const source of [fetched, loaded, join(folder, 'policy.toml'), Policy.load(join(folder, 'policy.toml'))]) {
    const verifier = open(source, { clock, allowDanger: true })
    const sources = () => [verifier.judge(jwt).code, verifier.keys.state('corp').source]
    assert.deepEqual(sources(), ['keys_unavailable', 'push'])
    verifier.reload(source)
    assert.deepEqual(sources(), ['keys_unavailable', 'push'])
    assert.equal(open(source, { issuers: { corp }, clock, allowDanger: true }).verify(jwt).subject, 'u')
  }
  // Were there a fetch, this is when it would be.
  const asking = Verifier.fromPolicy(loaded, { clock })
  await asking.waitReady({ timeout: '30s' })
  asking.close()
  assert.equal(requests, 1)
})

test('a reload loads as the first policy was loaded', () => {
  const { policy } = world()
  const dangerous = { ...policy, danger: { http_loopback_issuers: true } }
  const permitted = Verifier.fromPolicy(dangerous, { allowDanger: true })
  const more = { ...dangerous, gates: { ...dangerous.gates, more: dangerous.gates.tools } }
  permitted.reload(more)
  assert.deepEqual(permitted.gates, ['tools', 'more'])
  Verifier.fromPolicy(new Policy(dangerous, { allowDanger: true })).reload(more)
  const strict = Verifier.fromPolicy(policy)
  assert.match(thrown(() => strict.reload(dangerous)).message, /less safety/)
  strict.reload(new Policy(dangerous, { allowDanger: true }))
  assert.match(thrown(() => strict.reload(more)).message, /less safety/)
})

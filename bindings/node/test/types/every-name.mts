// Uses every name of the package as an ECMAScript module; checked, not run.
import * as sealgate from 'sealgate'
import { Actor, Batch, FixedClock, Jws, Policy, Trail, Unverified, Verdict, VerifiedToken, Verifier } from 'sealgate'
import { type BesideRequest, type KeyEvent, type Kind, type Profile, type StoreEvent, type Trace, inspect, verifyJws } from 'sealgate'
import { FakeAgent, FakeIssuer, type ServedIssuer, open, policy as testPolicy, refusals, unreachable } from 'sealgate/testing'
import * as jose from 'sealgate/compat/jose'
import * as z from 'zod'

declare const jwt: string
declare const bytes: Buffer

const clock = new FixedClock(1_800_000_000)
clock.advance('30s')
clock.set(clock.now())

const verifier = Verifier.create({
  issuer: 'https://login.example.com',
  audience: ['https://api.example.com/mcp'],
  keys: [{ pemFile: 'corp.pem', alg: 'RS256', kid: 'corp-1' }],
  claimNames: { clientId: 'azp' },
  scopeImplies: { 'files.write': ['files.read'] },
  delegation: 'surface',
  clock,
})
// @ts-expect-error a misspelt option
Verifier.create({ issuer: 'i', audience: 'a', jwksfile: 'x' })
// @ts-expect-error no constructor
new Verifier()
// @ts-expect-error no constructor
new VerifiedToken()

const gate = verifier.gate('default')
const { verify, judge, verifyBatch, verifyBatchSync, explain, resourceMetadata } = gate
const token: VerifiedToken = verify(jwt, { requiredScopes: ['files.read'] })
verifier.verify(bytes)
const subject: string | null = token.subject
const profile: Profile = token.profile
const kind: Kind = 'set'
// @ts-expect-error no kind, but a way to write one
const untyped: Kind = 'access_token_untyped'
// @ts-expect-error a misspelt kind
Verifier.create({ issuer: 'i', audience: 'a', profile: 'some_token' })
const actor: Actor | null = token.actor
const links: readonly string[] = token.chain.map((link) => link.sub)
const same: boolean = token.actor?.equals(token.chain[0]) ?? false
const has: boolean = token.hasScope('a', 'b')
token.require({ requiredScopes: ['a'] }).toDict()
const chained: VerifiedToken = gate.verifyChain(jwt, [{ kind: 'access_token', token: bytes }], {
  requiredScopes: ['a'],
  operation: { tool: 't', arguments: { path: '/a' } },
  approved: { issuer: 'i', authoritySet: [] },
})
const open_: readonly ('subject' | 'scope' | 'time' | 'audience' | 'details')[] = chained.unproven
const sent: void = gate.checkOutbound(chained, { kind: 'access_token', token: jwt }, { target: 'https://next.example' })
// @ts-expect-error no target
gate.checkOutbound(chained, { kind: 'access_token', token: jwt })
// @ts-expect-error either the one or the other
gate.verifyChain(jwt, [], { approved: { issuer: 'i', authoritySet: [], intent: {} } })
const standIn: string = new sealgate.ExpiredTokenError('mocked', { code: 'expired' }).message
// @ts-expect-error frozen
token.subject = 'root'
// @ts-expect-error frozen at every depth
token.claims.sub = 'root'
// @ts-expect-error no scope is no question
token.hasScope()
// @ts-expect-error not a token
verify(token)
// @ts-expect-error not a token either
verify(inspect(jwt))

const Claims = z.object({ sub: z.string(), tenant: z.string() })
const typed = verify(jwt, { into: Claims })
const tenant: string = typed.claims.tenant
// @ts-expect-error the schema has no such member
typed.claims.other
// @ts-expect-error a cast without a check is not offered
const cast: VerifiedToken<{ tenant: string }> = verify(jwt)

const verdict: Verdict = judge(jwt)
if (verdict.ok) {
  const accepted: VerifiedToken = verdict.token
  const nothing: undefined = verdict.error
} else {
  const nothing: undefined = verdict.token
  const code: string = verdict.error.code
}
// @ts-expect-error not known to be accepted
const unknown: VerifiedToken = verdict.token
const unwrapped: VerifiedToken = verdict.unwrap()
const is: boolean = verdict instanceof sealgate.Verdict

const awaited: VerifiedToken = await gate.verifyAsync(jwt, { wait: '2s', requiredScopes: ['files.read'] })
const awaitedTenant: string = (await verifier.verifyAsync(jwt, { into: Claims, wait: '1s' })).claims.tenant
const judged: Verdict = await gate.judgeAsync(jwt)
const fits: Verdict<{ tenant: string }> = await verifier.judgeAsync(jwt, { into: Claims })
// @ts-expect-error a duration has a unit
gate.verifyAsync(jwt, { wait: 2 })
// @ts-expect-error only the asynchronous calls wait
gate.verify(jwt, { wait: '2s' })

const listener = (event: KeyEvent | StoreEvent) => {
  const name: string = 'store' in event ? event.store : event.issuerName
  if (event.event === 'keys_refreshed') event.keys + event.generation
  else if (event.event === 'key_withdrawn') event.kid ?? event.thumbprint
  else if (event.event === 'keys_refresh_failed' || event.event === 'introspection_failed') event.reason.length
  else if (event.event === 'status_list_failed') event.reason.length
  else if (event.event === 'introspected' || event.event === 'status_list_fetched') event.issuerName.length
  else event.store.length
}
verifier.on('event', listener).once('event', listener).off('event', listener)
// @ts-expect-error there is one name
verifier.on('keys_refreshed', listener)

const batch: Batch = await verifyBatch([jwt, bytes], { requiredScopes: [] })
const alike: Batch = verifyBatchSync(bytes)
for (const each of batch) each.code
for (const [index, error] of batch.errors()) index + error.code
for (const [index, accepted] of batch.tokens()) index + accepted.issuerName
const counts: number | undefined = batch.counts['expired']
const numbers: number = batch.accepted + batch.refused + batch.undecided + batch.length
const last: Verdict | undefined = batch.at(-1)
const generationOf: number | undefined = batch.snapshot.keys['default']
const extra: Readonly<Record<string, string>> = token.responseHeaders
// @ts-expect-error deliberately no array
batch.every(Boolean)

const trail: Trail = explain(jwt, { context: [], operation: { tool: 'x' } })
const trace: Trace = gate.trace(jwt)
if (trace.verdict === 'accepted') trace.actors.toFixed()
else trace.code.trim()
trace.stages[0]?.outcome satisfies string | undefined
trail.steps.map((step) => `${step.stage} ${step.rules} ${step.outcome} ${step.note}`)
const metadata: Record<string, unknown> | null = resourceMetadata()

const policy: Policy = Policy.load(new URL('file:///policy.toml'))
Policy.parse('version = 1', { format: 'toml', allowDanger: false })
new Policy({ version: 1 })
const words: string = policy.digest + policy.warnings.map((warning) => warning.text).join()
policy.effective()
policy.toDict()
policy.toJSON()
Verifier.fromPolicy(policy, { clock, allowDanger: true })
verifier.reload('policy.toml')
const generation: number = verifier.keys.publish('default', { keys: [] }).generation
const thumbprint: string | null = verifier.keys.state('default').keys[0]!.thumbprint
const hits: number = verifier.stats().cache.hits
const revoked: sealgate.RevocationReceipt = verifier.revocations.revoke(sealgate.Handle.issuer({ iss: 'i' }), { cutoff: 'now' })
const everywhere: boolean = revoked.reach === 'fleet' && revoked.delivered
const told: sealgate.EventReceipt = verifier.revocations.apply(token)
const entries: number = told.entries + told.epoch
const duplicate: boolean = told.duplicate
told.changes.map(({ issuerName, handle, cutoff, reason }: sealgate.EventChange) => `${issuerName} ${handle.kind} ${cutoff} ${reason}`)
const flushed: boolean = await verifier.revocations.flush({ timeout: '5s' })
const store: sealgate.StoreState | null = verifier.revocations.store()
const age: number | null = store?.staleness ?? null
Verifier.create({
  issuer: 'i',
  audience: 'a',
  stores: { fleet: { kind: 'redis', url: { env: 'URL' }, namespace: 'prod' }, local: { kind: 'file', path: '/p' } },
  revocation: { store: 'fleet', maxStaleness: '10s', onStale: 'accept_marked' },
  replay: { store: 'local' },
})
// @ts-expect-error a folder, not a server
Verifier.create({ issuer: 'i', audience: 'a', stores: { local: { kind: 'file', url: { env: 'URL' } } } })
verifier.policy.digest
verifier.gates.join()
verifier.close()
{
  using scoped = Verifier.fromPolicy('policy.toml')
}

const jws: Jws = verifyJws(jwt, { keys: [] }, { algorithms: ['ES256'] })
const payload: Uint8Array = jws.payload
const unverified: Unverified = inspect(jwt)

const corp = new FakeIssuer('https://login.example.com', { clock, seed: 1, alg: 'ES256' })
const dated: FakeIssuer = new FakeIssuer('https://login.example.com')
{
  await using served: ServedIssuer = await FakeIssuer.serve({ issuer: 'https://login.example.com', alg: corp.alg })
  Verifier.create({ issuer: served.issuer, audience: 'a', jwksUri: served.jwksUri, refresh: { allowHosts: ['localhost'] } })
  served.metadata()
  await served.close()
}
const agent = new FakeAgent('agent', { clock })
const minted: string = corp.token({ sub: 'u1', act: [agent], bindTo: agent, lifetime: '5m' })
corp.rotate()
corp.withdraw('key-1')
corp.sign({ sub: 'x' }, { typ: 'JWT' })
corp.sign(new Uint8Array(), new Uint8Array())
const bound: string = corp.token({ bindTo: new Uint8Array(), jti: 'j', issuedAt: 0, notBefore: null, clientId: agent.sub, sub: null })
const proof: string = agent.proof('GET', new URL('https://a.example/'), bound, { nonce: 'n', issuedAt: corp.now(), claims: {}, header: { typ: null } })
const loaded: Policy = testPolicy({ version: 1 })
const opened = open('policy.toml', { issuers: { corp }, clock })
const called: Verdict = agent.call(opened.gate('tools'), 'GET', '/', minted)
agent.call(opened.gate('tools'), 'GET', '/', minted, { nonce: 'n', requiredScopes: ['a'], clientCertificate: null, context: [], operation: { tool: 't' } })
for (const [code, call] of refusals(opened.gate('tools'), { method: 'GET', uri: '/' })) code + call.method + call().uri + call.httpStatus
const why: Record<string, string> = unreachable(opened.gate('tools'))

try {
  verify(jwt)
} catch (error) {
  if (!sealgate.SealgateError.is(error)) throw error
  const all: Array<string | number | null> = [
    error.code,
    error.blame,
    error.group,
    error.reason,
    error.hint,
    error.doc,
    error.claim,
    error.gate,
    error.issuerName,
    error.httpStatus,
    error.body,
    error.oauthError,
    error.wwwAuthenticate,
    error.retryAfter,
    error.headers['Cache-Control'] ?? null,
    ...error.expected,
  ]
  if (error instanceof sealgate.PolicyError) error.problems[0]?.path
  if (error instanceof sealgate.TokenError) {
    const fault: 'rejected' = error.blame
  } else if (error instanceof sealgate.UnavailableError) {
    const outage: 'unavailable' = error.blame
  }
}
const tree: Array<{ prototype: sealgate.TokenError }> = [
  sealgate.CredentialError,
  sealgate.MalformedTokenError,
  sealgate.SignatureError,
  sealgate.TokenKindError,
  sealgate.ValidityError,
  sealgate.ExpiredTokenError,
  sealgate.AudienceError,
  sealgate.IssuerError,
  sealgate.ReplayError,
  sealgate.PossessionError,
  sealgate.DelegationError,
  sealgate.ActorError,
  sealgate.RevokedError,
  sealgate.AuthorityError,
  sealgate.StepUpError,
]
const outages: Array<{ prototype: sealgate.UnavailableError }> = [
  sealgate.KeysUnavailableError,
  sealgate.RevocationUnavailableError,
  sealgate.IntrospectionUnavailableError,
  sealgate.ReplayUnavailableError,
]
const faults = [sealgate.UsageError, sealgate.InternalError, sealgate.TokenError, sealgate.UnavailableError]

const remote = jose.createRemoteJWKSet(new URL('https://login.example.com/jwks'), { cooldownDuration: 30_000, cacheMaxAge: 600_000, timeoutDuration: 5000, allowHosts: ['keys.internal'] })
const reloaded: Promise<void> = remote.reload()
const ages: boolean[] = [remote.fresh, remote.coolingDown, remote.reloading]
const fetched: { keys: object[] } | undefined = remote.jwks()
const verified: Promise<jose.JWTVerifyResult> = jose.jwtVerify(jwt, remote, { issuer: 'i', audience: 'a' })
const late: typeof jose.errors.JOSEError = jose.errors.JWKSTimeout
// @ts-expect-error a URL, not a text
jose.createRemoteJWKSet('https://login.example.com/jwks')

import { createServer } from 'node:http'
createServer((request, response) => {
  const whole: VerifiedToken = gate.verifyRequest(request, { requiredScopes: ['a'] })
  const parts: Verdict = verifier.judgeRequest({ method: request.method!, uri: request.url!, headers: request.rawHeaders, clientCertificate: bytes })
  for (const [name, value] of Object.entries(whole.responseHeaders)) response.setHeader(name, value)
  const how: 'dpop' | 'mtls' | 'wpt' | 'client_attestation_pop' | 'capability_pop' | 'external' | null = whole.senderConstrained
  const asked: boolean | null = whole.statusChecked
  const verifiedBy: 'signature' | 'introspection' = whole.verifiedBy
  const introspectedAt: number | null = whole.introspectedAt
  const reach: 'process' | 'host' | 'fleet' | 'external' | null = whole.replayReach
  parts.unwrap()
})
const fetching = new Request('https://api.example.com/mcp', { headers: agent.headers(opened.gate('tools'), 'GET', '/mcp', minted, { nonce: 'n' }) })
const ofFetch: Promise<VerifiedToken<{ tenant: string }>> = gate.verifyRequestAsync(fetching, { into: Claims, wait: '1s' })
const judgedRequest: Promise<Verdict> = gate.judgeRequestAsync({ raw: { method: 'GET', url: '/', rawHeaders: [] } })
gate.explainRequest({ method: 'GET', uri: '/', headers: [['Authorization', 'Bearer x']] }).steps
// @ts-expect-error a kind is a value, and none of ours is camelCase
const wrongKind: sealgate.ContextToken = { kind: 'txnToken', token: 'x' }
const beside: BesideRequest = { operation: { tool: 'read_file' }, context: [{ kind: 'access_token', token: 'x' }], clientCertificate: null }
gate.verifyRequest(fetching, { ...beside, into: Claims, requiredScopes: ['a'] }).claims.tenant
gate.trace(fetching, beside)
// @ts-expect-error the call of a token alone has no request to tell of
gate.verify('x', beside)
// @ts-expect-error a mapping has lost the second of two fields
gate.verifyRequest({ method: 'GET', uri: '/', headers: { authorization: 'Bearer x' } })

/**
 * Verifies the tokens that AI agents present: is it genuine, is it meant for me, who acts for whom.
 *
 * ```js
 * import { Verifier } from 'sealgate'
 * const verifier = Verifier.fromPolicy('policy.toml')
 * const { verify } = verifier.gate('tools')
 * const token = verify(jwt) // throws TokenError (their fault) or UnavailableError (ours: 503)
 * ```
 *
 * @packageDocumentation
 */

import { X509Certificate } from 'node:crypto'

/** A compact token as text, or its bytes as they came from the network, which is faster. */
export type Token = string | Uint8Array

/** Any JSON value, as a verified token holds it: frozen at every depth. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/** A whole number and one unit: `"30s"`, `"5m"`. A bare number has no unit and is refused. */
export type Duration = string

/** The kind of token a gate takes: its `profile`. */
export type Kind =
  | 'access_token'
  | 'id_token'
  | 'logout_token'
  | 'client_assertion'
  | 'jwt_bearer_grant'
  | 'jwt_svid'
  | 'id_jag'
  | 'client_attestation'
  | 'txn_token'
  | 'wit'
  | 'capability'
  | 'actor_proof'
  | 'intent_token'
  | 'set'
  | 'status_list_token'
  | 'introspection_response'
  | 'agent_card'
  | 'jwt_custom'

/** A row of the profile table: what an issuer may sign, and what a verified token is. */
export type Profile = Kind | 'access_token_untyped'

/** Claims as they were signed. Numbers beyond 2^53 lose digits here; `payload` keeps them. */
export type Claims = { readonly [name: string]: Json }

/** A schema of zod, valibot, arktype or another that speaks Standard Schema, version 1. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown, options?: any) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a schema answers. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<{ readonly message: string; readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined }> }

/** What a call needs beyond what its gate demands of every call. */
export interface Requirements {
  /** All of these scopes, by themselves or implied by the gate's `scope_implies`. Default: none. */
  readonly requiredScopes?: readonly string[]
}

/**
 * The same of a call about one token or request, and what the caller knows that it must be of: `pop_mismatch`
 * for another's, `missing_claim` where it names none. What is left out is not asked.
 */
export interface Needs extends Requirements {
  /** The token's `acr` must be one of these (RFC 9470). */
  readonly acrValues?: readonly string[]
  /**
   * The workload that calls, as its own credential has proven it. Under `presenter = "must_be_actor"` it must
   * be the token's outermost actor.
   */
  readonly presenter?: { readonly iss: string; readonly sub: string }
  /** The `nonce` of the sign-in that was begun, of an ID token (IDT-06). */
  readonly nonce?: string
  /**
   * The client that the request has authenticated: `sub` of its own assertion or attestation, `client_id`
   * of any other token (CA-01, ATT-06, IJ-03).
   */
  readonly clientId?: string
  /** The access token that an ID token came with: its `at_hash` is of it (IDT-07). */
  readonly accessToken?: string
  /** The same of an authorization code and `c_hash`. */
  readonly code?: string
}

/** What a call is about to do, as far as it can tell; at least one of these. */
export interface Operation {
  readonly tool?: string
  readonly resource?: string
  readonly action?: string
  /** The scope it needs, like those of `requiredScopes`. */
  readonly scope?: string
  /** What the tool is called with: a capability's constraints on arguments hold for these. */
  readonly arguments?: Readonly<Record<string, unknown>>
}

/**
 * What was approved, of which the caller holds the whole: the token's mission or intent must name the
 * digest of it (`intent_mismatch`). An authority set, the array of `authorization_details` of a mission,
 * bounds the operation as well.
 */
export type Approved = { readonly issuer: string } & (
  | { readonly authoritySet: readonly unknown[]; readonly intent?: undefined }
  | { readonly intent: Readonly<Record<string, unknown>>; readonly authoritySet?: undefined }
)

/** What a call tells of what it is about to do. */
export interface Told {
  readonly operation?: Operation
  readonly approved?: Approved
}

/** As {@link Needs}, and what the claims must look like. */
export interface Into<Output> extends Needs {
  /**
   * Checks the claims, after everything else, and makes `token.claims` of them. A misfit is a
   * `TokenKindError` with `code: 'claim_type'` and the member as `claim`. The schema must answer at
   * once: one that returns a promise is a `UsageError`.
   */
  readonly into: StandardSchema<unknown, Output>
}

/** A token that another one comes from, or that goes out. */
export interface ContextToken {
  /**
   * A value, and so as policies and `token.profile` have it: `'txn_token'`. Where a kind is the name of a
   * member, as under `context` of {@link VerifierOptions}, it is camelCase like every other: `txnToken`.
   */
  readonly kind: Kind
  readonly token: Token
}

/**
 * What a call tells of a request: among its parts, or beside a server's own request in the second argument;
 * not in both.
 */
export interface BesideRequest {
  /**
   * What the client showed to your own TLS: DER, or Node's. Never a field of the request. Beside a request
   * of Node's it takes the place of the one that the socket has.
   */
  readonly clientCertificate?: Uint8Array | X509Certificate | null
  /**
   * Tokens that the request's own comes from: those it was exchanged for, or the grant it was given
   * for. Which kinds are taken, the gate's `context` says.
   */
  readonly context?: readonly ContextToken[]
  /**
   * Must lie within one entry of the token's `authorization_details` if it has any, which names all that
   * it names, within the bounds of the intent it is for, and be by a tool that the agent's rule allows (`operation_denied`).
   */
  readonly operation?: Operation
  readonly approved?: Approved
  /**
   * A capability that came in the content of the request, and the proof of this one call (AAT-08); or a
   * grant alone, whose proof, if it is bound to a key, is in the field `DPoP` (IJ-05).
   */
  readonly content?: { readonly token: Token; readonly proof?: Token }
}

/** The parts of a request that count. */
export interface RequestParts extends BesideRequest {
  readonly method: string
  /** Path and query as they were sent; scheme and host are those of the gate's `public_url`. */
  readonly uri: string
  /**
   * Pairs, since a mapping has lost the second of two fields: names and values in turn, as Node's
   * `rawHeaders`, or `[name, value]` each, as an array or `Headers`.
   */
  readonly headers: readonly string[] | Iterable<readonly [name: string, value: string]> | SingleValued
}

declare const single: unique symbol

/** What {@link singleValued} has taken. */
export interface SingleValued {
  readonly [single]: true
}

/**
 * A plain object of headers, for `headers` of a request. It cannot show that a field came twice, which a
 * proof and an `Authorization` must not: use it only where the server before you refuses such
 * requests. Throws `UsageError` for what is no plain object.
 */
export function singleValued(headers: Readonly<Record<string, string | readonly string[] | undefined>>): SingleValued

/** A request of Node's `http`, `https` or `http2`; Express's is one. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly originalUrl?: string | undefined
  readonly rawHeaders: readonly string[]
  readonly socket?: unknown
}

/** A request of whatever make: Node's, Express's, Fastify's, Fetch's, or its parts. */
export type AnyRequest =
  | RequestParts
  | NodeRequest
  | { readonly raw: NodeRequest }
  | { readonly method: string; readonly url: string; readonly headers: Iterable<[string, string]>; readonly bodyUsed: boolean }

/** How long a call may wait for a key that is being fetched. */
export interface Patience {
  /** Default: `"2s"`. */
  readonly wait?: Duration
}

/**
 * The calls of a gate. All but `verifyBatch` and the `…Async` ones are synchronous. They take no lock and
 * do no I/O, but for what the policy asks for: with introspection, the lock of one issuer's answers for an
 * instant; with used proofs at a server, one question to it, which a synchronous call waits for.
 */
export interface Calls {
  /**
   * Verifies a bearer token. A token that is bound to a key is refused with `pop_required`.
   *
   * @returns the token; for a token seen before and still in the cache, the same object
   * @throws {@link TokenError} the token is refused: 400, 401 or 403
   * @throws {@link UnavailableError} it cannot be decided: 503, never 401
   */
  verify(token: Token, options?: Needs & { readonly into?: undefined }): VerifiedToken
  verify<Output>(token: Token, options: Into<Output>): VerifiedToken<Output>
  /**
   * The same with the three-valued answer as a value. It throws only for wrong arguments, and what the
   * application's own schema throws.
   */
  judge(token: Token, options?: Needs & { readonly into?: undefined }): Verdict
  judge<Output>(token: Token, options: Into<Output>): Verdict<Output>
  /**
   * As `verify`, at the same speed. Only where the answer is `keys_refreshing` or `introspection_pending` it waits for the fetch
   * that is running already, at most `wait`, and asks again. Until then it keeps the process running,
   * as any request on its way does. Bytes are copied before it waits. Where tokens are good once and
   * `replay.store` is a server, that is asked, as by `verifyRequestAsync`; `verify` and the others that
   * answer at once are a `UsageError` there.
   */
  verifyAsync(token: Token, options?: Needs & Patience & { readonly into?: undefined }): Promise<VerifiedToken>
  verifyAsync<Output>(token: Token, options: Into<Output> & Patience): Promise<VerifiedToken<Output>>
  /** As `judge`, waiting as `verifyAsync` does. It rejects only for wrong arguments. */
  judgeAsync(token: Token, options?: Needs & Patience & { readonly into?: undefined }): Promise<Verdict>
  judgeAsync<Output>(token: Token, options: Into<Output> & Patience): Promise<Verdict<Output>>
  /**
   * Verifies a bearer token together with the tokens it comes from: those it was exchanged for, or the
   * grant it was given for; of a capability those it was derived from. Each is judged as its own kind asks,
   * and from each to the next nobody is left out and authority only shrinks. What that proves is the
   * token's `lineage`, and what it leaves to an issuer's word is `unproven`.
   *
   * @param context in any order; which kinds are taken, the gate's `context` says. At most 8 tokens and
   * 256 KiB with the token itself
   * @throws {@link TokenError} as `verify`; also `chain_link_broken`, `subject_changed`, `txn_mismatch`,
   * `may_act_mismatch`, the four of attenuation (`attenuation_scope`), or what is wrong with one of the
   * further tokens
   * @throws {@link UsageError} a kind that the gate does not take
   */
  verifyChain(token: Token, context: readonly ContextToken[], options?: Needs & Told & { readonly into?: undefined }): VerifiedToken
  verifyChain<Output>(token: Token, context: readonly ContextToken[], options: Into<Output> & Told): VerifiedToken<Output>
  /**
   * Before calling on: whether `outbound` may be sent to `target` in the name of the token that was verified
   * here. It is another token, comes out of that one as one token of a chain out of another, is for
   * `target` alone, and is valid now. A service that passes on what it was sent lets everybody behind it
   * act here; one that calls on with a wider token is a confused deputy.
   *
   * @throws {@link AuthorityError} `token_passthrough`: it is the token that came in
   * @throws {@link DelegationError} `attenuation_audience` for a token that is for anybody else; the codes of
   * `verifyChain`
   * @throws {@link UsageError} a kind that the gate's `context` does not take
   */
  checkOutbound(inbound: VerifiedToken<any>, outbound: ContextToken, options: { readonly target: string }): void
  /**
   * Verifies a request: scheme and token of `Authorization`, proof of possession (DPoP, or the client's
   * certificate), replay. The proof is used up by it, so judge a request once.
   *
   * @returns the token; add its `responseHeaders` to your answer
   * @throws {@link TokenError} the request is refused: 400, 401 or 403
   * @throws {@link UnavailableError} it cannot be decided: 503; the proof was not used up
   * @throws {@link UsageError} `replay.store` is a server: call `verifyRequestAsync`
   */
  verifyRequest(request: AnyRequest, options?: Needs & BesideRequest & { readonly into?: undefined }): VerifiedToken
  verifyRequest<Output>(request: AnyRequest, options: Into<Output> & BesideRequest): VerifiedToken<Output>
  /** The same with the answer as a value. It throws only for wrong arguments. */
  judgeRequest(request: AnyRequest, options?: Needs & BesideRequest & { readonly into?: undefined }): Verdict
  judgeRequest<Output>(request: AnyRequest, options: Into<Output> & BesideRequest): Verdict<Output>
  /**
   * As `verifyRequest`, waiting as `verifyAsync` does; and where `replay.store` is a server, for its answer,
   * some seconds at most whatever `wait` says. It is asked on threads of the engine's: neither the event
   * loop nor libuv's threads wait. Of what 16 of these have to ask, 1,024 wait in turn; what is above that,
   * or waits for two seconds, is `replay_unavailable`.
   */
  verifyRequestAsync(
    request: AnyRequest,
    options?: Needs & BesideRequest & Patience & { readonly into?: undefined }
  ): Promise<VerifiedToken>
  verifyRequestAsync<Output>(
    request: AnyRequest,
    options: Into<Output> & BesideRequest & Patience
  ): Promise<VerifiedToken<Output>>
  /** As `judgeRequest`, waiting as `verifyRequestAsync` does. */
  judgeRequestAsync(
    request: AnyRequest,
    options?: Needs & BesideRequest & Patience & { readonly into?: undefined }
  ): Promise<Verdict>
  judgeRequestAsync<Output>(
    request: AnyRequest,
    options: Into<Output> & BesideRequest & Patience
  ): Promise<Verdict<Output>>
  /**
   * Verifies many tokens on threads of its own, one less than there are cores, under one policy,
   * one generation of keys and one moment. A token that occurs twice is verified once.
   *
   * @param tokens an array, or one text or buffer with a token a line. Bytes are copied before the
   * call returns: what becomes of a buffer afterwards changes no verdict
   */
  verifyBatch(tokens: readonly Token[] | Token, options?: Requirements): Promise<Batch>
  /** As `verifyBatch`, on this thread and all cores; the event loop waits. It asks no server: see `verifyAsync`. */
  verifyBatchSync(tokens: readonly Token[] | Token, options?: Requirements): Batch
  /**
   * Every rule and what it saw, claim values included: for operators' eyes, not for logs.
   *
   * @param options `context` are the tokens that it comes from, and the rest what the call needs, as
   * `verifyChain` takes them
   */
  explain(token: Token, options?: Needs & Told & { readonly context?: readonly ContextToken[] }): Trail
  /** The same of a request. No proof is used up by it, and no server is asked about one. */
  explainRequest(request: AnyRequest, options?: Needs & BesideRequest): Trail
  /**
   * The verdict with the stages that led to it, for machines: plain data without a claim value in it, and
   * the same in every language, names included. The token is verified from scratch, and it is the
   * verdict: a proof is used up by it. It throws only for wrong arguments, of which a request is one
   * where `replay.store` is a server; `explainRequest` asks none.
   */
  trace(token: Token, options?: Needs & Told & { readonly context?: readonly ContextToken[] }): Trace
  trace(request: AnyRequest, options?: Needs & BesideRequest): Trace
  /** The OAuth 2.0 Protected Resource Metadata (RFC 9728); null where the audience is no URL. */
  resourceMetadata(): Record<string, unknown> | null
}

/**
 * One door: a kind of token, from these issuers, for this audience, under these rules. Its calls
 * are closures, so `const { verify } = gate` works. It stays valid over reloads.
 */
export interface Gate extends Readonly<Calls> {
  /** Its name in the policy. */
  readonly name: string
}

/** Whether a request may or must carry a further token. */
export type ContextNeed = 'allowed' | 'required'

/** Options of {@link Verifier.create}: the members of a policy of one issuer and one gate. */
export interface VerifierOptions {
  /** The exact `iss`, to the last slash. */
  issuer: string | readonly string[]
  /** The exact `aud`. */
  audience: string | readonly string[]
  /**
   * Its keys are where its metadata says (RFC 8414, OpenID Connect Discovery). One key source: this,
   * `jwksUri`, `jwks`, `jwksFile`, `keys` or `jwksPush`. Default: `"auto"`, where none is named.
   */
  discovery?: 'oauth' | 'oidc' | 'auto'
  /** The URL of its JWK Set. */
  jwksUri?: string
  /** When fetched keys are fetched again, and from where. */
  refresh?: {
    ahead?: Duration
    cooldown?: Duration
    staleIfError?: Duration
    allowHosts?: readonly string[]
    caFile?: string
  }
  /** The issuer's JWK Set. */
  jwks?: object
  /** A file with the issuer's JWK Set. */
  jwksFile?: string
  /** The issuer's keys one by one. */
  keys?: ReadonlyArray<{
    pemFile?: string
    derFile?: string
    x509File?: string
    secret?: { file: string } | { env: string }
    alg?: string
    kid?: string
  }>
  /** The keys come by `verifier.keys.publish('default', …)`. */
  jwksPush?: 'process'
  /** Default: the preset's asymmetric algorithms. Name yours. */
  algorithms?: readonly string[]
  /** Default: `["access_token"]`. */
  profiles?: readonly Profile[]
  /** The kind of token. Default: `"access_token"`. */
  profile?: Kind
  /** Default: the profile's; `"1h"` for access tokens under `agent_strict`. */
  maxLifetime?: Duration
  /** Default: true. */
  legacyEddsa?: boolean
  /** Default: `"inherit"`. */
  actIss?: 'inherit' | 'require'
  /** Default: `"rfc8693"`. */
  actMeaning?: 'rfc8693' | 'inverted'
  /** Where the issuer puts a registered claim that is not under its RFC name. */
  claimNames?: { scope?: string; clientId?: string; aud?: string }
  /** Whose transactions the `txn` of its tokens are, so that tokens of two issuers can be of one. */
  txnNamespace?: string
  /** For an actor that signs proofs (`actor_proof`): whose actor it is, the `iss` beside its `sub` in `act`. */
  actorNamespace?: string
  /** How it is asked about its access tokens (RFC 7662). */
  introspection?: {
    /** Default: `"auto"`, the `introspection_endpoint` of its metadata. */
    endpoint?: string
    clientId: string
    clientSecret: { file: string } | { env: string }
    /** Default: `"opaque"`, those that are no JWT. */
    tokens?: 'opaque' | 'all'
    /** The most that an answer is kept. Default: `"60s"`. */
    maxAge?: Duration
    allowHosts?: readonly string[]
    caFile?: string
  }
  publicUrl?: string
  /** Default: none. */
  requiredScopes?: readonly string[]
  /** Scopes that contain other scopes. */
  scopeImplies?: Readonly<Record<string, readonly string[]>>
  /** Default: `"if_bound"`. */
  senderConstrained?: 'if_bound' | 'required' | 'external'
  /** DPoP proofs (RFC 9449); needs `replay` and `publicUrl`. */
  dpop?: {
    algorithms?: readonly string[]
    maxAge?: Duration
    nonce?: 'off' | 'required'
    nonceSecret?: { file: string } | { env: string }
  }
  /** Proofs of attested clients: whether they answer a challenge of this server's. */
  attestation?: {
    challenge?: 'off' | 'required'
    challengeSecret?: { file: string } | { env: string }
  }
  /** Certificate-bound tokens (RFC 8705). */
  mtls?: { source?: 'caller' }
  /**
   * Who remembers used proofs: this process, the program, or one of `stores` of kind `"file"`. A server would
   * have to be asked while the event loop waits: calls with requests are a `UsageError` then.
   */
  replay?: { store: 'process' | 'external' | StoreName; namespace?: string; onUnavailable?: 'refuse' | 'accept_marked' }
  /** Who remembers what was revoked: nobody (`"off"`), this process, or one of `stores`. */
  revocation?: {
    store: 'off' | 'process' | StoreName
    /** Default: `"revoke"`. */
    innerActors?: 'revoke' | 'ignore'
    /** Of a store that processes share; this and the next. Default: `"10s"`. */
    maxStaleness?: Duration
    onStale?: 'refuse' | 'accept_marked'
    /** The names of gates whose accepted tokens become revocations. */
    inputs?: readonly string[]
    statusLists?: { allowHosts?: readonly string[]; maxAge?: Duration; onUnavailable?: 'refuse' | 'accept_marked' }
  }
  /** Stores that processes share, by names of yours. */
  stores?: Readonly<Record<string, StoreOptions>>
  /** What references to subjects of audit records are made with; without it there are none. */
  audit?: { secret: { file: string } | { env: string } }
  /** What becomes of a token with `act`. Default of `agent_strict`: `"forbid"`. */
  delegation?: 'forbid' | 'surface'
  /** The most since `iat`. */
  maxAge?: Duration
  /** One of these must be the token's `acr` (RFC 9470). */
  acrValues?: readonly string[]
  /** Further members of the RFC 9728 document. */
  metadata?: Readonly<Record<string, unknown>>
  /** For `jwt_custom`, `capability` and `intent_token`. */
  typ?: string
  /** For `jwt_custom`. */
  requiredClaims?: readonly string[]
  /** The kinds of further tokens that a request may or must carry. */
  context?: {
    accessToken?: ContextNeed
    idJag?: ContextNeed
    jwtBearerGrant?: ContextNeed
    actorProof?: ContextNeed
    wit?: ContextNeed
    txnToken?: ContextNeed | { need?: ContextNeed; audience?: string }
    intentToken?: { need?: ContextNeed; typ: string }
    jwtCustom?: { need?: ContextNeed; typ: string }
  }
  /** For transaction tokens: how a transaction may have come here. */
  transactions?: {
    use?: 'any' | 'once'
    workload?: string
    maxHops?: number
    minAssurance?: string
    assuranceLevels?: readonly string[]
  }
  /** Whether a token must name a mission, an intent or a workflow. Default: false. */
  requireIntent?: boolean
  /** JSON pointers to what tokens name as what they are for. */
  intentPointers?: { mission?: readonly string[]; intent?: readonly string[]; acti?: readonly string[] }
  /** Default: `"30s"`; at most `"300s"`. */
  leeway?: Duration
  /** Default: `"agent_strict"`. */
  preset?: 'agent_strict' | 'rfc'
  /** Default: 50,000 tokens; 0 is off. */
  cache?: { tokens?: number }
  limits?: {
    maxTokenSize?: string
    maxJsonDepth?: number
    maxStringSize?: string
    maxArrayMembers?: number
    maxChainSize?: string
    maxChainTokens?: number
  }
  annotations?: Readonly<Record<string, unknown>>
  /** Only with `allowDanger`. `httpLoopbackIssuers`: issuers on this machine may speak plain HTTP. */
  danger?: { httpLoopbackIssuers?: boolean } & Readonly<Record<string, unknown>>
  /** Where time comes from. Default: the system. */
  clock?: FixedClock
  /** Lets `danger` be there. Default: false. */
  allowDanger?: boolean
}

/** The name of one of {@link VerifierOptions.stores}; editors go on offering the words beside it. */
export type StoreName = string & {}

/** Where a store is: in a folder, for the processes of one host, or at a server, for those of many. */
export type StoreOptions =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'redis' | 'nats'; readonly url: { file: string } | { env: string }; readonly namespace?: string }

/** Where a policy comes from. A string is always a path; text goes through {@link Policy.parse}. */
export type PolicySource = string | URL | Policy | Readonly<Record<string, unknown>>

/** What the loading program permits. */
export interface LoadOptions {
  /** Lets the document have a `[danger]` table. Default: false. */
  readonly allowDanger?: boolean
}

/**
 * A policy made ready to judge tokens. It has the calls of a gate itself when its policy has
 * exactly one; otherwise they throw a {@link UsageError} that names the gates.
 */
export class Verifier implements Calls {
  private constructor()
  /**
   * A verifier for one issuer and one gate, both named `default`.
   *
   * @throws {@link PolicyError} with every problem
   */
  static create(options: VerifierOptions): Verifier
  /**
   * A verifier for a policy document. Objects are documents: their members are in `snake_case`.
   *
   * @throws {@link PolicyError} with every problem
   */
  static fromPolicy(source: PolicySource, options?: LoadOptions & { readonly clock?: FixedClock }): Verifier
  /** The names of the gates, in the policy's order. */
  readonly gates: string[]
  /**
   * The gate with this name; the same object each time. Resolve gates when the program starts.
   *
   * @throws {@link UsageError} there is none
   */
  gate(name: string): Gate
  /**
   * Resolves once every issuer has keys, fetched or published, and the store of revocations that processes
   * share has news. Judging never waits: until fetched keys are there tokens are `keys_refreshing`, 503, and
   * until the store was read `revocation_unavailable`. Call it before a server takes its first request.
   *
   * @param options `timeout`: `"10s"` unless it is given
   * @throws {@link KeysUnavailableError} the time is over; `issuerName` has none
   * @throws {@link RevocationUnavailableError} the time is over; the store has no news, or none that is young
   * enough
   */
  waitReady(options?: { readonly timeout?: string }): Promise<void>
  /** Issuers' keys. */
  readonly keys: Keys
  /** What is revoked. */
  readonly revocations: Revocations
  /**
   * Takes events that issuers deliver, at this gate of profile `set` or `logout_token`.
   *
   * @throws {@link UsageError} nothing can be received there
   */
  receiver(
    gate: string,
    options?: {
      /**
       * The `state` with which the issuer was asked to verify its stream: a verification event that says
       * another, or none, is answered with `invalid_state`.
       */
      readonly expectingState?: string
    }
  ): Receiver
  /** The policy in force. */
  readonly policy: Policy
  /**
   * Swaps the whole policy, or refuses it whole. Gates go on working under the new one; keys of
   * unchanged issuers stay. A path or a document is loaded as the first policy was: with
   * `allowDanger` if that was, and from no source of keys where `open` of `sealgate/testing` made the
   * verifier. For other permits, load a {@link Policy} with them.
   *
   * @throws {@link PolicyError} the policy in force stays
   */
  reload(source: PolicySource): void
  /**
   * Tells of what happens to issuers' keys and shared stores from now on, never of tokens. A listener keeps no process
   * running.
   *
   * @throws {@link UsageError} another name, or a listener that is no function
   */
  on(name: 'event', listener: (event: KeyEvent | StoreEvent) => void): this
  /** As `on`, for the next event alone. */
  once(name: 'event', listener: (event: KeyEvent | StoreEvent) => void): this
  /** Takes a listener back. */
  off(name: 'event', listener: (event: KeyEvent | StoreEvent) => void): this
  /** Counters. Labels are only of the policy. */
  stats(): Stats
  /**
   * Ends what works in the background: keys are fetched no more, and whoever waits for some is
   * answered. Gates go on judging with the keys there are, for as long as these may be trusted; where the
   * policy names a store of revocations, for as long as its news is no older than `max_staleness`: then they
   * answer `revocation_stale`, 503. Under such a store nothing can be revoked or lifted any more:
   * {@link UsageError}. Flush before: what the store is not known to have is told by a `SealgateWarning` of the
   * process, here and at exit.
   */
  close(): void
  [Symbol.dispose](): void
  readonly verify: Calls['verify']
  readonly judge: Calls['judge']
  readonly verifyAsync: Calls['verifyAsync']
  readonly judgeAsync: Calls['judgeAsync']
  readonly verifyChain: Calls['verifyChain']
  readonly checkOutbound: Calls['checkOutbound']
  readonly verifyRequest: Calls['verifyRequest']
  readonly judgeRequest: Calls['judgeRequest']
  readonly verifyRequestAsync: Calls['verifyRequestAsync']
  readonly judgeRequestAsync: Calls['judgeRequestAsync']
  readonly verifyBatch: Calls['verifyBatch']
  readonly verifyBatchSync: Calls['verifyBatchSync']
  readonly explain: Calls['explain']
  readonly explainRequest: Calls['explainRequest']
  readonly trace: Calls['trace']
  readonly resourceMetadata: Calls['resourceMetadata']
}

/** Something that happened to an issuer. `issuerName` is the policy's, safe as a metric label. */
export type KeyEvent =
  | {
      /** Keys were fetched or published, or the issuer has confirmed those that are there. */
      readonly event: 'keys_refreshed'
      readonly issuerName: string
      /** How many keys there are now. */
      readonly keys: number
      readonly generation: number
      /** Whether the set differs from the one before. */
      readonly changed: boolean
    }
  | {
      /** A fetch failed; the keys stay as they were. It is tried again by itself. */
      readonly event: 'keys_refresh_failed'
      readonly issuerName: string
      /** What went wrong, in a sentence. */
      readonly reason: string
    }
  | {
      /** The issuer no longer has a key; its tokens are refused from now on. */
      readonly event: 'key_withdrawn'
      readonly issuerName: string
      readonly kid: string | null
      /** JWK SHA-256 thumbprint (RFC 7638); null of a shared secret. */
      readonly thumbprint: string | null
    }
  | {
      /** It has answered about a token, whatever it said: the token may be shown again. */
      readonly event: 'introspected'
      readonly issuerName: string
    }
  | {
      /** It could not be asked about a token, which stays undecided. */
      readonly event: 'introspection_failed'
      readonly issuerName: string
      /** What went wrong, in a sentence. */
      readonly reason: string
    }
  | {
      /** A status list was fetched, and is in force. */
      readonly event: 'status_list_fetched'
      readonly issuerName: string
    }
  | {
      /** A status list could not be fetched, or is none; the one before stays until it is stale. It is tried again by itself. */
      readonly event: 'status_list_failed'
      readonly issuerName: string
      /** What went wrong, in a sentence. */
      readonly reason: string
    }

/** Something that happened to a store of revocations. `store` is the policy's name, safe as a metric label. */
export type StoreEvent =
  | {
      /** Everything that the store has is known here. */
      readonly event: 'revocations_loaded'
      readonly store: string
      /** Handles it has, revoked or lifted of late. */
      readonly entries: number
    }
  | {
      /**
       * It could not be read or written. It is tried again by itself, and what is not written yet is kept. Told
       * when it begins, and when it is for another reason.
       */
      readonly event: 'revocations_interrupted'
      readonly store: string
      /** What went wrong, in a sentence. */
      readonly reason: string
    }
  | {
      /**
       * It has everything that this process has revoked or lifted; told where a receipt or a flush has said before
       * that it had not.
       */
      readonly event: 'revocations_delivered'
      readonly store: string
    }
  | {
      /**
       * The verifier was closed, or is gone, and nobody takes to the store what it is not known to have: that is
       * in force in this process alone, and is to be revoked again.
       */
      readonly event: 'revocations_undelivered'
      readonly store: string
      /** How much was revoked or lifted. */
      readonly changes: number
    }

/** What {@link Verifier.stats} counts. */
export interface Stats {
  /** Digest of the policy in force. */
  policy: string
  /** The cache of verified tokens. */
  cache: { hits: number; misses: number; evictions: number; entries: number; bytes: number; capacity: number }
  /** How many keys each issuer has, and their generation. */
  issuers: Readonly<Record<string, { readonly keys: number; readonly generation: number }>>
  /** What is revoked, and how the store stands that processes share, where they share one. */
  revocations: {
    entries: number
    bytes: number
    epoch: number
    store?: string
    reach?: 'host' | 'fleet'
    /** Seconds; null before there was any news. */
    staleness?: number | null
    /** Changes of this process that the store is not known to have. */
    undelivered?: number
    /** Changes in the store that this version cannot read. */
    unreadable?: number
  }
  /** Status lists that are kept; of these, how many are not fetched yet, and how many are stale. */
  status: { lists: number; missing: number; stale: number; bytes: number }
  /** By the issuers that are asked about tokens (RFC 7662): what is kept of their answers, and how asking goes. */
  introspection: Readonly<
    Record<
      string,
      {
        readonly answers: number
        readonly bytes: number
        /** Tokens that wait to be asked about, and questions under way. */
        readonly waiting: number
        readonly running: number
        /** Of the issuer in a row, and whether it is left alone for now. */
        readonly failures: number
        readonly resting: boolean
      }
    >
  >
  /** Used proofs; null where the policy has no `[replay]`. */
  proofs: {
    /** The policy's name of the store, or `process` or `external`. */
    store: string
    reach: 'process' | 'host' | 'fleet' | 'external'
    /** In this process: how many are remembered, and how many can be. */
    entries?: number
    capacity?: number
    /** At a server: how often it was to be asked, and how often it did not answer. */
    asked?: number
    unanswered?: number
  } | null
}

/** The keys of a verifier's issuers. */
export interface Keys {
  /**
   * Replaces the keys of an issuer whose key source is `jwks_push`. No verification that starts
   * afterwards passes with a withdrawn key, cached or not.
   *
   * To withdraw a key, publish the others.
   *
   * @throws {@link UsageError} another key source, no such issuer, or no key of the set, which may be
   * empty, can be used
   */
  publish(name: string, jwks: object): Receipt
  /**
   * The keys of an issuer at this moment.
   *
   * @throws {@link UsageError} the policy has no such issuer
   */
  state(name: string): KeyState
  /**
   * Asks for an issuer's keys to be fetched now, cooldown or not, and returns at once how things
   * stand.
   *
   * @throws {@link UsageError} the policy has no such issuer
   */
  refresh(name: string): KeyState
}

/**
 * Something that can be revoked, named as tokens name it. Each kind has its own name space: revoking the
 * subject `u1` says nothing of an actor `u1`. `iss` is the claim's value, never the policy's name for an
 * issuer.
 */
export class Handle {
  private constructor()
  /** One token. Its bytes are no handle: the same claims can be written in many ways. */
  static token(named: { readonly iss: string; readonly jti: string }): Handle
  /** A session at an issuer. */
  static session(named: { readonly iss: string; readonly sid: string }): Handle
  /** Whom tokens are about: a person, a client, a workload. */
  static subject(named: { readonly iss: string; readonly sub: string }): Handle
  /** An OAuth client. */
  static client(named: { readonly iss: string; readonly clientId: string }): Handle
  /** An agent: whatever it does, and whatever was handed on through it. */
  static actor(named: { readonly iss: string; readonly sub: string }): Handle
  /** A key that tokens are bound to: `jkt` or `x5t#S256`, in base64url. */
  static holderKey(named: { readonly jkt: string }): Handle
  /** A key that an issuer signs with. */
  static signingKey(named: { readonly iss: string; readonly kid: string }): Handle
  /** Everything an issuer has signed. */
  static issuer(named: { readonly iss: string }): Handle
  /**
   * A transaction, in all its tokens. `aud` is the trust domain of transaction tokens; for another token's
   * `txn` its issuer, or the policy's `txn_namespace`.
   */
  static txn(named: { readonly aud: string; readonly txn: string }): Handle
  /** A workflow of agents. */
  static workflow(named: { readonly iss: string; readonly acti: string }): Handle
  /** An intent or mission, in every token issued for it. `iss` is who approved it, else the tokens' issuer. */
  static intent(named: { readonly iss: string; readonly id: string }): Handle
  /**
   * An account: whatever is about it or acts as it. What its issuer disables is kept apart: enabling the
   * account takes back nothing of this. Lifting it lifts both.
   */
  static account(named: { readonly iss: string; readonly sub: string }): Handle
  /**
   * An account that its issuer has disabled, until the issuer enables it or somebody lifts it. Only an
   * event revokes it.
   */
  static disabled(named: { readonly iss: string; readonly sub: string }): Handle
  /**
   * What an account signs in with: tokens of a sign-in (`auth_time`) up to a cut-off, however often they
   * were renewed since.
   */
  static credential(named: { readonly iss: string; readonly sub: string }): Handle
  /** `"holder_key"`. */
  readonly kind: string
}

/** What is revoked, as a verifier knows it. The policy's `[revocation] store` says who remembers it. */
export interface Revocations {
  /**
   * Revokes a handle: when it returns, no verification that starts afterwards passes with a token that
   * carries it, seen before or not. What was revoked of it before stays revoked.
   *
   * @param options `cutoff`, `'now'` or seconds since 1970: only tokens issued then or before, and those
   * that do not say when; `expires`, in seconds since 1970: when it is forgotten, else when it is lifted;
   * `reason`, for whoever reads a shared store later: 256 bytes of it are kept, and of the store
   * `"process"` none
   * @throws {@link UsageError} the policy asks nobody, a part of the handle is empty, its `iss` is the
   * policy's name for an issuer, or a time is none
   */
  revoke(handle: Handle, options?: { readonly cutoff?: 'now' | number; readonly expires?: number; readonly reason?: string }): RevocationReceipt
  /**
   * Takes back whatever was revoked of the handle. Under a server that processes share, what another one has
   * just revoked is taken back once the server has it, as its `flush` says: of the two that counts which
   * arrives last.
   */
  lift(handle: Handle): RevocationReceipt
  /**
   * Revokes or lifts what follows from an accepted token that tells of an event: a logout token, or a
   * Security Event Token of CAEP or RISC. What has changed since the event happened stays as it is, so it
   * does not matter in which order events arrive, nor how often.
   *
   * @throws {@link UsageError} the token passed a gate of another kind; nothing was revoked
   */
  apply(eventToken: VerifiedToken<unknown>): EventReceipt
  /**
   * Resolves once the store that processes share has everything that this process has revoked or lifted, to
   * `true`, or when the time is over, to `false`: what it has not then is still tried again. At once where
   * they share none. Call it before a process ends. It keeps the process running until then, and blocks no
   * thread of Node's.
   *
   * @param options `timeout`: `"5s"` unless it is given
   */
  flush(options?: { readonly timeout?: Duration }): Promise<boolean>
  /** How the store stands that the policy names, for people and for metrics; null where processes share none. */
  store(): StoreState | null
  /** How often something was revoked or lifted. */
  readonly epoch: number
}

/** What a revocation did. */
export interface RevocationReceipt {
  /** A verdict of this epoch or a later one knows of it. */
  readonly epoch: number
  /**
   * How far it reaches: `"process"`, where others must be told themselves; `"host"` or `"fleet"` where
   * processes share a store.
   */
  readonly reach: 'process' | 'host' | 'fleet'
  /** Whether that store has it. Else it is in force in this process, and tried again until the store has it. */
  readonly delivered: boolean
  /**
   * The cut-off in whole seconds since 1970, null where there is none: tokens issued within this second or before end,
   * and whoever signs in from the next one on is not concerned. Null of an event, too, whose handles have their own.
   */
  readonly cutoff: number | null
}

/** How a store stands that processes share. */
export interface StoreState {
  /** The policy's name for it, safe as a metric label. */
  readonly name: string
  readonly reach: 'host' | 'fleet'
  /** How old its news is here, in seconds; null before there was any. */
  readonly staleness: number | null
  /** Changes of this process that it is not known to have. */
  readonly undelivered: number
  /** Changes in it that this version cannot read: of one after it, or broken. */
  readonly unreadable: number
  /**
   * Why it cannot be read, written or kept small, or that it has lost something and does not have as much
   * again, in a sentence; null while all is well.
   */
  readonly lastError: string | null
}

/** What was asked about the revocation of a token. Where the policy asks nobody, the rest is null. */
export interface RevocationCheck {
  readonly checked: boolean
  /** `"process"`, or the policy's name for a store that processes share. */
  readonly store: string | null
  /** The epoch at which nothing of it was revoked. */
  readonly sequence: number | null
  /** How old the news of a shared store was, in seconds; null of this process's own, which has no age. */
  readonly staleness: number | null
}

/**
 * Takes tokens that tell of events at one gate, and revokes what follows from them. An event that is told again
 * changes nothing.
 */
export interface Receiver {
  /**
   * Takes the body of a POST with its header fields, of which `Content-Type` is read. Who may call at all, as by
   * an `Authorization` agreed with the issuer, is to be checked before; whose event it is, the token's
   * signature says.
   */
  push(
    body: string | Uint8Array,
    headers: Readonly<Record<string, string | readonly string[] | undefined>> | Iterable<readonly [string, string]> | readonly string[],
  ): Delivery
  /** Polls a stream whose tokens this gate takes. Default of `maxEvents`: 100. */
  poller(options?: { readonly maxEvents?: number }): Poller
}

/** What to answer to a push, as it is. */
export interface Delivery {
  /** 202, to a logout token 200; 400; or 503 while keys or stores are missing. */
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** How many handles were revoked or lifted; null where the token was not accepted. */
  readonly entries: number | null
  /** These handles. Not enumerable: they name people, and whoever logs the whole does not log them. */
  readonly changes: readonly EventChange[]
  /** Whether it was applied before, and nothing was done now; null where it was not accepted. */
  readonly duplicate: boolean | null
  /** Why it was not. */
  readonly code: string | null
}

/** Polls one stream with an HTTP client of the program's own (RFC 8936). */
export interface Poller {
  /** The body of the next request, as `application/json`. */
  request(): string
  /**
   * Takes the body of an answer of status 200.
   *
   * @throws {@link UsageError} it is none; nothing has changed
   */
  take(body: string | Uint8Array): Polled
}

/** What became of an answer to a poll. */
export interface Polled {
  readonly accepted: number
  /** The issuer is told. */
  readonly refused: number
  /** The issuer delivers them again. */
  readonly undecided: number
  /** Of those accepted, how many had been applied before: nothing was done about them. */
  readonly duplicates: number
  /** How many handles were revoked or lifted. */
  readonly entries: number
  /** These handles. Not enumerable, as in a {@link Delivery}. */
  readonly changes: readonly EventChange[]
  readonly moreAvailable: boolean
}

/** What an event did. */
export interface EventReceipt extends RevocationReceipt {
  /** How many handles it revokes or lifts; 0 for one that is only observed. */
  readonly entries: number
  /** These handles. Not enumerable, as in a {@link Delivery}. */
  readonly changes: readonly EventChange[]
  /** Whether this process has applied the token before, by its issuer and `jti`, and has done nothing now. */
  readonly duplicate: boolean
}

/** One handle that an event has revoked or lifted, as `sealgate revocations list` shows it. Dates are whole seconds. */
export interface EventChange {
  /** The policy's name for the issuer that tells of it, safe as a metric label. */
  readonly issuerName: string
  /** One of its own: it names people and their agents. */
  readonly handle: Handle
  /** Whether what was revoked before is taken back. */
  readonly lifted: boolean
  /** The tokens issued then or before are revoked; null for all of them. */
  readonly cutoff: number | null
  /** When it is forgotten; null for never. */
  readonly expires: number | null
  /** The type of the event: `session-revoked`. */
  readonly reason: string | null
  /** When it happened. */
  readonly at: number
}

/** What a publication did. */
export interface Receipt {
  /** Generation of the issuer's keys from now on. */
  readonly generation: number
  /** Whether the set differed from the one before. */
  readonly changed: boolean
  /** How far it reaches: this process. */
  readonly reach: 'process'
  /** Keys of the set that cannot be used, by their place in it. */
  readonly skipped: ReadonlyArray<{ readonly index: number; readonly reason: string }>
}

/** The keys of one issuer. */
export interface KeyState {
  readonly source: 'static' | 'push' | 'discovery' | 'jwks_uri'
  readonly generation: number
  readonly keys: ReadonlyArray<{
    readonly kid: string | null
    readonly alg: string
    readonly kty: 'RSA' | 'EC' | 'OKP' | 'AKP' | 'oct'
    readonly thumbprint: string | null
  }>
  /** When they were last fetched, in seconds since 1970; `null` of keys that are not. */
  readonly fetchedAt: number | null
  /** When they are fetched again, unless something asks for it sooner. */
  readonly nextRefresh: number | null
  /** Why the last fetch failed, in a sentence. */
  readonly lastError: string | null
}

/** A policy document that has been checked whole. */
export class Policy {
  /**
   * @param document a policy document as an object: its members are in `snake_case`
   * @throws {@link PolicyError} with every problem
   */
  constructor(document: Readonly<Record<string, unknown>>, options?: LoadOptions)
  /** Reads a file whose name ends in `.toml` or `.json`; relative paths in it begin at its folder. */
  static load(path: string | URL, options?: LoadOptions): Policy
  /** Reads a text. Default format: `"toml"`. */
  static parse(text: string, options?: LoadOptions & { readonly format?: 'toml' | 'json' }): Policy
  /** `sha256:` and hexadecimal; the same for documents that say the same. */
  readonly digest: string
  /** What loads and still deserves a second look. */
  readonly warnings: Problem[]
  /** The document with every default filled in. */
  effective(): Record<string, any>
  /** The document. */
  toDict(): Record<string, any>
  toJSON(): Record<string, any>
}

/** Something about a policy document, and where. */
export interface Problem {
  /** The member: `gates.tools.issuers[1]`; of {@link Verifier.create} the option. */
  readonly path: string
  /** Line from 1; 0 where there is none to point at. */
  readonly line: number
  /** Column in characters from 1. */
  readonly column: number
  /** What is wrong, and what to write instead. */
  readonly text: string
}

/** An actor of a chain, identified by the exact pair of issuer and subject. */
export class Actor {
  private constructor()
  readonly iss: string
  readonly sub: string
  /** Whether `iss` was taken from the token because the link names none. */
  readonly issInferred: boolean
  readonly subProfile: string | null
  /** The `act` object as signed. Members such as `exp` or `cnf` in it mean nothing. */
  readonly claims: Claims
  equals(other: unknown): boolean
}

/**
 * A token that passed every check of its gate. Frozen, made only by verifying, decoded when it is
 * looked at. `console.log` and `JSON.stringify` show no claim value; `toDict()` does.
 */
export class VerifiedToken<Output = Claims> {
  private constructor()
  /** `iss`; for the token of a workload its trust domain; else the policy's name for who signed it. */
  readonly issuer: string
  /** The policy's name for the issuer, safe as a metric label. */
  readonly issuerName: string
  /** `sub`. Tokens that tell of something rather than somebody lack it. */
  readonly subject: string | null
  readonly clientId: string | null
  readonly jwtId: string | null
  readonly audience: readonly string[]
  /** Whole seconds since 1970; the exact number is in `claims`. */
  readonly issuedAt: number | null
  readonly notBefore: number | null
  /** Security event tokens and agent cards have none. */
  readonly expiresAt: number | null
  readonly scopes: readonly string[]
  /** RFC 9396. */
  readonly authorizationDetails: readonly Json[]
  /** Who is calling: the outermost actor of `act`. */
  readonly actor: Actor | null
  /** All actors, outermost first. */
  readonly chain: readonly Actor[]
  /** Whether somebody else acts for the subject. */
  readonly delegated: boolean
  /** What is proven about the chain, not what is claimed. */
  readonly lineage: 'none' | 'asserted' | 'correlated' | 'issuer_attested' | 'cryptographic'
  /** What was not compared with the tokens it comes from: an issuer's word alone says that it did not grow. */
  readonly unproven: ReadonlyArray<'subject' | 'scope' | 'time' | 'audience' | 'details'>
  /** How possession of the token's key was shown; null is a bearer token. */
  readonly senderConstrained: 'dpop' | 'mtls' | 'wpt' | 'client_attestation_pop' | 'capability_pop' | 'external' | null
  /**
   * Whether the status list was asked that the token refers to; `false` where it could not be and the policy
   * accepts that, null for a token that refers to none.
   */
  readonly statusChecked: boolean | null
  /**
   * By what the issuer stands for the claims: its signature, or its answer about a token that is no JWT (RFC
   * 7662). Of such a token an absent `actor` proves no absence of delegation.
   */
  readonly verifiedBy: 'signature' | 'introspection'
  /** When the issuer was asked whether the token is active, in seconds; null where the policy has nobody ask. */
  readonly introspectedAt: number | null
  /** How far it reaches that the proof was used for the first time; null where none was used. */
  readonly replayReach: 'process' | 'host' | 'fleet' | 'external' | null
  /** Never "user": no token proves that. */
  readonly subjectKind: 'client' | 'agent' | null
  /** The exact row of the profile table. */
  readonly profile: Profile
  readonly gate: string
  /** The protected header. */
  readonly header: Claims
  /** The claims, or what `into` made of them. */
  readonly claims: Output
  /** The payload as signed: a copy. */
  readonly payload: Uint8Array
  /** Under which policy and keys it was judged. */
  readonly snapshot: { readonly policy: string; readonly keys: number; readonly revocations: number | null }
  /** What was asked about its revocation, and that of the tokens it comes from. */
  readonly revocation: RevocationCheck
  /** Header fields to add to your answer of success, one a name (`DPoP-Nonce`); usually none. */
  readonly responseHeaders: Readonly<Record<string, string>>
  /** Whether it grants all of these scopes, by itself or through `scope_implies`. */
  hasScope(...names: [string, ...string[]]): boolean
  /**
   * A later, narrower question: per tool, per route. Time is judged again, keys are not.
   *
   * @throws {@link AuthorityError} a scope is missing, or the operation lies outside what was granted
   * @throws {@link ValidityError} it has expired since
   */
  require(options: Requirements & { readonly operation?: Operation }): this
  /** Everything, claims included, as plain data. */
  toDict(): Record<string, any>
  /** A record for an audit log: references and hashes, never the token. */
  auditRecord(): Record<string, any>
  /** Gate, issuer name, profile and depth of the chain. */
  toJSON(): { gate: string; issuerName: string; profile: string; depth: number }
}

/** An accepted token. */
export interface Accepted<Output = Claims> {
  readonly ok: true
  readonly code: 'accepted'
  readonly token: VerifiedToken<Output>
  readonly error: undefined
  unwrap(): VerifiedToken<Output>
}

/** A refused token, or one that could not be decided: see `error.blame`. */
export interface NotAccepted {
  readonly ok: false
  readonly code: string
  readonly token: undefined
  readonly error: TokenError | UnavailableError | InternalError | UsageError
  /** Throws the error. */
  unwrap(): never
}

/** The answer of `judge`. Test `ok`: a verdict itself is always truthy. */
export type Verdict<Output = Claims> = Accepted<Output> | NotAccepted
/** For `instanceof`. */
export const Verdict: { readonly prototype: Verdict; [Symbol.hasInstance](value: unknown): value is Verdict }

/**
 * The verdicts over a batch, in input order. Deliberately not an array: `every(Boolean)` over
 * verdicts would be always true. Verdicts and tokens are made when they are asked for.
 */
export class Batch implements Iterable<Verdict> {
  private constructor()
  readonly length: number
  readonly accepted: number
  readonly refused: number
  readonly undecided: number
  /** How often each code was given, `accepted` included, most frequent first. */
  readonly counts: Readonly<Record<string, number>>
  /** Under which policy, and which generation of the keys of each of the gate's issuers, by name. */
  readonly snapshot: { readonly policy: string; readonly keys: Readonly<Record<string, number>>; readonly revocations: number }
  /** The verdict over the token at this place; negative places count from the end. */
  at(index: number): Verdict | undefined
  [Symbol.iterator](): IterableIterator<Verdict>
  /** The accepted ones, each with its place. */
  tokens(): IterableIterator<[index: number, token: VerifiedToken]>
  /** The others, each with its place. */
  errors(): IterableIterator<[index: number, error: SealgateError]>
  /** How many of what: no verdict, and nothing of a token. */
  toJSON(): { accepted: number; refused: number; undecided: number; counts: Readonly<Record<string, number>> }
}

/** Every stage of one verification. */
export class Trail {
  private constructor()
  readonly ok: boolean
  readonly code: string
  readonly steps: ReadonlyArray<{
    readonly stage: string
    /** The rules that the stage applies. */
    readonly rules: string
    readonly outcome: 'passed' | 'refused' | 'not_reached'
    /** What it saw. */
    readonly note: string
  }>
  /** Our side of the mismatch. */
  readonly expected: readonly string[]
  /** What to do; null when it was accepted. */
  readonly hint: string | null
  /** As `sealgate explain` prints it: for people. */
  toString(): string
}

/** A verdict and its stages, as JSON has it. */
export type Trace = {
  /** Every stage, in order. */
  stages: Array<{ stage: string; rules: string; outcome: 'passed' | 'refused' | 'not_reached' }>
} & (
  | {
      verdict: 'accepted'
      gate: string
      issuer_name: string
      profile: Profile
      /** How many there are. */
      actors: number
      lineage: VerifiedToken['lineage']
      unproven: Array<VerifiedToken['unproven'][number]>
      sender_constrained: VerifiedToken['senderConstrained']
    }
  | {
      verdict: 'refused' | 'undecided'
      code: string
      blame: SealgateError['blame']
      /** The claim or header parameter this is about. */
      claim: string | null
    }
)

/** A clock that moves only when told to: for tests. */
export class FixedClock {
  /** @param seconds whole seconds since 1970 */
  constructor(seconds: number)
  /** The whole seconds it stands at. */
  now(): number
  /** Moves it forward: `"30s"`, `"5m"`. */
  advance(duration: Duration): void
  /** Sets it, back too. */
  set(seconds: number): void
}

/** A JWS whose signature was verified. Its payload is any bytes: no claim of it was checked. */
export class Jws {
  private constructor()
  readonly payload: Uint8Array
  readonly header: Claims
}

/**
 * Verifies the signature of a compact JWS whose payload is not claims. Issuer, audience, time and
 * kind are *not* checked; for tokens use a gate.
 *
 * @param keys a JWK Set or one JWK
 * @throws {@link MalformedTokenError}, {@link SignatureError}
 */
export function verifyJws(jws: Token, keys: object, options: { readonly algorithms: readonly string[] }): Jws

/** A token that nobody has verified: anybody can write this. `console.log` and JSON show nothing of it. */
export class Unverified {
  private constructor()
  readonly header: Claims
  readonly claims: Claims
}

/**
 * Decodes a token without verifying anything of it.
 *
 * @throws {@link MalformedTokenError}
 */
export function inspect(token: Token): Unverified

/**
 * Why there is no verified token. `code` is API, messages are not. Nothing here is of the token:
 * no text, no claim value. `instanceof` works for errors of another copy of this package too.
 */
export class SealgateError extends Error {
  /**
   * For stand-ins in your tests: the code is the one that is given, else the first of the class. It has no
   * answer of a gate's: no headers, no body.
   */
  constructor(text?: string, options?: { readonly code?: string })
  /** Whether this is an error of sealgate, of whatever copy. */
  static is(value: unknown): value is SealgateError
  /** The stable code: `"aud_mismatch"`. */
  readonly code: string
  /** Who has to act. */
  readonly blame: 'rejected' | 'unavailable' | 'misuse' | 'internal'
  /** Codes of a group are answered alike. */
  readonly group: string
  /** One sentence; constant for the code. */
  readonly reason: string
  /** What to do, for whoever reads the log. */
  readonly hint: string | null
  /** Where the code is documented. */
  readonly doc: string
  /** The claim or header parameter this is about. */
  readonly claim: string | null
  /** Our side of the mismatch: audiences, issuers, scopes, algorithms. */
  readonly expected: readonly string[]
  readonly gate: string | null
  readonly issuerName: string | null
  /** What to answer with. */
  readonly httpStatus: number
  /** Header fields to answer with, one a name. */
  readonly headers: Readonly<Record<string, string>>
  /** The body to answer with; empty for 5xx. */
  readonly body: string
  /** `error` of the body. */
  readonly oauthError: string | null
  readonly wwwAuthenticate: string | null
  /** Seconds. */
  readonly retryAfter: number | null
  /** All of the above and the message, as plain data: for logs, and to send to another thread or process. */
  toJSON(): { code: string; message: string } & Record<string, unknown>
  /**
   * The error that {@link SealgateError.toJSON} has told of, with its class. `structuredClone` and `postMessage`
   * leave of any error no more than its name, message, stack and cause: send `error.toJSON()`, and call
   * this where it arrives.
   *
   * @throws {@link UsageError} this is no error of sealgate's, or of a version with more codes
   */
  static fromJSON(told: object): SealgateError
}

/** The token or the request is refused: 400, 401 or 403. Never an outage. */
export class TokenError extends SealgateError {
  readonly blame: 'rejected'
}
/** The request carries no credential, or presents it wrongly. */
export class CredentialError extends TokenError {
  readonly group: 'no_credential' | 'request'
}
/** The bytes are not a token. */
export class MalformedTokenError extends TokenError {
  readonly group: 'parse'
}
/** Algorithm, key or signature. */
export class SignatureError extends TokenError {
  readonly group: 'crypto'
}
/** A token of another kind, or one that lacks what its kind must have. */
export class TokenKindError extends TokenError {
  readonly group: 'kind'
}
/** Issuer, audience and time. */
export class ValidityError extends TokenError {
  readonly group: 'validity'
}
/** `expired`. */
export class ExpiredTokenError extends ValidityError {
  readonly code: 'expired'
}
/** `aud_mismatch`. */
export class AudienceError extends ValidityError {
  readonly code: 'aud_mismatch'
}
/** `iss_untrusted`. */
export class IssuerError extends ValidityError {
  readonly code: 'iss_untrusted'
}
/** `replayed`. */
export class ReplayError extends ValidityError {
  readonly code: 'replayed'
}
/** Proof of possession. */
export class PossessionError extends TokenError {
  readonly group: 'possession'
}
/** The delegation chain. */
export class DelegationError extends TokenError {
  readonly group: 'chain' | 'actor_policy'
}
/** Who may act: 403. */
export class ActorError extends DelegationError {
  readonly group: 'actor_policy'
}
/** The token, or someone in its chain, was revoked. */
export class RevokedError extends TokenError {
  readonly group: 'revocation'
}
/** Scope and details: 403. */
export class AuthorityError extends TokenError {
  readonly group: 'authority' | 'authentication'
}
/** The user's sign-in is too weak or too old (RFC 9470): 401. */
export class StepUpError extends AuthorityError {
  readonly group: 'authentication'
}
/** Undecided, because keys or stores are missing or stale: 503, never 401. */
export class UnavailableError extends SealgateError {
  readonly blame: 'unavailable'
  readonly group: 'unavailable'
}
/** No usable keys. */
export class KeysUnavailableError extends UnavailableError {
  readonly code: 'keys_unavailable' | 'keys_refreshing'
}
/** Revocation or status cannot be looked up. */
export class RevocationUnavailableError extends UnavailableError {
  readonly code: 'revocation_unavailable' | 'revocation_stale' | 'status_unavailable' | 'status_stale'
}
/** The authorization server is being asked about the token, or cannot be asked. */
export class IntrospectionUnavailableError extends UnavailableError {
  readonly code: 'introspection_pending' | 'introspection_unavailable'
}
/** Used proofs cannot be looked up. */
export class ReplayUnavailableError extends UnavailableError {
  readonly code: 'replay_unavailable' | 'replay_full'
}
/** A policy that does not load. */
export class PolicyError extends SealgateError {
  readonly code: 'policy_invalid'
  readonly blame: 'misuse'
  /** The file, where the document came from one. */
  readonly document: string | null
  /** All of them, in the order of the document. */
  readonly problems: readonly Problem[]
}
/** The calling program is wrong. Also a `TypeError`. */
export class UsageError extends SealgateError {
  readonly code: 'usage'
  readonly blame: 'misuse'
}
/** sealgate is wrong; please report it. */
export class InternalError extends SealgateError {
  readonly code: 'internal'
  readonly blame: 'internal'
}

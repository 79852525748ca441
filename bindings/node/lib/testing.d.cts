/**
 * For your own tests: your real policy, with issuers and agents whose keys the test holds, by a
 * clock that stands still. Nothing sleeps, nothing needs the network.
 *
 * @packageDocumentation
 */
import {
  Duration,
  FixedClock,
  Gate,
  LoadOptions,
  Policy,
  PolicySource,
  RequestParts,
  Requirements,
  Told,
  Verdict,
  Verifier,
} from './index.cjs'

export { FixedClock }

/** How a {@link FakeIssuer} is made. What is wrong is a `UsageError`, which says what is expected. */
export interface IssuerOptions {
  /** What its tokens are dated by. Default: the system's time. */
  readonly clock?: FixedClock | null
  /** A whole number: the same one gives the same keys in every run and every language. Default: 0. */
  readonly seed?: number | null
  /** Default: `"ES256"`. */
  readonly alg?: string | null
  /** What its `kid`s and `jti`s begin with. Default: `"key"`. */
  readonly name?: string | null
}

/**
 * An issuer of your tests. RSA keys are always fresh. Anybody can make the keys of a small seed: a policy
 * that holds those of one below 64 is refused, unless {@link open} or {@link policy} load it.
 */
export class FakeIssuer {
  /** @param issuer its `iss` */
  constructor(issuer: string, options?: IssuerOptions)
  /**
   * An issuer whose metadata and keys are served on this machine, until it is closed. Its `issuer` is
   * the URL it is served at, for `discovery`; or the one that is given, whose keys are then at
   * `jwksUri`. A verifier fetches from there only with
   * `danger: { http_loopback_issuers: true }` and `allowDanger`.
   */
  static serve(options?: IssuerOptions & { readonly issuer?: string }): Promise<ServedIssuer>
  readonly issuer: string
  /** What its tokens are dated by; `null`: the system's time. */
  readonly clock: FixedClock | null
  /** The algorithm it signs with. */
  readonly alg: string
  /** The `kid` it signs with. */
  readonly kid: string
  /** Its time, in whole seconds since 1970. */
  now(): number
  /** The keys it publishes; of a shared secret, the secret. */
  jwks(): { keys: object[] }
  /** Signs with a new key from now on, and publishes it beside `keep` of the old ones, one by default; its `kid`. */
  rotate(options?: { readonly keep?: number | null }): string
  /**
   * Takes a key back; not the last one of a verifier of `open`, which refuses empty sets. It goes on signing
   * with it, as whoever stole one would.
   */
  withdraw(kid: string): void
  /** An access token (RFC 9068). */
  token(options?: TokenOptions): string
  /**
   * A compact JWS over any claims, or over a text or bytes as they are, under the header of an access token,
   * whose members `header` adds to and replaces; `null` and `undefined` there leave one out. A header in bytes
   * is taken as it is. A `bigint` is written as a number.
   */
  sign(payload: object | string | Uint8Array, header?: object | Uint8Array | null): string
}

/**
 * A {@link FakeIssuer} that answers on this machine: what {@link FakeIssuer.serve} resolves to. What
 * `rotate` and `withdraw` do is served from the next fetch on.
 */
export interface ServedIssuer extends FakeIssuer {
  /** Where its JWK Set is. */
  readonly jwksUri: string
  /** Its metadata (RFC 8414, OpenID Connect Discovery). */
  metadata(): Record<string, unknown>
  /** Answers nobody any more. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What a test token says. What is left out is as an honest issuer would have it. */
export interface TokenOptions {
  /** Default: `"u1"`; `null`: none. */
  sub?: string | null
  aud?: string | readonly string[] | null
  scope?: string | null
  /** Who acts, outermost first; a `sub` alone, or an actor without `iss`, is of the token's issuer. */
  act?: ReadonlyArray<string | FakeAgent | { readonly sub: string; readonly iss?: string | null }> | null
  /** What the token is bound to: an agent's key (`cnf.jkt`), or a client certificate, in DER (`cnf.x5t#S256`). */
  bindTo?: FakeAgent | Uint8Array | null
  /** Default: `"5m"`. */
  lifetime?: Duration | null
  /** Default: the outermost actor's `sub`, else `"client-1"`. Of an agent that acts for itself it is its `sub`. */
  clientId?: string | null
  /** Default: `"at+jwt"`; `null`: none. */
  typ?: string | null
  /** Default: counted. */
  jti?: string | null
  /** Seconds since 1970. Default: the clock's time. */
  issuedAt?: number | null
  /** Seconds since 1970. Default: none. */
  notBefore?: number | null
  /** Further claims; they replace those above, and `null` and `undefined` leave one out. A `bigint` is a number. */
  claims?: Readonly<Record<string, unknown>> | null
  /** Further header parameters; they replace `typ: at+jwt`, `alg` and `kid`. */
  header?: Readonly<Record<string, unknown>> | null
}

/** An agent of your tests. It holds a key that tokens can be bound to. */
export class FakeAgent {
  constructor(
    sub: string,
    options?: {
      readonly clock?: FixedClock | null
      readonly iss?: string | null
      readonly seed?: number | null
      readonly alg?: string | null
    }
  )
  readonly sub: string
  /** Its own issuer, where it is not that of the token. */
  readonly iss: string | null
  /** What its proofs are dated by; without one, those for a gate go by the gate's clock. */
  readonly clock: FixedClock | null
  /** Thumbprint of its key. */
  readonly jkt: string
  /** What stands for its client certificate, in DER: the engine compares its hash, and no TLS server would take it. */
  readonly certificate: Uint8Array
  /**
   * A new DPoP proof (RFC 9449) for a request to this URL, made now unless `issuedAt` says when; with the hash
   * of the access token that goes with it. `claims` and `header` add members and replace them.
   */
  proof(
    method: string,
    url: string | URL,
    token?: string | null,
    options?: {
      readonly nonce?: string | null
      readonly issuedAt?: number | null
      readonly claims?: Readonly<Record<string, unknown>> | null
      readonly header?: Readonly<Record<string, unknown>> | null
    }
  ): string
  /**
   * What the agent sends with a request to a gate: the token; and where it is bound to a key, be it another's,
   * a new proof of its own.
   *
   * @param uri a path at the gate's `public_url`, or a whole URL
   * @param options `nonce`: what the server gave in `DPoP-Nonce`
   */
  headers(
    gate: Gate,
    method: string,
    uri: string | URL,
    token: string,
    options?: { readonly nonce?: string | null }
  ): Array<[string, string]>
  /** The gate's verdict on a request of the agent's, with a new proof each time. */
  call(
    gate: Gate,
    method: string,
    uri: string | URL,
    token: string,
    options?: Requirements &
      Told &
      Pick<RequestParts, 'context' | 'clientCertificate'> & { readonly nonce?: string | null }
  ): Verdict
}

/**
 * A verifier for your real policy with the keys of your fakes: each name in `issuers` is an issuer
 * of the policy. Keys come from the fakes alone, and nothing is fetched, after a reload neither; an issuer
 * without a fake has none: its tokens are `keys_unavailable`.
 */
export function open(
  policy: PolicySource,
  options?: LoadOptions & { readonly issuers?: Readonly<Record<string, FakeIssuer>>; readonly clock?: FixedClock }
): Verifier

/** A policy that may hold keys whose private half is published, those of fakes among them, and secrets inline. */
export function policy(source: PolicySource, options?: LoadOptions): Policy

/**
 * Every code that a gate of {@link open} gives, each with what makes requests that give it. `method` and
 * `uri` are those of a route of yours that the gate guards; default: `POST /`. Every request is judged by
 * the gate before it is handed out. That of `replayed` has been accepted once: it is refused by whoever
 * shares the gate's memory of used proofs, as a service does that has this verifier.
 */
export function refusals(
  gate: Gate,
  options?: { readonly method?: string; readonly uri?: string }
): Array<[code: string, call: Refusal]>

/** Every code that a gate of {@link open} does not give, each with the reason. */
export function unreachable(gate: Gate): Record<string, string>

/**
 * Makes requests that a gate refuses with one code, each when it is asked for: tokens are issued and proofs
 * made for it, so it can be used whenever and as often as one likes, in any order. A call makes one; each
 * property is that of a request made for it.
 */
export interface Refusal extends RefusedRequest {
  (): RefusedRequest
}

/** A request that must be refused, and the answer it must get. */
export interface RefusedRequest {
  readonly code: string
  readonly method: string
  readonly uri: string
  /** Pairs; none where tokens of the gate's kind come in no field. */
  readonly headers: Array<[string, string]>
  /** The token by itself; none where the request lacks one. */
  readonly token: string | null
  /** The tokens that it comes from, for `verifyRequest`. */
  readonly context: Array<{ kind: string; token: string }>
  /** Stands for the certificate of the connection: the engine compares its hash, and no TLS server would take it. */
  readonly clientCertificate: Uint8Array | null
  /** Of a capability: the proof beside it in the content, and the tool that is called. */
  readonly proof: string | null
  readonly tool: string | null
  /** What your service must answer. */
  readonly httpStatus: number
  readonly answerHeaders: Readonly<Record<string, string>>
  readonly answerBody: string
}

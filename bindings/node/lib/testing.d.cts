/**
 * For your own tests: your real policy, with issuers and agents whose keys the test holds, by a
 * clock that stands still. Nothing sleeps, nothing needs the network.
 *
 * @packageDocumentation
 */
import { Duration, FixedClock, Gate, LoadOptions, PolicySource, Token, Verdict, Verifier } from './index.cjs'

export { FixedClock }

/** How a {@link FakeIssuer} is made. */
export interface IssuerOptions {
  readonly clock?: FixedClock
  readonly seed?: number
  readonly alg?: string
  readonly name?: string
}

/** An issuer of your tests. */
export class FakeIssuer {
  /**
   * @param issuer its `iss`
   * @param options `seed`: the same one gives the same keys in every run and every language (RSA keys are
   * always fresh), 0 by default; `alg`: default `"ES256"`; `clock`: what its tokens are dated by, the
   * system's by default; `name`: what its `kid`s and `jti`s begin with, `"key"` by default
   */
  constructor(issuer: string, options?: IssuerOptions)
  /**
   * An issuer whose metadata and keys are served on this machine, until it is closed. Its `issuer` is
   * the URL it is served at, for `discovery`; or the one that is given, whose keys are then at
   * `jwksUri`. A verifier fetches from there only with
   * `danger: { http_loopback_issuers: true }` and `allowDanger`.
   */
  static serve(options?: IssuerOptions & { readonly issuer?: string }): Promise<ServedIssuer>
  readonly issuer: string
  /** The algorithm it signs with. */
  readonly alg: string
  /** The `kid` it signs with. */
  readonly kid: string
  /** The keys it publishes. */
  jwks(): { keys: object[] }
  /** Signs with a new key from now on, and publishes it beside `keep` of the old ones, one by default; its `kid`. */
  rotate(options?: { readonly keep?: number }): string
  /**
   * Takes a key back; not the last one of a verifier of `open`, which refuses empty sets. It goes on signing
   * with it, as whoever stole one would.
   */
  withdraw(kid: string): void
  /** An access token (RFC 9068). */
  token(options?: TokenOptions): string
  /** A compact JWS over any claims, or over a text as it is. */
  sign(payload: object | string, header?: object): string
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
  aud?: string | readonly string[]
  scope?: string
  /** Who acts, outermost first; a `sub` alone, or an actor without `iss`, is of the token's issuer. */
  act?: ReadonlyArray<string | { readonly sub: string; readonly iss?: string }>
  /** `cnf.jkt`: binds the token to the agent's key. */
  bindTo?: { readonly jkt: string }
  /** Default: `"5m"`. */
  lifetime?: Duration
  /** Default: the outermost actor's `sub`, else `sub`. */
  clientId?: string
  /** Default: `"at+jwt"`; `null`: none. */
  typ?: string | null
  /** Default: counted. */
  jti?: string
  /** Seconds since 1970. Default: the clock's time. */
  issuedAt?: number
  notBefore?: number
  /** Further claims; they replace those above, and `undefined` leaves one out. */
  claims?: Readonly<Record<string, unknown>>
  /** Further header parameters; they replace `typ: at+jwt`, `alg` and `kid`. */
  header?: Readonly<Record<string, unknown>>
}

/** An agent of your tests. It holds a key that tokens can be bound to. */
export class FakeAgent {
  constructor(
    sub: string,
    options?: { readonly clock?: FixedClock; readonly iss?: string; readonly seed?: number; readonly alg?: string }
  )
  readonly sub: string
  readonly iss?: string
  /** Thumbprint of its key. */
  readonly jkt: string
  /**
   * `Authorization` of a request with this token; for a token that is bound to its key under `DPoP`,
   * with a new proof.
   *
   * @param url the whole URL; `nonce`: what the server gave in `DPoP-Nonce`
   */
  headers(method: string, url: string | URL, token: string, options?: { readonly nonce?: string }): Array<[string, string]>
  /** Presents a token at a gate of {@link open}: a request with {@link FakeAgent.headers}. */
  call(gate: Gate, method: string, uri: string, token: string): Verdict
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

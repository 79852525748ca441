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
}

/** An issuer of your tests. */
export class FakeIssuer {
  /**
   * @param issuer its `iss`
   * @param options `seed`: the same one gives the same keys in every run (RSA keys are always
   * fresh); `alg`: default `"ES256"`; `clock`: what its tokens are dated by, the system's by default
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
  readonly kid: string | undefined
  /** The keys it publishes. */
  jwks(): { keys: object[] }
  /** Signs with a new key from now on, and publishes it beside the old ones; its `kid`. */
  rotate(): string
  /** Takes a key back; not the last one of a verifier of `open`, which refuses empty sets. */
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
  sub?: string
  aud?: string | readonly string[]
  scope?: string
  /** Who acts, outermost first; an actor without `iss` is of the token's issuer. */
  act?: ReadonlyArray<{ readonly sub: string; readonly iss?: string }>
  /** `cnf.jkt`: binds the token to the agent's key. */
  bindTo?: { readonly jkt: string }
  /** Default: `"5m"`. */
  lifetime?: Duration
  /** Default: the outermost actor's `sub`, else `sub`. */
  clientId?: string
  /** Default: counted. */
  jti?: string
  /** Seconds since 1970. Default: the clock's time. */
  issuedAt?: number
  notBefore?: number
  /** Further claims; they replace those above. */
  claims?: Readonly<Record<string, unknown>>
  /** Further header parameters; they replace `typ: at+jwt`, `alg` and `kid`. */
  header?: Readonly<Record<string, unknown>>
}

/** An agent of your tests. It holds a key that tokens can be bound to. */
export class FakeAgent {
  constructor(sub: string, options?: { readonly clock?: FixedClock; readonly iss?: string; readonly seed?: number })
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
 * of the policy. Keys come from the fakes alone; an issuer without one has none.
 */
export function open(
  policy: PolicySource,
  options?: LoadOptions & { readonly issuers?: Readonly<Record<string, FakeIssuer>>; readonly clock?: FixedClock }
): Verifier

/** Every refusal that a gate of {@link open} gives for a request or its token, each with a request that meets it. */
export function refusals(gate: Gate): IterableIterator<[code: string, call: Refusal]>

/** A request that must be refused. */
export interface Refusal {
  readonly method: string
  readonly uri: string
  readonly headers: Readonly<Record<string, string>>
  /** The token, where it is refused for its own sake. */
  readonly token: string | undefined
  /** What your service must answer. */
  readonly httpStatus: number
}

/**
 * jose's `jwtVerify`, `createLocalJWKSet` and `createRemoteJWKSet`, over a gate: change one import. Where sealgate is
 * stricter, it stays so: the README has the list.
 *
 * @packageDocumentation
 */
import { KeyObject, webcrypto } from 'node:crypto'

/** A JWK Set made ready for {@link jwtVerify}. */
export interface LocalJWKSet {
  (): never
  /** A copy of the set. */
  jwks(): { keys: object[] }
}

/**
 * @throws JWKSInvalid
 */
export function createLocalJWKSet(jwks: { keys: object[] }): LocalJWKSet

/** jose's options, in milliseconds, and one of ours. */
export interface RemoteJWKSetOptions {
  /** How long a call waits for a fetch, which ends by itself after ten seconds. Default: 5,000. */
  timeoutDuration?: number
  /** How long after a fetch an unknown `kid` causes no other. Default: 30,000. */
  cooldownDuration?: number
  /** How long a set is used before it is fetched again. Default: 600,000. */
  cacheMaxAge?: number
  /** The host of the URL, where its address is not public. Link-local addresses are refused all the same. */
  allowHosts?: string[]
}

/** A JWK Set that {@link jwtVerify} fetches when a token needs it. */
export interface RemoteJWKSet {
  (): never
  /** A copy of the set; undefined until it was fetched. */
  jwks(): { keys: object[] } | undefined
  /**
   * Fetches it now; joins a fetch that runs.
   *
   * @throws JWKSTimeout, JWKSInvalid, JOSEError, each with a `KeysUnavailableError` as its `cause`;
   * `KeysUnavailableError` where nobody answers; `UsageError` where the URL may not be fetched from
   */
  reload(): Promise<void>
  /** Whether it is younger than `cacheMaxAge`. */
  readonly fresh: boolean
  /** Whether it is younger than `cooldownDuration`. */
  readonly coolingDown: boolean
  /** Whether it is being fetched. */
  readonly reloading: boolean
}

/**
 * A set at a URL, `https:` or `http:` on this machine. Any other, and an address that is not public, is a
 * `UsageError` of the call that fetches.
 */
export function createRemoteJWKSet(url: URL, options?: RemoteJWKSetOptions): RemoteJWKSet

/** jose's options. Whole seconds of durations are used. */
export interface JWTVerifyOptions {
  /** Required. */
  issuer: string | string[]
  /** Required. */
  audience: string | string[]
  /** Default: every asymmetric algorithm. Required for RSA keys without `alg`. */
  algorithms?: string[]
  /** Default: absent or `JWT`. */
  typ?: string
  /** Seconds, or a text with a unit, as `"5 minutes"`; at most 300 s. Default: 0. */
  clockTolerance?: number | string
  /** Seconds, or a text with a unit. */
  maxTokenAge?: number | string
  requiredClaims?: string[]
  /** Whole seconds of it are used. */
  currentDate?: Date
}

/** What jose resolves to. */
export interface JWTVerifyResult {
  payload: JWTPayload
  protectedHeader: { alg: string; kid?: string; typ?: string; [name: string]: unknown }
}

/** Claims. */
export interface JWTPayload {
  iss?: string
  sub?: string
  aud?: string | string[]
  jti?: string
  nbf?: number
  exp?: number
  iat?: number
  [name: string]: unknown
}

/** Verifies the signature and the claims of a token. */
export function jwtVerify(
  jwt: string | Uint8Array,
  key: LocalJWKSet | RemoteJWKSet | KeyObject | webcrypto.CryptoKey | object,
  options: JWTVerifyOptions
): Promise<JWTVerifyResult>

/** jose's error classes; each has sealgate's error as its `cause`. */
export namespace errors {
  class JOSEError extends Error {
    static code: string
    code: string
  }
  class JWTClaimValidationFailed extends JOSEError {
    claim: string
    reason: string
  }
  class JWTExpired extends JOSEError {
    claim: string
    reason: string
  }
  class JOSEAlgNotAllowed extends JOSEError {}
  class JOSENotSupported extends JOSEError {}
  class JWSInvalid extends JOSEError {}
  class JWTInvalid extends JOSEError {}
  class JWKSInvalid extends JOSEError {}
  class JWKSMultipleMatchingKeys extends JOSEError {}
  class JWKSTimeout extends JOSEError {}
  class JWKSNoMatchingKey extends JOSEError {}
  class JWSSignatureVerificationFailed extends JOSEError {}
}

'use strict'
// jose's error classes, and which of them a refusal is.

class JOSEError extends Error {
  static code = 'ERR_JOSE_GENERIC'

  constructor(message, options) {
    super(message, options)
    this.name = this.constructor.name
    this.code = this.constructor.code
  }
}

class ClaimError extends JOSEError {
  constructor(message, options) {
    super(message, options)
    const { claim, reason } = options
    Object.assign(this, { claim, reason })
  }
}

const classes = {
  JOSEError,
  JWTClaimValidationFailed: class JWTClaimValidationFailed extends ClaimError {
    static code = 'ERR_JWT_CLAIM_VALIDATION_FAILED'
  },
  JWTExpired: class JWTExpired extends ClaimError {
    static code = 'ERR_JWT_EXPIRED'
  },
  JOSEAlgNotAllowed: class JOSEAlgNotAllowed extends JOSEError {
    static code = 'ERR_JOSE_ALG_NOT_ALLOWED'
  },
  JOSENotSupported: class JOSENotSupported extends JOSEError {
    static code = 'ERR_JOSE_NOT_SUPPORTED'
  },
  JWSInvalid: class JWSInvalid extends JOSEError {
    static code = 'ERR_JWS_INVALID'
  },
  JWTInvalid: class JWTInvalid extends JOSEError {
    static code = 'ERR_JWT_INVALID'
  },
  JWKSInvalid: class JWKSInvalid extends JOSEError {
    static code = 'ERR_JWKS_INVALID'
  },
  JWKSNoMatchingKey: class JWKSNoMatchingKey extends JOSEError {
    static code = 'ERR_JWKS_NO_MATCHING_KEY'
  },
  JWKSMultipleMatchingKeys: class JWKSMultipleMatchingKeys extends JOSEError {
    static code = 'ERR_JWKS_MULTIPLE_MATCHING_KEYS'
  },
  JWKSTimeout: class JWKSTimeout extends JOSEError {
    static code = 'ERR_JWKS_TIMEOUT'
  },
  JWSSignatureVerificationFailed: class JWSSignatureVerificationFailed extends JOSEError {
    static code = 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'
  },
}

// By code: the class; of claims also which claim and jose's word for what is wrong with it.
const FAILED = 'JWTClaimValidationFailed'
const TABLE = {
  no_token: ['JWSInvalid'],
  multiple_credentials: ['JWSInvalid'],
  token_in_query: ['JWSInvalid'],
  malformed_request: ['JWSInvalid'],
  malformed_token: ['JWSInvalid'],
  oversized: ['JWSInvalid'],
  nesting_too_deep: ['JWTInvalid'],
  duplicate_member: ['JWTInvalid'],
  unsupported_serialization: ['JWSInvalid'],
  unsupported_crit: ['JOSENotSupported'],
  encrypted_not_supported: ['JWSInvalid'],
  alg_not_allowed: ['JOSEAlgNotAllowed'],
  alg_key_mismatch: ['JWKSNoMatchingKey'],
  key_not_found: ['JWKSNoMatchingKey'],
  key_use_mismatch: ['JWKSNoMatchingKey'],
  weak_key: ['JWKSNoMatchingKey'],
  bad_signature: ['JWSSignatureVerificationFailed'],
  typ_mismatch: [FAILED, 'typ', 'check_failed'],
  wrong_token_kind: [FAILED, undefined, 'check_failed'],
  missing_claim: [FAILED, undefined, 'missing'],
  claim_type: [FAILED, undefined, 'invalid'],
  forbidden_claim: [FAILED, undefined, 'check_failed'],
  iss_untrusted: [FAILED, 'iss', 'check_failed'],
  aud_mismatch: [FAILED, 'aud', 'check_failed'],
  expired: ['JWTExpired', 'exp', 'check_failed'],
  not_yet_valid: [FAILED, 'nbf', 'check_failed'],
  issued_in_future: [FAILED, 'iat', 'check_failed'],
  too_old: ['JWTExpired', 'iat', 'check_failed'],
  lifetime_too_long: [FAILED, 'exp', 'check_failed'],
  replayed: [FAILED, 'jti', 'check_failed'],
  pop_required: [FAILED, 'cnf', 'check_failed'],
  pop_mismatch: [FAILED, 'cnf', 'check_failed'],
  pop_invalid: [FAILED, 'cnf', 'check_failed'],
  nonce_required: [FAILED, 'cnf', 'check_failed'],
  actor_missing: [FAILED, 'act', 'missing'],
  actor_malformed: [FAILED, 'act', 'invalid'],
  chain_too_deep: [FAILED, 'act', 'check_failed'],
  chain_loop: [FAILED, 'act', 'check_failed'],
  chain_incomplete: [FAILED, 'act', 'check_failed'],
  chain_link_broken: [FAILED, 'act', 'check_failed'],
  subject_changed: [FAILED, 'sub', 'check_failed'],
  attenuation_scope: [FAILED, 'scope', 'check_failed'],
  attenuation_details: [FAILED, 'authorization_details', 'check_failed'],
  attenuation_time: [FAILED, 'exp', 'check_failed'],
  attenuation_audience: [FAILED, 'aud', 'check_failed'],
  intent_mismatch: [FAILED, undefined, 'check_failed'],
  txn_mismatch: [FAILED, 'txn', 'check_failed'],
  may_act_mismatch: [FAILED, 'may_act', 'check_failed'],
  actor_not_allowed: [FAILED, 'act', 'check_failed'],
  actor_presenter_mismatch: [FAILED, 'act', 'check_failed'],
  operation_denied: [FAILED, undefined, 'check_failed'],
  posture_mismatch: [FAILED, undefined, 'check_failed'],
  token_passthrough: [FAILED, undefined, 'check_failed'],
  revoked: [FAILED, undefined, 'check_failed'],
  inactive: [FAILED, undefined, 'check_failed'],
  suspended: [FAILED, undefined, 'check_failed'],
  insufficient_scope: [FAILED, 'scope', 'check_failed'],
  insufficient_user_authentication: [FAILED, 'acr', 'check_failed'],
}

/**
 * jose's error for a refusal, about `claim` where we have no name for it. An outage or a fault stays what
 * it is: it is no bad token.
 */
function translate(cause, claim) {
  const [name, fixed, reason] = TABLE[cause.code] ?? []
  if (name === undefined) return cause
  const options = { cause, claim: fixed ?? cause.claim ?? claim, reason }
  return new classes[name](cause.reason, options)
}

module.exports = { classes, translate, ...classes, TABLE }

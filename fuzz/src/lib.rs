//! What the targets share: a door that any signature opens, and second opinions to hold against.

#[path = "../../benches/src/always_yes.rs"]
pub mod always_yes;
pub mod naive;
pub mod proofs;
#[path = "../../benches/src/stored.rs"]
pub mod stored;
pub mod strict;

use std::sync::Arc;

use sealgate::{Clock, Code, FixedClock, Format, Gate, Policy, Verdict, Verifier};

/// The moment at which everything happens: 15 January 2027.
pub const NOW: i64 = 1_800_000_000;

/// The one header the door takes, apart from spelling.
pub const HEADER: &str = r#"{"alg":"ES256","kid":"k","typ":"at+jwt"}"#;

/// Claims that the door takes.
pub const CLAIMS: &str = concat!(
    r#"{"iss":"https://issuer.example","sub":"user-1","aud":"https://api.example","#,
    r#""client_id":"agent-1","iat":1799999900,"exp":1800000900,"jti":"t-1","#,
    r#""act":{"sub":"agent-1"}}"#
);

/// A key set with one key; the always-yes provider does not mind that nobody can sign with it.
pub const KEYS: &str = concat!(
    r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"k","alg":"ES256","#,
    r#""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#,
    r#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#
);

/// One issuer whose keys are pushed, one door, a token cache of `cache` entries.
pub fn policy(cache: usize, leeway: u8) -> Policy {
    let policy = format!(
        r#"{{"version":1,"preset":"rfc","leeway":"{leeway}s","cache":{{"tokens":{cache}}},
            "issuers":{{"issuer":{{"issuer":"https://issuer.example","algorithms":["ES256"],"jwks_push":"process"}}}},
            "gates":{{"door":{{"profile":"access_token","audience":"https://api.example",
                "issuers":["issuer"],"delegation":"surface"}}}}}}"#
    );
    Policy::parse(policy, Format::Json).unwrap()
}

/// A verifier for [`policy`] that takes its time from `clock`.
pub fn verifier(cache: usize, clock: &Arc<FixedClock>) -> Verifier {
    let clock = Clock::Fixed(Arc::clone(clock));
    Verifier::with_clock(policy(cache, 0), always_yes::provider(), clock).unwrap()
}

/// The door at [`NOW`], with the keys of [`KEYS`].
pub fn door(cache: usize) -> Gate {
    let verifier = verifier(cache, &Arc::new(FixedClock::new(NOW)));
    let keys = sealgate::jwk::JwkSet::parse(KEYS.as_bytes()).unwrap();
    verifier.keys().publish("issuer", &keys).unwrap();
    verifier.gate("door").unwrap()
}

/// A compact JWS of these parts, its signature as long as ES256 wants it.
pub fn token(header: &[u8], payload: &[u8]) -> String {
    let signature = [0x5a; 64];
    [header, payload, &signature].map(naive::encode).join(".")
}

/// The code of a verdict; equal codes are equal verdicts.
pub fn code(verdict: &Verdict) -> &'static str {
    verdict.code()
}

/// Whether a refusal only says that a bound was reached, which second opinions do not have.
pub fn is_bound(code: Code) -> bool {
    matches!(code, Code::NestingTooDeep | Code::Oversized)
}

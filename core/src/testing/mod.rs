//! For tests of programs that verify with sealgate: issuers and agents whose keys the test holds,
//! and a request for every code that a gate can give (feature `testing`, never for production).
//!
//! ```
//! use std::sync::Arc;
//!
//! use sealgate::jwk::JwkSet;
//! use sealgate::testing::{self, FakeIssuer, FakeOptions, FakeToken, Route};
//! use sealgate::{Clock, FixedClock, Format, LoadOptions, Policy, Verifier, crypto};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let document = r#"{ "version": 1,
//! #     "issuers": { "corp": { "issuer": "https://login.example.com", "algorithms": ["ES256"],
//! #                            "discovery": "oauth" } },
//! #     "gates": { "tools": { "profile": "access_token", "issuers": ["corp"],
//! #                           "audience": "https://api.example.com/mcp" } } }"#;
//! let clock = Arc::new(FixedClock::new(1_800_000_000));
//! let options = FakeOptions::new().clock(Clock::Fixed(Arc::clone(&clock))).seed(1);
//! let corp = FakeIssuer::new("https://login.example.com", options)?;
//!
//! // Your own policy, with the keys of the fake in place of the issuer's.
//! let policy = Policy::parse_with(document, Format::Json, &LoadOptions::new().push_all_keys(true))?;
//! let provider = crypto::aws_lc::provider();
//! let verifier = Verifier::with_clock(policy, provider, Clock::Fixed(clock))?;
//! verifier.keys().publish("corp", &JwkSet::parse(corp.jwks().as_bytes())?)?;
//! let tools = verifier.gate("tools")?;
//!
//! let jwt = corp.token(&FakeToken { aud: vec!["https://api.example.com/mcp".into()], ..FakeToken::default() })?;
//! assert_eq!(tools.verify(&jwt)?.subject(), Some("u1"));
//!
//! // Send each to your program, and compare its answer with what it must be.
//! for refusal in testing::refusals(&tools, &[("corp", corp)], &Route::default())?.iter() {
//!     let call = refusal.call()?;
//!     println!("{} {} {:?}", call.method(), call.uri(), call.headers());
//!     assert_eq!(call.answer().status, refusal.http_status());
//! }
//! # Ok(())
//! # }
//! ```

mod agent;
mod arguments;
mod claims;
mod draft;
mod forge;
mod issuer;
mod lineage;
mod members;
mod recipes;
mod refusal;

pub use agent::{FakeAgent, FakeProof};
pub use arguments::{Argument, MOST};
pub use issuer::{FakeActor, FakeIssuer, FakeOptions, FakeToken};
pub use members::FakeMembers;
pub use refusal::{Call, NoRefusals, Refusal, Refusals, Route, refusals};

use crate::crypto::SigningKey;
use crate::crypto::fakes::fake_seed;
use crate::encoding::base64url;
use crate::jwa::Algorithm;
use crate::jwk::KeyError;

/// A compact JWS over these octets.
fn signed(key: &SigningKey, header: &[u8], payload: &[u8]) -> Result<String, KeyError> {
    crate::mint::sign(key, &(base64url::encode(header) + "."), payload)
}

/// The key that a name and numbers stand for, the same in every run and every language; of RSA a
/// fresh one, since its keys come of a search for primes.
fn seeded_key(
    algorithm: Algorithm,
    name: &str,
    seed: u64,
    number: u64,
) -> Result<SigningKey, KeyError> {
    let seed = fake_seed(name, seed, number);
    SigningKey::from_seed(algorithm, &seed).or_else(|_| SigningKey::generate(algorithm))
}

#[cfg(test)]
mod tests;

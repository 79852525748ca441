//! Verifies the tokens that AI agents present, in microseconds and without calling anyone: is it
//! genuine, is it meant for me, who acts for whom.
//!
//! A [`Policy`] says which issuers are trusted for what, and describes the doors of a service, its
//! [gates](Gate). A [`Verifier`] puts a policy, a [provider of
//! cryptography](crypto::CryptoProvider) and a clock together; its gates judge tokens.
//!
//! ```
//! use sealgate::mint::{ClaimsBuilder, Minter};
//! use sealgate::{Clock, Format, Policy, Span, Verifier, crypto, jwa::Algorithm};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In life the key is the issuer's, and the policy names a file with its public half.
//! let key = crypto::SigningKey::generate(Algorithm::Es256)?.with_kid("k1");
//! let policy = Policy::parse(
//!     format!(
//!         r#"{{ "version": 1,
//!            "issuers": {{ "corp": {{ "issuer": "https://login.example.com",
//!                                  "algorithms": ["ES256"], "jwks": {{ "keys": [{}] }} }} }},
//!            "gates": {{ "tools": {{ "profile": "access_token", "issuers": ["corp"],
//!                                 "audience": "https://api.example.com/mcp",
//!                                 "delegation": "surface" }} }} }}"#,
//!         key.public_jwk().ok_or("a shared key")?.to_json()
//!     ),
//!     Format::Json,
//! )?;
//! let verifier = Verifier::new(policy, crypto::aws_lc::provider())?;
//! let tools = verifier.gate("tools")?; // a typo fails here, when the program starts
//!
//! let minter = Minter::new(key).with_typ("at+jwt");
//! let claims = ClaimsBuilder::new()
//!     .issuer("https://login.example.com")
//!     .subject("u1")
//!     .client_id("agent-a")
//!     .audience(["https://api.example.com/mcp"])
//!     .lifetime(Clock::System.now(), Span::from_seconds(300))
//!     .jwt_id("j1")
//!     .actor("https://login.example.com", "agent-a");
//! let jwt = minter.mint(&claims)?;
//!
//! let token = tools.verify(&jwt)?;
//! assert_eq!(token.subject(), Some("u1"));
//! assert_eq!(token.actor().map(|actor| actor.sub()), Some("agent-a"));
//!
//! // One character more or less, and it is nobody's token.
//! assert_eq!(tools.judge(&jwt[1..]).code(), "malformed_token");
//! # Ok(())
//! # }
//! ```
//!
//! Three answers, not two: a token is accepted, refused, or [undecided](Verdict::Undecided) because
//! keys are missing. Only a refusal is the token's fault; [`Gate::answer`] makes the HTTP answer of
//! each.
//!
//! # Features
//!
//! | feature | default | what for |
//! |---|---|---|
//! | `aws-lc-rs` | yes | [`crypto::aws_lc`]: every algorithm of the table |
//! | `feed-nats` | no | stores that a fleet shares, in NATS JetStream |
//! | `feed-redis` | no | stores that a fleet shares, in Redis or Valkey |
//! | `mint` | yes | [`mint`] and [`crypto::SigningKey`]: for tests, tools and token services |
//! | `remote` | no | keys fetched over HTTPS, ahead of need: `discovery` and `jwks_uri` |
//! | `ring` | no | `crypto::ring`: quicker to build; without ES512, ES256K and ML-DSA |
//! | `testing` | no | `testing`: issuers whose keys a test holds, a request for every refusal |
//!
//! Providers are arguments, so enabling a feature changes nothing but what can be named.
//!
//! # What is not checked
//!
//! Proofs of possession are checked by [`Gate::verify_request`]; [`Gate::verify`] refuses a token
//! that needs one. Of what belongs to one exchange the caller compares, after the verdict: the
//! `nonce` and `at_hash` of an ID token, the `client_id` that came with a client assertion.
#![forbid(unsafe_code, unused_must_use)]
#![warn(
    missing_docs,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm
)]
#![cfg_attr(
    test,
    allow(
        clippy::as_conversions,
        clippy::wildcard_enum_match_arm,
        reason = "tests read tables of ours, not strangers' bytes"
    )
)]

mod batch;
mod binding;
mod cache;
mod claims;
pub mod crypto;
mod delegation;
mod encoding;
mod error;
mod events;
mod feed;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::feed::file_store;
}
mod introspection;
pub mod jwa;
pub mod jwk;
mod jws;
mod keys;
mod limits;
pub mod manual;
#[cfg(feature = "mint")]
pub mod mint;
mod observe;
mod open;
mod policy;
mod receiver;
#[cfg(feature = "remote")]
pub mod remote;
mod replay;
mod revocation;
#[cfg(feature = "remote")]
mod runtime;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
#[cfg(any(feature = "feed-nats", feature = "feed-redis", feature = "remote"))]
mod tls;
mod verifier;
mod wire;

pub use batch::Batch;
pub use binding::{Possession, ReplayAnswer, ReplayReach};
pub use cache::CacheStats;
pub use claims::{Audience, Claim, Scopes};
pub use delegation::{Actor, ApprovedIntent, Dimension, Operation};
pub use encoding::json::{
    Elements as JsonElements, JsonKind, Members as JsonMembers, Value as JsonValue,
};
pub use error::{Blame, Code, Error, Group};
pub use feed::{Evicts, Following, ProofStore, ProofTrial, Store, StoreError};
pub use limits::Limits;
pub use observe::{Event, Observer};
pub use policy::{
    Discovery, Format, GateSummary, IssuerSummary, Kind, Lineage, LoadOptions, Policy, PolicyError,
    PolicySummary, Preset, Problem, Profile, Warning,
};
pub use receiver::{Delivery, PollError, Polled, Poller, Receiver, ReceiverError};
pub use revocation::{
    Change, ChangeError, Handle, HandleKind, RevocationStats, StatusList, StatusListError,
};
pub use time::{Clock, FixedClock, NumericDate, Span};
#[cfg(feature = "remote")]
pub use verifier::NotReady;
pub use verifier::{
    Advice, AppliedEvent, BatchSnapshot, Begun, ContextToken, EventChange, Explanation, Gate,
    Grounds, Inquiry, IssuerKey, Jws, KeyState, Keys, Mark, Misfit, Outcome, Pending, PublishError,
    Receipt, Request, Requirements, Revocation, RevocationCheck, RevocationReceipt, Revocations,
    RevokeError, Sitting, SnapshotId, Stage, Step, StoreState, SubjectKind, Traced, Undelivered,
    UnknownGate, UnverifiedToken, Verdict, VerifiedBy, VerifiedToken, Verifier, inspect,
    verify_jws,
};
pub use wire::Answer;

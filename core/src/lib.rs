//! Verifies the tokens AI agents present.
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

mod batch;
mod binding;
mod cache;
mod claims;
pub mod crypto;
mod delegation;
mod encoding;
mod error;
pub mod jwa;
pub mod jwk;
mod jws;
mod keys;
mod limits;
#[cfg(feature = "mint")]
pub mod mint;
mod policy;
mod revocation;
mod sync;
mod time;
mod verifier;
mod wire;

pub use batch::Batch;
pub use cache::CacheStats;
pub use claims::{Audience, Claim, Scopes};
pub use delegation::Actor;
pub use error::{Blame, Code, Error, Group};
pub use limits::Limits;
pub use policy::{
    Format, GateSummary, IssuerSummary, Kind, LoadOptions, Policy, PolicyError, PolicySummary,
    Preset, Problem, Profile, Warning,
};
pub use time::{Clock, FixedClock, NumericDate, Span};
pub use verifier::{
    Advice, Explanation, Gate, IssuerKeys, Jws, KeyState, Keys, Lineage, Outcome, Possession,
    PublishError, Receipt, Requirements, SnapshotId, Stage, Step, SubjectKind, UnverifiedToken,
    Verdict, VerifiedToken, Verifier, inspect, verify_jws,
};
pub use wire::Answer;

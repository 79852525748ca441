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

mod cache;
mod claims;
mod delegation;
mod jws;
pub mod crypto;
mod encoding;
mod error;
pub mod jwa;
pub mod jwk;
mod keys;
mod limits;
mod policy;
mod sync;
mod time;

pub use claims::Claim;
pub use error::{Blame, Code, Error, Group};
pub use limits::Limits;
pub use policy::{
    Format, Kind, LoadOptions, Policy, PolicyError, Preset, Problem, Profile, Warning,
};
pub use time::{Clock, FixedClock, NumericDate, Span};

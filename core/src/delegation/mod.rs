//! Delegation (RFC 8693 §4.1): who acts for whom.
//!
//! Access decisions use the outermost actor only; inner actors are informational and may only end
//! a token's validity (TX-02).

mod actor;

pub use actor::Actor;
pub(crate) use actor::{ChainAccepted, check};

//! Delegation (RFC 8693 §4.1): who acts for whom.
//!
//! Access decisions use the outermost actor only; inner actors are informational and may only end
//! a token's validity (TX-02).

mod actor;
mod chain;
mod presenter;
mod rules;

pub use actor::Actor;
pub(crate) use chain::{ChainAccepted, check};
pub(crate) use presenter::{Presenter, PresenterAccepted, check_presenter};

//! The manual: how the engine is built, what it defends against, and how to run it.
//!
//! These pages are documentation only; they hold no code.

#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("threat_model.md")]
pub mod threat_model {}

#[doc = include_str!("policies.md")]
pub mod policies {}

#[doc = include_str!("kinds.md")]
pub mod kinds {}

#[doc = include_str!("delegation.md")]
pub mod delegation {}

#[doc = include_str!("possession.md")]
pub mod possession {}

#[cfg(feature = "remote")]
#[doc = include_str!("fetched_keys.md")]
pub mod fetched_keys {}

#[cfg(feature = "remote")]
#[doc = include_str!("introspection.md")]
pub mod introspection {}

#[doc = include_str!("rotation.md")]
pub mod rotation {}

#[doc = include_str!("revocation.md")]
pub mod revocation {}

#[doc = include_str!("audit.md")]
pub mod audit {}

#[doc = include_str!("tuning.md")]
pub mod tuning {}

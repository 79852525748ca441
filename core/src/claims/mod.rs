//! The registered claims the engine knows, and views over them.

mod registered;

pub use registered::Claim;
pub(crate) use registered::ClaimSet;

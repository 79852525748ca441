//! Verification keys, one immutable set an issuer.
//!
//! A key only ever verifies for the issuer whose set holds it, and only under the one algorithm it
//! was bound to when it was loaded (ALG-03, KEY-01).

mod absent;
mod bell;
mod ring;
mod set;
mod watch;

#[cfg(feature = "remote")]
pub(crate) use bell::Background;
pub(crate) use bell::Bell;
pub(crate) use ring::KeyRing;
pub(crate) use set::{KeySet, SetKey};
pub(crate) use watch::Watch;
#[cfg(feature = "remote")]
pub(crate) use watch::{Phase, Report};

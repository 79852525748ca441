//! Verification keys, one immutable set an issuer.
//!
//! A key only ever verifies for the issuer whose set holds it, and only under the one algorithm it
//! was bound to when it was loaded (ALG-03, KEY-01).

mod ring;
mod set;

pub(crate) use ring::KeyRing;
pub(crate) use set::{KeySet, SetKey};

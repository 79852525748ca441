//! The native half of the npm package `sealgate`: free functions over handles, for `lib/` alone.
//!
//! It translates and decides nothing. What JavaScript passes in is checked there; what comes out is
//! a handle, a number or a JSON text, since those are what crosses the border at least cost. A call
//! that can fail for the caller's sake returns the reasons as a JSON text in place of its result.
//!
//! Unsafe code is in [`memory`] and [`text`] and nowhere else.
#![deny(unsafe_code, unused_must_use)]

mod batch;
mod error;
mod events;
mod fetch;
mod gate;
mod inquiry;
mod jws;
mod key;
mod keys;
mod memory;
mod policy;
mod receiver;
mod revocations;
mod shelf;
mod testing;
mod text;
mod token;
mod verifier;

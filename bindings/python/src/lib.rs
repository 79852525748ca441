//! The sealgate engine for Python: it translates, and decides nothing.
//!
//! Values cross the border late. A call borrows the token's bytes in place, the core judges them,
//! and what comes back is a handle whose views are made when they are first asked for and then
//! kept. The interpreter is let go of only for what takes long: a token seen for the first time, a
//! batch.
#![forbid(unsafe_code, unused_must_use)]

mod batch;
mod calls;
mod chain;
mod clock;
mod errors;
mod events;
mod explain;
mod fetch;
mod frozen;
mod gate;
mod input;
mod inquiry;
mod jws;
mod key;
mod keys;
mod policy;
mod pool;
mod receiver;
mod request;
mod revocations;
mod testing;
mod token;
mod verdict;
mod verifier;
mod waiting;

use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

/// The interpreter that came first, by the address of its `sys`.
static FIRST: AtomicUsize = AtomicUsize::new(0);

/// The compiled half of `sealgate`; its names are public only through the package.
#[pymodule(gil_used = false)]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::batch::{Batch, BatchSnapshot};
    #[pymodule_export]
    use super::clock::FixedClock;
    #[cfg(feature = "provoke-panic")]
    #[pymodule_export]
    use super::errors::provoke_panic;
    #[pymodule_export]
    use super::errors::{Refusal, codes};
    #[pymodule_export]
    use super::explain::Trail;
    #[pymodule_export]
    use super::fetch::fetch_jwks;
    #[pymodule_export]
    use super::gate::Gate;
    #[pymodule_export]
    use super::inquiry::Inquiry;
    #[pymodule_export]
    use super::jws::{Jws, Unverified, inspect, read_status, verify_jws};
    #[pymodule_export]
    use super::key::{Key, SigningKey, parse_jwks};
    #[pymodule_export]
    use super::keys::RawKeys;
    #[pymodule_export]
    use super::policy::{Policy, policy_for_tests};
    #[pymodule_export]
    use super::receiver::{RawPoller, RawReceiver};
    #[pymodule_export]
    use super::revocations::{RawRevocations, handle_kinds};
    #[pymodule_export]
    use super::testing::{RawAgent, RawCall, RawIssuer, RawRefusal, fake_arguments, refusals};
    #[pymodule_export]
    use super::token::{Actor, Snapshot, VerifiedToken};
    #[pymodule_export]
    use super::verdict::Verdict;
    #[pymodule_export]
    use super::verifier::Verifier;

    /// Objects are kept for the whole process, so only one interpreter of it may have them. PyO3
    /// does not see to it where a module is initialised in phases.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let here = module.py().import("sys")?.as_ptr().addr();
        let order = Ordering::Relaxed;
        match FIRST.compare_exchange(0, here, order, order) {
            Err(first) if first != here => Err(PyImportError::new_err(
                "sealgate is in use by another interpreter of this process",
            )),
            _ => Ok(()),
        }
    }
}

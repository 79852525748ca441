//! [`RawRevocations`]: what is revoked, for `sealgate/_revocations.py`.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};
use sealgate::{
    EventChange, Handle, HandleKind, NumericDate, Revocation, RevocationReceipt, Revocations,
    RevokeError,
};

use crate::errors::usage;
use crate::token::VerifiedToken;
use crate::{clock, input, waiting};

/// What a verifier knows to be revoked; `sealgate/_revocations.py` says what each call does.
#[pyclass(frozen, module = "sealgate._native", weakref)]
pub(crate) struct RawRevocations {
    verifier: sealgate::Verifier,
    /// Those who wait for the verifier.
    waiters: Py<PyAny>,
}

impl RawRevocations {
    pub(crate) const fn new(verifier: sealgate::Verifier, waiters: Py<PyAny>) -> Self {
        Self { verifier, waiters }
    }
}

/// `(epoch, reach, delivered)` of a receipt.
type Receipt = (u64, &'static str, bool, Option<i64>);

/// One handle that an event has revoked or lifted: `(issuer_name, (kind, scope, value), lifted,
/// cutoff, expires, reason, at)`.
pub(crate) type Changed = (
    String,
    (&'static str, String, String),
    bool,
    Option<i64>,
    Option<i64>,
    Option<String>,
    i64,
);

/// The same as of a receipt, with `duplicate` and the changes.
type Applied = (u64, &'static str, bool, Option<i64>, bool, Vec<Changed>);

/// `(name, reach, staleness, undelivered, unreadable, last_error)` of a shared store.
type Store = (
    String,
    &'static str,
    Option<f64>,
    usize,
    u64,
    Option<String>,
);

#[pymethods]
impl RawRevocations {
    fn revoke(
        &self,
        py: Python<'_>,
        kind: &str,
        scope: &str,
        value: &str,
        cutoff: Option<&Bound<'_, PyAny>>,
        expires: Option<&Bound<'_, PyAny>>,
        reason: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Receipt> {
        let mut revocation = match cutoff {
            None => Revocation::all(),
            Some(cutoff) => match cutoff.cast::<PyString>().ok().map(|text| text.to_str()) {
                Some(Ok("now")) => Revocation::so_far(),
                _ => Revocation::before(date(
                    cutoff,
                    "cutoff",
                    "\"now\" or whole seconds since 1970",
                )?),
            },
        };
        if let Some(expires) = expires {
            revocation = revocation.until(date(expires, "expires", "whole seconds since 1970")?);
        }
        if let Some(reason) = reason {
            revocation = revocation.because(input::text(reason, "reason")?);
        }
        let handle = handle(py, kind, scope, value)?;
        // The interpreter is kept: a fork in the middle would leave the child a lock nobody opens.
        let receipt = self.verifier.revocations().revoke(&handle, revocation);
        told(py, receipt)
    }

    fn lift(&self, py: Python<'_>, kind: &str, scope: &str, value: &str) -> PyResult<Receipt> {
        let handle = handle(py, kind, scope, value)?;
        let receipt = self.verifier.revocations().lift(&handle);
        told(py, receipt)
    }

    /// `(epoch, reach, delivered, cutoff, duplicate, changes)`.
    fn apply(&self, py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<Applied> {
        let Ok(token) = token.cast::<VerifiedToken>() else {
            return Err(input::wrong_type(token, "event_token", "a VerifiedToken"));
        };
        let applied = self.verifier.revocations().apply(token.get().verified());
        let applied = applied.map_err(|error| refused(py, error))?;
        let (epoch, reach, delivered, cutoff) = told(py, Ok(applied.receipt))?;
        let changes = changed(&applied.changes);
        let duplicate = applied.duplicate;
        Ok((epoch, reach, delivered, cutoff, duplicate, changes))
    }

    /// The interpreter is released meanwhile. What is locked then, a forked child makes anew.
    fn flush(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        let timeout = match timeout {
            Some(timeout) => clock::span(timeout)?.to_duration(),
            None => Revocations::FLUSH,
        };
        let flushed = waiting::in_slices(py, timeout, |slice| {
            let flushed = self.verifier.revocations().flush(slice);
            flushed.then_some(()).ok_or(())
        })?;
        Ok(flushed.is_ok())
    }

    fn flush_async<'py>(
        slf: &Bound<'py, Self>,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        waiting::flushed(slf.as_any(), &slf.get().waiters, timeout)
    }

    fn store(&self) -> Option<Store> {
        let state = self.verifier.revocations().store()?;
        let staleness = state.staleness.map(|age| age.to_duration().as_secs_f64());
        Some((
            state.name,
            state.reach,
            staleness,
            state.undelivered,
            state.unreadable,
            state.last_error,
        ))
    }

    /// In a forked child: what carries for a shared store works again there. It never waits.
    fn resume(&self) {
        self.verifier.revocations().flush(Duration::ZERO);
    }

    /// At exit: what no store is known to have is told. It never waits.
    fn close(&self) {
        self.verifier.revocations().close();
    }

    #[getter]
    fn epoch(&self) -> u64 {
        self.verifier.revocations().epoch()
    }
}

pub(crate) fn changed(changes: &[EventChange]) -> Vec<Changed> {
    let changes = changes.iter().map(|made| {
        let (change, handle) = (&made.change, made.change.handle());
        let (scope, value) = (handle.scope().to_owned(), handle.value().to_owned());
        (
            made.issuer_name.clone(),
            (handle.kind().name(), scope, value),
            change.is_lifted(),
            change.cutoff().map(NumericDate::seconds),
            change.expires().map(NumericDate::seconds_up),
            change.reason().map(str::to_owned),
            change.at().seconds(),
        )
    });
    changes.collect()
}

fn told(py: Python<'_>, receipt: Result<RevocationReceipt, RevokeError>) -> PyResult<Receipt> {
    match receipt {
        Ok(receipt) => Ok((
            receipt.epoch,
            receipt.reach,
            receipt.delivered,
            receipt.cutoff.map(NumericDate::seconds),
        )),
        Err(error) => Err(refused(py, error)),
    }
}

/// Each kind of handles with the names of its two parts: `(kind, whose, its name there)`.
#[pyfunction]
pub(crate) fn handle_kinds() -> Vec<(&'static str, Option<&'static str>, Option<&'static str>)> {
    let kinds = HandleKind::ALL.into_iter();
    kinds
        .map(|kind| (kind.name(), kind.parts().0, kind.parts().1))
        .collect()
}

fn handle(py: Python<'_>, kind: &str, scope: &str, value: &str) -> PyResult<Handle> {
    let kind = HandleKind::from_name(kind);
    let kind = kind.ok_or_else(|| usage(py, "there is no such kind of handles"))?;
    Ok(Handle::new(kind, scope, value))
}

fn date(value: &Bound<'_, PyAny>, name: &str, right: &str) -> PyResult<NumericDate> {
    let seconds = value.extract::<i64>().ok();
    // Python's True is a number too, and no date.
    let seconds = seconds.filter(|_| !value.is_instance_of::<PyBool>());
    let seconds = seconds.ok_or_else(|| input::wrong_type(value, name, right))?;
    NumericDate::from_seconds(seconds).ok_or_else(|| {
        usage(
            value.py(),
            format!("{name} must be {right}, up to the year 9999"),
        )
    })
}

fn refused(py: Python<'_>, error: RevokeError) -> PyErr {
    usage(py, format!("revocations: {error}"))
}

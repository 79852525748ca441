//! [`FixedClock`]: time for tests, which moves only when told to.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict as _, PyDelta, PyDeltaAccess as _, PyString};
use sealgate::{Clock, Span};

use crate::errors::usage;
use crate::input::wrong_type;

/// A clock that stands at `seconds` since 1970 and moves only when told to.
///
///     clock = FixedClock(1_800_000_000)
///     clock.advance("5m")
#[pyclass(frozen, module = "sealgate.testing")]
pub(crate) struct FixedClock {
    clock: Arc<sealgate::FixedClock>,
}

#[pymethods]
impl FixedClock {
    #[new]
    fn new(seconds: &Bound<'_, PyAny>) -> PyResult<Self> {
        let seconds = whole(seconds, "FixedClock")?;
        let clock = Arc::new(sealgate::FixedClock::new(seconds));
        Ok(Self { clock })
    }

    /// Moves the clock forward by a duration: `"90s"`, or a `timedelta`, which may be negative.
    fn advance(&self, duration: &Bound<'_, PyAny>) -> PyResult<()> {
        self.clock.advance(span(duration)?);
        Ok(())
    }

    /// Sets the clock to `seconds` since 1970.
    fn set(&self, seconds: &Bound<'_, PyAny>) -> PyResult<()> {
        self.clock.set(whole(seconds, "FixedClock.set")?);
        Ok(())
    }

    /// The time it stands at, in whole seconds since 1970.
    fn now(&self) -> i64 {
        self.clock.now().seconds()
    }

    fn __repr__(&self) -> String {
        format!("FixedClock({})", self.now())
    }
}

/// A time, as a fake takes it.
fn whole(seconds: &Bound<'_, PyAny>, call: &str) -> PyResult<i64> {
    let checks = seconds.py().import("sealgate.testing._arguments")?;
    let given = [("seconds", seconds)].into_py_dict(seconds.py())?;
    checks.call_method("need", (call, "seconds"), Some(&given))?;
    seconds.extract()
}

/// The clock a verifier takes its time from: this one, or the system's.
pub(crate) fn of(clock: Option<&Bound<'_, PyAny>>) -> PyResult<Clock> {
    match clock {
        None => Ok(Clock::System),
        Some(clock) => match clock.cast::<FixedClock>() {
            Ok(fixed) => Ok(Clock::Fixed(Arc::clone(&fixed.get().clock))),
            Err(_) => Err(wrong_type(
                clock,
                "clock",
                "sealgate.testing.FixedClock or None",
            )),
        },
    }
}

/// A duration: one number and one unit, as in a policy document, or a `timedelta`.
pub(crate) fn span(duration: &Bound<'_, PyAny>) -> PyResult<Span> {
    let py = duration.py();
    if let Ok(delta) = duration.cast::<PyDelta>() {
        let seconds = i64::from(delta.get_days()) * 86_400 + i64::from(delta.get_seconds());
        let millis = i64::from(delta.get_microseconds()) / 1000;
        return Ok(Span::from_millis(
            seconds.saturating_mul(1000).saturating_add(millis),
        ));
    }
    let Ok(text) = duration.cast::<PyString>() else {
        return Err(wrong_type(duration, "duration", "str or timedelta"));
    };
    let text = text.to_str()?;
    Span::parse(text).map_err(|problem| usage(py, format!("duration: {problem}")))
}

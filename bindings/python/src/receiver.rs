//! [`RawReceiver`] and [`RawPoller`]: events that issuers deliver, for `sealgate/_receiver.py`.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use sealgate::{Poller, Receiver};

use crate::errors::usage;
use crate::revocations::{Changed, changed};

/// Takes events at one gate; `sealgate/_receiver.py` says what each call does.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct RawReceiver {
    receiver: Receiver,
}

/// Polls a stream of events.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct RawPoller {
    poller: Mutex<Poller>,
}

/// Status, header fields, body; whether it was applied before, and the changes; the code of a
/// refusal.
type Delivery = (
    u16,
    Vec<(&'static str, String)>,
    String,
    Option<bool>,
    Option<Vec<Changed>>,
    Option<&'static str>,
);

type Polls = (usize, usize, usize, usize, bool, Vec<Changed>);

impl RawReceiver {
    pub(crate) fn new(
        py: Python<'_>,
        verifier: &sealgate::Verifier,
        gate: &str,
        state: Option<&str>,
    ) -> PyResult<Self> {
        let receiver = verifier.receiver(gate);
        let receiver = receiver.map_err(|error| usage(py, format!("receiver: {error}")))?;
        Ok(Self {
            receiver: match state {
                Some(state) => receiver.expecting_state(state),
                None => receiver,
            },
        })
    }
}

#[pymethods]
impl RawReceiver {
    fn push(&self, body: &[u8], content_type: Option<&str>) -> Delivery {
        // The interpreter is kept: a fork in the middle would leave the child a lock nobody opens.
        let delivery = self.receiver.push(content_type, body);
        (
            delivery.answer.status,
            delivery.answer.headers,
            delivery.answer.body,
            delivery.event.as_ref().map(|event| event.duplicate),
            delivery.event.map(|event| changed(&event.changes)),
            delivery.error.map(|error| error.code().as_str()),
        )
    }

    fn poller(&self, max_events: usize) -> RawPoller {
        RawPoller {
            poller: Mutex::new(self.receiver.poller(max_events)),
        }
    }
}

#[pymethods]
impl RawPoller {
    fn request(&self) -> String {
        self.poller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .request()
    }

    /// `(accepted, refused, undecided, duplicates, more_available, changes)`.
    fn take(&self, py: Python<'_>, body: &[u8]) -> PyResult<Polls> {
        let mut poller = self.poller.lock().unwrap_or_else(PoisonError::into_inner);
        let polled = poller.take(body);
        drop(poller);
        let polled = polled.map_err(|error| usage(py, format!("take: {error}")))?;
        Ok((
            polled.accepted,
            polled.refused,
            polled.undecided,
            polled.duplicates,
            polled.more_available,
            changed(&polled.changes),
        ))
    }
}

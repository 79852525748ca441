//! [`Batch`]: the verdicts over many tokens as one column; items are made when asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sealgate::{Blame, Requirements};

use crate::errors::{Refused, of_gate};
use crate::gate::Door;
use crate::token::VerifiedToken;
use crate::verdict::Verdict;

/// Verdicts in input order: `len(batch)`, `batch[i]`, `for verdict in batch`.
#[pyclass(frozen, module = "sealgate")]
pub(crate) struct Batch {
    batch: sealgate::Batch,
    door: Arc<Door>,
    requirements: Requirements,
    accepted: usize,
    undecided: usize,
}

impl Batch {
    pub(crate) fn new(batch: sealgate::Batch, door: Arc<Door>, requirements: Requirements) -> Self {
        let counts = batch.counts();
        let undecided = counts
            .iter()
            .filter(|(code, _)| code.blame() != Blame::Rejected);
        Self {
            accepted: batch.accepted(),
            undecided: undecided.map(|(_, count)| count).sum(),
            batch,
            door,
            requirements,
        }
    }

    fn result(&self, index: usize) -> Option<Result<sealgate::VerifiedToken, Refused>> {
        let verdict = self.batch.get(index)?.into_result();
        Some(verdict.map_err(|error| Refused {
            error,
            grounds: self.batch.grounds().clone(),
        }))
    }

    fn verdict(&self, py: Python<'_>, index: usize) -> PyResult<Option<Verdict>> {
        let verdict = self.result(index);
        let verdict = verdict.map(|verdict| {
            let (door, requirements) = (Arc::clone(&self.door), self.requirements.clone());
            Verdict::new(py, verdict, door, requirements, None)
        });
        verdict.transpose()
    }
}

#[pymethods]
impl Batch {
    fn __len__(&self) -> usize {
        self.batch.len()
    }

    fn __getitem__(&self, py: Python<'_>, index: isize) -> PyResult<Verdict> {
        let index = if index < 0 {
            self.batch.len().checked_sub(index.unsigned_abs())
        } else {
            Some(index.unsigned_abs())
        };
        let verdict = index.map_or(Ok(None), |index| self.verdict(py, index))?;
        verdict.ok_or_else(|| PyIndexError::new_err("batch index out of range"))
    }

    fn __iter__(slf: Py<Self>) -> BatchIterator {
        BatchIterator::new(slf, Yield::Verdicts)
    }

    /// How many were accepted.
    #[getter]
    fn accepted(&self) -> usize {
        self.accepted
    }

    /// How many were refused: the tokens' fault.
    #[getter]
    fn refused(&self) -> usize {
        self.batch.len() - self.accepted - self.undecided
    }

    /// How many could not be decided: not the tokens' fault.
    #[getter]
    fn undecided(&self) -> usize {
        self.undecided
    }

    /// How often each code was given, `"accepted"` first, then the most frequent.
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        if self.accepted > 0 {
            counts.set_item("accepted", self.accepted)?;
        }
        for (code, count) in self.batch.counts() {
            counts.set_item(code.as_str(), count)?;
        }
        Ok(counts)
    }

    /// Under which policy and keys all of it was judged.
    #[getter]
    fn snapshot(&self) -> BatchSnapshot {
        BatchSnapshot {
            snapshot: self.batch.snapshot().clone(),
        }
    }

    /// The accepted tokens as `(index, token)`.
    fn tokens(slf: Py<Self>) -> BatchIterator {
        BatchIterator::new(slf, Yield::Tokens)
    }

    /// The refusals and outages as `(index, error)`.
    fn errors(slf: Py<Self>) -> BatchIterator {
        BatchIterator::new(slf, Yield::Errors)
    }

    fn __repr__(&self) -> String {
        let (refused, undecided) = (self.refused(), self.undecided);
        format!(
            "<Batch accepted={} refused={refused} undecided={undecided}>",
            self.accepted
        )
    }
}

/// What the verdicts of a batch were reached under.
#[pyclass(frozen, module = "sealgate")]
pub(crate) struct BatchSnapshot {
    snapshot: sealgate::BatchSnapshot,
}

#[pymethods]
impl BatchSnapshot {
    /// The digest of the policy document: `sha256:` and hexadecimal.
    #[getter]
    fn policy(&self) -> &str {
        &self.snapshot.policy
    }

    /// The generation of the keys of each of the gate's issuers, by the policy's names.
    #[getter]
    fn keys<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let keys = PyDict::new(py);
        for (issuer_name, generation) in &self.snapshot.keys {
            keys.set_item(issuer_name, generation)?;
        }
        Ok(keys)
    }

    /// The epoch of the revocations when the batch began; its verdicts know of later ones too.
    #[getter]
    fn revocations(&self) -> u64 {
        self.snapshot.revocations
    }

    fn __repr__(&self) -> String {
        format!("<BatchSnapshot {}>", self.snapshot.policy)
    }
}

/// What an iterator over a batch gives.
#[derive(Clone, Copy)]
enum Yield {
    Verdicts,
    Tokens,
    Errors,
}

/// Goes through a batch once.
#[pyclass(frozen, module = "sealgate._native")]
pub(crate) struct BatchIterator {
    batch: Py<Batch>,
    next: AtomicUsize,
    wanted: Yield,
}

impl BatchIterator {
    fn new(batch: Py<Batch>, wanted: Yield) -> Self {
        Self {
            batch,
            next: AtomicUsize::new(0),
            wanted,
        }
    }
}

#[pymethods]
impl BatchIterator {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let batch = self.batch.get();
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if let Yield::Verdicts = self.wanted {
                let verdict = batch.verdict(py, index)?;
                let verdict = verdict.map(|verdict| Bound::new(py, verdict));
                return Ok(verdict.transpose()?.map(Bound::into_any));
            }
            let Some(verdict) = batch.result(index) else {
                return Ok(None);
            };
            match (verdict, self.wanted) {
                (Ok(token), Yield::Tokens) => {
                    let token = VerifiedToken::of(token, Arc::clone(&batch.door), None);
                    return Ok(Some((index, token).into_pyobject(py)?.into_any()));
                }
                (Err(refused), Yield::Errors) => {
                    let error = of_gate(py, refused, &batch.requirements);
                    return Ok(Some(
                        (index, error.into_value(py)).into_pyobject(py)?.into_any(),
                    ));
                }
                _ => {}
            }
        }
    }
}

//! [`Verifier`]: a policy, keys and a clock, put together.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sealgate::crypto::aws_lc;
use sealgate::{Clock, LoadOptions, Span};

use crate::batch::Batch;
use crate::errors::{self, usage};
use crate::explain::Trail;
use crate::gate::{Door, Gate};
use crate::keys::Keys;
use crate::policy::{self, Policy};
use crate::token::VerifiedToken;
use crate::verdict::Verdict;
use crate::{clock, input};

/// How long `wait_ready` waits unless it is told.
const READY: Span = Span::from_seconds(10);

/// A policy made ready to judge tokens.
///
/// `Verifier(issuer=…, audience=…, …)` has one issuer and one gate, both named `default`; its
/// options are members of the policy document, and its defaults are the document's.
/// `Verifier.from_policy` takes a whole document. Raises `PolicyError` with every problem.
///
/// Building one does no I/O but reading the files the policy names, and starts no thread.
#[pyclass(frozen, module = "sealgate", weakref)]
pub(crate) struct Verifier {
    verifier: sealgate::Verifier,
    clock: Clock,
    /// The one gate, where there is only one.
    sole: ArcSwapOption<Door>,
}

impl Verifier {
    fn open(py: Python<'_>, policy: sealgate::Policy, clock: Clock) -> PyResult<Self> {
        let verifier = sealgate::Verifier::with_clock(policy, aws_lc::provider(), clock.clone());
        let verifier = Self {
            verifier: verifier.map_err(|error| errors::policy(py, &error))?,
            clock,
            sole: ArcSwapOption::empty(),
        };
        verifier.find_sole(py)?;
        Ok(verifier)
    }

    fn find_sole(&self, py: Python<'_>) -> PyResult<()> {
        let sole = match self.verifier.gates().as_slice() {
            [name] => Some(Arc::new(self.door(py, name)?)),
            _ => None,
        };
        self.sole.store(sole);
        Ok(())
    }

    fn door(&self, py: Python<'_>, name: &str) -> PyResult<Door> {
        match self.verifier.gate(name) {
            Ok(gate) => Ok(Door {
                gate,
                clock: self.clock.clone(),
            }),
            Err(_) => {
                let gates = self.verifier.gates().join(", ");
                Err(usage(py, format!("no gate {name:?}; there are: {gates}")))
            }
        }
    }

    fn sole(&self, py: Python<'_>) -> PyResult<Arc<Door>> {
        let sole = self.sole.load_full();
        sole.ok_or_else(|| {
            let gates = self.verifier.gates().join(", ");
            usage(
                py,
                format!("the policy has several gates; choose one with gate(): {gates}"),
            )
        })
    }
}

#[pymethods]
impl Verifier {
    #[new]
    #[pyo3(signature = (
        *, issuer, audience, discovery=None, jwks_uri=None, jwks=None, jwks_file=None, keys=None,
        jwks_push=None, algorithms=None, profiles=None, profile=None, public_url=None,
        required_scopes=None, scope_implies=None, sender_constrained=None, delegation=None,
        dpop=None, replay=None, revocation=None, leeway=None, preset=None
    ))]
    fn new<'py>(
        py: Python<'py>,
        issuer: Bound<'py, PyAny>,
        audience: Bound<'py, PyAny>,
        discovery: Option<Bound<'py, PyAny>>,
        jwks_uri: Option<Bound<'py, PyAny>>,
        jwks: Option<Bound<'py, PyAny>>,
        jwks_file: Option<Bound<'py, PyAny>>,
        keys: Option<Bound<'py, PyAny>>,
        jwks_push: Option<Bound<'py, PyAny>>,
        algorithms: Option<Bound<'py, PyAny>>,
        profiles: Option<Bound<'py, PyAny>>,
        profile: Option<Bound<'py, PyAny>>,
        public_url: Option<Bound<'py, PyAny>>,
        required_scopes: Option<Bound<'py, PyAny>>,
        scope_implies: Option<Bound<'py, PyAny>>,
        sender_constrained: Option<Bound<'py, PyAny>>,
        delegation: Option<Bound<'py, PyAny>>,
        dpop: Option<Bound<'py, PyAny>>,
        replay: Option<Bound<'py, PyAny>>,
        revocation: Option<Bound<'py, PyAny>>,
        leeway: Option<Bound<'py, PyAny>>,
        preset: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Self> {
        let members = input::options(
            py,
            &[
                ("issuer", Some(issuer)),
                ("audience", Some(audience)),
                ("discovery", discovery),
                ("jwks_uri", jwks_uri),
                ("jwks", jwks),
                ("jwks_file", jwks_file),
                ("keys", keys),
                ("jwks_push", jwks_push),
                ("algorithms", algorithms),
                ("profiles", profiles),
                ("profile", profile),
                ("public_url", public_url),
                ("required_scopes", required_scopes),
                ("scope_implies", scope_implies),
                ("sender_constrained", sender_constrained),
                ("delegation", delegation),
                ("dpop", dpop),
                ("replay", replay),
                ("revocation", revocation),
                ("leeway", leeway),
                ("preset", preset),
            ],
        )?;
        let policy = sealgate::Policy::single(&members, &LoadOptions::new());
        let policy = policy.map_err(|error| errors::policy(py, &error))?;
        Self::open(py, policy, Clock::System)
    }

    /// A verifier for a whole policy: a path (a `str` is always a path), a mapping, or a `Policy`.
    /// `clock` is a `sealgate.testing.FixedClock` in tests.
    #[staticmethod]
    #[pyo3(signature = (source, *, clock=None, allow_danger=false))]
    fn from_policy(
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        clock: Option<&Bound<'_, PyAny>>,
        allow_danger: bool,
    ) -> PyResult<Self> {
        let options = LoadOptions::new().allow_danger(allow_danger);
        Self::open(py, policy::of(source, &options)?, clock::of(clock)?)
    }

    /// The gate with this name. Resolve gates when the program starts: a typo raises `UsageError`
    /// there.
    fn gate(slf: &Bound<'_, Self>, name: &Bound<'_, PyAny>) -> PyResult<Gate> {
        let door = slf.get().door(slf.py(), input::text(name, "name")?)?;
        Ok(Gate::new(Arc::new(door), slf.clone().unbind()))
    }

    /// The names of the policy's gates, in its order.
    #[getter]
    fn gates(&self) -> Vec<String> {
        self.verifier.gates()
    }

    /// Publishing and inspecting issuers' keys.
    #[getter]
    fn keys(&self) -> Keys {
        Keys::new(self.verifier.clone())
    }

    /// Waits until every issuer whose keys are fetched has some; raises `KeysUnavailableError`, which
    /// names the one that has none, when `timeout` is over.
    ///
    /// Judging never waits: until the keys are there, tokens are `keys_refreshing`, 503. Call it
    /// before a server takes its first request. The interpreter is released meanwhile.
    #[pyo3(signature = (timeout=None), text_signature = "($self, timeout='10s')")]
    fn wait_ready(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let timeout = timeout.map_or(Ok(READY), clock::span)?.to_duration();
        let waited = py.detach(|| self.verifier.wait_ready(timeout));
        waited.map_err(|error| errors::not_ready(py, error))
    }

    /// The policy in force.
    #[getter]
    fn policy(&self) -> Policy {
        Policy {
            policy: self.verifier.policy(),
        }
    }

    /// Swaps the whole policy, or refuses it whole with `PolicyError`. Gates go on working under
    /// the new one; published keys of unchanged issuers stay.
    fn reload(&self, py: Python<'_>, policy: &Bound<'_, PyAny>) -> PyResult<()> {
        let policy = policy::of(policy, &LoadOptions::new())?;
        // The interpreter is kept: a fork in the middle would leave the child a lock nobody opens.
        let reloaded = self.verifier.reload(policy);
        reloaded.map_err(|error| errors::policy(py, &error))?;
        self.find_sole(py)
    }

    /// Counters as plain values; labels come from the policy only.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let cache = self.verifier.cache_stats();
        let counters = PyDict::new(py);
        counters.set_item("hits", cache.hits)?;
        counters.set_item("misses", cache.misses)?;
        counters.set_item("evictions", cache.evictions)?;
        counters.set_item("entries", cache.entries)?;
        counters.set_item("bytes", cache.bytes)?;
        counters.set_item("capacity", cache.capacity)?;
        let issuers = PyDict::new(py);
        let policy = self.verifier.policy();
        let names = policy.effective();
        let names = names["issuers"].as_object().into_iter().flatten();
        for (name, _) in names {
            if let Some(state) = self.verifier.keys().state(name) {
                let issuer = PyDict::new(py);
                issuer.set_item("keys", state.keys.len())?;
                issuer.set_item("generation", state.generation)?;
                issuers.set_item(name, issuer)?;
            }
        }
        let stats = PyDict::new(py);
        stats.set_item("policy", self.verifier.policy_digest())?;
        stats.set_item("cache", counters)?;
        stats.set_item("issuers", issuers)?;
        Ok(stats)
    }

    /// Stops what works in the background: keys are fetched no more. Gates go on judging with the
    /// keys there are, for as long as these may be trusted.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.verifier.close());
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exc_info))]
    fn __exit__(&self, py: Python<'_>, _exc_info: &Bound<'_, PyAny>) {
        self.close(py);
    }

    /// As `Gate.verify`, where the policy has one gate.
    #[pyo3(
        signature = (token, *, required_scopes=None, into=None),
        text_signature = "($self, token, *, required_scopes=(), into=None)"
    )]
    fn verify<'py>(
        &self,
        py: Python<'py>,
        token: &Bound<'py, PyAny>,
        required_scopes: Option<&Bound<'py, PyAny>>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<VerifiedToken> {
        self.sole(py)?.verify(py, token, required_scopes, into)
    }

    /// As `Gate.judge`, where the policy has one gate.
    #[pyo3(
        signature = (token, *, required_scopes=None, into=None),
        text_signature = "($self, token, *, required_scopes=(), into=None)"
    )]
    fn judge<'py>(
        &self,
        py: Python<'py>,
        token: &Bound<'py, PyAny>,
        required_scopes: Option<&Bound<'py, PyAny>>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Verdict> {
        self.sole(py)?.judge(py, token, required_scopes, into)
    }

    /// As `Gate.verify_batch`, where the policy has one gate.
    #[pyo3(
        signature = (tokens, *, required_scopes=None),
        text_signature = "($self, tokens, *, required_scopes=())"
    )]
    fn verify_batch(
        &self,
        py: Python<'_>,
        tokens: &Bound<'_, PyAny>,
        required_scopes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Batch> {
        self.sole(py)?.verify_batch(py, tokens, required_scopes)
    }

    /// As `Gate.explain`, where the policy has one gate.
    fn explain(&self, py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<Trail> {
        self.sole(py)?.explain(py, token)
    }

    fn __repr__(&self) -> String {
        format!("<Verifier {}>", self.verifier.policy_digest())
    }
}

//! [`Verifier`]: a policy, keys and a clock, put together.

use std::borrow::Borrow;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyTuple};
use sealgate::Clock;
use sealgate::crypto::aws_lc;

use crate::calls::{AtDoor, calls};
use crate::errors::{self, usage};
use crate::gate::{Door, Gate};
use crate::keys::RawKeys;
use crate::policy::{self, Policy};
use crate::receiver::RawReceiver;
use crate::revocations::RawRevocations;
use crate::{clock, events, frozen, input, waiting};

/// A policy made ready to judge tokens.
///
/// `Verifier(issuer=…, audience=…, …)` has one issuer and one gate, both named `default`; its
/// options are members of the policy document, and its defaults are the document's.
/// `Verifier.from_policy` takes a whole document. Raises `PolicyError` with every problem.
/// `danger` is the document's table of that name, which `allow_danger` must permit.
///
/// Building one does no I/O but reading the files the policy names, and starts no thread.
#[pyclass(frozen, module = "sealgate", weakref)]
pub(crate) struct Verifier {
    verifier: sealgate::Verifier,
    clock: Clock,
    /// Those who wait for its keys.
    pub(crate) waiters: Py<PyAny>,
    /// Its `sealgate.Keys`.
    keys: Py<PyAny>,
    /// Its `sealgate.Revocations`.
    revocations: Py<PyAny>,
    /// The one gate, where there is only one.
    sole: ArcSwapOption<Door>,
}

impl Verifier {
    fn open(py: Python<'_>, policy: Policy, clock: Clock) -> PyResult<Self> {
        let Policy { policy } = policy;
        let verifier = sealgate::Verifier::with_clock(policy, aws_lc::provider(), clock.clone());
        let verifier = verifier.map_err(|error| errors::policy(py, &error))?;
        let keys = PyModule::import(py, "sealgate._keys")?.getattr("Keys")?;
        let keys = keys.call1((RawKeys::new(verifier.clone()),))?;
        let waiters = events::listen(py, &verifier)?;
        let raw = RawRevocations::new(verifier.clone(), waiters.clone_ref(py));
        let raw = Bound::new(py, raw)?;
        let forks = PyModule::import(py, "sealgate._forks")?;
        forks.getattr("living")?.call_method1("add", (&raw,))?;
        let revocations = PyModule::import(py, "sealgate._revocations")?;
        let revocations = revocations.getattr("Revocations")?.call1((raw,))?;
        let verifier = Self {
            keys: keys.unbind(),
            revocations: revocations.unbind(),
            waiters,
            verifier,
            clock,
            sole: ArcSwapOption::empty(),
        };
        verifier.find_sole(py)?;
        Ok(verifier)
    }

    /// Lets those who wait look again: nothing that is fetched will tell them.
    fn wake(&self, py: Python<'_>) -> PyResult<()> {
        self.waiters.call_method0(py, "wake")?;
        Ok(())
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

impl AtDoor for Verifier {
    fn at_door(&self, py: Python<'_>) -> PyResult<impl Borrow<Arc<Door>>> {
        self.sole(py)
    }

    fn waiters(&self) -> &Py<PyAny> {
        &self.waiters
    }
}

calls! { Verifier {
    #[new]
    #[pyo3(
        signature = (*extra, clock=None, allow_danger=false, **options),
        text_signature = "(*, issuer, audience, discovery=None, jwks_uri=None, refresh=None, jwks=None, \
            jwks_file=None, keys=None, jwks_push=None, algorithms=None, profiles=None, \
            max_lifetime=None, legacy_eddsa=None, act_iss=None, act_meaning=None, \
            claim_names=None, txn_namespace=None, actor_namespace=None, introspection=None, \
            profile=None, public_url=None, \
            required_scopes=None, scope_implies=None, sender_constrained=None, \
            delegation=None, max_age=None, acr_values=None, metadata=None, typ=None, \
            required_claims=None, context=None, transactions=None, require_intent=None, \
            intent_pointers=None, dpop=None, attestation=None, mtls=None, replay=None, revocation=None, stores=None, audit=None, leeway=None, preset=None, \
            cache=None, limits=None, annotations=None, danger=None, clock=None, \
            allow_danger=False)"
    )]
    fn new(
        extra: &Bound<'_, PyTuple>,
        clock: Option<&Bound<'_, PyAny>>,
        allow_danger: bool,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let py = extra.py();
        input::no_more(extra, None)?;
        let members = input::options(py, options)?;
        let policy = Policy::single(py, &members, &policy::danger(allow_danger))?;
        Self::open(py, policy, clock::of(clock)?)
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
        let policy = policy::of(source, &policy::danger(allow_danger))?;
        Self::open(py, policy, clock::of(clock)?)
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
    fn keys(&self) -> &Py<PyAny> {
        &self.keys
    }

    /// Revoking, and taking back.
    #[getter]
    fn revocations(&self) -> &Py<PyAny> {
        &self.revocations
    }

    /// Takes events that issuers deliver, at this gate of profile `set` or `logout_token`.
    ///
    /// `expecting_state` is the `state` with which the issuer was asked to verify its stream: a
    /// verification event that says another, or none, is answered with `invalid_state`.
    #[pyo3(signature = (gate, *, expecting_state=None))]
    fn receiver<'py>(
        &self,
        py: Python<'py>,
        gate: &str,
        expecting_state: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let state = expecting_state.map(|state| input::text(state, "expecting_state"));
        let raw = RawReceiver::new(py, &self.verifier, gate, state.transpose()?)?;
        py.import("sealgate._receiver")?
            .getattr("Receiver")?
            .call1((raw,))
    }

    /// Waits until every issuer has keys, fetched or published, and the store of revocations that
    /// processes share has news. When `timeout` is over it raises `KeysUnavailableError`, which
    /// names the issuer that has none, or `RevocationUnavailableError`.
    ///
    /// Judging never waits: until fetched keys are there, tokens are `keys_refreshing`, 503, and
    /// until the store was read `revocation_unavailable`. Call it before a server takes its first
    /// request. The interpreter is released meanwhile.
    #[pyo3(signature = (timeout=None), text_signature = "($self, timeout='10s')")]
    fn wait_ready(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let timeout = match timeout {
            Some(timeout) => clock::span(timeout)?.to_duration(),
            None => sealgate::Verifier::READY,
        };
        let ready = waiting::in_slices(py, timeout, |slice| self.verifier.wait_ready(slice))?;
        ready.map_err(|error| errors::not_ready(py, error))
    }

    /// As `wait_ready`, to be awaited, under asyncio or trio.
    #[pyo3(signature = (timeout=None), text_signature = "($self, timeout='10s')")]
    fn wait_ready_async<'py>(
        slf: &Bound<'py, Self>,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        waiting::ready(slf.as_any(), &slf.get().waiters, timeout)
    }

    /// The policy in force.
    #[getter]
    fn policy(&self) -> Policy {
        Policy {
            policy: self.verifier.policy(),
        }
    }

    /// Swaps the whole policy, or refuses it whole with `PolicyError`. Gates go on working under
    /// the new one; published keys of unchanged issuers stay. A path or a mapping is loaded as the
    /// first policy was: with `allow_danger` if that was, and from no source of keys where
    /// `testing.open` made the verifier. For other permits, load a `Policy` with them.
    fn reload(&self, py: Python<'_>, policy: &Bound<'_, PyAny>) -> PyResult<()> {
        let Policy { policy } = policy::of(policy, self.verifier.options())?;
        // The interpreter is kept: a fork in the middle would leave the child a lock nobody opens.
        let reloaded = self.verifier.reload(policy);
        reloaded.map_err(|error| errors::policy(py, &error))?;
        self.find_sole(py)?;
        self.wake(py)
    }

    /// Counters as plain values; labels come from the policy only. `policy` (its digest), `cache`,
    /// `issuers`, `revocations` (and how the store stands that processes share), `status` (status
    /// lists) and `proofs` (used proofs; `None` without `[replay]`), under the same names in every
    /// language.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        frozen::load(py, &self.verifier.stats().to_string())
    }

    /// Stops what works in the background: keys are fetched no more. Gates go on judging with the
    /// keys there are, for as long as these may be trusted; where the policy names a store of
    /// revocations, for as long as its news is no older than `max_staleness`: then they answer
    /// `revocation_stale`, 503. Under such a store nothing can be revoked or lifted any more:
    /// UsageError. Flush before: what the store is not known to have is logged, here and at exit.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.verifier.close());
        self.waiters.call_method0(py, "close")?;
        Ok(())
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exc_info))]
    fn __exit__(&self, py: Python<'_>, _exc_info: &Bound<'_, PyAny>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> String {
        format!("<Verifier {}>", self.verifier.policy_digest())
    }
} }

//! [`Gate`]: a door one verifies at.

use std::borrow::Borrow;
use std::sync::Arc;

use pyo3::prelude::*;
use sealgate::{Begun, Clock, Error, Grounds, Request, Requirements, Sitting};

use crate::batch::Batch;
use crate::calls::{AtDoor, calls};
use crate::errors::{Refused, guard, of_gate};
use crate::explain::{self, Trail};
use crate::input::{self, Needs};
use crate::inquiry::Inquiry;
use crate::pool;
use crate::request::Given;
use crate::token::VerifiedToken;
use crate::verdict::Verdict;
use crate::verifier::Verifier;
use crate::waiting;

/// A gate of the core and the clock it judges by: what tokens, verdicts and batches hold on to.
pub(crate) struct Door {
    pub(crate) gate: sealgate::Gate,
    pub(crate) clock: Clock,
}

impl Door {
    /// One verdict. Only a token that was not seen before, and a server that is waited for, are
    /// worth letting go of the interpreter.
    fn decide(
        &self,
        py: Python<'_>,
        token: &[u8],
        requirements: &Requirements,
    ) -> Result<sealgate::VerifiedToken, Refused> {
        let sitting = self.gate.sit();
        let decided = guard(|| {
            if let Err(waits) = sitting.tokens_answer_at_once() {
                waiting::stops_no_loop(py, Err(waits))?;
                return py.detach(|| sitting.verify(token, requirements));
            }
            match sitting.recall(token, requirements) {
                Some(verdict) => verdict,
                None => py.detach(|| sitting.verify_unseen(token, requirements)),
            }
        });
        Refused::by(&sitting, decided)
    }

    pub(crate) fn verify<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        token: Option<&Bound<'py, PyAny>>,
        needs: &Needs<'_, 'py>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<VerifiedToken> {
        let bytes = input::token(input::given(py, token)?, "token")?;
        let requirements = needs.requirements()?;
        input::model(into)?;
        match self.decide(py, &bytes, &requirements) {
            Ok(token) => VerifiedToken::new(py, token, Arc::clone(self), into),
            Err(refused) => Err(of_gate(py, refused, &requirements)),
        }
    }

    pub(crate) fn judge<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        token: Option<&Bound<'py, PyAny>>,
        needs: &Needs<'_, 'py>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Verdict> {
        let bytes = input::token(input::given(py, token)?, "token")?;
        let requirements = needs.requirements()?;
        input::model(into)?;
        let verdict = self.decide(py, &bytes, &requirements);
        Verdict::new(py, verdict, Arc::clone(self), requirements, into)
    }

    /// A call of the core's about a request, and what it needs beyond the gate's demands. Where it
    /// would not be answered `at_once` it is none for a thread that runs an event loop.
    fn ask_about<T: Send>(
        &self,
        py: Python<'_>,
        given: &Given<'_>,
        at_once: fn(&Sitting<'_>) -> Result<(), Error>,
        call: impl FnOnce(&Sitting<'_>, &Request<'_>, &Requirements) -> Result<T, Error> + Send,
    ) -> PyResult<(Result<T, Refused>, Requirements)> {
        let requirements = given.needs().requirements()?;
        input::model(given.model())?;
        let parts = given.parts(py)?;
        let octets = parts.octets()?;
        let context = octets.context();
        let request = octets.request(&context);
        let sitting = self.gate.sit();
        let answer = guard(|| {
            waiting::stops_no_loop(py, at_once(&sitting))?;
            py.detach(|| call(&sitting, &request, &requirements))
        });
        Ok((Refused::by(&sitting, answer), requirements))
    }

    pub(crate) fn verify_request(
        self: &Arc<Self>,
        py: Python<'_>,
        given: &Given<'_>,
    ) -> PyResult<VerifiedToken> {
        match self.ask_about(
            py,
            given,
            |sitting| sitting.answers_at_once(),
            |sitting, request, needs| sitting.verify_request(request, needs),
        )? {
            (Ok(token), _) => VerifiedToken::new(py, token, Arc::clone(self), given.model()),
            (Err(refused), needs) => Err(of_gate(py, refused, &needs)),
        }
    }

    pub(crate) fn judge_request(
        self: &Arc<Self>,
        py: Python<'_>,
        given: &Given<'_>,
    ) -> PyResult<Verdict> {
        let (verdict, needs) = self.ask_about(
            py,
            given,
            |sitting| sitting.answers_at_once(),
            |sitting, request, needs| sitting.verify_request(request, needs),
        )?;
        Verdict::new(py, verdict, Arc::clone(self), needs, given.model())
    }

    /// As [`Door::judge_request`], as far as it can be answered without waiting for a server.
    pub(crate) fn begin_request<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        given: &Given<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (begun, needs) = self.ask_about(
            py,
            given,
            |_| Ok(()),
            |sitting, request, needs| {
                let begun = sitting.begin_request(request, needs)?;
                Ok((begun, sitting.grounds()))
            },
        )?;
        self.told(py, begun, needs, given.model())
    }

    /// As [`Door::judge`], as far as it can be answered without waiting for a server.
    pub(crate) fn begin<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        token: &Bound<'py, PyAny>,
        given: &Given<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let bytes = input::token(token, "token")?;
        let requirements = given.needs().requirements()?;
        input::model(given.model())?;
        let sitting = self.gate.sit();
        let begun = if sitting.waits_with_tokens() {
            let token: &[u8] = &bytes;
            let begun = guard(|| py.detach(|| sitting.begin_chain(token, &[], &requirements)));
            Refused::by(&sitting, begun)
        } else {
            let decided = self.decide(py, &bytes, &requirements);
            decided.map(Begun::Verified)
        };
        let begun = begun.map(|begun| (begun, sitting.grounds()));
        self.told(py, begun, requirements, given.model())
    }

    /// A verdict, or an inquiry that knows how to ask for it.
    fn told<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        begun: Result<(Begun, Grounds), Refused>,
        needs: Requirements,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let door = Arc::clone(self);
        let verdict = match begun {
            Ok((Begun::Asks(begun), grounds)) => {
                let into = into.map(|into| into.clone().unbind());
                let inquiry = Inquiry::new(begun, door, grounds, needs, into);
                return Ok(Bound::new(py, inquiry)?.into_any());
            }
            Ok((Begun::Verified(token), _)) => Ok(token),
            Err(refused) => Err(refused),
        };
        let verdict = Verdict::new(py, verdict, door, needs, into)?;
        Ok(Bound::new(py, verdict)?.into_any())
    }

    pub(crate) fn explain_request(
        self: &Arc<Self>,
        py: Python<'_>,
        given: &Given<'_>,
    ) -> PyResult<Trail> {
        let explain = |sitting: &Sitting<'_>, request: &Request<'_>, needs: &Requirements| {
            Ok((sitting.explain_request(request, needs), sitting.grounds()))
        };
        let (explained, needs) = self.ask_about(py, given, |_| Ok(()), explain)?;
        let explained = explained.map_err(|refused| of_gate(py, refused, &needs))?;
        Trail::new(py, explained, Arc::clone(self), needs)
    }

    pub(crate) fn trace_request<'py>(
        &self,
        py: Python<'py>,
        given: &Given<'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let trace = |sitting: &Sitting<'_>, request: &Request<'_>, needs: &Requirements| {
            explain::traced(sitting.trace_request(request, needs))
        };
        let (traced, needs) =
            self.ask_about(py, given, |sitting| sitting.answers_at_once(), trace)?;
        explain::load(py, traced, &needs)
    }

    pub(crate) fn verify_batch(
        self: &Arc<Self>,
        py: Python<'_>,
        tokens: Option<&Bound<'_, PyAny>>,
        scopes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Batch> {
        let requirements = input::scopes(scopes)?;
        let sitting = self.gate.sit();
        let at_once = waiting::stops_no_loop(py, sitting.tokens_answer_at_once());
        Refused::by(&sitting, requirements.check().and(at_once))
            .map_err(|refused| of_gate(py, refused, &requirements))?;
        let tokens = input::all_given(py, tokens)?;
        let batch = match input::bytes(tokens)? {
            Some(buffer) => self.batch(py, &sealgate::Batch::lines(&buffer), &requirements),
            None => {
                let items = input::items(tokens)?;
                let tokens = items.iter().enumerate();
                let tokens =
                    tokens.map(|(index, item)| input::token(item, &format!("tokens[{index}]")));
                self.batch(py, &tokens.collect::<PyResult<Vec<_>>>()?, &requirements)
            }
        };
        let batch = Refused::by(&self.gate.sit(), batch);
        let batch = batch.map_err(|refused| of_gate(py, refused, &requirements))?;
        Ok(Batch::new(batch, Arc::clone(self), requirements))
    }

    fn batch<T: AsRef<[u8]> + Sync>(
        &self,
        py: Python<'_>,
        tokens: &[T],
        requirements: &Requirements,
    ) -> Result<sealgate::Batch, Error> {
        guard(|| {
            let judged =
                py.detach(|| pool::install(|| self.gate.verify_batch_with(tokens, requirements)));
            judged.map_err(|_| sealgate::Code::Internal.into()) // the system gave no threads
        })
    }
}

/// A door of a verifier: a kind of token, from these issuers, for this audience, under these rules.
///
/// It comes from `Verifier.gate` and stays valid over reloads. Calls take no lock and do no I/O,
/// but for introspection (the lock of one issuer's answers) and used proofs at a server (a question
/// to it); they may come from any thread, and threads verify in parallel.
#[pyclass(frozen, module = "sealgate", weakref)]
pub(crate) struct Gate {
    pub(crate) door: Arc<Door>,
    verifier: Py<Verifier>,
}

impl Gate {
    pub(crate) fn new(door: Arc<Door>, verifier: Py<Verifier>) -> Self {
        Self { door, verifier }
    }
}

impl AtDoor for Gate {
    fn at_door(&self, _: Python<'_>) -> PyResult<impl Borrow<Arc<Door>>> {
        Ok(&self.door)
    }

    fn waiters(&self) -> &Py<PyAny> {
        &self.verifier.get().waiters
    }
}

calls! { Gate {
    /// The gate's name in the policy; empty after a reload has removed it.
    #[getter]
    fn name(&self) -> String {
        self.door.gate.name()
    }

    /// The verifier it belongs to.
    #[getter]
    fn verifier(&self) -> &Py<Verifier> {
        &self.verifier
    }

    fn __repr__(&self) -> String {
        format!("<Gate {:?}>", self.name())
    }
} }

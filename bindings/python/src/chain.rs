//! Tokens together with those they come from, and what is sent on in the name of one.

use std::sync::Arc;

use pyo3::prelude::*;
use sealgate::{ContextToken, Error, Requirements, Sitting};

use crate::errors::{Refused, guard, of_gate};
use crate::explain::{self, Trail};
use crate::gate::Door;
use crate::input::{self, Needs};
use crate::request;
use crate::token::VerifiedToken;
use crate::waiting;

/// A token, those it comes from, and what the call needs beyond its gate's demands.
pub(crate) struct Told<'a, 'py> {
    pub(crate) token: Option<&'a Bound<'py, PyAny>>,
    pub(crate) context: Option<&'a Bound<'py, PyAny>>,
    pub(crate) needs: Needs<'a, 'py>,
}

impl Door {
    /// A call of the core's about a token and those it comes from; `at_once` as to
    /// [`Door::ask_about`].
    fn ask_about_chain<T: Send>(
        &self,
        py: Python<'_>,
        told: &Told<'_, '_>,
        at_once: fn(&Sitting<'_>) -> Result<(), Error>,
        call: impl FnOnce(&Sitting<'_>, &[u8], &[ContextToken<'_>], &Requirements) -> Result<T, Error>
        + Send,
    ) -> PyResult<(Result<T, Refused>, Requirements)> {
        let bytes = input::token(input::given(py, told.token)?, "token")?;
        let further = told
            .context
            .map_or_else(|| Ok(Vec::new()), request::further)?;
        let requirements = told.needs.requirements()?;
        let octets = further.iter().map(|(kind, token)| {
            let token = input::token(token, "context")?;
            Ok((*kind, token))
        });
        let octets: Vec<_> = octets.collect::<PyResult<_>>()?;
        let tokens = octets.iter();
        let tokens: Vec<ContextToken<'_>> = tokens
            .map(|(kind, token)| ContextToken::new(*kind, token))
            .collect();
        let sitting = self.gate.sit();
        let answer = guard(|| {
            waiting::stops_no_loop(py, at_once(&sitting))?;
            py.detach(|| call(&sitting, &bytes, &tokens, &requirements))
        });
        Ok((Refused::by(&sitting, answer), requirements))
    }

    pub(crate) fn verify_chain<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        told: &Told<'_, 'py>,
        into: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<VerifiedToken> {
        if told.context.is_none() {
            return Err(request::no_context(py));
        }
        input::model(into)?;
        let verify =
            |sitting: &Sitting<'_>,
             token: &[u8],
             context: &[ContextToken<'_>],
             needs: &Requirements| { sitting.verify_chain(token, context, needs) };
        match self.ask_about_chain(py, told, |sitting| sitting.tokens_answer_at_once(), verify)? {
            (Ok(token), _) => VerifiedToken::new(py, token, Arc::clone(self), into),
            (Err(refused), needs) => Err(of_gate(py, refused, &needs)),
        }
    }

    pub(crate) fn explain(
        self: &Arc<Self>,
        py: Python<'_>,
        told: &Told<'_, '_>,
    ) -> PyResult<Trail> {
        let explain = |sitting: &Sitting<'_>,
                       token: &[u8],
                       context: &[ContextToken<'_>],
                       needs: &Requirements| {
            Ok((sitting.explain(token, context, needs), sitting.grounds()))
        };
        let (explained, needs) = self.ask_about_chain(py, told, |_| Ok(()), explain)?;
        let explained = explained.map_err(|refused| of_gate(py, refused, &needs))?;
        Trail::new(py, explained, Arc::clone(self), needs)
    }

    pub(crate) fn trace<'py>(
        &self,
        py: Python<'py>,
        told: &Told<'_, 'py>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let trace = |sitting: &Sitting<'_>,
                     token: &[u8],
                     context: &[ContextToken<'_>],
                     needs: &Requirements| {
            explain::traced(sitting.trace(token, context, needs))
        };
        let (traced, needs) =
            self.ask_about_chain(py, told, |sitting| sitting.tokens_answer_at_once(), trace)?;
        explain::load(py, traced, &needs)
    }

    pub(crate) fn check_outbound<'py>(
        &self,
        py: Python<'py>,
        inbound: Option<&Bound<'py, PyAny>>,
        outbound: Option<&Bound<'py, PyAny>>,
        target: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let none = py.None().into_bound(py);
        let [inbound, outbound, target] =
            [inbound, outbound, target].map(|given| given.unwrap_or(&none));
        let inbound = inbound
            .cast::<VerifiedToken>()
            .map_err(|_| input::wrong_type(inbound, "inbound", "a VerifiedToken"))?;
        let (kind, token) = request::context_token(outbound, "outbound")?;
        let bytes = input::token(&token, "outbound")?;
        let target = input::text(target, "target")?;
        let outbound = ContextToken::new(kind, &bytes);
        let inbound = inbound.get().verified();
        let sitting = self.gate.sit();
        let checked = guard(|| py.detach(|| sitting.check_outbound(inbound, outbound, target)));
        Refused::by(&sitting, checked).map_err(|refused| of_gate(py, refused, &Requirements::NONE))
    }
}

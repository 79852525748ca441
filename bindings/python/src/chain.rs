//! Tokens together with those they come from, and what is sent on in the name of one.

use std::sync::Arc;

use pyo3::prelude::*;
use sealgate::{ContextToken, Requirements};

use crate::errors::{guard, of_gate};
use crate::gate::Door;
use crate::input;
use crate::request;
use crate::token::VerifiedToken;

/// The arguments of `verify_chain` that have a name.
pub(crate) struct Needs<'a, 'py> {
    pub(crate) scopes: Option<&'a Bound<'py, PyAny>>,
    pub(crate) operation: Option<&'a Bound<'py, PyAny>>,
    pub(crate) approved: Option<&'a Bound<'py, PyAny>>,
    pub(crate) into: Option<&'a Bound<'py, PyAny>>,
}

impl Door {
    pub(crate) fn verify_chain<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        token: Option<&Bound<'py, PyAny>>,
        context: Option<&Bound<'py, PyAny>>,
        needs: &Needs<'_, 'py>,
    ) -> PyResult<VerifiedToken> {
        let bytes = input::token(input::given(py, token)?, "token")?;
        let further = match context {
            Some(context) => request::further(context)?,
            None => return Err(request::no_context(py)),
        };
        let requirements = input::needs(needs.scopes, needs.operation, needs.approved)?;
        let octets = further.iter().map(|(kind, token)| {
            let token = input::token(token, "context")?;
            Ok((*kind, token))
        });
        let octets: Vec<_> = octets.collect::<PyResult<_>>()?;
        let tokens = octets.iter();
        let tokens: Vec<ContextToken<'_>> = tokens
            .map(|(kind, token)| ContextToken::new(*kind, token))
            .collect();
        let verified =
            guard(|| py.detach(|| self.gate.verify_chain(&bytes, &tokens, &requirements)));
        match verified {
            Ok(token) => VerifiedToken::new(py, token, Arc::clone(self), needs.into),
            Err(error) => Err(of_gate(py, error, &self.gate, &requirements)),
        }
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
        guard(|| py.detach(|| self.gate.check_outbound(inbound, outbound, target)))
            .map_err(|error| of_gate(py, error, &self.gate, &Requirements::NONE))
    }
}

//! The further tokens that a request may carry beside its own (`gates.X.context`).

use super::{GateRules, Kind};

/// One kind of further tokens.
#[derive(Debug)]
pub(crate) struct ContextRules {
    pub(crate) need: ContextNeed,
    /// The door that such a token passes: its kind and every issuer that may sign it. Its audience
    /// is for the edge to judge, since the token was meant for somebody else (ATN-14).
    pub(crate) door: GateRules,
}

/// Whether a request may come without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContextNeed {
    Allowed,
    Required,
}

impl ContextRules {
    pub(crate) const fn kind(&self) -> Kind {
        self.door.kind
    }
}

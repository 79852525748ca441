//! Is the caller the one who acts? (CD-02) A token that names an actor is worth nothing in the
//! hands of another workload.

use super::Actor;
use super::chain::{Chain, about_act};
use crate::claims::Claims;
use crate::error::{Code, Error};
use crate::policy::{GateRules, PresenterRule};

/// The immediate caller, as its own credential has proven it: a WIT, an SVID, a certificate, an
/// attestation. Never what a token says of it.
#[derive(Clone, Copy)]
pub(crate) struct Presenter<'a> {
    /// Who vouches for it: an issuer, or `spiffe://` and a trust domain.
    pub(crate) iss: &'a str,
    pub(crate) sub: &'a str,
}

/// Evidence that the caller is the outermost actor, or that nobody knows the caller, or that the
/// policy does not ask.
#[derive(Debug)]
pub(crate) struct PresenterAccepted(());

impl PresenterAccepted {
    /// Nobody knows the caller.
    pub(crate) const UNKNOWN: Self = Self(());
}

/// Compares a known caller with the outermost actor. A token without `act` names nobody that the
/// caller would have to be.
pub(crate) fn check_presenter(
    chain: &Chain,
    claims: &Claims,
    iss: &str,
    gate: &GateRules,
    presenter: Option<Presenter<'_>>,
) -> Result<PresenterAccepted, Error> {
    let rule = gate.delegation.rules().map(|rules| rules.presenter);
    let (Some(PresenterRule::MustBeActor), Some(presenter)) = (rule, presenter) else {
        return Ok(PresenterAccepted(()));
    };
    match chain.actors(claims.json(), iss).next() {
        Some(actor) if !presenter.is(actor) => Err(about_act(Code::ActorPresenterMismatch)),
        _ => Ok(PresenterAccepted(())),
    }
}

impl Presenter<'_> {
    /// A workload identifier names its trust domain in itself, so that it is the same workload
    /// whoever speaks of it: an authorization server says `act.iss` of itself, and the workload's
    /// own credential names another issuer. Every other name is only one together with its issuer.
    fn is(self, actor: Actor<'_>) -> bool {
        self.sub == actor.sub && (self.iss == actor.iss || is_workload_identifier(self.sub))
    }
}

fn is_workload_identifier(sub: &str) -> bool {
    ["spiffe://", "wimse://"]
        .iter()
        .any(|scheme| sub.starts_with(scheme))
}

impl std::fmt::Debug for Presenter<'_> {
    /// Identities stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presenter").finish_non_exhaustive()
    }
}

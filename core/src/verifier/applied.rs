//! What an accepted token that tells of an event does: once, and then in force wherever the policy
//! says.

use super::VerifiedToken;
use super::revocations::{RevocationReceipt, put_all_in_force};
use super::state::State;
use crate::events;
use crate::replay::ReplayKey;
use crate::revocation::{Change, HandleKind};
use crate::time::NumericDate;

/// What a token that tells of an event has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedEvent {
    /// What it revokes or lifts, whether or not that was known already or has been overtaken by
    /// something later; the epoch tells whether anything has changed. Nothing for an event that
    /// revokes nothing, or is about somebody whom no token of its issuer names, and for a
    /// duplicate.
    pub changes: Vec<EventChange>,
    /// Whether this process has applied a token of this issuer and `jti` before (LOG-06, SET-07):
    /// then nothing was done now, and what was lifted since stays lifted. The issuer is answered as
    /// before.
    pub duplicate: bool,
    /// As of every revocation.
    pub receipt: RevocationReceipt,
}

/// One handle that follows from an event, as journals and `sealgate revocations list` have it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventChange {
    /// The policy's name for the issuer that tells of it, safe as a metric label. The handle is one
    /// of its own: it names people and their agents, and is for nobody but operators.
    pub issuer_name: String,
    /// What is revoked or lifted, up to when, and until when that is remembered. Its
    /// [`reason`](Change::reason) is the type of the event: `session-revoked`.
    pub change: Change,
}

/// Writes what follows from a token that tells of an event, unless it was told before.
pub(super) fn apply(state: &State, token: &VerifiedToken, now: NumericDate) -> AppliedEvent {
    let told = state.replay.told.as_ref().zip(told_by(state, token));
    let duplicate = told.as_ref().is_some_and(|(told, key)| told.has(key));
    let changes = if duplicate {
        Vec::new()
    } else {
        token.changes()
    };
    let rules = state.world.rules();
    let changes = changes.into_iter().map(|change| EventChange {
        issuer_name: token.issuer_name().to_owned(),
        change: events::ending(change, rules.longest_lifetime, rules.leeway),
    });
    let changes: Vec<_> = changes.collect();
    let receipt = put_all_in_force(state, changes.iter().map(|made| &made.change), now);
    // Only now: who is interrupted is told again.
    if let Some((told, key)) = told {
        told.add(key, token.settled().dates().end(), now);
    }
    AppliedEvent {
        changes,
        duplicate,
        receipt: RevocationReceipt {
            delivered: receipt.delivered && (!duplicate || is_delivered(state)),
            cutoff: None, // each handle has its own
            ..receipt
        },
    }
}

/// What a token is known by that tells of an event: its issuer, its kind and its `jti`.
fn told_by(state: &State, token: &VerifiedToken) -> Option<ReplayKey> {
    let name = format!("{} {}", token.profile().kind().as_str(), token.jwt_id()?);
    let store = &state.revocations;
    let hash = store.hash(HandleKind::Token, token.issuer(), &name);
    let mut key = ReplayKey::default();
    let bytes = hash.to_bytes();
    key.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    Some(key)
}

/// Whether the store has everything that this process has changed.
fn is_delivered(state: &State) -> bool {
    let postman = state.shared().and_then(|_| state.revocations.postman());
    postman.is_none_or(|postman| postman.undelivered() == 0)
}

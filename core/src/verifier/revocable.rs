//! What a token can be revoked by, from everything that is known of it.

use super::state::Door;
use crate::binding::Confirmation;
use crate::delegation::{self, Member};
use crate::jws::ProtectedHeader;
use crate::policy::TaskKind;
use crate::revocation::{Circumstances, HandleKind, Handles};

/// The handles of a token; `None` where the policy does not ask about revocations.
#[inline]
pub(super) fn handles(
    door: Door<'_>,
    token: &Member<'_>,
    header: &ProtectedHeader,
    confirmation: &Confirmation,
) -> Option<Handles> {
    let rules = &door.rules().revocation;
    if rules.waive().is_some() {
        return None;
    }
    let tasks = delegation::tasks(token.claims, &door.gate.intent);
    let tasks = tasks.map(|(kind, issuer, id)| match kind {
        // Who approved it, where the token says so; else its issuer has.
        TaskKind::Mission | TaskKind::Intent => {
            (HandleKind::Intent, issuer.unwrap_or(token.iss), id)
        }
        TaskKind::Workflow => (HandleKind::Workflow, token.iss, id),
    });
    let circumstances = Circumstances {
        kid: header.kid(),
        holder_keys: confirmation.thumbprints(),
        inner_actors: rules.inner_actors,
        tasks,
    };
    Some(Handles::of(&door.state.revocations, token, circumstances))
}

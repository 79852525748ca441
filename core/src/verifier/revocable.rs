//! What a token can be revoked by, from everything that is known of it.

use super::state::Door;
use crate::delegation::{self, Member};
use crate::jws::ProtectedHeader;
use crate::policy::TaskKind;
use crate::revocation::{Circumstances, HandleKind, Handles};

/// The handles of a token; `None` where the policy does not ask about revocations. `bound_to` has
/// the thumbprints of the keys that the token is bound to.
#[inline]
pub(super) fn handles<'t, K: IntoIterator<Item = String>>(
    door: Door<'t>,
    token: impl FnOnce() -> Member<'t>,
    header: &'t ProtectedHeader,
    bound_to: impl FnOnce() -> K,
) -> Option<Handles> {
    let rules = &door.rules().revocation;
    if rules.waive().is_some() {
        return None;
    }
    let token = &token();
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
        holder_keys: bound_to(),
        inner_actors: rules.inner_actors,
        tasks,
    };
    Some(Handles::of(&door.state.revocations, token, circumstances))
}

//! The workload that calls (CD-02): where a request brings a workload identity token beside its own
//! token, and the proof of it, the caller is known.

use std::borrow::Cow;

use super::Requirements;
use super::pipeline::{self, Case};
use super::request::Presented;
use super::requirements::NO_REQUIREMENTS;
use super::state::Door;
use super::verified::Judged;
use crate::crypto::CryptoProvider;
use crate::error::{Code, Error};
use crate::policy::{ContextNeed, GateRules, HeaderField};
use crate::time::NumericDate;

/// Judges the identity that a request brings of its caller, as far as its proof is not used up.
pub(super) fn judge(
    door: Door<'_>,
    presented: &Presented<'_>,
    provider: &CryptoProvider,
    now: NumericDate,
) -> Result<Option<Judged>, Error> {
    let Some((token, shown)) = presented.caller() else {
        return Ok(None);
    };
    let Some(door) = door.caller() else {
        return Ok(None);
    };
    let case = Case::of(&door, provider, now, &shown, &NO_REQUIREMENTS);
    pipeline::verify(door, token, &case, &mut ()).map(Some)
}

/// The requirements of a call by this caller. What the request proves of it counts before what the
/// program says.
pub(super) fn required<'r>(
    requirements: &'r Requirements,
    caller: Option<&Judged>,
) -> Cow<'r, Requirements> {
    let Some(caller) = caller else {
        return Cow::Borrowed(requirements);
    };
    let (iss, sub) = caller.named();
    Cow::Owned(requirements.clone().with_presenter(iss, sub))
}

/// That a caller is known where the gate must know it.
pub(super) fn check_needed(gate: &GateRules, requirements: &Requirements) -> Result<(), Error> {
    let needed = gate.caller.as_ref().map(|rules| rules.need) == Some(ContextNeed::Required);
    if needed && requirements.presenter().is_none() {
        let field = HeaderField::WorkloadIdentityToken.name();
        return Err(Error::about(Code::NoToken, field));
    }
    Ok(())
}

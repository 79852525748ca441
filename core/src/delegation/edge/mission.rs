//! From an approved mission to the access token that was issued under it (Mission-Bound
//! Authorization drafts; the row `mission` of standards 30.5).
//!
//! The mission's token says what was approved, in its `bounds` where it has them. Its scopes say
//! nothing: those of the access token are derived.

use super::Member;
use crate::claims::Claim;
use crate::encoding::json::Value;
use crate::error::{Code, Error};
use crate::time::NumericDate;

const NAME: &str = "mission";

/// The same mission, approved by the same issuer in the same words, and not over yet: the three
/// members of both are there and equal. Two dates of one issuer, so no leeway (ATN-11).
pub(super) fn check(parent: &Member<'_>, child: &Member<'_>) -> Result<(), Error> {
    let missions = parent.other(NAME).zip(child.other(NAME));
    let same = |name: &str| {
        let (approved, own) = missions?;
        let (approved, own) = (approved.get(name)?.as_str()?, own.get(name)?.as_str()?);
        (approved == own).then_some(())
    };
    for member in ["id", "issuer", "authority_hash"] {
        same(member).ok_or_else(|| Error::about(Code::IntentMismatch, NAME))?;
    }
    // A mission that says no end of its own ends with its token.
    let end = expires_at(parent)?.or(parent.dates.expires_at);
    if child.dates.expires_at > end {
        return Err(Error::about(Code::AttenuationTime, Claim::Exp.name()));
    }
    Ok(())
}

fn expires_at(parent: &Member<'_>) -> Result<Option<NumericDate>, Error> {
    let Some(end) = parent
        .other(NAME)
        .and_then(|mission| mission.get("expires_at"))
    else {
        return Ok(None);
    };
    let end = end.as_str().and_then(NumericDate::from_rfc3339);
    let end = end.ok_or_else(|| Error::about(Code::ClaimType, NAME))?;
    Ok(Some(end))
}

/// What was approved, entry by entry; `None` where the token has only its hash.
pub(super) fn authority<'a>(parent: &Member<'a>) -> Option<Value<'a>> {
    let bounds = parent.other(NAME)?.get("bounds");
    bounds.or_else(|| parent.claims.value(Claim::AuthorizationDetails))
}

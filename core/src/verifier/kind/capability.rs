//! Attenuating agent tokens (draft-niyikiza-oauth-attenuating-agent-tokens): roots (AAT-03), and
//! what a holder derived from one, which is verified with its parents, never alone.

use super::{key, own};
use crate::claims::{Claim, ClaimedDates, Claims, count};
use crate::encoding::json::{JsonKind, Value};
use crate::error::{Code, Error};

/// The one entry of `authorization_details` that a capability has.
const TYPE: &str = "attenuating_agent_token";

pub(super) fn check_root(claims: &Claims, dates: &ClaimedDates) -> Result<(), Error> {
    if claims.value(Claim::DelDepth).and_then(count) != Some(0) {
        return Err(Error::about(Code::WrongTokenKind, "del_depth"));
    }
    check(claims, dates)
}

/// A child names its parent; whether it follows from it is for the edge to say.
pub(super) fn check_derived(claims: &Claims, dates: &ClaimedDates) -> Result<(), Error> {
    let Some(hash) = claims.other("par_hash") else {
        return Err(Error::about(Code::MissingClaim, "par_hash"));
    };
    if !hash.as_str().is_some_and(own::is_sha256) {
        return Err(Error::about(Code::ClaimType, "par_hash"));
    }
    check(claims, dates)
}

fn check(claims: &Claims, dates: &ClaimedDates) -> Result<(), Error> {
    if dates.issued_at >= dates.expires_at {
        return Err(Error::about(Code::ClaimType, "exp"));
    }
    key::of(claims)?;
    let details = claims.value(Claim::AuthorizationDetails);
    let mut details = details.and_then(|details| details.as_array());
    let first = details.as_mut().and_then(Iterator::next);
    let second = details.as_mut().and_then(Iterator::next);
    match (first, second) {
        (Some(only), None) if is_entry(only) => Ok(()),
        (Some(_) | None, _) => Err(Error::about(Code::ClaimType, "authorization_details")),
    }
}

/// Tools by name, and for each its arguments with their constraints. What a constraint of an
/// unknown type allows is nothing, and a question of the call (AAT-07).
fn is_entry(entry: Value<'_>) -> bool {
    let is_constraint = |constraint: Value<'_>| {
        let name = constraint.get("constraint_type");
        name.is_some_and(|name| name.as_str().is_some())
    };
    let is_tool = |tool: Value<'_>| {
        tool.as_object()
            .is_some_and(|mut arguments| arguments.all(|(_, argument)| is_constraint(argument)))
    };
    let is_ours = entry.get("type").and_then(|name| name.as_str()) == Some(TYPE);
    let tools = entry
        .get("tools")
        .filter(|tools| tools.kind() == JsonKind::Object);
    let tools = tools.and_then(|tools| tools.as_object());
    is_ours && tools.is_some_and(|mut tools| tools.all(|(_, tool)| is_tool(tool)))
}

//! JWT responses of an introspection endpoint (RFC 9701): the response is for us and fresh, and at
//! a gate for them the token it tells of is active now (INT-01, INT-02).
//!
//! Who may present that token is not judged here: neither its `cnf` nor its `act`.

use crate::claims::{Audience, Claim, ClaimedDates, Claims, nested_dates};
use crate::error::{Code, Error};
use crate::policy::{GateRules, ToldToken};

const NAME: &str = Claim::TokenIntrospection.name();

pub(super) fn check(
    claims: &Claims,
    gate: &GateRules,
    dates: &mut ClaimedDates,
) -> Result<(), Error> {
    if gate.told == ToldToken::Elsewhere {
        return Ok(());
    }
    let malformed = || Error::about(Code::ClaimType, NAME);
    let answer = claims
        .value(Claim::TokenIntrospection)
        .ok_or_else(malformed)?;
    let active = answer.get("active").and_then(|active| active.as_bool());
    if !active.ok_or_else(malformed)? {
        return Err(Error::about(Code::Inactive, NAME)); // whatever else it says
    }
    let own = nested_dates(answer).ok_or_else(malformed)?;
    // Active is necessary, not sufficient: its own dates and audience still count.
    dates.expires_at = own.expires_at;
    dates.not_before = dates.not_before.max(own.not_before);
    let mut audiences = Audience::of(answer).peekable();
    if audiences.peek().is_some() && !audiences.any(|audience| gate.is_called(audience)) {
        return Err(Error::about(Code::AudMismatch, NAME));
    }
    Ok(())
}

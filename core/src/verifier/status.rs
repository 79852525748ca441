//! Status lists as a verifier sees them: what its tokens refer to, which lists are to be fetched,
//! and a way to put them in their place. Fetching itself is not in this layer.

use super::ancestry::Ancestors;
use super::state::{Door, Source};
use crate::claims::{Claim, Claims};
use crate::error::Error;
use crate::revocation::{self, StatusChecked};
use crate::time::NumericDate;

/// The status of an otherwise valid token, and of those it comes from (TSL-01).
#[inline]
pub(super) fn check(
    door: &Door<'_>,
    claims: &Claims,
    source: &Source,
    ancestors: &Ancestors<'_>,
    now: NumericDate,
) -> Result<StatusChecked, Error> {
    let alone = ancestors.as_ref().map_or(true, Vec::is_empty);
    if alone && !claims.present().contains(Claim::Status) {
        return Ok(StatusChecked::NOTHING_TO_ASK);
    }
    all(door, claims, source, ancestors, now)
}

#[cold]
fn all(
    door: &Door<'_>,
    claims: &Claims,
    source: &Source,
    ancestors: &Ancestors<'_>,
    now: NumericDate,
) -> Result<StatusChecked, Error> {
    // What is wrong with the further tokens was said before.
    for ancestor in ancestors.as_deref().unwrap_or_default() {
        of(door, ancestor.claims(), ancestor.source(), now)?;
    }
    of(door, claims, source, now)
}

/// The status of one token alone.
pub(super) fn of(
    door: &Door<'_>,
    claims: &Claims,
    source: &Source,
    now: NumericDate,
) -> Result<StatusChecked, Error> {
    if !claims.present().contains(Claim::Status) {
        return Ok(StatusChecked::NOTHING_TO_ASK);
    }
    let (rules, lists) = (door.rules(), &door.state.status);
    let issuer = door.issuer(source)?;
    let has_key = |key: &str| door.state.keys.has(source.position, key);
    revocation::check_status(rules, lists, claims, issuer, has_key, now)
}

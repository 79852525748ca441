//! Status lists as a verifier sees them: what its tokens refer to, which lists are to be fetched, and
//! a way to put them in their place. Fetching itself is not in this layer.

use super::ancestry::Ancestors;
use super::state::{Door, Source};
use crate::claims::Claims;
use crate::error::Error;
use crate::revocation::{self, StatusChecked};
use crate::time::NumericDate;

/// The status of an otherwise valid token, and of those it comes from (TSL-01).
#[inline]
pub(super) fn check(
    door: Door<'_>,
    claims: &Claims,
    source: &Source,
    ancestors: &Ancestors<'_>,
    now: NumericDate,
) -> Result<StatusChecked, Error> {
    for ancestor in ancestors.as_ref().map_err(|error| *error)? {
        of(door, ancestor.claims(), ancestor.source(), now)?;
    }
    of(door, claims, source, now)
}

/// The status of one token alone.
#[inline]
pub(super) fn of(
    door: Door<'_>,
    claims: &Claims,
    source: &Source,
    now: NumericDate,
) -> Result<StatusChecked, Error> {
    let (rules, lists) = (door.rules(), &door.state.status);
    revocation::check_status(rules, lists, claims, door.issuer(source)?, now)
}

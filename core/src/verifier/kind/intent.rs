//! Tokens that carry what was approved (standards 32.3): an `intent`, or a `mission`.

use super::own::{is_sha256, is_text};
use crate::claims::{ClaimedDates, Claims};
use crate::encoding::json::Value;
use crate::error::{Code, Error};
use crate::time::NumericDate;

/// The two names, each with the one its hash goes by.
const NAMES: [(&str, &str); 2] = [("intent", "hash"), ("mission", "authority_hash")];

pub(super) fn check(claims: &Claims, dates: &ClaimedDates) -> Result<(), Error> {
    let given = NAMES.map(|(name, hash)| Some((name, claims.other(name)?, hash)));
    let mut given = given.into_iter().flatten().peekable();
    if given.peek().is_none() {
        return Err(Error::about(Code::MissingClaim, "intent"));
    }
    given.try_for_each(|(name, value, hash)| check_one(name, value, hash, dates))
}

fn check_one(
    name: &'static str,
    value: Value<'_>,
    hash: &str,
    dates: &ClaimedDates,
) -> Result<(), Error> {
    let malformed = || Error::about(Code::ClaimType, name);
    for member in ["id", "issuer", hash] {
        let value = value.get(member);
        let value = value.ok_or_else(|| Error::about(Code::MissingClaim, name))?; // INTN-01
        if !is_text(value) {
            return Err(malformed());
        }
    }
    let text = |member: &str| value.get(member).and_then(|value| value.as_str());
    let digest = text(hash).and_then(|hash| hash.strip_prefix("sha-256:"));
    if !digest.is_some_and(is_sha256) {
        return Err(malformed()); // INTN-07
    }
    if let Some(bounds) = value.get("bounds") {
        let mut bounds = bounds.as_array().ok_or_else(malformed)?;
        if !bounds.all(|bound| bound.get("type").is_some_and(is_text)) {
            return Err(malformed());
        }
    }
    if value.get("expires_at").is_none() {
        return Ok(());
    }
    let approved_until = text("expires_at").and_then(NumericDate::from_rfc3339);
    let approved_until = approved_until.ok_or_else(malformed)?;
    // INTN-02: two claims of one issuer, so no leeway.
    if dates.expires_at.is_some_and(|exp| exp > approved_until) {
        return Err(Error::about(Code::LifetimeTooLong, "exp"));
    }
    Ok(())
}

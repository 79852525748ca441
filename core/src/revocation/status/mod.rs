//! Token Status Lists (draft-ietf-oauth-status-list): whether the list that a token refers to says
//! that it is revoked or suspended. Lists are fetched elsewhere, off the verification path, which
//! looks into those that are here and waits for none.

mod list;
#[cfg_attr(
    not(feature = "remote"),
    expect(dead_code, reason = "nothing is fetched in such a build")
)]
mod lists;

pub use list::{StatusList, StatusListError};
pub(crate) use lists::StatusLists;
#[cfg(feature = "remote")]
pub(crate) use lists::{Due, Resolved};

use crate::claims::{Claim, Claims, count};
use crate::error::{Code, Error};
use crate::policy::{IssuerRules, Preset, Rules};
use crate::time::NumericDate;

/// Evidence that the status of a token was asked for, where it has one and the policy wants to
/// know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusChecked(Option<bool>);

impl StatusChecked {
    /// Of a token that refers to no list.
    pub(crate) const NOTHING_TO_ASK: Self = Self(None);

    /// Whether a list was asked; `None` for a token that refers to none.
    pub(crate) const fn asked(self) -> Option<bool> {
        self.0
    }
}

/// TSL-01 to TSL-11, for an otherwise valid token of this issuer, which has keys of these
/// thumbprints, that has a status.
///
/// # Errors
///
/// `revoked`, `suspended`; `status_unavailable` and `status_stale` where the list is not here,
/// unless the policy accepts and marks; `claim_type` for a reference that leads nowhere.
#[cold]
pub(crate) fn check(
    rules: &Rules,
    lists: &StatusLists,
    claims: &Claims,
    issuer: &IssuerRules,
    has_key: impl Fn(&str) -> bool,
    now: NumericDate,
) -> Result<StatusChecked, Error> {
    ask(rules, lists, claims, issuer, has_key, now).map(|asked| StatusChecked(Some(asked)))
}

fn ask(
    rules: &Rules,
    lists: &StatusLists,
    claims: &Claims,
    issuer: &IssuerRules,
    has_key: impl Fn(&str) -> bool,
    now: NumericDate,
) -> Result<bool, Error> {
    let about = |code| Error::about(code, Claim::Status.name());
    let reference = claims
        .value(Claim::Status)
        .and_then(|status| status.get("status_list"));
    let status = rules.revocation.status.as_ref();
    let resolver = status.filter(|status| status.door(&issuer.name).is_some());
    let (Some(reference), Some(resolver)) = (reference, resolver) else {
        // TSL-02: another mechanism, or nobody who could ask.
        return if rules.preset == Preset::AgentStrict {
            Err(about(Code::StatusUnavailable))
        } else {
            Ok(false)
        };
    };
    let index = reference.get("idx").and_then(count);
    let uri = reference.get("uri").and_then(|uri| uri.as_str());
    let uri = uri.filter(|uri| uri.contains("://"));
    let (Some(index), Some(uri)) = (index, uri) else {
        return Err(about(Code::ClaimType));
    };
    let code = match lists.look_up(issuer.into(), uri, has_key, now) {
        Ok(list) => match list.get(index) {
            Some(0) => return Ok(true),
            Some(2) => Code::Suspended,
            Some(_) => Code::Revoked, // TSL-11: nobody has said what else it means
            None => Code::ClaimType,  // TSL-10
        },
        Err(_) if resolver.accept_marked => return Ok(false),
        Err(code) => code,
    };
    Err(about(code))
}

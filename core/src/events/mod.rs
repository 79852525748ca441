//! Which revocations follow from a token that tells of an event (standards 31.4): back-channel logout,
//! and the Security Event Tokens of CAEP and RISC.
//!
//! An issuer speaks for itself: what it says of another's subjects changes nothing (REV-03). An event
//! of a type that is not in the table, or about somebody whom no token names, is observed and changes
//! nothing either.

mod ending;
mod subject;
#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests;

pub(crate) use self::ending::ending;
use self::subject::{Reach, Target};
use crate::claims::{Claim, Claims, date};
use crate::encoding::json::Value;
use crate::policy::{IssuerRules, Kind};
use crate::revocation::{Change, Handle};
use crate::time::NumericDate;

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

/// What an event does to those it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Tokens issued until then end; a session ends whole.
    SignOut,
    /// As that, and so does what comes of an older sign-in (REV-10).
    Credential,
    /// Until it is enabled again.
    Disable,
    Enable,
    /// For ever.
    Purge,
}

/// What follows from the claims of an accepted token of such a kind, which `issuer` has signed as
/// `iss`. Nothing follows from tokens of other kinds.
pub(crate) fn changes(kind: Kind, claims: &Claims, iss: &str, issuer: &IssuerRules) -> Vec<Change> {
    let told = if kind == Kind::LogoutToken {
        logout(claims, iss)
    } else {
        event(claims, iss)
    };
    let Some(told) = told.filter(|_| kind.tells_of_events()) else {
        return Vec::new();
    };
    let own = |target: &Target<'_>| issuer.issuers.iter().any(|iss| **iss == *target.iss());
    let targets = told.targets.into_iter().filter(own);
    targets
        .flat_map(|target| changes_of(told.effect, target, told.at))
        .map(|change| change.because(told.name))
        .collect()
}

/// Of a token that verifies a stream (SSF §8.1.4), the `state` that its receiver sent, if it says
/// any; `None` for every other (SET-11).
pub(crate) fn verification(claims: &Claims) -> Option<Option<&str>> {
    let event = claims.value(Claim::Events)?.get(VERIFICATION)?;
    Some(event.get("state").and_then(Value::as_str))
}

/// One event, read.
struct Told<'t> {
    name: &'static str,
    effect: Effect,
    targets: Vec<Target<'t>>,
    at: NumericDate,
}

/// LOG-07: the session alone where there is one.
fn logout<'t>(claims: &'t Claims, iss: &'t str) -> Option<Told<'t>> {
    let session = claims
        .text(Claim::Sid)
        .map(|sid| Target::Session { iss, sid });
    let party = || {
        claims
            .text(Claim::Sub)
            .map(|sub| Target::Party { iss, sub })
    };
    Some(Told {
        name: "backchannel-logout",
        effect: Effect::SignOut,
        targets: vec![session.or_else(party)?],
        at: claims.date(Claim::Iat)?,
    })
}

fn event<'t>(claims: &'t Claims, iss: &'t str) -> Option<Told<'t>> {
    let (uri, event) = claims.value(Claim::Events)?.as_object()?.next()?;
    let (name, effect, reach) = meaning(uri, event)?;
    let issued_at = claims.date(Claim::Iat)?;
    // SET-08: when it happened, else when it was told; never after that.
    let happened = event.get("event_timestamp").and_then(date);
    let happened = happened.or_else(|| claims.other("toe").and_then(date));
    Some(Told {
        name,
        effect,
        targets: subject::targets(claims.other("sub_id")?, iss, reach),
        at: happened.unwrap_or(issued_at).min(issued_at),
    })
}

/// The table (31.4, SET-12): what an event of this type means, and whether it is about a session where its
/// subject has one. `None` is observed only.
fn meaning(uri: &str, event: Value<'_>) -> Option<(&'static str, Effect, Reach)> {
    let says = |name: &str, values: &[&str]| {
        let value = event.get(name).and_then(|value| value.as_str());
        value.is_some_and(|value| values.iter().any(|own| own.eq_ignore_ascii_case(value)))
    };
    let meaning = |name, effect, reach| Some((name, effect, reach));
    if let Some(name) = uri.strip_prefix(CAEP) {
        return match name {
            "session-revoked" => meaning("session-revoked", Effect::SignOut, Reach::Session),
            "token-claims-change" => {
                meaning("token-claims-change", Effect::SignOut, Reach::Account)
            }
            "credential-change" if says("change_type", &["revoke", "delete"]) => {
                meaning("credential-change", Effect::Credential, Reach::Account)
            }
            "assurance-level-change" if says("change_direction", &["decrease"]) => {
                meaning("assurance-level-change", Effect::SignOut, Reach::Account)
            }
            "device-compliance-change" if says("current_status", &["not-compliant"]) => {
                meaning("device-compliance-change", Effect::SignOut, Reach::Account)
            }
            "risk-level-change" if says("current_level", &["high"]) => {
                meaning("risk-level-change", Effect::SignOut, Reach::Session)
            }
            _ => None,
        };
    }
    let account = |name, effect| meaning(name, effect, Reach::Account);
    match uri.strip_prefix(RISC)? {
        "account-disabled" => account("account-disabled", Effect::Disable),
        "account-enabled" => account("account-enabled", Effect::Enable),
        "account-purged" => account("account-purged", Effect::Purge),
        "account-credential-change-required" => {
            account("account-credential-change-required", Effect::Credential)
        }
        "credential-compromise" => account("credential-compromise", Effect::Credential),
        "identifier-recycled" => account("identifier-recycled", Effect::SignOut),
        "sessions-revoked" => account("sessions-revoked", Effect::SignOut),
        _ => None,
    }
}

/// A sign-out concerns what was issued until then, an account's end all of it. A token and a session
/// end once and whole.
fn changes_of(effect: Effect, target: Target<'_>, at: NumericDate) -> Vec<Change> {
    let all = |handle| Change::revoked(handle, None, None, at).from_event();
    let until = |handle| Change::revoked(handle, Some(at), None, at).from_event();
    match (target, effect) {
        (Target::Token { .. } | Target::Session { .. }, Effect::Enable)
        | (Target::Client { .. }, Effect::Enable | Effect::Disable) => Vec::new(),
        (Target::Token { iss, jti }, _) => vec![all(Handle::token(iss, jti))],
        (Target::Session { iss, sid }, _) => vec![all(Handle::session(iss, sid))],
        (Target::Client { iss, id }, Effect::SignOut | Effect::Credential) => {
            vec![until(Handle::client(iss, id))]
        }
        (Target::Client { iss, id }, Effect::Purge) => vec![all(Handle::client(iss, id))],
        // Nothing says whether it is a person or an agent.
        (Target::Party { iss, sub }, Effect::SignOut) => {
            vec![
                until(Handle::subject(iss, sub)),
                until(Handle::actor(iss, sub)),
            ]
        }
        (Target::Party { iss, sub }, Effect::Credential) => vec![
            until(Handle::subject(iss, sub)),
            until(Handle::actor(iss, sub)),
            until(Handle::credential(iss, sub)),
        ],
        (Target::Party { iss, sub }, Effect::Disable) => vec![until(Handle::account(iss, sub))],
        (Target::Party { iss, sub }, Effect::Enable) => {
            vec![Change::lifted(Handle::account(iss, sub), at).from_event()]
        }
        (Target::Party { iss, sub }, Effect::Purge) => {
            vec![all(Handle::subject(iss, sub)), all(Handle::actor(iss, sub))]
        }
    }
}

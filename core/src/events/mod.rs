//! Which revocations follow from a token that tells of an event (standards 31.4): back-channel
//! logout, and the Security Event Tokens of CAEP and RISC.
//!
//! An issuer speaks for itself: what it says of another's subjects changes nothing (REV-03). An
//! event of a type that is not in the table, or about somebody whom no token names, is observed and
//! changes nothing either.

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

/// What events of one type mean.
struct Meaning {
    /// The URI of the type is this and the name.
    family: &'static str,
    name: &'static str,
    /// The member of the event that has to say one of these, in whatever case.
    only_where: Option<(&'static str, &'static [&'static str])>,
    effect: Effect,
    /// Whom it is about where its subject has a session and an account.
    reach: Reach,
}

impl Meaning {
    const fn new(family: &'static str, name: &'static str, effect: Effect, reach: Reach) -> Self {
        Self {
            family,
            name,
            only_where: None,
            effect,
            reach,
        }
    }

    const fn only_where(mut self, member: &'static str, says: &'static [&'static str]) -> Self {
        self.only_where = Some((member, says));
        self
    }
}

/// The table (31.4, SET-12). The manual's table of events shows what follows from each row.
#[rustfmt::skip]
const TABLE: [Meaning; 13] = {
    use Effect::{Credential, Disable, Enable, Purge, SignOut};
    use Reach::{Account, Session};
    [
        Meaning::new(CAEP, "session-revoked", SignOut, Session),
        Meaning::new(CAEP, "token-claims-change", SignOut, Account),
        Meaning::new(CAEP, "credential-change", Credential, Account)
            .only_where("change_type", &["revoke", "delete"]),
        Meaning::new(CAEP, "assurance-level-change", SignOut, Account)
            .only_where("change_direction", &["decrease"]),
        Meaning::new(CAEP, "device-compliance-change", SignOut, Account)
            .only_where("current_status", &["not-compliant"]),
        Meaning::new(CAEP, "risk-level-change", SignOut, Session)
            .only_where("current_level", &["high"]),
        Meaning::new(RISC, "account-disabled", Disable, Account),
        Meaning::new(RISC, "account-enabled", Enable, Account),
        Meaning::new(RISC, "account-purged", Purge, Account),
        Meaning::new(RISC, "account-credential-change-required", Credential, Account),
        Meaning::new(RISC, "credential-compromise", Credential, Account),
        Meaning::new(RISC, "identifier-recycled", SignOut, Account),
        Meaning::new(RISC, "sessions-revoked", SignOut, Account),
    ]
};

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
    let row = meaning(uri, event)?;
    let issued_at = claims.date(Claim::Iat)?;
    // SET-08: when it happened, else when it was told; never after that.
    let happened = event.get("event_timestamp").and_then(date);
    let happened = happened.or_else(|| claims.other("toe").and_then(date));
    Some(Told {
        name: row.name,
        effect: row.effect,
        targets: subject::targets(claims.other("sub_id")?, iss, row.reach),
        at: happened.unwrap_or(issued_at).min(issued_at),
    })
}

/// What an event of this type, with these members, means; `None` is observed only.
fn meaning(uri: &str, event: Value<'_>) -> Option<&'static Meaning> {
    let is = |row: &&Meaning| uri.strip_prefix(row.family) == Some(row.name);
    let says = |(member, values): (&str, &[&str])| {
        let value = event.get(member).and_then(|value| value.as_str());
        value.is_some_and(|value| values.iter().any(|own| own.eq_ignore_ascii_case(value)))
    };
    let row = TABLE.iter().find(is)?;
    row.only_where.is_none_or(says).then_some(row)
}

/// A sign-out concerns what was issued until then, an account's end all of it. A token and a
/// session end once and whole.
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
        (Target::Party { iss, sub }, Effect::Disable) => vec![all(Handle::disabled(iss, sub))],
        (Target::Party { iss, sub }, Effect::Enable) => {
            vec![Change::lifted(Handle::disabled(iss, sub), at).from_event()]
        }
        (Target::Party { iss, sub }, Effect::Purge) => {
            vec![all(Handle::subject(iss, sub)), all(Handle::actor(iss, sub))]
        }
    }
}

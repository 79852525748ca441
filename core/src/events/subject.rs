//! Whom an event is about: subject identifiers (RFC 9493), and the complex subjects of the Shared
//! Signals Framework (SSF §3.2), as tokens name them.

use crate::encoding::json::Value;

/// Somebody or something that tokens name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'t> {
    Token {
        iss: &'t str,
        jti: &'t str,
    },
    Session {
        iss: &'t str,
        sid: &'t str,
    },
    Client {
        iss: &'t str,
        id: &'t str,
    },
    /// A person, a client of its own, an agent or a workload.
    Party {
        iss: &'t str,
        sub: &'t str,
    },
}

/// What an event is about where its subject has a session and an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// The session, which is narrower.
    Session,
    /// The account, whatever its session.
    Account,
}

impl<'t> Target<'t> {
    pub(super) const fn iss(&self) -> &'t str {
        match self {
            Self::Token { iss, .. }
            | Self::Session { iss, .. }
            | Self::Client { iss, .. }
            | Self::Party { iss, .. } => iss,
        }
    }
}

/// Those whom `sub_id` names, for an event of the issuer `iss`. It names nobody where it has only
/// what no token carries: a device, a tenant, an organisation, an address.
pub(super) fn targets<'t>(sub_id: Value<'t>, iss: &'t str, reach: Reach) -> Vec<Target<'t>> {
    match format(sub_id) {
        Some("complex") => complex(sub_id, iss, reach),
        Some("aliases") => aliases(sub_id)
            .flat_map(|one| single(one, iss, reach))
            .collect(),
        _ => single(sub_id, iss, reach).collect(),
    }
}

/// A subject of one part. CAEP's first example of a revoked session is an opaque identifier of
/// that session (§3.1), RISC's opaque ones are accounts: where it may be either it is both.
fn single<'t>(value: Value<'t>, iss: &'t str, reach: Reach) -> impl Iterator<Item = Target<'t>> {
    let session = match (reach, format(value)) {
        (Reach::Session, Some("opaque")) => {
            text(value, "id").map(|sid| Target::Session { iss, sid })
        }
        _ => None,
    };
    let named = match format(value) {
        Some("jwt_id") => text(value, "iss")
            .zip(text(value, "jti"))
            .map(|(iss, jti)| Target::Token { iss, jti }),
        _ => party(value, iss).map(|(iss, sub)| Target::Party { iss, sub }),
    };
    session.into_iter().chain(named)
}

/// Parts that are not there stand for anything (SET-06), and no handle names two at once. So of a
/// user's session the session ends, of a user of an application or on a device the user's tokens:
/// more than was said, never less, and nobody else's.
fn complex<'t>(value: Value<'t>, iss: &'t str, reach: Reach) -> Vec<Target<'t>> {
    let part = |name: &str| value.get(name);
    let session = part("session").and_then(|session| party(session, iss));
    let session = session.map(|(iss, sid)| Target::Session { iss, sid });
    let user = part("user").map(|user| single(user, iss, Reach::Account).collect::<Vec<_>>());
    let user = user.filter(|targets| !targets.is_empty());
    let (session, user) = (session.map(|session| vec![session]), user);
    let narrow = match reach {
        Reach::Session => session.or(user),
        Reach::Account => user.or(session),
    };
    narrow.unwrap_or_else(|| {
        let application = part("application").and_then(|application| party(application, iss));
        let targets = application.map(|(iss, id)| {
            let sub = id;
            [Target::Client { iss, id }, Target::Party { iss, sub }]
        });
        targets.into_iter().flatten().collect()
    })
}

/// Each is another name of the same subject (RFC 9493 §3.2.8).
fn aliases(value: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    let identifiers = value.get("identifiers");
    let identifiers = identifiers.and_then(|identifiers| identifiers.as_array());
    identifiers.into_iter().flatten()
}

/// Whose it is, and its name there. An identifier that does not say whose it is, is the issuer's
/// own: its `sub` may be an e-mail address or a URI.
fn party<'t>(value: Value<'t>, iss: &'t str) -> Option<(&'t str, &'t str)> {
    let own = |name: &str| Some((iss, text(value, name)?));
    match format(value)? {
        "iss_sub" => Some((text(value, "iss")?, text(value, "sub")?)),
        "opaque" => own("id"),
        "email" => own("email"),
        "phone_number" => own("phone_number"),
        "account" | "uri" => own("uri"),
        "did" => own("url"),
        _ => None,
    }
}

fn format(value: Value<'_>) -> Option<&str> {
    text(value, "format")
}

fn text<'t>(value: Value<'t>, name: &str) -> Option<&'t str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

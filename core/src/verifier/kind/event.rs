//! Tokens that tell of an event: back-channel logout (LOG-03, LOG-04) and Security Event Tokens
//! (RFC 8417, RFC 9493, SET-04, SET-05).

use super::own::is_text;
use crate::claims::{Claim, Claims};
use crate::encoding::json::{JsonKind, Value};
use crate::error::{Code, Error};

pub(super) fn check_logout(claims: &Claims) -> Result<(), Error> {
    const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
    if !claims.present().contains(Claim::Sub) && !claims.present().contains(Claim::Sid) {
        return Err(Error::about(Code::MissingClaim, "sid"));
    }
    let event = claims
        .value(Claim::Events)
        .and_then(|events| events.get(EVENT)); // LOG-04
    match event.map(|event| event.as_object().is_some()) {
        Some(true) => Ok(()),
        Some(false) => Err(Error::about(Code::ClaimType, "events")),
        None => Err(Error::about(Code::WrongTokenKind, "events")),
    }
}

/// One event, about one subject.
pub(super) fn check_set(claims: &Claims) -> Result<(), Error> {
    let events = claims.value(Claim::Events);
    let mut events = events.and_then(|events| events.as_object());
    let event = events.as_mut().and_then(Iterator::next);
    let another = events.as_mut().and_then(Iterator::next);
    let single = another.is_none();
    if !single || !event.is_some_and(|(_, event)| event.kind() == JsonKind::Object) {
        return Err(Error::about(Code::ClaimType, "events"));
    }
    if claims.other("sub_id").is_some_and(is_subject) {
        Ok(())
    } else {
        Err(Error::about(Code::ClaimType, "sub_id"))
    }
}

/// The members of each simple format (RFC 9493 §3.2, SSF §3.4), each a string.
const FORMATS: [(&str, &[&str]); 9] = [
    ("account", &["uri"]),
    ("did", &["url"]),
    ("email", &["email"]),
    ("iss_sub", &["iss", "sub"]),
    ("jwt_id", &["iss", "jti"]),
    ("opaque", &["id"]),
    ("phone_number", &["phone_number"]),
    ("saml_assertion_id", &["issuer", "assertion_id"]),
    ("uri", &["uri"]),
];

/// The parts of a complex subject (SSF §3.2), each a subject of a simple format.
const PARTS: [&str; 7] = [
    "user",
    "device",
    "session",
    "application",
    "tenant",
    "org_unit",
    "group",
];

/// A subject identifier of a known format. An unknown one is refused: whom it names would be a
/// guess.
fn is_subject(value: Value<'_>) -> bool {
    let format = value.get("format").and_then(|format| format.as_str());
    match format {
        Some("complex") => {
            let mut parts = PARTS.iter().filter_map(|part| value.get(part)).peekable();
            parts.peek().is_some() && parts.all(is_simple)
        }
        Some("aliases") => value
            .get("identifiers")
            .and_then(|identifiers| identifiers.as_array())
            .is_some_and(|identifiers| {
                let mut identifiers = identifiers.peekable();
                identifiers.peek().is_some() && identifiers.all(is_simple)
            }),
        Some(_) => is_simple(value),
        None => false,
    }
}

fn is_simple(value: Value<'_>) -> bool {
    let format = value.get("format").and_then(|format| format.as_str());
    if format == Some("ip-addresses") {
        let addresses = value.get("ip-addresses").and_then(|list| list.as_array());
        return addresses.is_some_and(|list| {
            let mut list = list.peekable();
            list.peek().is_some() && list.all(is_text)
        });
    }
    let known = FORMATS.iter().find(|(name, _)| format == Some(name));
    known.is_some_and(|(_, members)| {
        let mut members = members.iter();
        members.all(|member| value.get(member).is_some_and(is_text))
    })
}

//! Claims that a kind has for itself, as its row lists them (standards 29.2).

use crate::claims::{Claims, count, date};
use crate::encoding::base64url;
use crate::encoding::json::{JsonKind, Value};
use crate::error::{Code, Error};
use crate::policy::{Form, OwnClaim, Presence, Row};

/// Whatever its value, as with registered claims.
pub(super) fn check_forbidden(claims: &Claims, row: &Row) -> Result<(), Error> {
    let mut forbidden = row.own_names(Presence::Forbidden);
    match forbidden.find(|name| claims.other(name).is_some()) {
        Some(name) => Err(Error::about(Code::ForbiddenClaim, name)),
        None => Ok(()),
    }
}

pub(super) fn check_forms(claims: &Claims, row: &Row) -> Result<(), Error> {
    let malformed = |own: &&OwnClaim| {
        let value = claims.other(own.name);
        value.is_some_and(|value| !has_form(value, own.form))
    };
    match row.own.iter().find(malformed) {
        Some(own) => Err(Error::about(Code::ClaimType, own.name)),
        None => Ok(()),
    }
}

pub(super) fn check_present(claims: &Claims, row: &Row) -> Result<(), Error> {
    let mut required = row.own_names(Presence::Required);
    match required.find(|name| claims.other(name).is_none()) {
        Some(name) => Err(Error::about(Code::MissingClaim, name)),
        None => Ok(()),
    }
}

fn has_form(value: Value<'_>, form: Form) -> bool {
    match form {
        Form::Any => true,
        Form::Text => is_text(value),
        Form::Texts => match value.as_array() {
            Some(members) => are_texts(members),
            None => is_text(value),
        },
        Form::Count => count(value).is_some(),
        Form::Date => date(value).is_some(),
        Form::Object => value.kind() == JsonKind::Object,
        Form::Sha256 => value.as_str().is_some_and(is_sha256),
    }
}

/// A string that is not empty.
pub(super) fn is_text(value: Value<'_>) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// One such string or more.
fn are_texts<'v>(members: impl Iterator<Item = Value<'v>>) -> bool {
    let mut members = members.peekable();
    members.peek().is_some() && members.all(is_text)
}

/// Canonical base64url of 32 bytes.
pub(super) fn is_sha256(text: &str) -> bool {
    base64url::decode(text.as_bytes()).is_some_and(|hash| hash.len() == 32)
}

/// What an actor proof says it was given for: `aud` and `resource` of the token that was issued
/// from it.
pub(super) fn check_target(claims: &Claims) -> Result<(), Error> {
    let fits = claims.other("target").is_some_and(|target| {
        let names = ["aud", "resource"].map(|name| target.get(name));
        let mut given = names.into_iter().flatten().peekable();
        given.peek().is_some() && given.all(|value| has_form(value, Form::Texts))
    });
    if fits {
        Ok(())
    } else {
        Err(Error::about(Code::ClaimType, "target"))
    }
}

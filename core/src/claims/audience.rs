//! `aud` (RFC 7519 §4.1.3): a string, or an array of strings.

use std::fmt;

use crate::encoding::json::{Elements, JsonKind, Value};

/// The audiences of a token, in its order. `Debug` shows none of them.
#[derive(Clone)]
pub struct Audience<'a>(Form<'a>);

#[derive(Clone)]
enum Form<'a> {
    One(Option<&'a str>),
    Many(Elements<'a>),
}

/// A string, or a non-empty array of strings (JWT-03).
pub(super) fn is_well_formed(value: Value<'_>) -> bool {
    let Some(mut members) = value.as_array() else {
        return value.kind() == JsonKind::String;
    };
    let mut empty = true;
    let strings = members.all(|member| {
        empty = false;
        member.kind() == JsonKind::String
    });
    strings && !empty
}

impl<'a> Audience<'a> {
    /// Of an object that tells of a token.
    pub(crate) fn of(object: Value<'a>) -> Self {
        Self::new(object.get("aud"))
    }

    pub(super) fn new(value: Option<Value<'a>>) -> Self {
        let Some(value) = value else {
            return Self(Form::One(None));
        };
        match value.as_array() {
            Some(members) => Self(Form::Many(members)),
            None => Self(Form::One(value.as_str())),
        }
    }
}

impl fmt::Debug for Audience<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audience({} left)", self.clone().count())
    }
}

impl<'a> Iterator for Audience<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        match &mut self.0 {
            Form::One(audience) => audience.take(),
            Form::Many(members) => members.find_map(|member| member.as_str()),
        }
    }
}

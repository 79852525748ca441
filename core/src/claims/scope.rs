//! `scope` (RFC 6749 §3.3, RFC 8693 §4.2).

use std::fmt;

use super::ScopeForm;
use crate::encoding::json::{Elements, Value};

/// The scopes of a token, in its order. An absent or empty `scope` grants nothing (DIA-03). `Debug`
/// shows none of them.
#[derive(Clone)]
pub struct Scopes<'a>(Form<'a>);

#[derive(Clone)]
enum Form<'a> {
    Text(std::str::Split<'a, char>),
    Array(Elements<'a>),
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`
pub(crate) fn is_scope_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

pub(super) fn is_well_formed(value: Value<'_>, form: ScopeForm) -> bool {
    if let Some(text) = value.as_str() {
        return text.is_empty() || text.split(' ').all(is_scope_token);
    }
    form == ScopeForm::TextOrArray
        && value.as_array().is_some_and(|mut members| {
            members.all(|member| member.as_str().is_some_and(is_scope_token))
        })
}

impl<'a> Scopes<'a> {
    pub(super) fn new(value: Option<Value<'a>>) -> Self {
        if let Some(members) = value.and_then(|value| value.as_array()) {
            return Self(Form::Array(members));
        }
        Self(Form::Text(
            value
                .and_then(|value| value.as_str())
                .unwrap_or("")
                .split(' '),
        ))
    }
}

impl fmt::Debug for Scopes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({} left)", self.clone().count())
    }
}

impl<'a> Iterator for Scopes<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        match &mut self.0 {
            Form::Text(tokens) => tokens.find(|token| !token.is_empty()),
            Form::Array(members) => members.find_map(|member| member.as_str()),
        }
    }
}

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
    !text.is_empty() && text.bytes().all(is_token_byte)
}

const fn is_token_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

/// Tokens with one space between them, or nothing at all. One pass: splitting at spaces first took
/// 740 instructions for three scopes.
fn is_scope_text(text: &str) -> bool {
    // Before the first token no space may stand either, nor after the last.
    let mut before = b' ';
    let fits = text.bytes().all(|byte| {
        let after_token = before != b' ';
        before = byte;
        is_token_byte(byte) || (byte == b' ' && after_token)
    });
    fits && (before != b' ' || text.is_empty())
}

pub(super) fn is_well_formed(value: Value<'_>, form: ScopeForm) -> bool {
    if let Some(text) = value.as_str() {
        return is_scope_text(text);
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

#[cfg(test)]
mod tests {
    use super::{is_scope_text, is_scope_token};

    /// RFC 6749 §3.3: `scope = scope-token *( SP scope-token )`.
    #[test]
    fn a_scope_is_tokens_with_one_space_between() {
        let pieces = ["", " ", "a", "b!", "\"", "\\", "\u{7f}", "é", "\t"];
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    for fourth in pieces {
                        let text = [first, second, third, fourth].concat();
                        let grammar = text.is_empty() || text.split(' ').all(is_scope_token);
                        assert_eq!(is_scope_text(&text), grammar, "{text:?}");
                    }
                }
            }
        }
    }
}

//! A token inside a line of JSON, read strictly: of two members with one name it cannot be told
//! which the sender meant.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// The token of a JSON string, or of the member `token` of a JSON object; else why there is none.
pub(super) fn token_of(line: &[u8]) -> Result<String, &'static str> {
    match serde_json::from_slice(line) {
        Ok(Wrapper(Some(token))) => Ok(token),
        Ok(Wrapper(None)) => Err("a JSON object without a member `token`"),
        Err(error) if error.is_data() => Err(why(&error)),
        Err(_) => Err("neither a token nor JSON"),
    }
}

/// Nothing of the line, which may hold a token, goes into the text.
fn why(error: &serde_json::Error) -> &'static str {
    if error.to_string().starts_with(TWICE) {
        TWICE
    } else {
        "a JSON object whose member `token` is no string"
    }
}

const TWICE: &str = "a JSON object that has a member twice";

struct Wrapper(Option<String>);

impl<'de> Deserialize<'de> for Wrapper {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Line)
    }
}

struct Line;

impl<'de> Visitor<'de> for Line {
    type Value = Wrapper;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token")
    }

    fn visit_str<E: Error>(self, token: &str) -> Result<Wrapper, E> {
        Ok(Wrapper(Some(token.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Wrapper, A::Error> {
        let (mut names, mut token) = (BTreeSet::new(), None);
        while let Some(name) = members.next_key::<String>()? {
            if name == "token" && token.is_none() {
                token = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
            if !names.insert(name) {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Wrapper(token))
    }
}

#[cfg(test)]
mod tests {
    use super::token_of;

    #[test]
    fn the_wrapper_is_read_strictly() {
        for good in [
            r#""a.b.c""#,
            r#"{"token":"a.b.c"}"#,
            r#"{"x":{"token":1},"\u0074oken":"a.b.c","y":[]}"#,
        ] {
            assert_eq!(token_of(good.as_bytes()).as_deref(), Ok("a.b.c"), "{good}");
        }
        for (bad, part) in [
            (r#"{"token":"a.b.c","token":"x.y.z"}"#, "twice"),
            (r#"{"token":"a.b.c","\u0074oken":"a.b.c"}"#, "twice"),
            (r#"{"token":"a.b.c","x":1,"x":2}"#, "twice"),
            (r#"{"token":1}"#, "no string"),
            (r#"{"token":null}"#, "no string"),
            (r#"{"x":1}"#, "without"),
            (r#"{"token":"a.b.c"} x"#, "neither"),
            (r#""a"#, "neither"),
        ] {
            let why = token_of(bad.as_bytes()).unwrap_err();
            assert!(why.contains(part), "{bad}: {why}");
        }
    }
}

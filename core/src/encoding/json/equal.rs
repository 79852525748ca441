//! Equality of JSON values: members in any order, numbers by value (ATN-08).

use super::{JsonKind, Value};
use crate::encoding::decimal::Decimal;

/// Whether two values are the same, however they are written.
pub(super) fn values(one: Value<'_>, other: Value<'_>) -> bool {
    if one.kind() != other.kind() {
        return false;
    }
    match one.kind() {
        JsonKind::Null => true,
        JsonKind::Bool => one.as_bool() == other.as_bool(),
        JsonKind::String => one.as_str() == other.as_str(),
        JsonKind::Number => {
            let decimal = |value: Value<'_>| Decimal::read(value.as_number()?);
            matches!((decimal(one), decimal(other)), (Some(one), Some(other)) if one == other)
        }
        JsonKind::Array => match (one.as_array(), other.as_array()) {
            (Some(one), Some(other)) => {
                one.len() == other.len() && one.zip(other).all(|(one, other)| values(one, other))
            }
            _ => false,
        },
        JsonKind::Object => match (one.as_object(), other.as_object()) {
            (Some(mut members), Some(others)) => {
                members.len() == others.len()
                    && members.all(|(name, value)| {
                        other.get(name).is_some_and(|other| values(value, other))
                    })
            }
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::values;
    use crate::encoding::json::Json;
    use crate::limits::Limits;

    fn equal(one: &str, other: &str) -> bool {
        let read = |text: &str| Json::parse(text.into(), Limits::DEFAULT.into()).unwrap();
        let (one, other) = (read(one), read(other));
        let (forth, back) = (
            values(one.root(), other.root()),
            values(other.root(), one.root()),
        );
        assert_eq!(forth, back);
        forth
    }

    #[test]
    fn numbers_are_equal_by_value() {
        for (one, other) in [
            ("1", "1.0"),
            ("1", "10e-1"),
            ("100", "1E2"),
            ("0", "-0.0e7"),
            ("-2.50", "-25e-1"),
            ("9007199254740993", "9007199254740993.0"),
        ] {
            assert!(equal(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("1", "-1"),
            ("1", "10"),
            ("9007199254740993", "9007199254740992"),
            ("1", "\"1\""),
            ("0", "false"),
            ("0", "null"),
        ] {
            assert!(!equal(one, other), "{one} {other}");
        }
    }

    #[test]
    fn members_are_equal_in_any_order_and_elements_in_theirs() {
        assert!(equal(
            r#"{"a":[1,{"b":null}],"c":"\u0041"}"#,
            r#"{"c":"A","a":[1.0,{"b":null}]}"#
        ));
        for (one, other) in [
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
            (r#"{"a":1}"#, r#"{"b":1}"#),
            ("true", "false"),
        ] {
            assert!(!equal(one, other), "{one} {other}");
        }
    }
}

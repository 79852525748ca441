//! The canonical form of JSON (RFC 8785): one text for each value, so that two parties hash the
//! same.

use super::json::{JsonKind, Value};

/// The canonical text; `None` for a number that no IEEE 754 double is (§3.1).
pub(crate) fn canonical(value: Value<'_>) -> Option<String> {
    let mut text = String::with_capacity(value.raw().len());
    write(value, &mut text)?;
    Some(text)
}

/// As deep as the reader lets a text nest.
fn write(value: Value<'_>, text: &mut String) -> Option<()> {
    match value.kind() {
        JsonKind::Null | JsonKind::Bool => text.push_str(value.raw()),
        JsonKind::Number => {
            let number = value.as_number()?.parse::<f64>().ok()?;
            let number = Some(number).filter(|number| number.is_finite())?;
            text.push_str(ryu_js::Buffer::new().format_finite(number));
        }
        JsonKind::String => write_string(value.as_str()?, text),
        JsonKind::Array => {
            text.push('[');
            for (place, element) in value.as_array()?.enumerate() {
                separate(place, text);
                write(element, text)?;
            }
            text.push(']');
        }
        JsonKind::Object => {
            let mut members: Vec<_> = value.as_object()?.collect();
            // By UTF-16 code units, which is not the order of code points (§3.2.3).
            members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            text.push('{');
            for (place, (name, member)) in members.into_iter().enumerate() {
                separate(place, text);
                write_string(name, text);
                text.push(':');
                write(member, text)?;
            }
            text.push('}');
        }
    }
    Some(())
}

fn separate(place: usize, text: &mut String) {
    if place > 0 {
        text.push(',');
    }
}

/// A string as ECMAScript writes it (§3.2.2.2).
pub(crate) fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control < ' ' => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::canonical;
    use crate::encoding::json::Json;
    use crate::limits::Limits;

    fn of(text: &str) -> Option<String> {
        let json = Json::parse(text.into(), Limits::DEFAULT.into()).unwrap();
        canonical(json.root())
    }

    #[test]
    fn the_examples_of_rfc_8785() {
        // §3.2.2 and §3.2.3.
        let given = r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
            "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#;
        let expected = "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
             \"string\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(of(given).as_deref(), Some(expected));
        let given = "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}";
        let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{f6}\":7,\"\u{20ac}\":1,\"\u{1f600}\":5,\"\u{fb33}\":3}";
        assert_eq!(of(given).as_deref(), Some(expected));
    }

    #[test]
    fn numbers_are_written_as_ecmascript_does() {
        // Appendix B.
        for (given, expected) in [
            ("-0", "0"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("9007199254740992", "9007199254740992"),
            ("295147905179352830000", "295147905179352830000"),
            ("1e21", "1e+21"),
            ("9.999999999999997e22", "9.999999999999997e+22"),
            ("0.000001", "0.000001"),
            ("333333333.33333325", "333333333.33333325"),
        ] {
            assert_eq!(of(given).as_deref(), Some(expected));
        }
    }
}

//! Where a text stops being a compact JWT, for `explain`: the segment, the byte and the cause.
//! Never called on a plain verification, which says only that it does.

use crate::encoding::base64url;

/// What is wrong with a token that is refused as malformed.
pub(super) fn cause(token: &[u8]) -> Option<String> {
    if token.is_empty() {
        return Some("the token is empty".to_owned());
    }
    if let Some(rest) = token.strip_prefix(b"Bearer ") {
        let bytes = rest.len();
        return Some(format!(
            "begins with \"Bearer \"; the token is the {bytes} bytes after it"
        ));
    }
    let dots = token.iter().filter(|byte| **byte == b'.').count();
    if dots != 2 {
        let segments = dots + 1;
        let noun = if segments == 1 { "segment" } else { "segments" };
        return Some(format!(
            "{segments} {noun}; a compact JWT has 3, with a dot between"
        ));
    }
    let names = ["header", "payload", "signature"];
    let mut segments = names.into_iter().zip(token.split(|byte| *byte == b'.'));
    segments.find_map(|(name, segment)| {
        let cause = match base64url::decode(segment) {
            None => Some(not_base64url(segment)),
            Some(_) if name == "signature" => None,
            Some(bytes) => not_an_object(&bytes),
        };
        cause.map(|cause| format!("{name}: {cause}"))
    })
}

fn not_base64url(segment: &[u8]) -> String {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match segment.iter().position(|byte| !known(byte)) {
        Some(place) => {
            let byte = segment.get(place).copied().unwrap_or_default();
            let shown = match byte {
                b'=' => "padding, which JWTs have not (RFC 7515 §2)".to_owned(),
                b'+' | b'/' => format!("{:?} of another base64", char::from(byte)),
                0x21..=0x7E => format!("{:?}", char::from(byte)),
                _ => format!("0x{byte:02X}"),
            };
            format!("byte {} is {shown}, not base64url", place + 1)
        }
        None if segment.len() % 4 == 1 => {
            format!(
                "{} characters are no length that base64url has",
                segment.len()
            )
        }
        None => format!(
            "byte {}, the last, has bits that say nothing",
            segment.len()
        ),
    }
}

/// Why decoded bytes are no JSON object. The strict reader tells no place, since nobody should need
/// one; another reader finds it again.
fn not_an_object(bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() {
        return Some("empty, where a JSON object belongs".to_owned());
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        return Some(format!(
            "decoded byte {} is not UTF-8",
            error.valid_up_to() + 1
        ));
    }
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(serde_json::Value::Object(_)) => None,
        Ok(_) => Some("JSON, and not an object".to_owned()),
        Err(error) => {
            // `expected value at line 1 column 5`: of the grammar, without a value.
            let text = error.to_string();
            let text = text.split(" at line").next().unwrap_or_default();
            let lines = bytes.split_inclusive(|byte| *byte == b'\n');
            let before: usize = lines
                .take(error.line().saturating_sub(1))
                .map(<[u8]>::len)
                .sum();
            Some(format!(
                "not JSON at decoded byte {}: {text}",
                before + error.column()
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::cause;
    use crate::encoding::base64url;

    fn of(header: &[u8], payload: &[u8]) -> Option<String> {
        let [header, payload] = [header, payload].map(base64url::encode);
        cause(format!("{header}.{payload}.AA").as_bytes())
    }

    #[test]
    fn the_segment_the_byte_and_the_cause() {
        for (token, text) in [
            ("", "the token is empty"),
            (
                "Bearer e30.e30.AA",
                "begins with \"Bearer \"; the token is the 10 bytes after it",
            ),
            ("e30", "1 segment; a compact JWT has 3, with a dot between"),
            (
                "e30.e30.e30.AA",
                "4 segments; a compact JWT has 3, with a dot between",
            ),
            ("e3 0.e30.AA", "header: byte 3 is 0x20, not base64url"),
            (
                "e30.e30=.AA",
                "payload: byte 4 is padding, which JWTs have not (RFC 7515 §2), not base64url",
            ),
            (
                "e30.e3/.AA",
                "payload: byte 3 is '/' of another base64, not base64url",
            ),
            (
                "e30.e30.A",
                "signature: 1 characters are no length that base64url has",
            ),
            (
                "e30.e30.AB",
                "signature: byte 2, the last, has bits that say nothing",
            ),
        ] {
            assert_eq!(cause(token.as_bytes()).as_deref(), Some(text), "{token}");
        }
        for (payload, text) in [
            (&b""[..], "payload: empty, where a JSON object belongs"),
            (b"[]", "payload: JSON, and not an object"),
            (b"{\"a\":\xff}", "payload: decoded byte 6 is not UTF-8"),
            (
                b"{\"a\" 1}",
                "payload: not JSON at decoded byte 6: expected `:`",
            ),
            (
                b"{\n\"a\":1,}",
                "payload: not JSON at decoded byte 9: trailing comma",
            ),
        ] {
            assert_eq!(of(b"{}", payload).as_deref(), Some(text));
        }
        assert_eq!(
            of(b"{", b"{}").as_deref().map(|text| &text[..7]),
            Some("header:")
        );
        assert_eq!(of(b"{}", b"{}"), None);
    }
}

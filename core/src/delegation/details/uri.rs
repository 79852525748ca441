//! Is one URI below another, for whoever resolves it? (RFC 3986 §6.2.2, syntax-based normalisation)
//!
//! For comparison only: nothing that is used later is ever rewritten.

/// A URI or a path, normalised.
#[derive(Debug, PartialEq, Eq)]
struct Normal {
    /// `scheme://authority`, lower case; empty for a path alone.
    origin: String,
    segments: Vec<String>,
    query: Option<String>,
}

/// Whether `child` is `parent` or lies below it, at a boundary of segments. What cannot be
/// normalised is below nothing.
pub(super) fn is_within(child: &str, parent: &str) -> bool {
    let (Some(mut child), Some(mut parent)) = (normalise(child), normalise(parent)) else {
        return false;
    };
    if parent.query.is_some() {
        return child == parent;
    }
    // The mark of a folder is no segment, of either: `/` does not lie in `//`.
    for path in [&mut child, &mut parent] {
        if path.segments.last().is_some_and(String::is_empty) {
            path.segments.pop();
        }
    }
    child.origin == parent.origin && child.segments.starts_with(&parent.segments)
}

fn normalise(text: &str) -> Option<Normal> {
    let foreign = |byte: u8| !byte.is_ascii_graphic() || byte == b'\\' || byte == b'#';
    if text.bytes().any(foreign) {
        return None;
    }
    let (origin, rest) = match text.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (authority, rest) = rest.split_at(end);
            (format!("{scheme}://{authority}").to_ascii_lowercase(), rest)
        }
        None => (String::new(), text),
    };
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(decode(query)?)),
        None => (rest, None),
    };
    let mut segments: Vec<String> = Vec::new();
    let mut parts = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(part) = parts.next() {
        let part = decode(part)?;
        let dots = matches!(part.as_str(), "." | "..");
        if part == ".." {
            segments.pop()?; // above the root is nowhere
        }
        if !dots {
            segments.push(part);
        } else if parts.peek().is_none() {
            segments.push(String::new()); // `/a/.` is the folder `/a/`
        }
    }
    Some(Normal {
        origin,
        segments,
        query,
    })
}

/// Percent-encoding in its one spelling: unreserved characters bare, others in upper case.
fn decode(text: &str) -> Option<String> {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (plain, encoded) = rest.split_at(at);
        normal.push_str(plain);
        let hex = encoded.get(1..3)?;
        let digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let byte = digits.then(|| u8::from_str_radix(hex, 16).ok())??;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            normal.push(char::from(byte));
        } else {
            normal.push('%');
            normal.push_str(&hex.to_ascii_uppercase());
        }
        rest = encoded.get(3..)?;
    }
    normal.push_str(rest);
    Some(normal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Normal, is_within, normalise};

    #[test]
    fn p28_below_is_below_for_whoever_resolves_it() {
        for (child, parent) in [
            ("/pay", "/pay"),
            ("/pay/x", "/pay"),
            ("/pay/x", "/pay/"),
            ("/pay", "/pay/"),
            ("/%70ay/x", "/pay"),
            ("/a/../pay/x", "/pay"),
            ("/pay/./x", "/pay"),
            ("/pay/x?y=1", "/pay"),
            ("HTTPS://API.example/pay/x", "https://api.example/pay"),
            ("https://api.example/x", "https://api.example"),
            ("/pay%2fx", "/pay%2Fx"),
        ] {
            assert!(is_within(child, parent), "{child} {parent}");
        }
        for (child, parent) in [
            ("/payments", "/pay"),
            ("/PAY", "/pay"),
            ("/pay/../admin", "/pay"),
            ("/pay/%2e%2e/admin", "/pay"),
            ("/../pay", "/pay"),
            ("/pay%2Fx", "/pay"), // one segment, which only looks like two
            ("/pay/x\\..\\y", "/pay"),
            ("/pay/x#y", "/pay"),
            ("/pay/%zz", "/pay"),
            ("/pay/%", "/pay"),
            ("/pay/\u{e9}", "/pay"),
            ("https://evil.example/pay", "https://api.example/pay"),
            ("https://api.example.evil/pay", "https://api.example"),
            ("http://api.example/pay", "https://api.example/pay"),
            ("https://u@api.example/pay", "https://api.example/pay"),
            ("/pay?a", "/pay?b"),
            ("/pay/x?a", "/pay?a"),
            ("/", "//"),
        ] {
            assert!(!is_within(child, parent), "{child} {parent}");
        }
    }

    fn text(normal: &Normal) -> String {
        let query = normal
            .query
            .as_ref()
            .map_or_else(String::new, |query| format!("?{query}"));
        format!("{}/{}{query}", normal.origin, normal.segments.join("/"))
    }

    proptest! {
        #[test]
        fn normalisation_is_idempotent(uri in "(https?://[a-zA-Z.:@%]{0,8})?(/[a-zA-Z.%0-9~]{0,5}){0,6}(\\?[a-z%0-9]{0,4})?") {
            if let Some(once) = normalise(&uri) {
                prop_assert_eq!(normalise(&text(&once)), Some(once));
            }
        }

        #[test]
        fn what_lies_within_a_place_within_another_lies_within_that(
            a in "(/[a-c.%]{0,3}){0,4}", b in "(/[a-c.%]{0,3}){0,4}", c in "(/[a-c.%]{0,3}){0,4}"
        ) {
            if is_within(&a, &b) && is_within(&b, &c) {
                prop_assert!(is_within(&a, &c));
            }
            prop_assert!(normalise(&a).is_none() || is_within(&a, &a));
        }
    }
}

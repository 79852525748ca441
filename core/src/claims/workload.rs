//! Identifiers of workloads: SPIFFE IDs (SPIFFE-ID §2) and WIMSE identifiers.

/// Bytes of an identifier (SPIFFE-ID §2.3).
const SIZE: usize = 2048;

/// Whether this is the name of a trust domain, without its scheme (JSV-06).
pub(crate) fn is_trust_domain(name: &str) -> bool {
    let known =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    (1..=255).contains(&name.len()) && name.bytes().all(known)
}

/// The trust domain of a well-formed SPIFFE ID, as an issuer: `spiffe://td.example` (JSV-06).
pub(crate) fn spiffe_domain(id: &str) -> Option<&str> {
    let rest = id.strip_prefix("spiffe://")?;
    let (domain, path) = split(id, rest)?;
    let fits = path.is_none_or(|path| segments_fit(path, is_unreserved_but_tilde));
    fits.then_some(domain)
}

/// The trust domain of a well-formed WIMSE identifier, as an issuer: `wimse://td.example` (WIT-04).
/// A SPIFFE ID is one, under its own rules. A trust domain alone is no workload.
///
/// Percent-encoding is written in one way only, in upper case and only where the character may not
/// stand for itself: identifiers are compared byte by byte.
pub(crate) fn workload_domain(id: &str) -> Option<&str> {
    let (scheme, rest) = id.split_once("://")?;
    let (domain, path) = split(id, rest)?;
    let path = path?;
    if scheme == "spiffe" {
        return spiffe_domain(id);
    }
    let mut letters = scheme.bytes();
    let scheme_fits = letters
        .next()
        .is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        });
    (scheme_fits && escapes_fit(path) && segments_fit(path, is_path_byte)).then_some(domain)
}

/// Scheme and trust domain; and the path after its first slash, if there is one.
fn split<'i>(id: &'i str, rest: &'i str) -> Option<(&'i str, Option<&'i str>)> {
    let (domain, path) = match rest.split_once('/') {
        Some((domain, path)) => (domain, Some(path)),
        None => (rest, None),
    };
    let size = id.len() - rest.len() + domain.len();
    (id.len() <= SIZE && is_trust_domain(domain)).then_some((id.get(..size)?, path))
}

fn segments_fit(path: &str, known: impl Fn(u8) -> bool) -> bool {
    path.split('/').all(|segment| {
        !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(&known)
    })
}

fn is_unreserved_but_tilde(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

fn is_unreserved(byte: u8) -> bool {
    is_unreserved_but_tilde(byte) || byte == b'~'
}

/// `pchar` (RFC 3986 §3.3); `%` is judged by [`escapes_fit`].
fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte) || b"%!$&'()*+,;=:@".contains(&byte)
}

/// Every `%` begins two upper-case hexadecimal digits of a byte that needs it.
fn escapes_fit(path: &str) -> bool {
    let escaped = |text: &str| {
        let digits = text.get(..2)?;
        let upper = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'A'..=b'F');
        let byte = u8::from_str_radix(digits, 16).ok()?;
        (digits.bytes().all(upper) && !is_unreserved(byte)).then_some(())
    };
    path.split('%').skip(1).all(|rest| escaped(rest).is_some())
}

#[cfg(test)]
mod tests {
    use super::{spiffe_domain, workload_domain};

    #[test]
    fn a_spiffe_id_names_its_trust_domain() {
        for id in [
            "spiffe://td.example",
            "spiffe://td.example/agent-a",
            "spiffe://td.example/a/B_1.2",
        ] {
            assert_eq!(spiffe_domain(id), Some("spiffe://td.example"), "{id}");
        }
        for id in [
            "spiffe://",
            "spiffe:///a",
            "https://td.example/a",
            "spiffe://TD/a",
            "spiffe://td/",
            "spiffe://td//a",
            "spiffe://td/./a",
            "spiffe://td/../a",
            "spiffe://td/a%20b",
            "spiffe://td/a~b",
            "spiffe://u@td/a",
            "spiffe://td:1/a",
            "spiffe://td/a?q",
            "spiffe://td/a#f",
            "SPIFFE://td/a",
        ] {
            assert_eq!(spiffe_domain(id), None, "{id}");
            let other = !id.starts_with("spiffe:");
            assert!(other || workload_domain(id).is_none(), "{id}");
        }
    }

    #[test]
    fn a_workload_identifier_has_a_path_and_one_spelling() {
        for id in [
            "wimse://td.example/agent-a",
            "wimse://td.example/a/b~c",
            "wimse://td.example/a%20b",
            "wimse://td.example/a:b@c",
        ] {
            assert_eq!(workload_domain(id), Some("wimse://td.example"), "{id}");
        }
        let spiffe = "spiffe://td.example/a";
        assert_eq!(workload_domain(spiffe), Some("spiffe://td.example"));
        for id in [
            "spiffe://td.example",
            "wimse://td.example",
            "wimse://td.example/",
            "wimse://td.example//a",
            "wimse://td.example/./a",
            "wimse://td.example/../a",
            "wimse://td.example/%70ayment",
            "wimse://td.example/a%2fb",
            "wimse://td.example/a%2",
            "wimse://td.example/a%",
            "wimse://td.example/a%+1",
            "wimse://u@td.example/a",
            "wimse://td.example:1/a",
            "wimse://td.example/a?q",
            "wimse://td.example/a#f",
            "wimse://TD/a",
            "WIMSE://td/a",
            "1://td/a",
            "://td/a",
            "urn:td/a",
            "wimse:///a",
            "/a",
            "",
        ] {
            assert_eq!(workload_domain(id), None, "{id}");
        }
    }
}

//! The URL a request is for, and the URL a proof is for, in one spelling (DP-09, RFC 9449 §4.3).
//!
//! Syntax-based and scheme-based normalisation (RFC 3986 §6.2.2, §6.2.3), and nothing beyond:
//! letter case of scheme and host, the default port, percent-encoding, dot segments, the empty
//! path. Query and fragment take no part. Scheme and host are the operator's word: what a request
//! says of them its sender has chosen.

use std::borrow::Cow;

use crate::limits::URL_SIZE;

/// Where clients reach a gate: its `public_url`.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Scheme and authority, normalised.
    origin: Box<str>,
    /// The path that an absolute URL must lie under.
    path: Box<str>,
}

impl Origin {
    /// The origin of a `public_url`; `None` for what is no http or https URL.
    pub(crate) fn of(public_url: &str) -> Option<Self> {
        let (origin, path) = split(public_url)?;
        Some(Self {
            origin: origin.into(),
            path: path.into(),
        })
    }

    /// The URL of a request: the path it was sent with, or a whole URL that lies under the public
    /// one. `None` for anything else.
    pub(crate) fn target(&self, uri: &str) -> Option<String> {
        let (origin, path) = if uri.starts_with('/') {
            (Cow::Borrowed(&*self.origin), path_of(uri)?)
        } else {
            let (origin, path) = split(uri)?;
            if origin != *self.origin || !self.covers(&path) {
                return None;
            }
            (Cow::Owned(origin), path)
        };
        Some(origin.into_owned() + &path)
    }

    /// Whether `path` is the public one, or lies under it.
    fn covers(&self, path: &str) -> bool {
        let base = self.path.strip_suffix('/').unwrap_or(&self.path);
        let rest = path.strip_prefix(base);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// An http or https URL without query and fragment, in its one spelling; `None` for anything else.
pub(crate) fn normalise(url: &str) -> Option<String> {
    let (origin, path) = split(url)?;
    Some(origin + &path)
}

/// Origin and path of a URL, both normalised.
fn split(url: &str) -> Option<(String, String)> {
    if url.len() > URL_SIZE {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let (scheme, default_port) = if scheme.eq_ignore_ascii_case("https") {
        ("https", "443")
    } else if scheme.eq_ignore_ascii_case("http") {
        ("http", "80")
    } else {
        return None;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    // No user information, which says nothing of the server; no escapes, which no host needs.
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
    let in_address = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
    let address = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let fits = match address {
        Some(address) => !address.is_empty() && address.bytes().all(in_address),
        None => !host.is_empty() && host.bytes().all(known),
    };
    let port_fits =
        port.is_empty() || (port.parse::<u16>().is_ok() && !port.starts_with(['0', '+']));
    if !fits || !port_fits {
        return None;
    }
    let mut origin = format!("{scheme}://{}", host.to_ascii_lowercase());
    if !port.is_empty() && port != default_port {
        origin.push(':');
        origin.push_str(port);
    }
    Some((origin, path_of(path)?))
}

/// The path of a URL or of a request target, without what follows it.
fn path_of(text: &str) -> Option<String> {
    if text.len() > URL_SIZE {
        return None;
    }
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let path = unescape(text.get(..end)?)?;
    Some(without_dot_segments(&path))
}

/// RFC 3986 §6.2.2.1 and §6.2.2.2: escapes in upper case, and none of what needs no escape.
fn unescape(path: &str) -> Option<Cow<'_, str>> {
    // What some servers take for `/` compares as itself here, and so with nothing.
    let visible = |byte: u8| matches!(byte, 0x21..=0x7E) && byte != b'\\';
    if !path.bytes().all(visible) {
        return None;
    }
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    let mut text = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let (digits, after) = after.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&digits.to_ascii_uppercase());
        }
        rest = after;
    }
    text.push_str(rest);
    Some(Cow::Owned(text))
}

/// RFC 3986 §5.2.4; an empty path is `/` (§6.2.3).
fn without_dot_segments(path: &str) -> String {
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let dots = matches!(segment, "." | "..");
        if segment == ".." {
            kept.pop();
        } else if !dots {
            kept.push(segment);
        }
        if dots && segments.peek().is_none() {
            kept.push(""); // what ends in a dot segment ends in a slash
        }
    }
    let mut text = String::with_capacity(path.len() + 1);
    for segment in kept {
        text.push('/');
        text.push_str(segment);
    }
    if text.is_empty() {
        text.push('/');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Origin, normalise};

    #[test]
    fn dp_09_one_url_has_one_spelling() {
        for (url, spelling) in [
            ("https://ex.com/a", "https://ex.com/a"),
            ("HTTPS://EX.com:443/a", "https://ex.com/a"),
            ("http://ex.com:80/a", "http://ex.com/a"),
            ("https://ex.com:/a", "https://ex.com/a"),
            ("https://ex.com:8443/a", "https://ex.com:8443/a"),
            ("https://ex.com", "https://ex.com/"),
            ("https://ex.com?q=1", "https://ex.com/"),
            ("https://ex.com/a?q=/../#f", "https://ex.com/a"),
            ("https://ex.com/%7eu", "https://ex.com/~u"),
            ("https://ex.com/a%2fb", "https://ex.com/a%2Fb"),
            ("https://ex.com/a/./b/../c", "https://ex.com/a/c"),
            ("https://ex.com/a/%2e%2E/c", "https://ex.com/c"),
            ("https://ex.com/../..", "https://ex.com/"),
            ("https://ex.com/a/..", "https://ex.com/"),
            ("https://ex.com/a/.", "https://ex.com/a/"),
            ("https://ex.com//a//", "https://ex.com//a//"),
            ("https://[2001:DB8::1]:443/", "https://[2001:db8::1]/"),
        ] {
            assert_eq!(normalise(url).as_deref(), Some(spelling), "{url}");
        }
    }

    #[test]
    fn what_is_no_url_of_a_server_has_none() {
        for url in [
            "",
            "/a",
            "ex.com/a",
            "//ex.com/a",
            "ftp://ex.com/a",
            "https:/ex.com/a",
            "https:///a",
            "https://u@ex.com/a",
            "https://good.example@evil.example/",
            "https://ex.com\\@evil.example/",
            "https://ex.com/a\\b",
            "https://ex.com:99999/",
            "https://ex.com:0443/",
            "https://ex.com:+443/",
            "https://ex.com:x/",
            "https://ex%2ecom/",
            "https://\u{435}x.com/",
            "https://ex.com/\u{e9}",
            "https://ex.com/a b",
            "https://ex.com/a%",
            "https://ex.com/a%2",
            "https://ex.com/a%zz",
            "https://ex.com/a%+1",
            "https://[::1/",
            "https://[x]/",
            " https://ex.com/",
        ] {
            assert_eq!(normalise(url), None, "{url:?}");
        }
    }

    #[test]
    fn scheme_and_host_are_those_of_the_public_url() {
        let origin = Origin::of("https://API.example.com:443/v1/").unwrap();
        for (uri, target) in [
            ("/mcp?x=1", "https://api.example.com/mcp"),
            (
                "//evil.example/x",
                "https://api.example.com//evil.example/x",
            ),
            ("https://api.example.com/v1", "https://api.example.com/v1"),
            (
                "https://api.example.com/v1/a?b",
                "https://api.example.com/v1/a",
            ),
        ] {
            assert_eq!(origin.target(uri).as_deref(), Some(target), "{uri}");
        }
        for uri in [
            "",
            "*",
            "mcp",
            "api.example.com:443",
            "https://evil.example/v1/a",
            "http://api.example.com/v1/a",
            "https://api.example.com/v2",
            "https://api.example.com/v10",
            "https://api.example.com/v1/../v2",
        ] {
            assert_eq!(origin.target(uri), None, "{uri}");
        }
        let whole = Origin::of("https://api.example.com").unwrap();
        assert!(whole.target("https://api.example.com").is_some());
        assert!(whole.target("https://api.example.com/x").is_some());
    }

    proptest! {
        /// What has been normalised is its own spelling.
        #[test]
        fn normalising_twice_is_normalising_once(
            url in "(https?|HTTPS)://[a-zA-Z.]{1,8}(:[0-9]{0,4})?(/[a-z.%/2eE7fF]{0,12})?(\\?[a-z/]{0,4})?"
        ) {
            if let Some(once) = normalise(&url) {
                prop_assert_eq!(normalise(&once), Some(once.clone()));
                let origin = Origin::of(&url).unwrap();
                prop_assert_eq!(origin.target(&once), Some(once));
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            _ = normalise(&text);
            _ = Origin::of("https://a.example").unwrap().target(&text);
        }
    }
}

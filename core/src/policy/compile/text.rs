//! Strings that must be exact: issuers, audiences, URLs and scopes (loader refusals 7, 15, 21, 23).

use crate::claims::{is_scope_token, is_trust_domain};
use crate::policy::Profile;

/// Refusal 15: an exact value, neither a pattern nor anything an editor slipped in.
pub(super) fn exact(text: &str, what: &str) -> Option<String> {
    if text.is_empty() || text == "*" {
        return Some(format!("{text:?} is not {what}"));
    }
    if text.trim() != text {
        return Some(format!("{text:?} begins or ends with a space"));
    }
    if text.chars().any(char::is_control) {
        return Some(format!("{text:?} has a control character"));
    }
    let pattern = text.contains(['*', '^', '|', '\\']) || text.ends_with('$');
    pattern
        .then(|| format!("{text:?} is a pattern. Write each value out: they are compared exactly"))
}

/// Refusal 15 for a `sub`: as [`exact`], save that some issuers write `|` in theirs.
pub(super) fn subject(text: &str) -> Option<String> {
    exact(&text.replace('|', "-"), "a subject").and_then(|_| exact(text, "a subject"))
}

/// Refusal 17: everything below a path, which ends where a path may end.
pub(super) fn prefix(text: &str) -> Option<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    if rest.is_empty() || rest.starts_with('/') {
        return Some(format!(
            "{text:?} names no host: it would match everybody's"
        ));
    }
    let of_host = text.len() > rest.len();
    let path = rest
        .split_once('/')
        .filter(|_| of_host)
        .map_or(rest, |(_, path)| path);
    (!text.ends_with('/')).then(|| format!("must end in \"/\", else {path} matches {path}-evil"))
}

/// Which URLs may stand here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Loopback {
    Https,
    /// Plain http too, on this machine.
    Http,
}

/// An absolute https URL without query, fragment or user information (refusals 7 and 21).
pub(super) fn url(text: &str, loopback: Loopback) -> Option<String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    let secure =
        scheme == "https" || (scheme == "http" && is_loopback && loopback == Loopback::Http);
    if !secure {
        if scheme == "http" && is_loopback {
            let text =
                "must be https; http on this machine needs http_loopback_issuers under [danger]";
            return Some(text.to_owned());
        }
        // A host that somebody wrote as it is said.
        let meant = scheme == "http" || (scheme.is_empty() && name.contains('.'));
        let write = format!("https://{rest}");
        let meant = meant && url(&write, Loopback::Https).is_none();
        return Some(if meant {
            format!("must be https. Write {write:?}")
        } else {
            "must be https".to_owned()
        });
    }
    let port_is_number = port.is_none_or(|port| port.parse::<u16>().is_ok());
    [
        (name.is_empty(), "has no host"),
        (text.contains('#'), "must have no fragment"),
        (text.contains('?'), "must have no query"),
        (host.contains('@'), "must have no user information"),
        (!port_is_number, "has a port that is no number"),
        (text.contains(char::is_whitespace), "must have no space"),
        (
            !name.is_ascii(),
            "must have its host in ASCII, as \"xn--bcher-kva.example\"",
        ),
        (
            !text.is_ascii(),
            "must be ASCII; write other characters as %C3%BC",
        ),
    ]
    .into_iter()
    .find(|(wrong, _)| *wrong)
    .map(|(_, text)| text.to_owned())
}

/// The host of an absolute URL, without port.
pub(super) fn host(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => Some(name),
        _ => Some(host),
    }
}

/// A host to fetch from: its name alone.
pub(super) fn host_name(text: &str) -> Option<String> {
    let address = text.starts_with('[') && text.ends_with(']');
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let fits = address || (!text.is_empty() && text.bytes().all(known));
    (!fits)
        .then(|| format!("{text:?} is not a host. Write its name alone, as \"keys.example.com\""))
}

/// The scheme of workload identifiers that this text begins with: one that no issuer's URL has.
pub(super) fn workload_scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    (!matches!(scheme, "https" | "http")).then_some(scheme)
}

/// JSV-06, WIT-03: a scheme and a trust domain, nothing after it. Every row takes those of SPIFFE,
/// and `wit` those of WIMSE and others too.
pub(super) fn trust_domain(text: &str, profiles: &[Profile]) -> Option<String> {
    let row = [Profile::JwtSvid, Profile::Wit]
        .into_iter()
        .find(|row| profiles.contains(row))?;
    let fits = match workload_scheme(text) {
        Some("spiffe") => true,
        Some(scheme) => row == Profile::Wit && scheme.bytes().all(|byte| byte.is_ascii_lowercase()),
        None => false,
    };
    let domain = text.split_once("://").map(|(_, domain)| domain);
    if fits && domain.is_some_and(is_trust_domain) {
        return None;
    }
    Some(format!(
        "{text:?}: an issuer of {} is a trust domain. Write \"spiffe://td.example\"",
        row.as_str()
    ))
}

/// A name with its article: `an id_token`.
pub(super) fn article(name: &str) -> String {
    let article = if name.starts_with(['a', 'i']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {name}")
}

/// RFC 6749 §3.3 `scope-token`.
pub(super) fn scope(text: &str) -> Option<String> {
    if text.is_empty() {
        Some("\"\" is not a scope".to_owned())
    } else if text.contains(' ') {
        Some(format!("{text:?} has a space. Write one scope an item"))
    } else if !is_scope_token(text) {
        Some(format!(
            "{text:?} has a character that no scope may have (RFC 6749)"
        ))
    } else {
        None
    }
}

/// RFC 9470 §3 lists them with spaces between, in a quoted string.
pub(super) fn acr(text: &str) -> Option<String> {
    (!is_scope_token(text)).then(|| format!("{text:?} cannot stand in a challenge (RFC 9470)"))
}

#[cfg(test)]
mod tests {
    use super::{Loopback, exact, prefix, scope, subject, trust_domain, url};
    use crate::policy::Profile;

    #[test]
    fn exact_values_pass_and_patterns_do_not() {
        for text in [
            "https://api.example.com/mcp",
            "web-client-1",
            "https://[::1]/",
            "a b",
            "é",
        ] {
            assert_eq!(exact(text, "an audience"), None, "{text:?}");
        }
        for text in [
            "",
            "*",
            " a",
            "a\u{a0}",
            "a\n",
            "https://*.example.com",
            "^a",
            "a$",
            "a|b",
            "a\\.b",
        ] {
            assert!(exact(text, "an audience").is_some(), "{text:?}");
        }
    }

    #[test]
    fn only_https_and_loopback() {
        for text in [
            "https://a.example",
            "https://a.example/x/",
            "https://a.example:8443",
            "https://[::1]:1/",
        ] {
            assert_eq!(url(text, Loopback::Https), None, "{text:?}");
        }
        let wrong = [
            "",
            "corp",
            "a.example",
            "http://a.example",
            "HTTPS://a.example",
            "https://",
            "https:///x",
            "https://u@a.example",
            "https://a.example?x",
            "https://a.example/#",
            "https://a.example:x",
            "http://localhost",
            "https://a b.example",
            "ftp://a.example",
            "https://a.example:99999",
            "https://b\u{fc}cher.example",
            "https://a.example/\u{fc}",
        ];
        for text in wrong {
            assert!(url(text, Loopback::Https).is_some(), "{text:?}");
        }
        for text in [
            "http://localhost:8080",
            "http://127.0.0.1/a",
            "http://[::1]",
            "http://[::1]:80/",
        ] {
            assert_eq!(url(text, Loopback::Http), None, "{text:?}");
        }
        // Hosts that only look like this machine.
        for text in [
            "http://localhost.evil.example",
            "http://127.0.0.1@evil.example",
            "http://127.0.0.10",
        ] {
            assert!(url(text, Loopback::Http).is_some(), "{text:?}");
        }
    }

    #[test]
    fn trust_domains_have_no_path() {
        let svid = |text| trust_domain(text, &[Profile::JwtSvid]);
        let wit = |text| trust_domain(text, &[Profile::Wit]);
        assert_eq!(svid("spiffe://td.example"), None);
        assert_eq!(wit("spiffe://td.example"), None);
        assert_eq!(wit("wimse://td.example"), None);
        assert!(svid("wimse://td.example").is_some());
        for text in [
            "spiffe://",
            "spiffe://td.example/",
            "spiffe://TD",
            "https://td.example",
            "spiffe://a:1",
        ] {
            assert!(svid(text).is_some() && wit(text).is_some(), "{text:?}");
        }
    }

    #[test]
    fn subjects_are_exact_and_some_have_a_bar() {
        for text in ["u1", "auth0|5f7c8ec7", "spiffe://td.example/agent", "a b"] {
            assert_eq!(subject(text), None, "{text:?}");
        }
        for text in ["", "*", " a", "a|*", "spiffe://td.example/*", "^a", "a$"] {
            let problem = subject(text).unwrap();
            assert!(problem.contains(&format!("{text:?}")), "{problem}");
        }
    }

    #[test]
    fn prefixes_end_at_a_boundary() {
        for text in [
            "spiffe://example.com/agents/",
            "spiffe://example.com/",
            "https://a.example/x/y/",
            "agents/",
        ] {
            assert_eq!(prefix(text), None, "{text:?}");
        }
        for text in [
            "agents",
            "agents/research",
            "spiffe://",
            "spiffe:///",
            "/",
            "//",
            "spiffe://td",
        ] {
            assert!(prefix(text).is_some(), "{text:?}");
        }
        assert_eq!(
            prefix("spiffe://example.com/agents/research").unwrap(),
            "must end in \"/\", else agents/research matches agents/research-evil"
        );
    }

    #[test]
    fn scopes_are_scope_tokens() {
        assert_eq!(scope("files.read:all!"), None);
        for text in ["", "a b", "a\"", "a\\", "é", "a\u{7f}"] {
            assert!(scope(text).is_some(), "{text:?}");
        }
    }
}

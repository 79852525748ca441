//! How long an answer is fresh (RFC 9111 §4.2), for a private cache of one document.

use crate::time::{NumericDate, Span};

/// The fields of an answer that bear on it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields<'a> {
    /// `Cache-Control`, several fields joined by commas.
    pub(super) cache_control: &'a str,
    pub(super) age: Option<&'a str>,
    pub(super) expires: Option<&'a str>,
    pub(super) date: Option<&'a str>,
}

/// The freshness left; `None` where the answer says nothing. What is malformed is stale (§4.2.1).
pub(super) fn freshness(fields: Fields<'_>) -> Option<Span> {
    let mut max_age = None;
    for directive in fields.cache_control.split(',') {
        let (name, value) = match directive.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (directive.trim(), None),
        };
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Span::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") && max_age.is_none() {
            max_age = Some(value.map_or(0, seconds));
        }
    }
    let lifetime = match (max_age, fields.expires) {
        (Some(max_age), _) => max_age,
        (None, Some(expires)) => until(expires, fields.date),
        (None, None) => return None,
    };
    let age = fields.age.map_or(0, seconds);
    Some(Span::from_seconds(lifetime.saturating_sub(age).max(0)))
}

/// `delta-seconds` (§1.2.2): what is too large is very long, what is no number is none.
fn seconds(text: &str) -> i64 {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    text.parse().unwrap_or(FOR_EVER)
}

/// What RFC 9111 §1.2.2 puts in place of a number that is too large.
const FOR_EVER: i64 = 2_147_483_648;

/// From `Date` to `Expires`, both by the issuer's clock.
fn until(expires: &str, date: Option<&str>) -> i64 {
    let end = NumericDate::from_http_date(expires);
    let start = date.and_then(NumericDate::from_http_date);
    let span = end
        .zip(start)
        .map(|(end, start)| end.since(start).seconds());
    span.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Fields, freshness};

    fn of(cache_control: &str) -> Option<i64> {
        let fields = Fields {
            cache_control,
            ..Fields::default()
        };
        freshness(fields).map(|span| span.seconds())
    }

    #[test]
    fn max_age_counts_less_the_age() {
        assert_eq!(of("max-age=600"), Some(600));
        assert_eq!(of("public, MAX-AGE=\"600\", must-revalidate"), Some(600));
        assert_eq!(of("max-age=1, max-age=9"), Some(1));
        let fields = Fields {
            cache_control: "max-age=600",
            age: Some("100"),
            expires: Some("Thu, 01 Jan 1970 00:00:00 GMT"),
            date: None,
        };
        assert_eq!(freshness(fields).map(|span| span.seconds()), Some(500));
    }

    #[test]
    fn what_says_nothing_says_nothing_and_what_is_malformed_is_stale() {
        assert_eq!(of(""), None);
        assert_eq!(of("public, s-maxage=9"), None);
        for text in [
            "no-store",
            "no-cache, max-age=9",
            "max-age",
            "max-age=x",
            "max-age=-5",
        ] {
            assert_eq!(of(text), Some(0), "{text}");
        }
        assert!(of("max-age=99999999999999999999") > Some(1_000_000));
    }

    #[test]
    fn expires_is_measured_from_the_issuers_own_date() {
        let fields = |expires, date| Fields {
            expires: Some(expires),
            date,
            ..Fields::default()
        };
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let of = |expires, date| freshness(fields(expires, date)).map(|span| span.seconds());
        assert_eq!(of("Sun, 06 Nov 1994 08:59:37 GMT", date), Some(600));
        assert_eq!(of("Sun, 06 Nov 1994 08:39:37 GMT", date), Some(0));
        assert_eq!(of("0", date), Some(0));
        assert_eq!(of("Sun, 06 Nov 1994 08:59:37 GMT", None), Some(0));
    }
}

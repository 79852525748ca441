//! Issuer metadata: where it is (RFC 8414 §3.1, OpenID Connect Discovery §4.1), that it is this
//! issuer's (RFC 8414 §3.3), and what it says about keys.

use super::FetchError;
use super::address::shown;
use super::fetch::{ACCEPT_JSON, Deadline, Fetch, Request, Response};
use crate::encoding::json::{Json, Value};
use crate::limits::Limits;
use crate::policy::{Discovery, Reach};

/// What an issuer's metadata says, as far as it concerns the verification of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// Where it was found.
    pub url: String,
    /// `issuer`, equal to the one that was asked for.
    pub issuer: String,
    /// `jwks_uri`.
    pub jwks_uri: String,
    /// `introspection_endpoint`.
    pub introspection_endpoint: Option<String>,
    /// Every `…_signing_alg_values_supported` member, with its values.
    pub algorithms: Vec<(String, Vec<String>)>,
    /// `scopes_supported`.
    pub scopes: Vec<String>,
    /// The `Date` of the answer, as it came.
    pub date: Option<String>,
}

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OIDC: &str = "/.well-known/openid-configuration";

/// The URLs to try, in order: RFC 8414 puts the name before the issuer's path, OpenID Connect
/// after it.
pub(super) fn urls(discovery: Discovery, issuer: &str) -> Vec<String> {
    let (scheme, rest) = issuer.split_once("://").unwrap_or(("https", issuer));
    let (host, path) = match rest.find('/').and_then(|at| rest.split_at_checked(at)) {
        Some((host, path)) => (host, path.trim_end_matches('/')),
        None => (rest, ""),
    };
    let oauth = format!("{scheme}://{host}{OAUTH}{path}");
    let oidc = format!("{scheme}://{host}{path}{OIDC}");
    match discovery {
        Discovery::Oauth => vec![oauth],
        Discovery::Oidc => vec![oidc],
        Discovery::Auto => vec![oauth, oidc],
    }
}

/// Finds an issuer's metadata. Only an answer that there is none leads on to the next place: where
/// metadata is wrong, no other is looked for.
pub(super) fn discover(
    fetch: &dyn Fetch,
    discovery: Discovery,
    issuer: &str,
    reach: &Reach,
    deadline: Deadline,
) -> Result<Metadata, FetchError> {
    let mut last = FetchError::BadUrl(shown(issuer));
    for url in urls(discovery, issuer) {
        let request = Request {
            url: &url,
            accept: ACCEPT_JSON,
            etag: None,
            reach,
            deadline,
        };
        match fetch.fetch(request) {
            Ok(response) => return read(&response, issuer, &url),
            Err(
                error @ FetchError::Status {
                    status: 400..=499, ..
                },
            ) => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn read(response: &Response, issuer: &str, url: &str) -> Result<Metadata, FetchError> {
    let wrong = |what: &str| FetchError::Metadata(format!("at {} {what}", shown(url)));
    let body = response.body.clone().unwrap_or_default();
    let json = Json::parse(body, Limits::KEYS.into());
    let json = json.map_err(|_| wrong("is not JSON, or not strictly"))?;
    let root = json.root();
    let text = |name: &str| root.get(name).and_then(|value| value.as_str());
    let found = text("issuer").ok_or_else(|| wrong("has no issuer"))?;
    // ASM-01, MCP-11
    if found != issuer {
        return Err(FetchError::IssuerMismatch {
            expected: issuer.to_owned(),
            found: shown(found),
        });
    }
    let jwks_uri = text("jwks_uri").ok_or_else(|| wrong("has no jwks_uri"))?;
    let members = root.as_object().into_iter().flatten();
    let algorithms = members.filter(|(name, _)| name.ends_with("signing_alg_values_supported"));
    Ok(Metadata {
        url: url.to_owned(),
        issuer: found.to_owned(),
        jwks_uri: jwks_uri.to_owned(),
        introspection_endpoint: text("introspection_endpoint").map(str::to_owned),
        algorithms: algorithms
            .map(|(name, value)| (name.to_owned(), texts(value)))
            .collect(),
        scopes: root.get("scopes_supported").map(texts).unwrap_or_default(),
        date: response.date.clone(),
    })
}

fn texts(value: Value<'_>) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{discover, urls};
    use crate::policy::{Discovery, Reach};
    use crate::remote::FetchError;
    use crate::remote::fetch::{Deadline, Fetch, Request, Response};

    #[test]
    fn metadata_is_where_the_standards_put_it() {
        let [oauth, oidc] = urls(Discovery::Auto, "https://a.example")
            .try_into()
            .unwrap();
        assert_eq!(
            oauth,
            "https://a.example/.well-known/oauth-authorization-server"
        );
        assert_eq!(oidc, "https://a.example/.well-known/openid-configuration");
        for issuer in ["https://a.example/t1", "https://a.example/t1/"] {
            let [oauth, oidc] = urls(Discovery::Auto, issuer).try_into().unwrap();
            assert_eq!(
                oauth,
                "https://a.example/.well-known/oauth-authorization-server/t1"
            );
            assert_eq!(
                oidc,
                "https://a.example/t1/.well-known/openid-configuration"
            );
        }
        assert_eq!(urls(Discovery::Oauth, "https://a.example/").len(), 1);
    }

    /// Answers with this, at URLs that end so.
    struct Canned(Vec<(&'static str, Result<&'static str, u16>)>);

    impl Fetch for Canned {
        fn fetch(&self, request: Request<'_>) -> Result<Response, FetchError> {
            let found = self.0.iter().find(|(end, _)| request.url.ends_with(end));
            let status = |status| FetchError::Status {
                url: request.url.to_owned(),
                status,
            };
            match found.map(|(_, answer)| answer) {
                Some(Ok(body)) => Ok(Response {
                    body: Some(body.as_bytes().to_vec()),
                    ..Response::default()
                }),
                Some(Err(code)) => Err(status(*code)),
                None => Err(status(404)),
            }
        }
    }

    const ISSUER: &str = "https://a.example/";
    const GOOD: &str = r#"{"issuer":"https://a.example/","jwks_uri":"https://a.example/k",
        "id_token_signing_alg_values_supported":["ES256"],"scopes_supported":["a"]}"#;

    fn with(answers: Vec<(&'static str, Result<&'static str, u16>)>) -> Result<String, FetchError> {
        let (reach, deadline) = (Reach::default(), Deadline::start());
        let found = discover(&Canned(answers), Discovery::Auto, ISSUER, &reach, deadline);
        found.map(|metadata| metadata.jwks_uri)
    }

    #[test]
    fn the_second_place_is_for_issuers_that_have_nothing_at_the_first() {
        let found = with(vec![("openid-configuration", Ok(GOOD))]);
        assert_eq!(found.as_deref(), Ok("https://a.example/k"));
        let down = with(vec![
            ("-server", Err(503)),
            ("openid-configuration", Ok(GOOD)),
        ]);
        assert!(matches!(down, Err(FetchError::Status { status: 503, .. })));
        assert!(matches!(
            with(vec![]),
            Err(FetchError::Status { status: 404, .. })
        ));
    }

    #[test]
    fn jwks_10_metadata_of_another_issuer_is_refused() {
        for body in [
            r#"{"issuer":"https://a.example","jwks_uri":"https://a.example/k"}"#,
            r#"{"issuer":"https://evil.example/","jwks_uri":"https://a.example/k"}"#,
        ] {
            let found = with(vec![
                ("-server", Ok(body)),
                ("openid-configuration", Ok(GOOD)),
            ]);
            assert!(
                matches!(found, Err(FetchError::IssuerMismatch { .. })),
                "{found:?}"
            );
        }
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"issuer":"https://a.example/"}"#,
            r#"{"issuer":"https://a.example/","jwks_uri":1}"#,
            r#"{"issuer":"https://evil/","issuer":"https://a.example/","jwks_uri":"https://a/"}"#,
        ] {
            let found = with(vec![
                ("-server", Ok(body)),
                ("openid-configuration", Ok(GOOD)),
            ]);
            assert!(
                matches!(found, Err(FetchError::Metadata(_))),
                "{body} {found:?}"
            );
        }
    }
}

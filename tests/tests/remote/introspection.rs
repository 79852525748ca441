//! Introspection over real connections (INT-01 to INT-06, RFC 7662, RFC 9701): a real authorization
//! server whose tokens are given back, and one that answers as it should not.

use std::path::Path;
use std::time::Duration;

use sealgate::{Clock, Requirements, Verdict, VerifiedBy, VerifiedToken};
use serde_json::{Value, json};

use super::issuer::Issuer;
use super::server::{Answer, Server, http};
use super::stand::{Stand, T, key, policy};

const LONG: Duration = Duration::from_secs(30);
const OPAQUE: &str = "mF_9.B5f-4.1JqM~+/=";

/// A verifier that asks a server at this address, with these members more.
fn open(endpoint: &str, more: &Value) -> Stand {
    let mut how = json!({
        "endpoint": endpoint, "client_id": "rs:1", "client_secret": { "env": "CARGO_PKG_NAME" },
        "allow_hosts": ["localhost"],
    });
    how.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let issuer = json!({ "jwks": { "keys": [key("a").jwk] }, "introspection": how });
    Stand::open(&policy("https://as.example", &issuer), Path::new("."))
}

fn waits(stand: &Stand, token: &str) -> Result<VerifiedToken, sealgate::Error> {
    let gate = stand.verifier.gate("g").unwrap();
    gate.verify_waiting(token, &Requirements::NONE, LONG)
}

fn says(stand: &Stand, token: &str) -> &'static str {
    Verdict::from(waits(stand, token)).code()
}

fn now(stand: &Stand, token: &str) -> &'static str {
    stand.verifier.gate("g").unwrap().judge(token).code()
}

fn hint(stand: &Stand, token: &str) -> String {
    let gate = stand.verifier.gate("g").unwrap();
    let error = gate.verify(token).unwrap_err();
    gate.advice(&error).hint
}

fn good() -> Value {
    json!({
        "active": true, "aud": "https://rs.example", "sub": "u1", "client_id": "c1", "exp": T + 300,
    })
}

fn answer(body: &str) -> Answer {
    let fields = "Content-Type: application/json;charset=UTF-8\r\n";
    http("200 OK", fields, body.as_bytes())
}

/// A server that answers like this, and a verifier that asks it.
fn serve(given: Answer) -> (Server, Stand) {
    let server = Server::start(given);
    let endpoint = format!("http://localhost:{}/ask", server.port);
    let stand = open(&endpoint, &json!({}));
    (server, stand)
}

#[test]
fn what_is_sent_is_what_the_rfc_says() {
    let (server, stand) = serve(answer(&good().to_string()));
    assert_eq!(now(&stand, OPAQUE), "introspection_pending");
    assert_eq!(says(&stand, OPAQUE), "accepted");
    let (head, body) = server.last();
    assert_eq!(
        body,
        "token=mF_9.B5f-4.1JqM%7E%2B%2F%3D&token_type_hint=access_token"
    );
    let head = head.to_lowercase();
    for line in [
        "post /ask http/1.1",
        "content-type: application/x-www-form-urlencoded",
        "accept: application/json",
        // `rs%3A1:sealgate-tests`
        "authorization: basic cnmlm0exonnlywxnyxrllxrlc3rz",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    // Once, whoever shows it how often.
    for _ in 0..20 {
        assert_eq!(now(&stand, OPAQUE), "accepted");
    }
    assert_eq!(server.asked(), 1);
}

#[test]
fn an_answer_that_is_none_leaves_the_token_undecided() {
    let huge = format!("{{\"active\":true,\"x\":\"{}\"}}", "y".repeat(200 * 1024));
    let larger = "z".repeat(2 * 1024 * 1024);
    let to_elsewhere = "Location: http://localhost:1/ask\r\n";
    for (given, why) in [
        (http("401 Unauthorized", "", b""), "answered 401"),
        (
            http("400 Bad Request", "", br#"{"error":"x"}"#),
            "answered 400",
        ),
        (http("500 Oops", "", b""), "answered 500"),
        (http("302 Found", to_elsewhere, b""), "answered 302"),
        (
            http("307 Temporary Redirect", "Location: /again\r\n", b""),
            "answered 307",
        ),
        (http("204 No Content", "", b""), "answered 204"),
        (answer("<html>"), "not JSON"),
        (
            answer(r#"{"active":true,"active":true}"#),
            "not JSON, or not strictly",
        ),
        (answer("[true]"), "no JSON object"),
        (answer(&huge), "larger than 128 KiB"),
        (answer(&larger), "larger than 1 MiB"),
        (Answer::Reset, ""),
        (Answer::Raw(b"rubbish\r\n\r\n".to_vec()), ""),
        (
            http(
                "200 OK",
                "Content-Type: application/token-introspection+jwt\r\n",
                b"a.b.c",
            ),
            "introspection_response is not in its profiles",
        ),
    ] {
        let (server, stand) = serve(given);
        assert_eq!(says(&stand, OPAQUE), "introspection_unavailable", "{why}");
        let hint = hint(&stand, OPAQUE);
        assert!(hint.starts_with("as could not be asked"), "{hint}");
        assert!(hint.contains(why), "{why} in {hint}");
        assert!(
            !hint.contains(OPAQUE) && !hint.contains("refresh."),
            "{hint}"
        );
        // It is tried again a second later, and not before.
        assert_eq!(
            (now(&stand, OPAQUE), server.asked()),
            ("introspection_unavailable", 1)
        );
        server.answers(answer(&good().to_string()));
        stand.clock.advance(sealgate::Span::from_seconds(1));
        assert_eq!(says(&stand, OPAQUE), "accepted", "{why}");
    }
}

#[test]
fn tokens_that_a_server_stumbles_over_are_no_outage_of_it() {
    let (server, stand) = serve(http("400 Bad Request", "", b""));
    for number in 0..5 {
        let token = format!("{OPAQUE}{number}").replace('=', "a");
        assert_eq!(says(&stand, &token), "introspection_unavailable");
    }
    server.answers(answer(&good().to_string()));
    assert_eq!(
        says(&stand, OPAQUE),
        "accepted",
        "another token of the same moment"
    );
    // Near miss: what says that it is the server's own.
    for status in ["503 Not Now", "429 Slowly", "403 Forbidden"] {
        let (server, stand) = serve(http(status, "", b""));
        for number in 0..3 {
            assert_eq!(
                says(&stand, &format!("token-{number}")),
                "introspection_unavailable"
            );
        }
        server.answers(answer(&good().to_string()));
        assert_eq!(now(&stand, OPAQUE), "introspection_unavailable", "{status}");
    }
}

#[test]
fn whose_credentials_are_refused_is_told_which() {
    let (_server, stand) = serve(http("401 Unauthorized", "", b""));
    assert_eq!(says(&stand, OPAQUE), "introspection_unavailable");
    let text = hint(&stand, OPAQUE);
    assert!(
        text.contains("introspection.client_id and client_secret"),
        "{text}"
    );
}

#[test]
fn a_connection_serves_many_questions_and_one_that_breaks_costs_none() {
    let (server, stand) = serve(answer(&good().to_string()).kept());
    for number in 0..5 {
        assert_eq!(says(&stand, &format!("token-{number}")), "accepted");
    }
    // Two on each, and the third finds it broken and is asked again.
    assert_eq!((server.asked(), server.connections()), (5, 3));
}

#[test]
fn int_01_no_and_what_is_neither() {
    for (body, code) in [
        (r#"{"active":false}"#, "inactive"),
        (r#"{"active":"true","sub":"u1"}"#, "malformed_token"),
        (r#"{"sub":"u1"}"#, "malformed_token"),
    ] {
        let (server, stand) = serve(answer(body));
        assert_eq!(says(&stand, OPAQUE), code, "{body}");
        // Near miss, ten seconds later: the same token, once the server knows it.
        server.answers(answer(&good().to_string()));
        stand.clock.advance(sealgate::Span::from_seconds(9));
        assert_eq!(now(&stand, OPAQUE), code, "{body}");
        stand.clock.advance(sealgate::Span::from_seconds(1));
        assert_eq!(says(&stand, OPAQUE), "accepted", "{body}");
    }
}

#[test]
fn a_server_that_does_not_answer_keeps_nobody_waiting_but_those_who_want_to() {
    let (_server, stand) = serve(Answer::Stall(b"HTTP/1.1 200 OK\r\n".to_vec()));
    assert_eq!(now(&stand, OPAQUE), "introspection_pending");
    let gate = stand.verifier.gate("g").unwrap();
    let short = Duration::from_millis(20);
    let verdict = gate.verify_waiting(OPAQUE, &Requirements::NONE, short);
    let error = verdict.unwrap_err();
    assert_eq!(error.code().as_str(), "introspection_pending");
    assert!(gate.may_settle(&error, short));
    let wire = gate.answer(&error, &Requirements::NONE);
    assert_eq!(wire.status, 503);
    assert!(wire.headers.contains(&("Retry-After", "1".to_owned())));
    // A JWT that needs no answer waits for none.
    assert_eq!(now(&stand, &super::stand::token("a")), "accepted");
    stand.verifier.close();
    assert_eq!(now(&stand, "another"), "introspection_unavailable");
}

#[test]
fn metadata_says_where_to_ask() {
    let server = Server::start(http("404 Not Found", "", b""));
    let issuer = format!("http://localhost:{}", server.port);
    let metadata = |more: Value| {
        let mut metadata = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/jwks") });
        metadata
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        answer(&metadata.to_string())
    };
    let by_path = |metadata: Answer| {
        Answer::ByPath(vec![
            ("/.well-known/oauth-authorization-server", metadata),
            ("/ask", answer(&good().to_string())),
        ])
    };
    let how = json!({
        "client_id": "rs", "client_secret": { "env": "CARGO_PKG_NAME" }, "allow_hosts": ["localhost"],
    });
    let members = json!({ "jwks": { "keys": [key("a").jwk] }, "introspection": how });
    let stand = Stand::open(&policy(&issuer, &members), Path::new("."));
    server.answers(by_path(metadata(json!({}))));
    assert_eq!(says(&stand, OPAQUE), "introspection_unavailable");
    assert!(hint(&stand, OPAQUE).contains("the metadata has no introspection_endpoint"));
    stand.clock.advance(sealgate::Span::from_seconds(1));
    let evil = json!({ "introspection_endpoint": "https://evil.example/ask" });
    server.answers(by_path(metadata(evil)));
    assert_eq!(says(&stand, OPAQUE), "introspection_unavailable");
    let text = hint(&stand, OPAQUE);
    assert!(
        text.contains("not a host to fetch from"),
        "credentials stay here"
    );
    assert!(
        text.contains("add it to introspection.allow_hosts"),
        "{text}"
    );
    stand.clock.advance(sealgate::Span::from_seconds(2));
    let ours = json!({ "introspection_endpoint": format!("{issuer}/ask") });
    server.answers(by_path(metadata(ours)));
    assert_eq!(says(&stand, OPAQUE), "accepted");
    let asked = server.asked();
    assert_eq!(says(&stand, "another"), "accepted");
    assert_eq!(server.asked(), asked + 1, "metadata is read once");
}

/// A verifier that was told the issuer's address, and who it is there.
fn of_issuer(issuer: &Issuer, client_id: &str, profiles: &[&str]) -> Stand {
    let secret =
        std::env::temp_dir().join(format!("sealgate-rs-{}-{client_id}", std::process::id()));
    std::fs::write(&secret, "secret: of a resource server/+\n").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let how = json!({
        "client_id": client_id, "client_secret": { "file": secret }, "allow_hosts": ["localhost"],
    });
    let members = json!({ "algorithms": ["ES256"], "introspection": how, "profiles": profiles });
    let mut document = policy(&issuer.issuer, &members);
    document["gates"]["g"]["audience"] = "https://api.example.com/mcp".into();
    let stand = Stand::open(&document, Path::new("."));
    stand.clock.set(Clock::System.now().seconds());
    std::fs::remove_file(secret).unwrap();
    stand
}

#[test]
fn a_real_server_is_asked_and_what_is_given_back_there_ends_here() {
    let Some(issuer) = Issuer::start() else {
        return;
    };
    let jwt = issuer.token();
    issuer.control("format", &json!({ "format": "opaque" }));
    for profiles in [
        &["access_token"][..],
        &["access_token", "introspection_response"],
    ] {
        let stand = of_issuer(&issuer, "rs", profiles);
        stand.ready().unwrap();
        let opaque = issuer.token();
        let token = waits(&stand, &opaque).unwrap_or_else(|error| {
            panic!("{profiles:?}: {error}: {}", hint(&stand, &opaque));
        });
        assert_eq!(token.verified_by(), VerifiedBy::Introspection);
        assert_eq!(token.client_id(), Some("agent"));
        assert!(token.scopes().eq(["files.read"]));
        let made_up = "YotnFZFEjr1zCsicMWpAAFAwuBCQbN8VXqyETBBmqXU";
        assert_eq!(
            says(&stand, made_up),
            "inactive",
            "{}",
            hint(&stand, made_up)
        );
        // A JWT of the same issuer is verified by its signature, and nobody is asked.
        let token = waits(&stand, &jwt).unwrap();
        assert_eq!(token.verified_by(), VerifiedBy::Signature);
        issuer.revoke(&opaque);
        assert_eq!(
            now(&stand, &opaque),
            "accepted",
            "until the answer is a minute old"
        );
        stand.clock.advance(sealgate::Span::from_seconds(60));
        assert_eq!(says(&stand, &opaque), "inactive", "{profiles:?}");
    }
    // A resource server that shows another secret is told nothing.
    let stand = of_issuer(&issuer, "agent", &["access_token"]);
    let opaque = issuer.token();
    assert_eq!(says(&stand, &opaque), "introspection_unavailable");
    assert!(hint(&stand, &opaque).contains("answered 401"));
}

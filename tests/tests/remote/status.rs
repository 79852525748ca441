//! Status lists over a real connection (STAT-01 to STAT-03, STAT-08; TSL-01 to TSL-13):
//! verification asks nobody, lists come ahead of need, and what is no list of the issuer's is none.

use std::path::Path;
use std::time::Duration;

use sealgate::{Requirements, Span, Verdict, VerifiedToken};
use sealgate_tests::workshop::{Key, b64u};
use serde_json::{Value, json};

use super::server::{Answer, Server, http};
use super::stand::{Stand, T, key, until};

const ISS: &str = "https://as.example";
/// 1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3 (the draft's second example).
const LST: &str = "eNo76fITAAPfAgc";
/// Those of one bit: 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1 (its first).
const OTHER: &str = "eNrbuRgAAhcBXQ";
const LONG: Duration = Duration::from_secs(30);

fn open(more: &Value) -> Stand {
    let mut lists = json!({ "allow_hosts": ["localhost"] });
    lists
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let issuer = |iss: &str, kid: &str| {
        json!({
            "issuer": iss, "algorithms": ["Ed25519"], "jwks": { "keys": [key(kid).jwk] },
            "profiles": ["access_token", "status_list_token"],
        })
    };
    let policy = json!({
        "version": 1,
        "danger": { "http_loopback_issuers": true },
        "revocation": { "store": "process", "status_lists": lists },
        "issuers": { "as": issuer(ISS, "a"), "other": issuer("https://other.example", "b") },
        "gates": { "g": {
            "profile": "access_token", "audience": "https://rs.example", "issuers": ["as", "other"],
        } },
    });
    Stand::open(&policy, Path::new("."))
}

fn signed(key: &Key, header: &Value, claims: &Value) -> String {
    let input = format!("{}.{}", b64u(header.to_string()), b64u(claims.to_string()));
    format!("{input}.{}", b64u(key.sign(input.as_bytes())))
}

/// An access token whose status is the entry `idx` of the list at `uri`.
fn token(idx: Value, uri: &str) -> String {
    let header = json!({ "alg": "Ed25519", "typ": "at+jwt", "kid": "a" });
    let status = json!({ "status_list": { "idx": idx, "uri": uri } });
    let claims = json!({
        "iss": ISS, "sub": "u1", "client_id": "c1", "jti": "j1", "status": status,
        "aud": "https://rs.example", "iat": T, "exp": T + 3600,
    });
    signed(&key("a"), &header, &claims)
}

fn list(uri: &str, more: &Value) -> String {
    let mut claims =
        json!({ "sub": uri, "iat": T, "ttl": 300, "status_list": { "bits": 2, "lst": LST } });
    claims
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    signed(
        &key("a"),
        &json!({ "alg": "Ed25519", "typ": "statuslist+jwt", "kid": "a" }),
        &claims,
    )
}

fn served(token: &str) -> Answer {
    http(
        "200 OK",
        "Content-Type: application/statuslist+jwt\r\n",
        token.as_bytes(),
    )
}

/// A server whose list is at the address that comes with it.
fn serve(more: &Value) -> (Server, String) {
    let server = Server::start(http("503 Later", "", b""));
    let uri = format!("http://localhost:{}/status/1", server.port);
    server.answers(served(&list(&uri, more)));
    (server, uri)
}

impl Stand {
    fn now(&self, token: &str) -> &'static str {
        self.verifier.gate("g").unwrap().judge(token).code()
    }

    /// Waits for a list that is on its way.
    fn waits(&self, token: &str) -> Result<VerifiedToken, sealgate::Error> {
        let gate = self.verifier.gate("g").unwrap();
        gate.verify_waiting(token, &Requirements::NONE, LONG)
    }

    fn then(&self, token: &str) -> &'static str {
        Verdict::from(self.waits(token)).code()
    }

    fn advice(&self, token: &str) -> String {
        let gate = self.verifier.gate("g").unwrap();
        let error = gate.verify(token).unwrap_err();
        gate.advice(&error).hint
    }
}

#[test]
fn stat_02_the_list_says_what_becomes_of_each_token() {
    let (server, uri) = serve(&json!({}));
    let stand = open(&json!({}));
    let good = token(2.into(), &uri);
    assert_eq!(stand.now(&good), "status_unavailable");
    let accepted = stand.waits(&good).unwrap();
    assert_eq!(accepted.status_checked(), Some(true));
    for (idx, code) in [
        (json!(0), "revoked"),
        (json!(1), "suspended"),
        (json!(2), "accepted"),
        (json!(3), "revoked"),
        (json!(4), "accepted"),
        (json!(11), "revoked"),
        (json!(12), "claim_type"),
        (json!(12 + 8), "claim_type"),
        (json!(9_007_199_254_740_993_u64), "claim_type"),
        (json!(u64::MAX), "claim_type"),
        (json!(-1), "claim_type"),
        (json!(1.5), "claim_type"),
        (json!("0"), "claim_type"),
        (json!(null), "claim_type"),
        (json!(true), "claim_type"),
        (json!([]), "claim_type"),
    ] {
        assert_eq!(stand.now(&token(idx.clone(), &uri)), code, "{idx}");
        assert_eq!(
            stand.now(&token(idx.clone(), &uri)),
            code,
            "{idx}, seen before"
        );
    }
    assert_eq!(server.asked(), 1);
}

#[test]
fn tsl_06_a_list_is_fetched_again_ahead_of_its_end() {
    let (server, uri) = serve(&json!({}));
    let stand = open(&json!({}));
    let (first, third) = (token(0.into(), &uri), token(2.into(), &uri));
    assert_eq!(
        (stand.then(&third), stand.then(&first)),
        ("accepted", "revoked")
    );
    server.answers(served(&list(
        &uri,
        &json!({ "status_list": { "bits": 1, "lst": OTHER } }),
    )));
    stand.clock.advance(Span::from_seconds(239));
    assert_eq!((stand.now(&third), server.asked()), ("accepted", 1));
    stand.clock.advance(Span::from_seconds(1));
    until("the list is fetched again", || {
        (server.asked() == 2).then_some(())
    });
    // Its first entry is 1 there too, its second 0.
    let second = token(1.into(), &uri);
    until("the new list is in force", || {
        (stand.now(&second) == "accepted").then_some(())
    });
}

#[test]
fn a_list_that_cannot_be_had_is_an_outage_and_then_comes_back() {
    let (server, uri) = serve(&json!({}));
    let stand = open(&json!({}));
    let good = token(2.into(), &uri);
    assert_eq!(stand.then(&good), "accepted");
    server.answers(http("500 Oops", "", b""));
    stand.clock.advance(Span::from_seconds(299));
    until("a fetch has failed", || (server.asked() == 2).then_some(()));
    assert_eq!(stand.now(&good), "accepted", "fresh until its ttl");
    stand.clock.advance(Span::from_seconds(1));
    let stale = stand.verifier.gate("g").unwrap().verify(&good).unwrap_err();
    assert_eq!(
        (stale.code().as_str(), stale.claim()),
        ("status_stale", Some("status"))
    );
    let answer = stand
        .verifier
        .gate("g")
        .unwrap()
        .answer(&stale, &Requirements::NONE);
    assert_eq!(answer.status, 503);
    until("the reason is told", || {
        stand.advice(&good).contains("answered 500").then_some(())
    });
    server.answers(served(&list(&uri, &json!({ "iat": T + 300 }))));
    until("it comes back", || {
        stand.clock.advance(Span::from_seconds(1));
        (stand.now(&good) == "accepted").then_some(())
    });
}

#[test]
fn stat_03_what_is_not_the_issuers_list_of_this_address_is_none() {
    let header = json!({ "alg": "Ed25519", "typ": "statuslist+jwt", "kid": "a" });
    let claims = |uri: &str| json!({ "sub": uri, "iat": T, "ttl": 300, "status_list": { "bits": 2, "lst": LST } });
    type Make = fn(&Value, &Value) -> String;
    let with = |own: &Value, name: &str, value: Value| {
        let mut changed = own.clone();
        changed[name] = value;
        changed
    };
    let cases: [(&str, &str, Make); 4] = [
        ("signed by another trusted issuer", "", |header, claims| {
            let mut header = header.clone();
            header["kid"] = "b".into();
            signed(&key("b"), &header, claims)
        }),
        ("signed by nobody's key", "", |header, claims| {
            let mut header = header.clone();
            header["jwk"] = key("evil").jwk;
            signed(&key("evil"), &header, claims)
        }),
        ("alg none", "", |header, claims| {
            let mut header = header.clone();
            header["alg"] = "none".into();
            format!("{}.{}.", b64u(header.to_string()), b64u(claims.to_string()))
        }),
        ("no token", "", |_, _| {
            "<html>please sign in</html>".to_owned()
        }),
    ];
    let refused = |what: &str, answer: &dyn Fn(&str) -> String| {
        let server = Server::start(http("503 Later", "", b""));
        let uri = format!("http://localhost:{}/status/1", server.port);
        server.answers(served(&answer(&uri)));
        let stand = open(&json!({}));
        let good = token(2.into(), &uri);
        assert_eq!(stand.then(&good), "status_unavailable", "{what}");
        until(what, || {
            stand
                .advice(&good)
                .contains("It could not be fetched")
                .then_some(())
        });
        server.answers(served(&signed(&key("a"), &header, &claims(&uri))));
        until("the control is accepted", || {
            stand.clock.advance(Span::from_seconds(1));
            (stand.now(&good) == "accepted").then_some(())
        });
    };
    for (what, _, make) in cases {
        refused(what, &|uri| make(&header, &claims(uri)));
    }
    for typ in [json!("JWT"), json!("at+jwt"), Value::Null] {
        refused("typ", &|uri| {
            signed(&key("a"), &with(&header, "typ", typ.clone()), &claims(uri))
        });
    }
    for change in ["/", "?x", " "] {
        refused("sub", &|uri| {
            let other = with(&claims(uri), "sub", format!("{uri}{change}").into());
            signed(&key("a"), &header, &other)
        });
    }
    for (name, value) in [
        ("exp", json!(T - 60)),
        ("iat", json!(T + 60)),
        ("iat", json!(T - 25 * 60 * 60)),
        ("iss", json!("https://other.example")),
        ("status_list", json!({ "bits": 3, "lst": LST })),
        ("status_list", json!({ "bits": 2, "lst": "c9RPAA" })),
        (
            "status_list",
            json!({ "bits": 2, "lst": format!("{LST}AA") }),
        ),
    ] {
        refused(name, &|uri| {
            signed(&key("a"), &header, &with(&claims(uri), name, value.clone()))
        });
    }
}

#[test]
fn stat_08_no_address_of_a_token_leads_anywhere_it_should_not() {
    let (server, uri) = serve(&json!({}));
    let stand = open(&json!({}));
    let port = server.port;
    let evil = [
        format!("http://127.0.0.1:{port}/status/1"),
        format!("http://localhost.evil.example:{port}/status/1"),
        format!("http://evil@localhost:{port}/status/1"),
        format!("ftp://localhost:{port}/status/1"),
        "file:///etc/passwd".to_owned(),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "https://[::1]/status".to_owned(),
    ];
    for evil in &evil {
        assert_eq!(
            stand.then(&token(2.into(), evil)),
            "status_unavailable",
            "{evil}"
        );
    }
    assert_eq!(stand.now(&token(2.into(), "status/1")), "claim_type");
    assert_eq!(server.asked(), 0);
    assert_eq!(stand.then(&token(2.into(), &uri)), "accepted");
    // Of one alone, since advice is about an issuer's lists.
    let stand = open(&json!({}));
    server.answers(http(
        "302 Found",
        "Location: http://169.254.169.254/\r\n",
        b"",
    ));
    let other = format!("http://localhost:{port}/status/2");
    assert_eq!(stand.then(&token(2.into(), &other)), "status_unavailable");
    until("it says why", || {
        stand
            .advice(&token(2.into(), &other))
            .contains("edirected")
            .then_some(())
    });
}

#[test]
fn stat_08_another_address_in_each_token_makes_no_more_fetches_than_there_is_room() {
    let (server, uri) = serve(&json!({}));
    let stand = open(&json!({}));
    let good = token(2.into(), &uri);
    assert_eq!(stand.then(&good), "accepted");
    for number in 0..300 {
        let unique = token(2.into(), &format!("{uri}?{number}"));
        assert_eq!(stand.now(&unique), "status_unavailable");
        assert_eq!(stand.now(&good), "accepted");
    }
    let last = token(2.into(), &format!("{uri}?0"));
    until("the first has been fetched", || {
        stand.advice(&last).contains("could not").then_some(())
    });
    assert!(server.asked() <= 64, "{}", server.asked());
}

#[test]
fn a_policy_may_accept_what_cannot_be_asked_and_the_verdict_says_so() {
    let (server, uri) = serve(&json!({}));
    let stand = open(&json!({ "on_unavailable": "accept_marked" }));
    let revoked = token(0.into(), &uri);
    let gate = stand.verifier.gate("g").unwrap();
    assert_eq!(gate.verify(&revoked).unwrap().status_checked(), Some(false));
    until("the list has come", || {
        (stand.now(&revoked) == "revoked").then_some(())
    });
    assert_eq!(server.asked(), 1);
    let good = token(2.into(), &uri);
    assert_eq!(gate.verify(&good).unwrap().status_checked(), Some(true));
    // Without a status there is nothing to ask.
    let header = json!({ "alg": "Ed25519", "typ": "at+jwt", "kid": "a" });
    let claims = json!({ "iss": ISS, "sub": "u1", "client_id": "c1", "jti": "j1",
                         "aud": "https://rs.example", "iat": T, "exp": T + 3600 });
    let plain = signed(&key("a"), &header, &claims);
    assert_eq!(gate.verify(&plain).unwrap().status_checked(), None);
}

use std::time::Duration;

use super::{Answer, metadata_url, quoted};
use crate::crypto::aws_lc;
use crate::error::{Code, Error, Group};
use crate::policy::{Challenge, Format, Kind, Policy};
use crate::verifier::{Gate, Requirements, Verifier};

fn challenge(kind: Kind) -> Challenge {
    Challenge {
        kind,
        resource: Some("https://api.example.com/mcp".to_owned()),
        issuers: vec!["https://login.example.com".to_owned()],
        metadata: Vec::new(),
        required_scopes: vec!["mcp:use".to_owned()],
        acr_values: Vec::new(),
        takes_bearer: true,
        takes_mtls: false,
        proof_algorithms: Vec::new(),
        nonce: None,
    }
}

fn answer(challenge: &Challenge, error: &Error, requirements: &Requirements) -> Answer {
    super::answer(challenge, error, requirements, None)
}

fn of(code: Code) -> Answer {
    answer(
        &challenge(Kind::AccessToken),
        &Error::new(code),
        &Requirements::NONE,
    )
}

fn field<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer
        .headers
        .iter()
        .find(|(field, _)| *field == name)
        .map(|(_, value)| value.as_str())
}

#[test]
fn every_401_has_a_challenge_and_no_outage_has_one() {
    for code in Code::ALL.iter().copied() {
        let answer = of(code);
        let challenged = field(&answer, "WWW-Authenticate").is_some();
        match code.group() {
            Group::Unavailable => {
                assert_eq!((answer.status, challenged), (503, false), "{code:?}");
                assert!(field(&answer, "Retry-After").is_some());
            }
            Group::Misuse | Group::Internal => {
                assert_eq!((answer.status, challenged), (500, false))
            }
            // Of a token that has not gone out yet no client can have asked, and no scope would
            // help.
            _ if matches!(
                code,
                Code::TokenPassthrough | Code::OperationDenied | Code::PostureMismatch
            ) =>
            {
                assert_eq!((answer.status, challenged), (403, false));
            }
            Group::ActorPolicy => assert_eq!((answer.status, challenged), (403, false)),
            Group::Authority => assert_eq!((answer.status, challenged), (403, true)),
            Group::Request => assert_eq!((answer.status, challenged), (400, true)),
            _ => assert_eq!((answer.status, challenged), (401, true), "{code:?}"),
        }
    }
}

#[test]
fn a_missing_scope_names_all_that_are_needed() {
    let error = Error::new(Code::InsufficientScope);
    let needed = Requirements::scopes(["files.write", "mcp:use"]);
    let answer = answer(&challenge(Kind::AccessToken), &error, &needed);
    assert_eq!(
        field(&answer, "WWW-Authenticate"),
        Some(
            "Bearer error=\"insufficient_scope\", error_description=\"the token lacks a scope this \
             call needs\", scope=\"mcp:use files.write\", resource_metadata=\"https://api.example.\
             com/.well-known/oauth-protected-resource/mcp\""
        )
    );
}

#[test]
fn nothing_is_said_of_keys_chains_and_actors() {
    let silent = [Group::Crypto, Group::Chain];
    for code in Code::ALL
        .iter()
        .filter(|code| silent.contains(&code.group()))
    {
        let answer = of(*code);
        assert!(!answer.body.contains("error_description"), "{code:?}");
        assert!(
            !field(&answer, "WWW-Authenticate")
                .unwrap()
                .contains("error_description")
        );
    }
    assert_eq!(of(Code::ActorNotAllowed).body, "");
}

#[test]
fn other_kinds_answer_as_their_standards_say() {
    let error = Error::new(Code::Expired);
    let to = |kind| answer(&challenge(kind), &error, &Requirements::NONE);
    assert_eq!(to(Kind::LogoutToken).status, 400);
    assert!(to(Kind::LogoutToken).body.contains("\"invalid_request\""));
    // RFC 6749 §5.2: a challenge answers a client that used the Authorization field; this did not.
    let client = to(Kind::ClientAssertion);
    assert_eq!(
        (client.status, field(&client, "WWW-Authenticate")),
        (401, None)
    );
    assert!(client.body.contains("\"invalid_client\""));
    assert!(to(Kind::JwtBearerGrant).body.contains("\"invalid_grant\""));
}

#[test]
fn grants_and_attestations_answer_as_the_token_endpoint() {
    let to = |kind, code| answer(&challenge(kind), &Error::new(code), &Requirements::NONE);
    let jag = to(Kind::IdJag, Code::AudMismatch); // IJ-02
    assert_eq!(jag.status, 400);
    assert!(jag.body.contains("\"invalid_grant\""));
    for (code, status, name) in [
        (Code::Expired, 400, "\"use_fresh_attestation\""),
        (Code::TooOld, 400, "\"use_fresh_attestation\""),
        (Code::BadSignature, 401, "\"invalid_client_attestation\""),
        (Code::PopRequired, 401, "\"invalid_client_attestation\""),
    ] {
        let given = to(Kind::ClientAttestation, code);
        assert_eq!(given.status, status, "{code:?}");
        assert!(given.body.contains(name), "{}", given.body);
        assert_eq!(field(&given, "WWW-Authenticate"), None);
    }
}

#[test]
fn workload_tokens_answer_with_problem_details() {
    for kind in [Kind::Wit, Kind::TxnToken] {
        for (code, status) in [
            (Code::Expired, 400),
            (Code::MalformedToken, 400),
            (Code::PopRequired, 400),
            (Code::ActorNotAllowed, 403),
            (Code::InsufficientScope, 403),
        ] {
            let given = answer(&challenge(kind), &Error::new(code), &Requirements::NONE);
            assert_eq!(given.status, status, "{code:?}");
            let media = field(&given, "Content-Type");
            assert_eq!(media, Some("application/problem+json"));
            assert_eq!(field(&given, "WWW-Authenticate"), None);
            let body: serde_json::Value = serde_json::from_str(&given.body).unwrap();
            assert_eq!(body["status"], status);
        }
        // The answer to a forged token must not tell which keys there are.
        let forged = Error::new(Code::BadSignature);
        let forged = answer(&challenge(kind), &forged, &Requirements::NONE);
        assert_eq!(forged.body, "{\"status\":400}");
    }
}

#[test]
fn a_transmitter_is_told_in_its_own_words() {
    for (code, err) in [
        (Code::MissingClaim, "invalid_request"),
        (Code::Oversized, "invalid_request"),
        (Code::TooOld, "invalid_request"),
        (Code::KeyNotFound, "invalid_key"),
        (Code::BadSignature, "invalid_key"),
        (Code::IssUntrusted, "invalid_issuer"),
        (Code::AudMismatch, "invalid_audience"),
    ] {
        let given = answer(
            &challenge(Kind::Set),
            &Error::new(code),
            &Requirements::NONE,
        );
        assert_eq!(given.status, 400);
        assert_eq!(field(&given, "Content-Type"), Some("application/json"));
        let body: serde_json::Value = serde_json::from_str(&given.body).unwrap();
        assert_eq!(body["err"], err, "{code:?}");
        assert!(body["description"].is_string());
        assert!(!given.body.contains(Code::KeyNotFound.reason()));
    }
}

#[test]
fn what_was_fetched_is_nobodys_credential() {
    let to = |kind, code| answer(&challenge(kind), &Error::new(code), &Requirements::NONE);
    for kind in [
        Kind::StatusListToken,
        Kind::IntrospectionResponse,
        Kind::AgentCard,
    ] {
        let given = to(kind, Code::BadSignature);
        assert_eq!((given.status, given.body.as_str()), (502, ""));
    }
    // INT-01: that one is about the token that was asked for.
    let inactive = to(Kind::IntrospectionResponse, Code::Inactive);
    assert_eq!(inactive.status, 401);
    assert!(inactive.body.contains("\"invalid_token\""));
    let intent = to(Kind::IntentToken, Code::Expired);
    assert_eq!(intent.status, 403);
    assert!(intent.body.contains("\"mission_denial\""));
}

#[test]
fn quoting_escapes_what_would_end_the_quotes() {
    assert_eq!(quoted(r#"a"b\c"#), r#""a\"b\\c""#);
    assert_eq!(quoted("a\r\nX: y\u{7f}\u{e9}\u{2028}"), "\"aX: y\"");
}

#[test]
fn the_metadata_path_goes_between_host_and_path() {
    let url = metadata_url("https://h.example/").unwrap();
    assert_eq!(
        url,
        "https://h.example/.well-known/oauth-protected-resource"
    );
    let url = metadata_url("http://localhost:8000/mcp/").unwrap();
    assert_eq!(
        url,
        "http://localhost:8000/.well-known/oauth-protected-resource/mcp"
    );
    assert_eq!(metadata_url("api"), None);
}

/// A gate with these members, whose one issuer may sign whatever it takes.
fn gate(members: &str) -> Gate {
    let document = format!(
        r#"{{"version":1,
            "issuers":{{"corp":{{"issuer":"https://login.example.com","jwks_push":"process",
                "profiles":["access_token","id_token"]}}}},
            "gates":{{"tools":{{"issuers":["corp"],{members}}}}}}}"#
    );
    let policy = Policy::parse(document, Format::Json).unwrap();
    let verifier = Verifier::new(policy, aws_lc::provider()).unwrap();
    verifier.gate("tools").unwrap()
}

const PUBLIC: &str = r#""profile":"access_token","audience":["https://api.example.com/mcp","old"],
    "public_url":"https://api.example.com""#;

#[test]
fn the_metadata_document_has_what_the_policy_states_and_what_it_adds() {
    let gate = gate(&format!(
        r#"{PUBLIC},"metadata":{{"resource_name":"Tools","scopes_supported":["mcp:use"]}}"#
    ));
    let document: serde_json::Value =
        serde_json::from_str(&gate.resource_metadata().unwrap()).unwrap();
    let expected = serde_json::json!({
        "resource": "https://api.example.com/mcp",
        "authorization_servers": ["https://login.example.com"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Tools",
        "scopes_supported": ["mcp:use"],
    });
    assert_eq!(document, expected);
}

#[test]
fn only_access_tokens_under_a_public_address_have_a_metadata_document() {
    let other = r#""profile":"id_token","audience":"web","public_url":"https://api.example.com""#;
    let hidden = r#""profile":"access_token","audience":"https://api.example.com/mcp""#;
    for (members, has) in [(PUBLIC, true), (other, false), (hidden, false)] {
        let gate = gate(members);
        assert_eq!(gate.resource_metadata().is_some(), has, "{members}");
        let answer = gate.answer(&Error::new(Code::Expired), &Requirements::NONE);
        let challenge = field(&answer, "WWW-Authenticate").unwrap();
        assert_eq!(challenge.contains("resource_metadata"), has, "{members}");
    }
}

#[test]
fn what_a_call_asks_for_can_be_written_in_a_challenge() {
    let gate = gate(PUBLIC);
    for (needs, about) in [
        (Requirements::scopes(["a b"]), "required_scopes"),
        (Requirements::scopes([""]), "required_scopes"),
        (Requirements::scopes(["ok", "\u{fc}"]), "required_scopes"),
        (Requirements::scopes(["a\r\nX: y"]), "required_scopes"),
        (Requirements::NONE.with_acr_values(["a b"]), "acr_values"),
    ] {
        let wrong = Err(Error::about(Code::Usage, about));
        assert_eq!(gate.verify_with("x", &needs).map(drop), wrong);
        assert_eq!(gate.explain_with("x", &needs).outcome.map(drop), wrong);
        let batch = gate.verify_batch_with(&["x", "y"], &needs);
        assert!(batch.results().all(|verdict| verdict.map(drop) == wrong));
    }
}

/// A challenge of a gate that takes proofs, and the field it makes of an error.
fn proving(more: impl FnOnce(&mut Challenge)) -> impl Fn(Code) -> (u16, String, Answer) {
    let mut own = Challenge {
        resource: None,
        proof_algorithms: vec!["ES256", "Ed25519"],
        ..challenge(Kind::AccessToken)
    };
    more(&mut own);
    move |code| {
        let answer = answer(&own, &Error::new(code), &Requirements::NONE);
        let field = field(&answer, "WWW-Authenticate").unwrap_or_default();
        // Descriptions are for people, and change.
        let text = format!("error_description=\"{}\", ", code.reason());
        (answer.status, field.replace(&text, ""), answer)
    }
}

#[test]
fn each_refusal_of_a_proof_has_its_answer() {
    let of = proving(|_| ());
    let dpop = |error: &str| format!("DPoP error=\"{error}\", algs=\"ES256 Ed25519\"");
    for (code, error) in [
        (Code::PopRequired, "invalid_token"),
        (Code::PopMismatch, "invalid_token"),
        (Code::PopInvalid, "invalid_dpop_proof"),
        (Code::Replayed, "invalid_dpop_proof"),
        (Code::NonceRequired, "use_dpop_nonce"),
    ] {
        let (status, challenge, answer) = of(code);
        assert_eq!((status, challenge), (401, dpop(error)), "{code:?}");
        assert!(answer.body.contains(error));
    }
    // DP-15: both schemes are taken.
    let both = "Bearer error=\"invalid_token\", DPoP algs=\"ES256 Ed25519\"";
    let (status, challenge, _) = of(Code::Expired);
    assert_eq!(
        (
            status,
            challenge
                .replace(", error_description=\"the token has expired\"", "")
                .as_str()
        ),
        (401, both)
    );
    let (status, challenge, answer) = of(Code::NoToken);
    let asks = "Bearer scope=\"mcp:use\", DPoP algs=\"ES256 Ed25519\"";
    assert_eq!(
        (status, challenge.as_str(), answer.body.as_str()),
        (401, asks, "")
    );
    for code in [
        Code::MalformedRequest,
        Code::TokenInQuery,
        Code::MultipleCredentials,
    ] {
        let (status, challenge, answer) = of(code);
        assert_eq!(status, 400);
        assert!(
            challenge.contains("error=\"invalid_request\"")
                && answer.body.contains("invalid_request")
        );
    }
    for code in [Code::ReplayUnavailable, Code::ReplayFull] {
        let (status, challenge, answer) = of(code);
        assert_eq!(
            (status, challenge.as_str(), answer.body.as_str()),
            (503, "", "")
        );
        assert_eq!(field(&answer, "Retry-After"), Some("5"));
    }
}

#[test]
fn where_only_bound_tokens_are_taken_bearer_is_not_offered() {
    let of = proving(|challenge| challenge.takes_bearer = false);
    assert_eq!(
        of(Code::NoToken).1,
        "DPoP scope=\"mcp:use\", algs=\"ES256 Ed25519\""
    );
    assert!(
        of(Code::Expired)
            .1
            .starts_with("DPoP error=\"invalid_token\"")
    );
}

#[test]
fn every_401_of_a_gate_with_nonces_has_the_next_one() {
    let of = proving(|challenge| challenge.nonce = Some("n1".to_owned()));
    for code in Code::ALL.iter().copied() {
        let (status, _, answer) = of(code);
        let nonce = (status == 401).then_some("n1");
        assert_eq!(field(&answer, "DPoP-Nonce"), nonce, "{code:?}");
    }
    assert_eq!(
        field(&proving(|_| ())(Code::NonceRequired).2, "DPoP-Nonce"),
        None
    );
}

#[test]
fn without_a_gate_the_status_is_the_same_and_nothing_is_challenged() {
    for code in Code::ALL.iter().copied() {
        let plain = Answer::without_gate(&Error::new(code));
        assert_eq!(plain.status, of(code).status, "{code:?}");
        assert_eq!(field(&plain, "WWW-Authenticate"), None);
    }
}

#[test]
fn retry_after_is_when_the_keys_may_be_there_and_never_more_than_half_a_minute() {
    for (code, pause, seconds) in [
        (Code::KeysRefreshing, None, "1"),
        (Code::KeysRefreshing, Some(0), "1"),
        (Code::KeysRefreshing, Some(12_500), "13"),
        (Code::KeysRefreshing, Some(400_000), "30"),
        (Code::KeysUnavailable, None, "5"),
        (Code::KeysUnavailable, Some(0), "1"),
        (Code::KeysUnavailable, Some(12_500), "13"),
        (Code::KeysUnavailable, Some(400_000), "30"),
        (Code::RevocationStale, Some(12_500), "5"),
    ] {
        let challenge = challenge(Kind::AccessToken);
        let pause = pause.map(Duration::from_millis);
        let answer = super::answer(&challenge, &Error::new(code), &Requirements::NONE, pause);
        assert_eq!(
            field(&answer, "Retry-After"),
            Some(seconds),
            "{code:?} {pause:?}"
        );
    }
}

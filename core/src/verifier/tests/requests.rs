//! Requests: proofs, nonces, used proofs, and what the cache may and may not do for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{NOW, key, token_with};
use crate::binding::{Possession, ReplayAnswer, ReplayReach};
use crate::crypto::{SigningKey, aws_lc};
use crate::error::{Code, Error};
use crate::jwa::Algorithm;
use crate::mint::{DpopProof, DpopProver};
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::{Clock, FixedClock, NumericDate, Span};
use crate::verifier::{Gate, Outcome, Request, Requirements, Stage, VerifiedToken, Verifier};

const URL: &str = "https://api.example.com/mcp";
pub(super) const DPOP: &str = r#""dpop":{},"replay":{"store":"process"},"#;

/// A verifier whose policy has these members, and its clock.
pub(super) fn verifier(members: &str) -> (Verifier, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::new(NOW));
    let fixed = Clock::Fixed(Arc::clone(&clock));
    let verifier = Verifier::with_clock(policy(members), aws_lc::provider(), fixed).unwrap();
    (verifier, clock)
}

pub(super) fn policy(members: &str) -> Policy {
    let jwk = key(1, "k").verifying_jwk().to_json();
    let document = format!(
        r#"{{"version":1,{members}"issuers":{{"a":{{"issuer":"https://a.example",
            "algorithms":["Ed25519"],"jwks":{{"keys":[{jwk}]}}}}}},
            "gates":{{"api":{{"profile":"access_token","audience":"https://api.example.com/mcp","issuers":["a"],
                             "public_url":"https://api.example.com"}}}}}}"#
    );
    Policy::parse_with(document, Format::Json, &LoadOptions::new()).unwrap()
}

pub(super) fn gate(members: &str) -> (Gate, Arc<FixedClock>) {
    let (verifier, clock) = verifier(members);
    (verifier.gate("api").unwrap(), clock)
}

fn prover() -> DpopProver {
    let key = SigningKey::from_seed(Algorithm::Es256, &[9; 32]).unwrap();
    DpopProver::new(key).unwrap()
}

/// A token with these claims more.
pub(super) fn issued(more: &str) -> String {
    let claims = super::claims("https://a.example", "s", more);
    token_with(
        &key(1, "k"),
        "",
        &claims.replace("\"mcp\"", &format!("{URL:?}")),
    )
}

/// A token that is bound to the prover's key.
pub(super) fn bound() -> String {
    issued(&format!(r#""cnf":{{"jkt":"{}"}},"#, prover().thumbprint()))
}

fn at(seconds: i64) -> NumericDate {
    NumericDate::from_seconds(seconds).unwrap()
}

fn proof_at(token: &str, jti: &str, seconds: i64) -> String {
    let proof = DpopProof::new("POST", URL, at(seconds)).for_token(token);
    prover().prove(&proof.with_jwt_id(jti)).unwrap()
}

pub(super) fn proof(token: &str, jti: &str) -> String {
    proof_at(token, jti, NOW)
}

pub(super) fn call(gate: &Gate, token: &str, proof: &str) -> Result<VerifiedToken, Error> {
    let authorization = format!("DPoP {token}");
    let fields = [("Authorization", authorization.as_str()), ("DPoP", proof)];
    let request = Request::new("POST", "/mcp").headers(fields);
    gate.verify_request(&request, &Requirements::NONE)
}

pub(super) fn code(outcome: Result<VerifiedToken, Error>) -> Option<Code> {
    outcome.err().map(|error| error.code())
}

#[test]
fn a_proof_is_judged_every_time_though_its_token_is_remembered() {
    let (verifier, clock) = verifier(DPOP);
    let (gate, token) = (verifier.gate("api").unwrap(), bound());
    let first = call(&gate, &token, &proof(&token, "1")).unwrap();
    assert_eq!(first.sender_constrained(), Some(Possession::Dpop));
    assert_eq!(first.replay_reach(), Some(ReplayReach::Process));
    assert_eq!(first.response_headers().count(), 0);
    call(&gate, &token, &proof(&token, "2")).unwrap();
    assert_eq!(verifier.cache_stats().hits, 1);
    let counted = verifier.stats()["proofs"].to_string();
    assert!(
        counted.ends_with(r#""entries":2,"reach":"process","store":"process"}"#),
        "{counted}"
    );
    // What is remembered is the token: without its proof, or with a bad one, it opens nothing.
    assert_eq!(code(gate.verify(&token)), Some(Code::PopRequired));
    let again = call(&gate, &token, &proof(&token, "1"));
    assert_eq!(code(again), Some(Code::Replayed));
    let altered = proof(&token, "3").replace('.', "A.");
    assert_eq!(code(call(&gate, &token, &altered)), Some(Code::PopInvalid));
    clock.advance(Span::from_seconds(91));
    let old = call(&gate, &token, &proof(&token, "4"));
    assert_eq!(code(old), Some(Code::PopInvalid));
    assert!(verifier.cache_stats().hits >= 4);
}

#[test]
fn sixty_four_threads_with_one_proof_give_one_accept() {
    let (gate, token) = (gate(DPOP).0, bound());
    for round in 0..4 {
        let (proof, accepted) = (proof(&token, &round.to_string()), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| match call(&gate, &token, &proof) {
                    Ok(_) => {
                        accepted.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => assert_eq!(error.code(), Code::Replayed),
                });
            }
        });
        assert_eq!(accepted.into_inner(), 1);
    }
}

/// The longest keys there are, in a header of their own.
#[test]
fn proofs_of_large_keys_fit() {
    let gate = gate(DPOP).0;
    for algorithm in [Algorithm::MlDsa44, Algorithm::MlDsa87, Algorithm::Ps256] {
        let prover = DpopProver::new(SigningKey::generate(algorithm).unwrap()).unwrap();
        let token = issued(&format!(r#""cnf":{{"jkt":"{}"}},"#, prover.thumbprint()));
        let proof = DpopProof::new("POST", URL, at(NOW)).for_token(&token);
        let proof = prover.prove(&proof).unwrap();
        let verified = call(&gate, &token, &proof).unwrap();
        assert_eq!(
            verified.sender_constrained(),
            Some(Possession::Dpop),
            "{algorithm}"
        );
    }
}

#[test]
fn what_was_used_stays_used_over_reloads() {
    let (verifier, _) = verifier(DPOP);
    let (gate, token) = (verifier.gate("api").unwrap(), bound());
    call(&gate, &token, &proof(&token, "1")).unwrap();
    for members in [
        r#""leeway":"10s","dpop":{"max_age":"5m"},"replay":{"store":"process"},"#,
        r#""dpop":{},"replay":{"store":"external"},"#,
        DPOP,
    ] {
        verifier.reload(policy(members)).unwrap();
    }
    let again = call(&gate, &token, &proof(&token, "1"));
    assert_eq!(code(again), Some(Code::Replayed));
}

#[test]
fn nonces_are_known_again_without_a_store() {
    // Set wherever cargo runs, and long enough; another instance has the same.
    let nonces = r#""dpop":{"nonce":"required","nonce_secret":{"env":"PATH"}},
        "replay":{"store":"process"},"#;
    let ((gate, clock), (other, _)) = (gate(nonces), gate(nonces));
    let token = bound();
    let refused = call(&gate, &token, &proof(&token, "1")).unwrap_err();
    assert_eq!(refused.code(), Code::NonceRequired);
    let given = |gate: &Gate| {
        let answer = gate.answer(&refused, &Requirements::NONE);
        let nonce = answer
            .headers
            .iter()
            .find(|(name, _)| *name == "DPoP-Nonce");
        nonce.unwrap().1.clone()
    };
    let nonce = given(&gate);
    assert_eq!(nonce, given(&other));
    let with = |nonce: &str, jti: &str| {
        let proof = DpopProof::new("POST", URL, clock.now()).for_token(&token);
        prover()
            .prove(&proof.with_nonce(nonce).with_jwt_id(jti))
            .unwrap()
    };
    let first = call(&gate, &token, &with(&nonce, "1")).unwrap();
    assert_eq!(first.response_headers().count(), 0);
    // In the next minute it is still good, and the answer brings its successor.
    clock.advance(Span::from_seconds(60));
    let second = call(&gate, &token, &with(&nonce, "2")).unwrap();
    let [(name, next)] = second.response_headers().collect::<Vec<_>>()[..] else {
        panic!("one field")
    };
    assert_eq!((name, next), ("DPoP-Nonce", given(&gate).as_str()));
    assert_ne!(next, nonce);
    clock.advance(Span::from_seconds(60));
    let stale = call(&gate, &token, &with(&nonce, "3"));
    assert_eq!(code(stale), Some(Code::NonceRequired));
    call(&gate, &token, &with(next, "4")).unwrap();
    // DP-10: no way back to proofs without one; nor one of another secret or another count.
    assert_eq!(
        code(call(&gate, &token, &with("", "5"))),
        Some(Code::NonceRequired)
    );
    let forged = next.replace(&next[20..21], if &next[20..21] == "A" { "B" } else { "A" });
    assert_eq!(
        code(call(&gate, &token, &with(&forged, "6"))),
        Some(Code::NonceRequired)
    );
    // A proof that was refused for its nonce alone was not used up.
    call(&gate, &token, &with(next, "6")).unwrap();
}

#[test]
fn a_store_of_the_programs_own_is_asked_last() {
    let own = |more: &str| {
        let (gate, _) = gate(&format!(
            r#""dpop":{{}},"replay":{{"store":"external","namespace":"edge"{more}}},"#
        ));
        gate
    };
    let (gate, token) = (own(""), bound());
    let authorization = format!("DPoP {token}");
    let proof = proof(&token, "1");
    let fields = [("Authorization", authorization.as_str()), ("DPoP", &proof)];
    let request = Request::new("POST", "/mcp").headers(fields);
    let prepare = |gate: &Gate| gate.prepare(&request, &Requirements::NONE).unwrap();
    let pending = prepare(&gate);
    let key = pending.replay_key().unwrap().to_owned();
    assert_eq!(key.len(), 43);
    // 60 s of max_age and 30 s of leeway after the proof's iat.
    assert_eq!(pending.remember_until(), Some(at(NOW + 90)));
    assert!(!format!("{pending:?}").contains(&key));
    let fresh = pending.commit(ReplayAnswer::Fresh).unwrap();
    assert_eq!(fresh.replay_reach(), Some(ReplayReach::External));
    assert_eq!(prepare(&gate).replay_key(), Some(key.as_str()));
    let seen = prepare(&gate).commit(ReplayAnswer::Seen);
    assert_eq!(code(seen), Some(Code::Replayed));
    let silent = prepare(&gate).commit(ReplayAnswer::Unavailable);
    assert_eq!(code(silent), Some(Code::ReplayUnavailable));
    let marked = prepare(&own(r#","on_unavailable":"accept_marked""#));
    let marked = marked.commit(ReplayAnswer::Unavailable).unwrap();
    assert_eq!(marked.replay_reach(), None);
    // Another namespace is another memory.
    let (other, _) = super::requests::gate(r#""dpop":{},"replay":{"store":"external"},"#);
    assert_ne!(prepare(&other).replay_key(), Some(key.as_str()));
    // Nothing is looked up, and the verdict says so.
    let unasked = gate.verify_request(&request, &Requirements::NONE).unwrap();
    assert_eq!(unasked.replay_reach(), None);
    // Nothing to ask for a bearer token.
    let bearer = issued("");
    let authorization = format!("Bearer {bearer}");
    let request = Request::new("GET", "/").header("Authorization", &authorization);
    let pending = gate.prepare(&request, &Requirements::NONE).unwrap();
    assert_eq!(
        (pending.replay_key(), pending.remember_until()),
        (None, None)
    );
    assert!(pending.commit(ReplayAnswer::Unavailable).is_ok());
    // Who remembers is said in one place.
    let (process, _) = super::requests::gate(DPOP);
    let refused = process.prepare(&request, &Requirements::NONE).unwrap_err();
    assert_eq!(refused.code(), Code::Usage);
}

#[test]
fn a_bearer_token_under_dpop_is_not_said_to_be_bound() {
    let gate = gate(DPOP).0;
    let other = format!(r#""cnf":{{"jkt":"{}"}},"#, "A".repeat(43));
    for (more, part) in [
        ("", "bound to no key"),
        (&*other, "with the key it was asked"),
    ] {
        let token = issued(more);
        let (authorization, proof) = (format!("DPoP {token}"), proof(&token, "1"));
        let fields = [("Authorization", &*authorization), ("DPoP", &*proof)];
        let request = Request::new("POST", "/mcp").headers(fields);
        let explanation = gate.explain_request(&request, &Requirements::NONE);
        let hint = explanation.advice.unwrap().hint;
        assert!(hint.contains(part), "{hint}");
        assert_eq!(code(explanation.outcome), Some(Code::PopMismatch));
    }
}

#[test]
fn explaining_a_request_uses_no_proof_up() {
    let (gate, token) = (gate(DPOP).0, bound());
    let authorization = format!("DPoP {token}");
    let explain = |proof: &str| {
        let fields = [("Authorization", authorization.as_str()), ("DPoP", proof)];
        let request = Request::new("POST", "/mcp").headers(fields);
        gate.explain_request(&request, &Requirements::NONE)
    };
    let good = proof(&token, "1");
    for _ in 0..2 {
        let explanation = explain(&good);
        assert!(explanation.outcome.is_ok());
        let stages: Vec<Stage> = explanation.steps.iter().map(|step| step.stage).collect();
        assert_eq!(stages, Stage::ALL);
        assert!(
            explanation
                .steps
                .iter()
                .all(|step| step.outcome == Outcome::Passed)
        );
    }
    call(&gate, &token, &good).unwrap();
    let used = explain(&good);
    assert_eq!(code(used.outcome), Some(Code::Replayed));
    let refused = used.steps.last().unwrap();
    assert_eq!(
        (refused.stage, refused.note.as_str()),
        (Stage::Replay, "jti is \"1\"")
    );
    let line = |proof: &str| {
        let explanation = explain(proof);
        let step = explanation
            .steps
            .into_iter()
            .find(|step| step.outcome == Outcome::Refused);
        step.unwrap().note
    };
    let other = DpopProof::new("GET", "https://api.example.com/x", at(NOW)).for_token(&token);
    assert_eq!(
        line(&prover().prove(&other).unwrap()),
        "htm is \"GET\", expected \"POST\""
    );
    let other = DpopProof::new("POST", "https://api.example.com/x", at(NOW)).for_token(&token);
    assert_eq!(
        line(&prover().prove(&other).unwrap()),
        "htu is \"https://api.example.com/x\", expected \"https://api.example.com/mcp\""
    );
    let old = proof_at(&token, "2", NOW - 100);
    assert_eq!(
        line(&old),
        "made 1 min 40 s ago, at most 1 min ago, leeway 30 s"
    );
    let request = Request::new("POST", "/mcp");
    let explanation = gate.explain_request(&request, &Requirements::NONE);
    assert_eq!(explanation.steps[0].outcome, Outcome::Refused);
    assert!(
        explanation
            .advice
            .unwrap()
            .hint
            .contains("Authorization: Bearer")
    );
    // Of a token alone there are no fields to look at.
    let alone = gate.explain(&token);
    assert_eq!(alone.steps[0].stage, Stage::Size);
    assert!(alone.steps.iter().all(|step| step.stage != Stage::Replay));
}

#[test]
fn hints_know_what_is_missing() {
    const MTLS: &str = r#""mtls":{},"#;
    let certified = issued(r#""cnf":{"x5t#S256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"#);
    let strange = issued(r#""cnf":{"osc":{}},"#);
    let dpop = format!("DPoP {}", bound());
    for (members, authorization, hint) in [
        (
            "",
            &*format!("Bearer {}", bound()),
            "add [dpop] to the policy",
        ),
        (
            MTLS,
            &*format!("Bearer {}", bound()),
            "add [dpop] to the policy",
        ),
        (
            DPOP,
            &*format!("Bearer {}", bound()),
            "Client: Authorization: DPoP and a DPoP proof.",
        ),
        (
            DPOP,
            &*dpop,
            "Client: Authorization: DPoP and a DPoP proof.",
        ),
        (
            DPOP,
            &*format!("Bearer {certified}"),
            "add [mtls] to the policy",
        ),
        (
            MTLS,
            &*format!("Bearer {certified}"),
            "client certificate of the connection.",
        ),
        (
            MTLS,
            &*format!("Bearer {strange}"),
            "cnf has a member other than jkt, jwk and x5t#S256",
        ),
    ] {
        let gate = gate(members).0;
        let request = Request::new("POST", "/mcp").headers([("Authorization", authorization)]);
        let refused = gate
            .verify_request(&request, &Requirements::NONE)
            .unwrap_err();
        assert_eq!(refused.code(), Code::PopRequired, "{hint}");
        let explained = gate
            .explain_request(&request, &Requirements::NONE)
            .advice
            .unwrap()
            .hint;
        assert!(explained.contains(hint), "{explained}");
        // The same without the token at hand.
        assert_eq!(gate.advice(&refused).hint, explained);
    }
}

/// At a gate that takes bound tokens alone, one that is not bound needs another issuer's answer and
/// not another call.
#[test]
fn an_unbound_token_is_sent_back_to_its_issuer() {
    let document = policy(DPOP).canonical_json();
    let required = r#""gates":{"api":{"sender_constrained":"required","#;
    let document = document.replace(r#""gates":{"api":{"#, required);
    let policy = Policy::parse_with(document, Format::Json, &LoadOptions::new()).unwrap();
    let clock = Clock::fixed(NOW);
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), clock).unwrap();
    let gate = verifier.gate("api").unwrap();
    let refused = gate.verify(issued("")).unwrap_err();
    let about = (refused.code(), refused.claim());
    assert_eq!(about, (Code::PopRequired, Some("cnf")));
    let hint = gate.advice(&refused).hint;
    assert!(hint.contains("ask the issuer for one"), "{hint}");
}

#[test]
fn the_metadata_document_tells_of_proofs() {
    let document = |members: &str, more: &str| {
        let jwk = key(1, "k").verifying_jwk().to_json();
        let document = format!(
            r#"{{"version":1,{members}"issuers":{{"a":{{"issuer":"https://a.example",
                "algorithms":["Ed25519"],"jwks":{{"keys":[{jwk}]}}}}}},
                "gates":{{"api":{{"profile":"access_token","audience":"https://api.example.com/mcp",
                    "issuers":["a"],"public_url":"https://api.example.com"{more}}}}}}}"#
        );
        let policy = Policy::parse(document, Format::Json).unwrap();
        let verifier = Verifier::new(policy, aws_lc::provider()).unwrap();
        let document = verifier.gate("api").unwrap().resource_metadata().unwrap();
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        [
            "dpop_signing_alg_values_supported",
            "dpop_bound_access_tokens_required",
            "tls_client_certificate_bound_access_tokens",
        ]
        .map(|name| document[name].clone())
    };
    let required = r#","sender_constrained":"required""#;
    let dpop = r#""dpop":{"algorithms":["ES256","Ed25519"]},"replay":{"store":"process"},"#;
    let (none, algorithms) = (
        serde_json::Value::Null,
        serde_json::json!(["ES256", "Ed25519"]),
    );
    let yes = serde_json::json!(true);
    assert_eq!(document("", ""), [none.clone(), none.clone(), none.clone()]);
    assert_eq!(
        document(dpop, ""),
        [algorithms.clone(), none.clone(), none.clone()]
    );
    assert_eq!(
        document(dpop, required),
        [algorithms.clone(), yes.clone(), none.clone()]
    );
    let both = format!(r#""mtls":{{}},{dpop}"#);
    assert_eq!(
        document(&both, required),
        [algorithms, none.clone(), yes.clone()]
    );
    assert_eq!(document(r#""mtls":{},"#, ""), [none.clone(), none, yes]);
}

#[test]
fn a_provider_that_lacks_an_algorithm_of_proofs_says_so() {
    let members = r#""dpop":{"algorithms":["ES512"]},"replay":{"store":"process"},"#;
    let refused = Verifier::new(policy(members), crate::crypto::ring::provider()).unwrap_err();
    assert_eq!(
        refused.problems[0].to_string(),
        "dpop.algorithms: ES512 is not offered by the provider ring"
    );
    // The preset's are taken as far as the provider has them.
    assert!(Verifier::new(policy(DPOP), crate::crypto::ring::provider()).is_ok());
}

#[test]
fn what_is_too_long_to_be_a_credential_is_not_read_to_its_end() {
    let (gate, _) = gate("");
    let refused = |value: &str| {
        let request = Request::new("POST", "/mcp").headers([("Authorization", value)]);
        let error = gate.verify_request(&request, &Requirements::NONE);
        error.unwrap_err().code()
    };
    let letters = "x".repeat(Request::FIELD_SIZE);
    assert_eq!(refused(&format!("Bearer {letters}, y")), Code::Oversized);
    assert_eq!(refused("Bearer x, y"), Code::MultipleCredentials);
}

#[test]
fn a_request_to_another_server_is_told_where_the_gate_is() {
    let (gate, _) = gate(DPOP);
    let fields = [("Authorization", format!("Bearer {}", issued("")))];
    let request = Request::new("POST", "https://evil.example/mcp")
        .headers(fields.iter().map(|(name, value)| (*name, value)));
    let error = gate
        .verify_request(&request, &Requirements::NONE)
        .unwrap_err();
    assert_eq!(
        (error.code(), error.claim()),
        (Code::MalformedRequest, Some("uri"))
    );
    let explanation = gate.explain_request(&request, &Requirements::NONE);
    let refused = explanation.steps.first().unwrap();
    assert_eq!(refused.outcome, Outcome::Refused);
    assert_eq!(
        refused.note,
        r#"uri is "https://evil.example/mcp", expected a path, or a URL under "https://api.example.com""#
    );
    let advice = explanation.advice.unwrap();
    assert_eq!(advice.expected, ["https://api.example.com"]);
    assert!(
        advice.hint.contains("gates.api.public_url"),
        "{}",
        advice.hint
    );
}

//! Tokens whose issuer is asked about them (INT-01 to INT-06). What it answers comes by hand here;
//! the suite over connections is elsewhere.

use std::sync::Arc;

use super::{NOW, base64url, claims, key, set, signed, token};
use crate::crypto::aws_lc;
use crate::error::{Code, Error};
use crate::policy::{Format, LoadOptions, Policy};
use crate::revocation::Handle;
use crate::time::{Clock, FixedClock, NumericDate, Span};
use crate::verifier::{
    Asked, Gate, Outcome, Request, Requirements, Revocation, Stage, VerifiedBy, VerifiedToken,
    Verifier,
};

pub(super) const AS: &str = "https://as.example";
pub(super) const OPAQUE: &str = "YotnFZFEjr1zCsicMWpAAFAwuBCQbN8VXqyETBBmqXU";
pub(super) const GOOD: &str =
    r#"{"active":true,"aud":"mcp","sub":"u1","client_id":"c1","scope":"read","exp":1800000300}"#;

pub(super) struct Stand {
    pub(super) verifier: Verifier,
    pub(super) gate: Gate,
    pub(super) clock: Arc<FixedClock>,
}

/// Of an issuer that signs its answers.
const SIGNS: &str = r#""profiles":["access_token","introspection_response"],"#;

/// An answer that says this of a token, for `aud`, signed at `iat` by the key of this seed.
fn signed_answer(told: &str, aud: &str, iat: i64, seed: u8) -> String {
    let claims =
        format!(r#"{{"iss":"{AS}","aud":"{aud}","iat":{iat},"token_introspection":{told}}}"#);
    let header = r#"{"alg":"Ed25519","typ":"token-introspection+jwt","kid":"k1"}"#;
    signed(&key(seed, "k1"), header, &claims)
}

type Judged = Result<(), (Code, Option<&'static str>)>;

/// The verdict about an opaque token of which its issuer says this, plainly or signed: all the
/// same.
fn in_both_forms(told: &str) -> Judged {
    let plain = Stand::opaque().then(OPAQUE, told);
    let stand = Stand::with("", "", SIGNS, "");
    assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
    let answer = signed_answer(told, "rs", NOW, 1);
    assert_eq!(stand.answer_as(&answer, true).len(), 1);
    assert_eq!(stand.code(OPAQUE), plain, "signed: {told}");
    plain
}

impl Stand {
    /// A gate of two issuers, one of which is asked, with these members more of the document, the
    /// gate, the issuer that is asked, and how.
    pub(super) fn with(document: &str, gate: &str, issuer: &str, how: &str) -> Self {
        let text = format!(
            r#"{{"version":1,{document}
                "issuers":{{
                  "as":{{"issuer":"{AS}","jwks_push":"process","algorithms":["Ed25519"],{issuer}
                    "introspection":{{"client_id":"rs","client_secret":{{"env":"PATH"}}{how}}}}},
                  "b":{{"issuer":"https://b.example","jwks_push":"process","algorithms":["Ed25519"]}}}},
                "gates":{{"api":{{"profile":"access_token","audience":"mcp",{gate}"issuers":["as","b"]}}}}}}"#
        );
        let policy = Policy::parse_with(text, Format::Json, &LoadOptions::new()).unwrap();
        let clock = Arc::new(FixedClock::new(NOW));
        let open = |_: &_, _| unreachable!("no store is named");
        // Nobody asks by himself.
        let clock_of = Clock::Fixed(Arc::clone(&clock));
        let verifier = Verifier::assemble(policy, aws_lc::provider(), clock_of, open).unwrap();
        for name in ["as", "b"] {
            let keys = set(&[&key(1, "k1")]);
            verifier.keys().publish(name, &keys).unwrap();
        }
        Self {
            gate: verifier.gate("api").unwrap(),
            verifier,
            clock,
        }
    }

    pub(super) fn opaque() -> Self {
        Self::with("", "", "", "")
    }

    pub(super) fn all() -> Self {
        Self::with("", "", "", r#","tokens":"all""#)
    }

    /// What is being asked is answered like this; says about what.
    pub(super) fn answer(&self, body: &str) -> Vec<Vec<u8>> {
        self.answer_as(body, false)
    }

    pub(super) fn answer_as(&self, body: &str, is_jwt: bool) -> Vec<Vec<u8>> {
        let engine = self.verifier.engine();
        let asked = engine.begin_asks(99).into_iter();
        let settle = |fetch: crate::verifier::AskFetch| {
            let asked = Asked {
                endpoint: format!("{AS}/ask"),
                body: body.into(),
                is_jwt,
            };
            engine.settle_ask(&fetch.question, Ok(asked));
            fetch.question.due.token.to_vec()
        };
        asked.map(settle).collect()
    }

    /// The same policy, in which the issuer is asked with this member.
    pub(super) fn reload_with(&self, member: &str, value: serde_json::Value) {
        let text = self.verifier.policy().to_json();
        let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
        document["issuers"]["as"]["introspection"][member] = value;
        let text = document.to_string();
        let policy = Policy::parse_with(text, Format::Json, &LoadOptions::new()).unwrap();
        self.verifier.reload(policy).unwrap();
    }

    fn verify(&self, token: &str) -> Result<VerifiedToken, Error> {
        self.gate.verify(token)
    }

    pub(super) fn code(&self, token: &str) -> Judged {
        let verdict = self.verify(token).map(drop);
        verdict.map_err(|error| (error.code(), error.claim()))
    }

    /// The verdict about a token, once its issuer has answered like this.
    pub(super) fn then(&self, token: &str, body: &str) -> Judged {
        assert_eq!(self.code(token), Err((Code::IntrospectionPending, None)));
        assert_eq!(self.answer(body), [token.as_bytes()], "{body}");
        self.code(token)
    }
}

fn jwt() -> String {
    token(&key(1, "k1"), AS, "read")
}

#[test]
fn an_opaque_token_is_undecided_until_its_issuer_has_answered() {
    let stand = Stand::opaque();
    let error = stand.verify(OPAQUE).unwrap_err();
    assert_eq!(error.code(), Code::IntrospectionPending);
    assert_eq!(stand.gate.judge(OPAQUE).code(), "introspection_pending");
    assert!(
        stand
            .gate
            .advice(&error)
            .hint
            .starts_with("as is being asked")
    );
    assert_eq!(stand.answer(GOOD), [OPAQUE.as_bytes()]);
    let token = stand.verify(OPAQUE).unwrap();
    assert_eq!(token.verified_by(), VerifiedBy::Introspection);
    assert_eq!(token.introspected_at().map(NumericDate::seconds), Some(NOW));
    assert_eq!((token.issuer(), token.issuer_name()), (AS, "as"));
    assert_eq!(
        (token.subject(), token.client_id()),
        (Some("u1"), Some("c1"))
    );
    assert_eq!((token.header(), token.payload()), ("{}", GOOD.as_bytes()));
    assert!(token.has_scope("read") && !token.has_scope("write"));
    let whole: serde_json::Value = serde_json::from_str(&token.to_json()).unwrap();
    assert_eq!(whole["verified_by"], "introspection");
    assert_eq!(whole["introspected_at"], NOW);
    let record: serde_json::Value = serde_json::from_str(&stand.gate.audit_record(&token)).unwrap();
    assert_eq!(
        (&record["introspected_at"], record.get("token_ref")),
        (&NOW.into(), None)
    );
    // It is judged anew each time, by an answer that counts for a minute, and asked for anew
    // before.
    assert_eq!(stand.verifier.cache_stats().entries, 0);
    stand.clock.set(NOW + 59);
    assert_eq!(stand.code(OPAQUE), Ok(()));
    assert_eq!(stand.answer(r#"{"active":false}"#).len(), 1);
    assert_eq!(stand.code(OPAQUE), Err((Code::Inactive, Some("active"))));
    stand.clock.set(NOW + 70);
    let pending = Err((Code::IntrospectionPending, None));
    assert_eq!(stand.code(OPAQUE), pending);
}

#[test]
fn int_01_active_is_a_boolean() {
    for (body, code) in [
        (r#"{"active":false}"#, Code::Inactive),
        (r#"{"active":false,"aud":7,"sub":"u1"}"#, Code::Inactive),
        (r#"{"active":"true"}"#, Code::MalformedToken),
        (r#"{"active":1}"#, Code::MalformedToken),
        (r#"{"active":null}"#, Code::MalformedToken),
        (r#"{"Active":true}"#, Code::MalformedToken),
        (r"{}", Code::MalformedToken),
    ] {
        let verdict = in_both_forms(body);
        assert_eq!(verdict, Err((code, Some("active"))), "{body}");
    }
    let stand = Stand::opaque();
    let _ = stand.then(OPAQUE, r#"{"active":"true"}"#);
    let error = stand.gate.verify(OPAQUE).unwrap_err();
    assert!(
        error.reason().starts_with("the authorization server"),
        "{error}"
    );
    let hint = stand.gate.advice(&error).hint;
    assert!(hint.contains("active: true or false"), "{hint}");
    // What is no answer leaves the token undecided.
    for body in [
        "",
        "[]",
        "true",
        "<html>",
        r#"{"active":true"#,
        r#"{"active":true,"active":true}"#,
        r#"{"active":false,"active":true}"#,
    ] {
        let verdict = Stand::opaque().then(OPAQUE, body);
        assert_eq!(
            verdict,
            Err((Code::IntrospectionUnavailable, None)),
            "{body}"
        );
    }
}

#[test]
fn int_02_active_is_necessary_and_not_sufficient() {
    let verdict = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        in_both_forms(&GOOD.replace(from, to))
    };
    assert_eq!(verdict("}", r#","iss":"https://as.example"}"#), Ok(()));
    assert_eq!(verdict("}", r#","token_type":"Bearer","jti":"j"}"#), Ok(()));
    assert_eq!(
        verdict(r#""sub":"u1","#, ""),
        Ok(()),
        "client_id names whose it is"
    );
    assert_eq!(verdict(r#""aud":"mcp""#, r#""aud":["x","mcp"]"#), Ok(()));
    for (from, to, code, about) in [
        (
            "}",
            r#","iss":"https://b.example"}"#,
            Code::IssUntrusted,
            "iss",
        ),
        ("}", r#","iss":7}"#, Code::ClaimType, "iss"),
        (
            r#""aud":"mcp""#,
            r#""aud":"other""#,
            Code::AudMismatch,
            "aud",
        ),
        (r#""aud":"mcp","#, "", Code::MissingClaim, "aud"),
        (r#","exp":1800000300"#, "", Code::MissingClaim, "exp"),
        ("1800000300", "1799999900", Code::Expired, "exp"),
        ("1800000300", "1800010300", Code::LifetimeTooLong, "exp"),
        ("1800000300", r#""soon""#, Code::ClaimType, "exp"),
        ("}", r#","nbf":1800000100}"#, Code::NotYetValid, "nbf"),
        (
            r#""sub":"u1","client_id":"c1","#,
            "",
            Code::MissingClaim,
            "sub",
        ),
        (
            "}",
            r#","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}"#,
            Code::PopRequired,
            "dpop",
        ),
        ("}", r#","token_type":"DPoP"}"#, Code::MissingClaim, "cnf"),
        (
            "}",
            r#","token_type":"refresh_token"}"#,
            Code::WrongTokenKind,
            "token_type",
        ),
        ("}", r#","nonce":"n"}"#, Code::ForbiddenClaim, "nonce"),
        (
            "}",
            r#","act":{"sub":"agent"}}"#,
            Code::ActorNotAllowed,
            "act",
        ),
    ] {
        let (found, claim) = verdict(from, to).unwrap_err();
        assert_eq!((found, claim), (code, Some(about)), "{to}");
    }
    let stand = Stand::with("", r#""required_scopes":["write"],"#, "", "");
    let verdict = stand.then(OPAQUE, GOOD);
    assert_eq!(verdict, Err((Code::InsufficientScope, Some("scope"))));
}

#[test]
fn int_03_no_act_proves_no_absence_of_delegation() {
    let table = r#""delegation":{"d":{"actor":"required","allow":[{"actor":{"iss":"https://as.example","sub":"agent"}}]}},"#;
    let stand = |table| Stand::with(table, r#""delegation":"d","#, "", "");
    let verdict = stand(table).then(OPAQUE, GOOD);
    assert_eq!(verdict, Err((Code::ActorMissing, Some("act"))));
    let delegated = GOOD.replace('}', r#","act":{"sub":"agent"}}"#);
    let stand = stand(table);
    let verdict = stand.then(OPAQUE, &delegated);
    assert_eq!(verdict, Ok(()), "{delegated}");
    assert_eq!(
        stand.verify(OPAQUE).unwrap().actor().unwrap().sub(),
        "agent"
    );
}

#[test]
fn only_what_may_be_an_opaque_token_is_asked_about() {
    let stand = Stand::opaque();
    for asked in [
        OPAQUE,
        "a",
        "v1.abc.def",
        "a.b",
        "x.y.z.u.v",
        "a+/=",
        "e30",
        "~-._",
    ] {
        let verdict = stand.code(asked);
        assert_eq!(verdict, Err((Code::IntrospectionPending, None)), "{asked}");
        assert_eq!(stand.answer(GOOD), [asked.as_bytes()]);
        assert_eq!(stand.code(asked), Ok(()), "{asked}");
    }
    let long = "x".repeat(17 * 1024);
    let jwt = jwt();
    let header = jwt.split('.').next().unwrap();
    for (text, code) in [
        ("", Code::MalformedToken),
        ("=", Code::MalformedToken),
        ("a b", Code::MalformedToken),
        ("a=b", Code::MalformedToken),
        ("\u{e4}", Code::MalformedToken),
        ("{\"a\":1}", Code::UnsupportedSerialization),
        (&*long, Code::Oversized),
        ("e30.e30", Code::MalformedToken),
        (&format!("{header}.a~"), Code::MalformedToken),
        (&format!("{header}.a~.AA"), Code::MalformedToken),
        ("e30.AA.e30.e30.AA", Code::EncryptedNotSupported),
        ("e30.e30.AA", Code::TypMismatch),
    ] {
        assert_eq!(stand.code(text).unwrap_err().0, code, "{text}");
        assert!(stand.answer(GOOD).is_empty(), "{text}");
    }
    // A gate that asks nobody has not changed its mind.
    let error = super::verifier().gate("api").unwrap().verify(OPAQUE);
    assert_eq!(error.unwrap_err().code(), Code::MalformedToken);
}

#[test]
fn a_jwt_that_needs_no_answer_has_none_asked_for() {
    let stand = Stand::opaque();
    for _ in 0..2 {
        let verified = stand.verify(&jwt()).unwrap();
        assert_eq!(verified.verified_by(), VerifiedBy::Signature);
        assert_eq!(verified.introspected_at(), None);
    }
    assert_eq!(stand.verifier.cache_stats().hits, 1);
    assert!(stand.answer(GOOD).is_empty());
    // Nor has one of an issuer that is not asked, at a gate where another is.
    let stand = Stand::all();
    let other = token(&key(1, "k1"), "https://b.example", "read");
    assert_eq!(stand.code(&other), Ok(()));
    assert!(stand.answer(GOOD).is_empty());
}

#[test]
fn a_jwt_that_can_be_called_back_is_asked_about_once_all_else_holds() {
    let stand = Stand::all();
    let expired = super::token_with(
        &key(1, "k1"),
        "",
        &claims(AS, "read", "").replace("1800000300", "1799990300"),
    );
    assert_eq!(stand.code(&expired).unwrap_err().0, Code::Expired);
    let forged = token(&key(9, "k1"), AS, "read");
    assert_eq!(stand.code(&forged).unwrap_err().0, Code::BadSignature);
    assert!(stand.answer(GOOD).is_empty());
    let jwt = jwt();
    assert_eq!(stand.then(&jwt, r#"{"active":true}"#), Ok(()));
    let verified = stand.verify(&jwt).unwrap();
    assert_eq!(verified.verified_by(), VerifiedBy::Signature);
    assert_eq!(
        verified.introspected_at().map(NumericDate::seconds),
        Some(NOW)
    );
    assert!(
        stand.verifier.cache_stats().hits >= 2,
        "and remembered all the same"
    );
    stand.clock.set(NOW + 60);
    assert_eq!(stand.code(&jwt), Err((Code::IntrospectionPending, None)));
    stand.answer(r#"{"active":false}"#);
    assert_eq!(stand.code(&jwt), Err((Code::Inactive, Some("active"))));
    // Those that are no JWT are asked about too.
    assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
}

#[test]
fn an_answer_about_a_jwt_may_end_it_and_grants_nothing() {
    let jwt = jwt();
    let verdict =
        |members: &str| Stand::all().then(&jwt, &format!(r#"{{"active":true{members}}}"#));
    for members in [
        r#","iss":"https://as.example","sub":"u1","client_id":"c1","jti":"j1","aud":"mcp""#,
        r#","exp":1800000100,"nbf":1799999999,"scope":"read write""#,
        r#","username":"x","token_type":"anything""#,
    ] {
        assert_eq!(verdict(members), Ok(()), "{members}");
    }
    let unavailable = Code::IntrospectionUnavailable;
    for (members, code, about) in [
        (r#","iss":"https://b.example""#, unavailable, "iss"),
        (r#","sub":"u2""#, unavailable, "sub"),
        (r#","client_id":"c2""#, unavailable, "client_id"),
        (r#","jti":"j2""#, unavailable, "jti"),
        (r#","act":{"sub":"agent"}"#, unavailable, "act"),
        (r#","aud":"other""#, Code::AudMismatch, "aud"),
        // What is malformed in the answer is no fault of the token.
        (r#","aud":7"#, unavailable, "aud"),
        (r#","exp":"soon""#, unavailable, "exp"),
        (r#","scope":["read"]"#, unavailable, "scope"),
        (r#","exp":1799999000"#, Code::Expired, "exp"),
        (r#","nbf":1800000100"#, Code::NotYetValid, "nbf"),
        (r#","scope":"write""#, Code::InsufficientScope, "scope"),
        (r#","cnf":{"jkt":"x"}"#, Code::PopMismatch, "cnf"),
    ] {
        assert_eq!(verdict(members), Err((code, Some(about))), "{members}");
    }
    // Actors and details: as in the token, or less where the answer may say less.
    let table = r#""delegation":{"d":{"actor":"required","allow":[{"actor":{"iss":"https://as.example","sub":"agent"}}]}},"#;
    let more =
        r#""act":{"sub":"agent"},"authorization_details":[{"type":"t","actions":["read"]}],"#;
    let rich = super::token_with(&key(1, "k1"), "", &claims(AS, "read", more));
    let verdict = |members: &str| {
        let stand = Stand::with(table, r#""delegation":"d","#, "", r#","tokens":"all""#);
        stand.then(&rich, &format!(r#"{{"active":true{members}}}"#))
    };
    for members in [
        "",
        r#","act":{"sub":"agent"}"#,
        r#","act":{"sub":"other"},"chain_complete":false"#,
        r#","authorization_details":[{"type":"t","actions":["read","write"]}]"#,
    ] {
        assert_eq!(verdict(members), Ok(()), "{members}");
    }
    for (members, code, about) in [
        (r#","act":{"sub":"other"}"#, unavailable, "act"),
        (
            r#","act":{"sub":"other"},"chain_complete":true"#,
            unavailable,
            "act",
        ),
        (
            r#","authorization_details":[{"type":"t","actions":["list"]}]"#,
            Code::InsufficientScope,
            "authorization_details",
        ),
        (
            r#","authorization_details":[]"#,
            Code::InsufficientScope,
            "authorization_details",
        ),
    ] {
        assert_eq!(verdict(members), Err((code, Some(about))), "{members}");
    }
    let stand = Stand::all();
    let _ = stand.then(&jwt, r#"{"active":true,"sub":"u2"}"#);
    let hint = stand.gate.advice(&stand.verify(&jwt).unwrap_err()).hint;
    assert!(hint.contains("differs there from"), "{hint}");
}

#[test]
fn what_was_revoked_here_is_refused_whatever_was_answered() {
    let stand = Stand::with(r#""revocation":{"store":"process"},"#, "", "", "");
    assert_eq!(stand.then(OPAQUE, GOOD), Ok(()));
    let handle = Handle::subject(AS, "u1");
    let revocations = stand.verifier.revocations();
    revocations.revoke(&handle, Revocation::all()).unwrap();
    assert_eq!(stand.code(OPAQUE), Err((Code::Revoked, Some("sub"))));
    assert!(stand.answer(GOOD).is_empty(), "and nobody asks about it");
}

#[test]
fn a_batch_and_a_request_ask_too() {
    let stand = Stand::opaque();
    let batch = |stand: &Stand| {
        let tokens = [OPAQUE, "b".repeat(20).leak(), &jwt(), "a b"].map(str::to_owned);
        let batch = stand.gate.verify_batch(&tokens);
        let code = |at| batch.get(at).unwrap().code();
        (0..batch.len()).map(code).collect::<Vec<_>>()
    };
    let pending = "introspection_pending";
    assert_eq!(
        batch(&stand),
        [pending, pending, "accepted", "malformed_token"]
    );
    assert_eq!(stand.answer(GOOD).len(), 2);
    assert_eq!(
        batch(&stand),
        ["accepted", "accepted", "accepted", "malformed_token"]
    );
    let credentials = format!("Bearer {OPAQUE}");
    let request = Request::new("GET", "/").header("Authorization", &credentials);
    let verified = stand.gate.verify_request(&request, &Requirements::NONE);
    assert_eq!(verified.unwrap().subject(), Some("u1"));
    let sitting = stand.gate.sit();
    assert!(sitting.recall(OPAQUE, &Requirements::NONE).is_none());
    assert!(sitting.verify_unseen(OPAQUE, &Requirements::NONE).is_ok());
}

#[test]
fn explanations_and_traces_show_the_stage() {
    let stand = Stand::opaque();
    let ends = |stand: &Stand, token: &str| {
        let explanation = stand.gate.explain(token);
        let steps = explanation.steps.into_iter();
        steps
            .filter(|step| step.outcome != Outcome::NotReached)
            .map(|step| (step.stage, step.outcome, step.note))
            .collect::<Vec<_>>()
    };
    let steps = ends(&stand, OPAQUE);
    let (stage, outcome, note) = steps.last().unwrap();
    assert_eq!((*stage, *outcome), (Stage::Introspection, Outcome::Refused));
    assert_eq!(
        note,
        "the authorization server is being asked about the token"
    );
    stand.answer(GOOD);
    stand.clock.set(NOW + 3);
    let steps = ends(&stand, OPAQUE);
    let stages: Vec<_> = steps.iter().map(|(stage, ..)| stage.as_str()).collect();
    assert_eq!(
        stages,
        [
            "size",
            "shape",
            "claims",
            "time",
            "audience",
            "possession",
            "chain",
            "links",
            "intent",
            "revocation",
            "policy",
            "introspection"
        ]
    );
    assert_eq!(steps[1].2, "no JWT: its issuer is asked what it is");
    assert_eq!(
        steps.last().unwrap().2,
        "active, as its issuer said 3 s ago"
    );
    let steps = ends(&stand, &jwt());
    assert_eq!(steps.last().unwrap().2, "nobody is asked");
    let traced = stand.gate.trace(OPAQUE, &[], &Requirements::NONE);
    let last = traced.stages.last().unwrap();
    assert_eq!(
        (last.stage, last.outcome),
        (Stage::Introspection, Outcome::Passed)
    );
}

#[test]
fn int_05_and_06_an_issuer_that_signs_its_answers_signs_all_of_them() {
    let answer = signed_answer;
    let verdict = |body: &str, is_jwt| {
        let stand = Stand::with("", "", SIGNS, "");
        assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
        assert_eq!(stand.answer_as(body, is_jwt).len(), 1);
        (stand.code(OPAQUE), stand)
    };
    let (good, stand_of_it) = verdict(&answer(GOOD, "rs", NOW, 1), true);
    assert_eq!(good, Ok(()));
    let token = stand_of_it.verify(OPAQUE).unwrap();
    assert_eq!(
        token.payload(),
        GOOD.as_bytes(),
        "the members that tell of the token"
    );
    assert_eq!(verdict(&answer(GOOD, "mcp", NOW, 1), true).0, Ok(()));
    let inactive = answer(r#"{"active":false}"#, "rs", NOW, 1);
    let inactive = verdict(&inactive, true).0;
    assert_eq!(inactive, Err((Code::Inactive, Some("active"))));
    let unavailable = Err((Code::IntrospectionUnavailable, None));
    let other_kind = jwt();
    for (body, is_jwt) in [
        (GOOD, false),
        (&*answer(GOOD, "rs", NOW, 1), false),
        (&answer(GOOD, "another", NOW, 1), true),
        (&answer(GOOD, "rs", NOW - 120, 1), true),
        (&answer(GOOD, "rs", NOW, 2), true),
        (&answer("7", "rs", NOW, 1), true),
        (&other_kind, true),
        (GOOD, true),
    ] {
        let (code, stand) = verdict(body, is_jwt);
        assert_eq!(code, unavailable, "{body}");
        let hint = stand.gate.advice(&stand.verify(OPAQUE).unwrap_err()).hint;
        assert!(
            hint.starts_with("as could not be asked about the token: its answer")
                || hint.contains("it answers without"),
            "{hint}"
        );
    }
    // And one that does not sign them is not believed to.
    let stand = Stand::opaque();
    let _ = stand.code(OPAQUE);
    stand.answer_as(&answer(GOOD, "rs", NOW, 1), true);
    assert_eq!(stand.code(OPAQUE), unavailable);
}

#[test]
fn another_policy_asks_as_another() {
    let stand = Stand::opaque();
    assert_eq!(stand.then(OPAQUE, GOOD), Ok(()));
    let reload = |from: &str, to: &str| {
        let text = stand.verifier.policy().to_json().replace(from, to);
        let policy = Policy::parse_with(text, Format::Json, &LoadOptions::new()).unwrap();
        stand.verifier.reload(policy).unwrap();
    };
    reload("\"mcp\"", "[\"mcp\",\"x\"]");
    assert_eq!(
        stand.code(OPAQUE),
        Ok(()),
        "what was answered goes on to count"
    );
    reload("\"rs\"", "\"rs2\"");
    assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
    assert_eq!(stand.answer(GOOD), [OPAQUE.as_bytes()]);
    assert_eq!(stand.code(OPAQUE), Ok(()));
    // A shorter max_age is for answers that are here too, and costs none that is young.
    stand.clock.advance(Span::from_seconds(11));
    stand.reload_with("max_age", "30s".into());
    assert_eq!(stand.code(OPAQUE), Ok(()));
    stand.reload_with("max_age", "10s".into());
    assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
}

#[test]
fn an_answer_that_is_late_for_its_policy_is_none() {
    let stand = Stand::opaque();
    assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
    let engine = stand.verifier.engine();
    let late = engine.begin_asks(9).pop().unwrap();
    // The same client asks at the same address, which may lead elsewhere by now.
    stand.reload_with("allow_hosts", serde_json::json!(["as.example"]));
    assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
    let asked = Asked {
        endpoint: format!("{AS}/ask"),
        body: GOOD.into(),
        is_jwt: false,
    };
    engine.settle_ask(&late.question, Ok(asked));
    assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
    assert_eq!(
        stand.answer(GOOD),
        [OPAQUE.as_bytes()],
        "it is asked for anew"
    );
    assert_eq!(stand.code(OPAQUE), Ok(()));
}

#[test]
fn one_server_that_is_two_issuers_is_asked_for_each() {
    let issuer = |name: &str| {
        format!(
            r#"{{"issuer":"{name}","jwks_push":"process","algorithms":["Ed25519"],"introspection":{{
                "client_id":"rs","client_secret":{{"env":"PATH"}},"endpoint":"https://ask.example"}}}}"#
        )
    };
    let gate = |issuer: &str| {
        format!(r#"{{"profile":"access_token","audience":"mcp","issuers":["{issuer}"]}}"#)
    };
    let text = format!(
        r#"{{"version":1,"issuers":{{"a":{},"b":{}}},"gates":{{"a":{},"b":{}}}}}"#,
        issuer("https://a.example"),
        issuer("https://b.example"),
        gate("a"),
        gate("b")
    );
    let policy = Policy::parse_with(text, Format::Json, &LoadOptions::new()).unwrap();
    let clock = Clock::Fixed(Arc::new(FixedClock::new(NOW)));
    let open = |_: &_, _| unreachable!("no store is named");
    let verifier = Verifier::assemble(policy, aws_lc::provider(), clock, open).unwrap();
    let at = |gate: &str| verifier.gate(gate).unwrap().judge(OPAQUE).code();
    assert_eq!(
        (at("a"), at("b")),
        ("introspection_pending", "introspection_pending")
    );
    let engine = verifier.engine();
    let asked = engine.begin_asks(9);
    assert_eq!(asked.len(), 2, "one issuer's answer is none of the other's");
    let asked_of = |body: &str| Asked {
        endpoint: "https://ask.example".to_owned(),
        body: body.into(),
        is_jwt: false,
    };
    engine.settle_ask(&asked[0].question, Ok(asked_of(GOOD)));
    assert_eq!((at("a"), at("b")), ("accepted", "introspection_pending"));
    engine.settle_ask(&asked[1].question, Ok(asked_of(r#"{"active":false}"#)));
    assert_eq!((at("a"), at("b")), ("accepted", "inactive"));
}

#[test]
fn int_05_a_signed_answer_goes_with_the_keys_that_signed_it() {
    let stand = Stand::with("", "", SIGNS, "");
    assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
    stand.answer_as(&signed_answer(GOOD, "rs", NOW, 1), true);
    assert_eq!(stand.code(OPAQUE), Ok(()));
    stand
        .verifier
        .keys()
        .publish("as", &set(&[&key(2, "k2")]))
        .unwrap();
    assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
}

#[test]
fn what_was_being_asked_is_asked_again_by_whoever_comes_after() {
    let stand = Stand::opaque();
    assert_eq!(stand.code(OPAQUE), Err((Code::IntrospectionPending, None)));
    let engine = stand.verifier.engine();
    assert_eq!(engine.begin_asks(9).len(), 1);
    assert!(engine.begin_asks(9).is_empty());
    engine.begin_asks_anew();
    assert_eq!(stand.answer(GOOD), [OPAQUE.as_bytes()]);
    assert_eq!(stand.code(OPAQUE), Ok(()));
}

#[test]
fn where_too_many_wait_nobody_does() {
    let stand = Stand::opaque();
    for number in 0..300 {
        let error = stand.verify(&format!("made-up-{number}")).unwrap_err();
        assert_eq!(error.code(), Code::IntrospectionPending);
        let waits = stand
            .gate
            .may_settle(&error, std::time::Duration::from_secs(2));
        assert_eq!(waits, number < 256, "{number}");
        assert_eq!(error.claim(), (number >= 256).then_some("waiting"));
        let hint = stand.gate.advice(&error).hint;
        assert_eq!(
            hint.starts_with("So many tokens wait"),
            number >= 256,
            "{hint}"
        );
    }
    let stats = stand.verifier.stats();
    assert_eq!(stats["introspection"]["as"]["waiting"], 256);
    assert_eq!(stats["introspection"].get("b"), None, "nobody asks it");
}

#[test]
fn the_text_of_an_opaque_token_is_kept_by_nobody() {
    let stand = Stand::opaque();
    assert_eq!(stand.then(OPAQUE, GOOD), Ok(()));
    let token = stand.verify(OPAQUE).unwrap();
    let encoded = base64url::encode(OPAQUE.as_bytes());
    for text in [
        format!("{token:?}"),
        token.to_json(),
        stand.gate.audit_record(&token),
    ] {
        assert!(!text.contains(OPAQUE) && !text.contains(&encoded), "{text}");
    }
}

//! Gates with a delegation table: the caller, the cache, and what is said of a refusal.

use super::{A, NOW, claims, key, policy, set, token_with};
use crate::crypto::aws_lc;
use crate::error::Code;
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::Clock;
use crate::verifier::{Gate, Requirements, Stage, VerifiedToken, Verifier};

const AGENT: &str = "spiffe://td.example/agent-a";
const TRUST_DOMAIN: &str = "spiffe://td.example";

/// The usual policy with a table `agents` of these members, which its gate names.
fn document(table: &str) -> Policy {
    let document = policy("mcp").canonical_json();
    let document = document
        .replacen(
            "\"issuers\":[",
            "\"delegation\":\"agents\",\"issuers\":[",
            1,
        )
        .replacen(
            '{',
            &format!("{{\"delegation\":{{\"agents\":{{{table}}}}},"),
            1,
        );
    Policy::parse_with(document, Format::Json, &LoadOptions::new()).unwrap()
}

fn verifier(table: &str) -> Verifier {
    let policy = document(table);
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(NOW)).unwrap();
    verifier.keys().publish("a", &set(&[&key(1, "k")])).unwrap();
    verifier
}

fn gate(table: &str) -> Gate {
    verifier(table).gate("api").unwrap()
}

const ANYBODY: &str = r#""allow":[{"actor":{"iss":"https://a.example"}}]"#;

fn acting(act: &str) -> String {
    token_with(
        &key(1, "k"),
        "",
        &claims(A, "files.read", &format!("\"act\":{act},")),
    )
}

fn code(verdict: Result<VerifiedToken, crate::Error>) -> Option<Code> {
    verdict.err().map(|error| error.code())
}

#[test]
fn d17_the_caller_must_be_the_outermost_actor() {
    let gate = gate(ANYBODY);
    let token = acting(&format!(
        r#"{{"sub":"{AGENT}","act":{{"sub":"spiffe://td.example/agent-b"}}}}"#
    ));
    let named = acting(r#"{"sub":"agent-a"}"#);
    let plain = token_with(&key(1, "k"), "", &claims(A, "files.read", ""));
    let mismatch = Some(Code::ActorPresenterMismatch);
    for (token, iss, sub, verdict) in [
        (&token, TRUST_DOMAIN, AGENT, None),
        (
            &token,
            TRUST_DOMAIN,
            "spiffe://td.example/agent-b",
            mismatch,
        ),
        (
            &token,
            TRUST_DOMAIN,
            "spiffe://td.example/agent-a/",
            mismatch,
        ),
        // A name that says nothing of its issuer is one only together with it.
        (&named, A, "agent-a", None),
        (&named, TRUST_DOMAIN, "agent-a", mismatch),
        // A token that names nobody to be.
        (&plain, TRUST_DOMAIN, "spiffe://td.example/agent-b", None),
    ] {
        let caller = Requirements::NONE.with_presenter(iss, sub);
        // From scratch, from the cache, and asked of the token later: the answers are one.
        let first = code(gate.verify_with(token, &caller));
        assert_eq!(first, verdict, "{iss} {sub}");
        let held = gate.verify(token).unwrap();
        assert_eq!(code(gate.verify_with(token, &caller)), verdict);
        let now = crate::NumericDate::from_seconds(NOW).unwrap();
        let later = held.require(&caller, now).map(|()| held.clone());
        assert_eq!(code(later), verdict);
    }
}

#[test]
fn where_any_presenter_may_come_nobody_is_compared() {
    let other = Requirements::NONE.with_presenter(TRUST_DOMAIN, "spiffe://td.example/agent-b");
    let token = acting(&format!(r#"{{"sub":"{AGENT}"}}"#));
    let any = gate(&format!("{ANYBODY},\"presenter\":\"any\""));
    assert!(any.verify_with(&token, &other).is_ok());
    let strict = gate(ANYBODY);
    let error = strict.verify_with(&token, &other).unwrap_err();
    assert_eq!(error.code(), Code::ActorPresenterMismatch);
    let hint = strict.advice(&error).hint;
    assert!(
        hint.contains("delegation.agents.presenter = \"any\""),
        "{hint}"
    );
    assert_eq!(strict.answer(&error, &other).status, 403);
    assert_eq!(strict.answer(&error, &other).body, "");
}

#[test]
fn a_new_policy_judges_a_remembered_chain_anew() {
    let verifier = verifier(ANYBODY);
    let gate = verifier.gate("api").unwrap();
    let token = acting(r#"{"sub":"agent-a"}"#);
    assert!(gate.verify(&token).is_ok() && gate.verify(&token).is_ok());
    assert_eq!(verifier.cache_stats().hits, 1);
    let deny = r#""deny":[{"actor":{"sub":"agent-a"}}]"#;
    verifier
        .reload(document(&format!("{ANYBODY},{deny}")))
        .unwrap();
    assert_eq!(code(gate.verify(&token)), Some(Code::ActorNotAllowed));
}

#[test]
fn the_cap_on_delegated_tokens_is_kept_from_the_cache_too() {
    let gate = gate(&format!("{ANYBODY},\"max_lifetime\":\"4m\""));
    let error = gate.verify(acting(r#"{"sub":"agent-a"}"#)).unwrap_err();
    assert_eq!(
        (error.code(), error.claim()),
        (Code::LifetimeTooLong, Some("exp"))
    );
    assert!(
        gate.verify(token_with(&key(1, "k"), "", &claims(A, "", "")))
            .is_ok()
    );
    let told = gate.explain(acting(r#"{"sub":"agent-a"}"#));
    let step = told
        .steps
        .iter()
        .find(|step| step.stage == Stage::Time)
        .unwrap();
    assert_eq!(step.note, "lives 5 min (exp - iat), at most 4 min");
    assert!(
        told.advice
            .unwrap()
            .hint
            .contains("delegation.agents.max_lifetime")
    );
}

#[test]
fn explain_tells_what_the_table_made_of_the_chain() {
    let gate = gate(&format!("{ANYBODY},\"actor\":\"required\",\"max_depth\":1"));
    let note = |token: &str, requirements: &Requirements| {
        let told = gate.explain_with(token, requirements);
        let step = told
            .steps
            .iter()
            .find(|step| step.stage == Stage::Chain)
            .unwrap();
        step.note.clone()
    };
    let none = &Requirements::NONE;
    let token = acting(&format!(r#"{{"sub":"{AGENT}"}}"#));
    assert_eq!(
        note(&token, none),
        "1 actor, asserted by the issuer; delegation.agents lets the outermost act, whoever the \
         caller is"
    );
    let itself = Requirements::NONE.with_presenter(TRUST_DOMAIN, AGENT);
    assert!(note(&token, &itself).ends_with("and it is the caller (CD-02)"));
    let other = Requirements::NONE.with_presenter(TRUST_DOMAIN, "x");
    assert_eq!(
        note(&token, &other),
        format!(
            "the caller is \"x\" of \"{TRUST_DOMAIN}\", the outermost actor \"{AGENT}\" of absent"
        )
    );
    let plain = token_with(&key(1, "k"), "", &claims(A, "", ""));
    assert_eq!(
        note(&plain, none),
        "no act, and delegation.agents.actor is \"required\""
    );
    let deep = acting(r#"{"sub":"a","act":{"sub":"b"}}"#);
    assert_eq!(note(&deep, none), "act has 2 actors, at most 1");
    let foreign = acting(r#"{"iss":"https://b.example","sub":"a"}"#);
    assert_eq!(
        note(&foreign, none),
        "act names \"a\" ← \"u1\"; delegation.agents: allow[0] by actor.iss"
    );
}

#[test]
fn explain_names_the_member_that_keeps_each_rule_from_fitting() {
    let said = |rules: &str, act: &str| {
        let told = gate(rules).explain(acting(act));
        let mut steps = told.steps.into_iter();
        let note = steps.find(|step| step.stage == Stage::Chain).unwrap().note;
        note.split_once("delegation.agents: ").unwrap().1.to_owned()
    };
    let actor = r#""actor":{"iss":"https://a.example","sub":"a"}"#;
    let rules = format!(
        r#""allow":[{{"actor":{{"iss":"https://a.example","sub":"b"}}}},{{{actor},"explicit_iss":true}},
            {{{actor},"subject":{{"iss":"https://b.example"}}}},{{{actor},"audience":"other"}},
            {{{actor},"scopes_within":["x"]}},
            {{"actor":{{"iss":"https://a.example","sub_profile":"ai_agent"}}}}]"#
    );
    assert_eq!(
        said(&rules, r#"{"sub":"a"}"#),
        "allow[0] by actor.sub, allow[1] by explicit_iss, allow[2] by subject, allow[3] by audience, \
         allow[4] by scopes_within, allow[5] by actor.sub_profile"
    );
    let deny = format!(r#"{ANYBODY},"deny":[{{"actor":{{"sub":"x"}}}},{{"actor":{{"sub":"b"}}}}]"#);
    assert_eq!(
        said(&deny, r#"{"sub":"a","act":{"sub":"b"}}"#),
        "deny[1] fits"
    );
    assert_eq!(
        said("\"actor\":\"optional\"", r#"{"sub":"a"}"#),
        "no allow rule"
    );
}

#[test]
fn an_inverted_act_is_read_the_other_way_round_and_says_so() {
    let document = document(ANYBODY).canonical_json().replacen(
        "\"algorithms\":",
        "\"act_meaning\":\"inverted\",\"algorithms\":",
        1,
    );
    let policy = Policy::parse_with(document, Format::Json, &LoadOptions::new()).unwrap();
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(NOW)).unwrap();
    verifier.keys().publish("a", &set(&[&key(1, "k")])).unwrap();
    let gate = verifier.gate("api").unwrap();
    let token = gate.verify(acting(r#"{"sub":"boss"}"#)).unwrap();
    assert!(token.dialect_mapped() && token.delegated());
    assert_eq!(token.subject(), Some("boss"));
    let actor = token.actor().unwrap();
    assert_eq!(
        (actor.iss(), actor.sub(), actor.iss_inferred()),
        (A, "u1", false)
    );
    let plain = gate
        .verify(token_with(&key(1, "k"), "", &claims(A, "", "")))
        .unwrap();
    assert!(!plain.dialect_mapped());
    assert_eq!(plain.subject(), Some("u1"));
}

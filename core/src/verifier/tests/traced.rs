//! A verdict with its stages, for machines.

use serde_json::{Value, json};

use super::requests::{DPOP, bound, gate, proof};
use crate::error::Code;
use crate::verifier::{Outcome, Request, Requirements, Stage, Traced, Verdict};

fn read(traced: &Traced) -> Value {
    serde_json::from_str(&traced.to_json()).unwrap()
}

fn outcomes(traced: &Traced) -> Vec<(&'static str, &'static str)> {
    let marks = traced.stages.iter();
    marks
        .map(|mark| (mark.stage.name(), mark.outcome.as_str()))
        .collect()
}

#[test]
fn a_request_is_followed_to_its_verdict_and_its_proof_is_used_up() {
    let (gate, _) = gate(DPOP);
    let token = bound();
    let (authorization, proof) = (format!("DPoP {token}"), proof(&token, "1"));
    let fields = [("Authorization", &authorization), ("DPoP", &proof)];
    let request = Request::new("POST", "/mcp").headers(fields);
    let first = gate.trace_request(&request, &Requirements::NONE);
    assert!(matches!(first.verdict, Verdict::Accepted(_)));
    assert_eq!(first.stages.len(), Stage::ALL.len());
    assert!(
        first
            .stages
            .iter()
            .all(|mark| mark.outcome == Outcome::Passed)
    );
    let told = read(&first);
    assert_eq!(told["verdict"], "accepted");
    assert_eq!(told["sender_constrained"], "dpop");
    assert_eq!(told["lineage"], "none");
    assert_eq!(
        told["stages"][6],
        json!({ "stage": "issuer_and_key", "rules": "KEY-01, JWT-02", "outcome": "passed" })
    );
    let second = gate.trace_request(&request, &Requirements::NONE);
    assert_eq!(second.verdict.code(), Code::Replayed.as_str());
    assert_eq!(outcomes(&second).last(), Some(&("replay", "refused")));
    for value in ["u1", "\"s\"", "https://a.example", &*token, &*proof] {
        assert!(!first.to_json().contains(value), "{value}");
        assert!(!second.to_json().contains(value), "{value}");
    }
}

#[test]
fn a_refusal_has_the_stage_that_refused_and_those_that_were_not_reached() {
    let (gate, _) = gate(DPOP);
    let traced = gate.trace(bound(), &[], &Requirements::NONE);
    let told = read(&traced);
    assert_eq!(told["verdict"], "refused");
    assert_eq!(told["code"], "pop_required");
    assert_eq!(told["claim"], "dpop");
    let outcomes = outcomes(&traced);
    assert_eq!(outcomes.first(), Some(&("size", "passed")));
    assert_eq!(outcomes.last(), Some(&("introspection", "not_reached")));
    let refused = outcomes.iter().filter(|(_, how)| *how == "refused");
    assert_eq!(refused.collect::<Vec<_>>(), [&("possession", "refused")]);
    let misused = Requirements::scopes(["a b"]);
    let misused = gate.trace(bound(), &[], &misused);
    assert_eq!(read(&misused)["verdict"], "undecided");
    assert!(
        misused
            .stages
            .iter()
            .all(|mark| mark.outcome == Outcome::NotReached)
    );
}

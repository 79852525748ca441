//! Where a gate's tokens name their task, and whose transactions an issuer's are.

use super::super::{IntentPointer, Policy, TaskKind};
use super::refusals::{gate, issuer, loads, refuses};
use super::{MINIMAL, load};

fn pointers(policy: &Policy) -> Vec<(TaskKind, String)> {
    let pointers = policy.rules().gates[0].intent.pointers.iter();
    let shown = |pointer: &IntentPointer| (pointer.kind, pointer.to_string());
    pointers.map(shown).collect()
}

#[test]
fn the_usual_places_are_looked_at_unless_others_are_named() {
    let policy = load(MINIMAL).unwrap();
    let usual = [
        (TaskKind::Mission, "/mission/id"),
        (TaskKind::Mission, "/mission_id"),
        (TaskKind::Intent, "/intent/id"),
        (TaskKind::Intent, "/intent_id"),
        (TaskKind::Intent, "/tctx/intent_id"),
        (TaskKind::Workflow, "/acti"),
    ];
    let usual = usual.map(|(kind, text)| (kind, text.to_owned()));
    assert_eq!(pointers(&policy), usual);
    assert!(!policy.rules().gates[0].intent.required);

    let own =
        gate("require_intent = true\nintent_pointers = { intent = [\"/task/id\"], acti = [] }");
    loads(&own, &[]);
    let policy = load(&own).unwrap();
    let [mission, bare, task] = <[_; 3]>::try_from(pointers(&policy)).unwrap();
    assert_eq!([mission, bare], [usual[0].clone(), usual[1].clone()]);
    assert_eq!(task, (TaskKind::Intent, "/task/id".to_owned()));
    assert!(policy.rules().gates[0].intent.required);
}

#[test]
fn pointers_that_point_nowhere() {
    refuses(
        &gate("intent_pointers = { intent = [\"intent_id\"], task = [] }"),
        &[
            "11:31 gates.tools.intent_pointers.intent[0]: \"intent_id\" is no JSON pointer to a \
             member. Write one like \"/intent/id\" (RFC 6901)",
            "11:45 gates.tools.intent_pointers.task: unknown member",
        ],
    );
    refuses(
        &gate("require_intent = true\nintent_pointers = { mission = [], intent = [], acti = [] }"),
        &[
            "12:19 gates.tools.intent_pointers: require_intent is true, and no token could name a \
           task anywhere",
        ],
    );
}

#[test]
fn a_namespace_of_transactions() {
    let policy = load(&issuer("txn_namespace = \"td.example\"")).unwrap();
    let namespace = policy.rules().issuers[0].txn_namespace.as_deref();
    assert_eq!(namespace, Some("td.example"));
    refuses(
        &issuer("txn_namespace = \" x\""),
        &["7:17 issuers.corp.txn_namespace: \" x\" begins or ends with a space"],
    );
}

//! Every gate of many policies: each code has its request or its reason, and no request of a
//! pool that knows nothing of the recipes meets a code that is said to be out of reach.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::draft::{Carrying, Draft, Presentation};
use super::forge::Forge;
use super::{FakeIssuer, FakeOptions, NoRefusals, Refusal, Route};
use crate::error::Code;
use crate::jwk::JwkSet;
use crate::policy::Profile;
use crate::time::{Clock, FixedClock, Span};

mod fakes;
mod worlds;

use worlds::{
    Answers, codes, context, delegation, document, documents, found, issuers, merge, open, open_at,
    others, possession,
};

const NOW: i64 = 1_800_000_000;

/// Gates that no token opens, and what each is refused with.
fn unopened(name: &str) -> Option<Code> {
    let is = |part: &str| name.split(", ").any(|own| own == part);
    if !is("a strict table") {
        return None;
    }
    if is("client_assertion") || is("client_attestation") || is("agent_card") {
        return Some(Code::ActorMissing); // and none may be named
    }
    if is("set") || is("introspection_response") {
        return Some(Code::ActorNotAllowed); // a rule asks for a subject
    }
    is("a known caller").then_some(Code::ActorPresenterMismatch) // the actor is no workload
}

/// Whether each code has its request or its reason; false for a gate that no token opens.
fn check(name: &str, document: &Value) -> bool {
    let (verifier, fakes) = open(document);
    let gate = verifier.gate("g").unwrap();
    let found = match (found(&gate, &fakes), unopened(name)) {
        (Ok(found), None) => found,
        (Err(NoRefusals::Unopened(code)), Some(known)) => {
            assert_eq!(code, known, "{name}");
            return false;
        }
        (Ok(_), Some(code)) => panic!("{name}: opened in spite of {code:?}"),
        (Err(error), _) => panic!("{name}: {error}"),
    };
    let mut codes: Vec<Code> = found.iter().map(Refusal::code).collect();
    codes.extend(found.unreachable().map(|(code, _)| code));
    codes.sort();
    assert_eq!(codes, Code::ALL, "{name}");
    assert!(
        found.unreachable().all(|(_, why)| !why.is_empty()),
        "{name}"
    );
    true
}

#[test]
fn every_code_has_a_request_or_a_reason() {
    let mut checked = 0;
    let mut check = |documents: Vec<(String, Value)>| {
        for (name, document) in documents {
            checked += usize::from(check(&name, &document));
        }
    };
    for profile in Profile::ALL {
        check(documents(*profile, &[possession()]));
        check(documents(*profile, &[delegation()]));
        check(documents(*profile, &[issuers(*profile)]));
    }
    let access = Profile::AccessToken;
    check(documents(access, &[context(), delegation()]));
    check(documents(access, &[possession(), delegation()]));
    check(documents(access, &[issuers(access), delegation()]));
    let others = others()
        .into_iter()
        .map(|(name, document)| (name.to_owned(), document));
    check(others.collect());
    assert!(checked > 150, "{checked}");
}

/// What a gate of a plain policy gives for nothing but its kind: the codes of each group of kinds,
/// by hand.
#[test]
fn kinds_differ_in_what_they_give() {
    let of = |profile: Profile| {
        codes(&document(
            profile,
            json!({ "delegation": "surface" }),
            json!({}),
        ))
    };
    let all = of(Profile::AccessToken);
    let without = |profile: Profile, lacks: &[&str], has: &[&str]| {
        let mut expected: Vec<&str> = all
            .iter()
            .copied()
            .filter(|code| !lacks.contains(code))
            .collect();
        expected.extend(has);
        expected.sort_by_key(|name| Code::from_name(name));
        assert_eq!(of(profile), expected, "{}", profile.as_str());
    };
    // Tokens that come in no field: whoever takes them reads them from elsewhere.
    let fields = [
        "no_token",
        "multiple_credentials",
        "token_in_query",
        "malformed_request",
        "pop_mismatch",
    ];
    let chain = ["actor_malformed", "chain_too_deep", "chain_loop"];
    let but = |more: &[&'static str]| [&fields[..], more].concat();
    without(Profile::AccessTokenUntyped, &[], &[]);
    without(Profile::IdToken, &[], &[]);
    without(Profile::JwtSvid, &["forbidden_claim"], &[]);
    without(
        Profile::JwtCustom,
        &["forbidden_claim", "wrong_token_kind", "lifetime_too_long"],
        &[],
    );
    without(Profile::LogoutToken, &but(&[]), &["too_old"]);
    without(
        Profile::ClientAssertion,
        &but(&chain),
        &["too_old", "replayed"],
    );
    // In the content, which a request may lack; and in a query whatever comes is refused.
    let content = &["no_token", "token_in_query", "replayed"];
    for grant in [Profile::JwtBearerGrant, Profile::IdJag] {
        without(grant, &but(&["wrong_token_kind"]), content);
    }
    without(
        Profile::TxnToken,
        &["wrong_token_kind", "pop_mismatch"],
        &[],
    ); // in a field of their own
    without(
        Profile::ActorProof,
        &but(&["wrong_token_kind", "aud_mismatch"]),
        &["replayed"],
    );
    without(
        Profile::IntentToken,
        &but(&["wrong_token_kind", "forbidden_claim"]),
        &[],
    );
    let no_end = ["wrong_token_kind", "expired", "lifetime_too_long"];
    without(Profile::Set, &but(&no_end), &["too_old"]);
    let list = ["wrong_token_kind", "aud_mismatch", "lifetime_too_long"];
    without(Profile::StatusListToken, &but(&list), &[]);
    let answer = ["wrong_token_kind", "lifetime_too_long"];
    without(
        Profile::IntrospectionResponse,
        &but(&answer),
        &["too_old", "inactive"],
    );
    let card = [
        "wrong_token_kind",
        "iss_untrusted",
        "aud_mismatch",
        "expired",
        "not_yet_valid",
        "issued_in_future",
        "lifetime_too_long",
        "pop_required",
    ];
    without(Profile::AgentCard, &but(&[&card[..], &chain].concat()), &[]);
    // Nothing proves possession here, and the three ask for it: what comes after is not reached,
    // but what keys show of a chain of capabilities is judged before.
    let closed = [&chain[..], &["status_unavailable"]].concat();
    let unproven = ["wrong_token_kind", "aud_mismatch", "pop_mismatch"];
    without(Profile::Wit, &[&closed[..], &unproven].concat(), &[]);
    without(
        Profile::ClientAttestation,
        &[&closed[..], &unproven].concat(),
        &[],
    );
    let links = [
        "chain_link_broken",
        "attenuation_details",
        "attenuation_time",
        "attenuation_audience",
    ];
    without(
        Profile::Capability,
        &[
            "multiple_credentials",
            "malformed_request",
            "pop_mismatch",
            "actor_malformed",
            "status_unavailable",
        ],
        &links,
    );
}

/// What each answer of a policy adds to the codes of its gate, or takes away, by hand.
#[test]
fn policies_differ_in_what_they_give() {
    let url = json!({ "public_url": "https://rs.example" });
    let plain = codes(&document(Profile::AccessToken, url.clone(), json!({})));
    let differs = |gate: Value, more: Value, adds: &[&str], lacks: &[&str]| {
        let mut own = url.clone();
        merge(&mut own, gate);
        let document = document(Profile::AccessToken, own, more);
        let mut expected: Vec<&str> = plain
            .iter()
            .copied()
            .filter(|code| !lacks.contains(code))
            .collect();
        expected.extend(adds);
        expected.sort_by_key(|name| Code::from_name(name));
        assert_eq!(codes(&document), expected, "{document}");
    };
    let answers = |answers: Answers, name: &str| {
        let mut answers = answers.into_iter();
        let (_, gate, more) = answers.find(|(own, ..)| *own == name).unwrap();
        (gate, more)
    };
    let of_possession = |name: &str, adds: &[&str], lacks: &[&str]| {
        let (gate, more) = answers(possession(), name);
        differs(gate, more, adds, lacks);
    };
    of_possession("bearer", &[], &[]);
    of_possession("external", &[], &["pop_required", "pop_mismatch"]);
    of_possession("dpop", &["replayed", "pop_invalid"], &[]);
    of_possession("dpop required", &["replayed", "pop_invalid"], &[]);
    of_possession("nonce", &["replayed", "pop_invalid", "nonce_required"], &[]);
    of_possession(
        "nonce required",
        &["replayed", "pop_invalid", "nonce_required"],
        &[],
    );
    of_possession("store elsewhere", &["pop_invalid"], &[]);
    of_possession("certificates", &[], &[]);

    let of_delegation = |name: &str, adds: &[&str], lacks: &[&str]| {
        let (gate, more) = answers(delegation(), name);
        differs(gate, more, adds, lacks);
    };
    of_delegation("forbid", &[], &[]);
    of_delegation("surface", &[], &["actor_not_allowed"]);
    of_delegation(
        "a strict table",
        &["actor_missing", "chain_incomplete"],
        &[],
    );
    of_delegation("an open table", &[], &[]);

    let of_issuers = |name: &str, adds: &[&str], lacks: &[&str]| {
        let (gate, more) = answers(issuers(Profile::AccessToken), name);
        differs(gate, more, adds, lacks);
    };
    of_issuers("several", &["keys_unavailable"], &["alg_key_mismatch"]);
    of_issuers(
        "rfc",
        &[],
        &[
            "lifetime_too_long",
            "actor_not_allowed",
            "status_unavailable",
        ],
    );
    of_issuers("inverted", &[], &["chain_too_deep", "chain_loop"]);

    let edge = [
        "chain_link_broken",
        "attenuation_details",
        "attenuation_time",
        "attenuation_audience",
        "intent_mismatch",
    ];
    let exchanged = [
        "subject_changed",
        "attenuation_scope",
        "txn_mismatch",
        "may_act_mismatch",
    ];
    let of_context = |name: &str, adds: &[&str], lacks: &[&str]| {
        let (gate, more) = answers(context(), name);
        differs(gate, more, adds, lacks);
    };
    of_context("exchanged", &[&edge[..], &exchanged].concat(), &[]);
    of_context("granted", &edge, &[]);
    of_context("tasks", &["intent_mismatch"], &[]);
    of_context(
        "attested",
        &[&edge[..], &exchanged, &["actor_missing"]].concat(),
        &[],
    );
    of_context("a caller", &["replayed", "pop_invalid"], &[]);

    differs(json!({ "max_age": "5m" }), json!({}), &["too_old"], &[]);
    let store = json!({ "revocation": { "store": "process" } });
    differs(json!({}), store, &["revoked"], &[]);
    differs(
        json!({ "required_scopes": ["s"] }),
        json!({}),
        &["insufficient_scope"],
        &[],
    );
    let strong = json!({ "acr_values": ["mfa"] });
    differs(
        strong,
        json!({}),
        &["insufficient_user_authentication"],
        &[],
    );
    let one = json!({ "issuers": { "a": { "algorithms": ["ES256"] } } });
    differs(json!({}), one, &[], &["alg_key_mismatch"]);
    // The caller must be the actor, where a table lets somebody act and the caller is known.
    let (mut gate, mut more) = answers(context(), "a caller");
    let (own_gate, own_more) = answers(delegation(), "an open table");
    merge(&mut gate, own_gate);
    merge(&mut more, own_more);
    differs(
        gate,
        more,
        &["replayed", "pop_invalid", "actor_presenter_mismatch"],
        &[],
    );
}

/// Changes that know nothing of codes: every claim away, every claim of many kinds, other headers,
/// other ways to come.
fn pool(good: &Draft, changes: &mut dyn FnMut(Draft)) {
    let values = [
        json!(null),
        json!("x"),
        json!(NOW - 40),
        json!(NOW + 4000),
        json!([]),
        json!({}),
    ];
    let link = json!({ "iss": "https://a.example", "sub": "x" });
    let nested = json!({ "iss": "https://a.example", "sub": "y", "act": link });
    let twice = json!({ "iss": "https://a.example", "sub": "x", "act": link });
    let cnf = json!({ "jkt": "0".repeat(43) });
    let mut changed = |change: &dyn Fn(&mut Draft)| {
        let mut draft = good.clone();
        change(&mut draft);
        changes(draft);
    };
    changed(&|_| ());
    let own = good.token.claims.keys().map(String::as_str);
    for name in own.chain([
        "nbf", "act", "cnf", "status", "txn", "acr", "scope", "may_act",
    ]) {
        changed(&|draft| drop(draft.token.claims.remove(name)));
        let values = values.iter().chain([&link, &nested, &twice, &cnf]);
        for value in values.filter(|_| {
            matches!(
                name,
                "iss" | "aud" | "iat" | "exp" | "nbf" | "act" | "cnf" | "sub" | "status"
            )
        }) {
            changed(&|draft| drop(draft.token.claims.insert(name.to_owned(), value.clone())));
            if good.parent.is_some() {
                changed(&|draft| {
                    let parent = draft.parent.as_mut();
                    drop(parent.map(|parent| parent.claims.insert(name.to_owned(), value.clone())));
                });
            }
        }
    }
    for (name, value) in [
        ("alg", "ES384"),
        ("kid", "x"),
        ("typ", "JWT"),
        ("alg", "HS256"),
    ] {
        changed(&|draft| drop(draft.token.header.remove(name)));
        changed(&|draft| drop(draft.token.header.insert(name.to_owned(), value.into())));
    }
    for presentation in [
        Presentation::Absent,
        Presentation::Bare,
        Presentation::Twice,
    ] {
        changed(&|draft| draft.presentation = presentation);
    }
    changed(&|draft| draft.parent = None);
    changed(&|draft| draft.parent = Some(draft.token.clone()));
    changed(&|draft| draft.caller = None);
    changed(&|draft| draft.carrying = Carrying::Dpop(None));
    changed(&|draft| {
        if let Carrying::Dpop(Some(proof))
        | Carrying::Field {
            made: Some(proof), ..
        } = &mut draft.carrying
        {
            proof.nonce = None;
            proof.now -= 1000;
        }
    });
}

#[test]
fn what_is_said_to_be_out_of_reach_is() {
    let questions = |name: &str, answers: Answers| {
        let mut answers = answers.into_iter();
        vec![answers.find(|(own, ..)| *own == name).unwrap()]
    };
    let mut gates: Vec<(String, Value)> = Vec::new();
    for profile in Profile::ALL {
        gates.extend(documents(*profile, &[questions("surface", delegation())]));
    }
    let access = Profile::AccessToken;
    for name in ["external", "nonce", "store elsewhere", "certificates"] {
        gates.extend(documents(access, &[questions(name, possession())]));
    }
    for name in ["exchanged", "granted", "tasks", "a caller"] {
        gates.extend(documents(access, &[questions(name, context())]));
    }
    for name in ["rfc", "several", "inverted"] {
        gates.extend(documents(access, &[questions(name, issuers(access))]));
    }
    let others = others()
        .into_iter()
        .map(|(name, document)| (name.to_owned(), document));
    gates.extend(others);
    assert!(gates.len() > Profile::ALL.len() + 20);
    let mut met = BTreeSet::new();
    for (name, document) in gates {
        let (verifier, fakes) = open(&document);
        let gate = verifier.gate("g").unwrap();
        let known: Vec<Code> = found(&gate, &fakes)
            .unwrap()
            .iter()
            .map(Refusal::code)
            .collect();
        let setting = gate.setting().unwrap();
        let route = Route::default();
        let forge = Forge::new(&gate, &setting, &fakes, &route).unwrap();
        let good = forge.good().unwrap();
        let plain = good.plain.unwrap();
        let mut bound = plain.clone();
        forge.bind(&mut bound).unwrap();
        let bound = Some(bound).filter(|bound| bound.token.claims.contains_key("cnf"));
        let mut with_parent = plain.clone();
        with_parent.parent = forge.parent(&mut with_parent.token, good.entry).unwrap();
        let with_parent = Some(with_parent).filter(|draft| draft.parent.is_some());
        let drafts = [Some(plain), good.delegated, bound, with_parent];
        for draft in drafts.into_iter().flatten() {
            pool(&draft, &mut |draft| {
                let wire = draft.seal().unwrap();
                let proven = matches!(draft.carrying, Carrying::Dpop(_)) || draft.caller.is_some();
                for _ in 0..1 + usize::from(proven) {
                    if let Err(error) = wire.judge(&gate)
                        // A parent that the gate does not take is the test's own mistake.
                        && error.code() != Code::Usage
                    {
                        assert!(known.contains(&error.code()), "{name}: {error}\n{wire:?}");
                        met.insert(error.code());
                    }
                }
            });
        }
    }
    assert!(met.len() > 30, "{met:?}"); // the pool is worth something
}

/// Neither the time, nor other keys, nor the order, nor how often: each call is made when it is
/// asked for.
#[test]
fn calls_are_of_the_moment() {
    let (_, gate, more) = possession().swap_remove(4);
    let clock = Arc::new(FixedClock::new(NOW));
    let (verifier, fakes) = open_at(&document(Profile::AccessToken, gate, more), &clock);
    let found = found(&verifier.gate("g").unwrap(), &fakes).unwrap();
    assert!(found.iter().any(|one| one.code() == Code::NonceRequired));
    clock.advance(Span::from_seconds(86_400));
    let (name, fake) = &fakes[0];
    fake.rotate(Some(0)).unwrap();
    let set = JwkSet::parse(fake.jwks().as_bytes()).unwrap();
    verifier.keys().publish(name, &set).unwrap();
    let all: Vec<&Refusal> = found.iter().collect();
    for refusal in all.iter().rev().chain(&all).chain(&all) {
        let call = refusal.call().unwrap();
        assert_eq!(call.code(), refusal.code());
        assert_eq!(call.answer().status, refusal.http_status());
        if call.code() == Code::NonceRequired {
            assert!(
                call.answer()
                    .headers
                    .iter()
                    .any(|(name, _)| *name == "DPoP-Nonce")
            );
        }
    }
}

#[test]
fn without_a_fake_there_is_nothing() {
    let document = document(Profile::AccessToken, json!({}), json!({}));
    let (verifier, _) = open(&document);
    let gate = verifier.gate("g").unwrap();
    let refused = |fakes: &[(String, FakeIssuer)]| found(&gate, fakes).unwrap_err();
    assert_eq!(refused(&[]), NoRefusals::NoFake);
    let stranger = FakeIssuer::new("https://other.example", FakeOptions::new()).unwrap();
    assert_eq!(refused(&[("a".to_owned(), stranger)]), NoRefusals::NoFake);
    // Its keys were never published.
    let options = FakeOptions::new().seed(7).clock(Clock::fixed(NOW));
    let unknown = FakeIssuer::new("https://a.example", options).unwrap();
    let refused = refused(&[("a".to_owned(), unknown)]);
    assert_eq!(refused, NoRefusals::Unopened(Code::BadSignature));
    assert!(refused.to_string().contains("bad_signature"));
}

/// Tokens of kinds that have proofs and parents of their own, by hand.
#[test]
fn kinds_have_proofs_and_parents_of_their_own() {
    let has = |name: &str, expected: &[&str]| {
        let others = others();
        let (_, document) = others.iter().find(|(own, _)| *own == name).unwrap();
        let asked = [
            "replayed",
            "pop_required",
            "pop_mismatch",
            "pop_invalid",
            "chain_link_broken",
            "subject_changed",
            "attenuation_scope",
            "attenuation_details",
            "attenuation_time",
            "attenuation_audience",
            "intent_mismatch",
            "txn_mismatch",
            "may_act_mismatch",
            "operation_denied",
        ];
        let given: Vec<&str> = codes(document)
            .into_iter()
            .filter(|code| asked.contains(code))
            .collect();
        let mut expected = expected.to_vec();
        expected.sort_by_key(|name| Code::from_name(name));
        assert_eq!(given, expected, "{name}");
    };
    let proofs = ["replayed", "pop_required", "pop_mismatch", "pop_invalid"];
    let bearer = ["pop_required", "pop_mismatch"];
    let with = |own: &[&'static str], more: &[&'static str]| [own, more].concat();
    has("wit", &proofs);
    has("attestation", &proofs);
    let derived = [
        "chain_link_broken",
        "attenuation_details",
        "attenuation_time",
        "operation_denied",
    ];
    let derived = with(&derived, &["attenuation_audience"]);
    has("capability", &with(&proofs, &derived));
    has("external capability", &derived);
    let edge = [
        "chain_link_broken",
        "attenuation_details",
        "attenuation_time",
        "attenuation_audience",
    ];
    let mission = with(
        &bearer,
        &["subject_changed", "intent_mismatch", "txn_mismatch"],
    );
    has("mission", &with(&edge, &mission));
    has("beside a transaction", &with(&bearer, &["intent_mismatch"]));
    has(
        "aauth",
        &with(&edge, &with(&bearer, &["intent_mismatch", "txn_mismatch"])),
    );
    has(
        "transaction",
        &with(
            &edge,
            &["pop_required", "intent_mismatch", "may_act_mismatch"],
        ),
    );
    let replaced = [
        "pop_required",
        "subject_changed",
        "attenuation_scope",
        "intent_mismatch",
        "txn_mismatch",
    ];
    has("replaced", &with(&edge, &replaced));
    let tied = ["chain_link_broken", "intent_mismatch"]; // for one audience, and for no other
    has("correlated", &with(&tied, &bearer));
    has(
        "aimless",
        &["replayed", "attenuation_audience", "pop_required"],
    );
}

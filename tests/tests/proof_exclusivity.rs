//! The exclusivity of proofs (JWT-07, standards 29.3): no proof of one kind passes as one of
//! another, no token as a proof and no proof as a token.
//!
//! What is offered is signed by whoever must have signed the right thing, and has every claim that
//! the right thing has; the kind of each pair shows in its `typ` alone. Beside each refusal stands
//! the same under the right `typ`, which passes.

use sealgate::crypto;
use sealgate_tests::conformance::{Harness, answer};
use sealgate_tests::generate::{KINDS, Kind, Slot, canonical, slots};
use sealgate_tests::workshop::compact;
use serde_json::Value;

const OK: &str = "accepted";

fn code(answer: &Value) -> String {
    let code = answer["code"].as_str().unwrap_or(OK);
    assert!(!["harness", "usage"].contains(&code), "{answer}");
    code.to_owned()
}

/// The claims of something good, and as many of `more` as leave it good.
fn disguised(good: &Value, more: &Value, passes: impl Fn(&Value) -> bool) -> Value {
    assert!(passes(good), "{good}");
    let mut claims = good.clone();
    for (name, value) in more.as_object().unwrap() {
        if claims.get(name).is_none() {
            let mut trial = claims.clone();
            trial[name] = value.clone();
            if passes(&trial) {
                claims = trial;
            }
        }
    }
    claims
}

/// `more` of another kind under its `typ`, in the place of this proof.
fn offered(slot: &Slot, typ: Option<&str>, more: &Value) -> String {
    let passes = |claims: &Value| {
        let request = slot.request(Some(slot.typ), claims);
        code(&Harness::new(crypto::aws_lc::provider()).answer(&request)) == OK
    };
    let claims = disguised(&slot.claims, more, passes);
    assert_eq!(code(&answer(&slot.request(Some(slot.typ), &claims))), OK);
    code(&answer(&slot.request(typ, &claims)))
}

#[test]
fn no_proof_passes_as_a_proof_of_another_kind() {
    let slots = slots();
    let mut pairs = 0;
    for (a, b) in slots.iter().flat_map(|a| slots.iter().map(move |b| (a, b))) {
        if a.kind != b.kind {
            let given = offered(b, Some(a.typ), &a.claims);
            assert_eq!(given, b.code, "{} as {}", a.kind, b.kind);
            pairs += 1;
        }
    }
    assert_eq!(pairs, 5 * 4);
}

#[test]
fn no_token_passes_as_a_proof() {
    for slot in slots() {
        for kind in KINDS.iter().filter(|kind| kind.profile != slot.kind) {
            let given = offered(&slot, kind.typ, &kind.claims());
            assert_eq!(given, slot.code, "{} as {}", kind.profile, slot.kind);
        }
    }
}

#[test]
fn no_proof_passes_as_a_token() {
    for slot in slots() {
        for kind in KINDS.iter().filter(|kind| kind.profile != slot.kind) {
            let key = kind.key();
            let request = |typ: Option<&str>, claims: &Value| {
                let typ = typ.map_or_else(String::new, |typ| format!(",\"typ\":\"{typ}\""));
                let token = compact(key.header(&typ), canonical(claims), |input| key.sign(input));
                kind.request(&token)
            };
            let passes = |claims: &Value| code(&answer(&request(kind.typ, claims))) == OK;
            let claims = disguised(&kind.claims(), &slot.claims, passes);
            let given = code(&answer(&request(Some(slot.typ), &claims)));
            assert_eq!(given, "typ_mismatch", "{} as {}", slot.kind, kind.profile);
        }
    }
}

/// The list above is whole: every kind of proof that a verdict can name, and those of actors.
#[test]
fn every_kind_of_proof_is_here() {
    use sealgate::Possession;
    let known: Vec<&str> = slots().iter().map(|slot| slot.kind).collect();
    let shown = [
        (Possession::Dpop, "dpop_proof"),
        (Possession::Wpt, "wpt"),
        (Possession::ClientAttestationPop, "client_attestation_pop"),
        (Possession::CapabilityPop, "capability_pop"),
    ];
    assert!(
        shown.iter().all(|(_, kind)| known.contains(kind)),
        "{known:?}"
    );
    assert!(known.contains(&"actor_proof"));
    let named = Kind::named("actor_proof");
    assert_eq!(slots().last().unwrap().typ, named.typ.unwrap());
}

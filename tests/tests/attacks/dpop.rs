//! Attacks on proofs of possession: each is a choice of the project's own lines about requests,
//! with the line that each of them nearly is as its control.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use sealgate::{Blame, Error};
use sealgate_tests::conformance::Harness;
use sealgate_tests::generate;
use serde_json::Value;

use crate::stand::{Fixtures, providers};

/// Every line about requests by its id, with what each provider answers. Sessions need their order,
/// so all lines are answered.
fn lines() -> &'static BTreeMap<String, (Value, Vec<Value>)> {
    static LINES: OnceLock<BTreeMap<String, (Value, Vec<Value>)>> = OnceLock::new();
    LINES.get_or_init(|| {
        let path = generate::folder().join("possession.jsonl");
        let text = std::fs::read_to_string(path).unwrap();
        let mut harnesses = providers().map(Harness::new);
        let lines = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let answers = harnesses.iter_mut().map(|harness| harness.answer(&line));
            let answers = answers.collect();
            (line["id"].as_str().unwrap().to_owned(), (line, answers))
        });
        lines.collect()
    })
}

/// ES512 is the one algorithm of these lines that one provider lacks.
fn check(id: &str, ok: bool) {
    let (line, answers) = lines().get(id).unwrap_or_else(|| panic!("no line {id}"));
    for answer in answers.iter().filter(|_| !id.contains("ES512")) {
        assert_eq!(answer["ok"], ok, "{id} {answer}");
        assert!(
            ok || answer.get("payload").is_none(),
            "{id}: claims of a refusal"
        );
    }
    if let Some(near) = line["near"].as_str() {
        check(near, true);
    }
}

#[track_caller]
fn refused(ids: &[&str]) {
    ids.iter().for_each(|id| check(id, false));
}

#[track_caller]
fn accepted(ids: &[&str]) {
    ids.iter().for_each(|id| check(id, true));
}

pub(crate) fn dpop_01_typ_missing_or_wrong(_: &Fixtures) {
    refused(&[
        "header/typ-absent",
        "header/typ-jwt",
        "header/typ-of-an-access-token",
        "header/typ-cut",
        "header/typ-array",
    ]);
    accepted(&["header/typ-upper-case", "header/typ-prefixed"]);
}

pub(crate) fn dpop_02_alg_none_symmetric_or_not_allowed(_: &Fixtures) {
    refused(&[
        "proof/none",
        "proof/symmetric",
        "proof/alg-not-allowed",
        "header/alg-absent",
    ]);
}

pub(crate) fn dpop_03_jwk_that_is_no_public_key(_: &Fixtures) {
    refused(&[
        "header/jwk-absent",
        "header/jwk-text",
        "header/jwk-private",
        "header/jwk-by-kid",
        "proof/symmetric",
        "proof/signed-by-another",
        "proof/small-order-key",
        "proof/off-its-curve",
    ]);
}

pub(crate) fn dpop_05_missing_claims(_: &Fixtures) {
    for claim in ["jti", "htm", "htu", "iat", "ath"] {
        for how in ["no", "null", "empty"] {
            refused(&[&format!("claims/{how}-{claim}")]);
        }
    }
    refused(&["claims/jti-number", "claims/jti-array"]);
}

pub(crate) fn dpop_06_htm_mismatch(_: &Fixtures) {
    refused(&[
        "claims/htm-other",
        "claims/htm-lower-case",
        "claims/htm-with-space",
        "claims/htm-array",
        "claims/called-with-GET",
        "claims/called-with-post",
        "claims/called-with-PROPFIND",
    ]);
}

pub(crate) fn dpop_07_htu_mismatch_and_normalisation(_: &Fixtures) {
    let ids = lines().keys().filter(|id| id.starts_with("url/"));
    let (good, bad): (Vec<&String>, Vec<&String>) =
        ids.partition(|id| lines()[*id].0["expect"]["ok"] == true);
    assert!(good.len() >= 15 && bad.len() >= 24);
    good.iter().for_each(|id| check(id, true));
    bad.iter().for_each(|id| check(id, false));
}

pub(crate) fn dpop_08_ath_wrong(_: &Fixtures) {
    refused(&[
        "claims/ath-of-another-token",
        "claims/ath-hex",
        "claims/ath-padded",
        "claims/ath-sha512",
        "claims/ath-with-scheme",
    ]);
}

pub(crate) fn dpop_09_key_not_bound_to_the_token(_: &Fixtures) {
    refused(&[
        "proof/by-another-key",
        "fields/unbound-as-dpop",
        "cnf/jkt-number",
        "cnf/jkt-empty",
        "cnf/jkt-sha1",
        "cnf/certificate-beside",
    ]);
}

pub(crate) fn dpop_11_jti_replay(_: &Fixtures) {
    accepted(&[
        "used/first",
        "used/same-jti-of-another-key",
        "used/another-jti",
    ]);
    refused(&[
        "used/again",
        "used/signed-again-later",
        "used/at-another-url",
        "used/at-the-very-end",
        "used/after-the-end",
        "used/clock-set-back",
    ]);
}

pub(crate) fn dpop_12_iat_window(_: &Fixtures) {
    refused(&[
        "claims/iat-too-old",
        "claims/iat-too-new",
        "claims/iat-of-an-hour-ago",
        "claims/iat-of-tomorrow",
        "claims/iat-text",
        "claims/iat-negative",
        "claims/iat-1e400",
        "claims/iat-nan",
    ]);
    accepted(&[
        "claims/iat-oldest",
        "claims/iat-newest",
        "claims/iat-fraction",
        "claims/exp-and-nbf-mean-nothing",
    ]);
}

pub(crate) fn dpop_14_several_or_combined_fields(_: &Fixtures) {
    refused(&[
        "fields/two-proofs",
        "fields/one-proof-twice",
        "fields/two-in-one",
        "fields/space-within",
    ]);
    accepted(&["fields/space-around"]);
}

pub(crate) fn dpop_18_extra_members_are_ignored(_: &Fixtures) {
    accepted(&["header/unknown-members", "claims/unknown"]);
}

/// A refusal has a code and nothing of the token; a token before its proof, a signature before what
/// it signs.
pub(crate) fn bind_02_results_that_look_valid_on_failure(_: &Fixtures) {
    assert!(size_of::<Error>() <= 24, "room for no claims");
    for (id, (line, answers)) in lines() {
        let refused = line["expect"]["ok"] == false;
        for answer in answers.iter().filter(|_| refused) {
            let names: Vec<&String> = answer.as_object().unwrap().keys().collect();
            assert_eq!(names, ["blame", "code", "id", "ok"], "{id}");
            let blame = [Blame::Rejected, Blame::Misuse].map(Blame::as_str);
            assert!(blame.iter().any(|blame| answer["blame"] == *blame), "{id}");
        }
    }
    for answer in &lines()["gate/token-before-proof"].1 {
        assert_eq!(answer["code"], "expired");
    }
}

/// OpenID's intents for resource servers, each with the line that builds it.
pub(crate) const INTENTS: [(&str, &str); 36] = [
    (
        "DPoP header field name in all capitals (names are case-insensitive)",
        "fields/space-around",
    ),
    ("more than one DPoP header", "fields/two-proofs"),
    ("not a well-formed JWT", "fields/not-a-jwt"),
    ("typ missing", "header/typ-absent"),
    ("alg missing", "header/alg-absent"),
    ("jwk missing", "header/jwk-absent"),
    ("jti missing", "claims/no-jti"),
    ("htm missing", "claims/no-htm"),
    ("htu missing", "claims/no-htu"),
    ("iat missing", "claims/no-iat"),
    ("ath missing", "claims/no-ath"),
    ("typ invalid", "header/typ-jwt"),
    (
        "signed with RS256 (not allowed by the profile)",
        "proof/alg-not-allowed",
    ),
    ("alg none", "proof/none"),
    ("invalid signature", "proof/ES256-altered"),
    ("jwk contains a private key", "header/jwk-private"),
    ("htm incorrect", "claims/htm-other"),
    ("htu has query/fragment to be ignored", "url/query-ignored"),
    (
        "htu lacks the query/fragment of the request",
        "url/sent-with-query",
    ),
    ("htu is a different URL", "url/other-path"),
    (
        "iat one hour in the future (no nonce in use)",
        "claims/iat-of-tomorrow",
    ),
    (
        "iat one hour in the past (no nonce in use)",
        "claims/iat-of-an-hour-ago",
    ),
    ("first use of a jti", "used/first"),
    ("second use of the same jti", "used/again"),
    ("ath incorrect", "claims/ath-of-another-token"),
    (
        "signed with a different key than the token binding",
        "proof/by-another-key",
    ),
    (
        "unknown extra header and claim members",
        "header/unknown-members",
    ),
    ("htu scheme and host in different case", "url/case"),
    ("htu with the default port stated", "url/default-port"),
    ("no proof with a DPoP-bound token", "fields/no-proof"),
    (
        "no proof and scheme changed to Bearer",
        "fields/bound-as-bearer-alone",
    ),
    ("iat 10 seconds before now", "claims/iat-oldest"),
    ("iat 10 seconds after now", "claims/iat-newest"),
    (
        "nbf now and exp five minutes ahead in the proof",
        "claims/exp-and-nbf-mean-nothing",
    ),
    (
        "DPoP scheme name in another letter case",
        "fields/scheme-in-capitals",
    ),
    ("correct proof as final sanity check", "fields/good"),
];

/// Every intent has its line, and the line says what the intent does.
pub(crate) fn openid_intents(intents: &Value) {
    let intents = intents["dpop_resource_server"].as_array().unwrap();
    assert_eq!(intents.len(), INTENTS.len());
    for intent in intents {
        let case = intent["case"].as_str().unwrap();
        let line = INTENTS.iter().find(|(known, _)| *known == case);
        let (_, line) = line.unwrap_or_else(|| panic!("no line for {case:?}"));
        let reject = intent["expected"].as_str().unwrap().starts_with("reject");
        check(line, !reject);
    }
}

//! The policies of the grid: every kind of token, by the questions that a gate answers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::NOW;
use crate::crypto::aws_lc;
use crate::jwk::JwkSet;
use crate::policy::{Format, Kind, LoadOptions, Policy, PolicyError, Profile};
use crate::testing::{FakeIssuer, FakeOptions, NoRefusals, Refusals, Route, refusals};
use crate::time::{Clock, FixedClock};
use crate::verifier::{Gate, Verifier};

/// The `iss` of an issuer of this row.
pub(super) fn issuer_of(profile: Profile) -> &'static str {
    match profile {
        Profile::JwtSvid | Profile::Wit => "spiffe://td.example",
        Profile::ClientAssertion => "client-1",
        Profile::AgentCard => "weather-agent",
        _ => "https://a.example",
    }
}

/// A document with one issuer and one gate for this row, and these members more.
pub(super) fn document(profile: Profile, gate: Value, more: Value) -> Value {
    let mut document = json!({
        "version": 1,
        "cache": { "tokens": 0 },
        "issuers": { "a": { "issuer": issuer_of(profile), "algorithms": ["ES256", "ES384"],
                            "profiles": [profile.as_str()], "jwks_push": "process" } },
        "gates": { "g": { "profile": profile.kind().as_str(), "issuers": ["a"] } },
    });
    let names_nobody = [
        Profile::ClientAttestation,
        Profile::Wit,
        Profile::ActorProof,
        Profile::StatusListToken,
        Profile::AgentCard,
    ];
    if !names_nobody.contains(&profile) {
        document["gates"]["g"]["audience"] = "https://rs.example/mcp".into();
    }
    if profile == Profile::IntentToken {
        document["gates"]["g"]["typ"] = "intent+jwt".into();
    }
    let kind = profile.kind();
    if kind.row().used_once && !kind.tells_of_events() {
        document["replay"] = json!({ "store": "process" });
    }
    merge(&mut document["gates"]["g"], gate);
    merge(&mut document, more);
    document
}

pub(super) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

pub(super) fn policy(document: &Value) -> Result<Policy, PolicyError> {
    let options = LoadOptions::new().push_all_keys(true).allow_test_keys(true);
    Policy::parse_with(document.to_string(), Format::Json, &options)
}

/// A verifier, and fakes of all of its issuers but those that begin with `silent`.
pub(super) fn open(document: &Value) -> (Verifier, Vec<(String, FakeIssuer)>) {
    open_at(document, &Arc::new(FixedClock::new(NOW)))
}

pub(super) fn open_at(
    document: &Value,
    clock: &Arc<FixedClock>,
) -> (Verifier, Vec<(String, FakeIssuer)>) {
    let policy = policy(document).unwrap_or_else(|error| panic!("{error}\n{document:#}"));
    let clock = Clock::Fixed(Arc::clone(clock));
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), clock.clone()).unwrap();
    let mut fakes = Vec::new();
    for (name, issuer) in document["issuers"].as_object().unwrap() {
        if name.starts_with("silent") {
            continue;
        }
        let options = FakeOptions::new().clock(clock.clone());
        let fake = FakeIssuer::new(issuer["issuer"].as_str().unwrap(), options).unwrap();
        let set = JwkSet::parse(fake.jwks().as_bytes()).unwrap();
        verifier.keys().publish(name, &set).unwrap();
        fakes.push((name.clone(), fake));
    }
    (verifier, fakes)
}

pub(super) fn found(gate: &Gate, fakes: &[(String, FakeIssuer)]) -> Result<Refusals, NoRefusals> {
    let fakes = fakes
        .iter()
        .map(|(name, fake)| (name.as_str(), fake.clone()));
    let fakes: Vec<_> = fakes.collect();
    refusals(gate, &fakes, &Route::default())
}

/// The codes that a gate gives, by name, in the order of the table.
pub(super) fn codes(document: &Value) -> Vec<&'static str> {
    let (verifier, fakes) = open(document);
    let found = found(&verifier.gate("g").unwrap(), &fakes).unwrap();
    found.iter().map(|one| one.code().as_str()).collect()
}

pub(super) fn dpop() -> Value {
    json!({ "dpop": {}, "replay": { "store": "process" } })
}

/// A token of a table that asks for much, and for one that asks for little.
pub(super) fn tables() -> [Value; 2] {
    let actor = json!({ "iss": "https://a.example", "sub_prefix": "spiffe://td.example/agents/" });
    let strict = json!({
        "actor": "required", "max_depth": 2, "require_complete": true, "max_lifetime": "45s",
        "allow": [{ "actor": { "iss": "https://a.example", "sub": ["other"], "sub_profile": ["bot"] },
                    "subject": { "sub_profile": ["person"] }, "scopes_within": ["s1", "s2"] }],
    });
    let open =
        json!({ "loops": "deny_adjacent", "self_actor": "reject", "allow": [{ "actor": actor }] });
    [strict, open]
}

/// Members of gate `g` and of the document for each answer to one question.
pub(super) type Answers = Vec<(&'static str, Value, Value)>;

pub(super) fn with_table(name: &'static str, table: &Value) -> (&'static str, Value, Value) {
    let gate = json!({ "delegation": "t" });
    (name, gate, json!({ "delegation": { "t": table } }))
}

pub(super) fn possession() -> Answers {
    let url = json!({ "public_url": "https://rs.example" });
    let required = json!({ "public_url": "https://rs.example", "sender_constrained": "required" });
    let nonce = json!({ "dpop": { "nonce": "required", "nonce_secret": { "env": "PATH" } } });
    let mut with_nonce = dpop();
    merge(&mut with_nonce, nonce);
    let elsewhere = json!({ "dpop": {}, "replay": { "store": "external" } });
    let mtls = json!({ "mtls": { "source": "caller" }, "replay": { "store": "process" } });
    let external = json!({ "sender_constrained": "external" });
    vec![
        ("bearer", json!({}), json!({})),
        ("external", external, json!({})),
        ("dpop", url.clone(), dpop()),
        ("dpop required", required.clone(), dpop()),
        ("nonce", url.clone(), with_nonce.clone()),
        ("nonce required", required.clone(), with_nonce),
        ("store elsewhere", url, elsewhere),
        ("certificates", required, mtls),
    ]
}

pub(super) fn delegation() -> Answers {
    let [strict, open] = tables();
    let forbid = json!({ "delegation": "forbid" });
    let surface = json!({ "delegation": "surface" });
    vec![
        ("forbid", forbid, json!({})),
        ("surface", surface, json!({})),
        with_table("a strict table", &strict),
        with_table("an open table", &open),
    ]
}

pub(super) fn issuer(iss: &str, profiles: &[&str]) -> Value {
    json!({ "issuer": iss, "algorithms": ["ES256"], "profiles": profiles, "jwks_push": "process" })
}

pub(super) fn issuers(profile: Profile) -> Answers {
    let own = profile.as_str();
    let several = json!({ "issuers": ["silent", "b", "a"] });
    let silent = json!({ "issuers": {
        "silent": issuer(&format!("{}-2", issuer_of(profile)), &[own]),
        "b": issuer(&format!("{}-3", issuer_of(profile)), &[own]),
    } });
    let elsewhere = json!({ "issuers": { "a": {
        "claim_names": { "scope": "scp", "client_id": "azp" }, "act_iss": "require",
    } } });
    let inverted = json!({ "issuers": { "a": { "act_meaning": "inverted" } } });
    let rfc = json!({ "preset": "rfc", "leeway": "5s" });
    let mut answers = vec![("one", json!({}), json!({})), ("rfc", json!({}), rfc)];
    if profile != Profile::AgentCard {
        answers.push(("several", several, silent));
    }
    if profile.kind() == Kind::AccessToken {
        answers.push(("names elsewhere", json!({}), elsewhere));
        answers.push(("inverted", json!({}), inverted));
    }
    answers
}

pub(super) fn context() -> Answers {
    let grants = json!({ "issuers": { "idp": issuer("https://idp.example", &["id_jag"]) } });
    let access = json!({ "context": { "access_token": "allowed" } });
    let tasks =
        json!({ "require_intent": true, "intent_pointers": { "intent": ["/tctx/intent_id"] } });
    let attested = json!({ "delegation": { "t": {
        "min_lineage": "issuer_attested", "actor": "required",
        "allow": [{ "actor": { "iss": "https://a.example" } }],
    } } });
    let attested_gate = json!({ "delegation": "t", "context": { "access_token": "allowed" } });
    let td = json!({ "replay": { "store": "process" },
                     "issuers": { "td": issuer("spiffe://td.example", &["wit"]) } });
    let caller =
        |need: &str| json!({ "context": { "wit": need }, "public_url": "https://rs.example" });
    vec![
        ("alone", json!({}), json!({})),
        ("exchanged", access, json!({})),
        (
            "granted",
            json!({ "context": { "id_jag": "required" } }),
            grants,
        ),
        ("tasks", tasks, json!({})),
        ("attested", attested_gate, attested),
        ("a caller", caller("allowed"), td.clone()),
        ("a known caller", caller("required"), td),
    ]
}

/// Gates of kinds that prove possession in their own way, or come from tokens of other kinds.
pub(super) fn others() -> Vec<(&'static str, Value)> {
    let url = json!({ "public_url": "https://rs.example" });
    let replay = json!({ "replay": { "store": "process" } });
    let own = |profile| document(profile, url.clone(), replay.clone());
    let further = |profile: Profile, context: Value, iss: &str, kind: &str| {
        let more = json!({ "issuers": { "x": issuer(iss, &[kind]) } });
        document(profile, json!({ "context": context }), more)
    };
    let mission = json!({ "intent_token": { "need": "required", "typ": "intent+jwt" } });
    let both = json!({ "issuers": { "a": { "profiles": ["access_token", "intent_token"] } } });
    let beside = json!({ "txn_token": { "audience": "td.example" } });
    let external = json!({ "sender_constrained": "external" });
    let sub_agents =
        json!({ "context": { "jwt_custom": { "need": "required", "typ": "aa-agent+jwt" } } });
    let (access, txn) = (Profile::AccessToken, Profile::TxnToken);
    let allowed = json!({ "access_token": "allowed" });
    vec![
        ("wit", own(Profile::Wit)),
        ("attestation", own(Profile::ClientAttestation)),
        ("capability", own(Profile::Capability)),
        (
            "external capability",
            document(Profile::Capability, external, json!({})),
        ),
        (
            "mission",
            document(access, json!({ "context": mission }), both),
        ),
        (
            "beside a transaction",
            further(access, beside, "https://tts.example", "txn_token"),
        ),
        ("aauth", document(Profile::JwtCustom, sub_agents, json!({}))),
        (
            "transaction",
            further(txn, allowed.clone(), "https://as.example", "access_token"),
        ),
        (
            "replaced",
            document(
                txn,
                json!({ "context": { "txn_token": "required" } }),
                json!({}),
            ),
        ),
        (
            "correlated",
            further(
                Profile::IdToken,
                allowed.clone(),
                "https://as.example",
                "access_token",
            ),
        ),
        (
            "aimless",
            further(
                Profile::ActorProof,
                allowed,
                "https://as.example",
                "access_token",
            ),
        ),
    ]
}

/// Every document of the answers to these questions that the loader takes.
pub(super) fn documents(profile: Profile, questions: &[Answers]) -> Vec<(String, Value)> {
    let mut all = vec![(profile.as_str().to_owned(), json!({}), json!({}))];
    for answers in questions {
        let mut next = Vec::new();
        for (name, gate, more) in &all {
            for (answer, own_gate, own_more) in answers {
                let (mut gate, mut more) = (gate.clone(), more.clone());
                merge(&mut gate, own_gate.clone());
                merge(&mut more, own_more.clone());
                next.push((format!("{name}, {answer}"), gate, more));
            }
        }
        all = next;
    }
    let all = all
        .into_iter()
        .map(|(name, gate, more)| (name, document(profile, gate, more)));
    all.filter(|(_, document)| policy(document).is_ok())
        .collect()
}

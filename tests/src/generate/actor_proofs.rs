//! Proofs that the actors of a token signed themselves (Actor Proofs draft; standards 30.6 step 7).
//!
//! `agent-b` acts, and `agent-a` before it; each has a key of its own.

use serde_json::{Value, json};

use super::act::{AS, chain};
use super::chains::{OTHER, access, carrying, root, second, table};
use super::{File, Kind, Slot, T, canonical, header, token, with};
use crate::workshop::{Hash, Key, b64u};

const BROKEN: &str = "chain_link_broken";

pub(super) fn slot() -> Slot {
    let (kind, agent) = (Kind::named("actor_proof"), key("agent-b"));
    let typ = kind.typ.expect("a typ of its own");
    let header = json!({ "kid": agent.jwk["kid"] });
    let claims = claims("agent-b", json!({}));
    Slot::new(
        [kind.profile, typ, "typ_mismatch"],
        agent,
        header,
        claims,
        |proof| carrying_proofs(&[proof.to_owned()], json!({})),
    )
}

pub(super) fn lines() -> String {
    let mut file = File::default();
    chains(&mut file);
    single(&mut file);
    bindings(&mut file);
    needs(&mut file);
    file.lines
}

fn key(agent: &str) -> Key {
    Key::seeded("Ed25519", agent)
}

/// The claims of an agent's proof.
fn claims(agent: &str, more: Value) -> Value {
    let aud = access().claims()["aud"].clone();
    let own = json!({
        "iss": agent, "sub": "u1", "iat": T - 5, "exp": T + 300, "jti": agent,
        "act": { "iss": AS, "sub": agent }, "target": { "aud": aud },
    });
    with(&own, more)
}

fn sign(key: &Key, claims: &Value) -> String {
    token(
        key,
        &header(key, Kind::named("actor_proof").typ),
        &canonical(claims),
    )
}

fn proof(agent: &str, more: Value) -> String {
    sign(&key(agent), &claims(agent, more))
}

fn hash(proof: &str) -> String {
    b64u(Hash::Sha256.digest(proof.as_bytes()))
}

/// Good proofs of both agents, newest first.
fn both() -> Vec<String> {
    let older = proof("agent-a", json!({}));
    let newer = proof("agent-b", json!({ "prh": hash(&older) }));
    vec![newer, older]
}

/// A request with this token, at a gate that takes the proofs of both agents.
fn at_gate(leaf: &Value) -> Value {
    let policy = json!({
        "issuers": { "a": actor("agent-a"), "b": actor("agent-b") },
        "gates": { "g": { "context": { "access_token": "allowed", "actor_proof": "allowed" } } },
        "limits": { "max_string_size": "8KiB" },
    });
    with(
        &carrying(&access().token(leaf), &[]),
        json!({ "policy": policy }),
    )
}

fn actor(agent: &str) -> Value {
    json!({ "issuer": agent, "jwks": { "keys": [key(agent).jwk] }, "algorithms": ["Ed25519"],
            "profiles": ["actor_proof"], "actor_namespace": AS })
}

fn carrying_proofs(proofs: &[String], more: Value) -> Value {
    let proofs = json!({ "actor_proofs": proofs });
    at_gate(&with(&second(proofs), more))
}

fn signed() -> Value {
    json!({ "lineage": "cryptographic" })
}

fn asserted() -> Value {
    json!({ "lineage": "asserted" })
}

fn chains(file: &mut File) {
    let near = "both-actors";
    file.accept(near, &carrying_proofs(&both(), json!({})), signed());
    let complete = json!({ "actor_proofs_complete": true });
    file.accept(
        "both-and-complete",
        &carrying_proofs(&both(), complete.clone()),
        signed(),
    );
    let outer = vec![proof("agent-b", json!({}))];
    file.accept(
        "the-outermost-alone",
        &carrying_proofs(&outer, json!({})),
        asserted(),
    );
    file.refuse(
        "the-outermost-alone-and-complete",
        "the-outermost-alone",
        BROKEN,
        &carrying_proofs(&outer, complete.clone()),
    );
    file.accept("none", &at_gate(&second(json!({}))), asserted());
    file.refuse(
        "none-and-complete",
        "none",
        BROKEN,
        &at_gate(&second(complete)),
    );
    let inner = vec![proof("agent-a", json!({}))];
    file.refuse(
        "the-inner-alone",
        near,
        BROKEN,
        &carrying_proofs(&inner, json!({})),
    );
    let turned: Vec<String> = both().into_iter().rev().collect();
    file.refuse(
        "in-the-wrong-order",
        near,
        BROKEN,
        &carrying_proofs(&turned, json!({})),
    );
    let older = proof("agent-a", json!({}));
    let three = vec![
        proof("agent-b", json!({ "prh": hash(&older) })),
        older.clone(),
        older,
    ];
    file.refuse(
        "one-too-many",
        near,
        BROKEN,
        &carrying_proofs(&three, json!({})),
    );
    let hidden = json!({ "chain_complete": false });
    file.accept(
        "both-of-an-incomplete-chain",
        &carrying_proofs(&both(), hidden),
        asserted(),
    );
    for (id, newer, oldest) in [
        ("unlinked", json!({}), json!({})),
        (
            "linked-to-another",
            json!({ "prh": b64u([7; 32]) }),
            json!({}),
        ),
        (
            "an-oldest-that-is-linked",
            json!({ "prh": null }),
            json!({ "prh": b64u([7; 32]) }),
        ),
    ] {
        let older = proof("agent-a", oldest);
        let own = with(&json!({ "prh": hash(&older) }), newer.clone());
        let own = if id == "unlinked" { json!({}) } else { own };
        let proofs = vec![proof("agent-b", own), older];
        file.refuse(id, near, BROKEN, &carrying_proofs(&proofs, json!({})));
    }
    let by = |newer: Value, oldest: Value| {
        let older = proof("agent-a", oldest);
        let own = with(&json!({ "prh": hash(&older) }), newer);
        carrying_proofs(&[proof("agent-b", own), older], json!({}))
    };
    let named = |name: &str| json!({ "prh_alg": name });
    file.accept(
        "hashes-named",
        &by(named("sha-256"), named("sha-256")),
        signed(),
    );
    let near = "hashes-named";
    file.refuse(
        "hashes-named-once",
        near,
        BROKEN,
        &by(named("sha-256"), json!({})),
    );
    file.refuse(
        "hashes-unknown",
        near,
        BROKEN,
        &by(named("sha-512"), named("sha-512")),
    );
    // Another proof of the same agent, for another subject, put into the chain.
    let near = "both-actors";
    let grafted = by(json!({}), json!({ "sub": "u2" }));
    file.refuse(
        "an-older-one-for-another-subject",
        near,
        "subject_changed",
        &grafted,
    );
    // A request may carry the tokens before as well: the edges still hold.
    let before = |scope: &str| {
        let leaf = with(&second(json!({})), json!({ "actor_proofs": both() }));
        let first = with(
            &root(json!({ "aud": "agent-b", "client_id": "agent-a", "scope": scope })),
            json!({ "act": chain(&["agent-a"]) }),
        );
        let further = json!({ "kind": "access_token", "token": access().token(&first) });
        with(&at_gate(&leaf), json!({ "context": [further] }))
    };
    file.accept("with-the-token-before", &before("a b"), signed());
    let wider = before("b");
    file.refuse(
        "with-a-narrower-token-before",
        "with-the-token-before",
        "attenuation_scope",
        &wider,
    );
}

/// What is wrong with one proof.
fn single(file: &mut File) {
    let near = "one/of-the-outermost";
    let one = |proof: String| carrying_proofs(&[proof], json!({}));
    file.accept(near, &one(proof("agent-b", json!({}))), asserted());
    for (id, code, more) in [
        ("one/expired", "expired", json!({ "exp": T - 30 })),
        (
            "one/of-the-future",
            "issued_in_future",
            json!({ "iat": T + 31 }),
        ),
        (
            "one/lives-too-long",
            "lifetime_too_long",
            json!({ "exp": T + 600 }),
        ),
        ("one/without-jti", "missing_claim", json!({ "jti": null })),
        (
            "one/with-aud",
            "forbidden_claim",
            json!({ "aud": "https://rs.example/mcp" }),
        ),
        ("one/without-act", "actor_malformed", json!({ "act": null })),
        (
            "one/of-an-actor-without-iss",
            "actor_malformed",
            json!({ "act": { "iss": null } }),
        ),
        (
            "one/of-more-than-one-hop",
            "actor_malformed",
            json!({ "act": { "act": { "iss": AS, "sub": "x" } } }),
        ),
        (
            "one/of-an-actor-with-cnf",
            "actor_malformed",
            json!({ "act": { "cnf": {} } }),
        ),
        (
            "one/of-another-actor",
            BROKEN,
            json!({ "act": { "sub": "agent-c" } }),
        ),
        (
            "one/of-a-namesake",
            BROKEN,
            json!({ "act": { "iss": OTHER } }),
        ),
        (
            "one/of-a-profile-that-the-token-has-not",
            BROKEN,
            json!({ "act": { "sub_profile": "ai_agent" } }),
        ),
        (
            "one/for-another-subject",
            "subject_changed",
            json!({ "sub": "u2" }),
        ),
        (
            "one/for-a-subject-of-another",
            "subject_changed",
            json!({ "sub_iss": OTHER }),
        ),
        (
            "one/by-nobody-known",
            "iss_untrusted",
            json!({ "iss": "agent-c" }),
        ),
    ] {
        file.refuse(id, near, code, &one(proof("agent-b", more)));
    }
    let namespaced = proof("agent-b", json!({ "sub_iss": AS }));
    file.accept(
        "one/for-a-subject-of-this-issuer",
        &one(namespaced),
        asserted(),
    );
    let named = header(&key("agent-b"), Kind::named("actor_proof").typ);
    let forged = canonical(&claims("agent-b", json!({})));
    let forged = token(&key("agent-a"), &named, &forged);
    file.refuse(
        "one/by-the-key-of-another",
        near,
        "bad_signature",
        &one(forged),
    );
    let of_issuer = sign(&access().key(), &claims("agent-b", json!({ "iss": AS })));
    file.refuse(
        "one/by-the-issuer-itself",
        near,
        "iss_untrusted",
        &one(of_issuer),
    );
    let untyped = {
        let key = key("agent-b");
        token(
            &key,
            &header(&key, Some("JWT")),
            &canonical(&claims("agent-b", json!({}))),
        )
    };
    file.refuse("one/of-another-typ", near, "typ_mismatch", &one(untyped));
    for (id, code, proofs) in [
        ("form/none", "claim_type", json!([])),
        ("form/a-text", "claim_type", json!("x")),
        ("form/a-number", "claim_type", json!([1])),
        ("form/no-token", "malformed_token", json!(["x"])),
    ] {
        let mut leaf = second(json!({}));
        leaf["actor_proofs"] = proofs;
        file.refuse(id, near, code, &at_gate(&leaf));
    }
    let odd = json!({ "actor_proofs_complete": "yes" });
    let odd = carrying_proofs(&[proof("agent-b", json!({}))], odd);
    file.refuse("form/complete-that-is-a-text", near, "claim_type", &odd);
    let elsewhere = with(
        &one(proof("agent-b", json!({}))),
        json!({ "policy": { "issuers": { "b": { "actor_namespace": OTHER } } } }),
    );
    file.refuse(
        "one/of-a-key-of-another-namespace",
        near,
        BROKEN,
        &elsewhere,
    );
}

/// What the newest proof was given for.
fn bindings(file: &mut File) {
    let aud = access().claims()["aud"].clone();
    let near = "target/this-server-among-others";
    let one = |more: Value, leaf: Value| carrying_proofs(&[proof("agent-b", more)], leaf);
    let aimed = |aud: Value| {
        let mut claims = claims("agent-b", json!({}));
        claims["target"]["aud"] = aud;
        carrying_proofs(&[sign(&key("agent-b"), &claims)], json!({}))
    };
    file.accept(near, &aimed(json!(["https://x.example", aud])), asserted());
    for (id, target) in [
        ("target/another-server", json!("https://x.example")),
        ("target/other-servers", json!(["https://x.example"])),
    ] {
        file.refuse(id, near, "attenuation_audience", &aimed(target));
    }
    let only = |resource: &str| {
        one(
            json!({ "target": { "resource": ["https://rs.example/a"] } }),
            json!({ "resource": resource }),
        )
    };
    let near = "target/this-resource";
    file.accept(near, &only("https://rs.example/a"), asserted());
    let other = only("https://rs.example/b");
    file.refuse(
        "target/another-resource",
        near,
        "attenuation_audience",
        &other,
    );
    let origin = |jti: &str| one(json!({ "origin_jti": jti }), json!({}));
    file.accept("origin/this-token", &origin("second"), asserted());
    file.refuse(
        "origin/another-token",
        "origin/this-token",
        BROKEN,
        &origin("first"),
    );
}

/// What a gate demands.
fn needs(file: &mut File) {
    let demanded = |request: &Value| {
        let context = json!({ "context": { "actor_proof": "required" } });
        with(request, json!({ "policy": { "gates": { "g": context } } }))
    };
    let good = carrying_proofs(&both(), json!({}));
    file.accept("needed/there", &demanded(&good), signed());
    let none = at_gate(&second(json!({})));
    file.refuse("needed/none", "needed/there", BROKEN, &demanded(&none));
    let direct = with(
        &at_gate(&with(&second(json!({})), json!({ "act": null }))),
        json!({}),
    );
    let nobody = json!({ "lineage": "none" });
    file.accept("needed/without-an-actor", &demanded(&direct), nobody);
    let least = |request: &Value| table(request, json!({ "min_lineage": "cryptographic" }));
    file.accept("lineage/all-have-signed", &least(&good), signed());
    let partial = carrying_proofs(&[proof("agent-b", json!({}))], json!({}));
    let near = "lineage/all-have-signed";
    file.refuse("lineage/one-has-not", near, BROKEN, &least(&partial));
    file.refuse("lineage/none-has", near, BROKEN, &least(&none));
    // A gate that takes none looks at none.
    let blind = with(
        &carrying_proofs(&["x".to_owned()], json!({})),
        json!({ "policy": { "gates": { "g": { "context": { "actor_proof": null } } } } }),
    );
    file.accept("not-taken", &blind, asserted());
}

//! Capabilities that their holders derived without asking anybody (AAT-02 to AAT-06; P16 to P23, S3
//! of the catalogue).

use serde_json::{Value, json};

use super::{File, Kind, T, canonical, header, token, with};
use crate::workshop::{Hash, Key, b64u};

const DETAILS: &str = "attenuation_details";
const BROKEN: &str = "chain_link_broken";

fn kind() -> &'static Kind {
    Kind::named("capability")
}

/// The key of the holder with this name.
pub(super) fn holder(name: &str) -> Key {
    Key::seeded("ES256", name)
}

fn thumbprint(key: &Key) -> String {
    let names = ["crv", "kty", "x", "y"];
    let members = key.jwk.as_object().expect("an object").iter();
    let members = members.filter(|(name, _)| names.contains(&name.as_str()));
    let members = members.map(|(name, value)| (name.clone(), value.clone()));
    b64u(Hash::Sha256.digest(canonical(&Value::Object(members.collect())).as_bytes()))
}

/// The hash of what a token's signature is over.
pub(super) fn hash(token: &str) -> String {
    let (input, _) = token.rsplit_once('.').expect("a signature");
    b64u(Hash::Sha256.digest(input.as_bytes()))
}

/// Tools as `authorization_details` has them.
pub(super) fn tools(tools: Value) -> Value {
    json!([{ "type": "attenuating_agent_token", "tools": tools }])
}

fn read(path: Value) -> Value {
    tools(json!({ "read_file": { "path": path } }))
}

/// A capability and the key it is bound to.
pub(super) struct Held {
    pub(super) claims: Value,
    pub(super) token: String,
    pub(super) key: Key,
}

pub(super) fn root_with(more: Value) -> Held {
    let key = holder("a");
    let own = json!({ "cnf": { "jwk": null }, "jti": "r" });
    let claims = with(&kind().claims(), own);
    let claims = with(&claims, json!({ "cnf": { "jwk": key.jwk } }));
    let claims = with(&claims, more);
    let token = kind().token(&claims);
    Held { claims, token, key }
}

pub(super) fn root() -> Held {
    root_with(json!({}))
}

impl Held {
    /// What the holder gives to the one with this name; `more` is what it says otherwise.
    pub(super) fn derive(&self, name: &str, more: Value) -> Self {
        self.derive_by(&self.key, name, more)
    }

    fn derive_by(&self, signer: &Key, name: &str, more: Value) -> Self {
        let key = holder(name);
        let depth = self.claims["del_depth"].as_u64().expect("a number") + 1;
        let own = json!({
            "iss": format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{}", thumbprint(&self.key)),
            "jti": name, "del_depth": depth, "par_hash": hash(&self.token), "cnf": null,
        });
        let claims = with(
            &with(&self.claims, own),
            json!({ "cnf": { "jwk": key.jwk } }),
        );
        let claims = with(&claims, more);
        let token = token(signer, &header(signer, kind().typ), &canonical(&claims));
        Self { claims, token, key }
    }
}

pub(super) fn sent(leaf: &Held, parents: &[&Held]) -> Value {
    let context = parents
        .iter()
        .map(|held| json!({ "kind": "capability", "token": held.token }));
    let context: Vec<Value> = context.collect();
    with(&kind().request(&leaf.token), json!({ "context": context }))
}

pub(super) fn lines() -> String {
    let mut file = File::default();
    links(&mut file);
    depths(&mut file);
    times(&mut file);
    audiences(&mut file);
    authority(&mut file);
    file.lines
}

fn links(file: &mut File) {
    let near = "two";
    let root = root();
    let child = root.derive("b", json!({}));
    let leaf = child.derive("c", json!({}));
    let told = json!({ "lineage": "cryptographic", "profile": "capability" });
    file.accept(near, &sent(&child, &[&root]), told.clone());
    file.accept("three", &sent(&leaf, &[&root, &child]), told.clone());
    file.accept("three-in-any-order", &sent(&leaf, &[&child, &root]), told);
    let alone = with(&sent(&child, &[]), json!({ "context": [] }));
    file.refuse("alone", near, "iss_untrusted", &alone); // a key is no issuer of ours
    file.accept(
        "root-alone",
        &sent(&root, &[]),
        json!({ "lineage": "none" }),
    );
    file.refuse(
        "p17-middle-missing",
        "three",
        BROKEN,
        &sent(&leaf, &[&root]),
    );
    file.refuse("root-missing", "three", BROKEN, &sent(&leaf, &[&child]));
    file.refuse("one-too-many", near, BROKEN, &sent(&child, &[&root, &leaf]));
    file.refuse("parent-twice", near, BROKEN, &sent(&child, &[&root, &root]));
    file.refuse("root-of-itself", near, BROKEN, &sent(&root, &[&root]));
    // S3 and P16: one key, two parents, and the child put under the broader one.
    let broader = root_with(json!({ "jti": "r2", "authorization_details": read(json!({
        "constraint_type": "one_of", "values": ["/a", "/b", "/c"],
    })) }));
    file.accept(
        "s3-under-its-own",
        &sent(&broader.derive("b", json!({})), &[&broader]),
        json!({}),
    );
    file.refuse(
        "s3-p16-under-the-broader",
        near,
        BROKEN,
        &sent(&child, &[&broader]),
    );
    let stranger = root.derive_by(&holder("m"), "b", json!({}));
    file.refuse(
        "signed-by-another-key",
        near,
        BROKEN,
        &sent(&stranger, &[&root]),
    );
    let issuer = root.derive_by(&kind().key(), "b", json!({}));
    file.refuse(
        "signed-by-the-issuer",
        near,
        BROKEN,
        &sent(&issuer, &[&root]),
    );
    for (id, iss) in [
        ("issuer-of-the-root", json!(kind().issuer)),
        (
            "issuer-another-key",
            json!(format!(
                "urn:ietf:params:oauth:jwk-thumbprint:sha-256:{}",
                thumbprint(&holder("m"))
            )),
        ),
        ("issuer-of-another-form", json!(thumbprint(&root.key))),
    ] {
        let wrong = root.derive("b", json!({ "iss": iss }));
        file.refuse(id, near, BROKEN, &sent(&wrong, &[&root]));
    }
    for (id, code, value) in [
        ("hash-absent", "missing_claim", json!(null)),
        ("hash-not-one", "claim_type", json!("x")),
        ("hash-of-another", BROKEN, json!(b64u([7; 32]))),
    ] {
        let wrong = root.derive("b", json!({ "par_hash": value }));
        file.refuse(id, near, code, &sent(&wrong, &[&root]));
    }
    let looped = child.derive("c", json!({ "jti": "r" }));
    file.refuse(
        "p18-jti-of-the-root",
        "three",
        "chain_loop",
        &sent(&looped, &[&root, &child]),
    );
    let back = child.derive("a", json!({}));
    file.accept("same-key-twice", &sent(&back, &[&root, &child]), json!({}));
    let mut forged = self::root();
    forged.token = token(
        &holder("m"),
        &header(&kind().key(), kind().typ),
        &canonical(&forged.claims),
    );
    let under = forged.derive("b", json!({}));
    file.refuse(
        "root-forged",
        near,
        "bad_signature",
        &sent(&under, &[&forged]),
    );
    let key = json!({ "cnf": { "jwk": null, "jkt": thumbprint(&holder("b")) } });
    let thin = root.derive("b", key);
    file.refuse(
        "key-by-thumbprint-alone",
        near,
        "missing_claim",
        &sent(&thin, &[&root]),
    );
    let subject = root.derive("b", json!({ "sub": "u1" }));
    file.refuse(
        "names-a-subject",
        near,
        "forbidden_claim",
        &sent(&subject, &[&root]),
    );
    let bound = json!({ "policy": { "gates": { "g": { "sender_constrained": null } } } });
    let bound = with(&sent(&child, &[&root]), bound);
    file.refuse("proof-not-checked", near, "pop_required", &bound);
}

fn depths(file: &mut File) {
    let near = "depth/last";
    let root = root(); // two at most
    let child = root.derive("b", json!({}));
    let last = child.derive("c", json!({}));
    file.accept(near, &sent(&last, &[&root, &child]), json!({}));
    let deeper = last.derive("d", json!({}));
    let deep = "chain_too_deep";
    file.refuse(
        "depth/beyond",
        near,
        deep,
        &sent(&deeper, &[&root, &child, &last]),
    );
    let skipped = root.derive("b", json!({ "del_depth": 2 }));
    file.refuse("p19-depth-skipped", "two", deep, &sent(&skipped, &[&root]));
    let raised = root.derive("b", json!({ "del_max_depth": 3 }));
    file.refuse("p19-most-raised", "two", DETAILS, &sent(&raised, &[&root]));
    let ended = root.derive("b", json!({ "del_max_depth": 1 }));
    file.accept("depth/lowered", &sent(&ended, &[&root]), json!({}));
    let after = ended.derive("c", json!({}));
    file.refuse(
        "depth/beyond-lowered",
        near,
        deep,
        &sent(&after, &[&root, &ended]),
    );
    let below = root.derive("b", json!({ "del_max_depth": 0 }));
    file.refuse(
        "depth/below-itself",
        "depth/lowered",
        deep,
        &sent(&below, &[&root]),
    );
}

fn times(file: &mut File) {
    let near = "time/shorter";
    let root = root();
    let time = "attenuation_time";
    let shorter = root.derive("b", json!({ "exp": T + 60, "iat": T + 1 }));
    file.accept(near, &sent(&shorter, &[&root]), json!({}));
    for (id, more) in [
        ("time/longer", json!({ "exp": T + 601 })),
        ("time/before-its-parent", json!({ "iat": T - 1 })),
    ] {
        let child = root.derive("b", more);
        file.refuse(id, near, time, &sent(&child, &[&root]));
    }
    let late = with(&sent(&shorter, &[&root]), json!({ "now": T + 90 }));
    file.refuse("time/expired", near, "expired", &late);
    // P10: an ancestor that has expired ends what was derived from it.
    let old = root_with(json!({ "iat": T - 600, "exp": T - 30 }));
    let child = old.derive("b", json!({ "iat": T - 300, "exp": T + 60 }));
    file.refuse(
        "p10-parent-expired",
        near,
        "expired",
        &sent(&child, &[&old]),
    );
}

fn audiences(file: &mut File) {
    let ours = "https://rs.example/mcp";
    let policy = json!({ "policy": { "gates": { "g": { "audience": ours } } } });
    let root = root_with(json!({ "aud": [ours, "https://other.example"] }));
    let sent = |child: &Held| with(&sent(child, &[&root]), policy.clone());
    let near = "aud/narrower";
    file.accept(
        near,
        &sent(&root.derive("b", json!({ "aud": ours }))),
        json!({}),
    );
    for (id, code, aud) in [
        (
            "aud/wider",
            "attenuation_audience",
            json!([ours, "https://third.example"]),
        ),
        ("aud/dropped", "missing_claim", json!(null)),
        (
            "aud/another",
            "aud_mismatch",
            json!("https://other.example"),
        ),
    ] {
        let child = root.derive("b", json!({ "aud": aud }));
        file.refuse(id, near, code, &sent(&child));
    }
}

/// P20 to P23: what a constraint may become.
fn authority(file: &mut File) {
    let range = |min_inclusive: bool, max_inclusive: bool| {
        tools(json!({ "count": { "n": {
            "constraint_type": "range", "min": 1, "max": 10,
            "min_inclusive": min_inclusive, "max_inclusive": max_inclusive,
        } } }))
    };
    let exact = |value: &str| json!({ "constraint_type": "exact", "value": value });
    let one_of = |values: &[&str]| json!({ "constraint_type": "one_of", "values": values });
    let all = |constraints: Value| {
        tools(json!({ "t": { "x": { "constraint_type": "all", "constraints": constraints } } }))
    };
    let path = json!({ "constraint_type": "wildcard" });
    let sent = |granted: &Value, own: &Value| {
        // An array is not merged, so that the claim is what is said here.
        let root = root_with(json!({ "authorization_details": granted }));
        let child = root.derive("b", json!({ "authorization_details": own }));
        sent(&child, &[&root])
    };
    let two = read(one_of(&["/a", "/b"]));
    let fewer = read(exact("/a"));
    file.accept("tools/narrower", &sent(&two, &fewer), json!({}));
    for (id, own) in [
        ("tools/wider", read(one_of(&["/a", "/c"]))),
        (
            "tools/another",
            tools(json!({ "write_file": { "path": exact("/a") } })),
        ),
        ("tools/argument-free", tools(json!({ "read_file": {} }))),
        (
            "p20-argument-added",
            tools(json!({ "read_file": { "path": exact("/a"), "mode": path } })),
        ),
        (
            "tools/unknown-constraint",
            read(json!({ "constraint_type": "regex", "value": "/a" })),
        ),
    ] {
        file.refuse(id, "tools/narrower", DETAILS, &sent(&two, &own));
    }
    let free = tools(json!({ "read_file": {} }));
    file.accept("p21-free-argument-bound", &sent(&free, &fewer), json!({}));
    file.accept("tools/none", &sent(&two, &tools(json!({}))), json!({}));
    let narrowed = "p22-end-excluded";
    file.accept(
        narrowed,
        &sent(&range(true, true), &range(true, false)),
        json!({}),
    );
    let widened = sent(&range(true, false), &range(true, true));
    file.refuse("p22-end-included", narrowed, DETAILS, &widened);
    // The first clause could take either of the child's; only one way leaves the second its own.
    let granted = all(json!([one_of(&["a", "b"]), one_of(&["a"])]));
    let dead_end = all(json!([exact("a"), exact("b")]));
    file.accept(
        "p23-all-by-backtracking",
        &sent(&granted, &dead_end),
        json!({}),
    );
    let unmatched = all(json!([exact("b"), exact("b")]));
    file.refuse(
        "p23-all-without-a-match",
        "p23-all-by-backtracking",
        DETAILS,
        &sent(&granted, &unmatched),
    );
}

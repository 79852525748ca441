//! Capabilities in the content of a request, with the proof of one call (AAT-07, AAT-08).

use serde_json::{Value, json};

use super::offline::{Held, hash, root, root_with, tools};
use super::{File, Kind, Slot, T, canonical, token, with};
use crate::workshop::Key;

const CODE: &str = "pop_invalid";
const ORIGIN: &str = "https://rs.example";

/// One call in the making: what a holder sends that does everything right.
struct Call {
    chain: Vec<String>,
    key: Key,
    header: Value,
    claims: Value,
    operation: Value,
}

impl Call {
    /// Of the tool that the root lets its holder read with.
    fn of(chain: &[&Held]) -> Self {
        let leaf = chain.last().expect("a capability");
        let key = Key::seeded("ES256", "a");
        let key = if leaf.key.jwk == key.jwk {
            key
        } else {
            Key::seeded("ES256", "b")
        };
        let arguments = json!({ "path": "/a" });
        Self {
            chain: chain.iter().map(|held| held.token.clone()).collect(),
            header: json!({ "typ": "aat-pop+jwt", "alg": key.alg() }),
            key,
            claims: json!({
                "jti": "p1", "iat": T, "aat_id": leaf.claims["jti"], "aat_tool": "read_file",
                "aat_aud": ORIGIN, "hta": arguments,
            }),
            operation: json!({ "tool": "read_file", "arguments": arguments }),
        }
    }

    fn claims(mut self, more: Value) -> Self {
        self.claims = with(&self.claims, more);
        self
    }

    fn header(mut self, more: Value) -> Self {
        self.header = with(&self.header, more);
        self
    }

    fn by(mut self, key: Key) -> Self {
        self.key = key;
        self
    }

    /// Of a call that is about to do this.
    fn doing(mut self, operation: Value) -> Self {
        self.operation = operation;
        self
    }

    fn request(&self) -> Value {
        let proof = token(
            &self.key,
            &canonical(&self.header),
            &canonical(&self.claims),
        );
        self.with_proof(&proof)
    }

    fn with_proof(&self, proof: &str) -> Value {
        let (leaf, parents) = self.chain.split_last().expect("a capability");
        let parents = parents.iter();
        let parents: Vec<Value> = parents
            .map(|token| json!({ "kind": "capability", "token": token }))
            .collect();
        json!({
            "op": "verify_request", "policy": policy(), "now": T, "method": "POST", "uri": "/mcp",
            "headers": [], "content": { "token": leaf, "proof": proof }, "context": parents,
            "operation": self.operation,
        })
    }
}

fn policy() -> Value {
    let gate = json!({ "public_url": ORIGIN, "sender_constrained": null });
    let more = json!({ "gates": { "g": gate }, "replay": { "store": "process" } });
    with(&Kind::named("capability").policy(), more)
}

pub(super) fn slot() -> Slot {
    let call = Call::of(&[&root()]);
    let (header, claims) = (call.header.clone(), call.claims.clone());
    let key = Key::seeded("ES256", "a");
    Slot::new(
        ["capability_pop", "aat-pop+jwt", CODE],
        key,
        header,
        claims,
        move |proof| call.with_proof(proof),
    )
}

pub(super) fn lines() -> String {
    let mut file = File::default();
    proofs(&mut file);
    calls(&mut file);
    carriers(&mut file);
    replay(&mut file);
    file.lines
}

fn told(lineage: &str) -> Value {
    json!({ "profile": "capability", "sender_constrained": "capability_pop", "lineage": lineage })
}

fn proofs(file: &mut File) {
    let root = root();
    let near = "aat-08-a-root";
    file.accept(near, &Call::of(&[&root]).request(), told("none"));
    let child = root.derive("b", json!({}));
    let derived = "aat-08-a-derived-one";
    file.accept(
        derived,
        &Call::of(&[&root, &child]).request(),
        told("cryptographic"),
    );
    let by_parent = Call::of(&[&root, &child]).by(Key::seeded("ES256", "a"));
    file.refuse(
        "aat-08-by-its-parents-key",
        derived,
        CODE,
        &by_parent.request(),
    );
    let of_parent = Call::of(&[&root, &child]).claims(json!({ "aat_id": "r" }));
    file.refuse("aat-08-for-its-parent", derived, CODE, &of_parent.request());
    for (id, more) in [
        (
            "aat-08-for-another-capability",
            json!({ "aat_id": "other" }),
        ),
        (
            "aat-08-for-another-tool",
            json!({ "aat_tool": "write_file" }),
        ),
        (
            "aat-08-for-other-arguments",
            json!({ "hta": { "path": "/b" } }),
        ),
        (
            "aat-08-for-one-argument-more",
            json!({ "hta": { "mode": "r" } }),
        ),
        ("aat-08-arguments-that-are-a-list", json!({ "hta": ["/a"] })),
        (
            "aat-08-for-another-server",
            json!({ "aat_aud": "https://rs.example/" }),
        ),
        ("aat-08-of-31-seconds-ago", json!({ "iat": T - 31 })),
        ("aat-08-of-31-seconds-ahead", json!({ "iat": T + 31 })),
        ("aat-08-a-date-that-is-a-text", json!({ "iat": "now" })),
        (
            "aat-08-an-id-that-is-too-long",
            json!({ "jti": "x".repeat(257) }),
        ),
        (
            "aat-08-of-another-hash",
            json!({ "aat_hash": hash("x.y.z") }),
        ),
        ("aat-08-a-hash-that-is-null", json!({ "aat_hash": 1 })),
    ] {
        file.refuse(id, near, CODE, &Call::of(&[&root]).claims(more).request());
    }
    for name in ["jti", "iat", "aat_id", "aat_tool", "aat_aud", "hta"] {
        let id = format!("aat-08-without-{name}");
        let without = Call::of(&[&root]).claims(json!({ name: null }));
        file.refuse(&id, near, CODE, &without.request());
    }
    for (id, more) in [
        ("aat-08-of-30-seconds-ago", json!({ "iat": T - 30 })),
        ("aat-08-of-30-seconds-ahead", json!({ "iat": T + 30 })),
        (
            "aat-08-of-its-hash",
            json!({ "aat_hash": hash(&root.token) }),
        ),
        ("aat-08-with-more", json!({ "exp": 1, "unknown": true })),
    ] {
        let good = Call::of(&[&root]).claims(more);
        file.accept(id, &good.request(), told("none"));
    }
    for (id, more) in [
        ("aat-08-typ/absent", json!({ "typ": null })),
        ("aat-08-typ/of-a-capability", json!({ "typ": "aat+jwt" })),
        ("aat-08-typ/of-a-dpop-proof", json!({ "typ": "dpop+jwt" })),
        ("aat-08-alg/none", json!({ "alg": "none" })),
        ("aat-08-alg/of-another-key", json!({ "alg": "Ed25519" })),
        ("aat-08-alg/shared", json!({ "alg": "HS256" })),
        ("aat-08-crit", json!({ "crit": ["x"], "x": 1 })),
    ] {
        file.refuse(id, near, CODE, &Call::of(&[&root]).header(more).request());
    }
    let stranger = Call::of(&[&root]).by(Key::seeded("ES256", "stranger"));
    file.refuse("aat-08-by-another-key", near, CODE, &stranger.request());
    let own_key = Call::of(&[&root])
        .header(json!({ "jwk": Key::seeded("ES256", "stranger").jwk }))
        .by(Key::seeded("ES256", "stranger"));
    file.refuse("aat-08-by-a-key-of-its-own", near, CODE, &own_key.request());
    file.refuse(
        "aat-08-no-token",
        near,
        CODE,
        &Call::of(&[&root]).with_proof("x"),
    );
    let itself = Call::of(&[&root]).with_proof(&root.token);
    file.refuse("aat-08-the-capability-itself", near, CODE, &itself);
}

/// The proof is of the call, and the capability permits it (AAT-07).
fn calls(file: &mut File) {
    let denied = "operation_denied";
    let root = root_with(json!({ "authorization_details": tools(json!({
        "read_file": { "path": { "constraint_type": "one_of", "values": ["/a", "/b"] } },
        "list": {},
    })) }));
    let call = |tool: &str, arguments: Value| {
        // An array is not merged, and neither are arguments.
        let mut call = Call::of(&[&root]).claims(json!({ "aat_tool": tool }));
        call.claims["hta"] = arguments.clone();
        call.doing(json!({ "tool": tool, "arguments": arguments }))
    };
    let near = "aat-07-within-its-constraints";
    let good = call("read_file", json!({ "path": "/b" }));
    file.accept(near, &good.request(), told("none"));
    for (id, tool, arguments) in [
        ("aat-07-another-path", "read_file", json!({ "path": "/c" })),
        ("aat-07-no-path", "read_file", json!({})),
        (
            "aat-07-one-more",
            "read_file",
            json!({ "path": "/a", "mode": "r" }),
        ),
        ("aat-07-another-tool", "write_file", json!({ "path": "/a" })),
    ] {
        file.refuse(id, near, denied, &call(tool, arguments).request());
    }
    let free = call("list", json!({ "any": [1.0, { "b": 1, "a": null }] }));
    file.accept("aat-07-free-arguments", &free.request(), told("none"));
    let again = free.doing(json!({ "tool": "list",
                                   "arguments": { "any": [1, { "a": null, "b": 1 }] } }));
    file.accept("aat-08-arguments-by-value", &again.request(), told("none"));
    let none = call("list", json!({})).doing(json!({ "tool": "list" }));
    file.accept("aat-08-no-arguments", &none.request(), told("none"));
    let untold = call("list", json!({ "x": 1 })).doing(json!({ "tool": "list" }));
    file.refuse("aat-08-arguments-not-told", near, CODE, &untold.request());
    let mut unasked = good.request();
    unasked["operation"] = Value::Null;
    file.refuse("aat-08-of-no-call", near, "usage", &unasked);
    let toolless = good.doing(json!({ "action": "read_file" }));
    file.refuse("aat-08-of-no-tool", near, "usage", &toolless.request());
}

fn carriers(file: &mut File) {
    let near = "carrier/in-the-content";
    let call = Call::of(&[&root()]);
    file.accept(near, &call.request(), told("none"));
    let mut absent = call.request();
    absent["content"] = Value::Null;
    file.refuse("carrier/no-capability", near, "no_token", &absent);
    let field = json!([["Authorization", format!("Bearer {}", call.chain[0])]]);
    let in_field = with(&absent, json!({ "headers": field }));
    file.refuse("carrier/in-authorization", near, "no_token", &in_field);
    // A gate for tokens in fields takes none from the content.
    let access = Kind::named("access_token");
    let bearer = format!("Bearer {}", access.token(&access.claims()));
    let plain = json!({
        "op": "verify_request", "policy": access.policy(), "now": T, "method": "POST", "uri": "/mcp",
        "headers": [["Authorization", bearer]],
    });
    file.accept(
        "carrier/an-access-token",
        &plain,
        json!({ "subject": "u1" }),
    );
    let both = with(&plain, json!({ "content": { "token": "x", "proof": "y" } }));
    file.refuse(
        "carrier/an-access-token-and-content",
        "carrier/an-access-token",
        "usage",
        &both,
    );
    let elsewhere = with(
        &call.request(),
        json!({ "policy": { "gates": { "g": { "sender_constrained": "external" } } } }),
    );
    let checked = json!({ "sender_constrained": "external" });
    file.accept("carrier/proven-elsewhere", &elsewhere, checked);
}

/// A proof is used once, and only once nothing else refuses.
fn replay(file: &mut File) {
    let open = json!({ "op": "open", "session": "s", "policy": policy(), "now": T });
    file.accept("replay/open", &open, json!({}));
    let root = root();
    let of = |jti: &str| {
        let mut request = Call::of(&[&root]).claims(json!({ "jti": jti })).request();
        request["policy"] = Value::Null;
        with(&request, json!({ "session": "s" }))
    };
    let scoped = with(&of("p1"), json!({ "required_scopes": ["x"] }));
    file.refuse(
        "replay/refused-for-its-scope",
        "replay/first",
        "insufficient_scope",
        &scoped,
    );
    file.accept("replay/first", &of("p1"), told("none"));
    file.refuse("replay/again", "replay/first", "replayed", &of("p1"));
    file.accept("replay/another", &of("p2"), told("none"));
    file.accept(
        "replay/close",
        &json!({ "op": "close", "session": "s" }),
        json!({}),
    );
}

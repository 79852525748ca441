//! The rows of the delegation catalogue (standards, Appendix A) that are about more than one
//! subject's file: proofs by the wrong key, revocation along a chain, transactions, what goes out,
//! used proofs.

use serde_json::{Value, json};

use super::act::{AS, chain};
use super::chains::{access, carrying, first, here, proven, request, second};
use super::possession::{self, Call, client, thumbprint};
use super::revocation::Session;
use super::{File, Kind, T, canonical, offline, token, with};
use crate::workshop::Key;

pub(super) fn lines() -> String {
    let mut file = File::default();
    keys(&mut file);
    actors(&mut file);
    transactions(&mut file);
    outbound(&mut file);
    revoked(&mut file);
    descendants(&mut file);
    holders(&mut file);
    times(&mut file);
    used(&mut file);
    statuses(&mut file);
    file.lines
}

/// D09: the key of `act` is nobody's proof.
fn keys(file: &mut File) {
    let (own, others) = (client("ES256"), Key::seeded("ES256", "thief"));
    let act = json!({ "iss": AS, "sub": "agent-a", "cnf": { "jkt": thumbprint(&others) } });
    let claims = json!({ "act": act, "cnf": { "jkt": thumbprint(&own) } });
    let token = access().token(&with(&access().claims(), claims));
    let shown = json!({ "policy": { "gates": { "g": { "delegation": "surface" } } } });
    let by = |key: Key| {
        with(
            &Call::with_token(key, token.clone()).request(),
            shown.clone(),
        )
    };
    let near = "d09-by-the-key-of-the-token";
    file.accept(near, &by(own), json!({ "sender_constrained": "dpop" }));
    let wrong = by(others);
    file.refuse("d09-by-the-key-of-the-actor", near, "pop_mismatch", &wrong);
}

/// A policy that asks about revocations.
fn asking(policy: &Value) -> Value {
    with(policy, json!({ "revocation": { "store": "process" } }))
}

fn surfacing() -> Value {
    let more = json!({ "gates": { "g": { "delegation": "surface" } } });
    asking(&with(&access().policy(), more))
}

fn agent(sub: &str) -> Value {
    json!({ "kind": "actor", "iss": AS, "sub": sub })
}

fn verify(session: &Session<'_>, now: i64, token: &str) -> Value {
    json!({ "op": "verify", "session": session.name, "now": now, "token": token })
}

/// D18 to D20, R09: an agent that is revoked, whichever link it is.
fn actors(file: &mut File) {
    let acting = |subs: &[&str], iat: i64| {
        let claims = json!({ "act": chain(subs), "iat": iat, "exp": iat + 300 });
        access().token(&with(&access().claims(), claims))
    };
    let both = acting(&["agent-b", "agent-a"], T);
    let mut session = Session::under(file, "d18", &surfacing());
    let (before, request) = ("d18-before", verify(&session, T, &both));
    session.file.accept(before, &request, json!({}));
    session.revoke("revoke", &agent("agent-a"), json!({}), 1);
    let id = "d18-an-inner-actor";
    session.file.refuse(id, before, "revoked", &request);
    session.close();

    let inner_ignored = json!({ "revocation": { "inner_actors": "ignore" } });
    let policy = with(&surfacing(), inner_ignored);
    let mut session = Session::under(file, "d19", &policy);
    session.revoke("revoke", &agent("agent-a"), json!({}), 1);
    let request = verify(&session, T, &both);
    let id = "d19-an-inner-actor-that-is-left-out";
    session.file.accept(id, &request, json!({}));
    let outermost = verify(&session, T, &acting(&["agent-a"], T));
    let told = "d19-the-outermost-all-the-same";
    session.file.refuse(told, id, "revoked", &outermost);
    session.close();

    let alone = acting(&["agent-a"], T);
    let mut session = Session::under(file, "d20", &surfacing());
    let request = verify(&session, T, &alone);
    let earlier = json!({ "cutoff": T - 1 });
    session.revoke("earlier", &agent("agent-a"), earlier, 1);
    let near = "d20-issued-after-the-cutoff";
    session.file.accept(near, &request, json!({}));
    let then = json!({ "cutoff": T });
    session.revoke("then", &agent("agent-a"), then, 2);
    let id = "d20-issued-at-the-cutoff";
    session.file.refuse(id, near, "revoked", &request);
    session.close();

    // What descends from an agent's authority of before the cut-off is issued after it.
    let (day, cutoff) = (24 * 60 * 60, json!({ "cutoff": T }));
    let mut session = Session::under(file, "r09", &surfacing());
    session.revoke("revoke", &agent("agent-a"), cutoff, 1);
    let later = |session: &Session<'_>, after: i64| {
        let token = acting(&["agent-b", "agent-a"], T + after);
        verify(session, T + after, &token)
    };
    let near = "r09-a-day-later";
    let (past, within) = (later(&session, day + 1), later(&session, 60));
    session.file.accept(near, &past, json!({}));
    let id = "r09-laundered-behind-another";
    session.file.refuse(id, near, "revoked", &within);
    session.close();
}

fn txn() -> &'static Kind {
    Kind::named("txn_token")
}

/// A transaction token at its gate, and what it comes from.
fn transacted(token: Value, kind: &str, before: &str) -> Value {
    let corp = access().policy()["issuers"]["as"].clone();
    let more = json!({
        "issuers": { "corp": corp },
        "gates": { "g": {
            "issuers": ["as"], "delegation": "agents",
            "context": { "access_token": "allowed", "txn_token": "allowed" },
        } },
        "delegation": { "agents": { "allow": [{ "actor": { "iss": AS } }] } },
    });
    let claims = with(&txn().claims(), token);
    let request = with(&txn().verify(&claims), json!({ "policy": more }));
    let context = json!([{ "kind": kind, "token": before }]);
    with(&request, json!({ "context": context }))
}

/// P12 and P13: of an access token, and of another transaction token.
fn transactions(file: &mut File) {
    let before = |exp: i64| {
        let claims = json!({ "aud": "gw.td.example", "iat": T - 10, "exp": exp });
        access().token(&with(&access().claims(), claims))
    };
    let of = |exp: i64| transacted(json!({}), "access_token", &before(exp));
    let near = "p12-outlives-the-access-token";
    file.accept(near, &of(T + 60), proven());
    let over = of(T - 40);
    file.refuse("p12-an-access-token-that-was-over", near, "expired", &over);

    let earlier = json!({ "iat": T - 20, "exp": T + 100, "scope": "trade.stocks trade.bonds" });
    let earlier = txn().token(&with(&txn().claims(), earlier));
    let next = |more: Value| transacted(more, "txn_token", &earlier);
    let near = "p13-ends-later";
    file.accept(near, &next(json!({})), proven());
    let other = next(json!({ "txn": "x2" }));
    file.refuse("p13-another-transaction", near, "txn_mismatch", &other);
    let wider = next(json!({ "scope": "trade.stocks pay" }));
    file.refuse("p13-wider", near, "attenuation_scope", &wider);
    // TXT-08: a subject is one of the trust domain, whoever of its issuers signs.
    let key = Key::seeded(txn().alg, "k2");
    let two = json!({
        "issuers": { "second": {
            "issuer": "https://second.example", "jwks": { "keys": [key.jwk] },
            "algorithms": [txn().alg], "profiles": ["txn_token"],
        } },
        "gates": { "g": { "issuers": ["as", "second"] } },
    });
    let named = json!({ "iss": txn().issuer, "iat": T - 20, "exp": T + 100 });
    let earlier = txn().token(&with(&txn().claims(), named));
    let by_the_second = |more: Value| {
        let claims = with(&txn().claims(), json!({ "iss": "https://second.example" }));
        let header = json!({ "alg": txn().alg, "kid": key.jwk["kid"], "typ": txn().typ });
        let jwt = token(&key, &canonical(&header), &canonical(&with(&claims, more)));
        let request = transacted(json!({}), "txn_token", &earlier);
        with(&request, json!({ "policy": two, "token": jwt }))
    };
    let near = "txt-08-by-another-issuer-of-the-domain";
    file.accept(near, &by_the_second(json!({})), proven());
    let id = "txt-08-of-another-subject";
    let another = by_the_second(json!({ "sub": "u2" }));
    file.refuse(id, near, "subject_changed", &another);
}

/// C06, C07: what this server calls on with.
fn outbound(file: &mut File) {
    const TARGET: &str = "https://next.example";
    // The audience of this server is the name under which it exchanges.
    let server = access().claims()["aud"].clone();
    let came = here(json!({}));
    let act = json!({ "iss": AS, "sub": server, "act": came["act"] });
    let next = |more: Value| {
        let own = json!({ "jti": "next", "aud": TARGET, "act": act, "client_id": server });
        access().token(&with(&with(&came, own), more))
    };
    let came = access().token(&came);
    let policy = carrying(&came, &[])["policy"].clone();
    let sent = |token: &str| {
        json!({
            "op": "check_outbound", "policy": policy, "now": T, "token": came, "target": TARGET,
            "outbound": { "kind": "access_token", "token": token },
        })
    };
    let near = "c06-another-token";
    file.accept(near, &sent(&next(json!({}))), json!({}));
    file.refuse(
        "c06-the-very-token",
        near,
        "token_passthrough",
        &sent(&came),
    );
    let code = "attenuation_audience";
    for (id, aud) in [
        ("c07-for-another", json!("https://other.example")),
        (
            "c07-for-another-too",
            json!([TARGET, "https://other.example"]),
        ),
        ("c07-for-this-server", server.clone()),
    ] {
        file.refuse(id, near, code, &sent(&next(json!({ "aud": aud }))));
    }
    let wider = sent(&next(json!({ "scope": "a b c" })));
    file.refuse("c06-a-wider-token", near, "attenuation_scope", &wider);
    let another = sent(&next(json!({ "sub": "u2" })));
    file.refuse("c06-of-another-person", near, "subject_changed", &another);
}

/// P11, R01, R02, R05, R07: a token of a chain that is revoked, seen or not.
fn revoked(file: &mut File) {
    let chained = request(&second(json!({})), &[first(json!({}))]);
    let policy = asking(&chained["policy"]);
    let named = |iss: &str, jti: &str| json!({ "kind": "token", "iss": iss, "jti": jti });
    let of = |session: &Session<'_>| {
        let own = json!({ "session": session.name, "policy": null });
        with(&chained, own)
    };
    let mut session = Session::under(file, "p11", &policy);
    let (near, whole) = ("p11-before", of(&session));
    session.file.accept(near, &whole, proven());
    session.revoke("revoke", &named(AS, "first"), json!({}), 1);
    for id in ["p11-the-parent", "r02-with-the-parent-there"] {
        session.file.refuse(id, near, "revoked", &whole);
    }
    // Alone nobody can see where it comes from.
    let alone = with(&whole, json!({ "context": [] }));
    let asserted = json!({ "lineage": "asserted" });
    session.file.accept("r01-the-leaf-alone", &alone, asserted);
    session.close();

    let least = json!({ "delegation": { "agents": { "min_lineage": "issuer_attested" } } });
    let session = Session::under(file, "r01", &with(&policy, least));
    let (near, whole) = ("r01-lineage-there", of(&session));
    session.file.accept(near, &whole, proven());
    let alone = with(&whole, json!({ "context": [] }));
    let id = "r01-lineage-required";
    session.file.refuse(id, near, "chain_link_broken", &alone);
    session.close();

    let other = access().policy()["issuers"]["as"].clone();
    let other = with(&other, json!({ "issuer": "https://b.example" }));
    let issuers = json!({ "issuers": { "b": other } });
    let mut session = Session::under(file, "r05", &with(&surfacing(), issuers));
    let token = access().token(&with(&access().claims(), json!({ "jti": "1" })));
    let request = verify(&session, T, &token);
    let foreign = named("https://b.example", "1");
    session.revoke("revoke", &foreign, json!({}), 1);
    let near = "r05-the-same-jti-of-another-issuer";
    session.file.accept(near, &request, json!({}));
    session.revoke("revoke-its-own", &named(AS, "1"), json!({}), 2);
    // R07: it was accepted, and remembered, a moment ago.
    session
        .file
        .refuse("r07-remembered", near, "revoked", &request);
    session.close();
}

/// R03: everything of a transaction, and of an intent.
fn descendants(file: &mut File) {
    let carried = json!({ "txn": "t1",
                          "mission": { "id": "m1", "issuer": "https://consent.example" } });
    let (parent, child) = (first(carried.clone()), second(carried));
    let whole = request(&child, &[parent]);
    let policy = asking(&whole["policy"]);
    for (id, handle) in [
        (
            "r03-of-a-transaction",
            json!({ "kind": "txn", "aud": AS, "txn": "t1" }),
        ),
        (
            "r03-of-an-intent",
            json!({ "kind": "intent", "iss": "https://consent.example", "id": "m1" }),
        ),
    ] {
        let mut session = Session::under(file, id, &policy);
        let own = json!({ "session": session.name, "policy": null });
        let chained = with(&whole, own);
        let alone = with(&chained, json!({ "context": [] }));
        let near = format!("{id}-before");
        session.file.accept(&near, &alone, json!({}));
        session.revoke("revoke", &handle, json!({}), 1);
        session.file.refuse(id, &near, "revoked", &alone);
        let id = format!("{id}-with-its-parent");
        session.file.refuse(&id, &near, "revoked", &chained);
        session.close();
    }
}

/// R04: the key of a holder in the middle, whose hash is the `iss` of what it derived.
fn holders(file: &mut File) {
    let root = offline::root();
    let middle = root.derive("b", json!({}));
    let leaf = middle.derive("c", json!({}));
    let whole = offline::sent(&leaf, &[&root, &middle]);
    let mut session = Session::under(file, "r04", &asking(&whole["policy"]));
    let own = json!({ "session": session.name, "policy": null });
    let whole = with(&whole, own);
    let near = "r04-before";
    let told = json!({ "lineage": "cryptographic" });
    session.file.accept(near, &whole, told);
    let jkt = |key: &Key| json!({ "kind": "holder_key", "jkt": thumbprint(key) });
    session.revoke("revoke", &jkt(&middle.key), json!({}), 1);
    session
        .file
        .refuse("r04-the-key-of-the-middle", near, "revoked", &whole);
    session.close();
}

/// R06, R10: what a cut-off makes of a token that says too little, and of a long session.
fn times(file: &mut File) {
    // Only a kind that may lack `iat` can come without.
    let kind = Kind::named("access_token_untyped");
    let mut session = Session::under(file, "r06", &asking(&kind.policy()));
    let token = |iat: Value| kind.token(&with(&kind.claims(), json!({ "iat": iat })));
    let (dated, undated) = (token(json!(T)), token(Value::Null));
    let subject = json!({ "kind": "subject", "iss": kind.issuer, "sub": "u1" });
    session.revoke("revoke", &subject, json!({ "cutoff": T - 1 }), 1);
    let (dated, undated) = (verify(&session, T, &dated), verify(&session, T, &undated));
    let near = "r06-issued-after-the-cutoff";
    session.file.accept(near, &dated, json!({}));
    let id = "r06-issued-nobody-knows-when";
    session.file.refuse(id, near, "revoked", &undated);
    session.close();

    let mut session = Session::under(file, "r10", &surfacing());
    let token = |signed_in: i64| {
        let claims = json!({ "sid": "s1", "iat": T + 60, "auth_time": signed_in, "exp": T + 360 });
        access().token(&with(&access().claims(), claims))
    };
    let ended = json!({ "kind": "session", "iss": AS, "sid": "s1" });
    session.revoke("revoke", &ended, json!({ "cutoff": T }), 1);
    let near = "r10-signed-in-anew";
    let anew = verify(&session, T + 60, &token(T + 50));
    session.file.accept(near, &anew, json!({}));
    let old = verify(&session, T + 60, &token(T - 3600));
    let id = "r10-signed-in-before-it-ended";
    session.file.refuse(id, near, "revoked", &old);
    session.close();
}

/// X01, X02: one request after the other; what threads do at once, the core's tests see.
fn used(file: &mut File) {
    let session = Session::under(file, "x01", &possession::policy());
    let sent = |call: Call| {
        let own = json!({ "session": session.name, "policy": null });
        with(&call.request(), own)
    };
    let near = "x02-then-the-good-one";
    let invalid = sent(Call::new().claims(json!({ "htm": "GET" })));
    let good = sent(Call::new());
    let id = "x02-an-invalid-proof-first";
    session.file.refuse(id, near, "pop_invalid", &invalid);
    session
        .file
        .accept(near, &good, json!({ "sender_constrained": "dpop" }));
    session.file.refuse("x01-again", near, "replayed", &good);
    session.close();
}

/// X03: a status that nobody can look up.
fn statuses(file: &mut File) {
    let status = json!({ "status_list": { "idx": 1, "uri": "https://as.example/status/1" } });
    let listed = with(&access().claims(), json!({ "status": status }));
    let listed = access().verify(&listed);
    let rfc = with(&listed, json!({ "policy": { "preset": "rfc" } }));
    let near = "x03-not-asked-for";
    file.accept(near, &rfc, json!({}));
    file.refuse("x03-nobody-to-ask", near, "status_unavailable", &listed);
}

//! Revocations: every handle a token carries, cut-offs, and what is left alone.

use serde_json::{Value, json};

use super::{File, Kind, T, with};

/// What the tokens carry beside an access token's claims.
fn carried() -> Value {
    json!({
        "sid": "s1",
        "txn": "t1",
        "acti": "w1",
        "mission": { "id": "m1", "issuer": "https://consent.example" },
        "act": { "sub": "outer", "act": { "iss": "https://other.example", "sub": "inner" } },
    })
}

pub(super) fn lines() -> String {
    let mut file = File::default();
    handles(&mut file);
    cutoffs(&mut file);
    ends(&mut file);
    introspected(&mut file);
    file.lines
}

/// A verifier that stays, and the names of its lines.
pub(super) struct Session<'f> {
    pub(super) file: &'f mut File,
    pub(super) name: String,
}

impl<'f> Session<'f> {
    fn open(file: &'f mut File, name: &str) -> Self {
        let more = json!({ "revocation": { "store": "process" },
                           "gates": { "g": { "delegation": "surface" } } });
        let policy = with(&Kind::named("access_token").policy(), more);
        Self::under(file, name, &policy)
    }

    pub(super) fn under(file: &'f mut File, name: &str, policy: &Value) -> Self {
        let open = json!({ "op": "open", "session": name, "policy": policy, "now": T });
        file.accept(&format!("{name}/open"), &open, json!({}));
        Self {
            file,
            name: name.to_owned(),
        }
    }

    fn verify(&self, token: &str) -> Value {
        json!({ "op": "verify", "session": self.name, "now": T, "token": token })
    }

    pub(super) fn revoke(&mut self, id: &str, handle: &Value, more: Value, epoch: u64) {
        let request = json!({ "op": "revoke", "session": self.name, "now": T, "handle": handle });
        let id = format!("{}/{id}", self.name);
        self.file
            .accept(&id, &with(&request, more), json!({ "epoch": epoch }));
    }

    pub(super) fn close(self) {
        let close = json!({ "op": "close", "session": self.name });
        self.file
            .accept(&format!("{}/close", self.name), &close, json!({}));
    }
}

/// A JWT of an issuer that is asked about opaque tokens needs no answer, not even of a verifier
/// that was closed and asks nobody any more; and a gate that asks nobody takes no opaque token. Who
/// would be asked is at an address that no policy reaches unless it names the host, so nothing is
/// sent: what becomes of an answer, the suite over connections sees.
fn introspected(file: &mut File) {
    let kind = Kind::named("access_token");
    let how = json!({
        "endpoint": "https://127.0.0.1:9/introspect", "client_id": "rs", "client_secret": { "env": "PATH" },
    });
    let asks = json!({ "policy": { "issuers": { "as": { "introspection": how } } } });
    let jwt = with(&kind.verify(&kind.claims()), asks.clone());
    let near = "introspection/a-jwt-needs-no-answer";
    file.accept(near, &jwt, json!({ "subject": kind.claims()["sub"] }));
    let opaque = kind.request("mF_9.B5f-4.1JqM");
    file.refuse(
        "introspection/nobody-asks",
        near,
        "malformed_token",
        &opaque,
    );
    let opaque = with(&opaque, asks);
    file.refuse(
        "introspection/being-asked",
        near,
        "introspection_pending",
        &opaque,
    );
    let closed = |request: &Value| with(request, json!({ "closed": true }));
    let near = "introspection/a-jwt-after-the-end";
    file.accept(
        near,
        &closed(&jwt),
        json!({ "subject": kind.claims()["sub"] }),
    );
    file.refuse(
        "introspection/nobody-asks-any-more",
        near,
        "introspection_unavailable",
        &closed(&opaque),
    );
}

/// Each handle ends the token that carries it, and its near miss does not.
fn handles(file: &mut File) {
    let kind = Kind::named("access_token");
    let claims = with(&kind.claims(), carried());
    let token = kind.token(&claims);
    let text = |name: &str| claims[name].as_str().unwrap().to_owned();
    let (iss, sub, jti, client) = (text("iss"), text("sub"), text("jti"), text("client_id"));
    let kid = kind.key().jwk["kid"].clone();
    let cases = [
        (
            "token",
            json!({ "iss": iss, "jti": jti }),
            json!({ "jti": "another" }),
        ),
        (
            "session",
            json!({ "iss": iss, "sid": "s1" }),
            json!({ "sid": "s1 " }),
        ),
        (
            "subject",
            json!({ "iss": iss, "sub": sub }),
            json!({ "sub": "outer" }),
        ),
        (
            "client",
            json!({ "iss": iss, "client_id": client }),
            json!({ "client_id": format!("{client}0") }),
        ),
        (
            "actor",
            json!({ "iss": iss, "sub": "outer" }),
            json!({ "sub": sub }),
        ),
        (
            "actor",
            json!({ "iss": "https://other.example", "sub": "inner" }),
            json!({ "iss": iss }),
        ),
        (
            "signing_key",
            json!({ "iss": iss, "kid": kid }),
            json!({ "kid": "another" }),
        ),
        ("issuer", json!({ "iss": iss }), Value::Null),
        (
            "txn",
            json!({ "aud": iss, "txn": "t1" }),
            json!({ "txn": "T1" }),
        ),
        (
            "workflow",
            json!({ "iss": iss, "acti": "w1" }),
            json!({ "acti": "m1" }),
        ),
        (
            "intent",
            json!({ "iss": "https://consent.example", "id": "m1" }),
            json!({ "iss": iss }),
        ),
    ];
    for (number, (kind, handle, miss)) in cases.into_iter().enumerate() {
        let handle = with(&handle, json!({ "kind": kind }));
        let mut session = Session::open(file, &format!("{kind}-{number}"));
        let near = format!("{}/near", session.name);
        // Of an issuer there is only the whole, and another one is none of the policy's.
        let misses = u64::from(!miss.is_null());
        if misses > 0 {
            session.revoke("other", &with(&handle, miss), json!({}), misses);
        }
        let verify = session.verify(&token);
        session
            .file
            .accept(&near, &verify, json!({ "subject": sub }));
        session.revoke("revoke", &handle, json!({}), misses + 1);
        let id = format!("{}/revoked", session.name);
        session.file.refuse(&id, &near, "revoked", &verify);
        session.close();
    }
}

/// REV-02, REV-10: a cut-off spares what was issued later; behind the outermost actor it counts for
/// a day, and in a session from its sign-in.
fn cutoffs(file: &mut File) {
    let kind = Kind::named("access_token");
    let claims = with(&kind.claims(), carried());
    let (iss, issued) = (claims["iss"].clone(), claims["iat"].as_i64().unwrap());
    let signed_in = json!({ "auth_time": issued - 600 });
    let inner = json!({ "kind": "actor", "iss": "https://other.example", "sub": "inner" });
    let outer = json!({ "kind": "actor", "iss": iss, "sub": "outer" });
    let ended = json!({ "kind": "session", "iss": iss, "sid": "s1" });
    let day = 24 * 60 * 60;
    let cases = [
        ("outermost-actor", outer, issued - 1, issued, json!({})),
        ("inner-actor", inner, T - day, T - day + 1, json!({})),
        ("session", ended.clone(), issued - 1, issued, json!({})),
        ("sign-in", ended, issued - 601, issued - 600, signed_in),
    ];
    for (name, handle, passes, ends, more) in cases {
        let mut session = Session::open(file, &format!("cutoff-{name}"));
        let token = kind.token(&with(&claims, more));
        let near = format!("{}/near", session.name);
        let verify = session.verify(&token);
        session.revoke("earlier", &handle, json!({ "cutoff": passes }), 1);
        session.file.accept(&near, &verify, json!({}));
        session.revoke("later", &handle, json!({ "cutoff": ends }), 2);
        let id = format!("{}/revoked", session.name);
        session.file.refuse(&id, &near, "revoked", &verify);
        session.close();
    }
    let mut session = Session::open(file, "misuse");
    let near = "misuse/revoke";
    let handle = json!({ "kind": "subject", "iss": iss, "sub": "u1" });
    session.revoke("revoke", &handle, json!({}), 1);
    let request = json!({ "op": "revoke", "session": "misuse", "now": T, "handle": handle });
    let named = with(&request, json!({ "handle": { "iss": "as" } }));
    session
        .file
        .refuse("misuse/policy-name", near, "usage", &named);
    let elsewhere = with(
        &request,
        json!({ "handle": { "iss": "https://elsewhere.example" } }),
    );
    session
        .file
        .refuse("misuse/no-such-issuer", near, "usage", &elsewhere);
    let nobody = with(&request, json!({ "handle": { "sub": "" } }));
    session.file.refuse("misuse/nobody", near, "usage", &nobody);
    session.close();
}

/// REV-07: until the end that it was given, to the second; without one, until it is lifted, however
/// long a token may turn out to live.
fn ends(file: &mut File) {
    let kind = Kind::named("access_token");
    let claims = kind.claims();
    let (iss, sub) = (claims["iss"].clone(), claims["sub"].clone());
    let mut session = Session::open(file, "ends");
    let until = json!({ "kind": "subject", "iss": iss, "sub": sub });
    session.revoke("until", &until, json!({ "expires": T + 10 }), 1);
    let verify = session.verify(&kind.token(&claims));
    let at = |now: i64| with(&verify, json!({ "now": now }));
    session
        .file
        .accept("ends/after", &at(T + 10), json!({ "subject": sub }));
    session
        .file
        .refuse("ends/before", "ends/after", "revoked", &at(T + 9));
    let year = 365 * 24 * 60 * 60;
    let later = |jti: &str| {
        let dates = json!({ "iat": T + year, "exp": T + year + 300, "jti": jti });
        kind.token(&with(&claims, dates))
    };
    let token = json!({ "kind": "token", "iss": iss, "jti": "late" });
    session.revoke("without", &token, json!({}), 2);
    let near = "ends/another-after-a-year";
    let at =
        |token: &str| json!({ "op": "verify", "session": "ends", "now": T + year, "token": token });
    session
        .file
        .accept(near, &at(&later("other")), json!({ "subject": sub }));
    session
        .file
        .refuse("ends/after-a-year", near, "revoked", &at(&later("late")));
    session.close();
}

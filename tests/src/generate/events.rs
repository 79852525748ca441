//! Tokens that tell of events: what follows from each (standards 31.4), in whatever order they
//! come; and what status lists say.

use serde_json::{Value, json};

use super::{File, Kind, T, with};

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const ISS: &str = "https://as.example";

pub(super) fn lines() -> String {
    let mut file = File::default();
    logouts(&mut file);
    signals(&mut file);
    order(&mut file);
    once(&mut file);
    enabled(&mut file);
    inputs(&mut file);
    delivered(&mut file);
    states(&mut file);
    lists(&mut file);
    file.lines
}

/// One verifier with a gate for access tokens, one for logout tokens and one for signals.
struct Session<'f> {
    file: &'f mut File,
    name: String,
}

impl<'f> Session<'f> {
    fn open(file: &'f mut File, name: &str, inputs: &[&str]) -> Self {
        let [access, logout, set] = ["access_token", "logout_token", "set"].map(Kind::named);
        let gate = |kind: &Kind| with(&kind.gate_members(), json!({ "issuers": ["as"] }));
        let policy = json!({
            "version": 1,
            "cache": { "tokens": 100 },
            "revocation": { "store": "process", "inputs": inputs },
            "issuers": { "as": {
                "issuer": ISS,
                "jwks": { "keys": [with(&access.key().jwk, json!({ "alg": access.alg })),
                                   with(&set.key().jwk, json!({ "kid": "k2", "alg": set.alg }))] },
                "algorithms": [access.alg, set.alg],
                "profiles": ["access_token", "logout_token", "set"],
            } },
            "gates": {
                "tools": with(&gate(access), json!({ "delegation": "surface" })),
                "sessions": gate(logout),
                "signals": gate(set),
            },
        });
        let open = json!({ "op": "open", "session": name, "policy": policy, "now": T });
        file.accept(&format!("{name}/open"), &open, json!({}));
        Self {
            file,
            name: name.to_owned(),
        }
    }

    /// The access token that events end: of `u1`, in a session, renewed since its sign-in.
    fn verify(&self) -> Value {
        let kind = Kind::named("access_token");
        let more = json!({ "sid": "s1", "act": { "sub": "agent" }, "auth_time": T - 100 });
        let token = kind.token(&with(&kind.claims(), more));
        json!({ "op": "verify", "session": self.name, "gate": "tools", "now": T, "token": token })
    }

    fn tell(&mut self, id: &str, gate: &str, token: &str, entries: usize) {
        let event =
            json!({ "op": "event", "session": self.name, "now": T, "gate": gate, "set": token });
        let id = format!("{}/{id}", self.name);
        let told = json!({ "entries": entries, "duplicate": false });
        self.file.accept(&id, &event, told);
    }

    /// A token that was told before.
    fn tell_again(&mut self, id: &str, gate: &str, token: &str) {
        let event =
            json!({ "op": "event", "session": self.name, "now": T, "gate": gate, "set": token });
        let id = format!("{}/{id}", self.name);
        let told = json!({ "entries": 0, "duplicate": true });
        self.file.accept(&id, &event, told);
    }

    fn passes(&mut self, id: &str) {
        let verify = self.verify();
        let id = format!("{}/{id}", self.name);
        self.file.accept(&id, &verify, json!({ "subject": "u1" }));
    }

    fn refused(&mut self, id: &str, near: &str) {
        let verify = self.verify();
        let (id, near) = (
            format!("{}/{id}", self.name),
            format!("{}/{near}", self.name),
        );
        self.file.refuse(&id, &near, "revoked", &verify);
    }

    fn close(self) {
        let close = json!({ "op": "close", "session": self.name });
        self.file
            .accept(&format!("{}/close", self.name), &close, json!({}));
    }
}

/// Its `jti` says what it tells.
fn logout(more: Value) -> String {
    let kind = Kind::named("logout_token");
    let claims = with(&kind.claims(), json!({ "jti": super::canonical(&more) }));
    kind.token(&with(&claims, more))
}

/// A signal of this type, about `sub_id`, whose `jti` says so.
fn signal(uri: &str, event: Value, sub_id: Value) -> String {
    let jti = super::canonical(&json!([uri, event, sub_id]));
    signal_as(&jti, uri, event, sub_id)
}

fn signal_as(jti: &str, uri: &str, event: Value, sub_id: Value) -> String {
    let kind = Kind::named("set");
    let claims = with(&kind.claims(), json!({ "sub_id": null, "events": null }));
    let claims = with(
        &claims,
        json!({ "jti": jti, "sub_id": sub_id, "events": { uri: event } }),
    );
    let key = kind.key();
    let header = super::header(&key, kind.typ).replace("\"k1\"", "\"k2\"");
    super::token(&key, &header, &super::canonical(&claims))
}

fn iss_sub(sub: &str) -> Value {
    json!({ "format": "iss_sub", "iss": ISS, "sub": sub })
}

/// LOG-07.
fn logouts(file: &mut File) {
    let cases = [
        ("sid", json!({}), json!({ "sid": "s2" }), 1),
        (
            "sub",
            json!({ "sid": null, "sub": "u1" }),
            json!({ "sid": null, "sub": "u2" }),
            2,
        ),
        (
            "sid-of-sub",
            json!({ "sub": "u1" }),
            json!({ "sub": "u1", "sid": "s2" }),
            1,
        ),
    ];
    for (name, ends, miss, entries) in cases {
        let mut session = Session::open(file, &format!("logout-{name}"), &[]);
        session.tell("other", "sessions", &logout(miss), entries);
        session.passes("near");
        session.tell("told", "sessions", &logout(ends.clone()), entries);
        session.refused("ended", "near");
        session.tell_again("told-again", "sessions", &logout(ends.clone()));
        let anew = with(&ends, json!({ "jti": "anew" }));
        session.tell("told-anew", "sessions", &logout(anew), entries);
        session.close();
    }
    // A token that tells of nothing.
    let session = Session::open(file, "misuse", &[]);
    let kind = Kind::named("access_token");
    let event = json!({ "op": "event", "session": "misuse", "now": T, "gate": "sessions", "set": logout(json!({})) });
    session
        .file
        .accept("misuse/logout", &event, json!({ "entries": 1 }));
    let other = json!({ "jti": "j9" });
    let access = kind.token(&with(&kind.claims(), other));
    let misuse = with(&event, json!({ "gate": "tools", "set": access }));
    session
        .file
        .refuse("misuse/access-token", "misuse/logout", "usage", &misuse);
    session.close();
}

/// Each row of the table, with what nearly is it.
fn signals(file: &mut File) {
    let at = |at: i64| json!({ "event_timestamp": at });
    let and = |value: Value| with(&at(T), value);
    let caep = |name: &str| format!("{CAEP}{name}");
    let risc = |name: &str| format!("{RISC}{name}");
    let u1 = || iss_sub("u1");
    let session = |sid: &str| json!({ "format": "complex", "user": u1(), "session": { "format": "opaque", "id": sid } });
    let elsewhere = json!({ "format": "iss_sub", "iss": "https://other.example", "sub": "u1" });
    type Told = (String, Value, Value, usize);
    let cases: Vec<(&str, Told, Told)> = vec![
        (
            "session",
            (caep("session-revoked"), at(T - 900), session("s1"), 1),
            (caep("session-revoked"), at(T - 900), session("s2"), 1),
        ),
        (
            "user",
            (caep("session-revoked"), at(T), u1(), 2),
            (caep("session-revoked"), at(T - 1), u1(), 2),
        ),
        (
            "agent",
            (caep("session-revoked"), at(T), iss_sub("agent"), 2),
            (caep("session-revoked"), at(T), iss_sub("agent2"), 2),
        ),
        (
            "issuer",
            (caep("session-revoked"), at(T), u1(), 2),
            (caep("session-revoked"), at(T), elsewhere, 0),
        ),
        (
            "type",
            (caep("token-claims-change"), at(T), u1(), 2),
            (
                "https://example.com/token-claims-change".to_owned(),
                at(T),
                u1(),
                0,
            ),
        ),
        (
            "credential",
            (
                caep("credential-change"),
                and(json!({ "change_type": "delete" })),
                u1(),
                3,
            ),
            (
                caep("credential-change"),
                and(json!({ "change_type": "create" })),
                u1(),
                0,
            ),
        ),
        (
            "assurance",
            (
                caep("assurance-level-change"),
                and(json!({ "change_direction": "decrease" })),
                u1(),
                2,
            ),
            (
                caep("assurance-level-change"),
                and(json!({ "change_direction": "increase" })),
                u1(),
                0,
            ),
        ),
        (
            "device",
            (
                caep("device-compliance-change"),
                and(json!({ "current_status": "not-compliant" })),
                u1(),
                2,
            ),
            (
                caep("device-compliance-change"),
                and(json!({ "current_status": "compliant" })),
                u1(),
                0,
            ),
        ),
        (
            "risk",
            (
                caep("risk-level-change"),
                and(json!({ "current_level": "HIGH" })),
                u1(),
                2,
            ),
            (
                caep("risk-level-change"),
                and(json!({ "current_level": "MEDIUM" })),
                u1(),
                0,
            ),
        ),
        (
            "sign-in", // REV-10
            (risc("credential-compromise"), at(T - 100), u1(), 3),
            (risc("credential-compromise"), at(T - 101), u1(), 3),
        ),
        (
            "disabled",
            (risc("account-disabled"), at(T - 900), u1(), 1),
            (risc("account-disabled"), at(T - 900), iss_sub("u1 "), 1),
        ),
        (
            "purged",
            (risc("account-purged"), at(T - 900), u1(), 2),
            (
                risc("account-credential-change-required"),
                at(T - 900),
                u1(),
                3,
            ),
        ),
        (
            "recycled",
            (risc("identifier-recycled"), at(T), u1(), 2),
            (risc("identifier-changed"), at(T), u1(), 0),
        ),
        (
            "token",
            (
                caep("session-revoked"),
                at(T),
                json!({ "format": "jwt_id", "iss": ISS, "jti": "j1" }),
                1,
            ),
            (
                caep("session-revoked"),
                at(T),
                json!({ "format": "jwt_id", "iss": ISS, "jti": "j2" }),
                1,
            ),
        ),
        (
            "application",
            (
                caep("session-revoked"),
                at(T),
                json!({ "format": "complex", "application": iss_sub("agent-a") }),
                3,
            ),
            (
                caep("session-revoked"),
                at(T),
                json!({ "format": "complex", "tenant": iss_sub("agent-a") }),
                0,
            ),
        ),
    ];
    for (name, ends, miss) in cases {
        let mut session = Session::open(file, &format!("signal-{name}"), &[]);
        let (uri, event, sub_id, entries) = miss;
        session.tell("other", "signals", &signal(&uri, event, sub_id), entries);
        session.passes("near");
        let (uri, event, sub_id, entries) = ends;
        session.tell("told", "signals", &signal(&uri, event, sub_id), entries);
        session.refused("ended", "near");
        session.close();
    }
}

/// REV-08: an account opens again by what happened later, whenever that is told.
fn order(file: &mut File) {
    let told = |name: &str, at: i64| {
        signal(
            &format!("{RISC}{name}"),
            json!({ "event_timestamp": at }),
            iss_sub("u1"),
        )
    };
    let mut session = Session::open(file, "order", &[]);
    session.passes("near");
    session.tell("disabled", "signals", &told("account-disabled", T - 50), 1);
    session.refused("closed", "near");
    session.tell(
        "enabled-before",
        "signals",
        &told("account-enabled", T - 51),
        1,
    );
    session.refused("still-closed", "near");
    session.tell(
        "enabled-after",
        "signals",
        &told("account-enabled", T - 49),
        1,
    );
    session.passes("opened");
    session.tell(
        "disabled-before",
        "signals",
        &signal_as(
            "disabled-before",
            &format!("{RISC}account-disabled"),
            json!({ "event_timestamp": T - 50 }),
            iss_sub("u1"),
        ),
        1,
    );
    session.passes("still-open");
    session.close();
}

/// SET-07: of two events of one second the one told later counts, unless it was told before.
fn once(file: &mut File) {
    let told = |jti: &str, name: &str| {
        let event = json!({ "event_timestamp": T });
        signal_as(jti, &format!("{RISC}{name}"), event, iss_sub("u1"))
    };
    let mut session = Session::open(file, "once", &[]);
    let disabled = told("e1", "account-disabled");
    session.tell("disabled", "signals", &disabled, 1);
    session.tell("enabled", "signals", &told("e2", "account-enabled"), 1);
    session.passes("opened");
    session.tell_again("replayed", "signals", &disabled);
    session.passes("still-open");
    let anew = told("e3", "account-disabled");
    session.tell("told-anew", "signals", &anew, 1);
    session.refused("closed", "still-open");
    session.close();
}

/// REV-08: an issuer enables what it has disabled, and takes back nothing that an operator has
/// revoked of the account; of which a cut-off ends what was issued up to it.
fn enabled(file: &mut File) {
    let told = |name: &str| {
        let event = json!({ "event_timestamp": T });
        signal(&format!("{RISC}{name}"), event, iss_sub("u1"))
    };
    for (name, cutoff, ends) in [("cut-off", T, true), ("older-cut-off", T - 3_600, false)] {
        let mut session = Session::open(file, name, &[]);
        session.passes("near");
        let account = json!({ "kind": "account", "iss": ISS, "sub": "u1" });
        let revoke = json!({ "op": "revoke", "session": name, "now": T, "handle": account,
                             "cutoff": cutoff });
        let id = format!("{name}/account");
        session.file.accept(&id, &revoke, json!({ "epoch": 1 }));
        let stands = |session: &mut Session<'_>, id: &str| match ends {
            true => session.refused(id, "near"),
            false => session.passes(id),
        };
        stands(&mut session, "cut-off");
        session.tell("disabled", "signals", &told("account-disabled"), 1);
        session.refused("closed", "near");
        session.tell("enabled", "signals", &told("account-enabled"), 1);
        stands(&mut session, "opened");
        session.close();
    }
}

/// What a gate accepts that is an input is revoked without a word from the program.
fn inputs(file: &mut File) {
    let session = Session::open(file, "inputs", &["sessions"]);
    let verify = |gate: &str, token: String| json!({ "op": "verify", "session": "inputs", "gate": gate, "now": T, "token": token });
    let signal = signal(
        &format!("{CAEP}session-revoked"),
        json!({ "event_timestamp": T }),
        iss_sub("u1"),
    );
    let mut session = session;
    session.file.accept(
        "inputs/signal",
        &verify("signals", signal),
        json!({ "profile": "set" }),
    );
    session.passes("near");
    session.file.accept(
        "inputs/logout",
        &verify("sessions", logout(json!({}))),
        json!({ "profile": "logout_token" }),
    );
    session.refused("ended", "near");
    session.close();
}

/// A request as its issuer makes it to a receiver at `signals`.
fn delivery(session: &str, set: &str) -> Value {
    json!({ "op": "deliver", "session": session, "now": T, "gate": "signals", "set": set })
}

/// What is delivered is done once and told so, whether or not its gate is an input.
fn delivered(file: &mut File) {
    for (name, inputs) in [
        ("delivered", &[][..]),
        ("delivered-to-an-input", &["signals"]),
    ] {
        let mut session = Session::open(file, name, inputs);
        session.passes("near");
        let ends = signal(
            &format!("{CAEP}session-revoked"),
            json!({ "event_timestamp": T }),
            iss_sub("u1"),
        );
        let id = |told: &str| format!("{name}/{told}");
        let told = |entries: usize, duplicate: bool| json!({ "status": 202, "err": null, "entries": entries, "duplicate": duplicate });
        let request = delivery(name, &ends);
        session.file.accept(&id("first"), &request, told(2, false));
        session.refused("ended", "near");
        session.file.accept(&id("again"), &request, told(0, true));
        session.close();
    }
}

/// SET-11 (SSF §8.1.4): a stream is verified with the state that was sent.
fn states(file: &mut File) {
    const NAME: &str = "set-11";
    let session = Session::open(file, NAME, &[]);
    let says = |event: Value| {
        let uri = "https://schemas.openid.net/secevent/ssf/event-type/verification";
        let set = signal(uri, event, json!({ "format": "opaque", "id": "stream" }));
        with(&delivery(NAME, &set), json!({ "expecting_state": "s1" }))
    };
    let taken = json!({ "status": 202, "err": null, "entries": 0, "duplicate": false });
    let refused =
        json!({ "status": 400, "err": "invalid_state", "entries": null, "duplicate": null });
    for (id, event, answer) in [
        ("set-11/its-state", json!({ "state": "s1" }), &taken),
        ("set-11/another", json!({ "state": "s2" }), &refused),
        ("set-11/none", json!({}), &refused),
        ("set-11/a-number", json!({ "state": 1 }), &refused),
    ] {
        session.file.accept(id, &says(event), answer.clone());
    }
    let unasked = with(
        &says(json!({ "state": "s3" })),
        json!({ "expecting_state": null }),
    );
    session.file.accept("set-11/nobody-asked", &unasked, taken);
    session.close();
}

/// TSL-07 to TSL-10: the examples of the draft, and what nearly is them.
fn lists(file: &mut File) {
    let read = |bits: u64, lst: &str, index: u64| {
        let list = json!({ "bits": bits, "lst": lst });
        json!({ "op": "status_list", "list": list, "index": index })
    };
    let examples: [(u64, &str, &[u64]); 2] = [
        (
            1,
            "eNrbuRgAAhcBXQ",
            &[1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1],
        ),
        (2, "eNo76fITAAPfAgc", &[1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]),
    ];
    for (bits, lst, statuses) in examples {
        for (index, status) in (0..).zip(statuses) {
            let id = format!("status/{bits}-bit-{index}");
            file.accept(&id, &read(bits, lst, index), json!({ "status": status }));
        }
        let (last, count) = (
            statuses.len() - 1,
            u64::try_from(statuses.len()).expect("few"),
        );
        let near = format!("status/{bits}-bit-{last}");
        for index in [count, count + 7, u64::from(u32::MAX)] {
            let id = format!("status/{bits}-bit-{index}");
            file.refuse(&id, &near, "claim_type", &read(bits, lst, index));
        }
    }
    let lst = "eNrbuRgAAhcBXQ";
    for (name, bits, lst) in [
        ("three-bits", 3, lst),
        ("no-bits", 0, lst),
        ("padding", 1, "eNrbuRgAAhcBXQ=="),
        ("raw-deflate", 1, "27kYAA"),
        ("another-sum", 1, "eNrbuRgAAhcBXA"),
        ("cut", 1, "eNrbuRgAAhcB"),
        ("behind-it", 1, "eNrbuRgAAhcBXQA"),
        ("nothing", 1, ""),
    ] {
        let id = format!("status/{name}");
        file.refuse(&id, "status/1-bit-0", "claim_type", &read(bits, lst, 0));
    }
    let kind = Kind::named("status_list_token");
    let token = kind.token(&kind.claims());
    let of_token = json!({ "op": "status_list", "policy": kind.policy(), "now": T, "token": token, "index": 3 });
    file.accept("status/of-a-token", &of_token, json!({ "status": 1 }));
    let late = with(&of_token, json!({ "now": T + 1000 }));
    file.refuse(
        "status/of-an-old-token",
        "status/of-a-token",
        "expired",
        &late,
    );
}

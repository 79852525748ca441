use super::{CAEP, Meaning, RISC, TABLE, changes};
use crate::claims::Claims;
use crate::encoding::json::Json;
use crate::limits::Limits;
use crate::policy::{Format, Kind, Policy};
use crate::revocation::Change;

const ISS: &str = "https://login.example.com";
const T: i64 = 1_800_000_000;

/// What follows, one line a change: kind, parts, cut-off.
fn follows(kind: Kind, claims: serde_json::Value) -> Vec<String> {
    let document = serde_json::json!({
        "version": 1,
        "issuers": { "a": { "issuer": ISS, "jwks_push": "process", "algorithms": ["ES256"], "profiles": ["set"] } },
        "gates": { "g": { "profile": "set", "issuers": ["a"], "audience": "c1" } },
    });
    let policy = Policy::parse(document.to_string(), Format::Json).unwrap();
    let text = claims.to_string().into_bytes();
    let json = Json::parse(text, Limits::DEFAULT.into()).unwrap();
    let claims = Claims::locate(json).unwrap();
    let issuer = &policy.rules().issuers[0];
    let told = |change: &Change| {
        let handle = change.handle();
        let scope = handle.scope().strip_prefix(ISS).unwrap();
        let what = match change.cutoff() {
            _ if change.is_lifted() => format!("lifted {}", change.at().seconds() - T),
            Some(cutoff) => (cutoff.seconds() - T).to_string(),
            None => "all".to_owned(),
        };
        format!("{} {scope}{} {what}", handle.kind().name(), handle.value())
    };
    changes(kind, &claims, ISS, issuer)
        .iter()
        .map(told)
        .collect()
}

fn set(uri: &str, event: serde_json::Value, sub_id: serde_json::Value) -> Vec<String> {
    let claims = serde_json::json!({ "iat": T, "sub_id": sub_id, "events": { uri: event } });
    follows(Kind::Set, claims)
}

fn u1() -> serde_json::Value {
    serde_json::json!({ "format": "iss_sub", "iss": ISS, "sub": "u1" })
}

#[test]
fn log_07_a_logout_ends_the_session_else_what_was_issued_until_then() {
    let token = |more: serde_json::Value| {
        let mut claims = serde_json::json!({ "iat": T });
        claims
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        follows(Kind::LogoutToken, claims)
    };
    assert_eq!(
        token(serde_json::json!({ "sid": "s1" })),
        ["session s1 all"]
    );
    assert_eq!(
        token(serde_json::json!({ "sid": "s1", "sub": "u1" })),
        ["session s1 all"]
    );
    assert_eq!(
        token(serde_json::json!({ "sub": "u1" })),
        ["subject u1 0", "actor u1 0"]
    );
    assert!(
        follows(
            Kind::AccessToken,
            serde_json::json!({ "iat": T, "sub": "u1" })
        )
        .is_empty()
    );
}

/// Table 31.4, row by row.
#[test]
fn each_type_of_event_does_what_its_row_says() {
    let none: [&str; 0] = [];
    let out = ["subject u1 -5", "actor u1 -5"];
    let changed = ["subject u1 -5", "actor u1 -5", "credential u1 -5"];
    let caep: [(&str, serde_json::Value, &[&str]); 14] = [
        ("session-revoked", serde_json::json!({}), &out),
        (
            "token-claims-change",
            serde_json::json!({ "claims": {} }),
            &out,
        ),
        (
            "credential-change",
            serde_json::json!({ "change_type": "revoke" }),
            &changed,
        ),
        (
            "credential-change",
            serde_json::json!({ "change_type": "delete" }),
            &changed,
        ),
        (
            "credential-change",
            serde_json::json!({ "change_type": "create" }),
            &none,
        ),
        (
            "credential-change",
            serde_json::json!({ "change_type": "update" }),
            &none,
        ),
        (
            "assurance-level-change",
            serde_json::json!({ "change_direction": "decrease" }),
            &out,
        ),
        (
            "assurance-level-change",
            serde_json::json!({ "change_direction": "increase" }),
            &none,
        ),
        (
            "device-compliance-change",
            serde_json::json!({ "current_status": "not-compliant" }),
            &out,
        ),
        (
            "device-compliance-change",
            serde_json::json!({ "current_status": "compliant" }),
            &none,
        ),
        (
            "risk-level-change",
            serde_json::json!({ "current_level": "HIGH" }),
            &out,
        ),
        (
            "risk-level-change",
            serde_json::json!({ "current_level": "LOW" }),
            &none,
        ),
        ("session-established", serde_json::json!({}), &none),
        ("session-presented", serde_json::json!({}), &none),
    ];
    let risc: [(&str, serde_json::Value, &[&str]); 9] = [
        (
            "account-disabled",
            serde_json::json!({ "reason": "hijacking" }),
            &["disabled u1 all"],
        ),
        (
            "account-enabled",
            serde_json::json!({}),
            &["disabled u1 lifted -5"],
        ),
        (
            "account-purged",
            serde_json::json!({}),
            &["subject u1 all", "actor u1 all"],
        ),
        (
            "account-credential-change-required",
            serde_json::json!({}),
            &changed,
        ),
        ("credential-compromise", serde_json::json!({}), &changed),
        ("identifier-recycled", serde_json::json!({}), &out),
        (
            "identifier-changed",
            serde_json::json!({ "new-value": "u2" }),
            &none,
        ),
        ("sessions-revoked", serde_json::json!({}), &out),
        ("opt-out-initiated", serde_json::json!({}), &none),
    ];
    let caep = caep
        .into_iter()
        .map(|(name, event, follows)| (format!("{CAEP}{name}"), event, follows));
    let risc = risc
        .into_iter()
        .map(|(name, event, follows)| (format!("{RISC}{name}"), event, follows));
    for (uri, mut event, expected) in caep.chain(risc) {
        event["event_timestamp"] = (T - 5).into();
        assert_eq!(set(&uri, event, u1()), expected, "{uri}");
    }
    for unknown in [
        "session-revoked",
        "https://example.com/session-revoked",
        CAEP,
        "",
    ] {
        assert!(
            set(unknown, serde_json::json!({}), u1()).is_empty(),
            "{unknown}"
        );
    }
}

fn complex(parts: &[&str]) -> serde_json::Value {
    let mut sub_id = serde_json::json!({ "format": "complex" });
    for part in parts {
        sub_id[*part] = serde_json::json!({ "format": "iss_sub", "iss": ISS, "sub": part });
    }
    sub_id
}

/// What follows, in the words of the manual's table.
fn cell(follows: &[String]) -> String {
    let mut cells: Vec<(Vec<String>, &str)> = Vec::new();
    for line in follows {
        let (kind, rest) = line.split_once(' ').unwrap();
        let extent = match rest.split(' ').next_back().unwrap() {
            _ if rest.contains(" lifted ") => "lifted",
            "all" => "all",
            _ => "up to the event",
        };
        let kind = format!("`{kind}`");
        match cells.last_mut().filter(|(_, known)| *known == extent) {
            Some((kinds, _)) => kinds.push(kind),
            None => cells.push((vec![kind], extent)),
        }
    }
    let cells = cells.iter();
    let cells: Vec<_> = cells
        .map(|(kinds, extent)| format!("{} {extent}", kinds.join(" ")))
        .collect();
    match cells.as_slice() {
        [] => "nothing".to_owned(),
        cells => cells.join(", "),
    }
}

/// Operators read there what an event will do, before it comes.
#[test]
fn the_manuals_table_is_what_follows_from_each_event() {
    let subjects = [
        u1(),
        complex(&["session"]),
        complex(&["session", "user"]),
        complex(&["application"]),
        serde_json::json!({ "format": "jwt_id", "iss": ISS, "jti": "j1" }),
    ];
    let line = |name: &str, cells: &[String]| format!("| {name} | {} |", cells.join(" | "));
    let logout = |claims: serde_json::Value| cell(&follows(Kind::LogoutToken, claims));
    let mut lines = vec![line(
        "back-channel logout",
        &[
            logout(serde_json::json!({ "iat": T, "sub": "u1" })),
            logout(serde_json::json!({ "iat": T, "sid": "s1" })),
            logout(serde_json::json!({ "iat": T, "sid": "s1", "sub": "u1" })),
            String::new(),
            String::new(),
        ],
    )];
    for Meaning {
        family,
        name,
        only_where,
        ..
    } in &TABLE
    {
        let family_name = if *family == CAEP { "CAEP" } else { "RISC" };
        let mut told = format!("{family_name} `{name}`");
        let mut event = serde_json::json!({ "event_timestamp": T - 5 });
        if let Some((member, says)) = only_where {
            told += &format!(", `{member}` {}", says.join(" or "));
            event[*member] = says[0].into();
        }
        let uri = format!("{family}{name}");
        let cells = subjects
            .clone()
            .map(|sub_id| set(&uri, event.clone(), sub_id));
        lines.push(line(&told, &cells.map(|follows| cell(&follows))));
    }
    let page = include_str!("../manual/revocation.md");
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| event |"));
    let rows: Vec<&str> = rows
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(rows, lines, "write into the manual:\n{}", lines.join("\n"));
}

/// SET-08, and never later than it was told: a cut-off in the future would end tokens to come.
#[test]
fn an_event_happened_when_it_says_and_no_later_than_it_was_signed() {
    let uri = format!("{CAEP}session-revoked");
    let at = |event: serde_json::Value, toe: serde_json::Value| {
        let mut claims = serde_json::json!({ "iat": T, "sub_id": u1(), "events": { &uri: event } });
        if !toe.is_null() {
            claims["toe"] = toe;
        }
        follows(Kind::Set, claims).swap_remove(0)
    };
    let null = || serde_json::Value::Null;
    assert_eq!(at(serde_json::json!({}), null()), "subject u1 0");
    assert_eq!(at(serde_json::json!({}), (T - 7).into()), "subject u1 -7");
    let both = serde_json::json!({ "event_timestamp": T - 9 });
    assert_eq!(at(both, (T - 7).into()), "subject u1 -9");
    for later in [T + 1, T * 1000, 253_402_300_800] {
        let event = serde_json::json!({ "event_timestamp": later });
        assert_eq!(at(event, null()), "subject u1 0", "{later}");
    }
    let text = serde_json::json!({ "event_timestamp": "1" });
    assert_eq!(at(text, null()), "subject u1 0");
}

#[test]
fn subjects_are_named_as_tokens_name_them() {
    let revoked = |sub_id: serde_json::Value| {
        set(
            &format!("{CAEP}session-revoked"),
            serde_json::json!({}),
            sub_id,
        )
    };
    let party = |name: &str| vec![format!("subject {name} 0"), format!("actor {name} 0")];
    for (format, member, value) in [
        ("email", "email", "u@example.com"),
        ("phone_number", "phone_number", "+12065550100"),
        ("account", "uri", "acct:u@example.com"),
        ("uri", "uri", "spiffe://example.com/agents/7"),
        ("did", "url", "did:example:1"),
    ] {
        let sub_id = serde_json::json!({ "format": format, member: value });
        assert_eq!(revoked(sub_id), party(value), "{format}");
    }
    let opaque = serde_json::json!({ "format": "opaque", "id": "x" });
    assert_eq!(
        revoked(opaque.clone()),
        ["session x all", "subject x 0", "actor x 0"]
    );
    assert_eq!(
        set(
            &format!("{RISC}sessions-revoked"),
            serde_json::json!({}),
            opaque
        ),
        party("x")
    );
    let jwt_id = serde_json::json!({ "format": "jwt_id", "iss": ISS, "jti": "j1" });
    assert_eq!(revoked(jwt_id), ["token j1 all"]);
    let aliases = serde_json::json!({ "format": "aliases", "identifiers": [u1(), { "format": "email", "email": "e" }] });
    assert_eq!(revoked(aliases), [party("u1"), party("e")].concat());
    for nobody in [
        serde_json::json!({ "format": "saml_assertion_id", "issuer": ISS, "assertion_id": "a" }),
        serde_json::json!({ "format": "ip-addresses", "ip-addresses": ["10.0.0.1"] }),
    ] {
        assert!(revoked(nobody).is_empty());
    }
    // REV-03: nobody speaks for another issuer.
    for other in [
        serde_json::json!({ "format": "iss_sub", "iss": "https://login.example.com/", "sub": "u1" }),
        serde_json::json!({ "format": "jwt_id", "iss": "https://other.example", "jti": "j1" }),
    ] {
        assert!(revoked(other).is_empty());
    }
}

/// SET-06.
#[test]
fn of_a_complex_subject_the_narrowest_part_counts_that_tokens_name() {
    let revoked = |parts: &[&str]| {
        set(
            &format!("{CAEP}session-revoked"),
            serde_json::json!({}),
            complex(parts),
        )
    };
    let user = ["subject user 0", "actor user 0"];
    assert_eq!(
        revoked(&["user", "session", "device"]),
        ["session session all"]
    );
    assert_eq!(revoked(&["user", "device", "tenant"]), user);
    assert_eq!(revoked(&["user", "application"]), user);
    assert_eq!(
        revoked(&["application", "tenant"]),
        [
            "client application 0",
            "subject application 0",
            "actor application 0"
        ]
    );
    assert!(revoked(&["device", "tenant", "org_unit", "group"]).is_empty());
    // What concerns an account is not over with its session.
    let disabled = set(
        &format!("{RISC}account-disabled"),
        serde_json::json!({}),
        complex(&["user", "session"]),
    );
    assert_eq!(disabled, ["disabled user all"]);
}

//! What `explain` and the hints say: our half beside the token's, without a hole, and the member to
//! set.

use super::{A, NOW, base64url, key, set};
use crate::crypto::{SigningKey, aws_lc};
use crate::error::{Code, Error};
use crate::policy::{Format, LoadOptions, Policy};
use crate::time::{Clock, Span};
use crate::verifier::{Explanation, Gate, Outcome, Requirements, Verifier};

/// A gate of this kind with these members, from an issuer with these.
fn gate_of(kind: &str, gate: &str, issuer: &str) -> (Gate, SigningKey) {
    let document = format!(
        r#"{{"version":1,
            "issuers":{{"corp":{{"issuer":"{A}","jwks_push":"process","algorithms":["Ed25519"]{issuer}}}}},
            "gates":{{"tools":{{"profile":"{kind}","audience":"https://api.example.com/mcp",
                "issuers":["corp"]{gate}}}}}}}"#
    );
    let policy = Policy::parse_with(document, Format::Json, &LoadOptions::new()).unwrap();
    let verifier = Verifier::with_clock(policy, aws_lc::provider(), Clock::fixed(NOW)).unwrap();
    let keys: Vec<SigningKey> = (1..8).map(|seed| key(seed, &format!("k{seed}"))).collect();
    let keys: Vec<&SigningKey> = keys.iter().collect();
    verifier.keys().publish("corp", &set(&keys)).unwrap();
    (verifier.gate("tools").unwrap(), key(1, "k1"))
}

fn signed(key: &SigningKey, header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|text| base64url::encode(text.as_bytes()));
    let input = format!("{header}.{claims}");
    let signature = base64url::encode(&key.sign(input.as_bytes()).unwrap());
    format!("{input}.{signature}")
}

const HEADER: &str = r#"{"alg":"Ed25519","typ":"at+jwt","kid":"k1"}"#;
const CLAIMS: &str = r#"{"iss":"https://a.example","sub":"u1","aud":"https://api.example.com/mcp",
    "client_id":"c1","jti":"j1","scope":"a b","iat":1800000000,"exp":1800000300}"#;

/// The line that refuses, and the hint.
fn said(explanation: Explanation) -> (String, String) {
    let error = explanation.outcome.unwrap_err();
    let step = explanation
        .steps
        .into_iter()
        .find(|step| step.outcome == Outcome::Refused)
        .unwrap_or_else(|| panic!("{error}"));
    (step.note, explanation.advice.unwrap().hint)
}

fn explained(header: &str, claims: &str) -> (String, String) {
    let (gate, key) = gate_of("access_token", "", "");
    said(gate.explain(signed(&key, header, claims)))
}

#[test]
fn the_line_that_refuses_has_both_halves() {
    let claims = |from: &str, to: &str| {
        assert!(CLAIMS.contains(from), "{from}");
        explained(HEADER, &CLAIMS.replace(from, to)).0
    };
    let header = |text: &str| explained(text, CLAIMS).0;
    assert_eq!(
        header(r#"{"alg":"Ed25519","typ":"JWT","kid":"k1"}"#),
        "typ is \"JWT\", expected \"at+jwt\""
    );
    assert_eq!(
        header(r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#),
        "alg is \"HS256\", expected Ed25519"
    );
    assert_eq!(
        header(r#"{"alg":"Ed25519","typ":"at+jwt","kid":"x"}"#),
        "kid is \"x\", the keys of corp are \"k1\", \"k2\", \"k3\", \"k4\", \"k5\" and 2 more"
    );
    assert_eq!(
        header(r#"{"alg":"Ed25519","typ":"at+jwt","crit":["exp","x"],"exp":1}"#),
        "crit lists \"exp\" or \"x\""
    );
    for (from, to, text) in [
        (
            "1800000300",
            "1799999850",
            "expired 2 min 30 s ago, leeway 30 s",
        ),
        (
            "1800000300",
            "1800007200",
            "lives 2 h (exp - iat), at most 1 h",
        ),
        (
            "\"iat\":1800000000",
            "\"iat\":1800002280",
            "issued in 38 min, leeway 30 s",
        ),
        (
            "\"jti\"",
            "\"nbf\":1800002280,\"jti\"",
            "valid in 38 min, leeway 30 s",
        ),
        (
            "1800000300",
            "\"1800000300\"",
            "exp is \"1800000300\" (a string), where a number of seconds since 1970 belongs",
        ),
        (
            "\"client_id\":\"c1\",\"jti\":\"j1\",",
            "",
            "missing: jti, client_id",
        ),
        (
            "\"jti\"",
            "\"nonce\":1,\"at_hash\":2,\"jti\"",
            "has nonce, at_hash, which access_token never has",
        ),
        (
            "\"https://api.example.com/mcp\"",
            "[\"x\",\"https://api.example.com/mcp/\"]",
            "aud is [\"x\",\"https://api.example.com/mcp/\"], expected \
             \"https://api.example.com/mcp\": \"https://api.example.com/mcp/\" has one \"/\" more",
        ),
        (
            "https://a.example",
            "http://a.example",
            "iss is \"http://a.example\", expected \"https://a.example\": \"http://a.example\" has \
             http for https",
        ),
        (
            "\"jti\"",
            "\"act\":{\"sub\":\"1\",\"act\":{\"sub\":\"2\",\"act\":{\"sub\":\"3\",\"act\":{\"sub\":\"4\",\
             \"act\":{\"sub\":\"5\",\"act\":{\"sub\":\"6\"}}}}}},\"jti\"",
            "act has 6 actors, at most 5",
        ),
        (
            "\"jti\"",
            "\"act\":{\"sub\":\"1\"},\"jti\"",
            "act names 1 actor, and gates.tools.delegation is \"forbid\"",
        ),
        (
            "\"jti\"",
            "\"txn\":\"1\",\"req_wl\":\"2\",\"jti\"",
            "has txn and req_wl together, which access_token never has",
        ),
    ] {
        assert_eq!(claims(from, to), text);
    }
    let (gate, key) = gate_of("access_token", "", "");
    let long = said(gate.explain("a".repeat(20_000))).0;
    assert_eq!(long, "20000 bytes, at most 16384 (limits.max_token_size)");
    let string = CLAIMS.replace("\"u1\"", &format!("\"{}\"", "u".repeat(3000)));
    let (long, _) = said(gate.explain(signed(&key, HEADER, &string)));
    assert!(
        long.starts_with("payload: a string of more than 2048 bytes"),
        "{long}"
    );
    let needs = Requirements::scopes(["b", "c", "d"]).with_max_age(Span::from_seconds(60));
    let (lacking, hint) = said(gate.explain_with(signed(&key, HEADER, CLAIMS), &needs));
    assert_eq!(lacking, "scope is \"a b\", needed are b c d: missing c d");
    assert_eq!(hint, "Needed: b c d. Step up with exactly these.");
}

#[test]
fn kinds_tell_of_their_own_claims() {
    let line = |kind: &str, more: &str, typ: &str, claims: &str| {
        let (gate, key) = gate_of(kind, more, &format!(r#","profiles":["{kind}"]"#));
        let header = HEADER.replace("at+jwt", typ);
        let base = r#""iss":"https://a.example","iat":1800000000"#;
        said(gate.explain(signed(&key, &header, &format!("{{{base},{claims}}}")))).0
    };
    let aud = r#""aud":"https://api.example.com/mcp","jti":"j1""#;
    let set = |claims: &str| line("set", "", "secevent+jwt", &format!("{aud},{claims}"));
    assert_eq!(set(r#""txn":"x1""#), "missing: events, sub_id");
    assert_eq!(
        set(r#""exp":1,"sub":"u1""#),
        "has sub, exp, which set never has"
    );
    assert_eq!(
        set(r#""events":{},"sub_id":{"format":"opaque","id":"u1"}"#),
        "events is {} (an object), where an object of one event, itself an object, belongs"
    );
    assert_eq!(
        set(r#""events":{"e":{}},"sub_id":{"format":"agent"}"#),
        "sub_id is {\"format\":\"agent\"} (an object), where an object with the right members \
         belongs"
    );
    assert_eq!(
        set(r#""events":{"e":{}},"sub_id":1"#),
        "sub_id is 1 (a number), where an object belongs"
    );
    let txn = r#","exp":1800000300,"sub":"u1","txn":"x1","scope":"a","req_wl":"gw""#;
    let txn = |claims: &str| {
        line(
            "txn_token",
            "",
            "txntoken+jwt",
            &format!("{aud}{txn},{claims}"),
        )
    };
    assert_eq!(txn(r#""purp":"x""#), "has purp, which txn_token never has");
    assert_eq!(
        txn(r#""tctx":{"t":"eyJ.eyJ.x"}"#),
        "a string in tctx or rctx looks like a token, and must be none"
    );
    let typ = r#","typ":"intent+jwt""#;
    let intent = |claims: &str| {
        let claims = format!(r#"{aud},"sub":"u1","exp":1800000300{claims}"#);
        line("intent_token", typ, "intent+jwt", &claims)
    };
    assert_eq!(
        intent(""),
        "intent and mission are missing, one of which must be there"
    );
    assert_eq!(
        intent(r#","mission":{"id":"m1"}"#),
        "mission lacks id, issuer or its hash"
    );
    let hash = "sha-256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    assert_eq!(
        intent(&format!(
            r#","intent":{{"id":"i","issuer":"x","hash":"{hash}","expires_at":"2027-01-15T08:00:00Z"}}"#
        )),
        "exp is later than the expires_at of what was approved"
    );
    let bound = r#","sender_constrained":"external""#;
    let capability = |claims: &str| {
        let claims = format!(r#"{aud},"exp":1800000300,"cnf":{{}},"del_max_depth":1,{claims}"#);
        line("capability", bound, "aat+jwt", &claims)
    };
    assert_eq!(
        capability(r#""authorization_details":[],"del_depth":1"#),
        "del_depth is 1: a child is verified with its parents"
    );
    assert_eq!(
        capability(r#""authorization_details":[],"del_depth":0"#),
        "cnf has no jwk, or its jwk no alg"
    );
}

#[test]
fn a_malformed_token_is_told_where() {
    let (gate, _) = gate_of("access_token", "", "");
    let (line, hint) = said(gate.explain("Bearer e30.e30.AA"));
    assert_eq!(
        line,
        "begins with \"Bearer \"; the token is the 10 bytes after it"
    );
    assert_eq!(hint, "Pass only what follows \"Bearer \".");
    let (line, hint) = said(gate.explain("e30.e30=.AA"));
    assert!(line.starts_with("payload: byte 4 is padding"), "{line}");
    assert!(!hint.contains("Bearer"), "{hint}");
    let (line, _) = explained("{\"alg\" 1}", CLAIMS);
    assert_eq!(line, "header: not JSON at decoded byte 8: expected `:`");
}

/// A token that has three segments is told what is wrong with one of them, not that it has none.
#[test]
fn a_malformed_part_is_named() {
    let (gate, key) = gate_of("access_token", "", "");
    let lone = CLAIMS.replace("\"sub\"", "\"x\":\"\\ud800\",\"sub\"");
    for (header, claims, about, reason, hint) in [
        (
            "{\"alg\" 1}",
            CLAIMS,
            "header",
            "header is not well-formed",
            "RFC 8259",
        ),
        (
            "[]",
            CLAIMS,
            "header",
            "header is not well-formed",
            "RFC 8259",
        ),
        (
            HEADER,
            "{",
            "payload",
            "payload is not well-formed",
            "RFC 8259",
        ),
        (
            HEADER,
            "7",
            "payload",
            "payload is not well-formed",
            "RFC 8259",
        ),
        (
            HEADER,
            &*lone,
            "payload",
            "payload is not well-formed",
            "RFC 8259",
        ),
        (
            &HEADER.replacen('{', "{\"zip\":\"DEF\",", 1),
            CLAIMS,
            "zip",
            "a member of the token",
            "writes zip in a form",
        ),
    ] {
        let error = gate.verify(signed(&key, header, claims)).unwrap_err();
        assert_eq!(
            (error.code(), error.claim()),
            (Code::MalformedToken, Some(about))
        );
        assert!(error.reason().contains(reason), "{error}");
        let told = gate.advice(&error).hint;
        assert!(told.contains(hint) && !told.contains("Bearer"), "{told}");
    }
}

#[test]
fn a_mapped_claim_is_shown_under_its_own_name() {
    let names = r#","claim_names":{"aud":"client_id"}"#;
    let (gate, key) = gate_of("access_token", "", names);
    let claims = CLAIMS.replace("\"aud\":\"https://api.example.com/mcp\",\n", "");
    assert_ne!(claims, CLAIMS);
    let (line, _) = said(gate.explain(signed(&key, HEADER, &claims)));
    assert_eq!(
        line,
        "client_id is \"c1\", expected \"https://api.example.com/mcp\""
    );
}

#[test]
fn one_of_what_is_expected_would_do_and_of_scopes_all_are_needed() {
    let two = r#","acr_values":["gold","silver"]"#;
    let needs = Requirements::scopes(["zz", "yy"]);
    let expectation = |(gate, key): (Gate, SigningKey), needs: &Requirements| {
        let error = gate
            .verify_with(signed(&key, HEADER, CLAIMS), needs)
            .unwrap_err();
        gate.advice_with(&error, needs).expectation()
    };
    let document = |more: &str| gate_of("access_token", more, "");
    assert_eq!(
        expectation(document(two), &Requirements::NONE).as_deref(),
        Some("expected gold or silver")
    );
    assert_eq!(
        expectation(document(""), &needs).as_deref(),
        Some("expected zz and yy")
    );
    let (gate, _) = document("");
    let error = gate.verify("x").unwrap_err();
    assert_eq!(gate.advice(&error).expectation(), None);
}

#[test]
fn hints_name_the_member_to_set() {
    let hint = |(gate, key): (Gate, SigningKey), header: &str, claims: &str| {
        said(gate.explain(signed(&key, header, claims))).1
    };
    let access = |more: &str| gate_of("access_token", more, "");
    let scp = hint(
        access(r#","required_scopes":["x"]"#),
        HEADER,
        &CLAIMS.replace("\"scope\"", "\"scp\""),
    );
    assert!(
        scp.contains("[issuers.corp.claim_names] scope = \"scp\""),
        "{scp}"
    );
    let aud = hint(access(""), HEADER, &CLAIMS.replace("\"aud\"", "\"oud\""));
    assert!(
        aud.contains("[issuers.corp.claim_names] aud = \"client_id\""),
        "{aud}"
    );
    let azp = hint(
        access(""),
        HEADER,
        &CLAIMS.replace("\"client_id\"", "\"azp\""),
    );
    assert!(
        azp.contains("[issuers.corp.claim_names] client_id = \"azp\""),
        "{azp}"
    );
    let untyped = hint(access(""), &HEADER.replace("at+jwt", "JWT"), CLAIMS);
    assert!(
        untyped.contains("issuers.corp.profiles = [\"access_token_untyped\"]"),
        "{untyped}"
    );
    let own = hint(
        access(""),
        &HEADER.replace("at+jwt", "okta-internal-at+jwt"),
        CLAIMS,
    );
    assert!(
        own.contains("profile = \"jwt_custom\"") && !own.contains("untyped"),
        "{own}"
    );
    assert!(!own.contains("okta"), "a value of the token's: {own}");
    let custom = gate_of(
        "jwt_custom",
        r#","typ":"mine+jwt""#,
        r#","profiles":["jwt_custom"]"#,
    );
    let custom = hint(custom, HEADER, CLAIMS);
    assert!(
        custom.contains("gates.tools.typ") && !custom.contains("untyped"),
        "{custom}"
    );
    let none = hint(access(""), &HEADER.replace("Ed25519", "none"), CLAIMS);
    assert!(
        none.contains("no switch") && none.starts_with("Allowed: Ed25519."),
        "{none}"
    );
    let actor = CLAIMS.replace("\"jti\"", "\"act\":{\"sub\":\"1\"},\"jti\"");
    let actor = hint(access(""), HEADER, &actor);
    assert!(actor.contains("gates.tools.delegation"), "{actor}");
}

#[test]
fn no_hint_has_a_hole() {
    for kind in ["access_token", "jwt_custom", "id_token"] {
        let (gate, key) = gate_of(kind, "", &format!(r#","profiles":["{kind}"]"#));
        // An error that knows its issuer, and one that does not.
        let stranger = gate.verify("x").unwrap_err();
        let known = gate.verify(signed(&key, r#"{"alg":"Ed25519","kid":"z"}"#, CLAIMS));
        let known = known.unwrap_err();
        assert_eq!(gate.advice(&known).issuer_name.as_deref(), Some("corp"));
        for code in Code::ALL.iter().copied() {
            for error in [stranger, known] {
                for about in [None, Some("sub"), Some("aud"), Some("scope")] {
                    let mut of =
                        about.map_or_else(|| Error::new(code), |name| Error::about(code, name));
                    if let Some(issuer) = error.issuer() {
                        of = of.at(issuer);
                    }
                    let needs = Requirements::scopes(["x"]);
                    for requirements in [&Requirements::NONE, &needs] {
                        let hint = gate.advice_with(&of, requirements).hint;
                        for hole in ["  ", " .", " ,", ": .", "[]", "\"\"", "()", "the issuer."] {
                            assert!(!hint.contains(hole), "{}: {hint}", code.as_str());
                        }
                        assert!(
                            hint.ends_with('.') && hint.len() > 10,
                            "{}: {hint}",
                            code.as_str()
                        );
                    }
                }
            }
        }
    }
}

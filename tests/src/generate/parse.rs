//! Shapes of tokens (JWS-01 to JWS-12), keys, and payloads that are not claims.

use serde_json::{Value, json};

use super::{File, Kind, canonical, header, token};
use crate::workshop::{Key, b64u, der, over, signing_input};

pub(super) fn lines() -> String {
    let mut file = File::default();
    shapes(&mut file);
    headers(&mut file);
    keys(&mut file);
    raw(&mut file);
    documents(&mut file);
    file.lines
}

fn shapes(file: &mut File) {
    let kind = Kind::named("access_token");
    let good = kind.token(&kind.claims());
    let near = "shape/good";
    file.accept(near, &kind.request(&good), json!({ "subject": "u1" }));
    let parts: Vec<&str> = good.split('.').collect();
    let [head, body, signature] = [parts[0], parts[1], parts[2]];
    let mut refuse = |name: &str, code: &str, token: &str| {
        file.refuse(&format!("shape/{name}"), near, code, &kind.request(token));
    };
    for (name, token) in [
        ("empty", String::new()),
        ("one-dot", format!("{head}.{body}")),
        ("three-dots", format!("{good}.")),
        ("five-dots", format!("{good}...")),
        ("no-header", format!(".{body}.{signature}")),
        ("no-payload", format!("{head}..{signature}")),
        ("space-before", format!(" {good}")),
        ("newline-after", format!("{good}\n")),
        ("padded", format!("{good}==")),
        (
            "standard-alphabet",
            format!("{head}.{body}.+{}", &signature[1..]),
        ),
        ("bearer", format!("Bearer {good}")),
        ("full-width-dot", good.replace('.', "\u{ff0e}")),
        // The good token again to whoever keeps only the low octet of a character.
        ("wide-characters", wide(&good, 0)),
        ("wide-last-character", wide(&good, good.len() - 1)),
        ("signature-of-one-character", format!("{head}.{body}.A")),
        (
            "unused-bits",
            format!("{}{}", &good[..good.len() - 1], sibling(&good)),
        ),
        ("nul", format!("{good}\0")),
    ] {
        refuse(name, "malformed_token", &token);
    }
    refuse(
        "empty-signature",
        "bad_signature",
        &format!("{head}.{body}."),
    );
    refuse(
        "short-signature",
        "bad_signature",
        &format!("{head}.{body}.{}", &signature[..84]),
    );
    refuse(
        "encrypted",
        "encrypted_not_supported",
        &format!("{good}.{signature}.{signature}"),
    );
    let flat = json!({ "protected": head, "payload": body, "signature": signature });
    refuse(
        "flattened-json",
        "unsupported_serialization",
        &canonical(&flat),
    );
    // The dots of a JSON text may be anywhere: here as many as a compact JWS has.
    let dotted = super::with(
        &flat,
        json!({ "header": { "jku": "https://a.example/k.json" } }),
    );
    refuse(
        "flattened-json-with-dots",
        "unsupported_serialization",
        &canonical(&dotted),
    );
    refuse(
        "oversized",
        "oversized",
        &format!("{good}{}", "A".repeat(16 * 1024)),
    );

    let key = kind.key();
    let claims = |text: &str| token(&key, &header(&key, kind.typ), text);
    for (name, text) in [
        ("payload-array", "[]"),
        ("payload-string", "\"x\""),
        ("payload-with-bom", "\u{feff}{}"),
        ("payload-with-tail", "{}x"),
        ("payload-lone-surrogate", r#"{"sub":"\ud800"}"#),
        ("payload-cut-off", "{\"iss\":"),
        ("payload-infinite", r#"{"x":1e999}"#),
    ] {
        refuse(name, "malformed_token", &claims(text));
    }
    let deep = |depth: usize| {
        let rest = canonical(&kind.claims());
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        claims(&format!("{{\"x\":{value},{}", &rest[1..]))
    };
    file.accept("shape/deepest", &kind.request(&deep(63)), json!({}));
    let deeper = kind.request(&deep(64));
    file.refuse(
        "shape/too-deep",
        "shape/deepest",
        "nesting_too_deep",
        &deeper,
    );
    let long = |size: usize| {
        let mut claims = kind.claims();
        claims["x"] = "a".repeat(size).into();
        kind.verify(&claims)
    };
    file.accept("shape/longest-string", &long(2048), json!({}));
    file.refuse(
        "shape/too-long-a-string",
        "shape/longest-string",
        "oversized",
        &long(2049),
    );
}

/// Another last character with the same used bits; Ed25519 signatures leave four unused.
fn sibling(token: &str) -> char {
    match token.chars().last() {
        Some('A') => 'B',
        Some('Q') => 'R',
        Some('g') => 'h',
        _ => 'x',
    }
}

/// The characters from `start` on, moved to U+0100 and beyond.
fn wide(token: &str, start: usize) -> String {
    let (kept, moved) = token.split_at(start);
    let moved = moved.chars().filter_map(|character| {
        let moved = u32::from(character) + 0x100;
        char::from_u32(moved)
    });
    kept.chars().chain(moved).collect()
}

fn headers(file: &mut File) {
    let kind = Kind::named("access_token");
    let key = kind.key();
    let payload = canonical(&kind.claims());
    let with = |more: &str| {
        let header = key.header(&format!(",\"typ\":\"at+jwt\"{more}"));
        kind.request(&token(&key, &header, &payload))
    };
    let whole = |header: &str| kind.request(&token(&key, header, &payload));
    let near = "header/good";
    file.accept(near, &with(""), json!({}));
    let lone = r#" { "alg" : "Ed25519" , "typ" : "at+jwt" } "#;
    file.accept("header/no-kid-one-key", &whole(lone), json!({}));
    for (number, more) in [
        r#","x":1"#,
        r#","jku":"https://evil.example""#,
        r#","x5c":["x"]"#,
    ]
    .into_iter()
    .enumerate()
    {
        file.accept(&format!("header/ignored-{number}"), &with(more), json!({}));
    }
    for (code, texts) in [
        (
            "unsupported_crit",
            &[
                r#","crit":["exp"],"exp":1"#,
                r#","crit":["b64"],"b64":false"#,
                r#","crit":[]"#,
                r#","crit":["absent"]"#,
                r#","b64":false"#,
            ][..],
        ),
        (
            "malformed_token",
            &[
                r#","crit":"exp""#,
                r#","zip":"DEF""#,
                r#","cty":1"#,
                r#","jwk":"x""#,
                r#","jwk":{"kty":"OKP","d":"x"}"#,
            ],
        ),
        (
            "duplicate_member",
            &[
                r#","alg":"none""#,
                r#","a\u006cg":"none""#,
                r#","x":{"a":1,"a":2}"#,
            ],
        ),
    ] {
        for (number, more) in texts.iter().enumerate() {
            file.refuse(&format!("header/{code}-{number}"), near, code, &with(more));
        }
    }
    for (number, alg) in [
        "none", "None", "", " Ed25519", "Ed25519 ", "ed25519", "HS256", "ESP256", "Ed448", "RS256",
    ]
    .into_iter()
    .enumerate()
    {
        let header = json!({ "alg": alg, "kid": "k1", "typ": "at+jwt" });
        let request = whole(&canonical(&header));
        file.refuse(
            &format!("header/alg-{number}"),
            near,
            "alg_not_allowed",
            &request,
        );
    }
    file.refuse(
        "header/no-alg",
        near,
        "alg_not_allowed",
        &whole(r#"{"kid":"k1","typ":"at+jwt"}"#),
    );
    for (number, text) in [
        r#"{"alg":1,"typ":"at+jwt"}"#,
        r#"{"alg":"Ed25519","kid":1,"typ":"at+jwt"}"#,
        r#"{"alg":"Ed25519","kid":null,"typ":"at+jwt"}"#,
        r#"{"alg":"Ed25519","typ":["at+jwt"]}"#,
        "[]",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        file.refuse(
            &format!("header/malformed-{number}"),
            near,
            "malformed_token",
            &whole(text),
        );
    }
    // OKP-03: the deprecated name, where the issuer may use it and where not.
    let legacy = whole(r#"{"alg":"EdDSA","kid":"k1","typ":"at+jwt"}"#);
    file.accept("header/eddsa", &legacy, json!({}));
    let exact = super::with(
        &legacy,
        json!({ "policy": { "issuers": { "as": { "legacy_eddsa": false } } } }),
    );
    file.refuse(
        "header/eddsa-off",
        "header/eddsa",
        "alg_not_allowed",
        &exact,
    );
}

fn keys(file: &mut File) {
    let load = |format: &str, data: &[u8]| json!({ "op": "load_key", "format": format, "data": b64u(data) });
    let jwk = |jwk: &Value| load("jwk", canonical(jwk).as_bytes());
    for alg in ["RS256", "PS256", "ES256", "ES384", "Ed25519", "HS256"] {
        let key = Key::seeded(alg, "k1");
        let kty = key.text("kty").to_owned();
        file.accept(
            &format!("key/{alg}"),
            &jwk(&key.jwk),
            json!({ "kty": kty, "alg": alg }),
        );
    }
    let rsa = Key::seeded("RS256", "k1");
    let pem = der::pem("PUBLIC KEY", &der::spki(&rsa), "\n");
    file.accept(
        "key/pem",
        &load("pem", pem.as_bytes()),
        json!({ "kty": "RSA", "alg": null }),
    );
    file.accept(
        "key/der",
        &load("der", &der::spki(&rsa)),
        json!({ "kty": "RSA", "alg": null }),
    );
    let certificate = load("x509", &der::certificate(&rsa));
    file.accept(
        "key/x509",
        &certificate,
        json!({ "kty": "RSA", "alg": null }),
    );
    let bound = super::with(&load("der", &der::spki(&rsa)), json!({ "alg": "PS512" }));
    file.accept("key/bound-by-the-caller", &bound, json!({ "alg": "PS512" }));
    let wrong = super::with(&load("der", &der::spki(&rsa)), json!({ "alg": "ES256" }));
    file.refuse(
        "key/bound-wrongly",
        "key/bound-by-the-caller",
        "alg_key_mismatch",
        &wrong,
    );
    let mut case = |name: &str, alg: &str, code: &str, more: Value| {
        let key = super::with(&Key::seeded(alg, "k1").jwk, more);
        file.refuse(
            &format!("key/{name}"),
            &format!("key/{alg}"),
            code,
            &jwk(&key),
        );
    };
    case(
        "for-encryption",
        "ES256",
        "key_use_mismatch",
        json!({ "use": "enc" }),
    );
    case(
        "for-signing",
        "Ed25519",
        "key_use_mismatch",
        json!({ "key_ops": ["sign"] }),
    );
    case(
        "another-algorithm",
        "ES256",
        "alg_key_mismatch",
        json!({ "alg": "ES384" }),
    );
    case(
        "unknown-algorithm",
        "ES256",
        "alg_not_allowed",
        json!({ "alg": "ES521" }),
    );
    case(
        "unknown-type",
        "ES256",
        "alg_not_allowed",
        json!({ "kty": "XX" }),
    );
    case(
        "private",
        "Ed25519",
        "malformed_token",
        json!({ "d": "AA" }),
    );
    case(
        "off-its-curve",
        "ES256",
        "weak_key",
        json!({ "y": b64u([7; 32]) }),
    );
    case(
        "short-coordinate",
        "ES256",
        "weak_key",
        json!({ "x": b64u([7; 31]) }),
    );
    case(
        "small-order",
        "Ed25519",
        "weak_key",
        json!({ "x": b64u([0; 32]) }),
    );
    case(
        "short-secret",
        "HS256",
        "weak_key",
        json!({ "k": b64u([7; 31]) }),
    );
    case("even-exponent", "RS256", "weak_key", json!({ "e": "Ag" }));
    case(
        "short-modulus",
        "RS256",
        "weak_key",
        json!({ "n": b64u([0xff; 128]) }),
    );
    case("padded", "ES256", "malformed_token", json!({ "x": "AA==" }));

    let good = Key::seeded("ES256", "k1").jwk;
    let set = |keys: Value| {
        let text = b64u(canonical(&json!({ "keys": keys })));
        json!({ "op": "load_jwks", "text": text })
    };
    file.accept(
        "set/one",
        &set(json!([good])),
        json!({ "keys": 1, "skipped": [] }),
    );
    let mixed = set(json!([good, { "kty": "XX" }, 1]));
    file.accept("set/unknown-keys-are-skipped", &mixed, json!({ "keys": 1 }));
    file.accept(
        "set/empty",
        &set(json!([])),
        json!({ "keys": 0, "skipped": [] }),
    );
    file.refuse(
        "set/no-array",
        "set/one",
        "malformed_token",
        &set(json!({})),
    );
}

fn raw(file: &mut File) {
    for alg in ["HS512", "RS256", "PS384", "ES256", "ES384", "Ed25519"] {
        let key = Key::seeded(alg, "k1");
        let input = b"any bytes";
        let verify = |signature: &[u8]| {
            json!({
                "op": "verify_raw", "alg": alg, "jwk": key.jwk, "input": b64u(input),
                "signature": b64u(signature),
            })
        };
        let mut signature = key.sign(input);
        let near = format!("raw/{alg}");
        file.accept(&near, &verify(&signature), json!({}));
        signature[0] ^= 1;
        file.refuse(
            &format!("{near}-changed"),
            &near,
            "bad_signature",
            &verify(&signature),
        );
        signature[0] ^= 1;
        signature.push(0);
        file.refuse(
            &format!("{near}-longer"),
            &near,
            "bad_signature",
            &verify(&signature),
        );
    }
    let key = Key::seeded("ES256", "k1");
    let jws = |payload: &[u8]| over(signing_input(key.header(""), payload), |i| key.sign(i));
    for (number, payload) in [&b"\xff\x00 no text"[..], b"", b"{}"]
        .into_iter()
        .enumerate()
    {
        let request = json!({
            "op": "verify_jws", "jwk": key.jwk, "algorithms": ["ES256"], "token": jws(payload),
        });
        let answer = json!({ "payload": b64u(payload), "header": { "alg": "ES256", "kid": "k1" } });
        file.accept(&format!("jws/any-payload-{number}"), &request, answer);
        let unlisted = super::with(&request, json!({ "algorithms": [] }));
        let unlisted = super::with(&unlisted, json!({ "algorithms": ["ES384"] }));
        let near = format!("jws/any-payload-{number}");
        file.refuse(
            &format!("jws/not-listed-{number}"),
            &near,
            "alg_not_allowed",
            &unlisted,
        );
    }
}

fn documents(file: &mut File) {
    let load = |format: &str, text: &str| json!({ "op": "load_policy", "format": format, "text": b64u(text) });
    let policy = Kind::named("access_token").policy();
    let good = canonical(&policy);
    file.accept("policy/json", &load("json", &good), json!({}));
    let toml = "version = 1\n[issuers.as]\nissuer = \"https://as.example\"\njwks_push = \"process\"\n\
                [gates.g]\nprofile = \"access_token\"\naudience = \"https://rs.example\"\n\
                issuers = [\"as\"]\n";
    file.accept("policy/toml", &load("toml", toml), json!({}));
    let mut refuse = |name: &str, text: &str| {
        let id = format!("policy/{name}");
        file.refuse(&id, "policy/json", "policy_invalid", &load("json", text));
    };
    refuse(
        "twice",
        &good.replacen("\"version\":1", "\"version\":1,\"version\":1", 1),
    );
    refuse(
        "unknown-member",
        &good.replacen("\"audience\":", "\"audiance\":", 1),
    );
    refuse("no-version", &good.replacen(",\"version\":1", "", 1));
    refuse(
        "version-2",
        &good.replacen("\"version\":1", "\"version\":2", 1),
    );
    refuse("none", &good.replace("[\"Ed25519\"]", "[\"none\"]"));
    refuse("cose-name", &good.replace("[\"Ed25519\"]", "[\"ESP256\"]"));
    refuse(
        "hmac-beside",
        &good.replace("[\"Ed25519\"]", "[\"Ed25519\",\"HS256\"]"),
    );
    refuse("wildcard", &good.replace("https://rs.example/mcp", "*"));
    refuse("http-issuer", &good.replace("https://as", "http://as"));
    refuse("no-such-issuer", &good.replace("[\"as\"]", "[\"sa\"]"));
    refuse("not-json", &good[1..]);
}

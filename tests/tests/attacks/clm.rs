//! Attacks through the claims.

use sealgate::jwk::JwkSet;
use sealgate_tests::vectors;
use sealgate_tests::workshop::compact;
use serde_json::{Value, json};

use crate::stand::{Fixtures, load};

/// The base claims as text, with `name` written as this JSON text.
fn raw(f: &Fixtures, name: &str, value: &str) -> String {
    let mut claims = f.base.clone();
    claims.as_object_mut().unwrap().remove(name);
    let rest = claims.to_string();
    format!("{{\"{name}\":{value},{}", &rest[1..])
}

pub(crate) fn clm_01_dates_of_the_wrong_type(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_ED");
    stand.accepts(f.token(&key));
    for name in ["exp", "nbf", "iat", "auth_time"] {
        for value in [
            "\"9999999999\"",
            "\"abc\"",
            "\"\"",
            "null",
            "true",
            "false",
            "[]",
            "[9999999999]",
            "{}",
            "{\"v\":1}",
            "-1",
            "-0.5",
            "253402300800",
            "1e12",
            "1e300",
        ] {
            stand.gives("claim_type", f.signed(&key, raw(f, name, value)));
        }
        // What is no JSON number, or would be infinite, is no JSON text here.
        for value in [
            "NaN",
            "Infinity",
            "1e400",
            "01",
            "+1",
            "1.",
            ".5",
            "0x7fffffff",
        ] {
            stand.gives("malformed_token", f.signed(&key, raw(f, name, value)));
        }
    }
    for value in ["1893456300.5", "1.8934563e9", "18934563E2", "253402300799"] {
        stand.accepts(f.signed(&key, raw(f, "exp", value)));
    }
    // Not required, so absence is fine; malformed is not absence.
    stand.accepts(f.signed(&key, f.without("nbf")));
}

pub(crate) fn clm_03_time_boundaries(f: &Fixtures) {
    let key = f.key("K_ED");
    for leeway in [0, 60] {
        let mut policy = f.cfg_a();
        policy["leeway"] = format!("{leeway}s").into();
        let stand = f.stand(&policy);
        let token = f.token(&key);
        let exp = f.t0 + 300;
        for (offset, code) in [(-1, "accepted"), (0, "expired"), (1, "expired")] {
            stand.at(exp + leeway + offset).gives(code, &token);
        }
        stand.at(exp - 1).accepts(&token);
        let token = f.signed(&key, f.with("nbf", f.t0));
        for (offset, code) in [(-1, "not_yet_valid"), (0, "accepted")] {
            stand.at(f.t0 - leeway + offset).gives(code, &token);
        }
        let token = f.signed(&key, f.with("iat", f.t0));
        for (offset, code) in [(-1, "issued_in_future"), (0, "accepted")] {
            stand.at(f.t0 - leeway + offset).gives(code, &token);
        }
        // Below the second: half past is not over.
        let token = f.signed(&key, raw(f, "exp", &format!("{exp}.5")));
        stand.at(exp + leeway).accepts(&token);
        stand.at(exp + leeway + 1).gives("expired", &token);
    }
}

pub(crate) fn clm_06_audience_confusion(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_ED");
    stand.accepts(f.token(&key));
    stand.gives("missing_claim", f.signed(&key, f.without("aud")));
    for value in [
        json!(null),
        json!([]),
        json!([null]),
        json!([1]),
        json!({}),
        json!(1),
        json!(true),
        json!({ "aud": "https://api.example" }),
        json!([["https://api.example"]]),
        json!(["https://api.example", 1]),
    ] {
        stand.gives("claim_type", f.signed(&key, f.with("aud", value)));
    }
    for value in [
        json!(""),
        json!([""]),
        json!("HTTPS://API.EXAMPLE"),
        json!("https://api.example/"),
        json!("https://api.example.evil"),
        json!("https://api.exam"),
        json!("https://api.example\0"),
        json!(" https://api.example"),
        json!("https://api.example "),
        json!(["https://other"]),
        json!("*"),
        json!("https://api.example,https://other"),
        json!("https://api.example https://other"),
    ] {
        stand.gives("aud_mismatch", f.signed(&key, f.with("aud", value)));
    }
}

pub(crate) fn clm_07_audience_arrays(f: &Fixtures) {
    let key = f.key("K_ED");
    let mut policy = f.cfg_a();
    policy["limits"] = json!({ "max_token_size": "64KiB", "max_array_members": 1024 });
    let stand = f.stand(&policy);
    let many = |count: usize| {
        let mut audiences = vec![Value::from("x"); count - 1];
        audiences.push("https://api.example".into());
        f.signed(&key, f.with("aud", audiences))
    };
    stand.accepts(many(1));
    stand.accepts(many(2));
    stand.accepts(many(1024));
    stand.gives("oversized", many(1025));
    stand.gives("oversized", many(10_000));
    let mixed = f.with("aud", json!(["https://api.example", 1]));
    stand.gives("claim_type", f.signed(&key, mixed));
}

pub(crate) fn clm_09_issuer_confusion(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_ED");
    stand.accepts(f.token(&key));
    stand.accepts(f.signed(&key, raw(f, "iss", r#""https:\/\/issuer.ex\u0061mple""#)));
    stand.gives("missing_claim", f.signed(&key, f.without("iss")));
    for value in [
        json!(["https://attacker.example", "https://issuer.example"]),
        json!(["https://issuer.example"]),
        json!(null),
        json!(1),
        json!({}),
    ] {
        stand.gives("claim_type", f.signed(&key, f.with("iss", value)));
    }
    for value in [
        "https://issuer.example/",
        "https://issuer.exam",
        "issuer.example",
        "HTTPS://ISSUER.EXAMPLE",
        "https://issuer.example\0.evil",
        "https://issuer.example@evil",
        "https://issuer.example.evil",
        "",
        " https://issuer.example",
        "issuer",
    ] {
        stand.gives("iss_untrusted", f.signed(&key, f.with("iss", value)));
    }
}

pub(crate) fn clm_12_duplicate_claims(f: &Fixtures) {
    let mut policy = f.cfg_a();
    policy["gates"]["api"]["delegation"] = "surface".into();
    policy["gates"]["api"]["sender_constrained"] = "external".into();
    let stand = f.stand(&policy);
    let key = f.key("K_ED");
    let rest = f.payload();
    let token = |members: &str| f.signed(&key, format!("{{{members},{}", &rest[1..]));
    stand.accepts(token(r#""Sub":"admin""#));
    stand.accepts(token(r#""act":{"sub":"a","act":{"sub":"b"}}"#));
    for members in [
        r#""sub":"admin""#,
        r#""exp":1893455999"#,
        r#""s\u0075b":"admin""#,
        r#""act":{"sub":"a","sub":"b"}"#,
        r#""act":{"sub":"a","act":{"sub":"b","s\u0075b":"c"}}"#,
        r#""cnf":{"jkt":"a","jkt":"b"}"#,
        r#""x":[[{"y":1,"z":{"a":1,"a":1}}]]"#,
        r#""x":{"":1,"":2}"#,
        r#""x":1,"x":1"#,
    ] {
        stand.gives("duplicate_member", token(members));
    }
}

pub(crate) fn clm_13_malformed_json(f: &Fixtures) {
    let mut policy = f.cfg_a();
    policy["limits"] = json!({ "max_token_size": "64KiB" });
    let stand = f.stand(&policy);
    let key = f.key("K_ED");
    stand.accepts(f.token(&key));
    let folder = vectors::folder("CLM-13").unwrap();
    let cases = vectors::json_cases(&folder);
    assert_eq!(cases.len(), 165);
    for (name, bytes) in cases {
        let as_payload = stand.judge(f.signed(&key, &bytes));
        let header = compact(&bytes, f.payload(), |input| key.sign(input));
        let as_header = stand.judge(header);
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        // Read as JSON, such a payload has no iss and such a header no alg.
        let expected = match name.as_str() {
            "y_object_duplicated_key.json" => ["duplicate_member"; 2],
            _ if name.starts_with("y_") && first == Some(&b'{') => {
                ["missing_claim", "alg_not_allowed"]
            }
            "n_structure_open_array_object.json" => ["oversized"; 2],
            "i_structure_500_nested_arrays.json" => ["nesting_too_deep"; 2],
            _ => ["malformed_token"; 2],
        };
        assert_eq!([as_payload, as_header], expected, "{name}");
    }
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}1{}", open.repeat(depth), close.repeat(depth))
}

pub(crate) fn clm_14_deep_nesting(f: &Fixtures) {
    let mut policy = f.cfg_a();
    policy["limits"] = json!({ "max_token_size": "64KiB" });
    policy["gates"]["api"]["delegation"] = "surface".into();
    let stand = f.stand(&policy);
    let key = f.key("K_ED");
    let payload = |value: &str| f.signed(&key, raw(f, "x", value));
    let header = |value: &str| {
        let header = key.header(&format!(",\"x\":{value}"));
        compact(header, f.payload(), |input| key.sign(input))
    };
    let attack = || {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            // The claims object itself is the first level of 64.
            for depth in [1, 62, 63] {
                stand.accepts(payload(&nested(open, close, depth)));
                stand.accepts(header(&nested(open, close, depth)));
            }
            for depth in [64, 127, 128, 900] {
                stand.gives("nesting_too_deep", payload(&nested(open, close, depth)));
                stand.gives("nesting_too_deep", payload(&open.repeat(depth)));
                stand.gives("nesting_too_deep", header(&nested(open, close, depth)));
                stand.gives("nesting_too_deep", header(&open.repeat(depth)));
            }
            stand.gives("nesting_too_deep", payload(&open.repeat(8000)));
            stand.gives("oversized", header(&open.repeat(8000)));
        }
        let actors = nested("{\"sub\":\"a\",\"act\":", "}", 2000);
        stand.gives("nesting_too_deep", f.signed(&key, raw(f, "act", &actors)));
        for depth in [1000, 100_000] {
            let keys = nested("[", "]", depth);
            assert!(JwkSet::parse(format!(r#"{{"keys":{keys}}}"#).as_bytes()).is_err());
            let mut policy = f.cfg_a().to_string();
            policy.truncate(policy.len() - 1);
            let annotated = format!("{policy},\"annotations\":{{\"x\":{keys}}}}}");
            let refused = sealgate::Policy::parse(annotated, sealgate::Format::Json);
            assert!(refused.is_err());
        }
    };
    // Also on a stack far smaller than a thread's own.
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(128 * 1024);
        builder.spawn_scoped(scope, attack).unwrap();
    });
}

pub(crate) fn clm_15_huge_claims(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_ED");
    stand.accepts(f.token(&key));
    for size in [16 * 1024, 1 << 20, 16 << 20] {
        stand.gives(
            "oversized",
            f.signed(&key, raw(f, "x", &format!("{:?}", "a".repeat(size)))),
        );
    }
    let mut policy = f.cfg_a();
    policy["limits"] = json!({ "max_token_size": "64KiB" });
    let stand = f.stand(&policy);
    for (size, code) in [
        (2048, "accepted"),
        (2049, "oversized"),
        (20_000, "oversized"),
    ] {
        let text = format!("{:?}", "a".repeat(size));
        stand.gives(code, f.signed(&key, raw(f, "x", &text)));
        stand.gives(code, f.signed(&key, raw(f, "sub", &text)));
    }
    // The limit is of the text that is meant, not of its spelling.
    let escaped = |count: usize| format!("\"{}\"", "\\u0061".repeat(count));
    stand.accepts(f.signed(&key, raw(f, "x", &escaped(2048))));
    stand.gives("oversized", f.signed(&key, raw(f, "x", &escaped(2049))));
    let members = |count: usize| {
        let members: Vec<String> = (0..count).map(|n| format!("\"m{n}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    stand.accepts(f.signed(&key, raw(f, "x", &members(1024))));
    stand.gives("oversized", f.signed(&key, raw(f, "x", &members(1025))));
    let digits = "1".repeat(10_000);
    assert_ne!(
        stand.judge(f.signed(&key, raw(f, "exp", &digits))),
        "accepted"
    );
}

pub(crate) fn clm_18_no_patterns(f: &Fixtures) {
    let key = f.key("K_ED");
    // What looks like a pattern is refused when the policy is loaded.
    let mut policy = f.cfg_a();
    for pattern in [
        "(a+)+$",
        "^api",
        "*",
        "https://*.example",
        "https://api.example/*",
        "",
    ] {
        policy["gates"]["api"]["audience"] = pattern.into();
        assert!(load(&policy).is_err(), "{pattern:?}");
    }
    // A dot is a dot, and the whole text counts.
    let stand = f.stand_a();
    stand.accepts(f.token(&key));
    for audience in [
        "https://apiXexample",
        "https://evil/?https://api.example",
        "api.example",
    ] {
        stand.gives("aud_mismatch", f.signed(&key, f.with("aud", audience)));
    }
}

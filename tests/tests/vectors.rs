//! Other people's vectors through the conformance protocol: Wycheproof JOSE with its overrides,
//! the RFCs, ML-DSA for JOSE, tokens found in other libraries' tests, and JSON texts.
//!
//! Each count is asserted, so that an empty or truncated folder fails.

use sealgate::jwk::Jwk;
use sealgate_tests::conformance::answer;
use sealgate_tests::vectors::{folder, json_cases, read};
use sealgate_tests::workshop::{Key, b64u, compact, unb64u};
use serde_json::{Value, json};

const HMAC: [&str; 3] = ["HS256", "HS384", "HS512"];

const ASYMMETRIC: [&str; 14] = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "ES256K",
    "Ed25519",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
];

fn verify_jws(jwk: &Value, algorithms: &[&str], token: &str) -> Value {
    answer(&json!({ "op": "verify_jws", "jwk": jwk, "algorithms": algorithms, "token": token }))
}

/// `"accepted"`, or the code.
fn code(answer: &Value) -> &str {
    if answer["ok"] == true {
        "accepted"
    } else {
        answer["code"].as_str().unwrap()
    }
}

fn algorithms_of(jwk: &Value) -> &'static [&'static str] {
    if jwk["kty"] == "oct" {
        &HMAC
    } else {
        &ASYMMETRIC
    }
}

fn without_private_members(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    for name in ["d", "p", "q", "dp", "dq", "qi", "priv"] {
        jwk.as_object_mut().unwrap().remove(name);
    }
    jwk
}

/// Upstream labels that OVERRIDES.json corrects; `Some(true)` is valid.
fn overridden(overrides: &Value, file: &str, id: &Value) -> Option<bool> {
    let entry = overrides[file].as_array().unwrap().iter().find(|entry| {
        let ids = &entry["tcId"];
        ids == id || ids.as_array().is_some_and(|ids| ids.contains(id))
    })?;
    match entry["use"].as_str().unwrap() {
        "valid" => Some(true),
        "policy" => None,
        text => text.starts_with("invalid").then_some(false),
    }
}

#[test]
fn wycheproof_jws() {
    let Some(folder) = folder("wycheproof_jws") else {
        return;
    };
    let file = "json_web_signature_test.json";
    let overrides = read(&folder, "wycheproof-jose/OVERRIDES.json");
    let vectors = read(&folder, &format!("wycheproof-jose/{file}"));
    let (mut valid, mut invalid) = (0, 0);
    for group in vectors["testGroups"].as_array().unwrap() {
        let jwk = if group["public"].is_object() {
            &group["public"]
        } else {
            &group["private"]
        };
        for test in group["tests"].as_array().unwrap() {
            let upstream = test["result"] == "valid";
            let expected = overridden(&overrides, file, &test["tcId"]).unwrap_or(upstream);
            let token = match &test["jws"] {
                Value::String(token) => token.clone(),
                other => other.to_string(),
            };
            let given = verify_jws(jwk, algorithms_of(jwk), &token);
            assert_eq!(
                given["ok"] == true,
                expected,
                "tcId {}: {given}",
                test["tcId"]
            );
            assert_ne!(given["code"], "harness");
            *(if expected { &mut valid } else { &mut invalid }) += 1;
        }
    }
    // 46 valid upstream, of which six are not, and two more are.
    assert_eq!((valid, invalid), (42, 359));
}

#[test]
fn wycheproof_jwk() {
    let Some(folder) = folder("wycheproof_jwk") else {
        return;
    };
    let file = "json_web_key_test.json";
    let overrides = read(&folder, "wycheproof-jose/OVERRIDES.json");
    let vectors = read(&folder, &format!("wycheproof-jose/{file}"));
    let mut count = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let keys = if group["public"].is_object() {
            &group["public"]
        } else {
            &group["private"]
        };
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let upstream = test["result"] == "valid";
            // What OVERRIDES calls policy, ours decides: a set may hold keys of both kinds where
            // the caller's list decides which are used; of the two keys with one kid, one is not
            // canonical base64url and so none at all; ROCA is not looked for.
            let expected = match id {
                1 | 4 | 7 => true,
                _ => overridden(&overrides, file, &test["tcId"]).unwrap_or(upstream),
            };
            let token = test["jws"].as_str().unwrap();
            let symmetric = keys["keys"]
                .as_array()
                .map_or(&keys["kty"], |keys| &keys[0]["kty"]);
            let algorithms: &[&str] = if symmetric == "oct" {
                &HMAC
            } else {
                &ASYMMETRIC
            };
            let set = if keys["keys"].is_array() {
                keys.clone()
            } else {
                json!({ "keys": [keys] })
            };
            let given = answer(&json!({
                "op": "verify_jws", "jwks": set, "algorithms": algorithms, "token": token,
            }));
            assert_eq!(given["ok"] == true, expected, "tcId {id}: {given}");
            count += 1;
        }
    }
    assert_eq!(count, 26);
}

#[test]
fn rfc_examples() {
    let Some(folder) = folder("rfc_examples") else {
        return;
    };
    let vectors = read(&folder, "rfc/vectors.json");
    let (mut valid, mut refused) = (0, 0);
    for vector in vectors["vectors"].as_array().unwrap() {
        let id = vector["id"].as_str().unwrap();
        let token = match &vector["token"] {
            Value::String(token) => token.clone(),
            other => other.to_string(),
        };
        if vector["jwk"].is_null() {
            // A shape, or a token that no key can save.
            let key = Key::seeded("ES256", "other").jwk;
            assert_ne!(verify_jws(&key, &ASYMMETRIC, &token)["ok"], true, "{id}");
            if vector["expect"] == "parse-only" {
                sealgate::inspect(&token).unwrap();
            }
            refused += 1;
            continue;
        }
        let jwk = without_private_members(&vector["jwk"]);
        if jwk != vector["jwk"] {
            // ALG-09: a private key is no verification key.
            let given = verify_jws(&vector["jwk"], algorithms_of(&jwk), &token);
            assert_eq!(code(&given), "malformed_token", "{id}");
        }
        let header: Value = token
            .split('.')
            .next()
            .and_then(unb64u)
            .map_or(Value::Null, |text| {
                serde_json::from_slice(&text).unwrap_or_default()
            });
        // Of what is no compact token none is asked for; some must be.
        let algorithms = vec![header["alg"].as_str().unwrap_or("ES256")];
        let given = verify_jws(&jwk, &algorithms, &token);
        let compact = matches!(vector["form"].as_str(), Some("compact" | "dpop-proof"));
        if compact && vector["expect"] == "signature-valid" {
            let payload = token.split('.').nth(1).unwrap();
            assert_eq!(given["payload"], payload, "{id}: {given}");
            assert_eq!(given["header"], header, "{id}");
            valid += 1;
        } else {
            let expected = match vector["form"].as_str().unwrap() {
                "json-general" | "json-flattened" => "unsupported_serialization",
                "compact-detached" => "bad_signature",
                // RFC 7797 §4.2: not characters of a token, or an extension unknown here.
                "compact-b64-false" => "malformed_token",
                "compact-b64-false-detached" => "unsupported_crit",
                other => panic!("{id}: form {other}"),
            };
            assert_eq!(code(&given), expected, "{id}");
            refused += 1;
        }
    }
    assert_eq!((valid, refused), (17, 8));
}

#[test]
fn ml_dsa_for_jose() {
    let Some(folder) = folder("ml_dsa_for_jose") else {
        return;
    };
    for set in ["44", "65", "87"] {
        let vector = read(&folder, &format!("mldsa-jose/ML_DSA_{set}.jose.json"));
        let alg = format!("ML-DSA-{set}");
        let jwk = without_private_members(&vector["jwk"]);
        let token = vector["jws"].as_str().unwrap();
        let given = verify_jws(&jwk, &[&alg], token);
        assert_eq!(code(&given), "accepted", "{given}");
        // PQ-04: the kid of the example is its thumbprint.
        let key = answer(&json!({
            "op": "load_key", "format": "jwk", "data": b64u(jwk.to_string()),
        }));
        assert_eq!(key["thumbprint"], jwk["kid"], "{key}");
        // PQ-05
        for position in [0, 1, 2] {
            let mut parts: Vec<Vec<u8>> =
                token.split('.').map(|part| unb64u(part).unwrap()).collect();
            *parts[position].last_mut().unwrap() ^= 1;
            let parts: Vec<String> = parts.iter().map(b64u).collect();
            let given = verify_jws(&jwk, &[&alg], &parts.join("."));
            assert_ne!(code(&given), "accepted", "{alg}: part {position}");
        }
    }
}

/// The key of a wild token as a JWK for the algorithm of its header.
fn wild_key(case: &Value) -> Value {
    match &case["key"]["spki_pem"] {
        Value::String(pem) => {
            let jwk = Jwk::from_pem(pem.as_bytes()).unwrap();
            serde_json::from_str(&jwk.to_json()).unwrap()
        }
        _ => case["key"].clone(),
    }
}

/// Tokens near `token`: another character at positions of every class, parts swapped or cut.
fn near(token: &str) -> Vec<String> {
    let dots: Vec<usize> = token.match_indices('.').map(|(at, _)| at).collect();
    let end = token.len();
    let middle = |from: usize, to: usize| (from + to) / 2;
    let positions = [
        0,
        middle(0, dots[0]),
        dots[0] - 1,
        dots[0],
        dots[0] + 1,
        middle(dots[0], dots[1]),
        dots[1] - 1,
        dots[1],
        dots[1] + 1,
        middle(dots[1], end),
        end - 1,
    ];
    let flips = positions.into_iter().flat_map(|at| {
        ["A", "b", "_", ".", "=", ""]
            .into_iter()
            .map(move |text| format!("{}{text}{}", &token[..at], &token[at + 1..]))
    });
    let mut near: Vec<String> = flips.collect();
    near.extend([
        format!("{token}."),
        format!("{token}A"),
        format!(" {token}"),
    ]);
    near.retain(|other| other != token);
    near
}

#[test]
fn wild_tokens() {
    let Some(folder) = folder("wild_tokens") else {
        return;
    };
    let (mut valid, mut weak, mut near_misses) = (0, 0, 0);
    let mut keys: Vec<Value> = Vec::new();
    let mut others: Vec<(String, String)> = Vec::new();
    for file in std::fs::read_dir(folder.join("wild-tokens")).unwrap() {
        let name = file.unwrap().file_name();
        let vectors = read(&folder, &format!("wild-tokens/{}", name.display()));
        for case in vectors["cases"].as_array().unwrap() {
            let token = case["token"].as_str().unwrap();
            let class = case["class"].as_str().unwrap();
            if class != "signature-valid" {
                others.push((class.to_owned(), token.to_owned()));
                continue;
            }
            let alg = case["header"]["alg"].as_str().unwrap();
            let jwk = wild_key(case);
            let given = verify_jws(&jwk, &[alg], token);
            let bits = alg
                .get(2..)
                .and_then(|bits| bits.parse::<usize>().ok())
                .unwrap_or(0);
            let short = |k: &str| unb64u(k).unwrap().len() * 8 < bits;
            if jwk["k"].as_str().is_some_and(short) {
                // ALG-05: the signature is right, and the secret is not one.
                assert_ne!(code(&given), "accepted", "{token}");
                weak += 1;
                continue;
            }
            assert_eq!(code(&given), "accepted", "{token} {given}");
            assert_eq!(given["payload"], token.split('.').nth(1).unwrap());
            for other in near(token) {
                let given = verify_jws(&jwk, &[alg], &other);
                assert_ne!(code(&given), "accepted", "{other}");
                near_misses += 1;
            }
            valid += 1;
            keys.push(jwk);
        }
    }
    assert_eq!((valid, weak), (64, 52));
    assert!(near_misses > 60 * valid, "{near_misses}");
    assert_eq!(others.len(), 420);
    keys.sort_by_key(Value::to_string);
    keys.dedup();
    for (class, token) in others {
        for jwk in &keys {
            let given = verify_jws(jwk, algorithms_of(jwk), &token);
            assert_ne!(code(&given), "accepted", "{class}: {token}");
            if class == "jwe" {
                let code = code(&given);
                assert!(
                    ["encrypted_not_supported", "oversized"].contains(&code),
                    "{token}"
                );
                break; // no key is even looked at
            }
        }
    }
}

#[test]
fn json_texts() {
    let Some(folder) = folder("json_texts") else {
        return;
    };
    let key = Key::seeded("Ed25519", "k");
    let policy = json!({
        "version": 1,
        "issuers": { "as": {
            "issuer": "https://as.example",
            "jwks": { "keys": [key.jwk] },
            "algorithms": ["Ed25519"],
            "profiles": ["jwt_custom"],
        } },
        "gates": { "g": {
            "profile": "jwt_custom", "audience": "https://rs.example", "issuers": ["as"],
        } },
    });
    let verify = |header: &[u8], payload: &[u8]| {
        let token = compact(header, payload, |input| key.sign(input));
        let request = json!({
            "op": "verify", "policy": policy, "now": 1_800_000_000, "token": token,
        });
        code(&answer(&request)).to_owned()
    };
    // Inside of claims that are otherwise good, so that the text decides.
    let around = |inside: &[u8]| {
        let before = br#"{"iss":"https://as.example","aud":"https://rs.example","x":"#;
        [before, inside, br#","exp":1800000300}"#].concat()
    };
    let beside = |inside: &[u8]| {
        let before = br#"{"alg":"Ed25519","kid":"k","x":"#;
        [before, inside, b"}"].concat()
    };
    let good_header = br#"{"alg":"Ed25519","kid":"k"}"#;
    let (mut accepted, mut refused) = (0, 0);
    for (name, bytes) in json_cases(&folder) {
        let as_claim = verify(good_header, &around(&bytes));
        let as_parameter = verify(&beside(&bytes), &around(b"1"));
        let expected = match name.as_str() {
            "y_object_duplicated_key.json" => "duplicate_member",
            "i_structure_500_nested_arrays.json" => "nesting_too_deep",
            "n_structure_open_array_object.json" => "oversized",
            // Integers that only some languages can hold exactly are numbers all the same.
            "i_number_too_big_neg_int.json"
            | "i_number_too_big_pos_int.json"
            | "i_number_very_big_negative_int.json" => "accepted",
            name if name.starts_with("y_") => "accepted",
            _ => "malformed_token",
        };
        assert_eq!([&*as_claim, &*as_parameter], [expected; 2], "{name}");
        *(if expected == "accepted" {
            &mut accepted
        } else {
            &mut refused
        }) += 1;
    }
    assert_eq!((accepted, refused), (47, 118));
}

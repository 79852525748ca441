//! Attacks on the choice of algorithm.

use sealgate_tests::workshop::{Hash, Key, b64u, compact, der, over, signing_input};
use serde_json::{Value, json};

use crate::stand::{Fixtures, config, load};

pub(crate) fn alg_01_none_with_an_empty_signature(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_RSA");
    stand.accepts(f.token(&key));
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"none","kid":"rsa-1"}"#,
        r#"{"alg":"none","kid":"rsa-1","typ":"JWT"}"#,
    ] {
        let token = compact(header, f.payload(), |_| Vec::new());
        stand.gives("alg_not_allowed", token);
        let signed = compact(header, f.payload(), |input| key.sign(input));
        stand.gives("alg_not_allowed", signed);
    }
}

pub(crate) fn alg_02_spellings_of_none(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_RSA");
    let legitimate = f.token(&key);
    stand.accepts(&legitimate);
    let legitimate = legitimate.rsplit('.').next().unwrap();
    for alg in [
        "None",
        "NONE",
        "nOnE",
        "noNe",
        "none ",
        " none",
        "none\t",
        "none\0",
        "n\u{43e}ne",
        "nul",
        "NULL",
        "false",
    ] {
        let header = json!({ "alg": alg, "kid": "rsa-1" }).to_string();
        let input = signing_input(header, f.payload());
        stand.gives("alg_not_allowed", format!("{input}."));
        stand.gives("alg_not_allowed", format!("{input}.{legitimate}"));
        stand.gives("alg_not_allowed", over(input.clone(), |_| vec![0; 32]));
        stand.gives("malformed_token", input);
    }
}

pub(crate) fn alg_03_alg_that_is_missing_or_no_string(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_RSA");
    let token = |header: &str| compact(header, f.payload(), |input| key.sign(input));
    stand.accepts(token(r#"{"alg":"RS256"}"#));
    for header in ["{}", r#"{"typ":"JWT"}"#, r#"{"alg":""}"#] {
        stand.gives("alg_not_allowed", token(header));
    }
    for header in [
        r#"{"alg":null}"#,
        r#"{"alg":256}"#,
        r#"{"alg":true}"#,
        r#"{"alg":["RS256"]}"#,
        r#"{"alg":{"RS256":1}}"#,
    ] {
        stand.gives("malformed_token", token(header));
    }
}

/// Every byte form in which people hold the public key of a fixture.
fn public_forms(key: &Key) -> Vec<Vec<u8>> {
    let spki = der::spki(key);
    let pem = der::pem("PUBLIC KEY", &spki, "\n");
    let set = json!({ "keys": [key.jwk] });
    let text = |value: &Value, pretty: usize| {
        let mut text = Vec::new();
        let indent = " ".repeat(pretty);
        let formatter = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
        serde::Serialize::serialize(value, &mut serializer).unwrap();
        text
    };
    let mut forms = vec![
        pem.clone().into_bytes(),
        pem.trim_end().into(),
        der::pem("PUBLIC KEY", &spki, "\r\n").into_bytes(),
        spki,
        key.jwk.to_string().into_bytes(),
        text(&key.jwk, 2),
        text(&key.jwk, 4),
        set.to_string().into_bytes(),
        text(&set, 2),
        der::open_ssh(key).into_bytes(),
    ];
    match key.text("kty") {
        "RSA" => {
            let pkcs1 = der::pkcs1(key);
            let certificate = der::pem("CERTIFICATE", &der::certificate(key), "\n");
            forms.extend([
                der::pem("RSA PUBLIC KEY", &pkcs1, "\n").into_bytes(),
                pkcs1,
                certificate.into_bytes(),
                key.octets("n"),
                key.text("n").into(),
            ]);
        }
        "EC" => forms.extend([der::point(key), key.octets("x"), key.text("x").into()]),
        _ => forms.extend([key.octets("x"), key.text("x").into()]),
    }
    forms
}

fn confuse(f: &Fixtures, key: &Key, forms: Vec<Vec<u8>>) {
    let stand = f.stand_a();
    assert!(forms.len() >= 2);
    for secret in forms {
        for alg in ["HS256", "HS384", "HS512"] {
            let header = json!({ "alg": alg, "kid": key.kid() }).to_string();
            let token = compact(header, f.payload(), |input| {
                Hash::of(alg).mac(&secret, input)
            });
            stand.gives("alg_not_allowed", token);
        }
    }
}

pub(crate) fn alg_04_rs256_to_hs256_with_the_public_key(f: &Fixtures) {
    let key = f.key("K_RSA");
    f.stand_a().accepts(f.token(&key));
    confuse(f, &key, public_forms(&key));
    // The forger's arithmetic is right: the same MAC under a real secret is accepted.
    let secret = f.key("K_OCT");
    f.stand(&f.cfg_h()).accepts(f.token(&secret));
    // The variant whose list has both is a configuration error.
    let both = config(&[key.jwk], &["RS256", "HS256"]);
    assert!(f.try_stand(&both).is_err());
}

pub(crate) fn alg_05_other_public_keys_as_hmac_secrets(f: &Fixtures) {
    for name in ["K_EC", "K_ED"] {
        let key = f.key(name);
        f.stand_a().accepts(f.token(&key));
        confuse(f, &key, public_forms(&key));
    }
    let key = Key::seeded("ML-DSA-44", "pq-1");
    let stand = f.stand(&config(std::slice::from_ref(&key.jwk), &["ML-DSA-44"]));
    stand.accepts(f.token(&key));
    for secret in [key.octets("pub"), key.text("pub").into()] {
        let token = compact(r#"{"alg":"HS256","kid":"pq-1"}"#, f.payload(), |input| {
            Hash::Sha256.mac(&secret, input)
        });
        stand.gives("alg_not_allowed", token);
    }
}

pub(crate) fn alg_10_no_allow_list(f: &Fixtures) {
    let key = f.key("K_RSA");
    let with = |algorithms: Value| {
        let mut policy = config(std::slice::from_ref(&key.jwk), &["RS256"]);
        policy["issuers"]["issuer"]["algorithms"] = algorithms;
        policy
    };
    f.stand(&with(json!(["RS256"]))).accepts(f.token(&key));
    for algorithms in [
        json!([]),
        json!(null),
        json!(["none"]),
        json!(["*"]),
        json!("RS256"),
        json!(["RS256", "none"]),
        json!(["HS256", "RS256"]),
        json!(["RS256", "rs256"]),
    ] {
        assert!(load(&with(algorithms.clone())).is_err(), "{algorithms}");
    }
    // Omitted: asymmetric algorithms only, never what the header says.
    let mut policy = with(Value::Null);
    let issuer = policy["issuers"]["issuer"].as_object_mut().unwrap();
    issuer.remove("algorithms").unwrap();
    let stand = f.stand(&policy);
    stand.accepts(f.token(&key));
    let token = compact(r#"{"alg":"HS256","kid":"rsa-1"}"#, f.payload(), |input| {
        Hash::Sha256.mac(&der::spki(&key), input)
    });
    stand.gives("alg_not_allowed", token);
}

pub(crate) fn alg_14_curve_confusion(f: &Fixtures) {
    // (the key's algorithm, the header's)
    for (own, other) in [("ES256K", "ES256"), ("ES256", "ES256K"), ("ES256", "ES384")] {
        let key = Key::seeded(own, "k");
        let stand = f.stand(&config(std::slice::from_ref(&key.jwk), &[own, other]));
        let token = |alg: &str| {
            let header = json!({ "alg": alg, "kid": "k" }).to_string();
            // The key's own curve with the header's hash.
            compact(header, f.payload(), |input| key.sign_as(alg, input))
        };
        stand.accepts(token(own));
        stand.gives("alg_key_mismatch", token(other));
    }
    // A JWK that contradicts itself is no key.
    let mut twisted = Key::seeded("ES384", "k").jwk;
    twisted["alg"] = "ES256".into();
    let alone = config(std::slice::from_ref(&twisted), &["ES256", "ES384"]);
    assert!(f.try_stand(&alone).is_err());
    let good = f.key("K_EC");
    let beside = f.try_stand(&config(&[twisted, good.jwk.clone()], &["ES256", "ES384"]));
    if let Ok(stand) = beside {
        stand.accepts(f.token(&good));
        let key = Key::seeded("ES384", "k");
        stand.gives("key_not_found", f.signed(&key, f.payload()));
    }
}

pub(crate) fn alg_18_ml_dsa_parameter_sets(f: &Fixtures) {
    let sets = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];
    let keys = sets.map(|alg| Key::seeded(alg, alg));
    let stand = f.stand(&config(&keys.each_ref().map(|key| key.jwk.clone()), &sets));
    for key in &keys {
        stand.accepts(f.token(key));
        for alg in sets.iter().filter(|alg| **alg != key.alg()) {
            let header = json!({ "alg": alg, "kid": key.kid() }).to_string();
            let token = compact(header, f.payload(), |input| key.sign(input));
            stand.gives("alg_key_mismatch", token);
        }
        let own = key.octets("pub").len();
        for size in [0, 1, own - 1, own + 1, 2 * own] {
            let mut short = key.jwk.clone();
            short["pub"] = b64u(vec![7; size]).into();
            assert!(f.try_stand(&config(&[short], &sets)).is_err(), "{size}");
        }
        let mut unbound = key.jwk.clone();
        unbound.as_object_mut().unwrap().remove("alg").unwrap();
        assert!(f.try_stand(&config(&[unbound], &sets)).is_err());
    }
}

//! One token for every algorithm, and the confusions between them (ALG-03, OKP-04, K1-01, PQ-01).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{File, T, canonical, with};
use crate::workshop::{Key, b64u, signing_input, unb64u};

const ALL: [&str; 17] = [
    "HS256",
    "HS384",
    "HS512",
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

pub(super) fn lines(committed: &str) -> String {
    let mut file = File::default();
    let frozen = Frozen::of(committed);
    for alg in ALL {
        let key = Key::seeded(alg, "k1");
        let good = frozen.token(&key, alg);
        let near = format!("{alg}/good");
        file.accept(
            &near,
            &request(&[&key], &[alg], &good),
            json!({ "subject": "u1" }),
        );
        let (input, signature) = good.rsplit_once('.').expect("two dots");
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let flipped = format!("{input}.{first}{}", &signature[1..]);
        let changed = request(&[&key], &[alg], &flipped);
        file.refuse(
            &format!("{alg}/signature-changed"),
            &near,
            "bad_signature",
            &changed,
        );
        let other = with(&claims(), json!({ "sub": "u2" }));
        let input = signing_input(key.header(""), canonical(&other));
        let moved = request(&[&key], &[alg], &format!("{input}.{signature}"));
        file.refuse(
            &format!("{alg}/payload-changed"),
            &near,
            "bad_signature",
            &moved,
        );
        let mut short = unb64u(signature).expect("base64url");
        short.truncate(short.len() - 1);
        let cut = format!("{input}.{}", b64u(short));
        let cut = request(&[&key], &[alg], &cut);
        file.refuse(
            &format!("{alg}/signature-cut"),
            &near,
            "bad_signature",
            &cut,
        );
    }
    // The header names an algorithm that is allowed, and the key is for another.
    for (own, other) in [
        ("ES256", "ES384"),
        ("ES256", "ES256K"),
        ("ES256", "Ed25519"),
        ("RS256", "PS256"),
        ("RS256", "RS512"),
        ("Ed25519", "ES256"),
        ("HS256", "HS512"),
        ("ES512", "ES256"),
        ("ML-DSA-44", "ML-DSA-65"),
    ] {
        let key = Key::seeded(own, "k1");
        let header = json!({ "alg": other, "kid": "k1" });
        // The signature is never reached, so any will do.
        let input = signing_input(canonical(&header), canonical(&claims()));
        let token = format!("{input}.{}", b64u([7; 64]));
        let confused = request(&[&key], &[own, other], &token);
        let id = format!("{own}/header-says-{other}");
        file.refuse(&id, &format!("{own}/good"), "alg_key_mismatch", &confused);
    }
    file.lines
}

fn claims() -> Value {
    json!({
        "iss": "https://custom.example", "sub": "u1", "aud": "https://rs.example/custom",
        "iat": T, "exp": T + 300,
    })
}

fn request(keys: &[&Key], algorithms: &[&str], token: &str) -> Value {
    let keys: Vec<&Value> = keys.iter().map(|key| &key.jwk).collect();
    json!({
        "op": "verify", "now": T, "token": token,
        "policy": {
            "version": 1,
            "cache": { "tokens": 100 },
            "issuers": { "custom": {
                "issuer": "https://custom.example", "jwks": { "keys": keys },
                "algorithms": algorithms, "profiles": ["jwt_custom"],
            } },
            "gates": { "g": {
                "profile": "jwt_custom", "audience": "https://rs.example/custom",
                "issuers": ["custom"],
            } },
        },
    })
}

/// Signatures of the committed file by what they sign.
struct Frozen(BTreeMap<String, String>);

impl Frozen {
    fn of(committed: &str) -> Self {
        let tokens = committed.lines().filter_map(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let good = line["id"].as_str()?.ends_with("/good");
            let (input, signature) = line["token"].as_str()?.rsplit_once('.')?;
            good.then(|| (input.to_owned(), signature.to_owned()))
        });
        Self(tokens.collect())
    }

    fn token(&self, key: &Key, alg: &str) -> String {
        let input = signing_input(key.header(""), canonical(&claims()));
        let kept = self.0.get(&input).filter(|_| alg.starts_with("ML-DSA"));
        let signature = kept
            .cloned()
            .unwrap_or_else(|| b64u(key.sign(input.as_bytes())));
        format!("{input}.{signature}")
    }
}

//! Attacks on what is remembered, and on the machine: key rotation, the cache, size, mutations.

use std::sync::atomic::{AtomicUsize, Ordering};

use sealgate::crypto::{self, CryptoProvider, VerificationKey, VerifySignature};
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, JwkSet, KeyError};
use sealgate::{Clock, Requirements, Verifier};
use sealgate_tests::workshop::{Key, b64u, compact};
use serde_json::{Value, json};

use crate::stand::{Fixtures, Stand, config, load};

/// `CFG_A` with keys that the program publishes.
fn pushed(f: &Fixtures, keys: &[&Key]) -> Stand {
    let mut policy = f.cfg_a();
    let issuer = policy["issuers"]["issuer"].as_object_mut().unwrap();
    issuer.remove("jwks").unwrap();
    issuer.insert("jwks_push".to_owned(), "process".into());
    let stand = f.stand(&policy);
    if !keys.is_empty() {
        publish(&stand, keys);
    }
    stand
}

fn publish(stand: &Stand, keys: &[&Key]) {
    let keys: Vec<&Value> = keys.iter().map(|key| &key.jwk).collect();
    let set = JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap();
    for door in &stand.doors {
        door.verifier.keys().publish("issuer", &set).unwrap();
    }
}

pub(crate) fn jwks_03_a_removed_key_is_not_trusted(f: &Fixtures) {
    let (k1, k2) = (f.key("K_EC"), f.key("K_ED"));
    let stand = pushed(f, &[&k1, &k2]);
    let tokens = [f.token(&k1), f.token(&k2)];
    stand.accepts(&tokens[0]);
    stand.accepts(&tokens[1]);
    publish(&stand, &[&k2]);
    stand.gives("key_not_found", &tokens[0]);
    stand.accepts(&tokens[1]);
    // The same name for another key is not the same key.
    let mut other = f.key("K_EC_B");
    other.jwk["kid"] = k1.kid().into();
    publish(&stand, &[&other]);
    stand.gives("bad_signature", &tokens[0]);
    publish(&stand, &[&k1]);
    stand.accepts(&tokens[0]);
}

static CHECKS: AtomicUsize = AtomicUsize::new(0);

/// AWS-LC, counting how often a signature is checked.
fn counting() -> CryptoProvider {
    struct Counted(VerificationKey);
    impl VerifySignature for Counted {
        fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
            CHECKS.fetch_add(1, Ordering::Relaxed);
            struct Raw<'a>(&'a [u8], &'a [u8]);
            impl crypto::Signed for Raw<'_> {
                fn message(&self) -> &[u8] {
                    self.0
                }
                fn signature(&self) -> &[u8] {
                    self.1
                }
            }
            let job = crypto::SignatureJob::new(&self.0, Raw(message, signature));
            crypto::aws_lc::provider().verify(job).is_some()
        }
    }
    fn load(jwk: &Jwk, algorithm: Algorithm) -> Result<VerificationKey, KeyError> {
        let key = (crypto::aws_lc::provider().load)(jwk, algorithm)?;
        Ok(VerificationKey::new(algorithm, Box::new(Counted(key))))
    }
    let aws_lc = crypto::aws_lc::provider();
    CryptoProvider::new("counting", aws_lc.algorithms, load, aws_lc.sha256)
}

pub(crate) fn jwks_08_one_trial_at_most(f: &Fixtures) {
    let signer = f.key("K_RSA");
    let n = signer.octets("n");
    // As many RSA keys as a set may have; the numbers need no factors to be tried.
    let mut keys: Vec<Value> = (1..=255u8)
        .map(|number| {
            let mut other = n.clone();
            other[100] ^= number;
            json!({ "kty": "RSA", "alg": "RS256", "kid": number.to_string(), "e": "AQAB",
                "n": b64u(other) })
        })
        .collect();
    keys.push(signer.jwk.clone());
    let policy = load(&config(&keys, &["RS256"])).unwrap();
    let verifier = Verifier::with_clock(policy, counting(), Clock::fixed(f.t0)).unwrap();
    let gate = verifier.gate("api").unwrap();
    let tried = |code: &str, token: String| {
        let before = CHECKS.load(Ordering::Relaxed);
        assert_eq!(gate.judge(token).code(), code);
        CHECKS.load(Ordering::Relaxed) - before
    };
    let token = |kid: &str| {
        compact(format!(r#"{{"alg":"RS256"{kid}}}"#), f.payload(), |input| {
            signer.sign(input)
        })
    };
    assert_eq!(tried("accepted", token(r#","kid":"rsa-1""#)), 1);
    assert_eq!(tried("bad_signature", token(r#","kid":"7""#)), 1);
    assert_eq!(tried("key_not_found", token("")), 0);
    assert_eq!(tried("key_not_found", token(r#","kid":"unknown""#)), 0);
    // One kid for two keys of one algorithm is a configuration error (ALG-10).
    keys[3]["kid"] = "7".into();
    assert!(load(&config(&keys, &["RS256"])).is_err());
    keys.push(keys[9].clone());
    keys.push(keys[10].clone());
    let set = json!({ "keys": keys }).to_string();
    assert!(JwkSet::parse(set.as_bytes()).is_err(), "more than 256 keys");
}

pub(crate) fn cache_01_a_shared_prefix_is_no_hit(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_ED");
    let token = f.token(&key);
    stand.accepts(&token);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let other = f.signed(&key, f.with("sub", "mallory"));
    let (other_input, other_signature) = other.rsplit_once('.').unwrap();
    for size in [20, 64, token.len() - 1] {
        let tail = "A".repeat(token.len() - size);
        stand_refuses(&stand, &format!("{}{tail}", &token[..size]));
        stand_refuses(&stand, &token[..size]);
    }
    stand_refuses(&stand, &format!("{input}.{other_signature}"));
    stand_refuses(&stand, &format!("{other_input}.{signature}"));
    stand_refuses(&stand, &(token.clone() + "A"));
    stand.accepts(&token);
    stand.accepts(other);
}

#[track_caller]
fn stand_refuses(stand: &Stand, token: &str) {
    assert_ne!(stand.judge(token), "accepted", "{token}");
}

pub(crate) fn cache_03_a_hit_is_judged_anew(f: &Fixtures) {
    let key = f.key("K_ED");
    let mut policy = f.cfg_a();
    let mut strict = policy["gates"]["api"].clone();
    strict["audience"] = "https://strict.example".into();
    strict["required_scopes"] = json!(["admin"]);
    policy["gates"]["strict"] = strict;
    policy["gates"]["api"]["max_age"] = "2m".into();
    let stand = f.stand(&policy);
    let token = f.token(&key);
    stand.accepts(&token);
    // Time in both directions.
    stand.at(f.t0 + 60).accepts(&token);
    stand.at(f.t0 + 61).gives("too_old", &token);
    stand.at(f.t0 + 300).gives("expired", &token);
    stand.at(f.t0 - 61).gives("not_yet_valid", &token);
    stand.at(f.t0).accepts(&token);
    for door in &stand.doors {
        // Another gate, and another need, of the same verifier.
        let strict = door.verifier.gate("strict").unwrap();
        assert_eq!(strict.judge(&token).code(), "aud_mismatch");
        let needs = Requirements::scopes(["admin"]);
        let error = door.gate.verify_with(&token, &needs).unwrap_err();
        assert_eq!(error.code().as_str(), "insufficient_scope");
        // A reload that asks for more.
        let mut stricter = policy.clone();
        stricter["gates"]["api"]["required_scopes"] = json!(["admin"]);
        door.verifier.reload(load(&stricter).unwrap()).unwrap();
        assert_eq!(door.gate.judge(&token).code(), "insufficient_scope");
        door.verifier.reload(load(&policy).unwrap()).unwrap();
        assert!(door.gate.judge(&token).is_accepted());
    }
    // Keys: JWKS-03.
}

pub(crate) fn cache_04_refusals_are_not_remembered(f: &Fixtures) {
    let (k1, k2) = (f.key("K_EC"), f.key("K_ED"));
    let stand = pushed(f, &[]);
    let token = f.token(&k1);
    stand.gives("keys_unavailable", &token);
    publish(&stand, &[&k2]);
    stand.gives("key_not_found", &token);
    publish(&stand, &[&k1, &k2]);
    stand.accepts(&token);
    let early = f.signed(&k2, f.with("nbf", f.t0 + 10));
    stand.gives("not_yet_valid", &early);
    stand.at(f.t0 + 10).accepts(&early);
}

pub(crate) fn cache_08_the_whole_token_is_compared(f: &Fixtures) {
    // The hash is keyed per process, so no collision can be crafted from here; what can be
    // checked is that a nearly full cache never answers for a neighbour.
    let mut policy = f.cfg_a();
    policy["cache"] = json!({ "tokens": 2 });
    let stand = f.stand(&policy);
    let key = f.key("K_ED");
    let tokens: Vec<String> = (0..200)
        .map(|number| f.signed(&key, f.with("sub", format!("user-{number}"))))
        .collect();
    for _ in 0..2 {
        for (number, token) in tokens.iter().enumerate() {
            for door in &stand.doors {
                let verified = door.gate.verify(token).unwrap();
                assert_eq!(verified.subject(), Some(format!("user-{number}").as_str()));
            }
        }
    }
}

pub(crate) fn dos_01_very_large_tokens(f: &Fixtures) {
    let stand = f.stand_a();
    let token = f.token(&f.key("K_ED"));
    stand.accepts(&token);
    // 64 MiB stand for the recipe's 512: the reject path looks at the length alone.
    for size in [16 * 1024 + 1, 16 << 20, 64 << 20] {
        let one_part = "A".repeat(size);
        stand.gives("oversized", &one_part);
        let third = "A".repeat(size / 3);
        stand.gives("oversized", format!("{third}.{third}.{third}A"));
    }
    stand.gives("oversized", vec![0xff; 1 << 20]);
    stand.accepts(token);
}

pub(crate) fn dos_03_no_mutation_panics(f: &Fixtures) {
    let mut policy = f.cfg_a();
    policy["gates"]["api"]["delegation"] = "surface".into();
    let stand = f.stand(&policy);
    let key = f.key("K_ED");
    let act = json!({ "sub": "agent", "act": { "iss": "https://b.example", "sub": "b" } });
    let token = f.signed(&key, f.with("act", act));
    let other = f.signed(&key, f.with("sub", "\u{1f511}"));
    stand.accepts(&token);
    let bytes = token.as_bytes();
    let mut mutants: Vec<Vec<u8>> = Vec::new();
    for position in 0..bytes.len() {
        mutants.push(bytes[..position].to_vec());
        mutants.push(bytes[position + 1..].to_vec());
        mutants.push([&bytes[..position], &bytes[position + 1..]].concat());
        for byte in [0, b'.', b'A', b'_', b'=', 0x7f, 0xff, bytes[position] ^ 1] {
            let mut mutant = bytes.to_vec();
            mutant[position] = byte;
            mutants.push(mutant);
        }
        let cut = position.min(other.len());
        mutants.push([&bytes[..position], &other.as_bytes()[cut..]].concat());
    }
    for mutant in mutants {
        let same = mutant == bytes || mutant == other.as_bytes();
        assert_eq!(
            stand.judge(&mutant) == "accepted",
            same,
            "{}",
            mutant.escape_ascii()
        );
    }
    // The verifier is as good as before.
    stand.accepts(&token);
}

//! Attacks on the choice of key, and bad keys.

use std::net::TcpListener;

use sealgate::crypto;
use sealgate::jwa::{Algorithm, AlgorithmSet};
use sealgate::jwk::{Jwk, JwkSet};
use sealgate_tests::workshop::number::Nat;
use sealgate_tests::workshop::{Key, b64u, compact, der};
use serde_json::{Value, json};

use crate::stand::{Fixtures, config, load, providers};

/// The header of `honest` with more members, signed by `attacker`.
fn forged(f: &Fixtures, attacker: &Key, header: &str) -> String {
    let alg = if attacker.text("kty") == "RSA" {
        "RS256"
    } else {
        "ES256"
    };
    compact(header, f.payload(), |input| attacker.sign_as(alg, input))
}

pub(crate) fn key_01_the_attackers_key_in_the_header(f: &Fixtures) {
    // ATT_EC is the fixture's own K_EC, so the stand trusts another key under its name.
    let attacker = f.key("ATT_EC");
    let mut trusted = f.key("K_EC_B");
    trusted.jwk["kid"] = "ec-1".into();
    let stand = f.stand(&config(std::slice::from_ref(&trusted.jwk), &["ES256"]));
    stand.accepts(f.token(&trusted));
    let embedded = |jwk: &Value| format!(r#""alg":"ES256","jwk":{jwk}"#);
    let own = embedded(&attacker.jwk);
    stand.gives(
        "bad_signature",
        forged(f, &attacker, &format!(r#"{{"kid":"ec-1",{own}}}"#)),
    );
    stand.gives(
        "key_not_found",
        forged(f, &attacker, &format!(r#"{{"kid":"ec-9",{own}}}"#)),
    );
    stand.gives("bad_signature", forged(f, &attacker, &format!("{{{own}}}")));
    let theirs = embedded(&trusted.jwk);
    stand.gives(
        "bad_signature",
        forged(f, &attacker, &format!(r#"{{"kid":"ec-1",{theirs}}}"#)),
    );
    // The parameter itself is harmless where the trusted key has signed.
    stand.accepts(forged(f, &trusted, &format!(r#"{{"kid":"ec-1",{own}}}"#)));
    // ALG-09: a private key in a token is a mistake that must be heard of.
    let private = r#"{"alg":"ES256","kid":"ec-1","jwk":{"kty":"EC","d":"AA"}}"#;
    stand.gives("malformed_token", forged(f, &trusted, private));
}

pub(crate) fn key_02_jku_and_x5u_are_never_fetched(f: &Fixtures) {
    let stand = f.stand_a();
    let (trusted, attacker) = (f.key("K_RSA"), f.key("ATT_RSA"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for name in ["jku", "x5u"] {
        for url in [
            &format!("http://127.0.0.1:{port}/x"),
            "https://attacker.example/jwks",
            "file:///dev/null",
            "data:application/json,{}",
            "//host",
            &format!("https://issuer.example@127.0.0.1:{port}/"),
        ] {
            let with = |kid: &str| format!(r#"{{"alg":"RS256",{kid}"{name}":"{url}"}}"#);
            stand.accepts(forged(f, &trusted, &with(r#""kid":"rsa-1","#)));
            stand.gives(
                "bad_signature",
                forged(f, &attacker, &with(r#""kid":"rsa-1","#)),
            );
            stand.gives("bad_signature", forged(f, &attacker, &with("")));
            stand.gives(
                "key_not_found",
                forged(f, &attacker, &with(r#""kid":"evil","#)),
            );
        }
    }
    let caller = listener.accept();
    assert!(caller.is_err(), "somebody called: {caller:?}");
}

pub(crate) fn key_03_x5c_chooses_no_key(f: &Fixtures) {
    let stand = f.stand_a();
    let (trusted, attacker) = (f.key("K_RSA"), f.key("ATT_RSA"));
    let certificate = |key: &Key| der::base64(&der::certificate(key));
    let (theirs, ours) = (certificate(&attacker), certificate(&trusted));
    let digest =
        |hash: sealgate_tests::workshop::Hash| b64u(hash.digest(&der::certificate(&trusted)));
    let sha1 = digest(sealgate_tests::workshop::Hash::Sha1);
    let sha256 = digest(sealgate_tests::workshop::Hash::Sha256);
    for more in [
        json!({ "x5c": [theirs] }),
        json!({ "x5c": [theirs, theirs] }),
        json!({ "x5c": [ours] }),
        json!({ "x5t": sha1, "x5t#S256": sha256 }),
        json!({ "x5c": [] }),
        json!({ "x5c": "string" }),
        json!({ "x5c": [1] }),
    ] {
        let mut header = more.clone();
        header["alg"] = "RS256".into();
        header["kid"] = "rsa-1".into();
        stand.accepts(forged(f, &trusted, &header.to_string()));
        stand.gives("bad_signature", forged(f, &attacker, &header.to_string()));
    }
}

pub(crate) fn key_05_kid_of_the_wrong_type(f: &Fixtures) {
    let stand = f.stand_a();
    let key = f.key("K_RSA");
    let token = |kid: &str| {
        let header = format!(r#"{{"alg":"RS256","kid":{kid}}}"#);
        compact(header, f.payload(), |input| key.sign(input))
    };
    stand.accepts(token(r#""rsa-1""#));
    for kid in [
        "1",
        "0",
        "1.0",
        "true",
        "null",
        "[]",
        r#"["rsa-1"]"#,
        "{}",
        r#"{"a":1}"#,
    ] {
        stand.gives("malformed_token", token(kid));
    }
    // 1 is not "1".
    let mut numbered = f.key("K_RSA");
    numbered.jwk["kid"] = "1".into();
    let stand = f.stand(&config(&[numbered.jwk], &["RS256"]));
    stand.accepts(token(r#""1""#));
    stand.gives("malformed_token", token("1"));
    // KEY-04: a kid is data of at most 1 KiB, never a path.
    stand.gives("key_not_found", token(r#""../../dev/null""#));
    stand.gives("key_not_found", token(&format!("{:?}", "k".repeat(1024))));
    stand.gives("oversized", token(&format!("{:?}", "k".repeat(1025))));
}

pub(crate) fn key_07_right_key_wrong_issuer(f: &Fixtures) {
    let (a, b) = (f.key("K_EC"), f.key("K_EC_B"));
    let mut policy = config(std::slice::from_ref(&a.jwk), &["ES256"]);
    let mut other = policy["issuers"]["issuer"].clone();
    other["issuer"] = "https://b.example".into();
    other["jwks"]["keys"] = json!([b.jwk]);
    policy["issuers"]["b"] = other;
    policy["gates"]["api"]["issuers"] = json!(["issuer", "b"]);
    let stand = f.stand(&policy);
    let of_b = f.with("iss", "https://b.example");
    stand.accepts(f.token(&a));
    stand.accepts(f.signed(&b, &of_b));
    stand.gives("key_not_found", f.token(&b));
    stand.gives("key_not_found", f.signed(&a, &of_b));
    let nameless = compact(r#"{"alg":"ES256"}"#, f.payload(), |input| b.sign(input));
    stand.gives("bad_signature", nameless);
    let borrowed = compact(r#"{"alg":"ES256","kid":"ec-1"}"#, f.payload(), |input| {
        b.sign(input)
    });
    stand.gives("bad_signature", borrowed);
    stand.gives("missing_claim", f.signed(&a, f.without("iss")));
    stand.gives(
        "iss_untrusted",
        f.signed(&a, f.with("iss", "https://c.example")),
    );
    let header = a.header(r#","iss":"https://issuer.example""#);
    stand.gives(
        "key_not_found",
        compact(header, &of_b, |input| a.sign(input)),
    );
}

pub(crate) fn key_09_no_kid_with_many_keys(f: &Fixtures) {
    let key = Key::seeded("Ed25519", "0");
    let nameless = compact(r#"{"alg":"Ed25519"}"#, f.payload(), |input| key.sign(input));
    let keys = |count: usize| -> Vec<Value> {
        let keys = (0..count).map(|index| Key::seeded("Ed25519", &index.to_string()).jwk);
        keys.collect()
    };
    for (count, code) in [
        (1, "accepted"),
        (2, "key_not_found"),
        (256, "key_not_found"),
    ] {
        let stand = f.stand(&config(&keys(count), &["Ed25519"]));
        stand.gives(code, &nameless);
        stand.accepts(f.token(&key));
    }
    let set = json!({ "keys": keys(257) }).to_string();
    assert!(JwkSet::parse(set.as_bytes()).is_err());
}

/// The code with which a key is refused, before or when a provider loads it.
fn refused(jwk: &Value) -> Option<&'static str> {
    let aws_lc = crypto::aws_lc::provider();
    let key = match Jwk::parse(jwk.to_string().as_bytes()) {
        Ok(key) => key,
        Err(error) => return Some(error.code().as_str()),
    };
    let algorithm = key.algorithm().unwrap_or(Algorithm::Rs256);
    let error = (aws_lc.load)(&key, algorithm).err()?;
    Some(error.code().as_str())
}

/// A bad key beside a good one: the good one goes on working, the bad one verifies nothing.
#[track_caller]
fn bad_beside_good(f: &Fixtures, bad: &Value, signer: &Key) {
    let good = f.key("K_ED");
    let set = json!({ "keys": [bad, good.jwk] }).to_string();
    let set = JwkSet::parse(set.as_bytes()).unwrap();
    for provider in providers() {
        let all: AlgorithmSet = provider
            .algorithms
            .iter()
            .filter(|a| !a.is_symmetric())
            .collect();
        let ask = |token: &str| sealgate::verify_jws(token, &set, all, &provider);
        ask(&f.token(&good)).unwrap();
        let code = ask(&f.token(signer)).unwrap_err().code().as_str();
        let codes = ["key_not_found", "bad_signature", "alg_not_allowed"];
        assert!(codes.contains(&code), "{code} {bad}");
    }
}

pub(crate) fn key_11_use_and_key_ops_forbid_verification(f: &Fixtures) {
    let key = f.key("K_EC");
    let with = |members: Value| {
        let mut jwk = key.jwk.clone();
        let jwk_members = jwk.as_object_mut().unwrap();
        jwk_members.remove("use");
        jwk_members.extend(members.as_object().unwrap().clone());
        jwk
    };
    for members in [
        json!({}),
        json!({ "use": "sig" }),
        json!({ "key_ops": ["verify"] }),
        json!({ "use": "sig", "key_ops": ["sign", "verify"] }),
    ] {
        f.stand(&config(&[with(members)], &["ES256"]))
            .accepts(f.token(&key));
    }
    for (members, code) in [
        (json!({ "use": "enc" }), "key_use_mismatch"),
        (json!({ "use": "SIG" }), "key_use_mismatch"),
        (json!({ "key_ops": ["encrypt"] }), "key_use_mismatch"),
        (json!({ "key_ops": ["sign"] }), "key_use_mismatch"),
        (json!({ "key_ops": [] }), "key_use_mismatch"),
        (
            json!({ "use": "enc", "key_ops": ["verify"] }),
            "key_use_mismatch",
        ),
        (
            json!({ "use": "sig", "key_ops": ["sign"] }),
            "key_use_mismatch",
        ),
        (json!({ "key_ops": "verify" }), "malformed_token"),
        (json!({ "use": ["sig"] }), "malformed_token"),
    ] {
        let bad = with(members);
        assert_eq!(refused(&bad), Some(code), "{bad}");
        assert!(
            f.try_stand(&config(std::slice::from_ref(&bad), &["ES256"]))
                .is_err(),
            "{bad}"
        );
        bad_beside_good(f, &bad, &key);
    }
}

pub(crate) fn key_13_private_keys_in_a_set(f: &Fixtures) {
    for (name, member) in [("K_RSA", "d"), ("K_RSA", "p"), ("K_EC", "d"), ("K_ED", "d")] {
        let key = f.key(name);
        let secret = b64u(b"a very secret number");
        let mut leaked = key.jwk.clone();
        leaked[member] = secret.clone().into();
        assert_eq!(refused(&leaked), Some("malformed_token"));
        bad_beside_good(f, &leaked, &key_with_kid(key, "leaked"));
        let set = json!({ "keys": [leaked] }).to_string();
        let set = JwkSet::parse(set.as_bytes()).unwrap();
        let reason = set.skipped()[0].reason;
        let shown = format!("{set:?} {reason} {reason:?}");
        assert!(!shown.contains(&secret), "{shown}");
        let error = load(&config(&[leaked], &["RS256", "ES256", "Ed25519"])).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&secret), "{error}");
    }
}

fn key_with_kid(mut key: Key, kid: &str) -> Key {
    key.jwk["kid"] = kid.into();
    key
}

pub(crate) fn key_14_invalid_points(f: &Fixtures) {
    let key = f.key("K_EC");
    assert_eq!(refused(&key.jwk), None);
    let (x, y) = (key.octets("x"), key.octets("y"));
    let p = sealgate_tests::workshop::ecdsa::Curve::named("P-256");
    let plus = |octets: &[u8], number: &Nat| Nat::from_bytes(octets).plus(number);
    let other = Key::seeded("ES256K", "k");
    let zero = vec![0; 32];
    let mut points = vec![
        (zero.clone(), zero, "weak_key"),
        (x.clone(), plus(&y, &Nat::small(1)).to_bytes(32), "weak_key"),
        (y.clone(), x.clone(), "weak_key"),
        (vec![0xff; 32], y.clone(), "weak_key"),
        (p.prime().to_bytes(32), y.clone(), "weak_key"),
        (other.octets("x"), other.octets("y"), "weak_key"),
        (x[1..].to_vec(), y.clone(), "weak_key"),
        ([&[0], x.as_slice()].concat(), y.clone(), "weak_key"),
        ([&[2], x.as_slice()].concat(), y.clone(), "weak_key"),
        (x.clone(), Vec::new(), "weak_key"),
    ];
    let beyond = plus(&x, p.prime());
    if beyond.bits() <= 256 {
        points.push((beyond.to_bytes(32), y, "weak_key"));
    }
    let with = |x: Value, y: Value| {
        let mut jwk = key.jwk.clone();
        jwk["x"] = x;
        jwk["y"] = y;
        jwk
    };
    for (x, y, code) in points {
        let bad = with(b64u(x).into(), b64u(y).into());
        assert_eq!(refused(&bad), Some(code), "{bad}");
        bad_beside_good(f, &bad, &key);
    }
    for bad in [
        with(b64u(&x).into(), true.into()),
        with(b64u(&x).into(), Value::Null),
        with(
            key.text("x").to_owned().into(),
            format!("{}=", key.text("y")).into(),
        ),
    ] {
        assert_eq!(refused(&bad), Some("malformed_token"), "{bad}");
        bad_beside_good(f, &bad, &key);
    }
    let mut missing = key.jwk.clone();
    missing.as_object_mut().unwrap().remove("y").unwrap();
    assert_eq!(refused(&missing), Some("malformed_token"));
    // OKP-01, OKP-02: the wrong length, and points of small order.
    let ed = f.key("K_ED");
    for x in [
        vec![0; 32],
        [&[1], [0; 31].as_slice()].concat(),
        [&[0xec], [0xff; 30].as_slice(), &[0x7f]].concat(),
        [&[0xed], [0xff; 30].as_slice(), &[0x7f]].concat(),
        vec![7; 31],
        vec![7; 33],
    ] {
        let mut bad = ed.jwk.clone();
        bad["x"] = b64u(x).into();
        assert_eq!(refused(&bad), Some("weak_key"), "{bad}");
    }
}

pub(crate) fn key_19_empty_short_or_guessable_secrets(f: &Fixtures) {
    let with = |alg: &str, secret: &[u8]| {
        let jwk = json!({ "kty": "oct", "kid": "h-1", "alg": alg, "k": b64u(secret) });
        config(&[jwk], &[alg])
    };
    for (alg, size) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let secret = vec![0xa5; size];
        let jwk = json!({ "kty": "oct", "kid": "h-1", "alg": alg, "k": b64u(&secret) });
        f.stand(&with(alg, &secret))
            .accepts(f.token(&Key::from_jwk(&jwk)));
        for short in [0, 1, size - 1] {
            assert!(load(&with(alg, &secret[..short])).is_err(), "{alg} {short}");
        }
    }
    for word in [
        "secret",
        "password",
        "your-256-bit-secret",
        "changeme",
        "jwt_secret",
        "key",
        "test",
        "supersecret",
        "123456",
        "a-string-secret-at-least-256",
        "default",
        "qwerty",
    ] {
        assert!(load(&with("HS256", word.as_bytes())).is_err(), "{word}");
    }
}

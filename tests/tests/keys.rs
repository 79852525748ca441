//! Keys as people have them: the key files of seven libraries, Wycheproof's sets, the thumbprints
//! of the RFCs, and each rule of a JWK beside its near miss.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sealgate::jwa::Algorithm;
use sealgate::jwk::{Jwk, JwkSet, KeyError};
use sealgate::{Format, LoadOptions, Policy, Verifier, crypto};
use sealgate_tests::vectors::{folder, read};
use sealgate_tests::workshop::{Key, b64u, der, unb64u};
use serde_json::{Value, json};

/// The files of `keys/` that hold a key one can verify with, the entry point that reads it, and the
/// algorithm it is bound to. All other files are refused by every entry point: private keys, other
/// kinds of key (Ed448, DSA, OpenSSH), curves given by explicit parameters (CVE-2020-0601), chains,
/// a 1024-bit modulus, a bare secret, licences. "wrong" and "invalid" in a name are only keys of
/// somebody else.
const USABLE: [(&str, &str, &str); 58] = [
    (
        "Keats__jsonwebtoken/ecdsa/public_ecdsa_key.pem",
        "PEM",
        "ES256",
    ),
    ("Keats__jsonwebtoken/ecdsa/public_jwtio.pem", "PEM", "ES384"),
    (
        "Keats__jsonwebtoken/eddsa/public_ed25519_key.pem",
        "PEM",
        "Ed25519",
    ),
    (
        "Keats__jsonwebtoken/rsa/certificate_jwtio.crt",
        "PEM",
        "RSA",
    ),
    (
        "Keats__jsonwebtoken/rsa/certificate_rsa_key_pkcs1.crt",
        "PEM",
        "RSA",
    ),
    (
        "Keats__jsonwebtoken/rsa/certificate_rsa_key_pkcs8.crt",
        "PEM",
        "RSA",
    ),
    ("Keats__jsonwebtoken/rsa/public_jwtio.pem", "PEM", "RSA"),
    ("Keats__jsonwebtoken/rsa/public_rsa_key.der", "DER", "RSA"),
    (
        "Keats__jsonwebtoken/rsa/public_rsa_key_pkcs1.pem",
        "PEM",
        "RSA",
    ),
    (
        "Keats__jsonwebtoken/rsa/public_rsa_key_pkcs8.pem",
        "PEM",
        "RSA",
    ),
    (
        "auth0__java-jwt/ec256-key-public-invalid.pem",
        "PEM",
        "ES256",
    ),
    ("auth0__java-jwt/ec256-key-public.pem", "PEM", "ES256"),
    (
        "auth0__java-jwt/ec384-key-public-invalid.pem",
        "PEM",
        "ES384",
    ),
    ("auth0__java-jwt/ec384-key-public.pem", "PEM", "ES384"),
    (
        "auth0__java-jwt/ec512-key-public-invalid.pem",
        "PEM",
        "ES512",
    ),
    ("auth0__java-jwt/ec512-key-public.pem", "PEM", "ES512"),
    ("auth0__java-jwt/rsa-public.pem", "PEM", "RSA"),
    ("auth0__java-jwt/rsa-public_invalid.pem", "PEM", "RSA"),
    ("auth0__node-jsonwebtoken/invalid_pub.pem", "PEM", "RSA"),
    ("auth0__node-jsonwebtoken/pub.pem", "PEM", "RSA"),
    ("auth0__node-jsonwebtoken/rsa-public-key.pem", "PEM", "RSA"),
    ("auth0__node-jsonwebtoken/rsa-public.pem", "PEM", "RSA"),
    ("golang-jwt__jwt/ec256-public.pem", "PEM", "ES256"),
    ("golang-jwt__jwt/ec384-public.pem", "PEM", "ES384"),
    ("golang-jwt__jwt/ec512-public.pem", "PEM", "ES512"),
    ("golang-jwt__jwt/ed25519-public.pem", "PEM", "Ed25519"),
    (
        "golang-jwt__jwt/examplePaddedKey-public.pem",
        "PEM",
        "ES256",
    ),
    ("golang-jwt__jwt/sample_key.pub", "PEM", "RSA"),
    ("jpadilla__pyjwt/jwk_ec_pub_P-256.json", "JWK", "ES256"),
    ("jpadilla__pyjwt/jwk_ec_pub_P-384.json", "JWK", "ES384"),
    ("jpadilla__pyjwt/jwk_ec_pub_P-521.json", "JWK", "ES512"),
    ("jpadilla__pyjwt/jwk_ec_pub_secp256k1.json", "JWK", "ES256K"),
    ("jpadilla__pyjwt/jwk_hmac.json", "JWK", "HS256"),
    ("jpadilla__pyjwt/jwk_okp_pub_Ed25519.json", "JWK", "Ed25519"),
    ("jpadilla__pyjwt/jwk_rsa_pub.json", "JWK", "RSA"),
    ("jpadilla__pyjwt/testkey2_rsa.pub.pem", "PEM", "RSA"),
    ("jpadilla__pyjwt/testkey_ec.pub", "PEM", "ES256"),
    ("jpadilla__pyjwt/testkey_ed25519.pub.pem", "PEM", "Ed25519"),
    ("jpadilla__pyjwt/testkey_rsa.cer", "PEM", "RSA"),
    ("jwt__ruby-jwt/keys/ec256-public-v2.pem", "PEM", "ES256"),
    ("jwt__ruby-jwt/keys/ec256-public.pem", "PEM", "ES256"),
    ("jwt__ruby-jwt/keys/ec256-wrong-public.pem", "PEM", "ES256K"),
    ("jwt__ruby-jwt/keys/ec256k-public.pem", "PEM", "ES256K"),
    ("jwt__ruby-jwt/keys/ec384-public.pem", "PEM", "ES384"),
    ("jwt__ruby-jwt/keys/ec512-public.pem", "PEM", "ES512"),
    ("jwt__ruby-jwt/keys/rsa-2048-public.pem", "PEM", "RSA"),
    ("jwt__ruby-jwt/keys/rsa-2048-wrong-public.pem", "PEM", "RSA"),
    ("nearform__fast-jwt/ed-25519-public.key", "PEM", "Ed25519"),
    ("nearform__fast-jwt/es-256-public.key", "PEM", "ES256"),
    ("nearform__fast-jwt/es-384-public.key", "PEM", "ES384"),
    ("nearform__fast-jwt/es-512-public.key", "PEM", "ES512"),
    ("nearform__fast-jwt/ppes-256-public.key", "PEM", "ES256"),
    ("nearform__fast-jwt/ppes-384-public.key", "PEM", "ES384"),
    ("nearform__fast-jwt/ppes-512-public.key", "PEM", "ES512"),
    ("nearform__fast-jwt/pprs-512-public.key", "PEM", "RSA"),
    ("nearform__fast-jwt/ps-512-public.key", "PEM", "RSA"),
    ("nearform__fast-jwt/rs-512-public.key", "PEM", "RSA"),
    ("nearform__fast-jwt/rs-x509-public.key", "PEM", "RSA"),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The algorithm, or for a key that needs binding its kind.
fn bound_to(jwk: &Jwk) -> &'static str {
    jwk.algorithm().map_or_else(|| jwk.kty(), Algorithm::name)
}

#[test]
fn key_files_of_seven_libraries() {
    let Some(root) = folder("key_files_of_seven_libraries") else {
        return;
    };
    let root = root.join("keys");
    let mut all = Vec::new();
    files(&root, &mut all);
    let mut usable = Vec::new();
    for path in &all {
        let bytes = fs::read(path).unwrap();
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let entries = [
            ("PEM", Jwk::from_pem(&bytes)),
            ("DER", Jwk::from_der(&bytes)),
            ("X509", Jwk::from_x509_der(&bytes)),
            ("JWK", Jwk::parse(&bytes)),
        ];
        for (entry, outcome) in entries {
            match outcome {
                Ok(jwk) => {
                    // ALG-04: only a JWK that says so is a secret.
                    assert!(entry == "JWK" || jwk.kty() != "oct", "{name}");
                    for provider in [crypto::aws_lc::provider(), crypto::ring::provider()] {
                        let algorithm = jwk.algorithm().unwrap_or(Algorithm::Rs256);
                        let lacks = !provider.algorithms.contains(algorithm);
                        let loaded = (provider.load)(&jwk, algorithm);
                        assert_eq!(loaded.is_err(), lacks, "{name}, {}", provider.name);
                    }
                    usable.push((name.to_owned(), entry, bound_to(&jwk)));
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
        if let Ok(set) = JwkSet::parse(&bytes) {
            let expected = if name.ends_with("_with_unknown_alg.json") {
                1
            } else {
                0
            };
            assert_eq!(
                (set.keys().len(), set.skipped().len()),
                (expected, 1),
                "{name}"
            );
        }
    }
    usable.sort();
    let found: Vec<_> = usable.iter().map(|(n, e, b)| (&**n, *e, *b)).collect();
    let mut expected = USABLE.to_vec();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(all.len(), 147);
}

#[test]
fn wycheproof_key_sets() {
    let Some(folder) = folder("wycheproof_key_sets") else {
        return;
    };
    let vectors = read(&folder, "wycheproof-jose/json_web_key_test.json");
    let (mut loaded, mut refused) = (Vec::new(), Vec::new());
    for group in vectors["testGroups"].as_array().unwrap() {
        let public = &group["public"];
        let keys = if public.is_object() {
            public
        } else {
            &group["private"]
        };
        let text = if keys["keys"].is_array() {
            keys.to_string()
        } else {
            json!({ "keys": [keys] }).to_string()
        };
        let set = JwkSet::parse(text.as_bytes()).unwrap();
        let id = group["tests"][0]["tcId"].as_u64().unwrap();
        let fits = |jwk: &Jwk| match jwk.algorithm() {
            Some(algorithm) => (crypto::ring::provider().load)(jwk, algorithm).is_ok(),
            None => true,
        };
        if set.keys().iter().any(fits) {
            loaded.push(id);
        } else {
            refused.push(id);
        }
    }
    // 7 is a ROCA key, which is not looked for.
    assert_eq!(loaded, [1, 2, 4, 5, 7, 13, 14, 15]);
    // Wrong use, 1024 bits, exponent 1, short and empty secrets, an alg of another curve, a point
    // off its curve, a curve and a kty of other keys, secrets for AES.
    assert_eq!(
        refused,
        [
            6, 8, 9, 10, 11, 12, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26
        ]
    );
}

fn parse(jwk: &Value) -> Result<Jwk, KeyError> {
    Jwk::parse(jwk.to_string().as_bytes())
}

fn thumbprint(jwk: &Value) -> String {
    crypto::thumbprint(&crypto::ring::provider(), &parse(jwk).unwrap())
}

#[test]
fn pq_04_ml_dsa_thumbprints() {
    let Some(folder) = folder("pq_04_ml_dsa_thumbprints") else {
        return;
    };
    for size in [44, 65, 87] {
        let vector = read(&folder, &format!("mldsa-jose/ML_DSA_{size}.jose.json"));
        let mut jwk = vector["jwk"].clone();
        assert_eq!(
            refusal(&with(&jwk, "priv", json!("AA"))),
            "malformed_token priv"
        );
        jwk.as_object_mut().unwrap().remove("priv");
        assert_eq!(thumbprint(&jwk), jwk["kid"].as_str().unwrap());
    }
}

#[test]
fn thumbprints_of_rfc_7638_and_8037() {
    let rsa = json!({ "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw" });
    assert_eq!(
        thumbprint(&rsa),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    let ed25519 = ed25519();
    assert_eq!(
        thumbprint(&ed25519),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}

/// RFC 8037 A.2.
fn ed25519() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

fn jwk_of(alg: &str) -> Value {
    Key::seeded(alg, "k1").jwk
}

fn with(jwk: &Value, name: &str, value: Value) -> Value {
    let mut jwk = jwk.clone();
    jwk[name] = value;
    jwk
}

fn without(jwk: &Value, name: &str) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

/// Code and member of the refusal, or what the key is bound to.
fn refusal(jwk: &Value) -> String {
    match parse(jwk) {
        Ok(jwk) => bound_to(&jwk).to_owned(),
        Err(error) => format!("{} {}", error.code().as_str(), error.member()),
    }
}

#[test]
fn alg_09_private_members() {
    for (alg, members) in [
        ("RS256", &["d", "p", "q", "dp", "dq", "qi", "oth"][..]),
        ("ES256", &["d"]),
        ("Ed25519", &["d"]),
        ("ML-DSA-44", &["priv"]),
    ] {
        let jwk = jwk_of(alg);
        assert_eq!(refusal(&jwk), alg);
        assert_eq!(refusal(&with(&jwk, "x-note", json!("AA"))), alg);
        for member in members {
            let private = with(&jwk, member, json!("AA"));
            assert_eq!(refusal(&private), format!("malformed_token {member}"));
            let set = JwkSet::parse(json!({ "keys": [private, jwk] }).to_string().as_bytes());
            let set = set.unwrap();
            assert_eq!((set.keys().len(), set.skipped()[0].index), (1, 0));
        }
    }
}

#[test]
fn alg_09_use_and_key_ops() {
    let jwk = jwk_of("ES256");
    for (name, value, expected) in [
        ("use", json!("sig"), "ES256"),
        ("use", json!("enc"), "key_use_mismatch use"),
        ("use", json!("Sig"), "key_use_mismatch use"),
        ("use", json!(1), "malformed_token use"),
        ("key_ops", json!(["verify"]), "ES256"),
        ("key_ops", json!(["sign", "verify"]), "ES256"),
        ("key_ops", json!(["sign"]), "key_use_mismatch key_ops"),
        ("key_ops", json!([]), "key_use_mismatch key_ops"),
        ("key_ops", json!("verify"), "malformed_token key_ops"),
        ("key_ops", json!(["verify", 1]), "malformed_token key_ops"),
        ("kid", json!("k".repeat(1024)), "ES256"),
        ("kid", json!("k".repeat(1025)), "malformed_token kid"),
        ("kid", json!(1), "malformed_token kid"),
        ("kty", json!("ec"), "alg_not_allowed kty"),
        ("alg", json!("ES384"), "alg_key_mismatch alg"),
        ("alg", json!("EdDSA"), "alg_key_mismatch alg"),
        ("alg", json!("none"), "alg_not_allowed alg"),
        ("alg", json!("ECDH-ES"), "alg_not_allowed alg"),
        ("alg", json!(null), "malformed_token alg"),
    ] {
        assert_eq!(
            refusal(&with(&jwk, name, value.clone())),
            expected,
            "{name} {value}"
        );
    }
    assert_eq!(refusal(&with(&ed25519(), "alg", json!("EdDSA"))), "Ed25519");
    assert_eq!(
        refusal(&with(&ed25519(), "crv", json!("Ed448"))),
        "alg_not_allowed crv"
    );
    assert_eq!(
        refusal(&with(&ed25519(), "crv", json!("X25519"))),
        "alg_not_allowed crv"
    );
    assert_eq!(
        refusal(&with(&jwk_of("ES256"), "crv", json!("Ed25519"))),
        "alg_not_allowed crv"
    );
}

#[test]
fn alg_07_coordinates_off_the_curve_or_of_another_length() {
    for alg in ["ES256", "ES384", "ES512", "ES256K"] {
        let jwk = jwk_of(alg);
        assert_eq!(refusal(&jwk), alg);
        for name in ["x", "y"] {
            let whole = unb64u(jwk[name].as_str().unwrap()).unwrap();
            let mut other = whole.clone();
            *other.last_mut().unwrap() ^= 1;
            let zero = vec![0; whole.len()];
            let long = [&[0], &whole[..]].concat();
            let above = vec![0xff; whole.len()];
            for wrong in [&whole[1..], &long, &other, &zero, &above, &[]] {
                let wrong = with(&jwk, name, json!(b64u(wrong)));
                assert_eq!(refusal(&wrong), "weak_key x", "{alg} {name}");
            }
            assert_eq!(
                refusal(&without(&jwk, name)),
                format!("malformed_token {name}")
            );
            let padded = format!("{}=", jwk[name].as_str().unwrap());
            assert_eq!(
                refusal(&with(&jwk, name, json!(padded))),
                format!("malformed_token {name}")
            );
        }
        let swapped = with(&with(&jwk, "x", jwk["y"].clone()), "y", jwk["x"].clone());
        assert_eq!(refusal(&swapped), "weak_key x");
    }
}

/// A coordinate written as itself and p would name the same point a second time.
#[test]
fn alg_07_coordinates_of_p_and_above() {
    // On secp256k1, whose p leaves room in 32 octets: y² = 1 + 7.
    let y = "QhjyCubGRrNj22hgWCL7FCZMqNJYf91vvHUNWH52p-4";
    let (one, one_and_p) = (
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE",
        "_____________________________________v___DA",
    );
    let jwk = with(&jwk_of("ES256K"), "y", json!(y));
    assert_eq!(refusal(&with(&jwk, "x", json!(one))), "ES256K");
    assert_eq!(refusal(&with(&jwk, "x", json!(one_and_p))), "weak_key x");
}

#[test]
fn alg_05_rsa_sizes_and_exponents() {
    let modulus = |bits: usize, last: u8| {
        let mut n = vec![0xa5; bits.div_ceil(8)];
        n[0] = match bits % 8 {
            0 => 0x80,
            more => 1 << (more - 1),
        };
        *n.last_mut().unwrap() = last;
        b64u(n)
    };
    let key = |n: String, e: &[u8]| json!({ "kty": "RSA", "alg": "RS256", "n": n, "e": b64u(e) });
    for (bits, expected) in [
        (1024, "weak_key n"),
        (2047, "weak_key n"),
        (2048, "RS256"),
        (2049, "RS256"),
        (8192, "RS256"),
        (8193, "weak_key n"),
    ] {
        assert_eq!(
            refusal(&key(modulus(bits, 1), &[1, 0, 1])),
            expected,
            "{bits}"
        );
    }
    assert_eq!(refusal(&key(modulus(2048, 2), &[1, 0, 1])), "weak_key n");
    let zeros = b64u([&[0], &unb64u(&modulus(2048, 1)).unwrap()[..]].concat());
    assert_eq!(refusal(&key(zeros, &[1, 0, 1])), "malformed_token n");
    for (e, expected) in [
        (&[3][..], "RS256"),
        (&[1], "weak_key e"),
        (&[2], "weak_key e"),
        (&[1, 0, 0], "weak_key e"),
        (&[0, 3], "malformed_token e"),
        (&[], "malformed_token e"),
        (&[1, 0xff, 0xff, 0xff, 0xff], "RS256"),
        (&[2, 0, 0, 0, 1], "weak_key e"),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 3], "weak_key e"),
    ] {
        let jwk = key(modulus(2048, 1), e);
        assert_eq!(refusal(&jwk), expected, "{e:?}");
        if let Ok(jwk) = parse(&jwk) {
            assert!((crypto::aws_lc::provider().load)(&jwk, Algorithm::Rs256).is_ok());
        }
    }
    let unbound = parse(&without(&key(modulus(2048, 1), &[3]), "alg")).unwrap();
    assert_eq!(unbound.algorithm(), None);
    assert!(unbound.clone().with_algorithm(Algorithm::Es256).is_err());
    let bound = unbound.with_algorithm(Algorithm::Ps256).unwrap();
    assert!(bound.with_algorithm(Algorithm::Rs256).is_err());
}

/// OKP-02: every encoding of the eight points of small order, and points named twice.
#[test]
fn okp_02_small_order_points() {
    const ORDINATES: [&str; 7] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let key = |x: &[u8]| with(&ed25519(), "x", json!(b64u(x)));
    let mut count = 0;
    for ordinate in ORDINATES {
        let octets: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&ordinate[2 * at..][..2], 16).unwrap())
            .collect();
        for sign in [0, 0x80] {
            let mut x = octets.clone();
            x[31] |= sign;
            assert_eq!(refusal(&key(&x)), "weak_key x", "{ordinate} {sign}");
            count += 1;
        }
    }
    assert_eq!(count, 14);
    let good = unb64u(ed25519()["x"].as_str().unwrap()).unwrap();
    assert_eq!(refusal(&key(&good)), "Ed25519");
    let mut negative = good.clone();
    negative[31] ^= 0x80; // the point with the other abscissa is as good
    assert_eq!(refusal(&key(&negative)), "Ed25519");
    for wrong in [&good[..31], &[&good[..], &[0]].concat()] {
        assert_eq!(refusal(&key(wrong)), "weak_key x");
    }
    // Half of all ordinates are of no point at all: 2 is the first.
    let mut ordinate = [0; 32];
    let on_curve = (2..=255).filter(|first| {
        ordinate[0] = *first;
        parse(&key(&ordinate)).is_ok()
    });
    let on_curve: Vec<u8> = on_curve.collect();
    assert_eq!(on_curve[..4], [3, 4, 5, 6]);
    assert!((100..155).contains(&on_curve.len()), "{}", on_curve.len());
}

#[test]
fn pq_01_akp_and_pq_02_lengths() {
    let jwk = jwk_of("ML-DSA-44");
    assert_eq!(refusal(&jwk), "ML-DSA-44");
    assert_eq!(refusal(&without(&jwk, "alg")), "alg_key_mismatch alg");
    assert_eq!(
        refusal(&with(&jwk, "alg", json!("ML-DSA-65"))),
        "weak_key pub"
    );
    assert_eq!(
        refusal(&with(&jwk, "alg", json!("ES256"))),
        "alg_not_allowed alg"
    );
    let public = unb64u(jwk["pub"].as_str().unwrap()).unwrap();
    assert_eq!(
        refusal(&with(&jwk, "pub", json!(b64u(&public[1..])))),
        "weak_key pub"
    );
    assert_eq!(refusal(&without(&jwk, "pub")), "malformed_token pub");
}

#[test]
fn alg_05_secrets_as_long_as_the_hash() {
    for (alg, size) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let key = |size: usize| json!({ "kty": "oct", "alg": alg, "k": b64u(vec![7; size]) });
        assert_eq!(refusal(&key(size)), alg);
        assert_eq!(refusal(&key(size - 1)), "weak_key k");
        assert_eq!(refusal(&key(0)), "weak_key k");
        let unbound = parse(&without(&key(size - 1), "alg")).unwrap();
        let algorithm = Algorithm::from_name(alg).unwrap();
        assert!((crypto::ring::provider().load)(&unbound, algorithm).is_err());
        assert!((crypto::aws_lc::provider().load)(&unbound, algorithm).is_err());
        assert!(
            !format!("{unbound:?}").contains("BwcH"),
            "no secret in Debug"
        );
    }
}

#[test]
fn a_set_passes_over_what_it_cannot_use() {
    let good = jwk_of("ES256");
    let set = json!({ "keys": [{ "kty": "XYZ" }, good, 7, with(&good, "crv", json!("P-999"))] });
    let set = JwkSet::parse(set.to_string().as_bytes()).unwrap();
    assert_eq!(set.keys().len(), 1);
    let reasons: Vec<_> = set
        .skipped()
        .iter()
        .map(|skipped| (skipped.index, skipped.reason.to_string()))
        .collect();
    let expected = [
        "kty: unknown or missing",
        "not a JSON object",
        "crv: unknown or missing",
    ];
    let expected: Vec<_> = [0, 2, 3]
        .into_iter()
        .zip(expected.map(str::to_owned))
        .collect();
    assert_eq!(reasons, expected);
    let many = |count: usize| json!({ "keys": vec![json!({}); count] }).to_string();
    assert_eq!(
        JwkSet::parse(many(256).as_bytes()).unwrap().skipped().len(),
        256
    );
    assert!(JwkSet::parse(many(257).as_bytes()).is_err());
    for text in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[],"keys":[]}"#,
        "{\"keys\":[]} x",
    ] {
        assert!(JwkSet::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(
        JwkSet::parse(br#"{"keys":[],"more":1}"#)
            .unwrap()
            .keys()
            .is_empty()
    );
}

#[test]
fn der_with_something_after_or_inside() {
    let key = Key::seeded("RS256", "k1");
    for whole in [der::pkcs1(&key), der::spki(&key), der::certificate(&key)] {
        assert_eq!(Jwk::from_der(&whole).unwrap().kty(), "RSA");
        assert!(Jwk::from_der(&[&whole[..], &[0]].concat()).is_err());
        assert!(Jwk::from_der(&whole[..whole.len() - 1]).is_err());
    }
    // A PKCS#1 key with a third member: a multi-prime or private key begins so.
    let pkcs1 = der::pkcs1(&key);
    let content = &pkcs1[4..];
    assert!(Jwk::from_der(&der::value(0x30, content)).is_ok());
    let longer = der::value(0x30, &[content, &[2, 1, 3]].concat());
    assert!(Jwk::from_der(&longer).is_err());
}

/// A policy with this key is refused by the name of the place that printed its private half.
#[test]
fn everyone_has_the_private_key() {
    let policy = |jwk: &Value, alg: &str, options: LoadOptions| {
        let text = json!({ "version": 1,
            "issuers": { "corp": { "issuer": "https://login.example.com", "algorithms": [alg],
                "jwks": { "keys": [jwk] } } },
            "gates": { "api": { "profile": "access_token", "issuers": ["corp"],
                "audience": "https://api.example.com", "delegation": "surface" } } });
        let policy = Policy::parse_with(text.to_string(), Format::Json, &options).unwrap();
        Verifier::new(policy, crypto::aws_lc::provider())
    };
    let printed = ed25519();
    let error = policy(&printed, "Ed25519", LoadOptions::new())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("everyone has this private key (RFC 8037 A.1)"),
        "{error}"
    );
    assert!(
        policy(
            &printed,
            "Ed25519",
            LoadOptions::new().allow_test_keys(true)
        )
        .is_ok()
    );
    let ours = policy(&jwk_of("ES256"), "ES256", LoadOptions::new());
    let error = ours.unwrap_err().to_string();
    assert!(
        error.contains("everyone has this private key (sealgate test vectors)"),
        "{error}"
    );
    let nobodys = Key::seeded("ES256", "in no file").jwk;
    assert!(policy(&nobodys, "ES256", LoadOptions::new()).is_ok());
}

proptest! {
    #[test]
    fn rubbish_is_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Jwk::from_pem(&bytes).is_err());
        prop_assert!(Jwk::from_der(&bytes).is_err());
        prop_assert!(Jwk::from_x509_der(&bytes).is_err());
        prop_assert!(Jwk::parse(&bytes).is_err());
        prop_assert!(JwkSet::parse(&bytes).is_err());
    }

    #[test]
    fn a_damaged_file_is_refused_or_a_key(
        form in 0..3usize, at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let key = Key::seeded("RS256", "k1");
        let mut bytes = [der::spki, der::pkcs1, der::certificate][form](&key);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(jwk) = Jwk::from_der(&bytes) {
            prop_assert!(jwk.kty() != "oct");
        }
    }
}

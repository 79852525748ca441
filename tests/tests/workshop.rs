//! The workshop makes what it says: AWS-LC accepts its signatures and reads its keys.

use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use sealgate_tests::workshop::{Key, b64u, der, unb64u};

fn verifies(algorithm: &'static dyn VerificationAlgorithm, public: &[u8], key: &Key) {
    let (message, alg) = (b"message".as_slice(), key.alg());
    let mut signature = key.sign(message);
    // AWS-LC hedges ML-DSA (FIPS 204 §3.4); everything else follows from its input.
    assert!(
        signature == key.sign(message) || alg.starts_with("ML"),
        "{alg}"
    );
    let parsed = ParsedPublicKey::new(algorithm, public).unwrap();
    assert!(parsed.verify_sig(message, &signature).is_ok(), "{alg}");
    *signature.last_mut().unwrap() ^= 1;
    assert!(parsed.verify_sig(message, &signature).is_err(), "{alg}");
}

#[test]
fn aws_lc_accepts_its_signatures() {
    for (alg, algorithm) in [
        ("ES256", &signature::ECDSA_P256_SHA256_FIXED),
        ("ES384", &signature::ECDSA_P384_SHA384_FIXED),
        ("ES512", &signature::ECDSA_P521_SHA512_FIXED),
        ("ES256K", &signature::ECDSA_P256K1_SHA256_FIXED),
    ] {
        let key = Key::seeded(alg, "k");
        verifies(algorithm, &der::point(&key), &key);
    }
    let key = Key::seeded("Ed25519", "k");
    verifies(&signature::ED25519, &key.octets("x"), &key);
    for (alg, algorithm) in [
        ("ML-DSA-44", &signature::ML_DSA_44),
        ("ML-DSA-65", &signature::ML_DSA_65),
        ("ML-DSA-87", &signature::ML_DSA_87),
    ] {
        let key = Key::seeded(alg, "k");
        verifies(algorithm, &key.octets("pub"), &key);
    }
    for (alg, algorithm) in [
        ("RS256", &signature::RSA_PKCS1_2048_8192_SHA256),
        ("RS384", &signature::RSA_PKCS1_2048_8192_SHA384),
        ("RS512", &signature::RSA_PKCS1_2048_8192_SHA512),
        ("PS256", &signature::RSA_PSS_2048_8192_SHA256),
        ("PS512", &signature::RSA_PSS_2048_8192_SHA512),
    ] {
        let key = Key::seeded(alg, "k");
        verifies(algorithm, &der::pkcs1(&key), &key);
    }
}

#[test]
fn sealgate_reads_its_key_files() {
    let key = Key::seeded("RS256", "k");
    let same = |jwk: sealgate::jwk::Jwk| {
        let text = serde_json::json!({ "e": "AQAB", "kty": "RSA", "n": key.text("n") });
        assert_eq!(jwk.thumbprint_input(), text.to_string());
    };
    same(sealgate::jwk::Jwk::from_der(&der::spki(&key)).unwrap());
    same(sealgate::jwk::Jwk::from_x509_der(&der::certificate(&key)).unwrap());
    let pem = der::pem("RSA PUBLIC KEY", &der::pkcs1(&key), "\n");
    same(sealgate::jwk::Jwk::from_pem(pem.as_bytes()).unwrap());
    for alg in ["ES256", "Ed25519"] {
        let pem = der::pem("PUBLIC KEY", &der::spki(&Key::seeded(alg, "k")), "\n");
        sealgate::jwk::Jwk::from_pem(pem.as_bytes()).unwrap();
    }
}

#[test]
fn base64url_round_trips() {
    for size in 0..9u8 {
        let bytes: Vec<u8> = (0..size).map(|byte| byte.wrapping_mul(97)).collect();
        assert_eq!(unb64u(&b64u(&bytes)), Some(bytes));
    }
    assert_eq!(b64u(b"\xfb\xff"), "-_8");
    assert_eq!(unb64u("a"), None);
    assert_eq!(unb64u("a+/="), None);
}

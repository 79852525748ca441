//! Private keys: from private JWKs, or from a name.

use aws_lc_rs::signature::{
    Ed25519KeyPair, KeyPair, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, PqdsaKeyPair,
};
use serde_json::{Value, json};

use super::ecdsa::Curve;
use super::hash::Hash;
use super::number::Nat;
use super::rsa::RsaKey;
use super::{b64u, unb64u};

/// A key that signs, with its public JWK.
#[derive(Debug)]
pub struct Key {
    /// The public JWK; of a symmetric key, the key.
    pub jwk: Value,
    /// The private half.
    pub secret: Secret,
}

/// What signs.
#[derive(Debug)]
pub enum Secret {
    /// HMAC.
    Oct(Vec<u8>),
    /// RSA, either padding.
    Rsa(Box<RsaKey>),
    /// ECDSA.
    Ec(Box<Curve>, Nat),
    /// Ed25519.
    Ed25519(Box<Ed25519KeyPair>),
    /// ML-DSA.
    MlDsa(Box<PqdsaKeyPair>),
}

impl Key {
    /// From a private JWK.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn from_jwk(jwk: &Value) -> Self {
        let octets = |name: &str| {
            let text = jwk[name].as_str().unwrap_or_else(|| panic!("no {name}"));
            unb64u(text).expect("base64url")
        };
        let number = |name: &str| Nat::from_bytes(&octets(name));
        let secret = match jwk["kty"].as_str() {
            Some("oct") => Secret::Oct(octets("k")),
            Some("RSA") => Secret::Rsa(Box::new(RsaKey::new(
                &number("n"),
                number("e"),
                number("d"),
            ))),
            Some("EC") => {
                let curve = Curve::named(jwk["crv"].as_str().expect("crv"));
                Secret::Ec(Box::new(curve), number("d"))
            }
            Some("OKP") => Secret::Ed25519(Box::new(
                Ed25519KeyPair::from_seed_unchecked(&octets("d")).expect("32 octets"),
            )),
            Some("AKP") => ml_dsa(jwk["alg"].as_str().expect("alg"), &octets("priv")),
            other => panic!("kty {other:?}"),
        };
        let mut public = jwk.clone();
        let members = public.as_object_mut().expect("an object");
        for name in ["d", "p", "q", "dp", "dq", "qi", "priv"] {
            members.remove(name);
        }
        Self {
            jwk: public,
            secret,
        }
    }

    /// The key for `alg` that follows from `kid` alone; the `kid` becomes its own.
    ///
    /// # Panics
    ///
    /// For an `alg` that is none.
    #[must_use]
    pub fn seeded(alg: &str, kid: &str) -> Self {
        let seed = Hash::Sha512.digest(format!("sealgate vectors\n{alg}\n{kid}").as_bytes());
        let (secret, mut jwk) = match alg {
            "HS256" | "HS384" | "HS512" => {
                let jwk = json!({ "kty": "oct", "k": b64u(&seed) });
                (Secret::Oct(seed), jwk)
            }
            "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => {
                let key = RsaKey::seeded(&seed);
                let n = b64u(key.modulus.value().to_bytes(key.size));
                let jwk = json!({ "kty": "RSA", "n": n, "e": "AQAB" });
                (Secret::Rsa(Box::new(key)), jwk)
            }
            "ES256" | "ES384" | "ES512" | "ES256K" => {
                let curve = Curve::named(match alg {
                    "ES256" => "P-256",
                    "ES384" => "P-384",
                    "ES512" => "P-521",
                    _ => "secp256k1",
                });
                let scalar = curve.order.reduce(&Nat::from_bytes(&seed));
                let (x, y) = curve.public(&scalar);
                let jwk = json!({ "kty": "EC", "crv": curve.name, "x": b64u(x), "y": b64u(y) });
                (Secret::Ec(Box::new(curve), scalar), jwk)
            }
            "Ed25519" | "EdDSA" => {
                let pair = Ed25519KeyPair::from_seed_unchecked(&seed[..32]).expect("32 octets");
                let x = b64u(pair.public_key().as_ref());
                let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
                (Secret::Ed25519(Box::new(pair)), jwk)
            }
            _ => {
                let secret = ml_dsa(alg, &seed[..32]);
                let Secret::MlDsa(pair) = &secret else {
                    unreachable!("just made")
                };
                let jwk = json!({ "kty": "AKP", "pub": b64u(pair.public_key().as_ref()) });
                (secret, jwk)
            }
        };
        jwk["alg"] = alg.into();
        jwk["kid"] = kid.into();
        Self { jwk, secret }
    }

    /// Signs under `alg`, which need not be the key's own.
    ///
    /// # Panics
    ///
    /// When the key has nothing to do with `alg`.
    #[must_use]
    pub fn sign_as(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Oct(secret) => Hash::of(alg).mac(secret, message),
            Secret::Rsa(key) if alg.starts_with("PS") => {
                let hash = Hash::of(alg);
                let salt = hash.digest(&[b"salt", message].concat());
                key.sign_pss(hash, hash, &salt, message)
            }
            Secret::Rsa(key) => key.sign_pkcs1(Hash::of(alg), message),
            Secret::Ec(curve, _) => {
                let (r, s) = self.ecdsa(alg, message);
                curve.raw(&r, &s)
            }
            Secret::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Secret::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                let size = pair.sign(message, &mut signature).expect("ML-DSA signs");
                signature.truncate(size);
                signature
            }
        }
    }

    /// Signs under the key's own `alg`.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_as(self.alg(), message)
    }

    /// `(r, s)` of an ECDSA signature with the hash of `alg`.
    ///
    /// # Panics
    ///
    /// When it is no EC key.
    #[must_use]
    pub fn ecdsa(&self, alg: &str, message: &[u8]) -> (Nat, Nat) {
        let Secret::Ec(curve, scalar) = &self.secret else {
            panic!("no EC key")
        };
        let nonce = Hash::Sha512.mac(&scalar.to_bytes(curve.size), message);
        curve.sign(scalar, &Hash::of(alg).digest(message), &nonce)
    }

    /// Its RSA numbers.
    ///
    /// # Panics
    ///
    /// When it is no RSA key.
    #[must_use]
    pub fn rsa(&self) -> &RsaKey {
        let Secret::Rsa(key) = &self.secret else {
            panic!("no RSA key")
        };
        key
    }

    /// Its `alg`.
    #[must_use]
    pub fn alg(&self) -> &str {
        self.text("alg")
    }

    /// Its `kid`.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.text("kid")
    }

    /// A member of the JWK that is a string.
    ///
    /// # Panics
    ///
    /// When it is absent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.jwk[name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name}"))
    }

    /// A member of the JWK that is base64url.
    ///
    /// # Panics
    ///
    /// When it is absent.
    #[must_use]
    pub fn octets(&self, name: &str) -> Vec<u8> {
        unb64u(self.text(name)).expect("base64url")
    }

    /// `{"alg":…,"kid":…}` and further members, without which most headers would be the same.
    #[must_use]
    pub fn header(&self, more: &str) -> String {
        format!(r#"{{"alg":"{}","kid":"{}"{more}}}"#, self.alg(), self.kid())
    }
}

fn ml_dsa(alg: &str, seed: &[u8]) -> Secret {
    let algorithm = match alg {
        "ML-DSA-44" => &ML_DSA_44_SIGNING,
        "ML-DSA-65" => &ML_DSA_65_SIGNING,
        "ML-DSA-87" => &ML_DSA_87_SIGNING,
        other => panic!("alg {other}"),
    };
    let pair = PqdsaKeyPair::from_seed(algorithm, seed).expect("32 octets");
    Secret::MlDsa(Box::new(pair))
}

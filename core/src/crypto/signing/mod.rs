//! Signing keys, for minting: tests, tools and token services. A verifier does without.

mod fresh;
mod import;

pub(crate) use fresh::{random, verifying_octets};

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, PqdsaKeyPair,
    PqdsaSigningAlgorithm, RsaEncoding, RsaPublicKeyComponents,
};
use aws_lc_rs::{agreement, hmac};
use zeroize::Zeroizing;

use super::aws_lc::mac;
use crate::encoding::base64url;
use crate::jwa::{Algorithm, Curve};
use crate::jwk::{Jwk, KeyError};

/// A private or shared key bound to one algorithm.
pub struct SigningKey {
    algorithm: Algorithm,
    /// The private members as JWK names and octets, in the order of their registration.
    private: Vec<(&'static str, Zeroizing<Vec<u8>>)>,
    public: Jwk,
    signer: Signer,
}

#[expect(clippy::large_enum_variant, reason = "a handful of keys a program")]
enum Signer {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(PqdsaKeyPair),
    Hmac(hmac::Key),
}

const INVALID: KeyError = KeyError::malformed("", "not a private key for this algorithm");

impl SigningKey {
    /// The same key, whose public half has this `kid`.
    #[must_use]
    pub fn with_kid(mut self, kid: &str) -> Self {
        self.public = self.public.with_kid(kid);
        self
    }

    /// The one algorithm it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.public.kid()
    }

    /// The public half; none of a shared key, which is all secret.
    #[must_use]
    pub fn public_jwk(&self) -> Option<&Jwk> {
        (!self.algorithm.is_symmetric()).then_some(&self.public)
    }

    /// What a verifier needs: the public half; of a shared key, *the secret*.
    #[must_use]
    pub const fn verifying_jwk(&self) -> &Jwk {
        &self.public
    }

    /// The whole key as a JWK: a secret.
    #[must_use]
    pub fn to_private_jwk(&self) -> Zeroizing<String> {
        let mut json = Zeroizing::new(self.public.to_json());
        if self.algorithm.is_symmetric() {
            return json;
        }
        json.pop();
        for (name, octets) in &self.private {
            let text = Zeroizing::new(base64url::encode(octets));
            json.push_str(&format!(r#","{name}":"{}""#, *text));
        }
        json.push('}');
        json
    }

    /// Signs `message`. ECDSA and RSA-PSS signatures differ from time to time.
    ///
    /// # Errors
    ///
    /// When the system's random source fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        let signature = match &self.signer {
            Signer::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(*encoding, &random, message, &mut signature);
                signed.map_err(|_| INVALID)?;
                signature
            }
            Signer::Ecdsa(pair) => pair
                .sign(&random, message)
                .map_err(|_| INVALID)?
                .as_ref()
                .to_vec(),
            Signer::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Signer::MlDsa(pair) => {
                let mut signature = vec![0; self.algorithm.signature_size().unwrap_or(0)];
                let len = pair.sign(message, &mut signature).map_err(|_| INVALID)?;
                signature.truncate(len);
                signature
            }
            Signer::Hmac(key) => hmac::sign(key, message).as_ref().to_vec(),
        };
        Ok(signature)
    }

    fn new(
        algorithm: Algorithm,
        public: String,
        private: Vec<(&'static str, Zeroizing<Vec<u8>>)>,
        signer: Signer,
    ) -> Result<Self, KeyError> {
        let public = Jwk::parse(public.as_bytes())?.with_algorithm(algorithm)?;
        Ok(Self {
            algorithm,
            private,
            public,
            signer,
        })
    }

    fn from_scalar(algorithm: Algorithm, scalar: &[u8]) -> Result<Self, KeyError> {
        let curve = algorithm.curve().ok_or(INVALID)?;
        let point = public_point(curve, scalar)?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(ecdsa(algorithm)?, scalar, &point);
        let pair = pair.map_err(|_| INVALID)?;
        let [_, coordinates @ ..] = point.as_slice() else {
            return Err(INVALID);
        };
        let (x, y) = coordinates
            .split_at_checked(curve.coordinate_size())
            .ok_or(INVALID)?;
        let public = format!(
            r#"{{"kty":"EC","crv":"{}","x":"{}","y":"{}"}}"#,
            curve.name(),
            base64url::encode(x),
            base64url::encode(y)
        );
        let private = vec![("d", Zeroizing::new(scalar.to_vec()))];
        Self::new(algorithm, public, private, Signer::Ecdsa(pair))
    }

    /// Ed25519 and ML-DSA keys are their seed (RFC 8032 §5.1.5, RFC 9964 §4).
    fn from_private_seed(algorithm: Algorithm, seed: &[u8]) -> Result<Self, KeyError> {
        let own = Zeroizing::new(seed.to_vec());
        if algorithm == Algorithm::Ed25519 {
            let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| INVALID)?;
            let x = base64url::encode(pair.public_key().as_ref());
            let public = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
            return Self::new(algorithm, public, vec![("d", own)], Signer::Ed25519(pair));
        }
        let pair = PqdsaKeyPair::from_seed(ml_dsa(algorithm)?, seed).map_err(|_| INVALID)?;
        let key = base64url::encode(pair.public_key().as_ref());
        let public = format!(r#"{{"kty":"AKP","alg":"{algorithm}","pub":"{key}"}}"#);
        Self::new(algorithm, public, vec![("priv", own)], Signer::MlDsa(pair))
    }

    /// A shared key of these octets, for an HMAC algorithm.
    ///
    /// # Errors
    ///
    /// When it is shorter than the algorithm's hash (RFC 7518 §3.2), or the algorithm is no HMAC.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let family = mac(algorithm).ok_or(INVALID)?;
        let public = format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url::encode(secret));
        let private = vec![("k", Zeroizing::new(secret.to_vec()))];
        Self::new(
            algorithm,
            public,
            private,
            Signer::Hmac(hmac::Key::new(family, secret)),
        )
    }

    /// From the members n, e, d, p, q, dp, dq, qi.
    fn from_rsa(algorithm: Algorithm, members: &[Zeroizing<Vec<u8>>]) -> Result<Self, KeyError> {
        let [n, e, d, p, q, dp, dq, qi] = members else {
            return Err(INVALID);
        };
        let components = aws_lc_rs::rsa::KeyPairComponents {
            public_key: RsaPublicKeyComponents { n, e },
            d,
            p,
            q,
            dP: dp,
            dQ: dq,
            qInv: qi,
        };
        let pair = RsaKeyPair::from_components(&components).map_err(|_| INVALID)?;
        let public = format!(
            r#"{{"kty":"RSA","n":"{}","e":"{}"}}"#,
            base64url::encode(n),
            base64url::encode(e)
        );
        let private = RSA_MEMBERS
            .into_iter()
            .zip(members.iter().cloned())
            .skip(2)
            .collect();
        Self::new(
            algorithm,
            public,
            private,
            Signer::Rsa(pair, rsa(algorithm)?),
        )
    }
}

/// No part of the secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("alg", &self.algorithm.name())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

/// RFC 7518 §6.3, in the order of RFC 8017 A.1.2.
const RSA_MEMBERS: [&str; 8] = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other families are no ECDSA"
)]
fn ecdsa(algorithm: Algorithm) -> Result<&'static EcdsaSigningAlgorithm, KeyError> {
    Ok(match algorithm {
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        Algorithm::Es256k => &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING,
        _ => return Err(INVALID),
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other families are no RSA"
)]
fn rsa(algorithm: Algorithm) -> Result<&'static dyn RsaEncoding, KeyError> {
    Ok(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
        _ => return Err(INVALID),
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the other families are no ML-DSA"
)]
fn ml_dsa(algorithm: Algorithm) -> Result<&'static PqdsaSigningAlgorithm, KeyError> {
    Ok(match algorithm {
        Algorithm::MlDsa44 => &signature::ML_DSA_44_SIGNING,
        Algorithm::MlDsa65 => &signature::ML_DSA_65_SIGNING,
        Algorithm::MlDsa87 => &signature::ML_DSA_87_SIGNING,
        _ => return Err(INVALID),
    })
}

/// The public point of a scalar, uncompressed. Key agreement is where the library computes it;
/// secp256k1 has none there, so its signing key is read from a structure without the point.
fn public_point(curve: Curve, scalar: &[u8]) -> Result<Vec<u8>, KeyError> {
    let agreement = match curve {
        Curve::P256 => &agreement::ECDH_P256,
        Curve::P384 => &agreement::ECDH_P384,
        Curve::P521 => &agreement::ECDH_P521,
        Curve::Secp256k1 => {
            let key = EcdsaKeyPair::from_private_key_der(
                &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING,
                &secp256k1_private_key(scalar)?,
            );
            return Ok(key.map_err(|_| INVALID)?.public_key().as_ref().to_vec());
        }
        Curve::Ed25519 => return Err(INVALID),
    };
    let key = agreement::PrivateKey::from_private_key(agreement, scalar).map_err(|_| INVALID)?;
    Ok(key
        .compute_public_key()
        .map_err(|_| INVALID)?
        .as_ref()
        .to_vec())
}

/// ECPrivateKey (RFC 5915) with curve and without point.
fn secp256k1_private_key(scalar: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    const BEFORE: [u8; 7] = [0x30, 0x2e, 0x02, 0x01, 0x01, 0x04, 0x20];
    const AFTER: [u8; 9] = [0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
    if scalar.len() != Curve::Secp256k1.coordinate_size() {
        return Err(INVALID);
    }
    Ok(Zeroizing::new([&BEFORE, scalar, &AFTER].concat()))
}

#[cfg(test)]
mod tests {
    use super::SigningKey;
    use crate::crypto::{SignatureJob, Signed, aws_lc};
    use crate::jwa::{Algorithm, Family};

    struct Pair<'a>(&'a [u8], &'a [u8]);

    impl Signed for Pair<'_> {
        fn message(&self) -> &[u8] {
            self.0
        }
        fn signature(&self) -> &[u8] {
            self.1
        }
    }

    #[test]
    fn what_is_signed_verifies_and_what_is_changed_does_not() {
        let provider = aws_lc::provider();
        for algorithm in Algorithm::all() {
            let key = SigningKey::generate(algorithm).unwrap();
            let again = SigningKey::from_jwk(key.to_private_jwk().as_bytes()).unwrap();
            assert_eq!(
                key.verifying_jwk().to_json(),
                again.verifying_jwk().to_json(),
                "{algorithm}"
            );
            let loaded = (provider.load)(key.verifying_jwk(), algorithm).unwrap();
            let signature = again.sign(b"message").unwrap();
            let fits = |message: &[u8], signature: &[u8]| {
                provider
                    .verify(SignatureJob::new(&loaded, Pair(message, signature)))
                    .is_some()
            };
            assert!(fits(b"message", &signature), "{algorithm}");
            assert!(!fits(b"massage", &signature), "{algorithm}");
            assert!(!fits(b"message", &signature[1..]), "{algorithm}");
            assert!(!fits(b"message", b""), "{algorithm}");
        }
    }

    #[test]
    fn a_seed_stands_for_one_key() {
        for algorithm in Algorithm::all() {
            let rsa = matches!(algorithm.family(), Family::RsaPkcs1 | Family::RsaPss);
            let key = SigningKey::from_seed(algorithm, &[7; 32]);
            assert_eq!(key.is_err(), rsa, "{algorithm}");
            let Ok(key) = key else { continue };
            let again = SigningKey::from_seed(algorithm, &[7; 32]).unwrap();
            let other = SigningKey::from_seed(algorithm, &[8; 32]).unwrap();
            assert_eq!(
                key.verifying_jwk().to_json(),
                again.verifying_jwk().to_json()
            );
            assert_ne!(
                key.verifying_jwk().to_json(),
                other.verifying_jwk().to_json()
            );
        }
    }
}

//! JSON Web Keys (RFC 7517, 7518 §6, 8037, 9964): public and symmetric verification keys, checked
//! as far as no cryptography is needed.

mod curve;
mod error;
mod import;
mod parse;
mod set;

use std::fmt;

use zeroize::Zeroizing;

pub use error::KeyError;
pub use set::{JwkSet, SkippedKey};

use crate::encoding::base64url;
use crate::jwa::{Algorithm, Curve, Family};

/// One verification key: a public key, or a shared secret.
#[derive(Clone)]
pub struct Jwk {
    kid: Option<Box<str>>,
    usage: Option<Box<str>>,
    algorithm: Option<Algorithm>,
    material: KeyMaterial,
}

/// The parameters of a key, decoded.
#[derive(Clone)]
#[non_exhaustive]
pub enum KeyMaterial {
    /// Modulus and exponent, without leading zeros.
    Rsa {
        /// Modulus.
        n: Vec<u8>,
        /// Public exponent.
        e: Vec<u8>,
    },
    /// A point on a short Weierstrass curve, each coordinate at full length.
    Ec {
        /// Which curve.
        curve: Curve,
        /// Abscissa.
        x: Vec<u8>,
        /// Ordinate.
        y: Vec<u8>,
    },
    /// An octet key pair (RFC 8037).
    Okp {
        /// Which curve.
        curve: Curve,
        /// The public key.
        x: Vec<u8>,
    },
    /// An algorithm key pair (RFC 9964).
    Akp {
        /// The algorithm the key cannot be without.
        algorithm: Algorithm,
        /// The public key.
        public: Vec<u8>,
    },
    /// A shared secret.
    Oct(Secret),
}

/// Bytes that are wiped when dropped and never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Jwk {
    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// `use`: absent, `sig`, or the `jwt-svid` and `wit-svid` of SPIFFE bundles.
    #[must_use]
    pub fn usage(&self) -> Option<&str> {
        self.usage.as_deref()
    }

    /// The one algorithm the key is bound to (ALG-03); `None` for RSA and symmetric keys without
    /// `alg`, which the configuration must bind.
    #[must_use]
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The decoded parameters.
    #[must_use]
    pub const fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// `kty`.
    #[must_use]
    pub const fn kty(&self) -> &'static str {
        match self.material {
            KeyMaterial::Rsa { .. } => "RSA",
            KeyMaterial::Ec { .. } => "EC",
            KeyMaterial::Okp { .. } => "OKP",
            KeyMaterial::Akp { .. } => "AKP",
            KeyMaterial::Oct(_) => "oct",
        }
    }

    /// The same key bound to `algorithm`.
    ///
    /// # Errors
    ///
    /// When the key is bound to another, or is not of the algorithm's kind.
    pub fn with_algorithm(mut self, algorithm: Algorithm) -> Result<Self, KeyError> {
        self.check_fits(algorithm)?;
        self.algorithm = Some(algorithm);
        Ok(self)
    }

    /// The same key under this `kid`.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<Box<str>>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// Whether the key may be used with `algorithm` (ALG-03, ALG-05, OKP-04, K1-01, PQ-01).
    ///
    /// # Errors
    ///
    /// `alg_key_mismatch`, or `weak_key` for a secret shorter than the algorithm's hash.
    pub fn check_fits(&self, algorithm: Algorithm) -> Result<(), KeyError> {
        if self.algorithm.is_some_and(|own| own != algorithm) {
            return Err(KeyError::mismatch());
        }
        let fits = match &self.material {
            KeyMaterial::Rsa { .. } => {
                matches!(algorithm.family(), Family::RsaPkcs1 | Family::RsaPss)
            }
            KeyMaterial::Ec { curve, .. } | KeyMaterial::Okp { curve, .. } => {
                algorithm.curve() == Some(*curve)
            }
            KeyMaterial::Akp { algorithm: own, .. } => *own == algorithm,
            KeyMaterial::Oct(secret) => {
                if algorithm.is_symmetric() && secret.as_bytes().len() * 8 < algorithm.hash_bits() {
                    return Err(KeyError::weak("k", "shorter than the algorithm's hash"));
                }
                algorithm.is_symmetric()
            }
        };
        if fits {
            Ok(())
        } else {
            Err(KeyError::mismatch())
        }
    }

    /// The canonical JSON whose hash is the thumbprint (RFC 7638 §3.2, RFC 8037 §2, PQ-04).
    #[must_use]
    pub fn thumbprint_input(&self) -> String {
        let b64 = |bytes: &[u8]| base64url::encode(bytes);
        match &self.material {
            KeyMaterial::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, b64(e), b64(n))
            }
            KeyMaterial::Ec { curve, x, y } => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                curve.name(),
                b64(x),
                b64(y)
            ),
            KeyMaterial::Okp { curve, x } => {
                format!(
                    r#"{{"crv":"{}","kty":"OKP","x":"{}"}}"#,
                    curve.name(),
                    b64(x)
                )
            }
            KeyMaterial::Akp { algorithm, public } => {
                format!(
                    r#"{{"alg":"{algorithm}","kty":"AKP","pub":"{}"}}"#,
                    b64(public)
                )
            }
            KeyMaterial::Oct(secret) => {
                format!(r#"{{"k":"{}","kty":"oct"}}"#, b64(secret.as_bytes()))
            }
        }
    }

    /// The key as a JWK. Of a symmetric key this is the secret itself.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = self.thumbprint_input();
        json.pop();
        let mut push = |name: &str, value: &str| {
            let text = serde_json::Value::from(value).to_string();
            json.push_str(&format!(r#","{name}":{text}"#));
        };
        if let Some(algorithm) = self.algorithm.filter(|_| self.kty() != "AKP") {
            push("alg", algorithm.name());
        }
        if let Some(usage) = self.usage() {
            push("use", usage);
        }
        if let Some(kid) = self.kid() {
            push("kid", kid);
        }
        json.push('}');
        json
    }
}

/// Kind, algorithm and `kid`; no key bytes.
impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk")
            .field("kty", &self.kty())
            .field("alg", &self.algorithm.map(Algorithm::name))
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMaterial")
    }
}

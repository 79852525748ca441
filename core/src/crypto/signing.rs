//! Signing keys, for minting: tests, tools and token services. A verifier does without.

use std::fmt;

use aws_lc_rs::agreement;
use aws_lc_rs::encoding::{AsBigEndian, AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, PqdsaKeyPair,
    PqdsaSigningAlgorithm, RsaEncoding, RsaPublicKeyComponents,
};
use aws_lc_rs::{digest, hmac};
use x509_parser::asn1_rs::{self, FromDer};
use zeroize::Zeroizing;

use crate::encoding::base64url;
use crate::encoding::json::{Json, Value};
use crate::jwa::{Algorithm, Curve, Family};
use crate::jwk::{Jwk, KeyError};
use crate::limits::Limits;

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

const NO_RANDOMNESS: KeyError = KeyError::malformed("", "the system gave no random octets");
const INVALID: KeyError = KeyError::malformed("", "not a private key for this algorithm");

impl SigningKey {
    /// A fresh key. RSA keys have 2048 bits, shared keys the octets of the hash.
    ///
    /// # Errors
    ///
    /// When the system's random source fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        match algorithm.family() {
            Family::RsaPkcs1 | Family::RsaPss => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| NO_RANDOMNESS)?;
                let document = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| INVALID)?;
                Self::from_pkcs8(algorithm, document.as_ref())
            }
            Family::Ecdsa => {
                let curve = algorithm.curve().ok_or(INVALID)?;
                // FIPS 186-5 A.2.2: at random until it is a scalar of the curve. An order is just
                // below a power of two, so the first one nearly always is.
                loop {
                    let mut octets = random(curve.coordinate_size())?;
                    if let (Curve::P521, Some(first)) = (curve, octets.first_mut()) {
                        *first &= 1;
                    }
                    if public_point(curve, &octets).is_ok() {
                        return Self::from_scalar(algorithm, &octets);
                    }
                }
            }
            Family::Eddsa | Family::MlDsa => Self::from_private_seed(algorithm, &random(32)?),
            Family::Hmac => Self::from_secret(algorithm, &random(algorithm.hash_bits() / 8)?),
        }
    }

    /// The key that this seed stands for, the same one every time: for tests and demonstrations. It
    /// is no better than the seed.
    ///
    /// # Errors
    ///
    /// For RSA, whose keys come of a search for primes.
    pub fn from_seed(algorithm: Algorithm, seed: &[u8; 32]) -> Result<Self, KeyError> {
        match algorithm.family() {
            Family::Ecdsa => {
                let curve = algorithm.curve().ok_or(INVALID)?;
                Self::from_scalar(algorithm, &scalar(curve, seed))
            }
            Family::Eddsa | Family::MlDsa => Self::from_private_seed(algorithm, seed),
            Family::Hmac => {
                let octets = stretch(seed, algorithm.hash_bits() / 8);
                Self::from_secret(algorithm, &octets)
            }
            Family::RsaPkcs1 | Family::RsaPss => Err(KeyError::malformed(
                "kty",
                "an RSA key cannot be made from a seed",
            )),
        }
    }

    /// Reads a private or shared JWK. It is bound to its `alg`, or by its curve; an RSA or shared
    /// key without `alg` to RS256 or HS256.
    ///
    /// # Errors
    ///
    /// When it is none, or its parts do not fit one another.
    pub fn from_jwk(text: &[u8]) -> Result<Self, KeyError> {
        let json = Json::parse(text.to_vec(), Limits::KEYS.into());
        let json =
            json.map_err(|_| KeyError::malformed("", "not a JSON object, or not strictly"))?;
        let jwk = json.root();
        let text = |name| jwk.get(name).and_then(|value: Value<'_>| value.as_str());
        let algorithm = match (
            text("alg"),
            text("crv").and_then(Curve::from_name),
            text("kty"),
        ) {
            (Some("EdDSA"), Some(curve), _) | (None, Some(curve), _) => curve.algorithm(),
            (Some(name), ..) => Algorithm::from_name(name).ok_or(INVALID)?,
            (None, None, Some("RSA")) => Algorithm::Rs256,
            (None, None, Some("oct")) => Algorithm::Hs256,
            (None, None, _) => return Err(INVALID),
        };
        let mut key = match algorithm.family() {
            Family::Ecdsa => Self::from_scalar(algorithm, &octets(jwk, "d")?)?,
            Family::Eddsa => Self::from_private_seed(algorithm, &octets(jwk, "d")?)?,
            Family::MlDsa => Self::from_private_seed(algorithm, &octets(jwk, "priv")?)?,
            Family::Hmac => Self::from_secret(algorithm, &octets(jwk, "k")?)?,
            Family::RsaPkcs1 | Family::RsaPss => Self::from_rsa_members(algorithm, jwk)?,
        };
        let public = key.public.to_json();
        for name in ["crv", "x", "y", "pub", "n"] {
            if text(name).is_some_and(|value| !public.contains(&format!("\"{name}\":\"{value}\"")))
            {
                return Err(KeyError::malformed(
                    name,
                    "does not belong to the private key",
                ));
            }
        }
        if let Some(kid) = text("kid") {
            key = key.with_kid(kid);
        }
        Ok(key)
    }

    /// Reads a PKCS#8 private key (RFC 5958) in DER.
    ///
    /// # Errors
    ///
    /// When it is none for this algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        match algorithm.family() {
            Family::Ecdsa => {
                let pair = EcdsaKeyPair::from_pkcs8(ecdsa(algorithm)?, der).map_err(|_| INVALID)?;
                let scalar = pair.private_key().as_be_bytes().map_err(|_| INVALID)?;
                Self::from_scalar(algorithm, scalar.as_ref())
            }
            Family::Eddsa => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| INVALID)?;
                let seed = pair.seed().map_err(|_| INVALID)?;
                let seed = seed.as_be_bytes().map_err(|_| INVALID)?;
                Self::from_private_seed(algorithm, seed.as_ref())
            }
            Family::RsaPkcs1 | Family::RsaPss => Self::from_rsa(algorithm, &rsa_members(der)?),
            Family::MlDsa | Family::Hmac => Err(INVALID),
        }
    }

    /// Reads a PEM block `PRIVATE KEY` (PKCS#8); the algorithm is that of its kind, RS256 for RSA.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(text).map_err(|_| INVALID)?;
        let contents = Zeroizing::new(pem.contents);
        if pem.label != "PRIVATE KEY" {
            return Err(KeyError::malformed(
                "",
                "not a PEM block PRIVATE KEY (PKCS#8)",
            ));
        }
        let kinds = [
            Algorithm::Es256,
            Algorithm::Es384,
            Algorithm::Es512,
            Algorithm::Es256k,
            Algorithm::Ed25519,
            Algorithm::Rs256,
        ];
        let mut keys = kinds
            .into_iter()
            .map(|kind| Self::from_pkcs8(kind, &contents));
        keys.find_map(Result::ok).ok_or(INVALID)
    }

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

    /// What verifiers need: the public half; of a shared key, the key.
    #[must_use]
    pub const fn public_jwk(&self) -> &Jwk {
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
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other families have no MAC"
    )]
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let family = match algorithm {
            Algorithm::Hs256 => hmac::HMAC_SHA256,
            Algorithm::Hs384 => hmac::HMAC_SHA384,
            Algorithm::Hs512 => hmac::HMAC_SHA512,
            _ => return Err(INVALID),
        };
        let public = format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url::encode(secret));
        let private = vec![("k", Zeroizing::new(secret.to_vec()))];
        Self::new(
            algorithm,
            public,
            private,
            Signer::Hmac(hmac::Key::new(family, secret)),
        )
    }

    fn from_rsa_members(algorithm: Algorithm, jwk: Value<'_>) -> Result<Self, KeyError> {
        let mut members = Vec::with_capacity(RSA_MEMBERS.len());
        for name in RSA_MEMBERS {
            members.push(Zeroizing::new(octets(jwk, name)?));
        }
        Self::from_rsa(algorithm, &members)
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

fn octets(jwk: Value<'_>, name: &'static str) -> Result<Vec<u8>, KeyError> {
    let text = jwk.get(name).and_then(|value| value.as_str());
    let octets = text.and_then(|text| base64url::decode(text.as_bytes()));
    octets.ok_or_else(|| KeyError::malformed(name, "missing, or not canonical base64url"))
}

/// The integers of the RSAPrivateKey (RFC 8017 A.1.2) inside a PKCS#8 document.
fn rsa_members(der: &[u8]) -> Result<Vec<Zeroizing<Vec<u8>>>, KeyError> {
    let invalid = |_: asn1_rs::Err<asn1_rs::Error>| INVALID;
    let (_, outer) = asn1_rs::Sequence::from_der(der).map_err(invalid)?;
    let (rest, _) = asn1_rs::Any::from_der(&outer.content).map_err(invalid)?;
    let (rest, _) = asn1_rs::Any::from_der(rest).map_err(invalid)?;
    let (_, inner) = asn1_rs::OctetString::from_der(rest).map_err(invalid)?;
    let (_, key) = asn1_rs::Sequence::from_der(inner.as_ref()).map_err(invalid)?;
    let (mut rest, _) = asn1_rs::Integer::from_der(&key.content).map_err(invalid)?;
    let mut members = Vec::with_capacity(RSA_MEMBERS.len());
    for _ in RSA_MEMBERS {
        let (after, integer) = asn1_rs::Integer::from_der(rest).map_err(invalid)?;
        let octets = integer.as_ref();
        members.push(Zeroizing::new(
            octets.strip_prefix(&[0]).unwrap_or(octets).to_vec(),
        ));
        rest = after;
    }
    Ok(members)
}

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

/// A scalar below the order of each curve: its first bits are cleared, which every order exceeds.
fn scalar(curve: Curve, seed: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut octets = stretch(seed, curve.coordinate_size());
    // P-521's first octet holds one bit.
    let clear = if curve == Curve::P521 { 2 } else { 1 };
    for octet in octets.iter_mut().take(clear) {
        *octet = 0;
    }
    octets
}

/// As many octets as asked for, from the system's random source.
fn random(len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut octets = Zeroizing::new(vec![0; len]);
    rand::fill(&mut octets).map_err(|_| NO_RANDOMNESS)?;
    Ok(octets)
}

/// As many octets as asked for, by hashing the seed with a counter.
fn stretch(seed: &[u8; 32], len: usize) -> Zeroizing<Vec<u8>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(len + 64));
    for counter in 0_u8.. {
        if octets.len() >= len {
            break;
        }
        let block = [seed.as_slice(), &[counter]].concat();
        octets.extend_from_slice(digest::digest(&digest::SHA512, &block).as_ref());
    }
    octets.truncate(len);
    octets
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
                key.public_jwk().to_json(),
                again.public_jwk().to_json(),
                "{algorithm}"
            );
            let loaded = (provider.load)(key.public_jwk(), algorithm).unwrap();
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
            assert_eq!(key.public_jwk().to_json(), again.public_jwk().to_json());
            assert_ne!(key.public_jwk().to_json(), other.public_jwk().to_json());
        }
    }
}

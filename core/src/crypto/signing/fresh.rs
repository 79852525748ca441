//! New keys: from the system's random source, or from a seed.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, PqdsaKeyPair};
use zeroize::Zeroizing;

use super::{INVALID, SigningKey, ml_dsa, public_point};
use crate::jwa::{Algorithm, Curve, Family};
use crate::jwk::KeyError;

const NO_RANDOMNESS: KeyError = KeyError::malformed("", "the system gave no random octets");

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
}

/// What a verifier has of the key that this seed stands for, as octets: a point without its form, a
/// public key, a shared secret. Nothing of RSA. Many times quicker than the key itself.
pub(crate) fn verifying_octets(algorithm: Algorithm, seed: &[u8; 32]) -> Option<Vec<u8>> {
    match algorithm.family() {
        Family::Ecdsa => {
            let curve = algorithm.curve()?;
            let point = public_point(curve, &scalar(curve, seed)).ok()?;
            point.get(1..).map(<[u8]>::to_vec)
        }
        Family::Eddsa => {
            let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
            Some(pair.public_key().as_ref().to_vec())
        }
        Family::MlDsa => {
            let pair = PqdsaKeyPair::from_seed(ml_dsa(algorithm).ok()?, seed).ok()?;
            Some(pair.public_key().as_ref().to_vec())
        }
        Family::Hmac => Some(stretch(seed, algorithm.hash_bits() / 8).to_vec()),
        Family::RsaPkcs1 | Family::RsaPss => None,
    }
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
pub(crate) fn random(len: usize) -> Result<Zeroizing<Vec<u8>>, KeyError> {
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

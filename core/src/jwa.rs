//! JWS algorithms (RFC 7518, 8037, 8812, 9864, 9964): one row each, and nothing below lists them
//! again.

use std::fmt;

/// A signature or MAC algorithm by its registered `alg` name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "each is its RFC name; `Algorithm::name` spells it"
)]
pub enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    Es256k,
    Ed25519,
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

/// Algorithms that share a key type and a way to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// HMAC: a shared secret. Never beside public keys.
    Hmac,
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1,
    /// RSASSA-PSS, salt as long as the hash (ALG-08).
    RsaPss,
    /// ECDSA, raw R||S (ALG-06).
    Ecdsa,
    /// EdDSA over Ed25519.
    Eddsa,
    /// ML-DSA, pure, empty context (RFC 9964).
    MlDsa,
}

/// A JWK `crv` of an EC or OKP key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each is its registered name; `Curve::name` spells it"
)]
pub enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
    Ed25519,
}

/// One row of the algorithm table.
#[derive(Clone, Copy, Debug)]
struct Row {
    algorithm: Algorithm,
    name: &'static str,
    family: Family,
    curve: Option<Curve>,
    /// Bits of the hash, and so the least octets of an HMAC key (RFC 7518 §3.2).
    hash_bits: usize,
    /// Octets of a signature where the algorithm fixes them; RSA's are those of the modulus.
    signature_size: Option<usize>,
    /// Octets of an ML-DSA public key (PQ-02).
    public_size: Option<usize>,
}

#[rustfmt::skip]
const TABLE: [Row; 17] = {
    use Family::{Ecdsa, Eddsa, Hmac, MlDsa, RsaPkcs1, RsaPss};
    const fn row(algorithm: Algorithm, name: &'static str, family: Family, curve: Option<Curve>,
        hash_bits: usize, signature_size: Option<usize>, public_size: Option<usize>) -> Row {
        Row { algorithm, name, family, curve, hash_bits, signature_size, public_size }
    }
    [
        row(Algorithm::Hs256,   "HS256",     Hmac,     None,                   256, Some(32),   None),
        row(Algorithm::Hs384,   "HS384",     Hmac,     None,                   384, Some(48),   None),
        row(Algorithm::Hs512,   "HS512",     Hmac,     None,                   512, Some(64),   None),
        row(Algorithm::Rs256,   "RS256",     RsaPkcs1, None,                   256, None,       None),
        row(Algorithm::Rs384,   "RS384",     RsaPkcs1, None,                   384, None,       None),
        row(Algorithm::Rs512,   "RS512",     RsaPkcs1, None,                   512, None,       None),
        row(Algorithm::Ps256,   "PS256",     RsaPss,   None,                   256, None,       None),
        row(Algorithm::Ps384,   "PS384",     RsaPss,   None,                   384, None,       None),
        row(Algorithm::Ps512,   "PS512",     RsaPss,   None,                   512, None,       None),
        row(Algorithm::Es256,   "ES256",     Ecdsa,    Some(Curve::P256),      256, Some(64),   None),
        row(Algorithm::Es384,   "ES384",     Ecdsa,    Some(Curve::P384),      384, Some(96),   None),
        row(Algorithm::Es512,   "ES512",     Ecdsa,    Some(Curve::P521),      512, Some(132),  None),
        row(Algorithm::Es256k,  "ES256K",    Ecdsa,    Some(Curve::Secp256k1), 256, Some(64),   None),
        row(Algorithm::Ed25519, "Ed25519",   Eddsa,    Some(Curve::Ed25519),   512, Some(64),   None),
        row(Algorithm::MlDsa44, "ML-DSA-44", MlDsa,    None,                   512, Some(2420), Some(1312)),
        row(Algorithm::MlDsa65, "ML-DSA-65", MlDsa,    None,                   512, Some(3309), Some(1952)),
        row(Algorithm::MlDsa87, "ML-DSA-87", MlDsa,    None,                   512, Some(4627), Some(2592)),
    ]
};

/// The polymorphic name that RFC 9864 deprecates; it stands for Ed25519 where allowed (OKP-03).
pub(crate) const LEGACY_EDDSA: &str = "EdDSA";

impl Algorithm {
    /// Every algorithm, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.algorithm)
    }

    /// The algorithm with exactly this registered name (ALG-01); no case folding. `EdDSA` is not
    /// among them: an issuer's `legacy_eddsa` says whether it stands for `Ed25519`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|row| row.name == name)
            .map(|row| row.algorithm)
    }

    fn row(self) -> &'static Row {
        #[expect(
            clippy::indexing_slicing,
            clippy::as_conversions,
            reason = "a test compares them"
        )]
        &TABLE[self as usize]
    }

    /// The registered `alg` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Which key type and verification it needs.
    #[must_use]
    pub fn family(self) -> Family {
        self.row().family
    }

    /// The curve of its keys, for ECDSA and EdDSA.
    #[must_use]
    pub fn curve(self) -> Option<Curve> {
        self.row().curve
    }

    /// Bits of its hash output.
    #[must_use]
    pub fn hash_bits(self) -> usize {
        self.row().hash_bits
    }

    /// Octets of a signature, where the algorithm alone fixes them.
    #[must_use]
    pub fn signature_size(self) -> Option<usize> {
        self.row().signature_size
    }

    /// Octets of a public key, for ML-DSA.
    #[must_use]
    pub fn public_size(self) -> Option<usize> {
        self.row().public_size
    }

    /// Whether its key is a shared secret.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        self.family() == Family::Hmac
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Curve {
    /// The registered `crv` name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The curve with exactly this registered name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::P256,
            Self::P384,
            Self::P521,
            Self::Secp256k1,
            Self::Ed25519,
        ]
        .into_iter()
        .find(|curve| curve.name() == name)
    }

    /// Octets of one coordinate (RFC 7518 §6.2.1.2, RFC 8037 §2).
    #[must_use]
    pub const fn coordinate_size(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 | Self::Ed25519 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The one algorithm of keys on this curve (ALG-03).
    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
            Self::P521 => Algorithm::Es512,
            Self::Secp256k1 => Algorithm::Es256k,
            Self::Ed25519 => Algorithm::Ed25519,
        }
    }
}

/// A set of algorithms.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct AlgorithmSet(u32);

impl AlgorithmSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    const fn bit(algorithm: Algorithm) -> u32 {
        #[expect(clippy::as_conversions, reason = "17 variants")]
        let position = algorithm as u32;
        1 << position
    }

    /// This set and `algorithm`.
    #[must_use]
    pub const fn with(self, algorithm: Algorithm) -> Self {
        Self(self.0 | Self::bit(algorithm))
    }

    /// Whether `algorithm` is in it.
    #[must_use]
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & Self::bit(algorithm) != 0
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::all().filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, AlgorithmSet, Curve, TABLE};

    #[test]
    fn rows_stand_at_their_algorithm() {
        for (position, row) in TABLE.iter().enumerate() {
            assert_eq!(row.algorithm as usize, position);
            assert_eq!(Algorithm::from_name(row.name), Some(row.algorithm));
            assert_eq!(row.algorithm.name(), row.name);
            if let Some(curve) = row.curve {
                assert_eq!(curve.algorithm(), row.algorithm);
                assert_eq!(Curve::from_name(curve.name()), Some(curve));
            }
        }
    }

    #[test]
    fn names_are_exact() {
        for name in [
            "none", "es256", "ES256 ", " ES256", "", "ESP256", "EdDSA", "Ed448",
        ] {
            assert_eq!(Algorithm::from_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: AlgorithmSet = [Algorithm::Es256, Algorithm::Ed25519].into_iter().collect();
        assert!(set.contains(Algorithm::Es256) && !set.contains(Algorithm::Rs256));
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [Algorithm::Es256, Algorithm::Ed25519]
        );
        assert!(AlgorithmSet::EMPTY.is_empty());
    }
}

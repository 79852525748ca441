//! One issuer's keys: built once, then only read.

use std::fmt;

use crate::crypto::{self, CryptoProvider, VerificationKey};
use crate::error::{Code, Error};
use crate::jwa::{Algorithm, AlgorithmSet};
use crate::jwk::{Jwk, KeyError, SkippedKey};

/// The keys of one issuer, each bound to one algorithm.
pub(crate) struct KeySet {
    /// Sorted by `kid`, then algorithm.
    keys: Vec<SetKey>,
    skipped: Vec<SkippedKey>,
}

/// One key, parsed by the provider.
pub(crate) struct SetKey {
    kid: Option<Box<str>>,
    usage: Option<Box<str>>,
    kty: &'static str,
    thumbprint: Box<str>,
    verification: VerificationKey,
}

impl SetKey {
    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// `use`, where the key says it.
    pub(crate) fn usage(&self) -> Option<&str> {
        self.usage.as_deref()
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.verification.algorithm()
    }

    pub(crate) const fn kty(&self) -> &'static str {
        self.kty
    }

    /// JWK SHA-256 thumbprint (RFC 7638).
    pub(crate) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    pub(crate) fn verification(&self) -> &VerificationKey {
        &self.verification
    }

    fn rank(&self) -> (Option<&str>, Algorithm) {
        (self.kid(), self.algorithm())
    }
}

impl KeySet {
    /// Binds and parses `jwks` for an issuer with these algorithms. A key of another algorithm, or
    /// one the provider cannot load, is skipped with its reason.
    /// A key without `alg` is bound by the list, where only one of its algorithms fits (ALG-03).
    ///
    /// # Errors
    ///
    /// Two keys with the same `kid` and algorithm (ALG-10): the places of the later ones.
    pub(crate) fn build(
        provider: &CryptoProvider,
        jwks: &[Jwk],
        allowed: AlgorithmSet,
    ) -> Result<Self, Vec<usize>> {
        let mut keys: Vec<(SetKey, usize)> = Vec::with_capacity(jwks.len());
        let mut skipped = Vec::new();
        for (index, jwk) in jwks.iter().enumerate() {
            let thumbprint = crypto::thumbprint(provider, jwk).into_boxed_str();
            let loaded = binding(jwk, allowed).and_then(|bound| (provider.load)(jwk, bound));
            match loaded {
                Ok(verification) => {
                    let kid = jwk.kid().map(Box::from);
                    let key = SetKey {
                        kid,
                        usage: jwk.usage().map(Box::from),
                        kty: jwk.kty(),
                        thumbprint,
                        verification,
                    };
                    keys.push((key, index));
                }
                Err(reason) => skipped.push(SkippedKey::new(index, reason)),
            }
        }
        keys.sort_by(|(a, _), (b, _)| a.rank().cmp(&b.rank()));
        let twins = keys.windows(2).filter_map(|pair| match pair {
            [(a, _), (b, index)] if a.kid.is_some() && a.rank() == b.rank() => Some(*index),
            _ => None,
        });
        let twins: Vec<usize> = twins.collect();
        if !twins.is_empty() {
            return Err(twins);
        }
        Ok(Self {
            keys: keys.into_iter().map(|(key, _)| key).collect(),
            skipped,
        })
    }

    /// The key for a token of this algorithm and `kid` (KEY-01): an exact match, or without `kid`
    /// the only key that fits. Never a guess among several.
    pub(crate) fn select(&self, algorithm: Algorithm, kid: Option<&str>) -> Result<&SetKey, Error> {
        let not_found = || Error::about(Code::KeyNotFound, "kid");
        let Some(kid) = kid else {
            let mut fitting = self.keys.iter().filter(|key| key.algorithm() == algorithm);
            let key = fitting.next().ok_or_else(not_found)?;
            return if fitting.next().is_none() {
                Ok(key)
            } else {
                Err(not_found())
            };
        };
        let start = self.keys.partition_point(|key| key.kid() < Some(kid));
        let named = self.keys.get(start..).unwrap_or_default();
        let mut named = named
            .iter()
            .take_while(|key| key.kid() == Some(kid))
            .peekable();
        if named.peek().is_none() {
            return Err(not_found());
        }
        let fitting = named.find(|key| key.algorithm() == algorithm);
        fitting.ok_or_else(|| Error::about(Code::AlgKeyMismatch, "alg")) // ALG-03
    }

    /// Whether some key has this `kid`.
    pub(crate) fn has(&self, kid: &str) -> bool {
        let at = self.keys.partition_point(|key| key.kid() < Some(kid));
        self.keys.get(at).is_some_and(|key| key.kid() == Some(kid))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &SetKey> {
        self.keys.iter()
    }

    /// Keys that cannot be used here, and why.
    pub(crate) fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// Whether the set has this very key, under the same name and algorithm.
    pub(crate) fn contains(&self, key: &SetKey) -> bool {
        let mut own = self.keys.iter();
        own.any(|own| own.rank() == key.rank() && own.thumbprint == key.thumbprint)
    }

    /// Whether both hold the same keys under the same names and algorithms.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let same = |(a, b): (&SetKey, &SetKey)| {
            a.rank() == b.rank() && a.usage == b.usage && a.thumbprint == b.thumbprint
        };
        self.keys.len() == other.keys.len() && self.keys.iter().zip(&other.keys).all(same)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(SetKey::rank))
            .finish()
    }
}

/// The one algorithm a key is bound to: its own, or the only allowed one that fits (ALG-03).
fn binding(jwk: &Jwk, allowed: AlgorithmSet) -> Result<Algorithm, KeyError> {
    let mut fitting = allowed
        .iter()
        .filter(|algorithm| jwk.check_fits(*algorithm).is_ok());
    let first = fitting.next().ok_or_else(KeyError::not_allowed)?;
    if fitting.next().is_some() {
        return Err(KeyError::unbound());
    }
    Ok(first)
}

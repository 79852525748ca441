//! The keys of `testing`'s fakes: what one is made from, and which of them anybody can make.
//!
//! A fake has the same keys in every run, so whoever knows its name and its seed has their private
//! halves. Names are those of real issuers and tests choose small seeds: a set of such keys that is
//! copied into a policy would open it to everyone.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::aws_lc;
use super::signing::verifying_octets;
use crate::jwa::Algorithm;
use crate::jwk::{Jwk, KeyMaterial};

/// The seeds that tests choose. A larger one is a secret, as far as it is kept as one.
const SEEDS: RangeInclusive<u64> = 0..=63;

/// The key of an agent, and the first one of an issuer.
const NUMBERS: RangeInclusive<u64> = 0..=1;

/// What the key is made from that a name and numbers stand for.
pub(crate) fn fake_seed(name: &str, seed: u64, number: u64) -> [u8; 32] {
    (aws_lc::provider().sha256)(format!("{name}\n{seed}\n{number}").as_bytes())
}

/// What is said of such a key.
pub(crate) const LABEL: &str = "a FakeIssuer or FakeAgent with a seed below 64";

/// The keys that anybody can make of fakes of some names: 128 a name, made once for each algorithm
/// that is asked about, some milliseconds for P-256.
pub(crate) struct FakeKeys<'n> {
    names: &'n [Box<str>],
    made: BTreeMap<Algorithm, Vec<Vec<u8>>>,
}

impl<'n> FakeKeys<'n> {
    pub(crate) const fn of(names: &'n [Box<str>]) -> Self {
        let made = BTreeMap::new();
        Self { names, made }
    }

    /// Whether this is one of them.
    pub(crate) fn contains(&mut self, jwk: &Jwk) -> bool {
        let own = match jwk.material() {
            KeyMaterial::Ec { x, y, .. } => [x.as_slice(), y].concat(),
            KeyMaterial::Okp { x, .. } => x.clone(),
            KeyMaterial::Akp { public, .. } => public.clone(),
            KeyMaterial::Oct(secret) => secret.as_bytes().to_vec(),
            KeyMaterial::Rsa { .. } => return false, // a fake's is always fresh
        };
        let mut fitting = Algorithm::all().filter(|algorithm| jwk.check_fits(*algorithm).is_ok());
        fitting.any(|algorithm| {
            let made = self.made.entry(algorithm);
            made.or_insert_with(|| make(algorithm, self.names))
                .contains(&own)
        })
    }
}

fn make(algorithm: Algorithm, names: &[Box<str>]) -> Vec<Vec<u8>> {
    let seeds = names.iter().flat_map(|name| {
        SEEDS.flat_map(move |seed| NUMBERS.map(move |number| fake_seed(name, seed, number)))
    });
    seeds
        .filter_map(|seed| verifying_octets(algorithm, &seed))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{FakeKeys, LABEL, SEEDS, fake_seed};
    use crate::crypto::SigningKey;
    use crate::jwa::{Algorithm, Family};

    fn anybodys(algorithm: Algorithm, name: &str, seed: u64, number: u64) -> Option<bool> {
        let key = SigningKey::from_seed(algorithm, &fake_seed(name, seed, number)).ok()?;
        let names = ["a".into(), "b".into()];
        Some(FakeKeys::of(&names).contains(key.verifying_jwk()))
    }

    #[test]
    fn keys_of_small_seeds_are_anybodys() {
        for algorithm in Algorithm::all() {
            let found = anybodys(algorithm, "b", 63, 1);
            let is_rsa = matches!(algorithm.family(), Family::RsaPkcs1 | Family::RsaPss);
            assert_eq!(found, (!is_rsa).then_some(true), "{algorithm}");
        }
        let of = |name, seed, number| anybodys(Algorithm::Es256, name, seed, number);
        assert_eq!(of("a", 0, 0), Some(true));
        assert_eq!(of("a", 64, 1), Some(false));
        assert_eq!(of("a", 0, 2), Some(false));
        assert_eq!(of("c", 0, 1), Some(false));
        assert!(LABEL.ends_with(&(SEEDS.end() + 1).to_string()));
    }

    #[test]
    fn rsa_keys_of_fakes_are_nobodys() {
        let key = SigningKey::generate(Algorithm::Rs256).unwrap();
        assert!(!FakeKeys::of(&["a".into()]).contains(key.verifying_jwk()));
    }
}

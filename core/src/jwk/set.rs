//! JWK Sets (RFC 7517 §5): a key one cannot use is skipped, with a reason, and fails no other.

use super::{Jwk, KeyError};
use crate::encoding::json::{Json, Value};
use crate::limits::{JWK_SET_KEYS, JWK_SET_SIZE, Limits};

/// The usable keys of a set, and why the others are not.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    /// Where each of `keys` stood in the set.
    places: Vec<usize>,
    skipped: Vec<SkippedKey>,
}

/// A key that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// Its place in the set, from 0.
    pub index: usize,
    /// Why.
    pub reason: KeyError,
}

impl SkippedKey {
    pub(crate) const fn new(index: usize, reason: KeyError) -> Self {
        Self { index, reason }
    }
}

impl JwkSet {
    /// Reads a set of at most 1 MiB and 256 keys (KEY-03).
    ///
    /// # Errors
    ///
    /// When the text is no JSON object with an array `keys`, or is too large.
    pub fn parse(text: &[u8]) -> Result<Self, KeyError> {
        if text.len() > JWK_SET_SIZE {
            return Err(KeyError::malformed("", "a key set larger than 1 MiB"));
        }
        let json = Json::parse(text.to_vec(), Limits::KEYS.into());
        let json =
            json.map_err(|_| KeyError::malformed("", "not a JSON object, or not strictly"))?;
        Self::from_json(json.root())
    }

    pub(crate) fn from_json(value: Value<'_>) -> Result<Self, KeyError> {
        let members = value.get("keys").and_then(|keys| keys.as_array());
        let members = members.ok_or_else(|| KeyError::malformed("keys", "must be an array"))?;
        let mut set = Self::default();
        for (index, member) in members.enumerate() {
            if index == JWK_SET_KEYS {
                return Err(KeyError::malformed("keys", "more than 256 keys"));
            }
            match Jwk::from_json(member) {
                Ok(jwk) => {
                    set.keys.push(jwk);
                    set.places.push(index);
                }
                Err(reason) => set.skipped.push(SkippedKey::new(index, reason)),
            }
        }
        Ok(set)
    }

    /// The keys that can be used.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The keys that can be used, each with its place in the set.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (usize, &Jwk)> {
        self.places.iter().copied().zip(&self.keys)
    }

    /// Those that cannot, by their place in the set.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }
}

impl FromIterator<Jwk> for JwkSet {
    fn from_iter<I: IntoIterator<Item = Jwk>>(keys: I) -> Self {
        let keys: Vec<Jwk> = keys.into_iter().collect();
        Self {
            places: (0..keys.len()).collect(),
            keys,
            skipped: Vec::new(),
        }
    }
}

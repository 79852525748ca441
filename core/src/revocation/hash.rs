//! What the store knows of a handle: 128 bits under a key of this process.

use std::hash::{BuildHasher, Hasher, RandomState};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::handle::HandleKind;

/// A handle's hash. Two handles with one hash would need 2⁶⁴ tries under a key that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HandleHash {
    pub(super) high: u64,
    /// Never 0: a place that holds 0 is empty.
    pub(super) low: u64,
}

impl HandleHash {
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.high) << 64 | u128::from(self.low)).to_le_bytes()
    }
}

/// Hashes handles. The key is drawn once: strangers choose `jti` and `sub`, and with a known key
/// they could choose them to meet somebody else's.
pub(super) struct HandleHasher {
    keys: (u64, u64),
}

impl HandleHasher {
    pub(super) fn new() -> Self {
        // The standard library draws its keys from the system; each hash under them is as secret.
        let drawn = RandomState::new();
        Self {
            keys: (drawn.hash_one(1_u8), drawn.hash_one(2_u8)),
        }
    }

    /// `scope` is whose handle it is (REV-03): `"1"` of one issuer is not `"1"` of another.
    pub(super) fn hash(&self, kind: HandleKind, scope: &str, value: &str) -> HandleHash {
        let mut hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        hasher.write_u8(kind.number());
        // The length first: no scope and value run into one another.
        hasher.write_usize(scope.len());
        hasher.write(scope.as_bytes());
        hasher.write(value.as_bytes());
        let hash = hasher.finish128();
        HandleHash {
            high: hash.h1,
            low: hash.h2 | 1,
        }
    }
}

//! [`Secret`]: what MACs of this program's own are made with, or what it shows who it is with.

use std::fmt;

use zeroize::Zeroizing;

/// A secret from `{ env }` or `{ file }`; wiped when dropped, never printed. Two are compared when
/// a policy is loaded again, never with what a stranger sends.
#[derive(PartialEq, Eq)]
pub(crate) struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The least octets of one: those of the MAC.
    pub(super) const LEAST: usize = 32;

    pub(super) const fn new(secret: Zeroizing<Vec<u8>>) -> Self {
        Self(secret)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

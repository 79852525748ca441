//! What the document says of revocations: `[revocation]`.

/// `[revocation]`: who remembers what was revoked, and what it reaches.
#[derive(Debug)]
pub(crate) struct RevocationRules {
    pub(crate) store: RevocationStorage,
    /// Whether a revoked agent ends the tokens of a chain in which it stands behind the outermost
    /// actor (REV-04).
    pub(crate) inner_actors: bool,
}

/// Where revocations are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RevocationStorage {
    /// Nowhere: no token is asked about.
    Off,
    /// In this process.
    Process,
}

impl RevocationRules {
    /// Of a document that says nothing.
    pub(crate) const OFF: Self = Self {
        store: RevocationStorage::Off,
        inner_actors: true,
    };
}

//! Why a key cannot be used.

use std::fmt;

use crate::error::Code;

/// Why a key cannot be used. It names members of the key, never their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError {
    code: Code,
    member: &'static str,
    reason: &'static str,
}

impl KeyError {
    pub(crate) const fn new(code: Code, member: &'static str, reason: &'static str) -> Self {
        Self {
            code,
            member,
            reason,
        }
    }

    pub(crate) const fn malformed(member: &'static str, reason: &'static str) -> Self {
        Self::new(Code::MalformedToken, member, reason)
    }

    pub(crate) const fn weak(member: &'static str, reason: &'static str) -> Self {
        Self::new(Code::WeakKey, member, reason)
    }

    /// The key is for another algorithm than the one asked for.
    #[must_use]
    pub const fn mismatch() -> Self {
        Self::new(
            Code::AlgKeyMismatch,
            "alg",
            "the key is not for this algorithm",
        )
    }

    /// The provider cannot make a key of these bytes: a point that is not on its curve, a modulus
    /// that is none.
    #[must_use]
    pub const fn invalid() -> Self {
        Self::new(Code::WeakKey, "", "not a valid key of its kind")
    }

    /// The provider has no such algorithm.
    #[must_use]
    pub const fn unsupported() -> Self {
        Self::new(
            Code::AlgNotAllowed,
            "alg",
            "the provider does not have this algorithm",
        )
    }

    /// A key without `alg` could serve several of the allowed algorithms.
    pub(crate) const fn unbound() -> Self {
        let reason = "missing, where several allowed algorithms fit the key";
        Self::new(Code::AlgKeyMismatch, "alg", reason)
    }

    /// Its `use` is for other tokens than this issuer's.
    pub(crate) const fn other_use() -> Self {
        Self::new(
            Code::KeyUseMismatch,
            "use",
            "for other tokens than this issuer signs",
        )
    }

    /// Its private half is printed somewhere.
    pub(crate) const fn published() -> Self {
        Self::new(Code::WeakKey, "", "everyone has this private key")
    }

    /// The list of allowed algorithms leaves the key none.
    pub(crate) const fn not_allowed() -> Self {
        Self::new(
            Code::AlgNotAllowed,
            "alg",
            "the key's algorithm is not among those allowed",
        )
    }

    /// `weak_key`, `alg_key_mismatch`, `key_use_mismatch`, `alg_not_allowed`, or
    /// `malformed_token` for what cannot be read as a key.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The member of the JWK this is about; empty when it is about the whole key.
    #[must_use]
    pub const fn member(&self) -> &'static str {
        self.member
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.member.is_empty() {
            write!(f, "{}: ", self.member)?;
        }
        f.write_str(self.reason)
    }
}

impl std::error::Error for KeyError {}

//! [`Vouched`]: evidence that claims are those that an issuer stands for, by its signature or, where the
//! policy says so, by its word.

use std::sync::Arc;

use super::introspect::StillActive;
use super::kind::TypAccepted;
use super::pipeline::Candidate;
use super::state::Source;
use crate::claims::Claims;
use crate::crypto::SignatureVerified;
use crate::jws::ProtectedHeader;
use crate::policy::Row;

/// By what the issuer of a verified token stands for its claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifiedBy {
    /// Its signature over them.
    Signature,
    /// Its answer to a question about a token that says nothing itself (RFC 7662).
    Introspection,
}

impl VerifiedBy {
    /// The stable spelling, the same in every language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Introspection => "introspection",
        }
    }
}

/// Claims that an issuer stands for. What judges claims takes this and nothing less.
pub(super) trait Vouched {
    const BY: VerifiedBy;

    fn claims(&self) -> &Claims;
    fn source(&self) -> &Source;
    fn header(&self) -> &ProtectedHeader;
    /// What claims of its kind must have.
    fn row(&self) -> &'static Row;
    /// Evidence that the token is active, where that is how it was vouched for.
    fn active(&self) -> Option<StillActive>;
    fn into_parts(self) -> (Claims, Arc<ProtectedHeader>, Source);
}

impl Vouched for SignatureVerified<Candidate<'_>> {
    const BY: VerifiedBy = VerifiedBy::Signature;

    fn claims(&self) -> &Claims {
        &self.get().claims
    }

    fn source(&self) -> &Source {
        &self.get().source
    }

    fn header(&self) -> &ProtectedHeader {
        &self.get().header
    }

    fn row(&self) -> &'static Row {
        self.get().source.profile.row()
    }

    fn active(&self) -> Option<StillActive> {
        None
    }

    #[inline]
    fn into_parts(self) -> (Claims, Arc<ProtectedHeader>, Source) {
        let Candidate {
            signing_input: _,
            signature: _,
            claims,
            header,
            source,
            kind: TypAccepted { .. },
        } = self.into_inner();
        (claims, header, source)
    }
}

//! Tokens that are good once, remembered as proofs are: a grant or an assertion by its `jti` (IJ-06,
//! CA-05, IC-01), a transaction by its `txn` (TXT-11).

use super::{Judge, UsedProof};
use crate::claims::{Claim, Claims};
use crate::policy::Once;
use crate::time::{NumericDate, Span};

/// What tells these from proofs, whose keys have thumbprints there.
const PURPOSE: &str = "sealgate token 1";
/// Before its `exp`, a token without `iat` counts as issued.
const MOST_AHEAD: Span = Span::from_seconds(300);

impl Judge<'_> {
    /// What this token of `iss` is remembered by until it ends, as the gate's tokens are. A grant without
    /// `jti` names nothing by which it could be known again.
    #[cold]
    pub(crate) fn used_up(
        &self,
        once: Once,
        claims: &Claims,
        iss: &str,
        until: NumericDate,
    ) -> Option<Box<UsedProof>> {
        let (whose, name) = match once {
            Once::Jti => (iss, claims.text(Claim::Jti)?),
            Once::Txn => (claims.audience().next()?, claims.text(Claim::Txn)?),
        };
        let kind = self.gate.kind.as_str();
        let scope = (self.provider.sha256)(format!("{PURPOSE} {kind} {whose}").as_bytes());
        let issued_at = claims.date(Claim::Iat);
        let made_at = issued_at.unwrap_or_else(|| until.minus(MOST_AHEAD));
        Some(Box::new(UsedProof::new(self, &scope, name, made_at, until)))
    }
}

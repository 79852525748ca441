//! Tokens that are good once, remembered as proofs are: a grant or an assertion by its `jti`
//! (IJ-06, CA-05, IC-01), a transaction by its `txn` for as long as its tokens can be replaced
//! (TXT-11, TXT-13).

use super::{Judge, UsedProof};
use crate::claims::{Claim, Claims};
use crate::policy::Once;
use crate::time::{NumericDate, Span};

/// What tells these from proofs, whose keys have thumbprints there.
const PURPOSE: &str = "sealgate token 1";
/// Before its `exp`, a token without `iat` counts as issued.
const MOST_AHEAD: Span = Span::from_seconds(300);

impl Judge<'_> {
    /// What this token of `iss` is remembered by until it ends, or its transaction does, as the
    /// gate's tokens are. A grant without `jti` names nothing by which it could be known again.
    #[cold]
    pub(crate) fn used_up(
        &self,
        once: Once,
        claims: &Claims,
        iss: &str,
        until: NumericDate,
    ) -> Option<Box<UsedProof>> {
        let issued_at = claims.date(Claim::Iat);
        let made_at = issued_at.unwrap_or_else(|| until.minus(MOST_AHEAD));
        let (whose, name, until) = match once {
            Once::Jti => (iss, claims.text(Claim::Jti)?, until),
            Once::Txn { lasts } => {
                let until = until.max(made_at.plus(lasts).plus(self.rules.leeway));
                (claims.audience().next()?, claims.text(Claim::Txn)?, until)
            }
        };
        let kind = self.gate.kind.as_str();
        let scope = (self.provider.sha256)(format!("{PURPOSE} {kind} {whose}").as_bytes());
        Some(Box::new(UsedProof {
            extends: matches!(once, Once::Txn { .. }),
            ..UsedProof::new(self, &scope, name, made_at, until)
        }))
    }
}

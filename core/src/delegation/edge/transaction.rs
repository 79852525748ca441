//! A transaction token that takes the place of another on its way through its trust domain (TXT-13,
//! TXA-05).

use super::{Member, broken};
use crate::claims::Claim;
use crate::delegation::agentic::{self, txn_path};
use crate::encoding::json::Value;
use crate::error::{Code, Error};
use crate::policy::TransactionRules;

/// TXT-13, TXA-05: who and for whom stay as they are, the facts of the call are kept, and the path
/// through the domain grows by one.
pub(super) fn check_replacement(
    old: &Member<'_>,
    new: &Member<'_>,
    rules: Option<&TransactionRules>,
) -> Result<(), Error> {
    // A subject is one of the trust domain, whoever signs (TXT-08).
    if old.claims.text(Claim::Sub) != new.claims.text(Claim::Sub) {
        return Err(Error::about(Code::SubjectChanged, Claim::Sub.name()));
    }
    if !new.actors().eq(old.actors()) {
        return Err(broken());
    }
    let facts = old.other("tctx").and_then(|tctx| tctx.as_object());
    let now = new.other("tctx");
    let kept = |(name, theirs): (&str, Value<'_>)| {
        let ours = now.and_then(|tctx| tctx.get(name));
        ours.is_some_and(|ours| ours.same_as(theirs))
    };
    if !facts.into_iter().flatten().all(kept) {
        return Err(Error::about(Code::AttenuationDetails, "tctx"));
    }
    if rules.is_some_and(|rules| !agentic::is_no_higher(new.claims, old.claims, rules)) {
        return Err(Error::about(Code::AttenuationDetails, "agentic_ctx")); // TXA-05
    }
    let Some(mut before) = txn_path(old.claims) else {
        return Ok(());
    };
    let mut path = txn_path(new.claims).into_iter().flatten();
    let grown = before.all(|own| path.next().is_some_and(|next| own.same_as(next)));
    if grown && path.count() == 1 {
        Ok(())
    } else {
        Err(Error::about(Code::ChainLinkBroken, "agentic_ctx"))
    }
}

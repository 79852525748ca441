//! The offline edge (standards 30.5): a holder derives a narrower token with its own key and asks
//! nobody (attenuating agent tokens, AAT-02 to AAT-06).
//!
//! What is proven is a lineage of keys: the parent's signature says that it delegated to the
//! child's key. Whoever a child names has been named by a holder, and is nobody's word (30.6 step
//! 8).

use super::details::{self, Types};
use super::edge::broken;
use crate::claims::{Claim, ClaimedDates, Claims, count};
use crate::error::{Code, Error};

/// What a child's `iss` begins with: its parent's key is its issuer (RFC 9278).
const THUMBPRINT_URN: &str = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:";

/// A token of such a chain whose signature is good.
#[derive(Clone, Copy)]
pub(crate) struct Holding<'a> {
    pub(crate) claims: &'a Claims,
    pub(crate) dates: ClaimedDates,
}

/// Evidence that a token follows from its parent, and that one from a root.
#[derive(Debug)]
pub(crate) struct Derived(());

/// Judges the last link of a chain whose other links are judged: does `child`, signed by the
/// parent's key, follow from the last of `parents`? `hash` is that one's, of its signing input, and
/// `thumbprint` its key's.
pub(crate) fn derive(
    parents: &[Holding<'_>],
    child: Holding<'_>,
    hash: &str,
    thumbprint: &str,
) -> Result<Derived, Error> {
    let parent = parents.last().ok_or_else(broken)?;
    let text = |claims: &Claims, name: &str| {
        let value = claims.other(name);
        value.and_then(|value| value.as_str()).map(str::to_owned)
    };
    let issuer = child.claims.text(Claim::Iss);
    let issuer = issuer.and_then(|iss| iss.strip_prefix(THUMBPRINT_URN));
    if issuer != Some(thumbprint) || text(child.claims, "par_hash").as_deref() != Some(hash) {
        return Err(broken());
    }
    let id = child.claims.text(Claim::Jti);
    if parents.iter().any(|one| one.claims.text(Claim::Jti) == id) {
        return Err(Error::about(Code::ChainLoop, Claim::Jti.name())); // AAT-02
    }
    check_depth(parent.claims, child.claims)?;
    if child.dates.expires_at > parent.dates.expires_at {
        return Err(Error::about(Code::AttenuationTime, Claim::Exp.name()));
    }
    if child.dates.issued_at < parent.dates.issued_at {
        return Err(Error::about(Code::AttenuationTime, Claim::Iat.name()));
    }
    let is_aimed = |claims: &Claims| claims.audience().next().is_some();
    let granted = |aud: &str| parent.claims.audience().any(|own| own == aud);
    let aimed = !is_aimed(parent.claims) || is_aimed(child.claims);
    if !aimed || (is_aimed(parent.claims) && !child.claims.audience().all(granted)) {
        return Err(Error::about(Code::AttenuationAudience, Claim::Aud.name()));
    }
    if !details::within(child.claims, parent.claims, Types::Every) {
        let claim = Claim::AuthorizationDetails.name();
        return Err(Error::about(Code::AttenuationDetails, claim)); // AAT-05
    }
    Ok(Derived(()))
}

/// One deeper, within what both allow, and what they allow not raised (AAT-04).
fn check_depth(parent: &Claims, child: &Claims) -> Result<(), Error> {
    const MOST: &str = "del_max_depth";
    let depth = |claims: &Claims| claims.value(Claim::DelDepth).and_then(count);
    let most = |claims: &Claims| claims.other(MOST).and_then(count);
    let (Some(own), Some(before)) = (depth(child), depth(parent)) else {
        return Err(broken());
    };
    let (Some(most), Some(granted)) = (most(child), most(parent)) else {
        return Err(broken());
    };
    if before.checked_add(1) != Some(own) || own > granted || own > most {
        return Err(Error::about(Code::ChainTooDeep, Claim::DelDepth.name()));
    }
    if most > granted {
        return Err(Error::about(Code::AttenuationDetails, MOST));
    }
    Ok(())
}

//! Workload proof tokens (draft-ietf-wimse-wpt, WPT-01 to WPT-10, CD-04): is this proof made by the
//! key of the workload's identity token, for it, for this URL and for every other token of the
//! request?
//!
//! `aud` is the URL that was called, without query and fragment; aliases are not configured. No
//! further context token is known here, so a proof with a hash of one in `oth` is refused (WPT-08):
//! its maker wants it judged.

use super::proof::{Form, Unproven, date, invalid, jti, text};
use super::{Holder, Judge, Proven, Shown, target};
use crate::encoding::base64url;
use crate::encoding::json::Value;
use crate::error::Error;
use crate::jws::SignatureBuffer;
use crate::time::Span;

pub(super) const FORM: Form = Form {
    field: "workload-proof-token",
    typ: "wpt+jwt", // WPT-03
};

/// The most that `exp` may lie ahead (WPT-05).
pub(super) const MOST_AHEAD: Span = Span::from_seconds(300);

pub(super) fn verify(
    judge: &Judge<'_>,
    proof: &[u8],
    holder: &Holder<'_>,
    shown: &Shown<'_>,
    token: &[u8],
) -> Result<Proven, Error> {
    let mut buffer = SignatureBuffer::new();
    let proof = Unproven::read(judge, proof, &FORM, &mut buffer)?;
    let named = proof.header.json().root().get("alg");
    let own = holder.value.get("alg");
    // As strings: two names of one algorithm are two (WPT-02).
    if named.and_then(|alg| alg.as_str()) != own.and_then(|alg| alg.as_str()) {
        return Err(invalid("alg"));
    }
    let algorithm = holder.fitting(judge, proof.algorithm()?)?;
    let claims = proof.claims(judge, &holder.jwk, algorithm)?;
    let claims = claims.root();
    let jti = jti(claims)?;
    let aud = target::normalise(text(claims, "aud")?);
    if aud.is_none() || aud.as_deref() != shown.target {
        return Err(invalid("aud")); // WPT-04
    }
    let expires = date(claims, "exp")?;
    let until = expires.plus(judge.rules.leeway);
    if judge.now >= until || expires > judge.now.plus(MOST_AHEAD).plus(judge.rules.leeway) {
        return Err(invalid("exp"));
    }
    let hash = |token: &[u8]| base64url::encode(&(judge.provider.sha256)(token));
    if text(claims, "wth")? != hash(token) {
        return Err(invalid("wth")); // WPT-06
    }
    // CD-04: a token that comes along uncovered is none of this request.
    covers(claims, "ath", shown.access_token.map(hash))?;
    covers(claims, "tth", shown.txn_token.map(hash))?;
    let others = claims.get("oth");
    if others.is_some_and(|others| {
        others
            .as_object()
            .is_none_or(|mut one| one.next().is_some())
    }) {
        return Err(invalid("oth"));
    }
    let made_at = expires.minus(MOST_AHEAD); // at the earliest
    Ok(Proven::new(judge, holder, jti, made_at, until))
}

/// WPT-07: the hash is there when the token is, and of that token. A hash of nothing was made for
/// another request.
fn covers(claims: Value<'_>, name: &'static str, hash: Option<String>) -> Result<(), Error> {
    let given = claims.get(name).map(|value| value.as_str());
    match (given, hash) {
        (None, None) => Ok(()),
        (Some(Some(given)), Some(hash)) if given == hash => Ok(()),
        _ => Err(invalid(name)),
    }
}

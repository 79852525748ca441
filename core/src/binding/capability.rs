//! Proofs of capabilities (draft-niyikiza-oauth-attenuating-agent-tokens §5, AAT-08): is this proof
//! made by the holder of the very capability that came with it, for this call of this tool with
//! these arguments, at this server, just now?
//!
//! `aat_aud` is the gate's `public_url`, character by character, and always asked for. Every proof
//! is remembered, since nobody here knows which tools have effects.

use super::proof::{Form, Unproven, date, invalid, jti, text};
use super::{Holder, Judge, Proven, Shown};
use crate::claims::{Claim, Claims};
use crate::encoding::base64url;
use crate::encoding::json::JsonKind;
use crate::error::{Code, Error};
use crate::jws::SignatureBuffer;
use crate::time::Span;

pub(super) const FORM: Form = Form {
    field: "aat_pop",
    typ: "aat-pop+jwt",
};

/// How far `iat` may lie from now, either way: for clocks, so no leeway is added.
pub(super) const WINDOW: Span = Span::from_seconds(30);

pub(super) fn verify(
    judge: &Judge<'_>,
    proof: &[u8],
    holder: &Holder<'_>,
    claims: &Claims,
    shown: &Shown<'_>,
    token: &[u8],
) -> Result<Proven, Error> {
    let called = shown.called.as_ref();
    let called = called.ok_or_else(|| Error::about(Code::Usage, "operation"))?;
    let mut buffer = SignatureBuffer::new();
    let proof = Unproven::read(judge, proof, &FORM, &mut buffer)?;
    let algorithm = holder.fitting(judge, proof.algorithm()?)?;
    let proven = proof.claims(judge, &holder.jwk, algorithm)?;
    let proven = proven.root();
    let jti = jti(proven)?;
    if Some(text(proven, "aat_id")?) != claims.text(Claim::Jti) {
        return Err(invalid("aat_id"));
    }
    // Of later drafts: the `jti` of a token is its issuer's word, its hash is not.
    let hash = proven.get("aat_hash").map(|hash| hash.as_str());
    if hash.is_some_and(|hash| hash != Some(&*own_hash(judge, token))) {
        return Err(invalid("aat_hash"));
    }
    if text(proven, "aat_tool")? != called.tool {
        return Err(invalid("aat_tool"));
    }
    let hta = proven
        .get("hta")
        .filter(|hta| hta.kind() == JsonKind::Object);
    let hta = hta.ok_or_else(|| invalid("hta"))?;
    let same = match called.arguments {
        Some(arguments) => hta.same_as(arguments),
        None => hta.as_object().is_some_and(|members| members.len() == 0),
    };
    if !same {
        return Err(invalid("hta"));
    }
    if Some(text(proven, "aat_aud")?) != judge.gate.public_url.as_deref() {
        return Err(invalid("aat_aud"));
    }
    let issued_at = date(proven, "iat")?;
    let until = issued_at.plus(WINDOW);
    if issued_at > judge.now.plus(WINDOW) || judge.now > until {
        return Err(invalid("iat"));
    }
    Ok(Proven::new(judge, holder, jti, issued_at, until))
}

/// The hash of what the capability's signature is over, as `par_hash` has its parent's.
fn own_hash(judge: &Judge<'_>, token: &[u8]) -> String {
    let end = memchr::memrchr(b'.', token).unwrap_or(token.len());
    let input = token.get(..end).unwrap_or_default();
    base64url::encode(&(judge.provider.sha256)(input))
}

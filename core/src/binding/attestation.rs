//! Proofs of attested clients (draft-ietf-oauth-attestation-based-client-auth, ATT-07 to ATT-12):
//! is this proof made by the instance that the attestation is of, for this server, just now?
//!
//! `aud` is the gate's `public_url`, character by character: the issuer identifier of an
//! authorization server, the resource identifier of any other. A `challenge` is looked at where the
//! policy asks for one; else `iat` and `jti` alone say that a proof is new.

use super::proof::{Form, Unproven, date, invalid, jti, text};
use super::{Holder, Judge, Proven};
use crate::error::Error;
use crate::jws::SignatureBuffer;
use crate::time::Span;

pub(super) const FORM: Form = Form {
    field: "oauth-client-attestation-pop",
    typ: "oauth-client-attestation-pop+jwt", // ATT-02
};

/// The most since `iat` (ATT-10).
pub(super) const MOST_OLD: Span = Span::from_seconds(60);

/// An `iss` of earlier drafts is not looked at (ATT-12).
pub(super) fn verify(
    judge: &Judge<'_>,
    proof: &[u8],
    holder: &Holder<'_>,
) -> Result<Proven, Error> {
    let mut buffer = SignatureBuffer::new();
    let proof = Unproven::read(judge, proof, &FORM, &mut buffer)?;
    let algorithm = holder.fitting(judge, proof.algorithm()?)?;
    let claims = proof.claims(judge, &holder.jwk, algorithm)?; // ATT-07
    let claims = claims.root();
    let jti = jti(claims)?;
    if Some(text(claims, "aud")?) != judge.gate.public_url.as_deref() {
        return Err(invalid("aud")); // ATT-08
    }
    let issued_at = date(claims, "iat")?;
    let until = issued_at.plus(MOST_OLD).plus(judge.rules.leeway);
    if issued_at > judge.now.plus(judge.rules.leeway) || judge.now > until {
        return Err(invalid("iat"));
    }
    let given = claims.get("challenge").and_then(|value| value.as_str());
    let next = judge
        .challenges()
        .map(|own| own.check(given, "challenge", judge.now)); // ATT-09
    let mut proven = Proven::new(judge, holder, jti, issued_at, until);
    proven.next_nonce = next.transpose()?.flatten();
    Ok(proven)
}

//! The proofs of its actors that a token carries: each verified as a token of its own kind, none of
//! them a credential here, then judged together with the token.

use super::kind;
use super::pipeline::{self, Case};
use super::state::Door;
use super::validity::Dates;
use crate::claims::Claims;
use crate::delegation::{self, Chain, Coverage, Member, PROOFS, Proof, proofs_broken};
use crate::error::{Code, Error};
use crate::jws::SignatureBuffer;
use crate::policy::ContextNeed;

/// What the proofs of a token say of its chain. A gate that takes none looks at none.
#[inline]
pub(super) fn judge<'l>(
    door: Door<'_>,
    chain: &Chain,
    claims: &Claims,
    token: impl FnOnce() -> Member<'l>,
    case: &Case<'_>,
) -> Result<Coverage, Error> {
    match door.actor_proofs() {
        Some(own) => prove(door, own, chain, claims, &token(), case),
        None => Ok(Coverage::Partial),
    }
}

/// Whether a gate judges proofs that a token carries: then it is judged anew at each use, since a
/// proof has an end of its own.
pub(super) fn has_any(door: Door<'_>, claims: &Claims) -> bool {
    door.gate.actor_proofs.is_some() && claims.other(PROOFS).is_some()
}

fn prove(
    door: Door<'_>,
    own: Door<'_>,
    chain: &Chain,
    claims: &Claims,
    token: &Member<'_>,
    case: &Case<'_>,
) -> Result<Coverage, Error> {
    let carried = delegation::carried_proofs(claims, chain.len())?;
    let need = door.gate.actor_proofs.as_ref().map(|rules| rules.need);
    if carried.is_empty() && chain.len() > 0 && need == Some(ContextNeed::Required) {
        return Err(proofs_broken());
    }
    let mut buffers: Vec<_> = carried.iter().map(|_| SignatureBuffer::new()).collect();
    let jobs = carried.iter().zip(&mut buffers).map(|(proof, buffer)| {
        pipeline::admit(own, proof.as_bytes(), case.judge.now, buffer, &mut ())
    });
    let jobs = jobs.collect::<Result<Vec<_>, Error>>()?;
    let signed = case.judge.provider.verify_many(jobs);
    let signed: Option<Vec<_>> = signed.into_iter().collect();
    let signed = signed.ok_or_else(|| Error::about(Code::BadSignature, PROOFS))?;
    let rules = own.rules();
    let mut proofs = Vec::with_capacity(signed.len());
    for (proof, compact) in signed.iter().zip(&carried) {
        let candidate = proof.get();
        let (source, claims) = (&candidate.source, &candidate.claims);
        let (issuer, row) = (own.issuer(source)?, source.profile.row());
        let blame = |error| own.blame(source, error);
        let accepted = kind::check_claims(claims, own.gate, issuer, row, false).map_err(blame)?;
        let dates = Dates::of(&accepted, own.gate, row, source.max_lifetime, rules.leeway);
        dates.check(case.judge.now).map_err(blame)?;
        proofs.push(Proof {
            claims,
            namespace: issuer.actor_namespace.as_deref(),
            compact,
        });
    }
    delegation::check_proofs(token, &proofs, case.judge.provider.sha256)
}

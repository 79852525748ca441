//! Proofs that the actors of a token signed themselves (draft-mcguinness-oauth-actor-proofs
//! §Consumer Processing; standards 30.6 step 7): does each cover its link of `act`, hang together
//! with the one before it, and let its actor act for this subject, here?
//!
//! A proof is evidence that its actor took part. It grants nothing.

use super::Actor;
use super::edge::Member;
use super::task::Sha256;
use crate::claims::{Claim, Claims};
use crate::encoding::base64url;
use crate::encoding::json::Value;
use crate::error::{Code, Error};

/// The claim that carries them.
pub(crate) const PROOFS: &str = "actor_proofs";
const COMPLETE: &str = "actor_proofs_complete";

/// A proof whose signature and claims are good, by themselves.
#[derive(Clone, Copy)]
pub(crate) struct Proof<'a> {
    pub(crate) claims: &'a Claims,
    /// Whose actor its signer is, as the policy says.
    pub(crate) namespace: Option<&'a str>,
    /// As the token carries it.
    pub(crate) compact: &'a str,
}

/// What proofs say of a chain, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// There are none, or some links have none.
    Partial,
    /// Every actor that there is has signed for itself.
    Whole,
}

/// The proofs that a token carries, newest first, before anything is known of them. They are no
/// more than its links, and as many where it says that they are all.
pub(crate) fn carried(claims: &Claims, links: usize) -> Result<Vec<&str>, Error> {
    let root = claims.json().root();
    let malformed = || Error::about(Code::ClaimType, PROOFS);
    let complete = root.get(COMPLETE).map(|complete| complete.as_bool());
    let complete = match complete {
        None => false,
        Some(said) => said.ok_or_else(|| Error::about(Code::ClaimType, COMPLETE))?,
    };
    let Some(proofs) = root.get(PROOFS) else {
        return if complete {
            Err(broken())
        } else {
            Ok(Vec::new())
        };
    };
    let proofs: Option<Vec<&str>> = proofs
        .as_array()
        .ok_or_else(malformed)?
        .map(|proof| proof.as_str())
        .collect();
    let proofs = proofs.filter(|proofs| !proofs.is_empty());
    let proofs = proofs.ok_or_else(malformed)?;
    if proofs.len() > links || (complete && proofs.len() != links) {
        return Err(broken());
    }
    Ok(proofs)
}

pub(crate) fn broken() -> Error {
    Error::about(Code::ChainLinkBroken, PROOFS)
}

/// Judges the proofs of a token, newest first.
pub(crate) fn check(
    token: &Member<'_>,
    proofs: &[Proof<'_>],
    sha256: Sha256,
) -> Result<Coverage, Error> {
    let Some(newest) = proofs.first() else {
        return Ok(Coverage::Partial);
    };
    let mut actors = token.actors();
    let mut older = proofs.iter().skip(1);
    for proof in proofs {
        let actor = actors.next().ok_or_else(broken)?;
        check_actor(proof, actor)?;
        check_link(proof, older.next(), newest, sha256)?;
        // A subject that another namespace calls otherwise could be anybody.
        if proof.claims.text(Claim::Sub) != token.claims.text(Claim::Sub) {
            return Err(Error::about(Code::SubjectChanged, Claim::Sub.name()));
        }
        let namespace = proof.claims.other("sub_iss").map(|iss| iss.as_str());
        if namespace.is_some_and(|iss| iss != Some(token.iss)) {
            return Err(Error::about(Code::SubjectChanged, "sub_iss"));
        }
    }
    check_target(newest, token)?;
    let whole = proofs.len() == token.chain.len() && token.says_complete();
    Ok(if whole {
        Coverage::Whole
    } else {
        Coverage::Partial
    })
}

/// The signer is the actor of the link, and no other of its name.
fn check_actor(proof: &Proof<'_>, actor: Actor<'_>) -> Result<(), Error> {
    let malformed = || Error::about(Code::ActorMalformed, Claim::Act.name());
    let act = proof.claims.value(Claim::Act).ok_or_else(malformed)?;
    let text = |name: &str| act.get(name).and_then(|value| value.as_str());
    let (Some(sub), Some(iss)) = (text("sub"), text("iss")) else {
        return Err(malformed());
    };
    if act.get("act").is_some() || act.get("cnf").is_some() {
        return Err(malformed());
    }
    let signer = proof.claims.text(Claim::Iss) == Some(sub) && proof.namespace == Some(iss);
    let profile = act.get("sub_profile").map(|profile| profile.as_str());
    let same_profile = profile.is_none_or(|own| own.is_some() && own == actor.sub_profile());
    if signer && same_profile && actor.iss() == iss && actor.sub() == sub {
        Ok(())
    } else {
        Err(broken())
    }
}

/// Each but the oldest has the hash of the next older one, by one algorithm for all.
fn check_link(
    proof: &Proof<'_>,
    older: Option<&Proof<'_>>,
    newest: &Proof<'_>,
    sha256: Sha256,
) -> Result<(), Error> {
    let named = |proof: &Proof<'_>| {
        proof
            .claims
            .other("prh_alg")
            .map(|name| name.raw().to_owned())
    };
    let algorithm = named(proof);
    let known = algorithm
        .as_deref()
        .is_none_or(|name| name == "\"sha-256\"");
    let expected = older.map(|older| base64url::encode(&sha256(older.compact.as_bytes())));
    let own = proof.claims.other("prh").map(|hash| hash.as_str());
    let linked = match (own, expected) {
        (None, None) => true,
        (Some(own), Some(expected)) => own == Some(&*expected),
        (Some(_), None) | (None, Some(_)) => false,
    };
    if known && algorithm == named(newest) && linked {
        Ok(())
    } else {
        Err(Error::about(Code::ChainLinkBroken, "prh"))
    }
}

/// The newest proof is for this token: for all that it is aimed at, and for none other where it
/// names one.
fn check_target(newest: &Proof<'_>, token: &Member<'_>) -> Result<(), Error> {
    let target = newest.claims.other("target");
    let member = |name: &str| target.and_then(|target| target.get(name));
    let mut audience = token.claims.audience();
    let aimed = audience.all(|aud| member("aud").is_some_and(|names| has(names, aud)));
    let resource = token.claims.json().root().get("resource");
    let within = match (resource, member("resource")) {
        (Some(own), Some(granted)) => match own.as_array() {
            Some(mut own) => own.all(|own| own.as_str().is_some_and(|own| has(granted, own))),
            None => own.as_str().is_some_and(|own| has(granted, own)),
        },
        (None, _) | (_, None) => true,
    };
    if !aimed || !within {
        return Err(Error::about(Code::AttenuationAudience, "target"));
    }
    let origin = newest.claims.other("origin_jti").map(|jti| jti.as_str());
    if origin.is_some_and(|jti| jti.is_none() || jti != token.claims.text(Claim::Jti)) {
        return Err(Error::about(Code::ChainLinkBroken, "origin_jti"));
    }
    Ok(())
}

/// Whether a text is this one, or one of these.
fn has(names: Value<'_>, text: &str) -> bool {
    match names.as_array() {
        Some(mut names) => names.any(|name| name.as_str() == Some(text)),
        None => names.as_str() == Some(text),
    }
}

//! What a caller knows that a token must belong to: a sign-in that it began, a client that it has
//! authenticated, what came with the token (IDT-06, IDT-07, CA-01, IJ-03, ATT-06).

use std::fmt;

use super::verified::Settled;
use crate::claims::{Claim, Claims};
use crate::crypto::CryptoProvider;
use crate::encoding::base64url;
use crate::error::{Code, Error};
use crate::jwa::{Algorithm, Family};
use crate::policy::Kind;

/// All of these must hold; nothing is asked of what is not there.
#[derive(Clone, Default)]
pub(super) struct Ties {
    /// `nonce` of the authentication request.
    pub(super) nonce: Option<Box<str>>,
    /// The client that the request is of.
    pub(super) client: Option<Box<str>>,
    pub(super) access_token: Option<Box<str>>,
    pub(super) code: Option<Box<str>>,
}

impl fmt::Debug for Ties {
    /// Tokens and codes stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ties").finish_non_exhaustive()
    }
}

impl Ties {
    /// Judges a token, which has been verified by a key of this provider.
    pub(super) fn check(&self, token: &Settled, provider: &CryptoProvider) -> Result<(), Error> {
        self.check_names(token)?;
        for (name, value) in [("at_hash", &self.access_token), ("c_hash", &self.code)] {
            if let Some(value) = value {
                check_hash(token, name, value, provider)?;
            }
        }
        Ok(())
    }

    /// The same for a verdict, which has no provider to hash with.
    pub(super) fn check_later(&self, token: &Settled) -> Result<(), Error> {
        if self.access_token.is_some() || self.code.is_some() {
            return Err(Error::about(Code::Usage, "access_token"));
        }
        self.check_names(token)
    }

    fn check_names(&self, token: &Settled) -> Result<(), Error> {
        let claims = token.claims();
        if let Some(nonce) = &self.nonce {
            same(claims, Claim::Nonce, nonce)?; // IDT-06
        }
        match &self.client {
            Some(client) => same(claims, client_of(token.gate().kind), client),
            None => Ok(()),
        }
    }
}

/// Where tokens of this kind name the client that presents them. Of an assertion and an attestation
/// the client is the subject (CA-01, ATT-06).
fn client_of(kind: Kind) -> Claim {
    if matches!(kind, Kind::ClientAssertion | Kind::ClientAttestation) {
        Claim::Sub
    } else {
        Claim::ClientId // IJ-03
    }
}

fn same(claims: &Claims, claim: Claim, expected: &str) -> Result<(), Error> {
    match claims.text(claim) {
        Some(own) if own == expected => Ok(()),
        Some(_) => Err(Error::about(Code::PopMismatch, claim.name())),
        None => Err(Error::about(Code::MissingClaim, claim.name())),
    }
}

/// IDT-07 (OpenID Connect Core §3.1.3.6): the left half of the hash that the signature's algorithm
/// names.
fn check_hash(
    token: &Settled,
    name: &'static str,
    value: &str,
    provider: &CryptoProvider,
) -> Result<(), Error> {
    let claims = token.claims().json().root();
    let own = claims
        .get(name)
        .ok_or_else(|| Error::about(Code::MissingClaim, name))?;
    let expected = token
        .algorithm()
        .and_then(hash_bits)
        .and_then(|bits| match bits {
            256 => Some(Box::from((provider.sha256)(value.as_bytes()))),
            _ => (provider.sha2)(bits, value.as_bytes()),
        });
    let expected = expected
        .as_deref()
        .and_then(|hash| hash.get(..hash.len() / 2));
    let expected = expected.map(base64url::encode);
    if expected.is_some() && own.as_str() == expected.as_deref() {
        Ok(())
    } else {
        Err(Error::about(Code::PopMismatch, name))
    }
}

/// Ed25519 hashes with SHA-512 by common practice; for ML-DSA nobody has said what to take, so that
/// no hash is the right one.
fn hash_bits(algorithm: Algorithm) -> Option<usize> {
    (algorithm.family() != Family::MlDsa).then(|| algorithm.hash_bits())
}

//! The key a token is bound to, where its kind says that `cnf` is a whole public key (ATT-04,
//! WIT-01, WIT-02, AAT-03). Whether its holder is who presents it is another question.

use crate::claims::{Claim, Claims};
use crate::encoding::json::Value;
use crate::error::{Code, Error};
use crate::jwk::{Jwk, KeyMaterial};
use crate::policy::{IssuerRules, Profile};

/// `cnf.jwk`: a public key that can sign.
pub(in crate::verifier) fn of(claims: &Claims) -> Result<Jwk, Error> {
    let value = value(claims).ok_or_else(|| Error::about(Code::MissingClaim, "cnf"))?;
    let malformed = || Error::about(Code::ClaimType, "cnf");
    // Private members are refused there.
    let jwk = Jwk::from_json(value).map_err(|_| malformed())?;
    match jwk.material() {
        KeyMaterial::Oct(_) => Err(malformed()),
        KeyMaterial::Rsa { .. }
        | KeyMaterial::Ec { .. }
        | KeyMaterial::Okp { .. }
        | KeyMaterial::Akp { .. } => Ok(jwk),
    }
}

fn value(claims: &Claims) -> Option<Value<'_>> {
    claims.value(Claim::Cnf)?.get("jwk")
}

/// WIT-01 and WIT-02: it names its own algorithm, one that the trust domain may use.
pub(super) fn check_workload(claims: &Claims, issuer: &IssuerRules) -> Result<(), Error> {
    let jwk = of(claims)?;
    if value(claims).and_then(|jwk| jwk.get("alg")).is_none() {
        return Err(Error::about(Code::MissingClaim, "cnf"));
    }
    let permitted = |algorithm| issuer.permits(algorithm, Profile::Wit);
    if jwk.algorithm().is_some_and(permitted) {
        Ok(())
    } else {
        Err(Error::about(Code::ClaimType, "cnf"))
    }
}

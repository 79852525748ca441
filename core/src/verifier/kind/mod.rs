//! Is it the kind of token this gate opens for? `typ`, required and forbidden claims, and the rules
//! of single rows (standards 29.2).

mod capability;
mod event;
mod intent;
mod introspection;
mod key;
mod own;
mod status;
mod transaction;

pub(super) use key::of as bound_key;

use crate::claims::{Claim, ClaimedDates, Claims, spiffe_domain};
use crate::encoding::json::JsonKind;
use crate::error::{Code, Error};
use crate::jws::ProtectedHeader;
use crate::jws::header::typ_is;
use crate::policy::{AudienceRule, GateRules, HeaderRule, IssuerRules, Profile, Row, TypRule};

/// Evidence that `typ` is one of the row's.
#[derive(Debug)]
pub(super) struct TypAccepted(());

/// Evidence that the claims are those of the row: present, well typed, none forbidden.
#[derive(Debug)]
pub(super) struct ClaimsAccepted {
    dates: ClaimedDates,
}

impl ClaimsAccepted {
    /// The token's dates; of an introspection response, those of the token it tells of.
    pub(super) const fn dates(&self) -> &ClaimedDates {
        &self.dates
    }
}

/// Checks `typ` against the row (JWT-05, JWT-06), or against what the gate names where the kind has
/// none; and what else the row asks of the header.
pub(super) fn check_typ(
    header: &ProtectedHeader,
    gate: &GateRules,
    row: &Row,
) -> Result<TypAccepted, Error> {
    let matches = match (header.typ(), gate.typ.as_deref(), row.typ) {
        (Some(typ), Some(own), _) => typ_is(typ, own),
        (None, Some(_), _)
        | (None, None, TypRule::Required(_))
        | (Some(_) | None, None, TypRule::Named) => false,
        (None, None, TypRule::Preferred(_) | TypRule::Untyped(_)) => true,
        (Some(typ), None, TypRule::Required(expected)) => typ_is(typ, expected),
        (Some(typ), None, TypRule::Preferred(expected)) => {
            typ_is(typ, expected) || typ_is(typ, "jwt")
        }
        (Some(typ), None, TypRule::Untyped(names)) => names.iter().any(|name| typ_is(typ, name)),
    };
    if !matches {
        return Err(Error::about(Code::TypMismatch, "typ"));
    }
    match row.header {
        HeaderRule::Bare if header.has_extras => Err(Error::about(Code::WrongTokenKind, "header")),
        HeaderRule::Kid if header.kid().is_none() => Err(Error::about(Code::MissingClaim, "kid")),
        HeaderRule::Open | HeaderRule::Kid | HeaderRule::Bare => Ok(TypAccepted(())),
    }
}

/// What an issuer's tokens must have in the header beyond what their row says: SPIFFE asks a
/// WIT-SVID for its `kid`.
pub(super) fn check_header(
    header: &ProtectedHeader,
    issuer: &IssuerRules,
    profile: Profile,
) -> Result<(), Error> {
    if profile == Profile::Wit && issuer.is_of_spiffe() && header.kid().is_none() {
        return Err(Error::about(Code::MissingClaim, "kid"));
    }
    Ok(())
}

/// Checks the claims against the row (AT-04, AT-07, IDT-09 and the like). A capability that a
/// holder derived has what its root must not have.
pub(super) fn check_claims(
    claims: &Claims,
    gate: &GateRules,
    issuer: &IssuerRules,
    row: &Row,
    is_derived: bool,
) -> Result<ClaimsAccepted, Error> {
    // What must not be there is refused whatever its value (LOG-05).
    if let Some(forbidden) = row.forbidden.first_shared(claims.written()) {
        return Err(Error::about(Code::ForbiddenClaim, forbidden.name()));
    }
    if !is_derived {
        own::check_forbidden(claims, row)?;
    }
    let mut dates = claims.check_types(issuer.scope_form())?;
    own::check_forms(claims, row)?;
    if let Some(missing) = row.required.first_outside(claims.present()) {
        return Err(Error::about(Code::MissingClaim, missing.name()));
    }
    own::check_present(claims, row)?;
    let aimed = row.audience == AudienceRule::IfAny && !gate.audience.is_empty();
    if aimed && !claims.present().contains(Claim::Aud) {
        return Err(Error::about(Code::MissingClaim, Claim::Aud.name())); // JWT-04
    }
    if gate.max_age.is_some() && !claims.present().contains(Claim::Iat) {
        return Err(Error::about(Code::MissingClaim, Claim::Iat.name())); // AT-06 needs it
    }
    for name in &gate.required_claims {
        let value = claims.other(name);
        if value.is_none_or(|value| value.kind() == JsonKind::Null) {
            return Err(Error::new(Code::MissingClaim));
        }
    }
    if !row.forbidden_together.is_empty() && row.forbidden_together.is_within(claims.written()) {
        return Err(Error::new(Code::WrongTokenKind));
    }
    if is_derived {
        capability::check_derived(claims, &dates)?;
    } else {
        check_row(claims, gate, issuer, row.profile, &mut dates)?;
    }
    Ok(ClaimsAccepted { dates })
}

fn check_row(
    claims: &Claims,
    gate: &GateRules,
    issuer: &IssuerRules,
    profile: Profile,
    dates: &mut ClaimedDates,
) -> Result<(), Error> {
    match profile {
        Profile::IdToken => check_subject(claims, |sub| sub.len() <= 255 && sub.is_ascii()), // IDT-09
        Profile::LogoutToken => event::check_logout(claims),
        Profile::ClientAssertion if claims.text(Claim::Sub) != claims.text(Claim::Iss) => {
            Err(Error::about(Code::WrongTokenKind, "sub")) // CA-01
        }
        Profile::JwtSvid => check_subject(claims, |sub| spiffe_domain(sub).is_some()),
        Profile::ClientAttestation => key::of(claims).map(drop), // ATT-04
        Profile::TxnToken => transaction::check(claims),
        Profile::Wit => key::check_workload(claims, issuer),
        Profile::Capability => capability::check_root(claims, dates),
        Profile::ActorProof => own::check_target(claims),
        Profile::IntentToken => intent::check(claims, dates),
        Profile::Set => event::check_set(claims),
        Profile::StatusListToken => status::check(claims),
        Profile::IntrospectionResponse => introspection::check(claims, gate, dates),
        Profile::ClientAssertion
        | Profile::AccessToken
        | Profile::AccessTokenUntyped
        | Profile::JwtBearerGrant
        | Profile::IdJag
        | Profile::AgentCard
        | Profile::JwtCustom => Ok(()),
    }
}

fn check_subject(claims: &Claims, fits: impl Fn(&str) -> bool) -> Result<(), Error> {
    if claims.text(Claim::Sub).is_some_and(fits) {
        Ok(())
    } else {
        Err(Error::about(Code::ClaimType, "sub"))
    }
}

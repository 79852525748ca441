//! Is it the kind of token this gate opens for? `typ`, required and forbidden claims, and the rules
//! of single rows (standards 29.2).

use crate::claims::{Claim, ClaimedDates, Claims, ScopeForm, is_trust_domain};
use crate::encoding::json::JsonKind;
use crate::error::{Code, Error};
use crate::jws::ProtectedHeader;
use crate::jws::header::typ_is;
use crate::policy::{GateRules, IssuerRules, Profile, Row, TypRule};

/// Evidence that `typ` is one of the row's.
#[derive(Debug)]
pub(super) struct TypAccepted(());

/// Evidence that the claims are those of the row: present, well typed, none forbidden.
#[derive(Debug)]
pub(super) struct ClaimsAccepted {
    dates: ClaimedDates,
}

impl ClaimsAccepted {
    /// The token's dates.
    pub(super) const fn dates(&self) -> &ClaimedDates {
        &self.dates
    }
}

/// Checks `typ` against the row (JWT-05, JWT-06). A `jwt_custom` gate may name its own type.
pub(super) fn check_typ(
    header: &ProtectedHeader,
    gate: &GateRules,
    row: &Row,
) -> Result<TypAccepted, Error> {
    let own = gate
        .typ
        .as_deref()
        .filter(|_| row.profile == Profile::JwtCustom);
    let matches = match (header.typ(), own, row.typ) {
        (Some(typ), Some(own), _) => typ_is(typ, own),
        (None, Some(_), _) | (None, None, TypRule::Required(_)) => false,
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
    if row.bare_header && header.has_extras {
        return Err(Error::about(Code::WrongTokenKind, "header")); // JSV-03
    }
    Ok(TypAccepted(()))
}

/// Checks the claims against the row (AT-04, AT-07, IDT-09 and the like).
pub(super) fn check_claims(
    claims: &Claims,
    gate: &GateRules,
    issuer: &IssuerRules,
    row: &Row,
) -> Result<ClaimsAccepted, Error> {
    // What must not be there is refused whatever its value (LOG-05).
    if let Some(forbidden) = row.forbidden.first_shared(claims.written()) {
        return Err(Error::about(Code::ForbiddenClaim, forbidden.name()));
    }
    let array = issuer.claim_names.scope.is_some();
    let dates = claims.check_types(if array {
        ScopeForm::TextOrArray
    } else {
        ScopeForm::Text
    })?;
    if let Some(missing) = row.required.first_outside(claims.present()) {
        return Err(Error::about(Code::MissingClaim, missing.name()));
    }
    if gate.max_age.is_some() && !claims.present().contains(Claim::Iat) {
        return Err(Error::about(Code::MissingClaim, Claim::Iat.name())); // AT-06 needs it
    }
    for name in &gate.required_claims {
        let value = claims.json().root().get(name);
        if value.is_none_or(|value| value.kind() == JsonKind::Null) {
            return Err(Error::new(Code::MissingClaim));
        }
    }
    if !row.forbidden_together.is_empty() && row.forbidden_together.is_within(claims.written()) {
        return Err(Error::new(Code::WrongTokenKind));
    }
    check_row(claims, row.profile)?;
    Ok(ClaimsAccepted { dates })
}

fn check_row(claims: &Claims, profile: Profile) -> Result<(), Error> {
    let subject = claims.text(Claim::Sub);
    match profile {
        Profile::IdToken => {
            let fits = subject.is_some_and(|sub| sub.len() <= 255 && sub.is_ascii()); // IDT-09
            if fits {
                Ok(())
            } else {
                Err(Error::about(Code::ClaimType, "sub"))
            }
        }
        Profile::LogoutToken => check_logout(claims),
        Profile::ClientAssertion if subject != claims.text(Claim::Iss) => {
            Err(Error::about(Code::WrongTokenKind, "sub")) // CA-01
        }
        Profile::JwtSvid => match subject.and_then(trust_domain) {
            Some(_) => Ok(()),
            None => Err(Error::about(Code::ClaimType, "sub")),
        },
        Profile::ClientAssertion
        | Profile::AccessToken
        | Profile::AccessTokenUntyped
        | Profile::JwtBearerGrant
        | Profile::JwtCustom => Ok(()),
    }
}

/// LOG-03 and LOG-04.
fn check_logout(claims: &Claims) -> Result<(), Error> {
    const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
    if !claims.present().contains(Claim::Sub) && !claims.present().contains(Claim::Sid) {
        return Err(Error::about(Code::MissingClaim, "sid"));
    }
    let event = claims
        .value(Claim::Events)
        .and_then(|events| events.get(EVENT));
    match event.map(|event| event.as_object().is_some()) {
        Some(true) => Ok(()),
        Some(false) => Err(Error::about(Code::ClaimType, "events")),
        None => Err(Error::about(Code::WrongTokenKind, "events")),
    }
}

/// The trust domain of a well-formed SPIFFE ID, as an issuer: `spiffe://td.example` (JSV-06).
pub(super) fn trust_domain(id: &str) -> Option<&str> {
    const SCHEME: &str = "spiffe://";
    const SIZE: usize = 2048;
    let rest = id.strip_prefix(SCHEME).filter(|_| id.len() <= SIZE)?;
    let (domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_path_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let path_fits = path.is_empty()
        || path.split('/').skip(1).all(|segment| {
            !segment.is_empty()
                && segment != "."
                && segment != ".."
                && segment.bytes().all(is_path_byte)
        });
    if !is_trust_domain(domain) || !path_fits {
        return None;
    }
    id.get(..SCHEME.len() + domain.len())
}

#[cfg(test)]
mod tests {
    use super::trust_domain;

    #[test]
    fn a_spiffe_id_names_its_trust_domain() {
        for id in [
            "spiffe://td.example",
            "spiffe://td.example/agent-a",
            "spiffe://td.example/a/B_1.2",
        ] {
            assert_eq!(trust_domain(id), Some("spiffe://td.example"), "{id}");
        }
        for id in [
            "spiffe://",
            "spiffe:///a",
            "https://td.example/a",
            "spiffe://TD/a",
            "spiffe://td/",
            "spiffe://td//a",
            "spiffe://td/./a",
            "spiffe://td/../a",
            "spiffe://td/a%20b",
            "spiffe://u@td/a",
            "spiffe://td:1/a",
            "spiffe://td/a?q",
            "spiffe://td/a#f",
            "SPIFFE://td/a",
        ] {
            assert_eq!(trust_domain(id), None, "{id}");
        }
    }
}

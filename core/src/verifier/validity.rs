//! Is it valid now, and is it for us? `exp`, `nbf`, `iat` (standards 0 and AT-06) and `aud`
//! (JWT-03).

use crate::claims::{Claim, Claims};
use crate::error::{Code, Error};
use crate::policy::{AudienceRule, GateRules, Profile, Row};
use crate::time::{NumericDate, Span};

/// The dates of a token and the caps on them, read once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dates {
    pub(super) expires_at: Option<NumericDate>,
    pub(super) not_before: Option<NumericDate>,
    pub(super) issued_at: Option<NumericDate>,
    max_lifetime: Option<Span>,
    max_age: Option<Span>,
    leeway: Span,
}

/// Evidence that the token is valid at this moment. It says nothing about the next one.
#[derive(Debug)]
pub(super) struct TimeAccepted(());

/// Evidence that the token is for this gate.
#[derive(Debug)]
pub(super) struct AudienceAccepted(());

impl Dates {
    pub(super) fn of(
        claims: &Claims,
        gate: &GateRules,
        row: &Row,
        max_lifetime: Option<Span>,
        leeway: Span,
    ) -> Self {
        let max_age = [gate.max_age, row.max_age].into_iter().flatten().min();
        Self {
            expires_at: claims.date(Claim::Exp),
            not_before: claims.date(Claim::Nbf),
            issued_at: claims.date(Claim::Iat),
            max_lifetime,
            max_age,
            leeway,
        }
    }

    /// The moment from which the token is expired.
    pub(super) fn end(&self) -> Option<NumericDate> {
        self.expires_at.map(|exp| exp.plus(self.leeway))
    }

    pub(super) fn check(&self, now: NumericDate) -> Result<TimeAccepted, Error> {
        if self.end().is_some_and(|end| now >= end) {
            return Err(Error::about(Code::Expired, "exp"));
        }
        if self
            .not_before
            .is_some_and(|nbf| now < nbf.minus(self.leeway))
        {
            return Err(Error::about(Code::NotYetValid, "nbf"));
        }
        if self
            .issued_at
            .is_some_and(|iat| iat > now.plus(self.leeway))
        {
            return Err(Error::about(Code::IssuedInFuture, "iat"));
        }
        if let (Some(cap), Some(iat)) = (self.max_age, self.issued_at)
            && now > iat.plus(cap).plus(self.leeway)
        {
            return Err(Error::about(Code::TooOld, "iat"));
        }
        if let (Some(cap), Some(exp)) = (self.max_lifetime, self.expires_at) {
            // Without `iat` the token cannot be older than now.
            let issued = self.issued_at.unwrap_or(now);
            if exp.since(issued) > cap {
                return Err(Error::about(Code::LifetimeTooLong, "exp"));
            }
        }
        Ok(TimeAccepted(()))
    }
}

pub(super) fn check_audience(
    claims: &Claims,
    gate: &GateRules,
    row: &Row,
) -> Result<AudienceAccepted, Error> {
    let is_ours = |audience: &str| gate.audience.iter().any(|ours| **ours == *audience);
    let mut audiences = claims.audience();
    let matches = match row.audience {
        AudienceRule::Contains => audiences.any(is_ours),
        AudienceRule::Sole => audiences.next().is_some_and(is_ours) && audiences.next().is_none(),
        AudienceRule::OnlyOurs => audiences.next().is_some_and(is_ours) && audiences.all(is_ours),
    };
    if !matches {
        return Err(Error::about(Code::AudMismatch, "aud"));
    }
    if row.profile == Profile::IdToken {
        check_authorized_party(claims, gate)?;
    }
    Ok(AudienceAccepted(()))
}

/// IDT-04: `azp`, where present, is us; a token for several audiences must name it.
fn check_authorized_party(claims: &Claims, gate: &GateRules) -> Result<(), Error> {
    let fits = match claims.text(Claim::Azp) {
        Some(azp) => gate.audience.iter().any(|ours| **ours == *azp),
        None => claims.audience().count() == 1,
    };
    if fits {
        Ok(())
    } else {
        Err(Error::about(Code::AudMismatch, "azp"))
    }
}

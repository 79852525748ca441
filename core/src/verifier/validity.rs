//! Is it valid now, and is it for us? `exp`, `nbf`, `iat` (standards 0 and AT-06) and `aud`
//! (JWT-03; AT-03, CD-01, MCP-02: for us, exactly as we are called, RI-02).

use super::kind::ClaimsAccepted;
use super::state::Source;
use crate::claims::{Claim, ClaimedDates, Claims};
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
    end: NumericDate,
}

/// Evidence that the token is valid at this moment. It says nothing about the next one.
#[derive(Debug)]
pub(super) struct TimeAccepted(());

/// Evidence that the token is for this gate.
#[derive(Debug)]
pub(super) struct AudienceAccepted(());

impl Dates {
    pub(super) fn of(
        claims: &ClaimsAccepted,
        gate: &GateRules,
        row: &Row,
        max_lifetime: Option<Span>,
        leeway: Span,
    ) -> Self {
        let max_age = [gate.max_age, row.max_age].into_iter().flatten().min();
        Self::new(*claims.dates(), max_lifetime, max_age, leeway)
    }

    fn new(
        claimed: ClaimedDates,
        max_lifetime: Option<Span>,
        max_age: Option<Span>,
        leeway: Span,
    ) -> Self {
        let ClaimedDates {
            expires_at,
            not_before,
            issued_at,
        } = claimed;
        let oldest = issued_at.zip(max_age).map(|(iat, cap)| iat.plus(cap));
        let ends = [expires_at, oldest].into_iter().flatten().min();
        Self {
            expires_at,
            not_before,
            issued_at,
            max_lifetime,
            max_age,
            leeway,
            end: ends.map_or(NumericDate::LAST, |end| end.plus(leeway)),
        }
    }

    /// The three dates as the token has them.
    pub(super) const fn claimed(&self) -> ClaimedDates {
        ClaimedDates {
            expires_at: self.expires_at,
            not_before: self.not_before,
            issued_at: self.issued_at,
        }
    }

    /// The moment from which the token is expired, or too old; the last there is where the kind of
    /// token says neither.
    pub(super) const fn end(&self) -> NumericDate {
        self.end
    }

    /// As [`Dates::check`], of a token for which that was so at `since`: it stays so until its end,
    /// as nothing else of it comes later. Of a clock that is set back it is asked again.
    #[inline]
    pub(super) fn check_since(
        &self,
        since: NumericDate,
        now: NumericDate,
    ) -> Result<TimeAccepted, Error> {
        if since <= now && now < self.end {
            return Ok(TimeAccepted(()));
        }
        self.check(now)
    }

    pub(super) fn check(&self, now: NumericDate) -> Result<TimeAccepted, Error> {
        if self
            .expires_at
            .is_some_and(|exp| now >= exp.plus(self.leeway))
        {
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
        self.check_cap(now)?;
        Ok(TimeAccepted(()))
    }

    /// The cap on its lifetime, of a token that nobody presents: whether it was valid is asked of
    /// the moment at which it was used.
    pub(super) fn check_lifetime(&self) -> Result<(), Error> {
        self.check_cap(self.expires_at.unwrap_or(NumericDate::LAST))
    }

    fn check_cap(&self, now: NumericDate) -> Result<(), Error> {
        // Without `iat` a token is as old as its cap on age allows at the most: so the cap on age
        // is one on what is left (CA-03).
        let cap = match self.issued_at {
            Some(_) => self.max_lifetime,
            None => [self.max_lifetime, self.max_age]
                .into_iter()
                .flatten()
                .min(),
        };
        let issued = self.issued_at.unwrap_or(now);
        if let (Some(cap), Some(exp)) = (cap, self.expires_at)
            && exp.since(issued) > cap
        {
            return Err(Error::about(Code::LifetimeTooLong, "exp"));
        }
        Ok(())
    }
}

/// AT-03, CD-01, MCP-02: it is for us; RI-02: exactly as we are called.
pub(super) fn check_audience(
    claims: &Claims,
    gate: &GateRules,
    source: &Source,
) -> Result<AudienceAccepted, Error> {
    let row = source.profile.row();
    let is_ours = |audience: &str| gate.is_called(audience);
    let mut audiences = claims.audience();
    let matches = match row.audience {
        AudienceRule::Contains => audiences.any(is_ours),
        AudienceRule::Sole => audiences.next().is_some_and(is_ours) && audiences.next().is_none(),
        AudienceRule::OnlyOurs => audiences.next().is_some_and(is_ours) && audiences.all(is_ours),
        AudienceRule::IfAny if gate.audience.is_empty() => audiences.next().is_none(),
        AudienceRule::IfAny => audiences.any(is_ours),
        AudienceRule::Never => audiences.next().is_none(),
    };
    // A token that is also for a gate of another kind may be of that kind: nothing here tells.
    let is_rival = |audience: &str| {
        let mut rivals = gate.rivals.iter();
        rivals.any(|(position, rival)| *position == source.position && **rival == *audience)
    };
    if !matches || (!gate.rivals.is_empty() && claims.audience().any(is_rival)) {
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
        Some(azp) => gate.is_called(azp),
        None => claims.audience().count() == 1,
    };
    if fits {
        Ok(())
    } else {
        Err(Error::about(Code::AudMismatch, "azp"))
    }
}

#[cfg(test)]
#[cfg(not(sealgate_model))]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::Dates;
    use crate::claims::ClaimedDates;
    use crate::time::{NumericDate, Span};

    fn date() -> impl Strategy<Value = NumericDate> {
        (0..40_i64).prop_map(|seconds| NumericDate::from_seconds(seconds).unwrap())
    }

    fn span() -> impl Strategy<Value = Span> {
        (0..20_i64).prop_map(Span::from_seconds)
    }

    proptest! {
        /// What is remembered of a token's dates changes no verdict, whenever it is asked.
        #[test]
        fn dates_that_held_once_hold_until_their_end(
            [expires_at, not_before, issued_at] in [option::of(date()), option::of(date()), option::of(date())],
            [max_lifetime, max_age] in [option::of(span()), option::of(span())],
            leeway in span(),
            (since, now) in (date(), date()),
        ) {
            let claimed = ClaimedDates { expires_at, not_before, issued_at };
            let dates = Dates::new(claimed, max_lifetime, max_age, leeway);
            prop_assume!(dates.check(since).is_ok());
            let (remembered, anew) = (dates.check_since(since, now), dates.check(now));
            prop_assert_eq!(remembered.err(), anew.err());
        }
    }
}

//! May the caller do this? Scopes (RFC 6749 §3.3) and strength of the sign-in (RFC 9470).

use super::Requirements;
use super::verified::Settled;
use crate::claims::{Claim, Claims};
use crate::delegation;
use crate::encoding::json::Json;
use crate::error::{Code, Error};
use crate::policy::GateRules;
use crate::time::{NumericDate, Span};

/// Evidence that the token carries what the gate needs of every call.
#[derive(Debug)]
pub(super) struct GateSatisfied(());

/// Evidence that the token carries what this call needs.
#[derive(Debug)]
pub(super) struct CallSatisfied(());

/// What the gate demands of every call: it cannot change while the token and the policy stand.
pub(super) fn check_gate(claims: &Claims, gate: &GateRules) -> Result<GateSatisfied, Error> {
    check_scopes(claims, gate, &gate.required_scopes)?;
    check_acr(claims, &gate.acr_values)?;
    Ok(GateSatisfied(()))
}

/// What this call demands beyond; `bounds` are those of the tasks of the tokens before this one.
/// Most demand nothing, and pay for no more than asking that.
#[inline]
pub(super) fn check_call(
    settled: &Settled,
    bounds: &[Json],
    gate: &GateRules,
    requirements: &Requirements,
    now: NumericDate,
    leeway: Span,
) -> Result<CallSatisfied, Error> {
    if requirements.ask_nothing_of_grants() {
        return Ok(CallSatisfied(()));
    }
    check_grants(settled, bounds, gate, requirements, now, leeway)
}

fn check_grants(
    settled: &Settled,
    bounds: &[Json],
    gate: &GateRules,
    requirements: &Requirements,
    now: NumericDate,
    leeway: Span,
) -> Result<CallSatisfied, Error> {
    let claims = settled.claims();
    check_scopes(claims, gate, &requirements.scopes)?;
    check_acr(claims, &requirements.acr_values)?;
    if let Some(max_age) = requirements.max_age {
        check_sign_in(claims, max_age, now, leeway)?;
    }
    if let Some(operation) = &requirements.operation {
        delegation::check_operation(operation, &settled.member(), bounds, gate)?;
    }
    Ok(CallSatisfied(()))
}

fn check_sign_in(
    claims: &Claims,
    max_age: Span,
    now: NumericDate,
    leeway: Span,
) -> Result<(), Error> {
    let signed_in = claims.date(Claim::AuthTime);
    // A sign-in that is still to come has not been seen by anybody.
    let recent = |at: NumericDate| at <= now.plus(leeway) && now <= at.plus(max_age).plus(leeway);
    if signed_in.is_some_and(recent) {
        return Ok(());
    }
    Err(Error::about(
        Code::InsufficientUserAuthentication,
        "auth_time",
    ))
}

fn check_scopes(claims: &Claims, gate: &GateRules, needed: &[Box<str>]) -> Result<(), Error> {
    if needed.iter().all(|scope| has_scope(claims, gate, scope)) {
        return Ok(());
    }
    Err(Error::about(Code::InsufficientScope, "scope"))
}

/// Whether a granted scope is `needed`, or implies it.
pub(super) fn has_scope(claims: &Claims, gate: &GateRules, needed: &str) -> bool {
    claims.scopes().any(|granted| {
        granted == needed
            || gate.scope_implies.iter().any(|(scope, implied)| {
                **scope == *granted && implied.iter().any(|scope| **scope == *needed)
            })
    })
}

fn check_acr(claims: &Claims, values: &[Box<str>]) -> Result<(), Error> {
    let has_one = |acr: &str| values.iter().any(|value| **value == *acr);
    if values.is_empty() || claims.text(Claim::Acr).is_some_and(has_one) {
        return Ok(());
    }
    Err(Error::about(Code::InsufficientUserAuthentication, "acr"))
}

//! What `explain` says of a stage that passed. Never called on a plain verification.

use super::Requirements;
use super::state::Source;
use super::validity::Dates;
use crate::claims::{Claim, Claims};
use crate::delegation::ChainAccepted;
use crate::jws::ProtectedHeader;
use crate::keys::SetKey;
use crate::limits::Limits;
use crate::policy::{GateRules, IssuerRules, Row};
use crate::time::{NumericDate, Span};

pub(super) fn size(token: &[u8], limits: Limits) -> String {
    format!(
        "{} bytes, limit {} KiB",
        token.len(),
        limits.token_size / 1024
    )
}

pub(super) fn shape() -> String {
    "3 segments, canonical base64url".to_owned()
}

pub(super) fn header(header: &ProtectedHeader) -> String {
    header.json().source().to_owned()
}

pub(super) fn typ(header: &ProtectedHeader, source: Option<&Source>) -> String {
    let row = source.map_or("a kind this gate takes", |source| source.profile.as_str());
    match header.typ() {
        Some(typ) => format!("{typ} is {row}"),
        None => format!("absent, as {row} may be"),
    }
}

pub(super) fn alg(header: &ProtectedHeader, issuer: &IssuerRules) -> String {
    let name = header
        .algorithm
        .map_or("", |algorithm| algorithm.algorithm().name());
    format!("{name} is allowed for {}", issuer.name)
}

pub(super) fn key(
    issuer: &IssuerRules,
    key: &SetKey,
    generation: u64,
    age: Option<Span>,
) -> String {
    let kid = key.kid().unwrap_or("without kid");
    let age = age.map(|age| format!(", fetched {} ago", age.in_words()));
    let age = age.unwrap_or_default();
    format!("{}, key {kid}, generation {generation}{age}", issuer.name)
}

pub(super) fn claims(row: &Row) -> String {
    format!("all that {} requires are present, none forbidden", row.name)
}

pub(super) fn time(dates: &Dates, now: NumericDate, leeway: Span) -> String {
    let mut text = String::new();
    if let Some(iat) = dates.issued_at {
        text.push_str(&format!("issued {}, ", now.relative(iat)));
    }
    match dates.expires_at {
        Some(exp) if exp > now => text.push_str(&format!("expires {}, ", now.relative(exp))),
        Some(exp) => text.push_str(&format!("expired {}, ", now.relative(exp))),
        None => text.push_str("has no end of its own, "),
    }
    text + &format!("leeway {}", leeway.in_words())
}

pub(super) fn audience(claims: &Claims, row: &Row) -> String {
    let audiences: Vec<_> = claims.audience().collect();
    if audiences.is_empty() {
        return format!("none, as {} may have it", row.name);
    }
    audiences.join(" ")
}

pub(super) fn possession(claims: &Claims) -> String {
    if claims.present().contains(Claim::Cnf) {
        return "bound; the policy says the proof was checked elsewhere".to_owned();
    }
    "no cnf: a bearer token".to_owned()
}

pub(super) fn chain(chain: &ChainAccepted) -> String {
    match chain.len() {
        0 => "no act".to_owned(),
        1 => "1 actor, asserted by the issuer".to_owned(),
        count => format!("{count} actors, asserted by the issuer"),
    }
}

pub(super) fn policy(gate: &GateRules, requirements: &Requirements) -> String {
    let scopes = gate.required_scopes.iter().chain(&requirements.scopes);
    let scopes: Vec<&str> = scopes.map(|scope| &**scope).collect();
    if scopes.is_empty() {
        return "no scope needed".to_owned();
    }
    format!("has {}", scopes.join(" "))
}

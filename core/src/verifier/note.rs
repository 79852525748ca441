//! What `explain` says of a stage that passed. Never called on a plain verification.

use super::introspect::StillActive;
use super::state::Source;
use super::validity::Dates;
use super::{Requirements, VerifiedToken};
use crate::binding::{Possession, PossessionConfirmed, Proofs, Scheme, Shown};
use crate::claims::Claims;
use crate::delegation::{self, Chain, Dimension, LineageAccepted};
use crate::jws::ProtectedHeader;
use crate::keys::SetKey;
use crate::limits::Limits;
use crate::policy::{GateRules, IssuerRules, PresenterRule, ReplayStore, Row};
use crate::revocation::{NotRevoked, Standing};
use crate::time::{NumericDate, Span};

pub(super) fn request(shown: &Shown<'_>) -> String {
    let scheme = match shown.scheme {
        Scheme::Bearer => "Bearer",
        Scheme::Dpop => "DPoP",
        Scheme::Field => "a place of its own",
        Scheme::Form => "the content",
        Scheme::Combined => "a place of its own, with DPoP",
    };
    let proofs = match shown.proofs {
        Proofs::None => "no proof",
        Proofs::One(_) => "one proof",
        Proofs::Several => "several proofs",
    };
    let target = shown.target.map(|target| format!(", for {target}"));
    let target = target.unwrap_or_default();
    format!("{scheme}, {proofs}{target}")
}

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

pub(super) fn opaque() -> String {
    "no JWT: its issuer is asked what it is".to_owned()
}

pub(super) fn introspection(active: &StillActive, now: NumericDate) -> String {
    match active.asked_at() {
        Some(at) => format!(
            "active, as its issuer said {} ago",
            now.since(at).in_words()
        ),
        None => "nobody is asked".to_owned(),
    }
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

pub(super) fn possession(possession: &PossessionConfirmed) -> String {
    match possession.how() {
        None => "no cnf: a bearer token",
        Some(Possession::Dpop) => "the proof is of the token's key, for this request",
        Some(Possession::Wpt | Possession::ClientAttestationPop) => {
            "the proof is by the key in cnf, for this request"
        }
        Some(Possession::CapabilityPop) => "the proof is by the key in cnf, for this call",
        Some(Possession::Mtls) => "the connection's certificate is the token's",
        Some(Possession::External) => "bound; the policy says the proof was checked elsewhere",
    }
    .to_owned()
}

pub(super) fn chain(chain: &Chain, gate: &GateRules, caller_known: bool) -> String {
    let mut text = match chain.len() {
        0 => return "no act".to_owned(),
        1 => "1 actor, asserted by the issuer".to_owned(),
        count => format!("{count} actors, asserted by the issuer"),
    };
    if chain.is_mapped() {
        text += "; its act says for whom, and was read so (DIA-02)";
    }
    if let Some(rules) = gate.delegation.rules() {
        text += &format!("; delegation.{} lets the outermost act", rules.name);
        if rules.presenter == PresenterRule::MustBeActor {
            text += match caller_known {
                true => ", and it is the caller (CD-02)",
                false => ", whoever the caller is",
            };
        }
    }
    text
}

/// Of a token that may be good `once`. Whoever explains looks into what this host remembers, and
/// asks no server.
pub(super) fn replay(token: &VerifiedToken, once: bool) -> String {
    let is_proof = matches!(
        token.sender_constrained(),
        Some(
            Possession::Dpop
                | Possession::Wpt
                | Possession::ClientAttestationPop
                | Possession::CapabilityPop
        )
    );
    if !once && !is_proof {
        return "no proof was used".to_owned();
    }
    let replay = token.identity().possession().replay.as_ref();
    match replay.map(|replay| &replay.store) {
        Some(ReplayStore::Process) => "not used before in this process, and not used up by this",
        Some(ReplayStore::Host { .. }) => "not used before on this host, and not used up by this",
        Some(ReplayStore::Fleet { .. }) => {
            "not asked: replay.store is a server, which verifying asks and explaining does not"
        }
        Some(ReplayStore::External) => "not asked: the program remembers what was used",
        None => "not asked: the policy has nobody remember what was used (replay.store)",
    }
    .to_owned()
}

pub(super) fn links(lineage: &LineageAccepted, tokens: usize) -> String {
    let strength = lineage.lineage().as_str();
    if tokens == 0 {
        return format!("no further token; lineage {strength}");
    }
    let plural = if tokens == 1 { "" } else { "s" };
    let unproven: Vec<&str> = lineage.unproven().iter().map(Dimension::as_str).collect();
    let open = match unproven.as_slice() {
        [] => String::new(),
        names => format!("; not compared: {}", names.join(", ")),
    };
    format!("{tokens} further token{plural}; lineage {strength}{open}")
}

/// The tasks that the request's own token names. Those that came with it name the same.
pub(super) fn intent(gate: &GateRules, claims: &Claims) -> String {
    let tasks = delegation::tasks(claims, &gate.intent);
    let tasks: Vec<String> = tasks
        .map(|(kind, _, id)| format!("{} {id}", kind.as_str()))
        .collect();
    match tasks.as_slice() {
        [] => "none named".to_owned(),
        tasks => tasks.join(", "),
    }
}

pub(super) fn revocation(not_revoked: &NotRevoked) -> String {
    let mut text = match not_revoked.standing() {
        Some(Standing {
            epoch,
            staleness: None,
        }) => format!("nothing of it is revoked, at epoch {epoch}"),
        Some(Standing {
            epoch,
            staleness: Some(old),
        }) => {
            let old = old.in_words();
            format!("nothing of it is revoked, at epoch {epoch}, by news that is {old} old")
        }
        None => "not configured".to_owned(),
    };
    match not_revoked.status() {
        Some(true) => text += ", and its status list has no objection",
        Some(false) => text += ", and its status list was not asked",
        None => {}
    }
    text
}

pub(super) fn policy(gate: &GateRules, requirements: &Requirements) -> String {
    let scopes = gate.required_scopes.iter().chain(&requirements.scopes);
    let scopes: Vec<&str> = scopes.map(|scope| &**scope).collect();
    let mut text = match scopes.as_slice() {
        [] => "no scope needed".to_owned(),
        scopes => format!("has {}", scopes.join(" ")),
    };
    if requirements.operation.is_some() {
        text += "; the operation is within all that bounds it (CD-05)";
    }
    text
}

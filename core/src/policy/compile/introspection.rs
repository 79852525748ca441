//! `[issuers.X.introspection]`: how an issuer is asked about its access tokens, and at which gates
//! (RFC 7662; INT-01 to INT-04).

use std::sync::{Arc, OnceLock};

use super::keys::fetched::{discovery, has_metadata, loopback, reach};
use super::{Compiler, context, text};
use crate::policy::profile::{Kind, Profile};
use crate::policy::section::Section;
use crate::policy::{
    AnswerForm, Asks, Endpoint, GateIssuer, GateRules, IntrospectionRules, IssuerRules, Opaque,
    Rules, Secret, ToldToken,
};
use crate::time::Span;

const NAME: &str = "introspection";
/// What stands for the metadata's `introspection_endpoint`.
const AUTO: &str = "auto";

pub(super) fn compile(
    issuer: &Section<'_>,
    profiles: &[Profile],
    compiler: &mut Compiler<'_>,
) -> Option<Arc<IntrospectionRules>> {
    if !issuer.has(NAME) {
        return None;
    }
    let section = issuer.section(NAME);
    if !cfg!(feature = "remote") {
        let text = "this build cannot ask anybody (no remote)";
        compiler.problems.push(section.problem_here(text));
    }
    let asked_about = |row: &Profile| row.kind() == Kind::AccessToken;
    if !profiles.is_empty() && !profiles.iter().any(asked_about) {
        let text = "it is about access tokens, and the issuer's profiles have none";
        compiler.problems.push(section.problem_here(text));
    }
    if section.duration("max_age") == Some(Span::ZERO) {
        let text = "\"0s\" keeps no answer, so that no token would ever have one";
        compiler.problems.push(section.problem("max_age", text));
    }
    let client_id = section.text("client_id").unwrap_or_default();
    if section.has("client_id")
        && let Some(problem) = text::exact(&client_id, "a client")
    {
        compiler
            .problems
            .push(section.problem("client_id", problem));
    }
    let secret = compiler.secret(&section, "client_secret");
    if secret.as_ref().is_some_and(|secret| secret.is_empty()) {
        let text = "empty: nothing would be proven by it";
        compiler
            .problems
            .push(section.problem("client_secret", text));
    }
    let endpoint = endpoint(issuer, &section, compiler);
    let (Endpoint::Discovered(_, start) | Endpoint::Url(start)) = &endpoint;
    let reach = reach(&section, start, compiler);
    Some(Arc::new(IntrospectionRules {
        endpoint,
        client_id: client_id.into(),
        client_secret: Secret::new(secret?),
        asks: match section.text("tokens").as_deref() {
            Some("all") => Asks::All,
            _ => Asks::Opaque,
        },
        max_age: section.duration("max_age").unwrap_or(Span::ZERO),
        reach,
        answers: OnceLock::new(), // for `settle`, which sees the gates
    }))
}

/// Whether an issuer of whom nothing is published can be asked: about opaque tokens alone, at an
/// endpoint that is written, with answers that it does not sign. `keys = []` says that it has none.
pub(super) fn needs_no_keys(issuer: &Section<'_>, profiles: &[Profile]) -> bool {
    let section = issuer.section(NAME);
    let endpoint = section.text("endpoint");
    issuer.has(NAME)
        && endpoint.is_some_and(|endpoint| endpoint != AUTO)
        && section.text("tokens").as_deref() != Some("all")
        && !profiles.contains(&Profile::IntrospectionResponse)
}

fn endpoint(issuer: &Section<'_>, section: &Section<'_>, compiler: &mut Compiler<'_>) -> Endpoint {
    let written = section.text("endpoint").unwrap_or_default();
    if written != AUTO {
        if let Some(problem) = text::url(&written, loopback(compiler)) {
            compiler.problems.push(section.problem("endpoint", problem));
        }
        return Endpoint::Url(written.into());
    }
    let discovery = discovery(issuer);
    let names = issuer.texts("issuer");
    let first = names.first().map_or("", |item| item.text.as_str());
    let problem = if names.len() > 1 {
        "no endpoint, and metadata is of one issuer, not of several. Write endpoint"
    } else if !has_metadata(first) {
        "no endpoint, and an issuer that is no https URL has no metadata to find it by. Write endpoint"
    } else {
        return Endpoint::Discovered(discovery, first.into());
    };
    if !first.is_empty() {
        compiler.problems.push(section.problem_here(problem));
    }
    Endpoint::Discovered(discovery, first.into())
}

/// INT-05: an issuer that signs its answers signs them for the client that asks, about tokens that
/// are for one of our gates.
pub(super) fn settle(rules: &Rules, document: &Section<'_>) {
    for (position, issuer) in rules.issuers.iter().enumerate() {
        let Some(own) = &issuer.introspection else {
            continue;
        };
        own.answers.get_or_init(|| {
            if issuer.profiles.contains(&Profile::IntrospectionResponse) {
                let door = answers_of(rules, document, position, issuer, &own.client_id);
                AnswerForm::Signed(door.into())
            } else {
                AnswerForm::Plain
            }
        });
    }
}

/// The door for the answers of the issuer at this position.
fn answers_of(
    rules: &Rules,
    document: &Section<'_>,
    position: usize,
    issuer: &IssuerRules,
    client_id: &str,
) -> GateRules {
    let alone = std::slice::from_ref(issuer);
    let mut door = context::door(document, NAME, Kind::IntrospectionResponse, alone);
    for entry in &mut door.issuers {
        entry.position = position;
    }
    let opened = |gate: &&GateRules| {
        let mut entries = gate.issuers.iter();
        gate.kind == Kind::AccessToken && entries.any(|entry| entry.position == position)
    };
    let gates = rules.gates.iter().filter(opened);
    door.audience = gates.flat_map(|gate| gate.audience.clone()).collect();
    door.audience.push(client_id.into());
    door.told = ToldToken::Elsewhere;
    door
}

/// Whom a gate asks about tokens that do not say whose they are: there can be one.
pub(super) fn at_gate(
    section: &Section<'_>,
    kind: Kind,
    named: &[GateIssuer],
    issuers: &[IssuerRules],
    compiler: &mut Compiler<'_>,
) -> Option<Opaque> {
    if kind != Kind::AccessToken {
        return None;
    }
    let asked: Vec<_> = asked(named, issuers).collect();
    if let [(_, one), (_, other), ..] = asked.as_slice() {
        let text = format!(
            "issuers.{} and issuers.{} have introspection, and a token that is no JWT does not say \
             whose it is. Write a gate for each",
            one.name, other.name
        );
        compiler.problems.push(section.problem("issuers", text));
    }
    let (issuer, _) = asked.first()?;
    Some(Opaque::of(*issuer))
}

/// Whether an issuer of the gate is asked about JWTs.
pub(super) fn asks_about_jwts(kind: Kind, named: &[GateIssuer], issuers: &[IssuerRules]) -> bool {
    let all = |(_, issuer): (GateIssuer, &IssuerRules)| issuer.waive_introspection().is_none();
    kind == Kind::AccessToken && asked(named, issuers).any(all)
}

fn asked<'i>(
    named: &[GateIssuer],
    issuers: &'i [IssuerRules],
) -> impl Iterator<Item = (GateIssuer, &'i IssuerRules)> {
    named.iter().filter_map(|entry| {
        let issuer = issuers.get(entry.position)?;
        issuer.introspection.as_ref().map(|_| (*entry, issuer))
    })
}

//! One `[issuers.X]` table: who it is, what it may sign and with which algorithms (loader refusals
//! 7, 8, 15 and 16).

use super::text::{self, Loopback};
use super::{Compiler, boxed, introspection, keys};
use crate::claims::Claim;
use crate::jwa::{Algorithm, AlgorithmSet};
use crate::policy::check::{quoted, suggest};
use crate::policy::row::SignerRule;
use crate::policy::section::{Item, Section};
use crate::policy::{ActIss, ActMeaning, ClaimNames, IssuerRules, Kind, Profile};
use crate::time::Span;

pub(super) fn compile(
    name: &str,
    section: &Section<'_>,
    compiler: &mut Compiler<'_>,
) -> IssuerRules {
    let profiles = profiles(section, compiler);
    let issuers = issuers(section, &profiles, compiler);
    let algorithms = algorithms(section, &profiles, compiler);
    let max_lifetime = section.duration("max_lifetime");
    if section.has("max_lifetime") && max_lifetime.is_some_and(|cap| cap > Span::from_seconds(3600))
    {
        let at = section.position("max_lifetime");
        let text = format!(
            "{} is long for a token that cannot be called back",
            max_lifetime.map_or_else(String::new, quoted)
        );
        compiler.warn(section.at("max_lifetime"), at, text);
    }
    if max_lifetime == Some(Span::ZERO) {
        let text = format!("{} refuses every token", quoted(Span::ZERO));
        compiler
            .problems
            .push(section.problem("max_lifetime", text));
    }
    let source = keys::source(section, algorithms, &profiles, compiler);
    let introspection = introspection::compile(section, &profiles, compiler);
    let names = claim_names(&section.section("claim_names"), &profiles, compiler);
    IssuerRules {
        name: name.into(),
        issuers: boxed(issuers),
        keys: source.keys,
        key_paths: source.paths,
        algorithms,
        algorithms_named: section.has("algorithms"),
        legacy_eddsa: section.flag("legacy_eddsa"),
        profiles,
        max_lifetime,
        max_lifetime_named: section.has("max_lifetime"),
        act_iss: match section.text("act_iss").as_deref() {
            Some("require") => ActIss::Require,
            _ => ActIss::Inherit,
        },
        act_meaning: match section.text("act_meaning").as_deref() {
            Some("inverted") => ActMeaning::Inverted,
            _ => ActMeaning::Rfc8693,
        },
        claim_names: names,
        txn_namespace: namespace(section, "txn_namespace", compiler),
        actor_namespace: namespace(section, "actor_namespace", compiler),
        introspection,
    }
}

/// Within which the names of this issuer are names: a trust domain, another issuer.
fn namespace(section: &Section<'_>, member: &str, compiler: &mut Compiler<'_>) -> Option<Box<str>> {
    let name = section.text(member)?;
    if let Some(problem) = text::exact(&name, "a namespace") {
        compiler.problems.push(section.problem(member, problem));
    }
    Some(name.into())
}

fn profiles(section: &Section<'_>, compiler: &mut Compiler<'_>) -> Vec<Profile> {
    let names = section.texts("profiles");
    if section.is_empty_list("profiles") {
        compiler
            .problems
            .push(section.problem("profiles", "empty: it could sign nothing"));
    }
    compiler.refuse_repeats(&names);
    names
        .iter()
        .filter_map(|item| Profile::from_name(&item.text))
        .collect()
}

fn issuers(section: &Section<'_>, profiles: &[Profile], compiler: &mut Compiler<'_>) -> Vec<Item> {
    let issuers = section.texts("issuer");
    if section.is_empty_list("issuer") {
        compiler.problems.push(section.problem("issuer", "empty"));
    }
    let by_domain = |row: &Profile| row.row().signer == SignerRule::TrustDomain;
    let workload = profiles.iter().any(by_domain);
    let only_workload = profiles.iter().all(by_domain);
    let loopback = if compiler.loopback {
        Loopback::Http
    } else {
        Loopback::Https
    };
    // RFC 7523 leaves `iss` of assertions and grants to the parties, and kinds that may lack it
    // have no rule for it: often it is a client id, or the operator's word.
    let free_form = profiles.iter().all(|profile| {
        let named = matches!(
            profile,
            Profile::ClientAssertion
                | Profile::JwtBearerGrant
                | Profile::ActorProof
                | Profile::JwtCustom
        );
        named || profile.row().signer != SignerRule::Iss
    });
    let is_domain = |text: &str| text::workload_scheme(text).is_some();
    for item in &issuers {
        let text = item.text.as_str();
        let is_url = text.contains("://");
        let problem = text::exact(text, "an issuer").or_else(|| {
            if profiles.is_empty() {
                None
            } else if workload && (only_workload || is_domain(text)) {
                text::trust_domain(text, profiles)
            } else if free_form && !is_url {
                None
            } else {
                text::url(text, loopback).map(|problem| compiler.value_of(text).unwrap_or(problem))
            }
        });
        if let Some(problem) = problem {
            compiler.refuse(item, problem);
        }
    }
    if workload && !only_workload && !issuers.iter().any(|item| is_domain(&item.text)) {
        let rows = profiles.iter().copied().filter(by_domain);
        let rows: Vec<_> = rows.map(Profile::as_str).collect();
        let text = format!(
            "{} needs a trust domain among them, as \"spiffe://td.example\"",
            rows.join(", ")
        );
        compiler.problems.push(section.problem("issuer", text));
    }
    issuers
}

fn algorithms(
    section: &Section<'_>,
    profiles: &[Profile],
    compiler: &mut Compiler<'_>,
) -> AlgorithmSet {
    let items = section.texts("algorithms");
    if section.is_empty_list("algorithms") {
        compiler
            .problems
            .push(section.problem("algorithms", "empty: name at least one"));
    }
    compiler.refuse_repeats(&items);
    let mut set = AlgorithmSet::EMPTY;
    for item in &items {
        match parse_algorithm(&item.text) {
            Err(problem) => compiler.refuse(item, problem),
            Ok(algorithm) => {
                set = set.with(algorithm);
                if !profiles.is_empty() && !profiles.iter().any(|row| row.permits(algorithm)) {
                    let rows: Vec<_> = profiles.iter().map(|row| row.as_str()).collect();
                    let text = format!("{algorithm} is not for {}", rows.join(", "));
                    compiler.refuse(item, text);
                }
            }
        }
    }
    let symmetric = set.iter().find(|algorithm| algorithm.is_symmetric());
    let asymmetric = set.iter().find(|algorithm| !algorithm.is_symmetric());
    let several = section.has("algorithms") && profiles.len() > 1 && asymmetric.is_some();
    for row in profiles.iter().filter(|_| several && symmetric.is_none()) {
        if !set.iter().any(|algorithm| row.permits(algorithm)) {
            let text = format!("none of them is for {}", row.as_str());
            compiler.problems.push(section.problem("algorithms", text));
        }
    }
    if let (Some(hmac), Some(other)) = (symmetric, asymmetric) {
        let text = format!(
            "{hmac} beside {other}: whoever has the public key could sign. \
                            Write two issuers, or drop one"
        );
        compiler.problems.push(section.problem("algorithms", text));
    } else if let Some(hmac) = symmetric
        && let Some(row) = profiles.iter().find(|row| !row.permits(hmac))
        && profiles.iter().any(|row| row.permits(hmac))
    {
        let text = format!("{hmac} is not for {}", row.as_str());
        compiler.problems.push(section.problem("algorithms", text));
    }
    if section.has("algorithms") && set == AlgorithmSet::EMPTY.with(Algorithm::Rs256) {
        let at = section.position("algorithms");
        let text = "RS256 only: ask the issuer for ES256 or Ed25519";
        compiler.warn(section.at("algorithms"), at, text);
    }
    set
}

/// Refusal 8: an algorithm by its JOSE name, and what to write for the names it is mistaken for.
pub(super) fn parse_algorithm(name: &str) -> Result<Algorithm, String> {
    if let Some(algorithm) = Algorithm::from_name(name) {
        return Ok(algorithm);
    }
    let cose = match name {
        "ESP256" => Some("ES256"),
        "ESP384" => Some("ES384"),
        "ESP512" => Some("ES512"),
        _ => None,
    };
    Err(if name.eq_ignore_ascii_case("none") {
        format!("{name:?} is no signature, and there is no switch for it")
    } else if let Some(jose) = cose {
        format!("{name:?} is a COSE name. Write {jose:?}")
    } else if name == crate::jwa::LEGACY_EDDSA {
        "\"EdDSA\" names no curve. Write \"Ed25519\"; legacy_eddsa says whether tokens may say EdDSA"
            .to_owned()
    } else {
        format!(
            "{name:?} is unknown{}",
            suggest(name, Algorithm::all().map(Algorithm::name))
        )
    })
}

/// A registered claim keeps its meaning: it cannot stand for another one. `azp` may, since in an
/// access token it names the client (DIA-04).
fn claim_names(
    section: &Section<'_>,
    profiles: &[Profile],
    compiler: &mut Compiler<'_>,
) -> ClaimNames {
    let mut name = |name: &str| -> Option<Box<str>> {
        let text = section.text(name)?;
        let registered = Claim::from_name(&text).is_some();
        let problem = if text.is_empty() {
            Some("\"\" is not a claim".to_owned())
        } else if text == name {
            Some(format!("{text:?} is its own name. Leave it out"))
        } else if registered && (name, text.as_str()) != ("client_id", "azp") {
            Some(format!(
                "{text:?} is a registered claim with a meaning of its own"
            ))
        } else {
            None
        };
        if let Some(problem) = problem {
            compiler.problems.push(section.problem(name, problem));
        }
        Some(text.into())
    };
    let (scope, client_id) = (name("scope"), name("client_id"));
    let access = |profile: &Profile| profile.kind() == Kind::AccessToken;
    if section.has("aud") && !profiles.is_empty() && !profiles.iter().any(access) {
        let text = "only for access tokens; every other kind must have its aud";
        compiler.problems.push(section.problem("aud", text));
    }
    ClaimNames {
        scope,
        client_id,
        aud: section.text("aud").map(Into::into),
    }
}

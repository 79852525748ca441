//! One `[gates.X]` table: which tokens open it and what it demands of them (loader refusals 12,
//! 13, 15, 16, 21, 23 and 24).

use super::context::{self, Compiled};
use super::delegation::{self, Table};
use super::text::{self, Loopback};
use super::{Compiler, boxed, intent, introspection, transactions, unknown_name};
use crate::policy::check::quoted;
use crate::policy::document::join;
use crate::policy::profile::{Kind, Preset, Profile};
use crate::policy::row::{AudienceRule, OwnTyp, SignerRule, TypRule};
use crate::policy::section::{Item, Section, texts};
use crate::policy::{GateIssuer, GateRules, IssuerRules, Lineage, SenderConstrained, ToldToken};
use crate::time::Span;

pub(super) fn compile(
    name: &str,
    section: &Section<'_>,
    issuers: &[IssuerRules],
    tables: &[Table],
    compiler: &mut Compiler<'_>,
) -> GateRules {
    let kind = section
        .text("profile")
        .and_then(|name| Kind::from_name(&name));
    let audience = audience(section, kind, compiler);
    let resource = match kind {
        Some(Kind::AccessToken) if section.has("public_url") => resource(section, compiler),
        _ => None,
    };
    let named = gate_issuers(section, kind, issuers, compiler);
    if let Some(kind) = kind {
        signers(section, kind, &named, compiler);
        own_redemption(section, kind, &named, issuers, &audience, compiler);
    }
    let opaque =
        kind.and_then(|kind| introspection::at_gate(section, kind, &named, issuers, compiler));
    let sender_constrained = match section.text("sender_constrained").as_deref() {
        Some("external") => {
            let at = section.position("sender_constrained");
            let text = "somebody else must check the proof";
            compiler.warn(section.at("sender_constrained"), at, text);
            SenderConstrained::External
        }
        Some("required") => SenderConstrained::Required,
        _ => SenderConstrained::IfBound,
    };
    let public_url = section.text("public_url");
    if let Some(problem) = public_url
        .as_ref()
        .and_then(|url| text::url(url, Loopback::Http))
    {
        compiler
            .problems
            .push(section.problem("public_url", problem));
    }
    if section.duration("max_age") == Some(Span::ZERO) {
        let text = format!("{} refuses every token", quoted(Span::ZERO));
        compiler.problems.push(section.problem("max_age", text));
    }
    let custom = kind == Some(Kind::JwtCustom);
    let more = "required_claims";
    if section.has(more) && !section.is_empty_list(more) && !custom && kind.is_some() {
        let text = "only for profile = \"jwt_custom\"; every other kind has its own";
        compiler.problems.push(section.problem(more, text));
    }
    let typ = kind.and_then(|kind| own_typ(section, kind, compiler));
    let Compiled {
        context,
        caller,
        actor_proofs,
    } = context::compile(section, name, issuers, compiler);
    let transactions = transactions::compile(section, kind, compiler);
    let scope_implies = scope_implies(section, compiler);
    let delegation = delegation::at_gate(section, name, tables, &scope_implies, compiler);
    let kind = kind.unwrap_or(Kind::AccessToken);
    let asks = introspection::asks_about_jwts(kind, &named, issuers);
    if asks && !context.is_empty() {
        let text = "no issuer is asked about further tokens, which may have ended since: of those, tokens = \"all\" tells nothing";
        compiler.warn(section.at("context"), section.position("context"), text);
    }
    if delegation.min_lineage() == Lineage::Cryptographic && actor_proofs.is_none() {
        let text = "its min_lineage is \"cryptographic\", and nothing proves so much here. Add context = { actor_proof = \"required\" }";
        compiler.problems.push(section.problem("delegation", text));
    }
    GateRules {
        name: name.into(),
        kind,
        signer: kind.row().signer,
        audience,
        asks,
        opaque,
        told: ToldToken::Here,
        issuers: named,
        rivals: Vec::new(), // for `pairs`, which sees all gates
        public_url: public_url.map(Into::into),
        resource,
        required_scopes: scopes(section, compiler),
        scope_implies,
        sender_constrained,
        takes_dpop: false, // for `possession`, which sees the whole document
        takes_mtls: false,
        takes_own_proof: false,
        delegation,
        context,
        caller,
        actor_proofs,
        once: None, // for `once`, which sees the whole document
        transactions,
        revokes: false, // for `revocation`, which sees the whole document
        intent: intent::compile(section, compiler),
        max_age: section.duration("max_age"),
        acr_values: acr_values(section, compiler),
        metadata: metadata(section, compiler),
        typ,
        required_claims: exact_texts(section, "required_claims", "a claim", compiler),
    }
}

fn audience(
    section: &Section<'_>,
    kind: Option<Kind>,
    compiler: &mut Compiler<'_>,
) -> Vec<Box<str>> {
    if section.is_empty_list("audience") {
        compiler
            .problems
            .push(section.problem("audience", "empty: no token could open the gate"));
    }
    let items = section.texts("audience");
    let names_nobody = kind.filter(|kind| kind.row().audience == AudienceRule::Never);
    if let Some(kind) = names_nobody.filter(|_| section.has("audience")) {
        let text = format!(
            "{} is for nobody in particular. Leave it out",
            text::article(kind.as_str())
        );
        compiler.problems.push(section.problem("audience", text));
    }
    // TXT-03: its keys are those of one trust domain.
    if let (Some(Kind::TxnToken), Some(second)) = (kind, items.get(1)) {
        let text = "one gate is for one trust domain. Write a gate for each";
        compiler.refuse(second, text);
    }
    for item in &items {
        if let Some(table) = compiler.table_named(&item.text) {
            let text = format!(
                "{:?} is a name, of [{table}]. Write what its tokens have in aud",
                item.text
            );
            compiler.refuse(item, text);
        }
    }
    exact_texts(section, "audience", "an audience", compiler)
}

/// Where clients reach the gate, they are told of its first audience as the RFC 9728 `resource`,
/// from which they make the URL of its metadata (§3.1). An audience that is no URL has none, which
/// is said; only who writes the metadata down must have meant another.
fn resource(section: &Section<'_>, compiler: &mut Compiler<'_>) -> Option<Box<str>> {
    let mut audiences = section.texts("audience").into_iter();
    let first = audiences.next()?;
    let Some(problem) = text::url(&first.text, Loopback::Http) else {
        return Some(first.text.into());
    };
    if text::exact(&first.text, "").is_some() {
        return None; // refused as an audience
    }
    if section.has("metadata") {
        let text = format!("is the RFC 9728 resource, since there is metadata: it {problem}");
        compiler.refuse(&first, text);
    } else {
        let text =
            format!("clients find no RFC 9728 metadata of this gate: the resource {problem}");
        compiler.warn(first.path, first.at, text);
    }
    None
}

fn acr_values(section: &Section<'_>, compiler: &mut Compiler<'_>) -> Vec<Box<str>> {
    let items = section.texts("acr_values");
    for item in &items {
        if let Some(problem) = text::exact(&item.text, "an acr").or_else(|| text::acr(&item.text)) {
            compiler.refuse(item, problem);
        }
    }
    compiler.refuse_repeats(&items);
    boxed(items)
}

/// Strings that are compared exactly, each once.
fn exact_texts(
    section: &Section<'_>,
    name: &str,
    what: &str,
    compiler: &mut Compiler<'_>,
) -> Vec<Box<str>> {
    let items = section.texts(name);
    for item in &items {
        if let Some(problem) = text::exact(&item.text, what) {
            compiler.refuse(item, problem);
        }
    }
    compiler.refuse_repeats(&items);
    boxed(items)
}

/// Each issuer with the one row of the gate's kind that it may sign (refusal 13).
fn gate_issuers(
    section: &Section<'_>,
    kind: Option<Kind>,
    issuers: &[IssuerRules],
    compiler: &mut Compiler<'_>,
) -> Vec<GateIssuer> {
    if section.is_empty_list("issuers") {
        compiler
            .problems
            .push(section.problem("issuers", "empty: no token could open the gate"));
    }
    let items = section.texts("issuers");
    compiler.refuse_repeats(&items);
    let mut named = Vec::new();
    for item in &items {
        let Some(position) = issuers.iter().position(|issuer| *issuer.name == *item.text) else {
            compiler.refuse(item, unknown_issuer(&item.text, issuers));
            continue;
        };
        let (Some(kind), Some(issuer)) = (kind, issuers.get(position)) else {
            continue;
        };
        let rows: Vec<Profile> = issuer
            .profiles
            .iter()
            .copied()
            .filter(|row| row.kind() == kind)
            .collect();
        match rows.as_slice() {
            [profile] => {
                let max_lifetime = max_lifetime(section.preset(), issuer, *profile);
                named.push(GateIssuer {
                    position,
                    profile: *profile,
                    max_lifetime,
                });
            }
            // What an issuer with a mistyped profile may sign is not known.
            [] if issuer.profiles.is_empty() => {}
            [] => {
                let names = issuer.profiles.iter().map(|profile| profile.as_str());
                let names: Vec<&str> = names.chain([kind.as_str()]).collect();
                let text = format!(
                    "issuers.{}.profiles has no {}. Write profiles = {names:?}",
                    issuer.name,
                    kind.as_str()
                );
                compiler.problems.push(section.problem_here(text));
            }
            [first, second, ..] => {
                let text = format!(
                    "issuers.{}.profiles has {} and {}: one issuer signs {} in one way. Keep one",
                    issuer.name,
                    first.as_str(),
                    second.as_str(),
                    kind.as_str()
                );
                compiler.problems.push(section.problem_here(text));
            }
        }
    }
    named
}

/// A kind without `iss` tells nothing of its signer: it is the gate that does.
fn signers(section: &Section<'_>, kind: Kind, named: &[GateIssuer], compiler: &mut Compiler<'_>) {
    if kind.row().signer == SignerRule::Only && named.len() > 1 {
        let text = format!(
            "{} does not say who signed it. Write a gate for each issuer",
            text::article(kind.as_str())
        );
        compiler.problems.push(section.problem("issuers", text));
    }
}

/// IJ-07: who issues identity assertions does not redeem them itself.
fn own_redemption(
    section: &Section<'_>,
    kind: Kind,
    named: &[GateIssuer],
    issuers: &[IssuerRules],
    audience: &[Box<str>],
    compiler: &mut Compiler<'_>,
) {
    if kind != Kind::IdJag {
        return;
    }
    let mut own = named.iter().filter_map(|entry| issuers.get(entry.position));
    if let Some(issuer) = own.find(|own| own.issuers.iter().any(|iss| audience.contains(iss))) {
        let text = format!(
            "is issuers.{} itself: an issuer does not redeem its own id_jag",
            issuer.name
        );
        compiler.problems.push(section.problem("audience", text));
    }
}

/// Refusals 12 and 16: not a name, or a claim value where a name belongs.
fn unknown_issuer(text: &str, issuers: &[IssuerRules]) -> String {
    let value_of = issuers
        .iter()
        .find(|issuer| issuer.issuers.iter().any(|value| **value == *text));
    match value_of {
        Some(issuer) => format!(
            "{text:?} is a claim value. Write the name {:?}",
            issuer.name
        ),
        None => unknown_name("issuers", text, issuers.iter().map(|issuer| &*issuer.name)),
    }
}

/// The cap on `exp - iat` at this gate. Kinds that live for minutes by their own standard (LOG-06,
/// CA-03) keep that cap under `agent_strict` when the issuer's is longer.
pub(super) fn max_lifetime(preset: Preset, issuer: &IssuerRules, profile: Profile) -> Option<Span> {
    let own = match preset {
        Preset::AgentStrict => profile.row().max_lifetime,
        Preset::Rfc => None,
    };
    let short_lived = own.filter(|cap| *cap < Span::from_seconds(3600));
    match (issuer.max_lifetime_named, issuer.max_lifetime) {
        (true, Some(named)) => Some(short_lived.map_or(named, |cap| cap.min(named))),
        _ => own,
    }
}

fn scopes(section: &Section<'_>, compiler: &mut Compiler<'_>) -> Vec<Box<str>> {
    let items = section.texts("required_scopes");
    refuse_scopes(&items, compiler);
    compiler.refuse_repeats(&items);
    boxed(items)
}

fn refuse_scopes(items: &[Item], compiler: &mut Compiler<'_>) {
    for item in items {
        if let Some(problem) = text::scope(&item.text) {
            compiler.refuse(item, problem);
        }
    }
}

/// The transitive closure of `scope_implies`; a cycle is refused (refusal 23).
fn scope_implies(
    section: &Section<'_>,
    compiler: &mut Compiler<'_>,
) -> Vec<(Box<str>, Vec<Box<str>>)> {
    let path = section.at("scope_implies");
    let Some(table) = section.member("scope_implies") else {
        return Vec::new();
    };
    let edges: Vec<(Item, Vec<Item>)> = table
        .node
        .members()
        .iter()
        .map(|member| {
            let path = join(&path, &member.name);
            let implied = texts(&member.node, &path);
            (
                Item {
                    text: member.name.clone(),
                    path,
                    at: member.at,
                },
                implied,
            )
        })
        .collect();
    for (from, to) in &edges {
        refuse_scopes(std::slice::from_ref(from), compiler);
        refuse_scopes(to, compiler);
        compiler.refuse_repeats(to);
    }
    let mut closed = Vec::new();
    for (from, to) in &edges {
        let mut implied: Vec<&str> = Vec::new();
        let mut waiting: Vec<&str> = to.iter().rev().map(|item| item.text.as_str()).collect();
        while let Some(scope) = waiting.pop() {
            if implied.contains(&scope) {
                continue;
            }
            implied.push(scope);
            let next = edges.iter().find(|(item, _)| item.text == scope);
            waiting.extend(
                next.into_iter()
                    .flat_map(|(_, to)| to.iter().map(|i| i.text.as_str())),
            );
        }
        if implied.contains(&from.text.as_str()) {
            let text = format!("{} implies itself", from.text);
            compiler
                .problems
                .push(section.problem("scope_implies", text));
        }
        closed.push((
            from.text.as_str().into(),
            implied.into_iter().map(Into::into).collect(),
        ));
    }
    closed
}

/// RFC 9728 members that follow from the policy, each with what it follows from (refusal 24).
const GENERATED: [(&str, &str); 6] = [
    ("resource", "audience"),
    ("authorization_servers", "issuers"),
    ("bearer_methods_supported", "what the gate reads"),
    ("dpop_signing_alg_values_supported", "dpop"),
    ("dpop_bound_access_tokens_required", "sender_constrained"),
    ("tls_client_certificate_bound_access_tokens", "mtls"),
];

fn metadata(
    section: &Section<'_>,
    compiler: &mut Compiler<'_>,
) -> Vec<(Box<str>, serde_json::Value)> {
    let members = section
        .member("metadata")
        .map_or(&[][..], |member| member.node.members());
    let path = section.at("metadata");
    for member in members {
        if let Some((_, from)) = GENERATED.iter().find(|(name, _)| *name == member.name) {
            let item = Item {
                text: String::new(),
                path: join(&path, &member.name),
                at: member.at,
            };
            compiler.refuse(&item, format!("generated from {from}"));
        }
    }
    members
        .iter()
        .map(|member| (member.name.as_str().into(), member.node.to_value()))
        .collect()
}

/// The `typ` of tokens whose kind has none, as it is compared: lower case, without `application/`
/// (JWT-05).
pub(super) fn own_typ(
    section: &Section<'_>,
    kind: Kind,
    compiler: &mut Compiler<'_>,
) -> Option<Box<str>> {
    let row = kind.row();
    match (row.own_typ, section.has("typ")) {
        (OwnTyp::Never, true) => {
            let open = Kind::ALL
                .iter()
                .filter(|kind| kind.row().own_typ != OwnTyp::Never);
            let open: Vec<_> = open.map(|kind| kind.as_str()).collect();
            let text = format!("only for {}; every other kind has its own", open.join(", "));
            compiler.problems.push(section.problem("typ", text));
            return None;
        }
        (OwnTyp::Must, false) => {
            let text = format!(
                "no typ. Nothing is registered for {}: write the one its issuers use",
                text::article(kind.as_str())
            );
            compiler.problems.push(section.problem_here(text));
            return None;
        }
        (OwnTyp::Never | OwnTyp::May, false) | (OwnTyp::May | OwnTyp::Must, true) => {}
    }
    let written = section.text("typ")?;
    let lower = written.to_ascii_lowercase();
    let typ = lower.strip_prefix("application/").unwrap_or(&lower);
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&byte);
    let of_a_kind = Profile::ALL.iter().find(|profile| match profile.row().typ {
        TypRule::Required(of) | TypRule::Preferred(of) => of == typ && profile.kind() != kind,
        TypRule::Untyped(_) | TypRule::Named => false,
    });
    let problem = if typ.is_empty() || !typ.bytes().all(known) {
        Some(format!("{written:?} is not a media type"))
    } else if typ == "jwt" && row.own_typ == OwnTyp::Must {
        Some("\"JWT\" tells no kind. Write one that nothing else has".to_owned())
    } else if typ == "jwt" {
        Some("\"JWT\" is what an absent typ accepts. Leave it out".to_owned())
    } else if let Some(profile) = of_a_kind {
        let name = profile.as_str();
        Some(format!(
            "{written:?} is the typ of {name}. Write profile = {name:?}"
        ))
    } else if RESERVED.contains(&typ) {
        Some(format!(
            "{written:?} is the typ of tokens with rules of their own"
        ))
    } else {
        None
    };
    if let Some(problem) = problem {
        compiler.problems.push(section.problem("typ", problem));
    }
    Some(typ.into())
}

/// Types of kinds whose rows are still to come (standards 29.2).
const RESERVED: [&str; 6] = [
    "aat-pop+jwt",
    "dpop+jwt",
    "oauth-client-attestation-pop+jwt",
    "wpt+jwt",
    "dc+sd-jwt",
    "kb+jwt",
];

//! `gates.X.context`: the doors of the further tokens that a request may carry.

use super::{Compiler, gate, text};
use crate::policy::section::Section;
use crate::policy::{
    Carrier, ContextNeed, ContextRules, Delegation, GateIssuer, GateRules, IntentRules,
    IssuerRules, Kind, SenderConstrained, ToldToken,
};

/// Of one gate.
#[derive(Default)]
pub(super) struct Compiled {
    pub(super) context: Vec<ContextRules>,
    pub(super) caller: Option<Box<ContextRules>>,
    pub(super) actor_proofs: Option<Box<ContextRules>>,
}

pub(super) fn compile(
    section: &Section<'_>,
    gate: &str,
    issuers: &[IssuerRules],
    compiler: &mut Compiler<'_>,
) -> Compiled {
    let kinds = section.section("context");
    let mut compiled = Compiled::default();
    for member in kinds.node.members() {
        let Some(kind) = Kind::from_name(&member.name) else {
            continue;
        };
        let table = kinds.section(&member.name);
        let mut door = door(section, gate, kind, issuers);
        if table.has("typ") {
            door.typ = gate::own_typ(&table, kind, compiler);
        }
        door.audience = audience(section, &table, kind, compiler);
        if door.issuers.is_empty() {
            let text = format!(
                "no issuer has {} in its profiles, so no such token could be trusted",
                member.name
            );
            compiler.problems.push(kinds.problem(&member.name, text));
        }
        let rules = ContextRules {
            need: match member.node.as_text() {
                Some("required") => ContextNeed::Required,
                Some(_) => ContextNeed::Allowed,
                None => match table.text("need").as_deref() {
                    Some("required") => ContextNeed::Required,
                    _ => ContextNeed::Allowed,
                },
            },
            door,
        };
        if kind == Kind::Wit {
            check_caller(section, &kinds, compiler);
            compiled.caller = Some(Box::new(rules));
        } else if kind == Kind::ActorProof {
            check_actors(&rules, &kinds, issuers, compiler);
            compiled.actor_proofs = Some(Box::new(rules));
        } else {
            compiled.context.push(rules);
        }
    }
    compiled
}

/// A name alone is nobody's: two authorities may call two actors the same (Actor Proofs draft).
fn check_actors(
    rules: &ContextRules,
    kinds: &Section<'_>,
    issuers: &[IssuerRules],
    compiler: &mut Compiler<'_>,
) {
    let actors = rules.door.issuers.iter();
    let actors = actors.filter_map(|entry| issuers.get(entry.position));
    for actor in actors.filter(|actor| actor.actor_namespace.is_none()) {
        let text = format!(
            "issuers.{} signs actor_proof and has no actor_namespace: whose actor it is",
            actor.name
        );
        compiler.problems.push(kinds.problem("actor_proof", text));
    }
}

/// Whom such a token is for, where it says what is so now and not where another token comes from:
/// a transaction token beside an access token is one of a trust domain (TXT-03).
fn audience(
    section: &Section<'_>,
    table: &Section<'_>,
    kind: Kind,
    compiler: &mut Compiler<'_>,
) -> Vec<Box<str>> {
    let beside = section.text("profile").as_deref() == Some(Kind::AccessToken.as_str());
    if kind != Kind::TxnToken {
        return Vec::new();
    }
    match (beside, table.text("audience")) {
        (true, Some(domain)) => {
            if let Some(problem) = text::exact(&domain, "a trust domain") {
                compiler.problems.push(table.problem("audience", problem));
            }
            vec![domain.into()]
        }
        (true, None) => {
            let text = "beside access tokens, say of which trust domain they are. Write { audience = \"…\" }";
            compiler.problems.push(table.problem_here(text));
            Vec::new()
        }
        (false, Some(_)) => {
            let text = "it is that of the token that replaces it. Leave it out";
            compiler.problems.push(table.problem("audience", text));
            Vec::new()
        }
        (false, None) => Vec::new(),
    }
}

/// The identity of a caller is proven here, and its proof remembered here.
fn check_caller(section: &Section<'_>, kinds: &Section<'_>, compiler: &mut Compiler<'_>) {
    let kind = section.text("profile");
    let kind = kind.and_then(|name| Kind::from_name(&name));
    // Others say themselves who presents them.
    let of_others = |kind: Kind| kind.carrier() == Carrier::Authorization || kind == Kind::TxnToken;
    let text = if kind.is_some_and(|kind| !of_others(kind)) {
        "only beside tokens that come in Authorization, and transaction tokens"
    } else if !section.has("public_url") {
        "needs public_url: it is what the caller's proof is for"
    } else {
        return;
    };
    compiler.problems.push(kinds.problem("wit", text));
}

/// A door for one kind of every issuer that signs it in one way.
pub(super) fn door(
    section: &Section<'_>,
    gate: &str,
    kind: Kind,
    issuers: &[IssuerRules],
) -> GateRules {
    let of_caller = kind == Kind::Wit;
    let named = issuers.iter().enumerate().filter_map(|(position, issuer)| {
        let mut rows = issuer.profiles.iter().filter(|row| row.kind() == kind);
        let (Some(profile), None) = (rows.next(), rows.next()) else {
            return None;
        };
        Some(GateIssuer {
            position,
            profile: *profile,
            max_lifetime: gate::max_lifetime(section.preset(), issuer, *profile),
        })
    });
    GateRules {
        name: gate.into(),
        kind,
        signer: kind.row().signer,
        audience: Vec::new(),
        issuers: named.collect(),
        rivals: Vec::new(),
        public_url: None,
        resource: None,
        required_scopes: Vec::new(),
        scope_implies: Vec::new(),
        // Nobody presents another such token as a credential: it tells where one comes from.
        sender_constrained: if of_caller {
            SenderConstrained::Required
        } else {
            SenderConstrained::External
        },
        takes_dpop: false,
        takes_mtls: false,
        takes_own_proof: of_caller,
        delegation: Delegation::Surface,
        context: Vec::new(),
        caller: None,
        actor_proofs: None,
        opaque: None,
        asks: false,
        told: ToldToken::Here,
        once: None,
        transactions: None,
        revokes: false,
        intent: IntentRules::NONE,
        max_age: None,
        acr_values: Vec::new(),
        metadata: Vec::new(),
        typ: None,
        required_claims: Vec::new(),
    }
}

//! `gates.X.context`: the doors of the further tokens that a request may carry.

use super::{Compiler, gate};
use crate::policy::section::Section;
use crate::policy::{
    ContextNeed, ContextRules, Delegation, GateIssuer, GateRules, IntentRules, IssuerRules, Kind,
    SenderConstrained,
};

pub(super) fn compile(
    section: &Section<'_>,
    gate: &str,
    issuers: &[IssuerRules],
    compiler: &mut Compiler<'_>,
) -> Vec<ContextRules> {
    let kinds = section.section("context");
    let mut context = Vec::new();
    for member in kinds.node.members() {
        let Some(kind) = Kind::from_name(&member.name) else {
            continue;
        };
        let door = door(section, gate, kind, issuers);
        if door.issuers.is_empty() {
            let text = format!(
                "no issuer has {} in its profiles, so no such token could be trusted",
                member.name
            );
            compiler.problems.push(kinds.problem(&member.name, text));
        }
        context.push(ContextRules {
            need: match member.node.as_text() {
                Some("required") => ContextNeed::Required,
                _ => ContextNeed::Allowed,
            },
            door,
        });
    }
    context
}

/// A door for one kind of every issuer that signs it in one way.
fn door(section: &Section<'_>, gate: &str, kind: Kind, issuers: &[IssuerRules]) -> GateRules {
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
        required_scopes: Vec::new(),
        scope_implies: Vec::new(),
        // Nobody presents such a token as a credential: it tells where another comes from.
        sender_constrained: SenderConstrained::External,
        takes_dpop: false,
        takes_mtls: false,
        delegation: Delegation::Surface,
        context: Vec::new(),
        intent: IntentRules::NONE,
        max_age: None,
        acr_values: Vec::new(),
        metadata: Vec::new(),
        typ: None,
        required_claims: Vec::new(),
    }
}

//! What two tables say together: issuers told apart, kinds told apart, nothing unused (loader
//! refusals 6 and 14).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Compiler, text};
use crate::policy::profile::{Kind, Profile};
use crate::policy::section::Section;
use crate::policy::{GateIssuer, GateRules, Rules};

pub(super) fn check(rules: &Rules, document: &Section<'_>, compiler: &mut Compiler<'_>) {
    same_issuer(document, compiler);
    let gates = document.named("gates");
    for (index, gate) in rules.gates.iter().enumerate() {
        let Some((_, section)) = gates.get(index) else {
            continue;
        };
        for earlier in rules.gates.iter().take(index) {
            if let Some(text) = indistinct(rules, earlier, gate) {
                compiler.problems.push(section.problem_here(text));
            }
            if let Some(audience) = differs_by_slash(earlier, gate) {
                let text = format!(
                    "{audience:?} and gates.{} differ by a trailing slash only",
                    earlier.name
                );
                compiler.warn(section.at("audience"), section.position("audience"), text);
            }
        }
    }
    for (position, (_, section)) in document.named("issuers").iter().enumerate() {
        let used = rules.gates.iter().any(|gate| {
            gate.issuers
                .iter()
                .any(|issuer| issuer.position == position)
        });
        if !used {
            let text = "no gate takes its tokens";
            compiler.warn(section.path.clone(), section.node.at, text);
        }
    }
}

/// Refusal 6: an `iss` leads to one table.
fn same_issuer(document: &Section<'_>, compiler: &mut Compiler<'_>) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (_, section) in document.named("issuers") {
        for item in section.texts("issuer") {
            match seen.entry(item.text.clone()) {
                Entry::Occupied(first) => {
                    compiler.refuse(&item, format!("already {}", first.get()))
                }
                Entry::Vacant(entry) => {
                    entry.insert(section.path.clone());
                }
            }
        }
    }
}

/// Refusal 14 (standards 29.3): two kinds of one issuer for one audience that neither `typ` nor
/// anything else we may rely on tells apart.
fn indistinct(rules: &Rules, one: &GateRules, other: &GateRules) -> Option<String> {
    let audience = one
        .audience
        .iter()
        .find(|audience| other.audience.contains(audience))?;
    let shared = |a: &GateIssuer| {
        let b = other.issuers.iter().find(|b| b.position == a.position)?;
        alike(a.profile, b.profile).then_some((*a, *b))
    };
    let (a, b) = one.issuers.iter().find_map(shared)?;
    let issuer = rules.issuers.get(a.position)?;
    Some(format!(
        "{} and {} (gates.{}) of {} for {audience:?} cannot be told apart",
        text::article(b.profile.as_str()),
        text::article(a.profile.as_str()),
        one.name,
        issuer.name
    ))
}

/// Two such kinds for different audiences: a token for both audiences could be of either kind, so
/// each gate refuses what is also for the other.
pub(super) fn set_rivals(gates: &mut [GateRules]) {
    let rivals_of = |gate: &GateRules| {
        let pairs = gates.iter().flat_map(|other| {
            let shared = gate.issuers.iter().filter(|issuer| {
                let mut others = other.issuers.iter();
                others.any(|theirs| {
                    theirs.position == issuer.position && alike(issuer.profile, theirs.profile)
                })
            });
            shared.flat_map(|issuer| {
                let audiences = other.audience.iter().cloned();
                audiences.map(|audience| (issuer.position, audience))
            })
        });
        pairs.collect()
    };
    let rivals: Vec<Vec<_>> = gates.iter().map(rivals_of).collect();
    for (gate, rivals) in gates.iter_mut().zip(rivals) {
        gate.rivals = rivals;
    }
}

fn alike(one: Profile, other: Profile) -> bool {
    let custom = one.kind() == Kind::JwtCustom || other.kind() == Kind::JwtCustom;
    let untyped = one.is_untyped() && other.is_untyped();
    one != other && (custom || untyped) && !one.row().excludes(other.row())
}

fn differs_by_slash<'g>(one: &GateRules, other: &'g GateRules) -> Option<&'g str> {
    let bare = |audience: &str| audience.strip_suffix('/').unwrap_or(audience).to_owned();
    other
        .audience
        .iter()
        .map(|audience| &**audience)
        .find(|audience| {
            one.audience
                .iter()
                .any(|earlier| **earlier != **audience && bare(earlier) == bare(audience))
        })
}

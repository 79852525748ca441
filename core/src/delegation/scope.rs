//! Did `scope` only shrink on the way? (ATN-01 to ATN-04)

use crate::claims::{Claim, Claims, Scopes};
use crate::policy::{Mapping, ScopeRule};

/// What comparing one dimension of two tokens came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    Within,
    Beyond,
    /// Nothing was compared: the issuer's word.
    Unproven,
}

/// Compares the scopes of two tokens; `implies` is the gate's hierarchy, transitively closed.
pub(super) fn compare(
    child: &Claims,
    parent: &Claims,
    rule: &ScopeRule,
    implies: &Mapping,
) -> Compared {
    if matches!(rule, ScopeRule::IssuerAttested) {
        return Compared::Unproven;
    }
    let has = |claims: &Claims| claims.present().contains(Claim::Scope);
    let within = match (has(child), has(parent)) {
        (false, false) => true,
        // Absence is unknown, and not empty (ATN-02, ATN-03).
        (false, true) | (true, false) => false,
        (true, true) => match rule {
            ScopeRule::StrictSubset => is_subset(child.scopes(), &parent.scopes(), implies),
            ScopeRule::Mapped(map) => is_mapped(child.scopes(), &parent.scopes(), map),
            ScopeRule::IssuerAttested => true,
        },
    };
    if within {
        Compared::Within
    } else {
        Compared::Beyond
    }
}

fn is_subset(mut child: Scopes<'_>, parent: &Scopes<'_>, implies: &Mapping) -> bool {
    let grants = |granted: &str, scope: &str| {
        granted == scope || targets(implies, granted).any(|implied| implied == scope)
    };
    child.all(|scope| parent.clone().any(|granted| grants(granted, scope)))
}

/// Each scope of the child stands behind one of the parent's; a parent's scope that the map does
/// not know makes the rest of it worthless (TXT-12).
fn is_mapped(mut child: Scopes<'_>, parent: &Scopes<'_>, map: &Mapping) -> bool {
    let known = |scope: &str| map.iter().any(|(from, _)| **from == *scope);
    let mut known_all = parent.clone();
    known_all.all(known)
        && child.all(|scope| {
            let mut grants = parent.clone().flat_map(|granted| targets(map, granted));
            grants.any(|target| target == scope)
        })
}

/// What a text stands for in the next token.
pub(super) fn targets<'m>(map: &'m Mapping, from: &str) -> impl Iterator<Item = &'m str> {
    let entry = map.iter().find(|(known, _)| **known == *from);
    let targets = entry.map_or(&[][..], |(_, targets)| targets);
    targets.iter().map(|target| &**target)
}

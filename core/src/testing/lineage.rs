//! The token that a request's own comes from (standards 30.5, 30.6), where the gate takes such and
//! a fake signs it.

use serde_json::Value;

use super::claims::Name;
use super::draft::Token;
use super::forge::{Forge, name_task};
use super::{FakeIssuer, NoRefusals};
use crate::claims::Claim;
use crate::policy::{ContextNeed, ContextRules, Edge, GateIssuer, ScopeRule};

/// What a parent is to the request's token.
pub(super) struct Link<'f> {
    rules: &'f ContextRules,
    pub(super) entry: GateIssuer,
    fake: &'f FakeIssuer,
    /// `None` where no token of the one kind comes out of one of the other.
    pub(super) edge: Option<Edge>,
}

impl<'f> Forge<'f> {
    /// The link to a parent that the gate's `context` takes: one that it must have before one that
    /// it may have, one that leads here before one that does not.
    pub(super) fn link(&self, leaf: GateIssuer) -> Result<Option<Link<'f>>, NoRefusals> {
        let door = self.door()?;
        let own = self.iss(leaf, self.issuer(leaf)?);
        let mut links = Vec::new();
        for rules in &door.context {
            for entry in &rules.door.issuers {
                let Some(fake) = self.fake(*entry) else {
                    continue;
                };
                // What has no end was not valid when the next was issued.
                if rules.kind().row().forbidden.contains(Claim::Exp) {
                    continue;
                }
                let same_issuer = fake.issuer() == own;
                let edge = Edge::between(rules.kind(), door.kind, same_issuer);
                // One subject of two issuers is two.
                if edge == Some(Edge::Mission) && !same_issuer {
                    continue;
                }
                links.push(Link {
                    rules,
                    entry: *entry,
                    fake,
                    edge,
                });
            }
        }
        links.sort_by_key(|link| {
            (
                link.rules.need != ContextNeed::Required,
                link.edge.is_none(),
            )
        });
        Ok(links.into_iter().next())
    }

    /// The parent of this token, where there is one; the token gets what ties it to its parent.
    pub(super) fn parent(
        &self,
        leaf: &mut Token,
        entry: GateIssuer,
    ) -> Result<Option<Token>, NoRefusals> {
        let Some(link) = self.link(entry)? else {
            return Ok(None);
        };
        let door = self.door()?;
        let own = self.issuer(entry)?;
        let iss = self.iss(entry, own);
        let further = &link.rules.door;
        // Meant for whoever exchanged it: the issuer of what came of it (ATN-14).
        let audience = match link.edge {
            Some(Edge::TxnReplace) => door.audience.first(),
            _ => further.audience.first(),
        };
        let audience = Some(audience.map_or(&*iss, |aud| aud));
        let mut parent = self.token(further, link.entry, link.fake, audience)?;
        for claim in [Claim::Iat, Claim::Exp] {
            if let Some(date) = leaf.date(claim) {
                parent.set(claim, date);
            }
        }
        let granted = leaf
            .claims
            .get(Name::Scope.of(&own.claim_names, entry.profile));
        if let (Some(edge), Some(granted)) = (link.edge, granted.and_then(Value::as_str)) {
            let names = &self.issuer(link.entry)?.claim_names;
            let name = Name::Scope.of(names, link.entry.profile);
            let scope = before(granted, &door.delegation.edges().rules(edge).scope);
            parent.claims.insert(name.to_owned(), scope.into());
        }
        self.tie(leaf, &mut parent, link.edge)?;
        Ok(Some(parent))
    }

    /// What a step between two tokens compares for equality.
    fn tie(
        &self,
        leaf: &mut Token,
        parent: &mut Token,
        edge: Option<Edge>,
    ) -> Result<(), NoRefusals> {
        match edge {
            Some(Edge::TxnReplace) => {
                for claim in [Claim::Act, Claim::Txn] {
                    if let Some(value) = leaf.claims.get(claim.name()) {
                        parent.set(claim, value.clone());
                    }
                }
            }
            Some(Edge::Mission) => {
                if let Some(mission) = parent.claims.get("mission") {
                    leaf.claims.insert("mission".to_owned(), mission.clone());
                }
            }
            Some(Edge::Aauth) => {
                if let Some(agent) = parent.claims.get("sub") {
                    leaf.claims.insert("parent_agent".to_owned(), agent.clone());
                }
            }
            Some(Edge::Exchange | Edge::CrossDomain | Edge::AtToTxn) => {}
            None => {
                if let Some(pointer) = self.door()?.intent.pointers.first() {
                    name_task(&mut leaf.claims, pointer, "task-1");
                    name_task(&mut parent.claims, pointer, "task-1");
                }
            }
        }
        Ok(())
    }
}

/// Scopes that become these under a rule.
fn before(scopes: &str, rule: &ScopeRule) -> String {
    let ScopeRule::Mapped(map) = rule else {
        return scopes.to_owned();
    };
    let sources = scopes.split(' ').filter_map(|scope| {
        let mut entries = map.iter();
        let (from, _) = entries.find(|(_, to)| to.iter().any(|to| **to == *scope))?;
        Some(&**from)
    });
    sources.collect::<Vec<_>>().join(" ")
}

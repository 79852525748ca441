//! The token that a request's own comes from (standards 30.5, 30.6), where the gate takes such and a
//! fake signs it.

use serde_json::Value;

use super::claims::Name;
use super::draft::Token;
use super::forge::Forge;
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
    /// The link to a parent that the gate's `context` takes: one that it must have before one that it
    /// may have, one that leads here before one that does not.
    pub(super) fn link(&self, leaf: GateIssuer) -> Result<Option<Link<'f>>, NoRefusals> {
        let door = self.door()?;
        let own = self.iss(leaf, self.issuer(leaf)?);
        let mut links = Vec::new();
        for rules in &door.context {
            for entry in &rules.door.issuers {
                let Some(fake) = self.fake(*entry) else {
                    continue;
                };
                let edge = Edge::between(rules.kind(), door.kind, fake.issuer() == own);
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

    /// The parent of this token, where there is one.
    pub(super) fn parent(
        &self,
        leaf: &Token,
        entry: GateIssuer,
    ) -> Result<Option<Token>, NoRefusals> {
        let Some(link) = self.link(entry)? else {
            return Ok(None);
        };
        let door = self.door()?;
        let own = self.issuer(entry)?;
        let iss = self.iss(entry, own);
        // Meant for whoever exchanged it: the issuer of what came of it (ATN-14).
        let audience = match link.edge {
            Some(Edge::TxnReplace) => door.audience.first().map(|aud| &**aud),
            _ => Some(&*iss),
        };
        let mut parent = self.token(&link.rules.door, link.entry, link.fake, audience)?;
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
        if link.edge == Some(Edge::TxnReplace) {
            for claim in [Claim::Act, Claim::Txn] {
                if let Some(value) = leaf.claims.get(claim.name()) {
                    parent.set(claim, value.clone());
                }
            }
        }
        if let Some(client) = leaf
            .claims
            .get(own.claim_names.client_id.as_deref().unwrap_or("client_id"))
        {
            let names = &self.issuer(link.entry)?.claim_names;
            let name = names.client_id.as_deref().unwrap_or("client_id");
            if parent.claims.contains_key(name) {
                parent.claims.insert(name.to_owned(), client.clone());
            }
        }
        Ok(Some(parent))
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

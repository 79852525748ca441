//! Tokens that do not follow from the one before them (standards 30.5).

use serde_json::{Value, json};

use super::{Attempt, Bench, CLOSED, ELSEWHERE, never, send};
use crate::claims::Claim;
use crate::crypto::aws_lc;
use crate::encoding::base64url;
use crate::policy::{
    AudRule, AudienceRule, ContextNeed, Edge, GateIssuer, IntentPointer, Kind, Lineage, Preset,
    ScopeRule,
};
use crate::testing::NoRefusals;
use crate::testing::claims::Name;
use crate::testing::draft::{Draft, Shape, Signer, Token};
use crate::testing::forge::{displace, name_task};

const ALONE: &str = "no token comes before this one, or no fake signs such";
const AIMLESS: &str = "tokens here are for nobody in particular, and so come from no other";
const BESIDE: &str = "a transaction token stands beside an access token, and not before it";
const NOT_COMPARED: &str = "the step between the two kinds does not compare that";

/// A good request with the token that its own comes from.
struct Linked {
    draft: Draft,
    parent: Token,
    from: GateIssuer,
    /// `None`: nothing but a task ties the two.
    edge: Option<Edge>,
}

impl Linked {
    fn send(self) -> Result<Attempt, NoRefusals> {
        let Self {
            mut draft, parent, ..
        } = self;
        draft.parent = Some(parent);
        send(draft)
    }
}

impl Bench<'_> {
    fn linked(&self) -> Result<Option<Linked>, NoRefusals> {
        let entry = self.good.entry;
        let Some(link) = self.forge.link(entry)? else {
            return Ok(None);
        };
        let mut draft = self.any()?;
        let parent = match draft.parent.clone() {
            Some(parent) => Some(parent),
            None => self.forge.parent(&mut draft.token, entry)?,
        };
        Ok(parent.map(|parent| Linked {
            draft,
            parent,
            from: link.entry,
            edge: link.edge,
        }))
    }

    /// Whether a token may be for two of [`Bench::meant_for_another`]'s audiences.
    fn takes_several(&self) -> bool {
        matches!(
            self.row.audience,
            AudienceRule::Contains | AudienceRule::IfAny
        )
    }

    /// ATN-15: one that is not for exactly one audience comes from no other, under `agent_strict`.
    fn is_aimless(&self, linked: &Linked) -> bool {
        let strict = self.forge.rules().preset == Preset::AgentStrict;
        let name = Name::Audience.of(&self.issuer.claim_names, self.good.entry.profile);
        strict && !linked.draft.token.claims.contains_key(name)
    }

    /// Whether the further token says what the request is for, and not where the token comes from.
    fn is_beside(&self, linked: &Linked) -> bool {
        self.door.kind == Kind::AccessToken && linked.from.profile.row().kind == Kind::TxnToken
    }

    /// A good request with a parent that is changed, where the step compares something.
    fn of_parent(
        &self,
        compares: impl FnOnce(Option<Edge>) -> bool,
        change: impl FnOnce(&mut Token),
    ) -> Result<Attempt, NoRefusals> {
        let mut linked = match self.good_chain()? {
            Ok(linked) => linked,
            Err(why) => return never(why),
        };
        if !compares(linked.edge) {
            return never(NOT_COMPARED);
        }
        change(&mut linked.parent);
        linked.send()
    }

    /// A request with a parent that the gate takes, or why there is none.
    fn good_chain(&self) -> Result<Result<Linked, &'static str>, NoRefusals> {
        if self.forge.closed {
            return Ok(Err(CLOSED));
        }
        let Some(linked) = self.linked()? else {
            return Ok(Err(ALONE));
        };
        if self.is_aimless(&linked) {
            return Ok(Err(AIMLESS));
        }
        let mut draft = linked.draft.clone();
        draft.parent = Some(linked.parent.clone());
        // Only a task could tie the two, and the gate looks for none.
        if linked.edge.is_none() && self.forge.opens(&draft)?.is_some() {
            return Ok(Err(ALONE));
        }
        Ok(Ok(linked))
    }

    pub(super) fn broken_link(&self) -> Result<Attempt, NoRefusals> {
        if self.door.kind == Kind::Capability {
            return self.derived(|_, child| {
                let another = base64url::encode(&[0; 32]);
                child.claims.insert("par_hash".to_owned(), another.into());
            });
        }
        let needed = self
            .door
            .context
            .iter()
            .any(|rules| rules.need == ContextNeed::Required);
        let proven = self.door.delegation.min_lineage() > Lineage::Asserted;
        let delegated = self.good.delegated.clone().filter(|_| proven);
        let alone = delegated.map_or_else(
            || needed.then(|| self.any()).transpose(),
            |one| Ok(Some(one)),
        )?;
        if let Some(mut alone) = alone.filter(|_| !self.forge.closed) {
            alone.parent = None;
            return send(alone);
        }
        if self.forge.closed {
            return never(CLOSED);
        }
        let Some(mut linked) = self.linked()? else {
            return never(ALONE);
        };
        if self.is_aimless(&linked) {
            return never(AIMLESS);
        }
        if self.is_beside(&linked) {
            return never(BESIDE);
        }
        match (linked.edge, self.door.intent.pointers.first()) {
            (Some(_), _) => {
                let stranger = json!({ "iss": ELSEWHERE, "sub": "stranger" });
                linked.parent.set(Claim::Act, stranger);
            }
            (None, Some(pointer)) => name_task(&mut linked.parent.claims, pointer, "task-2"),
            (None, None) => {}
        }
        linked.send()
    }

    pub(super) fn another_subject(&self) -> Result<Attempt, NoRefusals> {
        self.of_parent(
            |edge| {
                matches!(
                    edge,
                    Some(Edge::Exchange | Edge::TxnReplace | Edge::Mission)
                )
            },
            |parent| parent.set(Claim::Sub, "another"),
        )
    }

    pub(super) fn wider_scope(&self) -> Result<Attempt, NoRefusals> {
        let edges = self.door.delegation.edges();
        let Some(linked) = self.linked()? else {
            return never(ALONE);
        };
        let names = &self.forge.issuer(linked.from)?.claim_names;
        let name = Name::Scope.of(names, linked.from.profile).to_owned();
        self.of_parent(
            |edge| edge.is_some_and(|edge| edges.rules(edge).scope != ScopeRule::IssuerAttested),
            |parent| drop(parent.claims.insert(name, "sealgate.testing".into())),
        )
    }

    pub(super) fn wider_details(&self) -> Result<Attempt, NoRefusals> {
        if self.door.kind == Kind::Capability {
            return self.derived(|_, child| {
                child.claims.insert("del_max_depth".to_owned(), 2.into());
            });
        }
        let mut linked = match self.good_chain()? {
            Ok(linked) => linked,
            Err(why) => return never(why),
        };
        if linked.edge.is_none() {
            return never(NOT_COMPARED);
        }
        let grant = |actions: &[&str]| json!([{ "type": "sealgate.testing", "actions": actions }]);
        let own = grant(&["read", "write"]);
        linked.draft.token.set(Claim::AuthorizationDetails, own);
        let granted = grant(&["read"]);
        linked.parent.set(Claim::AuthorizationDetails, granted);
        linked.send()
    }

    pub(super) fn older_than_its_parent(&self) -> Result<Attempt, NoRefusals> {
        if self.door.kind == Kind::Capability {
            return self.derived(|root, _| {
                if let Some(end) = root.date(Claim::Exp) {
                    root.set(Claim::Exp, end.saturating_sub(1));
                }
            });
        }
        let ahead = self.leeway().saturating_add(1);
        self.of_parent(|edge| edge.is_some(), |parent| parent.shift(ahead))
    }

    pub(super) fn meant_for_another(&self) -> Result<Attempt, NoRefusals> {
        let ours = self.door.audience.first().map(|aud| &**aud);
        let two = json!([ours.unwrap_or_default(), ELSEWHERE]);
        if self.door.kind == Kind::Capability {
            return match ours {
                Some(_) => self.derived(|_, child| child.set(Claim::Aud, two)),
                None => never("tokens here are for nobody in particular"),
            };
        }
        if self.forge.closed {
            return never(CLOSED);
        }
        let Some(linked) = self.linked()? else {
            return never(ALONE);
        };
        if self.is_aimless(&linked) {
            return linked.send();
        }
        let mut linked = match self.good_chain()? {
            Ok(linked) => linked,
            Err(why) => return never(why),
        };
        if self.is_beside(&linked) {
            return never(BESIDE);
        }
        let edges = self.door.delegation.edges();
        let named = linked
            .edge
            .is_some_and(|edge| edges.rules(edge).aud != AudRule::Any);
        let strict = self.forge.rules().preset == Preset::AgentStrict;
        if linked.edge == Some(Edge::CrossDomain) {
            let resource = "resource".to_owned();
            linked.parent.claims.insert(resource, ELSEWHERE.into());
        } else if named {
            let names = &self.forge.issuer(linked.from)?.claim_names;
            let name = Name::Audience.of(names, linked.from.profile).to_owned();
            linked.parent.claims.insert(name, ELSEWHERE.into());
        } else if strict && self.takes_several() {
            linked.draft.token.set(Claim::Aud, two); // ATN-15
        } else {
            return never(NOT_COMPARED);
        }
        linked.send()
    }

    pub(super) fn another_task(&self) -> Result<Attempt, NoRefusals> {
        let intent = &self.door.intent;
        let names_one = |pointer: &IntentPointer| {
            let first = pointer.path.first().map(|name| &**name);
            self.door.kind == Kind::IntentToken && matches!(first, Some("intent" | "mission"))
        };
        if intent.required && !intent.pointers.iter().any(names_one) {
            return self.altered_inside(|token| {
                for pointer in &intent.pointers {
                    displace(&mut token.claims, &pointer.path);
                }
            });
        }
        let mut linked = match self.good_chain()? {
            Ok(linked) => linked,
            Err(_) if intent.required => return never("every token of this kind names a task"),
            Err(why) => return never(why),
        };
        if linked.edge == Some(Edge::Mission) {
            if let Some(mission) = linked.parent.claims.get_mut("mission") {
                merge(mission, "id", "m2");
            }
            return linked.send();
        }
        if linked.edge == Some(Edge::Aauth) {
            let mission = "mission_s256".to_owned();
            linked.parent.claims.insert(mission, "m2".into());
            return linked.send();
        }
        // What ties two tokens that nothing else ties stays as it is; and TXT-13 keeps the facts of
        // a transaction before anybody asks for tasks.
        let tied = intent.pointers.first().filter(|_| linked.edge.is_none());
        let compared = |pointer: &&IntentPointer| {
            let first = pointer.path.first().map(|name| &**name);
            let fact = linked.edge == Some(Edge::TxnReplace) && first == Some("tctx");
            !fact && tied.is_none_or(|tied| tied.kind != pointer.kind)
        };
        let Some(pointer) = intent.pointers.iter().find(compared) else {
            return never("the gate does not look for tasks where two tokens may differ");
        };
        name_task(&mut linked.draft.token.claims, pointer, "task-1");
        name_task(&mut linked.parent.claims, pointer, "task-2");
        linked.send()
    }

    /// Where no issuer caps its tokens, AAuth does those that follow another.
    pub(super) fn too_long_after_another(&self) -> Result<Attempt, NoRefusals> {
        const HOUR: i64 = 60 * 60;
        match self.good_chain()? {
            Ok(mut linked) if linked.edge == Some(Edge::Aauth) => {
                let late = self.now().saturating_add(HOUR).saturating_add(1);
                linked.draft.token.end_by(late);
                linked.send()
            }
            Ok(_) | Err(_) => never("tokens of any lifetime are good"),
        }
    }

    pub(super) fn another_transaction(&self) -> Result<Attempt, NoRefusals> {
        let mut linked = match self.good_chain()? {
            Ok(linked) => linked,
            Err(why) => return never(why),
        };
        let own = self.txn_namespace(&linked.draft.token, self.good.entry)?;
        if own != self.txn_namespace(&linked.parent, linked.from)? {
            return never("transactions of the two issuers are not compared");
        }
        linked.draft.token.set(Claim::Txn, "t1");
        linked.parent.set(Claim::Txn, "t2");
        linked.send()
    }

    /// As CD-03 has it.
    fn txn_namespace(&self, token: &Token, entry: GateIssuer) -> Result<String, NoRefusals> {
        let rules = self.forge.issuer(entry)?;
        if let Some(name) = &rules.txn_namespace {
            return Ok(name.to_string());
        }
        let audience = token
            .claims
            .get(Claim::Aud.name())
            .and_then(|aud| aud.as_str());
        Ok(match audience.filter(|_| token.kind == Kind::TxnToken) {
            Some(domain) => domain.to_owned(),
            None => self.forge.iss(entry, rules),
        })
    }

    pub(super) fn another_may_act(&self) -> Result<Attempt, NoRefusals> {
        self.of_parent(
            |edge| matches!(edge, Some(Edge::Exchange | Edge::AtToTxn)),
            // No object, and so nobody.
            |parent| drop(parent.claims.insert("may_act".to_owned(), "nobody".into())),
        )
    }

    /// A capability that its holder derived, with the root that it was derived from. What keys show
    /// of the two is judged whether or not anybody can prove to hold the last.
    pub(super) fn derived(
        &self,
        change: impl FnOnce(&mut Token, &mut Token),
    ) -> Result<Attempt, NoRefusals> {
        let mut draft = self.any()?;
        draft.token.remove(Claim::Act); // no token of such a chain may name actors
        let mut root = draft.token.clone();
        let child = &mut draft.token;
        let holder = &self.forge.holder;
        let thumbprint = holder.jkt();
        let issuer = format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{thumbprint}");
        child.set(Claim::Iss, issuer);
        child.set(Claim::Jti, "derived");
        child.set(Claim::DelDepth, 1);
        child.signer = Signer::Holder(holder.clone());
        let alg = holder.key().algorithm().name();
        child.header.insert("alg".to_owned(), alg.into());
        change(&mut root, child);
        // The hash is of what the root is signed over, whose signature may differ each time.
        let root = root.seal()?;
        let input = root.rsplit_once('.').map_or("", |(input, _)| input);
        let hash = base64url::encode(&(aws_lc::provider().sha256)(input.as_bytes()));
        child
            .claims
            .entry("par_hash")
            .or_insert_with(|| hash.into());
        let mut parent = child.clone();
        parent.shape = Shape::Text(root);
        draft.parent = Some(parent);
        send(draft)
    }
}

/// Sets a member of a value that is an object.
fn merge(object: &mut Value, name: &str, value: &str) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value.into());
    }
}

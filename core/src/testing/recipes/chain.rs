//! Tokens whose actors are not those that the gate takes.

use serde_json::{Value, json};

use super::{Attempt, Bench, CLOSED, ELSEWHERE, never, send};
use crate::claims::Claim;
use crate::policy::{
    ActMeaning, ActorPresence, Delegation, Kind, Loops, PresenterRule, SelfActor, SubPattern,
};
use crate::testing::NoRefusals;
use crate::testing::draft::Token;
use crate::testing::forge::takes_actors;

const NO_ACTORS: &str = "tokens of this kind name no actors";
const UNJUDGED: &str = "nobody asks here who may act";

impl Bench<'_> {
    /// A good request whose token gets other actors.
    pub(super) fn acting(&self, change: impl FnOnce(&mut Token)) -> Result<Attempt, NoRefusals> {
        if !takes_actors(self.good.entry) {
            return never(NO_ACTORS);
        }
        self.altered_inside(change)
    }

    fn is_inverted(&self) -> bool {
        self.issuer.act_meaning == ActMeaning::Inverted
    }

    /// `act` of these actors of the token's issuer.
    fn links<'a>(&self, subs: impl IntoIterator<Item = &'a str>) -> Value {
        let iss = self.forge.iss(self.good.entry, self.issuer);
        let nest = |inner: Value, sub| {
            if inner.is_null() {
                json!({ "iss": iss, "sub": sub })
            } else {
                json!({ "iss": iss, "sub": sub, "act": inner })
            }
        };
        subs.into_iter().fold(Value::Null, nest)
    }

    /// One link of the token's issuer.
    fn link_of(&self, sub: &str) -> Value {
        self.links([sub])
    }

    pub(super) fn without_actor(&self) -> Result<Attempt, NoRefusals> {
        let rules = self.door.delegation.rules();
        if rules.is_none_or(|rules| rules.actor != ActorPresence::Required) {
            return never("a token without actors is good here");
        }
        self.acting(|token| token.remove(Claim::Act))
    }

    pub(super) fn too_deep(&self) -> Result<Attempt, NoRefusals> {
        if self.door.kind == Kind::Capability {
            return self.derived(|_, child| child.set(Claim::DelDepth, 2));
        }
        if self.is_inverted() {
            return never("the issuer names one actor alone");
        }
        let most = self.door.delegation.max_depth();
        // One level for the claims, one for each link.
        if most.saturating_add(2) > self.forge.rules().limits.json_depth {
            return never("the JSON of a longer chain is nested too deep");
        }
        self.acting(|token| {
            let names = (0..=most).map(|place| format!("agent-{place}"));
            let names: Vec<String> = names.collect();
            token.set(Claim::Act, self.links(names.iter().map(String::as_str)));
        })
    }

    pub(super) fn loop_of_actors(&self) -> Result<Attempt, NoRefusals> {
        if self.door.kind == Kind::Capability {
            return self.derived(|root, child| {
                if let Some(jti) = root.claims.get(Claim::Jti.name()) {
                    child.set(Claim::Jti, jti.clone());
                }
            });
        }
        let delegation = &self.door.delegation;
        let rules = delegation.rules();
        let has_subject = !self.row.forbidden.contains(Claim::Sub);
        if has_subject && rules.is_some_and(|rules| rules.self_actor == SelfActor::Reject) {
            return self.acting(|token| {
                let sub = token.claims.get(Claim::Sub.name()).and_then(Value::as_str);
                let own = self.link_of(sub.unwrap_or_default());
                token.set(Claim::Act, own);
            });
        }
        if self.is_inverted() || delegation.loops() == Loops::Allow || delegation.max_depth() < 2 {
            return never("no chain that is short enough is a circle, or circles are allowed");
        }
        self.acting(|token| {
            token.set(Claim::Act, self.links(["agent", "agent"]));
        })
    }

    pub(super) fn incomplete(&self) -> Result<Attempt, NoRefusals> {
        let rules = self.door.delegation.rules();
        if rules.is_none_or(|rules| !rules.require_complete) {
            return never("a chain need not be complete here");
        }
        self.acting(|token| {
            token.set(Claim::Act, self.link_of("agent"));
            token
                .claims
                .insert("chain_complete".to_owned(), false.into());
        })
    }

    pub(super) fn stranger_acts(&self) -> Result<Attempt, NoRefusals> {
        let rules = match &self.door.delegation {
            Delegation::Surface => return never(UNJUDGED),
            Delegation::Forbid => None,
            Delegation::Enforce(rules) => Some(rules),
        };
        if !self.is_inverted() {
            return self.acting(|token| {
                token.set(Claim::Act, json!({ "iss": ELSEWHERE, "sub": "stranger" }));
            });
        }
        let anybody = |rules: &crate::policy::DelegationRules| {
            rules
                .allow
                .iter()
                .any(|rule| rule.actor.sub == SubPattern::Any)
        };
        if rules.is_some_and(|rules| anybody(rules)) {
            return never("the issuer's subjects may all act");
        }
        self.acting(|token| {
            token.set(Claim::Sub, "stranger");
            token.set(Claim::Act, self.link_of("u1"));
        })
    }

    pub(super) fn another_presenter(&self) -> Result<Attempt, NoRefusals> {
        let rules = self.door.delegation.rules();
        if rules.is_none_or(|rules| rules.presenter != PresenterRule::MustBeActor) {
            return never("nobody asks here whether the caller is the actor");
        }
        let Some(mut caller) = self.forge.caller()? else {
            return never("no request says who its caller is, or no fake does");
        };
        let Some(mut draft) = self.good.delegated.clone() else {
            return never("no rule lets an actor of the fakes act");
        };
        if self.forge.closed {
            return never(CLOSED);
        }
        let (identity, _) = &mut caller;
        let sub = identity
            .claims
            .get(Claim::Sub.name())
            .and_then(Value::as_str);
        let sub = format!("{}/sealgate.testing", sub.unwrap_or_default());
        identity.set(Claim::Sub, sub);
        draft.caller = Some(caller);
        send(draft)
    }
}

//! Tokens whose claims are not those of the gate: kind, validity, authority, status.

use serde_json::{Value, json};

use super::{Attempt, Bench, ELSEWHERE, never, send};
use crate::claims::Claim;
use crate::policy::{AudienceRule, Kind, Presence, Preset, Profile, SignerRule};
use crate::testing::NoRefusals;
use crate::testing::claims::Name;
use crate::testing::forge::set_assurance;

impl Bench<'_> {
    pub(super) fn another_kind(&self) -> Result<Attempt, NoRefusals> {
        let profile = self.good.entry.profile;
        if profile == Profile::LogoutToken {
            return self.altered(|token| token.set(Claim::Events, json!({})));
        }
        if profile == Profile::ClientAssertion {
            return self.altered(|token| token.set(Claim::Sub, ELSEWHERE));
        }
        if profile == Profile::JwtSvid {
            return self.altered(|token| drop(token.header.insert("x".to_owned(), 0.into())));
        }
        if profile == Profile::Capability {
            return self.altered(|token| token.set(Claim::DelDepth, 1));
        }
        if self.row.forbidden_together.is_empty() {
            return never("no claims that this kind may have are those of another");
        }
        self.altered(|token| {
            for claim in self.row.forbidden_together.iter() {
                token
                    .claims
                    .entry(claim.name())
                    .or_insert_with(|| "x".into());
            }
        })
    }

    pub(super) fn claim_left_out(&self) -> Result<Attempt, NoRefusals> {
        // Not what leads to the issuer, whose absence is another question.
        let required = [Claim::Exp, Claim::Iat];
        let mut required = required
            .into_iter()
            .filter(|claim| self.row.required.contains(*claim));
        let name = required.next().map(Claim::name);
        match name.or_else(|| self.row.own_names(Presence::Required).next()) {
            Some(name) => self.altered(|token| drop(token.claims.remove(name))),
            None => never("this kind has no claim that must be there"),
        }
    }

    pub(super) fn claim_malformed(&self) -> Result<Attempt, NoRefusals> {
        let dates = [Claim::Exp, Claim::Iat].into_iter();
        let name = dates.map(Claim::name).find(|name| self.has(name));
        match name.or_else(|| self.row.own_names(Presence::Required).next()) {
            Some(name) => self.altered(|token| {
                token.claims.insert(name.to_owned(), json!(["x"]));
            }),
            None => never("this kind has no claim of a known type"),
        }
    }

    fn has(&self, name: &str) -> bool {
        let token = self.good.plain.as_ref().or(self.good.delegated.as_ref());
        token.is_some_and(|draft| draft.token.claims.contains_key(name))
    }

    pub(super) fn claim_forbidden(&self) -> Result<Attempt, NoRefusals> {
        let forbidden = self.row.forbidden.iter().map(Claim::name).next();
        match forbidden.or_else(|| self.row.own_names(Presence::Forbidden).next()) {
            Some(name) => self.altered(|token| {
                token.claims.insert(name.to_owned(), "x".into());
            }),
            None => never("this kind has no claim that must not be there"),
        }
    }

    pub(super) fn another_issuer(&self) -> Result<Attempt, NoRefusals> {
        match self.door.signer {
            SignerRule::Iss | SignerRule::IssOrOnly => {
                self.altered(|token| token.set(Claim::Iss, ELSEWHERE))
            }
            SignerRule::TrustDomain => self.altered(|token| {
                let scheme = token.claims.get("sub").and_then(Value::as_str);
                let scheme = scheme.and_then(|sub| sub.split_once("://"));
                let scheme = scheme.map_or("spiffe", |(scheme, _)| scheme);
                let sub = format!("{scheme}://elsewhere.invalid/agent");
                token.set(Claim::Sub, sub);
            }),
            SignerRule::Only => never("tokens of this kind do not say who signed them"),
        }
    }

    pub(super) fn another_audience(&self) -> Result<Attempt, NoRefusals> {
        if self.row.audience == AudienceRule::Never {
            return never("tokens of this kind are for nobody in particular");
        }
        self.altered(|token| token.set(Claim::Aud, ELSEWHERE))
    }

    pub(super) fn expired(&self) -> Result<Attempt, NoRefusals> {
        let mut draft = self.any()?;
        let Some(end) = draft.token.end() else {
            return never("tokens of this kind have no end of their own");
        };
        let late = self.now().saturating_sub(self.leeway());
        draft.token.shift(late.saturating_sub(end));
        draft.token.end_by(late);
        if draft.token.kind == Kind::IntrospectionResponse {
            draft.token.set(Claim::Iat, self.now()); // the response itself is new
        }
        send(draft)
    }

    pub(super) fn early(&self, claim: Claim) -> Result<Attempt, NoRefusals> {
        if self.row.forbidden.contains(claim) {
            return never("tokens of this kind have no dates");
        }
        let ahead = self.leeway().saturating_add(1);
        self.altered(|token| {
            if claim == Claim::Iat {
                token.shift(ahead);
            }
            token.set(claim, self.now().saturating_add(ahead));
        })
    }

    pub(super) fn too_old(&self) -> Result<Attempt, NoRefusals> {
        let caps = [self.door.max_age, self.row.max_age].into_iter().flatten();
        let Some(cap) = caps.min() else {
            return never("tokens of any age are good, until they expire");
        };
        let age = cap.seconds().saturating_add(self.leeway());
        let born = self.now().saturating_sub(age).saturating_sub(1);
        self.altered(|token| token.set(Claim::Iat, born))
    }

    pub(super) fn less_assured(&self) -> Result<Attempt, NoRefusals> {
        let rules = self.door.transactions.as_deref();
        if rules.is_none_or(|rules| rules.floor.is_none()) {
            return never("no level of assurance is asked for here");
        }
        self.altered(|token| set_assurance(token, "of nobody"))
    }

    pub(super) fn too_long(&self) -> Result<Attempt, NoRefusals> {
        let profile = self.good.entry.profile;
        if profile == Profile::IntentToken {
            // INTN-02: longer than what was approved.
            return self.altered(|token| {
                let mission = token.claims.get_mut("mission");
                if let Some(mission) = mission.and_then(Value::as_object_mut) {
                    mission.insert("expires_at".to_owned(), "1970-01-01T00:00:01Z".into());
                }
            });
        }
        let rules = self.door.delegation.rules();
        let of_agents = rules.and_then(|rules| rules.max_lifetime);
        let own = self.good.entry.max_lifetime;
        let mut draft = match (own, self.good.delegated.clone()) {
            (None, Some(delegated)) => delegated,
            (Some(_), _) | (None, None) => self.any()?,
        };
        let acts = draft.token.claims.contains_key(Claim::Act.name());
        let caps = [own, of_agents.filter(|_| acts)].into_iter().flatten();
        let (Some(cap), Some(_)) = (caps.min(), draft.token.end()) else {
            return self.too_long_after_another();
        };
        let late = self.now().saturating_add(cap.seconds()).saturating_add(1);
        draft.token.end_by(late);
        send(draft)
    }

    pub(super) fn inactive(&self) -> Result<Attempt, NoRefusals> {
        if self.door.kind != Kind::IntrospectionResponse {
            return never("only the answer of an authorization server says that");
        }
        self.altered(|token| {
            token.set(Claim::TokenIntrospection, json!({ "active": false }));
        })
    }

    /// A good token, which is revoked before it is judged.
    pub(super) fn revoked(&self) -> Result<Attempt, NoRefusals> {
        if self.forge.rules().revocation.waive().is_some() {
            return never("the policy asks nobody about revocations");
        }
        if !self.has(Claim::Jti.name()) {
            return never("tokens of this kind have no name of their own to be revoked by");
        }
        // A name of its own: the other requests are made of the same good token.
        self.altered_inside(|token| {
            let jti = token.claims.get(Claim::Jti.name());
            let jti = jti.and_then(|jti| jti.as_str()).unwrap_or_default();
            let own = format!("{jti}-revoked");
            token.set(Claim::Jti, own);
        })
    }

    pub(super) fn without_scope(&self) -> Result<Attempt, NoRefusals> {
        if self.door.required_scopes.is_empty() {
            return never("the gate asks for no scope");
        }
        if self.forge.closed {
            return never(super::CLOSED);
        }
        let mut draft = self.any()?;
        let name = Name::Scope.of(&self.issuer.claim_names, self.good.entry.profile);
        let kept = self.row.required.contains(Claim::Scope).then_some("x");
        // From a parent with as few, so that the chain is good.
        let tokens = [Some(&mut draft.token), draft.parent.as_mut()];
        for token in tokens.into_iter().flatten() {
            match kept {
                Some(kept) => drop(token.claims.insert(name.to_owned(), kept.into())),
                None => {
                    token.claims.remove(name);
                    token.remove(Claim::Scope);
                }
            }
        }
        send(draft)
    }

    pub(super) fn another_tool(&self) -> Result<Attempt, NoRefusals> {
        if self.door.kind != Kind::Capability {
            return never(super::CALL);
        }
        self.altered_inside(|token| {
            let entry = json!({ "type": "attenuating_agent_token", "tools": { "t2": {} } });
            token.set(Claim::AuthorizationDetails, vec![entry]);
        })
    }

    pub(super) fn another_sign_in(&self) -> Result<Attempt, NoRefusals> {
        if self.door.acr_values.is_empty() {
            return never("the gate asks for no sign-in of a certain strength");
        }
        self.altered_inside(|token| token.set(Claim::Acr, ELSEWHERE))
    }

    pub(super) fn with_status(&self) -> Result<Attempt, NoRefusals> {
        if self.forge.rules().preset != Preset::AgentStrict {
            return never("the preset asks for no status");
        }
        let lists = self.forge.rules().revocation.status.as_ref();
        if lists.is_some_and(|lists| lists.accept_marked) {
            return never("the policy accepts tokens whose list is missing");
        }
        self.altered_inside(|token| {
            let list = json!({ "idx": 0, "uri": "https://status.invalid/1" });
            token.set(Claim::Status, json!({ "status_list": list }));
        })
    }
}

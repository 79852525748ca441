//! The rules of a delegation table, judged (standards 30.4): allow rules on the outermost actor,
//! deny rules on any link. Compiled with the policy; nothing is allocated here.

use super::Actor;
use super::chain::{Chain, about_act};
use crate::claims::Claims;
use crate::error::{Code, Error};
use crate::policy::{
    ActorPattern, ActorPresence, AllowRule, DelegationRules, DenyReach, SelfActor, SubjectPattern,
};

/// Judges a chain of at least one link; `iss` is the token's.
pub(super) fn judge(
    chain: &Chain,
    claims: &Claims,
    iss: &str,
    rules: &DelegationRules,
) -> Result<(), Error> {
    if rules.require_complete && !is_complete(claims) {
        return Err(about_act(Code::ChainIncomplete));
    }
    let mut actors = chain.actors(claims.json(), iss);
    // TX-02: the others may end what it may do, and add nothing.
    let Some(outermost) = actors.next() else {
        return Ok(());
    };
    let subject = chain.subject(claims, iss);
    let acts_for_itself = subject == Some(outermost);
    if acts_for_itself && rules.self_actor == SelfActor::Reject {
        return Err(about_act(Code::ChainLoop)); // ACT-07
    }
    let denied = |actor: Actor<'_>| rules.deny.iter().any(|pattern| pattern.fits(actor));
    let inner_denied = rules.deny_reach == DenyReach::AnyLink && actors.any(denied);
    if inner_denied || denied(outermost) {
        return Err(about_act(Code::ActorNotAllowed));
    }
    let allowed = || {
        let mut rules = rules.allow.iter();
        rules.any(|rule| rule.fits(outermost, subject, claims))
    };
    // An agent that acts for itself is no delegation (ACT-07): it needs a rule no more than the
    // same token without `act` does.
    let free = acts_for_itself && rules.actor == ActorPresence::Optional;
    if free || allowed() {
        Ok(())
    } else {
        Err(about_act(Code::ActorNotAllowed))
    }
}

/// Whether one of the rules that let the outermost actor act lets it do so by this tool, or by
/// none. Who needs no rule is held to none.
pub(super) fn allow_tool(
    chain: &Chain,
    claims: &Claims,
    iss: &str,
    rules: &DelegationRules,
    tool: Option<&str>,
) -> bool {
    let Some(outermost) = chain.actors(claims.json(), iss).next() else {
        return true;
    };
    let subject = chain.subject(claims, iss);
    if subject == Some(outermost) && rules.actor == ActorPresence::Optional {
        return true;
    }
    let holds = |rule: &AllowRule| {
        rule.tools.is_empty() || tool.is_some_and(|tool| contains(&rule.tools, tool))
    };
    let mut rules = rules.allow.iter();
    rules.any(|rule| holds(rule) && rule.fits(outermost, subject, claims))
}

/// The Actor Profile draft's `chain_complete`: a chain is complete unless the issuer says that it
/// is not, or says it in a way that cannot be read.
pub(crate) fn is_complete(claims: &Claims) -> bool {
    let said = claims.json().root().get("chain_complete");
    said.is_none_or(|said| said.as_bool() == Some(true))
}

/// Why no rule lets this chain through, for people: the deny rule that fits, or of each allow rule
/// the first member that does not.
pub(crate) fn misfits(
    chain: &Chain,
    claims: &Claims,
    iss: &str,
    rules: &DelegationRules,
) -> Vec<String> {
    let reach = match rules.deny_reach {
        DenyReach::Outermost => 1,
        DenyReach::AnyLink => usize::MAX,
    };
    let denied = rules.deny.iter().enumerate().filter(|(_, pattern)| {
        let mut actors = chain.actors(claims.json(), iss).take(reach);
        actors.any(|actor| pattern.fits(actor))
    });
    let denied: Vec<String> = denied
        .map(|(place, _)| format!("deny[{place}] fits"))
        .collect();
    let Some(outermost) = chain.actors(claims.json(), iss).next() else {
        return denied;
    };
    if !denied.is_empty() {
        return denied;
    }
    let subject = chain.subject(claims, iss);
    let misfit = |rule: &AllowRule| {
        let member = rule.misfit(outermost, subject, claims)?;
        Some(format!("allow[{}] by {member}", rule.place))
    };
    rules.allow.iter().filter_map(misfit).collect()
}

impl AllowRule {
    fn fits(&self, actor: Actor<'_>, subject: Option<Actor<'_>>, claims: &Claims) -> bool {
        self.misfit(actor, subject, claims).is_none()
    }

    /// The first member that does not hold.
    fn misfit(
        &self,
        actor: Actor<'_>,
        subject: Option<Actor<'_>>,
        claims: &Claims,
    ) -> Option<&'static str> {
        let Self {
            place: _,
            actor: pattern,
            explicit_iss,
            subject: subject_pattern,
            audience,
            scopes_within,
            tools: _, // of the call, and not of the token
        } = self;
        if let Some(member) = pattern.misfit(actor) {
            return Some(member);
        }
        if *explicit_iss && actor.iss_inferred {
            return Some("explicit_iss");
        }
        if !subject_pattern.fits(subject) {
            return Some("subject");
        }
        if !audience.is_empty() && !claims.audience().any(|aud| contains(audience, aud)) {
            return Some("audience");
        }
        let within = |ceiling: &Vec<Box<str>>| {
            let mut scopes = claims.scopes();
            scopes.all(|scope| {
                ceiling
                    .binary_search_by(|known| (**known).cmp(scope))
                    .is_ok()
            })
        };
        (!scopes_within.as_ref().is_none_or(within)).then_some("scopes_within")
    }
}

impl ActorPattern {
    fn fits(&self, actor: Actor<'_>) -> bool {
        self.misfit(actor).is_none()
    }

    /// The first member that does not hold; `sub` first, since it is where actors differ.
    fn misfit(&self, actor: Actor<'_>) -> Option<&'static str> {
        let Self {
            iss,
            sub,
            sub_profile,
        } = self;
        if !sub.fits(actor.sub) {
            Some("actor.sub")
        } else if iss.as_deref().is_some_and(|iss| iss != actor.iss) {
            Some("actor.iss")
        } else if !has_profile(actor, sub_profile) {
            Some("actor.sub_profile")
        } else {
            None
        }
    }
}

impl SubjectPattern {
    fn fits(&self, subject: Option<Actor<'_>>) -> bool {
        let Self { iss, sub_profile } = self;
        if iss.is_empty() && sub_profile.is_empty() {
            return true;
        }
        subject.is_some_and(|subject| {
            (iss.is_empty() || contains(iss, subject.iss)) && has_profile(subject, sub_profile)
        })
    }
}

fn has_profile(party: Actor<'_>, wanted: &[Box<str>]) -> bool {
    wanted.is_empty() || party.sub_profile().is_some_and(|own| contains(wanted, own))
}

fn contains(texts: &[Box<str>], text: &str) -> bool {
    texts.iter().any(|known| **known == *text)
}

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

/// The Actor Profile draft's `chain_complete`: a chain is complete unless the issuer says that it
/// is not, or says it in a way that cannot be read.
fn is_complete(claims: &Claims) -> bool {
    let said = claims.json().root().get("chain_complete");
    said.is_none_or(|said| said.as_bool() == Some(true))
}

impl AllowRule {
    fn fits(&self, actor: Actor<'_>, subject: Option<Actor<'_>>, claims: &Claims) -> bool {
        let Self {
            actor: pattern,
            explicit_iss,
            subject: subject_pattern,
            audience,
            scopes_within,
        } = self;
        pattern.fits(actor)
            && !(*explicit_iss && actor.iss_inferred)
            && subject_pattern.fits(subject)
            && (audience.is_empty() || claims.audience().any(|aud| contains(audience, aud)))
            && scopes_within.as_ref().is_none_or(|ceiling| {
                let mut scopes = claims.scopes();
                scopes.all(|scope| {
                    ceiling
                        .binary_search_by(|known| (**known).cmp(scope))
                        .is_ok()
                })
            })
    }
}

impl ActorPattern {
    /// `sub` first: it is where actors differ.
    fn fits(&self, actor: Actor<'_>) -> bool {
        let Self {
            iss,
            sub,
            sub_profile,
        } = self;
        sub.fits(actor.sub)
            && iss.as_deref().is_none_or(|iss| iss == actor.iss)
            && has_profile(actor, sub_profile)
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

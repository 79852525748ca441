//! The chain of one token: `act` read link by link (ACT-01 to ACT-06, TX-01, TX-03), its circles
//! (ACT-08), and what the gate makes of it (ACT-09, ACT-10).

use super::Actor;
use super::{agentic, rules};
use crate::claims::{Claim, Claims};
use crate::encoding::json::{Json, Value};
use crate::error::{Code, Error};
use crate::policy::{
    ActIss, ActMeaning, ActorPresence, Delegation, GateRules, IssuerRules, Kind, Loops, Preset,
};

/// One link: the nodes of its `act` object, and of the two members that identify the actor.
#[derive(Clone, Copy, Debug)]
struct Link {
    claims: u32,
    sub: u32,
    iss: Option<u32>,
}

/// Evidence that the gate takes a token with this chain, or that there is none and need be none.
#[derive(Debug)]
pub(crate) struct ChainAccepted(Chain);

/// The links of `act`, outermost first.
#[derive(Debug)]
pub(crate) struct Chain {
    links: Vec<Link>,
    /// Where the issuer inverts `act`: for whom the token's own subject acts (DIA-02).
    delegator: Option<Link>,
}

/// Whether the gate takes a token with these actors, or with none; `iss` is the token's. Nothing
/// here depends on the call or the moment.
pub(crate) fn check(
    claims: &Claims,
    iss: &str,
    issuer: &IssuerRules,
    gate: &GateRules,
    preset: Preset,
) -> Result<ChainAccepted, Error> {
    if let Some(rules) = &gate.transactions {
        agentic::check(claims, rules)?;
    }
    let delegation = &gate.delegation;
    let Some(act) = claims.value(Claim::Act) else {
        let required = delegation
            .rules()
            .is_some_and(|rules| rules.actor == ActorPresence::Required);
        return if required {
            Err(about_act(Code::ActorMissing)) // ACT-10, TX-04 to TX-06: nothing else fills the gap
        } else {
            Ok(ChainAccepted(Chain::NONE))
        };
    };
    let chain = read_act(
        act,
        claims,
        issuer,
        gate.kind,
        preset,
        delegation.max_depth(),
    )?;
    if chain.has_loop(claims, iss, delegation.loops()) {
        return Err(about_act(Code::ChainLoop));
    }
    match delegation {
        Delegation::Forbid => Err(about_act(Code::ActorNotAllowed)), // ACT-09, IDT-11: never ignored
        Delegation::Surface => Ok(ChainAccepted(chain)),
        Delegation::Enforce(rules) => {
            rules::judge(&chain, claims, iss, rules)?;
            Ok(ChainAccepted(chain))
        }
    }
}

/// The chain of a token that is no credential here, but tells where another comes from: its form
/// is checked, and nobody asks who may act.
pub(crate) fn read(
    claims: &Claims,
    issuer: &IssuerRules,
    kind: Kind,
    preset: Preset,
    max_depth: usize,
) -> Result<Chain, Error> {
    match claims.value(Claim::Act) {
        Some(act) => read_act(act, claims, issuer, kind, preset, max_depth),
        None => Ok(Chain::NONE),
    }
}

fn read_act(
    act: Value<'_>,
    claims: &Claims,
    issuer: &IssuerRules,
    kind: Kind,
    preset: Preset,
    max_depth: usize,
) -> Result<Chain, Error> {
    let act_iss = issuer.act_iss(kind);
    match issuer.act_meaning {
        ActMeaning::Rfc8693 => Chain::parse(act, act_iss, preset, max_depth),
        ActMeaning::Inverted => Chain::parse_inverted(act, claims, act_iss, preset),
    }
}

pub(super) fn about_act(code: Code) -> Error {
    Error::about(code, Claim::Act.name())
}

impl ChainAccepted {
    pub(crate) const fn chain(&self) -> &Chain {
        &self.0
    }

    pub(crate) fn into_chain(self) -> Chain {
        self.0
    }
}

impl Chain {
    const NONE: Self = Self {
        links: Vec::new(),
        delegator: None,
    };

    /// Walks `act` from the outermost link inwards, checking each.
    fn parse(
        act: Value<'_>,
        act_iss: ActIss,
        preset: Preset,
        max_depth: usize,
    ) -> Result<Self, Error> {
        let mut links = Vec::with_capacity(max_depth.min(crate::limits::ACTOR_DEPTH));
        let mut next = Some(act);
        while let Some(link) = next {
            if links.len() == max_depth {
                return Err(about_act(Code::ChainTooDeep)); // ACT-05: never truncated
            }
            let (link, inner) = check_link(link, act_iss, preset)?;
            links.push(link);
            next = inner;
        }
        Ok(Self {
            links,
            delegator: None,
        })
    }

    /// DIA-02: `act` names for whom the token's subject acts, and nobody before that.
    fn parse_inverted(
        act: Value<'_>,
        claims: &Claims,
        act_iss: ActIss,
        preset: Preset,
    ) -> Result<Self, Error> {
        let (delegator, inner) = check_link(act, act_iss, preset)?;
        if inner.is_some() {
            return Err(about_act(Code::ActorMalformed));
        }
        let sub = claims
            .value(Claim::Sub)
            .ok_or_else(|| Error::about(Code::MissingClaim, Claim::Sub.name()))?;
        let actor = Link {
            claims: claims.json().root().node(),
            sub: sub.node(),
            iss: claims.value(Claim::Iss).map(|iss| iss.node()),
        };
        Ok(Self {
            links: vec![actor],
            delegator: Some(delegator),
        })
    }

    /// ACT-08: an actor that acts twice, or a subject that acts for itself by way of another. The
    /// outermost actor may be the subject: an agent acting for itself (ACT-07).
    fn has_loop(&self, claims: &Claims, iss: &str, loops: Loops) -> bool {
        if self.links.len() < 2 || loops == Loops::Allow {
            return false;
        }
        let json = claims.json();
        let names = || self.links.iter().filter_map(|link| link.name(json, iss));
        let subject = self.subject(claims, iss);
        let subject = subject.map(|subject| (subject.sub, subject.iss));
        match loops {
            Loops::Allow => false,
            Loops::DenyAny => names().enumerate().skip(1).any(|(place, name)| {
                subject == Some(name) || names().take(place).any(|outer| outer == name)
            }),
            // Beside the earliest actor stands the subject.
            Loops::DenyAdjacent => {
                let inner = names().skip(1).map(Some).chain([subject]);
                names()
                    .zip(inner)
                    .any(|(outer, inner)| Some(outer) == inner)
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.links.len()
    }

    /// Whether the issuer's `act` was read the other way round (DIA-02).
    pub(crate) const fn is_mapped(&self) -> bool {
        self.delegator.is_some()
    }

    /// Bytes held on the heap.
    pub(crate) fn heap_size(&self) -> usize {
        self.links.capacity() * size_of::<Link>()
    }

    /// The actors, outermost first; `iss` is the enclosing token's.
    pub(crate) fn actors<'a>(
        &'a self,
        json: &'a Json,
        iss: &'a str,
    ) -> impl DoubleEndedIterator<Item = Actor<'a>> {
        self.links
            .iter()
            .filter_map(move |link| link.actor(json, iss))
    }

    /// For whom the actors act, as a party like them; `iss` is the token's.
    pub(crate) fn subject<'a>(&self, claims: &'a Claims, iss: &'a str) -> Option<Actor<'a>> {
        if let Some(delegator) = self.delegator {
            return delegator.actor(claims.json(), iss);
        }
        Some(Actor {
            iss,
            sub: claims.text(Claim::Sub)?,
            iss_inferred: false,
            claims: claims.json().root(),
        })
    }
}

impl Link {
    /// What identifies the actor, `sub` first: it is where two differ.
    fn name<'a>(self, json: &'a Json, iss: &'a str) -> Option<(&'a str, &'a str)> {
        let own = self.iss.and_then(|node| json.value(node)?.as_str());
        Some((json.value(self.sub)?.as_str()?, own.unwrap_or(iss)))
    }

    fn actor<'a>(self, json: &'a Json, iss: &'a str) -> Option<Actor<'a>> {
        let own = self.iss.and_then(|node| json.value(node)?.as_str());
        Some(Actor {
            iss: own.unwrap_or(iss),
            sub: json.value(self.sub)?.as_str()?,
            iss_inferred: own.is_none(),
            claims: json.value(self.claims)?,
        })
    }
}

/// Checks one link and returns the one inside it (TX-01). `exp`, `nbf` and `aud` of a link mean
/// nothing (TX-03).
fn check_link<'a>(
    link: Value<'a>,
    act_iss: ActIss,
    preset: Preset,
) -> Result<(Link, Option<Value<'a>>), Error> {
    let malformed = || about_act(Code::ActorMalformed);
    let members = link.as_object().ok_or_else(malformed)?; // ACT-01
    let (mut sub, mut iss, mut inner) = (None, None, None);
    let is_text = |value: Value<'_>| value.as_str().is_some_and(|text| !text.is_empty());
    for (name, value) in members {
        match name {
            "sub" if is_text(value) => sub = Some(value.node()),
            "iss" if is_text(value) => iss = Some(value.node()),
            "sub" | "iss" => return Err(malformed()),
            // The Actor Profile draft knows it on the token only: inside `act` it claims an
            // identity kind that nobody checked (ACT-04).
            "client_profile" if preset == Preset::AgentStrict => return Err(malformed()),
            "act" => inner = Some(value),
            _ => {}
        }
    }
    let sub = sub.ok_or_else(malformed)?; // ACT-02
    if iss.is_none() && act_iss == ActIss::Require {
        return Err(malformed()); // ACT-03
    }
    let claims = link.node();
    Ok((Link { claims, sub, iss }, inner))
}

/// The chain of claims that are known to have a good one.
#[cfg(test)]
pub(super) fn of_tests(claims: &Claims) -> Chain {
    let act = claims.value(Claim::Act);
    let read = |act| Chain::parse(act, ActIss::Inherit, Preset::AgentStrict, 32).unwrap();
    act.map_or(Chain::NONE, read)
}

#[cfg(test)]
mod tests;

//! Reads `act` (ACT-01 to ACT-06): structure only; who may act is a policy's decision.

use crate::claims::{Claim, Claims};
use crate::encoding::json::{Json, Value};
use crate::error::{Code, Error};
use crate::limits::ACTOR_DEPTH;
use crate::policy::{ActIss, Delegation, Preset};

/// An actor of the chain: a party that acts for the subject, identified by the exact pair of
/// issuer and subject.
#[derive(Clone, Copy)]
pub struct Actor<'a> {
    iss: &'a str,
    sub: &'a str,
    iss_inferred: bool,
    claims: Value<'a>,
}

impl<'a> Actor<'a> {
    /// The actor's issuer: its own `iss`, else the token's (ACT-03).
    #[must_use]
    pub fn iss(&self) -> &'a str {
        self.iss
    }

    /// The actor's `sub`.
    #[must_use]
    pub fn sub(&self) -> &'a str {
        self.sub
    }

    /// Whether [`Actor::iss`] was taken from the token because the link names none.
    #[must_use]
    pub fn iss_inferred(&self) -> bool {
        self.iss_inferred
    }

    /// The `sub_profile` member (Actor Profile draft).
    #[must_use]
    pub fn sub_profile(&self) -> Option<&'a str> {
        self.claims.get("sub_profile")?.as_str()
    }

    /// The source text of the `act` object, nested actors included. Members such as `exp` or
    /// `cnf` in it mean nothing (ACT-04).
    #[must_use]
    pub fn json(&self) -> &'a str {
        self.claims.raw()
    }
}

impl PartialEq for Actor<'_> {
    /// `sub` first: it is where two actors differ.
    fn eq(&self, other: &Self) -> bool {
        self.sub == other.sub && self.iss == other.iss
    }
}

impl Eq for Actor<'_> {}

impl std::fmt::Debug for Actor<'_> {
    /// Claim values stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Actor")
            .field("iss_inferred", &self.iss_inferred)
            .finish_non_exhaustive()
    }
}

/// One link: the nodes of its `act` object, and of the two members that identify the actor.
#[derive(Clone, Copy, Debug)]
struct Link {
    claims: u32,
    sub: u32,
    iss: Option<u32>,
}

/// The links of `act`, outermost first: evidence that the gate takes a token with this chain, or
/// that there is none.
#[derive(Debug)]
pub(crate) struct ChainAccepted {
    links: Vec<Link>,
}

/// ACT-09: `act` is refused, or read and shown; never ignored.
pub(crate) fn check(
    claims: &Claims,
    iss: &str,
    act_iss: ActIss,
    delegation: Delegation,
    preset: Preset,
) -> Result<ChainAccepted, Error> {
    let Some(act) = claims.value(Claim::Act) else {
        return Ok(ChainAccepted { links: Vec::new() });
    };
    let chain = ChainAccepted::parse(act, act_iss, preset)?;
    if chain.has_loop(claims, iss) {
        return Err(Error::about(Code::ChainLoop, Claim::Act.name()));
    }
    match delegation {
        Delegation::Forbid => Err(Error::about(Code::ActorNotAllowed, Claim::Act.name())),
        Delegation::Surface => Ok(chain),
    }
}

impl ChainAccepted {
    /// Walks `act` from the outermost link inwards, checking each.
    fn parse(act: Value<'_>, act_iss: ActIss, preset: Preset) -> Result<Self, Error> {
        let mut links = Vec::with_capacity(2);
        let mut next = Some(act);
        while let Some(link) = next {
            if links.len() == ACTOR_DEPTH {
                return Err(Error::about(Code::ChainTooDeep, "act")); // ACT-05: never truncated
            }
            let (link, inner) = check_link(link, act_iss, preset)?;
            links.push(link);
            next = inner;
        }
        Ok(Self { links })
    }

    /// ACT-08: an actor that acts twice, or a subject that acts for itself by way of another. The
    /// outermost actor may be the subject: an agent acting for itself (ACT-07).
    fn has_loop(&self, claims: &Claims, iss: &str) -> bool {
        let subject = claims.text(Claim::Sub);
        let actors = || self.actors(claims.json(), iss);
        actors().enumerate().any(|(place, actor)| {
            let is_subject = place > 0 && subject == Some(actor.sub) && actor.iss == iss;
            is_subject || actors().take(place).any(|outer| outer == actor)
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.links.len()
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
        self.links.iter().filter_map(move |link| {
            let own = link.iss.and_then(|node| json.value(node)?.as_str());
            Some(Actor {
                iss: own.unwrap_or(iss),
                sub: json.value(link.sub)?.as_str()?,
                iss_inferred: own.is_none(),
                claims: json.value(link.claims)?,
            })
        })
    }
}

/// Checks one link and returns the one inside it.
fn check_link<'a>(
    link: Value<'a>,
    act_iss: ActIss,
    preset: Preset,
) -> Result<(Link, Option<Value<'a>>), Error> {
    let malformed = || Error::about(Code::ActorMalformed, "act");
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

#[cfg(test)]
mod tests {
    use super::{ChainAccepted, check};
    use crate::claims::Claims;
    use crate::encoding::json::Json;
    use crate::error::Code;
    use crate::limits::Limits;
    use crate::policy::{ActIss, Delegation, Preset};

    fn parse(text: &str, act_iss: ActIss, preset: Preset) -> Result<Vec<String>, Code> {
        let json = Json::parse(text.into(), Limits::DEFAULT.into()).unwrap();
        let chain =
            ChainAccepted::parse(json.root(), act_iss, preset).map_err(|error| error.code())?;
        let actors = chain.actors(&json, "https://as.example");
        Ok(actors
            .map(|actor| format!("{} {}", actor.iss(), actor.sub()))
            .collect())
    }

    fn strict(text: &str) -> Result<Vec<String>, Code> {
        parse(text, ActIss::Inherit, Preset::AgentStrict)
    }

    /// `count` links, outermost `"sub": "0"`.
    fn links(count: usize) -> String {
        (0..count).rev().fold(String::new(), |inner, link| {
            let inner = if inner.is_empty() {
                inner
            } else {
                format!(",\"act\":{inner}")
            };
            format!("{{\"sub\":\"{link}\"{inner}}}")
        })
    }

    #[test]
    fn outermost_comes_first_and_a_missing_issuer_is_the_tokens() {
        let text = r#"{"sub":"b","iss":"https://b.example","act":{"sub":"a"}}"#;
        let chain = strict(text).unwrap();
        assert_eq!(chain, ["https://b.example b", "https://as.example a"]);
        // ACT-03
        let required = parse(text, ActIss::Require, Preset::AgentStrict);
        assert_eq!(required, Err(Code::ActorMalformed));
    }

    #[test]
    fn d07_what_identifies_nobody_is_malformed() {
        for text in [
            "null",
            "[]",
            "\"a\"",
            "true",
            "{}",
            r#"{"sub":""}"#,
            r#"{"sub":1}"#,
            r#"{"sub":"a","iss":""}"#,
            r#"{"sub":"a","iss":null}"#,
            r#"{"sub":"a","act":null}"#,
            r#"{"sub":"a","act":{}}"#,
            r#"{"sub":"a","client_profile":"x"}"#,
        ] {
            assert_eq!(strict(text), Err(Code::ActorMalformed), "{text}");
        }
        let lenient = parse(
            r#"{"sub":"a","client_profile":"x"}"#,
            ActIss::Inherit,
            Preset::Rfc,
        );
        assert!(lenient.is_ok());
    }

    #[test]
    fn d08_other_members_of_an_actor_mean_nothing() {
        let text = r#"{"sub":"a","exp":1,"nbf":"x","aud":"other","cnf":[],"may_act":{},"x":null}"#;
        assert!(strict(text).is_ok());
    }

    #[test]
    fn act_08_nobody_acts_twice() {
        let checked = |act: &str| {
            let json = format!(r#"{{"iss":"https://as.example","sub":"u","act":{act}}}"#);
            let json = Json::parse(json.into(), Limits::DEFAULT.into()).unwrap();
            let claims = Claims::locate(json).unwrap();
            let iss = claims.text(crate::claims::Claim::Iss).unwrap();
            check(
                &claims,
                iss,
                ActIss::Inherit,
                Delegation::Surface,
                Preset::Rfc,
            )
            .map(|chain| chain.len())
            .map_err(|error| error.code())
        };
        for (act, verdict) in [
            (r#"{"sub":"a","act":{"sub":"b"}}"#, Ok(2)),
            // The same name under another issuer is another actor.
            (
                r#"{"sub":"a","act":{"sub":"a","iss":"https://b.example"}}"#,
                Ok(2),
            ),
            // ACT-07: the outermost may be the subject itself.
            (r#"{"sub":"u","act":{"sub":"b"}}"#, Ok(2)),
            (r#"{"sub":"a","act":{"sub":"a"}}"#, Err(Code::ChainLoop)),
            (
                r#"{"sub":"a","act":{"sub":"b","act":{"sub":"a"}}}"#,
                Err(Code::ChainLoop),
            ),
            // An issuer spelled out is the one inherited.
            (
                r#"{"sub":"a","act":{"sub":"a","iss":"https://as.example"}}"#,
                Err(Code::ChainLoop),
            ),
            (r#"{"sub":"a","act":{"sub":"u"}}"#, Err(Code::ChainLoop)),
        ] {
            assert_eq!(checked(act), verdict, "{act}");
        }
    }

    #[test]
    fn d10_five_links_pass_and_six_are_never_cut_short() {
        assert_eq!(strict(&links(5)).unwrap().len(), 5);
        assert_eq!(strict(&links(6)), Err(Code::ChainTooDeep));
    }
}

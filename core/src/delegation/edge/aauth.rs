//! From one AAuth token to the next (draft-hardt-oauth-aauth-protocol, Agent Delegation; the row
//! `aauth` of standards 30.5): from an agent's token to its sub-agent's, or from the auth token
//! that a resource was called with to the one it calls on with.
//!
//! A directed `sub` is another at every resource, and what the next resource may do is no part of
//! what the one before could: neither is compared. That a mission is over only its person server
//! knows, since a token has no more of it than its hash.

use super::{Member, broken};
use crate::claims::Claim;
use crate::error::{Code, Error};
use crate::policy::Lineage;
use crate::time::Span;

const PARENT: &str = "parent_agent";
const MISSION: &str = "mission_s256";
const PERSON_SERVER: &str = "ps";

/// The most that a token which follows another lives.
const MOST: Span = Span::from_seconds(3600);

/// How much ties the two together.
pub(super) fn check(parent: &Member<'_>, child: &Member<'_>) -> Result<Lineage, Error> {
    let mission = |token: &Member<'_>| token.other(MISSION).map(|value| value.raw().to_owned());
    let shared = mission(child);
    if mission(parent) != shared {
        return Err(Error::about(Code::IntentMismatch, MISSION));
    }
    let lives = child.dates.expires_at.zip(child.dates.issued_at);
    if lives.is_none_or(|(end, born)| end.since(born) > MOST) {
        return Err(Error::about(Code::LifetimeTooLong, Claim::Exp.name()));
    }
    if child.other(PARENT).is_some() {
        check_sub_agent(parent, child)?;
        return Ok(Lineage::IssuerAttested);
    }
    // An auth token names no agent: one person server and one mission are all there is to see.
    let text = |token: &Member<'_>, name: &str| {
        let value = token.other(name)?.as_str()?;
        Some(value.to_owned())
    };
    let server = text(child, PERSON_SERVER);
    if server.is_none() || server != text(parent, PERSON_SERVER) || text(child, MISSION).is_none() {
        return Err(broken());
    }
    Ok(Lineage::Correlated)
}

/// The same provider says of both: this one is the other's sub-agent, and that one nobody's.
fn check_sub_agent(parent: &Member<'_>, child: &Member<'_>) -> Result<(), Error> {
    let named = child.other(PARENT).and_then(|name| name.as_str());
    let agent = parent.claims.text(Claim::Sub);
    let level = parent.other(PARENT).is_none();
    if level && named.is_some() && named == agent && parent.iss == child.iss {
        Ok(())
    } else {
        Err(Error::about(Code::ChainLinkBroken, PARENT))
    }
}

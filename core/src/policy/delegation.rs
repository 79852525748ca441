//! Who may act for whom at a gate (standards 30.4): a `[delegation.X]` table as one gate reads it.

use crate::claims::{Claim, Claims};
use crate::limits::ACTOR_DEPTH;
use crate::time::Span;

use super::{Edges, GateRules, Preset};

/// What a gate does with `act`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delegation {
    /// A token with `act` is refused (ACT-09).
    Forbid,
    /// The chain is parsed, checked for structure, and shown.
    Surface,
    /// The chain is judged by a table.
    Enforce(Box<DelegationRules>),
}

/// One `[delegation.X]` table, with the rules of one gate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DelegationRules {
    /// The policy's name for the table.
    pub(crate) name: Box<str>,
    pub(crate) actor: ActorPresence,
    /// The most links of `act` (ACT-05).
    pub(crate) max_depth: usize,
    pub(crate) loops: Loops,
    pub(crate) self_actor: SelfActor,
    pub(crate) presenter: PresenterRule,
    /// Cap on `exp - iat` of a token with `act`; `None` is no cap.
    pub(crate) max_lifetime: Option<Span>,
    /// The least that must be proven of a chain.
    pub(crate) min_lineage: Lineage,
    /// A chain that says it is not complete is refused.
    pub(crate) require_complete: bool,
    /// One of these must fit the outermost actor.
    pub(crate) allow: Vec<AllowRule>,
    /// None of these may fit any link that they reach.
    pub(crate) deny: Vec<ActorPattern>,
    pub(crate) deny_reach: DenyReach,
    pub(crate) edges: Edges,
}

/// How much is proven about a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Lineage {
    /// There is no chain.
    None,
    /// The issuer of the one token says so.
    Asserted,
    /// Further tokens share a task with it, and nothing more.
    Correlated,
    /// Each step is the word of an issuer that is trusted for it, and no step leaves anybody out.
    IssuerAttested,
    /// Each step is signed by the party that delegated.
    Cryptographic,
}

impl Lineage {
    /// The spelling in policy documents and results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Asserted => "asserted",
            Self::Correlated => "correlated",
            Self::IssuerAttested => "issuer_attested",
            Self::Cryptographic => "cryptographic",
        }
    }
}

/// Whether a token must have an actor (ACT-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActorPresence {
    Optional,
    Required,
}

/// Which repetitions of an actor are refused (ACT-08).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loops {
    DenyAny,
    DenyAdjacent,
    Allow,
}

/// An outermost actor that is the subject (ACT-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SelfActor {
    /// An agent that acts for itself: no delegation.
    Accept,
    Reject,
}

/// Whether the caller, where its workload identity is known, must be the outermost actor (CD-02).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PresenterRule {
    MustBeActor,
    Any,
}

/// Which links a deny rule looks at. RFC 8693 §4.1 keeps inner actors out of access decisions, so
/// the preset `rfc` does too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DenyReach {
    Outermost,
    AnyLink,
}

/// An actor, as a rule describes it: all of its members hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActorPattern {
    /// The exact issuer; `None` is any.
    pub(crate) iss: Option<Box<str>>,
    pub(crate) sub: SubPattern,
    /// One of these is its `sub_profile`; empty is any.
    pub(crate) sub_profile: Vec<Box<str>>,
}

/// Which `sub` an actor has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SubPattern {
    Any,
    /// One of these, sorted.
    OneOf(Vec<Box<str>>),
    /// Everything below this, which ends in `/`.
    Below(Box<str>),
}

/// A rule that lets an actor act: all of its members hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AllowRule {
    /// Where it stands among the rules of its table.
    pub(crate) place: usize,
    pub(crate) actor: ActorPattern,
    /// The actor's issuer is written in the link, and not taken from the token (ACT-03).
    pub(crate) explicit_iss: bool,
    pub(crate) subject: SubjectPattern,
    /// The token is for one of these; empty is any audience of the gate.
    pub(crate) audience: Vec<Box<str>>,
    /// Every scope of the token is one of these, sorted; `None` is no ceiling.
    pub(crate) scopes_within: Option<Vec<Box<str>>>,
    /// A call that says what it does does it by one of these; empty is anything.
    pub(crate) tools: Vec<Box<str>>,
}

/// For whom an actor may act; empty lists are anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SubjectPattern {
    /// Exact issuers.
    pub(crate) iss: Vec<Box<str>>,
    pub(crate) sub_profile: Vec<Box<str>>,
}

impl Delegation {
    /// The most links of `act`.
    pub(crate) fn max_depth(&self) -> usize {
        self.rules().map_or(ACTOR_DEPTH, |rules| rules.max_depth)
    }

    pub(crate) fn loops(&self) -> Loops {
        self.rules().map_or(Loops::DenyAny, |rules| rules.loops)
    }

    /// The least that must be proven of a chain.
    pub(crate) fn min_lineage(&self) -> Lineage {
        let asserted = Lineage::Asserted;
        self.rules().map_or(asserted, |rules| rules.min_lineage)
    }

    pub(crate) fn edges(&self) -> &Edges {
        static DEFAULT: Edges = Edges::DEFAULT;
        self.rules().map_or(&DEFAULT, |rules| &rules.edges)
    }

    /// The gate's table, where it names one.
    pub(crate) fn rules(&self) -> Option<&DelegationRules> {
        match self {
            Self::Enforce(rules) => Some(rules),
            Self::Forbid | Self::Surface => None,
        }
    }
}

impl DenyReach {
    pub(crate) const fn of(preset: Preset) -> Self {
        match preset {
            Preset::Rfc => Self::Outermost,
            Preset::AgentStrict => Self::AnyLink,
        }
    }
}

impl GateRules {
    /// The cap on `exp - iat` of a token here, when its issuer's is `own`: a delegated token may
    /// have a shorter one.
    pub(crate) fn max_lifetime(&self, own: Option<Span>, claims: &Claims) -> Option<Span> {
        let delegated = self.delegated_lifetime(claims);
        [own, delegated].into_iter().flatten().min()
    }

    /// The table's cap, for a token with `act`.
    pub(crate) fn delegated_lifetime(&self, claims: &Claims) -> Option<Span> {
        let rules = self.delegation.rules()?;
        let acts = claims.present().contains(Claim::Act);
        rules.max_lifetime.filter(|_| acts)
    }
}

impl SubPattern {
    pub(crate) fn fits(&self, sub: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(subs) => subs.binary_search_by(|known| (**known).cmp(sub)).is_ok(),
            Self::Below(prefix) => sub.strip_prefix(&**prefix).is_some_and(stays_below),
        }
    }
}

/// Whether a path below a prefix stays there for whoever resolves it (RFC 3986 §5.2.4): `../admin`
/// does not.
fn stays_below(path: &str) -> bool {
    !path.is_empty() && !path.split('/').any(is_dot_segment)
}

fn is_dot_segment(segment: &str) -> bool {
    const SPELLINGS: [&str; 6] = [".", "..", "%2e", ".%2e", "%2e.", "%2e%2e"];
    SPELLINGS
        .iter()
        .any(|dots| segment.eq_ignore_ascii_case(dots))
}

#[cfg(test)]
mod tests {
    use super::SubPattern;

    #[test]
    fn a_prefix_ends_at_a_boundary_and_cannot_be_left_again() {
        let below = SubPattern::Below("spiffe://example.com/agents/".into());
        for sub in [
            "research/7",
            "a",
            ".a",
            "a.b",
            "...",
            "%2ea",
            "a/",
            "%2e%2e%2e",
        ] {
            assert!(
                below.fits(&format!("spiffe://example.com/agents/{sub}")),
                "{sub}"
            );
        }
        for sub in [
            "spiffe://example.com/agents/",
            "spiffe://example.com/agents",
            "spiffe://example.com/agents-evil/a",
            "spiffe://example.com/agents/../admin",
            "spiffe://example.com/agents/.",
            "spiffe://example.com/agents/a/..",
            "spiffe://example.com/agents/%2e%2E/admin",
            "spiffe://example.com/agents/.%2e/admin",
            "SPIFFE://example.com/agents/a",
            "x spiffe://example.com/agents/a",
        ] {
            assert!(!below.fits(sub), "{sub}");
        }
    }

    #[test]
    fn a_set_is_exact() {
        let set = SubPattern::OneOf(vec!["crawler-1".into(), "crawler-2".into()]);
        assert!(set.fits("crawler-2"));
        for sub in ["", "crawler-", "crawler-11", "Crawler-1"] {
            assert!(!set.fits(sub), "{sub}");
        }
        assert!(SubPattern::Any.fits("anyone"));
    }
}

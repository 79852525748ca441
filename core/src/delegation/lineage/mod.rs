//! A chain proven by several tokens (standards 30.6): put in order, each edge judged, and the
//! weakest of them told.

use std::cmp::Reverse;

use super::chain::Chain;
use super::edge::{self, Member, Shown, Terms, broken};
use super::offline::Derived;
use super::proofs::Coverage;
use super::task;
use crate::claims::Claim;
use crate::error::{Code, Error};
use crate::policy::{Kind, Lineage, Preset};
use crate::time::NumericDate;

/// Evidence that as much is proven of the chain as the gate asks for.
#[derive(Debug)]
pub(crate) struct LineageAccepted {
    lineage: Lineage,
    unproven: Dimensions,
}

/// What edges can compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dimension {
    /// Who the subject is.
    Subject,
    /// `scope`.
    Scope,
    /// `exp`.
    Time,
    /// `aud`.
    Audience,
    /// `authorization_details`.
    Details,
}

/// A set of dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dimensions(u8);

impl Dimension {
    const ALL: [(Self, Dimensions); 5] = [
        (Self::Subject, Dimensions::SUBJECT),
        (Self::Scope, Dimensions::SCOPE),
        (Self::Time, Dimensions::TIME),
        (Self::Audience, Dimensions::AUDIENCE),
        (Self::Details, Dimensions::DETAILS),
    ];

    /// The stable spelling, the same in every language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Scope => "scope",
            Self::Time => "time",
            Self::Audience => "audience",
            Self::Details => "details",
        }
    }
}

impl Dimensions {
    pub(crate) const NONE: Self = Self(0);
    pub(super) const SUBJECT: Self = Self(1);
    pub(super) const SCOPE: Self = Self(2);
    pub(super) const TIME: Self = Self(4);
    pub(super) const AUDIENCE: Self = Self(8);
    pub(super) const DETAILS: Self = Self(16);
    pub(super) const ALL: Self = Self(31);

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Dimension> {
        let each = Dimension::ALL.into_iter();
        each.filter_map(move |(dimension, bit)| (self.0 & bit.0 != 0).then_some(dimension))
    }
}

impl LineageAccepted {
    pub(crate) const fn lineage(&self) -> Lineage {
        self.lineage
    }

    /// A token without actors has no chain to prove.
    fn at_least(self, least: Lineage, chain: &Chain) -> Result<Self, Error> {
        if chain.len() > 0 && self.lineage < least {
            return Err(broken());
        }
        Ok(self)
    }

    /// What the edges took on an issuer's word.
    pub(crate) const fn unproven(&self) -> Dimensions {
        self.unproven
    }
}

/// What is proven of the chain of a token that its holder derived: all of it, since keys did it.
pub(crate) fn of_keys(derived: Derived) -> LineageAccepted {
    let Derived { .. } = derived;
    LineageAccepted {
        lineage: Lineage::Cryptographic,
        unproven: Dimensions::NONE,
    }
}

/// What is proven of the chain of a token that comes alone: its issuer says so, and each actor for
/// itself where it has signed. `least` is what the gate asks for.
pub(crate) fn assert(
    chain: &Chain,
    coverage: Coverage,
    least: Lineage,
) -> Result<LineageAccepted, Error> {
    let lineage = match (chain.len(), coverage) {
        (0, _) => Lineage::None,
        (_, Coverage::Partial) => Lineage::Asserted,
        (_, Coverage::Whole) => Lineage::Cryptographic,
    };
    let unproven = Dimensions::NONE;
    LineageAccepted { lineage, unproven }.at_least(least, chain)
}

/// Judges a token together with those it comes from, in whatever order they are given.
pub(crate) fn prove(
    leaf: &Member<'_>,
    ancestors: &[Member<'_>],
    coverage: Coverage,
    least: Lineage,
    terms: &Terms<'_>,
) -> Result<LineageAccepted, Error> {
    let before: Vec<&Member<'_>> = ancestors
        .iter()
        .filter(|further| !accompanies(further, leaf))
        .collect();
    if before.is_empty() {
        let shares = |beside: &Member<'_>| task::is_shared(leaf, beside, terms.intent);
        let mut accepted = assert(leaf.chain, coverage, Lineage::None)?;
        if accepted.lineage == Lineage::Asserted && ancestors.iter().any(shares) {
            accepted.lineage = Lineage::Correlated;
        }
        return accepted.at_least(least, leaf.chain);
    }
    let mut accepted = prove_edges(leaf, before, terms)?;
    // The actors' own word upgrades that of the issuers, who still had to keep to the edges.
    if coverage == Coverage::Whole {
        accepted.lineage = Lineage::Cryptographic;
    }
    accepted.at_least(least, leaf.chain)
}

/// Judges one step: whether `child` comes out of `parent` as the edge between their kinds allows.
pub(crate) fn prove_next(
    parent: &Member<'_>,
    child: &Member<'_>,
    terms: &Terms<'_>,
) -> Result<(), Error> {
    edge::judge(parent, child, terms).map(|Shown { .. }| ())
}

/// Whether a further token stands beside another and not before it: the transaction token of the
/// request that an access token is for. That the two are for one task is asked elsewhere (CD-03).
fn accompanies(further: &Member<'_>, leaf: &Member<'_>) -> bool {
    further.kind == Kind::TxnToken && leaf.kind == Kind::AccessToken
}

fn prove_edges<'m>(
    leaf: &'m Member<'m>,
    mut order: Vec<&'m Member<'m>>,
    terms: &Terms<'_>,
) -> Result<LineageAccepted, Error> {
    if terms.preset == Preset::AgentStrict && leaf.claims.audience().count() != 1 {
        return Err(Error::about(Code::AttenuationAudience, Claim::Aud.name())); // ATN-15
    }
    for member in &order {
        member.issued_at()?;
    }
    order.sort_by_key(|member| age(member));
    // Two tokens that nothing tells apart: which of them the next one came from is anybody's
    // guess.
    let twins = order.windows(2).any(|pair| match pair {
        [one, other] => age(one) == age(other),
        _ => false,
    });
    if twins {
        return Err(broken());
    }
    order.push(leaf);
    let mut accepted = LineageAccepted {
        lineage: Lineage::Cryptographic,
        unproven: Dimensions::NONE,
    };
    for pair in order.windows(2) {
        let [parent, child] = pair else { continue };
        let Shown { strength, unproven } = edge::judge(parent, child, terms)?;
        accepted.lineage = accepted.lineage.min(strength);
        accepted.unproven = accepted.unproven.with(unproven);
    }
    Ok(accepted)
}

/// What puts tokens in the order in which they were issued: the moment, then how far the chain had
/// grown, then the kind, a grant before the token it becomes, then the end, the latest first.
type Age = (Option<NumericDate>, usize, u8, Reverse<Option<NumericDate>>);

fn age(member: &Member<'_>) -> Age {
    let becomes = if member.kind == Kind::TxnToken {
        2
    } else {
        u8::from(member.kind == Kind::AccessToken)
    };
    let (born, end) = (member.dates.issued_at, Reverse(member.dates.expires_at));
    (born, member.chain.len(), becomes, end)
}

#[cfg(test)]
mod tests;

//! What a token may take over from the one before it (standards 30.5): literal attenuation is wrong
//! on some edges, and leaving it out is wrong on others.

use super::profile::Kind;

/// How one token comes out of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// Token exchange (RFC 8693) at one issuer.
    Exchange,
    /// A grant of one issuer becomes the access token of another (identity chaining).
    CrossDomain,
    /// An access token becomes a transaction token of a trust domain.
    AtToTxn,
    /// A transaction token is replaced on its way through its trust domain (TXT-13).
    TxnReplace,
    /// An approved mission becomes an access token under it (Mission-Bound Authorization drafts).
    Mission,
    /// An agent's AAuth token is followed by its sub-agent's, or by that of the next call.
    Aauth,
}

/// The rules of each edge, as a table has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edges {
    pub(crate) exchange: EdgeRules,
    pub(crate) cross_domain: EdgeRules,
    pub(crate) at_to_txn: EdgeRules,
    pub(crate) txn_replace: EdgeRules,
    pub(crate) mission: EdgeRules,
    pub(crate) aauth: EdgeRules,
}

/// What an edge compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EdgeRules {
    pub(crate) scope: ScopeRule,
    pub(crate) exp: ExpRule,
    pub(crate) aud: AudRule,
}

/// Texts of the token before, each with those it stands for in the next.
pub(crate) type Mapping = Vec<(Box<str>, Vec<Box<str>>)>;

/// How the scopes of two tokens compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ScopeRule {
    /// Each is one of the parent's, or implied by one.
    StrictSubset,
    /// Each is what one of the parent's is mapped to; a parent's scope without an entry refuses.
    Mapped(Mapping),
    /// The issuer's word; the result says that nothing was compared.
    IssuerAttested,
}

/// Whether a token may outlive the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExpRule {
    WithinParent,
    Any,
}

/// Whom the audience of the token before must name (ATN-14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AudRule {
    /// The party that exchanged it, or its issuer; an audience here stands for these parties too.
    Exchanger(Mapping),
    Any,
}

impl Edge {
    /// The edge from a token of one kind to one of another, where there is one.
    pub(crate) fn between(parent: Kind, child: Kind, same_issuer: bool) -> Option<Self> {
        match (parent, child) {
            (Kind::AccessToken, Kind::AccessToken) if same_issuer => Some(Self::Exchange),
            (Kind::JwtBearerGrant | Kind::IdJag, Kind::AccessToken) if !same_issuer => {
                Some(Self::CrossDomain)
            }
            (Kind::AccessToken, Kind::TxnToken) => Some(Self::AtToTxn),
            (Kind::TxnToken, Kind::TxnToken) => Some(Self::TxnReplace),
            (Kind::IntentToken, Kind::AccessToken) => Some(Self::Mission),
            // No kind of its own: what a gate's `context` takes beside a custom token is AAuth's.
            (Kind::JwtCustom, Kind::JwtCustom) => Some(Self::Aauth),
            _ => None,
        }
    }
}

impl Edges {
    /// The table of standards 30.5.
    pub(crate) const DEFAULT: Self = Self {
        exchange: EdgeRules {
            scope: ScopeRule::StrictSubset,
            exp: ExpRule::WithinParent,
            aud: AudRule::Exchanger(Vec::new()),
        },
        // A grant of five minutes becomes a token of an hour, in another vocabulary; its audience
        // is the link itself.
        cross_domain: EdgeRules {
            scope: ScopeRule::IssuerAttested,
            exp: ExpRule::Any,
            aud: AudRule::Exchanger(Vec::new()),
        },
        // The domain has a vocabulary of its own, and may take longer than the token lives
        // (TXT-12).
        at_to_txn: EdgeRules {
            scope: ScopeRule::IssuerAttested,
            exp: ExpRule::Any,
            aud: AudRule::Exchanger(Vec::new()),
        },
        txn_replace: EdgeRules {
            scope: ScopeRule::StrictSubset,
            exp: ExpRule::Any,
            aud: AudRule::Exchanger(Vec::new()),
        },
        // Scopes are derived from what was approved; its end is the mission's, not the token's.
        mission: EdgeRules {
            scope: ScopeRule::IssuerAttested,
            exp: ExpRule::Any,
            aud: AudRule::Exchanger(Vec::new()),
        },
        // The next resource may do what the one before cannot (AAuth, Call Chaining).
        aauth: EdgeRules {
            scope: ScopeRule::IssuerAttested,
            exp: ExpRule::Any,
            aud: AudRule::Any,
        },
    };

    pub(crate) const fn rules(&self, edge: Edge) -> &EdgeRules {
        match edge {
            Edge::Exchange => &self.exchange,
            Edge::CrossDomain => &self.cross_domain,
            Edge::AtToTxn => &self.at_to_txn,
            Edge::TxnReplace => &self.txn_replace,
            Edge::Mission => &self.mission,
            Edge::Aauth => &self.aauth,
        }
    }
}

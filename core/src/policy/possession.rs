//! What the document says of proofs of possession: `[dpop]`, `[mtls]`, `[replay]`, and each gate's
//! `sender_constrained`.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Secret, StoreRules};
use crate::jwa::AlgorithmSet;
use crate::time::Span;

/// How possession is proven, for all gates that take proofs.
#[derive(Debug, Default)]
pub(crate) struct PossessionRules {
    /// `None`: no gate takes DPoP proofs.
    pub(crate) dpop: Option<DpopRules>,
    /// What challenges to attested clients are made with; `None`: none is asked for (ATT-09).
    pub(crate) challenge: Option<Secret>,
    /// `None`: no used proof is remembered, and no proof is taken.
    pub(crate) replay: Option<ReplayRules>,
}

impl PossessionRules {
    /// How long a DPoP proof may be used, apart from leeway.
    pub(crate) fn window(&self) -> Span {
        const UNUSED: Span = Span::from_seconds(60);
        self.dpop.as_ref().map_or(UNUSED, |dpop| dpop.max_age)
    }
}

/// `[dpop]` (RFC 9449).
#[derive(Debug)]
pub(crate) struct DpopRules {
    pub(crate) algorithms: AlgorithmSet,
    /// The document names them; else they are the preset's, and a provider may lack some.
    pub(crate) algorithms_named: bool,
    /// The most since a proof's `iat` (DP-11); leeway is added.
    pub(crate) max_age: Span,
    /// What server nonces are made with; `None`: none is asked for (DP-10).
    pub(crate) nonce: Option<Secret>,
}

/// `[replay]`: who remembers used proofs (DP-13).
#[derive(Debug)]
pub(crate) struct ReplayRules {
    pub(crate) store: ReplayStore,
    /// Keeps apart what two tiers remember of one proof.
    pub(crate) namespace: Box<str>,
    pub(crate) on_unavailable: OnUnavailable,
}

/// Where used proofs are remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReplayStore {
    /// In this process.
    Process,
    /// In the folder of a file store, by all processes of this host.
    Host {
        store: Arc<StoreRules>,
        folder: PathBuf,
    },
    /// At a server, by all hosts that share the store.
    Fleet { store: Arc<StoreRules> },
    /// By the program.
    External,
}

/// What the tokens of a gate are remembered by, each good once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Once {
    /// By `jti`, of their issuer (IJ-06, CA-05).
    Jti,
    /// By `txn`, of their trust domain (TXT-11): from `iat` on for as long as replacements can
    /// come, apart from leeway.
    Txn { lasts: Span },
}

/// What becomes of a proof when the program's store does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnUnavailable {
    Refuse,
    /// The verdict says that nothing was looked up.
    AcceptMarked,
}

/// Whether a token must be bound to a key its presenter proves to hold: the policy says so, never
/// the token (KB-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SenderConstrained {
    /// A token with `cnf` needs its proof; one without is a bearer token.
    IfBound,
    /// A token without `cnf` is refused too.
    Required,
    /// Somebody else has checked the proof.
    External,
}

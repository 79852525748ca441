//! The part of a gate's rules that its answers and its metadata document show.

use super::Kind;

/// What a gate's configuration adds to a challenge (RFC 6750 §3, RFC 9470, RFC 9728 §5.1).
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    pub(crate) kind: Kind,
    /// The protected resource (RFC 9728): the first audience of a gate that clients bring access
    /// tokens to, under a public address. No other gate has a metadata document.
    pub(crate) resource: Option<String>,
    /// Whose tokens are taken.
    pub(crate) issuers: Vec<String>,
    pub(crate) required_scopes: Vec<String>,
    pub(crate) acr_values: Vec<String>,
    /// Whether a token may come as `Bearer`.
    pub(crate) takes_bearer: bool,
    /// Whether client certificates are taken (RFC 8705).
    pub(crate) takes_mtls: bool,
    /// The algorithms that proofs may be signed with; none: no proof is taken.
    pub(crate) proof_algorithms: Vec<&'static str>,
    /// The nonce that a proof must carry now (RFC 9449 §9).
    pub(crate) nonce: Option<String>,
    /// Members the policy adds to the metadata document.
    pub(crate) metadata: Vec<(Box<str>, serde_json::Value)>,
}

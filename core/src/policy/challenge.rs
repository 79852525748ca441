//! The part of a gate's rules that its answers and its metadata document show.

use super::Kind;

/// What a gate's configuration adds to a challenge (RFC 6750 §3, RFC 9470, RFC 9728 §5.1).
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    pub(crate) kind: Kind,
    /// The protected resource: the gate's first audience.
    pub(crate) resource: Option<String>,
    /// Whether the resource is reached under a public address, and so has a metadata document.
    pub(crate) is_public: bool,
    /// Whose tokens are taken.
    pub(crate) issuers: Vec<String>,
    pub(crate) required_scopes: Vec<String>,
    pub(crate) acr_values: Vec<String>,
    /// Members the policy adds to the metadata document.
    pub(crate) metadata: Vec<(Box<str>, serde_json::Value)>,
}

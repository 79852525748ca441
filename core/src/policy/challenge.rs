//! The part of a gate's rules that its answers on the wire show.

use super::Kind;

/// What a gate's configuration adds to a challenge (RFC 6750 §3, RFC 9470, RFC 9728 §5.1).
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    pub(crate) kind: Kind,
    /// The protected resource, where the gate has a public address.
    pub(crate) resource: Option<String>,
    pub(crate) required_scopes: Vec<String>,
    pub(crate) acr_values: Vec<String>,
}

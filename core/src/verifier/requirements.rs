//! What one call needs beyond what its gate demands of every call.

use crate::time::Span;

/// Per-call requirements: made once per route, borrowed by each call.
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    pub(crate) scopes: Vec<Box<str>>,
    pub(crate) acr_values: Vec<Box<str>>,
    pub(crate) max_age: Option<Span>,
}

impl Requirements {
    /// Nothing beyond the gate's own demands.
    pub const NONE: Self = Self {
        scopes: Vec::new(),
        acr_values: Vec::new(),
        max_age: None,
    };

    /// All of these scopes (RFC 6749 §3.3), by themselves or implied by the gate's hierarchy.
    #[must_use]
    pub fn scopes<I: IntoIterator<Item: Into<Box<str>>>>(scopes: I) -> Self {
        Self {
            scopes: scopes.into_iter().map(Into::into).collect(),
            ..Self::NONE
        }
    }

    /// One of these authentication context classes as `acr` (RFC 9470).
    #[must_use]
    pub fn with_acr_values<I: IntoIterator<Item: Into<Box<str>>>>(mut self, values: I) -> Self {
        self.acr_values = values.into_iter().map(Into::into).collect();
        self
    }

    /// A user who signed in no longer ago than this, by `auth_time` (RFC 9470, IDT-08); the
    /// policy's leeway is added.
    #[must_use]
    pub const fn with_max_age(mut self, age: Span) -> Self {
        self.max_age = Some(age);
        self
    }
}

//! Keys whose private half everyone has: RFC examples, and our own demonstration.
//!
//! Such keys end up in production by way of copied examples. A policy that holds one is refused,
//! by thumbprint, so that no key is in this file.

/// Thumbprints (RFC 7638) and where the private half is printed.
const PUBLISHED: &[(&str, &str)] = &[];

/// Where the private half of the key with this thumbprint is published.
#[must_use]
pub fn label_of(thumbprint: &str) -> Option<&'static str> {
    PUBLISHED
        .iter()
        .find(|(known, _)| *known == thumbprint)
        .map(|(_, label)| *label)
}

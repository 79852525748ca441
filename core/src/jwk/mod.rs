//! JSON Web Keys (RFC 7517).

/// One public key.
#[derive(Debug)]
#[non_exhaustive]
pub struct Jwk {}

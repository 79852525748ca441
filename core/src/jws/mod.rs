//! JSON Web Signatures in compact serialization (RFC 7515).

pub(crate) mod compact;
pub(crate) mod header;

pub(crate) use compact::{Compact, SignatureBuffer};
pub(crate) use header::{HeaderAlgorithm, ProtectedHeader};

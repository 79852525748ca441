//! Strict encodings.

pub(crate) mod base64url;
pub(crate) mod json;

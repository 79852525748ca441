//! Strict encodings: one meaning for each text, or none.

pub(crate) mod base64url;
pub(crate) mod decimal;
pub(crate) mod jcs;
pub(crate) mod json;

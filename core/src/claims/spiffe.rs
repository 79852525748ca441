//! Names of SPIFFE trust domains (SPIFFE-ID §2.1), for tokens and for policies.

/// Whether this is the name of a trust domain, without `spiffe://` (JSV-06).
pub(crate) fn is_trust_domain(name: &str) -> bool {
    let known =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    (1..=255).contains(&name.len()) && name.bytes().all(known)
}

//! Which cryptography the connections to engines use where they are encrypted.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

/// Sees to it that rustls has a provider: their clients ask it for one, and where several are
/// compiled in it panics. A program that has installed its own keeps it.
pub(super) fn provide() {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been first.
        let _: Result<(), Arc<CryptoProvider>> = provider().install_default();
    }
}

#[cfg(feature = "aws-lc-rs")]
fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

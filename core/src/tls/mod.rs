//! TLS to the servers that are asked, of keys and of stores: with which cryptography, whose
//! certificates are trusted, and what to do where one is not.

mod advice;
mod authorities;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
#[cfg(any(feature = "feed-nats", feature = "remote"))]
use rustls::{ClientConfig, RootCertStore};

#[cfg(any(feature = "feed-nats", feature = "feed-redis"))]
pub(crate) use advice::OF_PROCESS;
pub(crate) use advice::explain;
#[cfg(feature = "remote")]
pub(crate) use advice::{OF_ISSUER, advise};
pub(crate) use authorities::Authorities;

/// The cryptography: what the program has installed for all of its TLS, else the one of this build.
#[cfg(any(feature = "feed-nats", feature = "remote"))]
pub(crate) fn provider() -> Arc<CryptoProvider> {
    let installed = CryptoProvider::get_default();
    installed.map_or_else(|| Arc::new(own_provider()), Arc::clone)
}

#[cfg(feature = "aws-lc-rs")]
fn own_provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
fn own_provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// Sees to it that rustls has a provider: clients of stores ask it for one, and where several are
/// compiled in it panics.
#[cfg(any(feature = "feed-nats", feature = "feed-redis"))]
pub(crate) fn install() {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been first.
        let _: Result<(), Arc<CryptoProvider>> = own_provider().install_default();
    }
}

/// Of a client that trusts these, and shows no certificate itself.
#[cfg(any(feature = "feed-nats", feature = "remote"))]
pub(crate) fn config(roots: RootCertStore) -> Result<ClientConfig, String> {
    let config = ClientConfig::builder_with_provider(provider());
    let config = config.with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

//! [`FetchError`]: why a document could not be fetched or used, in words for an operator.

use std::net::IpAddr;

/// Why metadata or keys were not fetched. Texts may change; nothing of a token is in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Not an absolute URL, or one with user information.
    #[error("{0:?} is not an absolute https URL")]
    BadUrl(String),
    /// KEY-03.
    #[error("{0} is not https")]
    NotHttps(String),
    /// KEY-03: the host is not among those that were written down.
    #[error("{}", not_allowed(.0, KEYS))]
    HostNotAllowed(String),
    /// KEY-03: a name that leads inside.
    #[error("{}", private(host, *address, KEYS))]
    PrivateAddress {
        /// The host of the URL.
        host: String,
        /// What it resolved to.
        address: IpAddr,
    },
    /// KEY-03: redirected to another origin, or too often.
    #[error("redirected to {0}, and redirects are only followed within one origin")]
    Redirected(String),
    /// Neither 200 nor 304.
    #[error("{url} answered {status}")]
    Status {
        /// Where.
        url: String,
        /// What it answered.
        status: u16,
    },
    /// KEY-03: more than 1 MiB.
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    /// Not answered in time.
    #[error("no answer in time ({0})")]
    Timeout(&'static str),
    /// The host has no address.
    #[error("no address for {0}")]
    HostNotFound(String),
    /// TLS failed, mostly for the certificate.
    #[error("TLS: {0}")]
    Tls(String),
    /// The connection failed or broke, or the answer was no HTTP.
    #[error("{0}")]
    Network(String),
    /// The metadata is not JSON, or lacks what it must have.
    #[error("the metadata {0}")]
    Metadata(String),
    /// RFC 8414 §3.3: it is another issuer's metadata.
    #[error(
        "the metadata is of issuer {found:?}, not of {expected:?}: they must be equal to the last slash"
    )]
    IssuerMismatch {
        /// The configured issuer.
        expected: String,
        /// What the metadata says.
        found: String,
    },
    /// The answer is no JWK Set, or has no key that can be used.
    #[error("{0}")]
    KeySet(String),
    /// There is nowhere to ask about tokens (RFC 7662, RFC 8414 §2).
    #[error("the metadata has no introspection_endpoint. Write endpoint")]
    NoIntrospection,
    /// What was answered about a token is no answer (RFC 7662 §2.2).
    #[error("{0}")]
    Introspection(String),
    /// The answer of a stream of events is none (RFC 8936).
    #[error("{0}")]
    Events(String),
    /// [`Verifier::close`](crate::Verifier::close) was called.
    #[error("keys are fetched no more: the verifier was closed")]
    Closed,
    /// The thread that fetched has failed; a bug.
    #[error("sealgate failed while fetching; please report it")]
    Internal,
}

/// The member of a policy that lets keys be fetched from a host.
const KEYS: &str = "refresh.allow_hosts";

impl FetchError {
    /// In words, where another member of the policy says which hosts there are.
    pub(super) fn where_hosts_are(&self, member: &str) -> String {
        if let Self::HostNotAllowed(host) = self {
            not_allowed(host, member)
        } else if let Self::PrivateAddress { host, address } = self {
            private(host, *address, member)
        } else {
            self.to_string()
        }
    }
}

fn not_allowed(host: &str, member: &str) -> String {
    format!("{host} is not a host to fetch from. If it is the issuer's, add it to {member}")
}

fn private(host: &str, address: IpAddr, member: &str) -> String {
    format!(
        "{host} resolves to {address}, which is not a public address. If that is meant, name the \
         host in {member}; link-local addresses never pass"
    )
}

//! Keys that are fetched: metadata and JWK Sets over HTTPS, ahead of need and off the verification
//! path (RFC 8414, OpenID Connect Discovery, RFC 7517 §5; rules KEY-02 to KEY-05).
//!
//! A policy that names an issuer by `discovery` or `jwks_uri` is all that is needed: see
//! [`Verifier`](crate::Verifier) and the page on [fetched keys](crate::manual::fetched_keys).
//! [`Client`] is for tools that look at an issuer by hand.

mod address;
mod ask;
mod certificate;
mod client;
mod discovery;
mod error;
mod fetch;
mod freshness;
mod jitter;
mod job;
mod keeper;
mod list;
mod refresh;

pub(crate) use ask::{AskJob, BroughtAnswer, Lines};
pub use certificate::ServerCertificate;
pub use client::{Client, FetchedSet};
pub use discovery::Metadata;
pub use error::FetchError;
pub(crate) use job::{Job, Outcome};
pub(crate) use keeper::{Keepers, leave};
pub(crate) use list::{BroughtList, ListJob};

pub use crate::policy::Discovery;

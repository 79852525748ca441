//! [`Client`]: metadata and key sets by hand, for tools; under the same limits as in a verifier.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use super::address::{Origin, check_address, check_url};
use super::ask;
use super::certificate::{self, ServerCertificate};
use super::discovery::{self, Metadata};
use super::fetch::{ACCEPT_JSON, Deadline, Fetch, Https, JSON, Post, Request, Sends};
use super::job::parse;
use super::{Discovery, FetchError};
use crate::jwk::JwkSet;
use crate::policy::{IssuerRules, KeySource, Policy, Reach};
use crate::receiver::{Polled, Poller};
use crate::time::Span;

/// Fetches metadata and key sets once, and keeps nothing.
#[derive(Clone, Debug, Default)]
pub struct Client {
    hosts: Vec<String>,
    loopback_http: bool,
    authorities: Option<Arc<[Box<[u8]>]>>,
}

/// A key set as it was fetched.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FetchedSet {
    /// Its text, as it came.
    pub text: Vec<u8>,
    /// What can be used of it, and why the rest cannot.
    pub keys: JwkSet,
    /// How long the answer says that it is fresh.
    pub freshness: Option<Span>,
    /// The `Date` of the answer, as it came.
    pub date: Option<String>,
}

impl Client {
    /// A client that connects to public addresses, over https.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets it fetch from this host too, wherever its address leads.
    #[must_use]
    pub fn allow_host(mut self, host: &str) -> Self {
        self.hosts.push(host.to_ascii_lowercase());
        self
    }

    /// Lets it use plain http on this machine, for development.
    #[must_use]
    pub const fn allow_loopback_http(mut self, allow: bool) -> Self {
        self.loopback_http = allow;
        self
    }

    /// Lets it trust the authorities of `refresh.ca_file`, and no others, where the policy names
    /// them for the keys of this issuer.
    #[must_use]
    pub fn trust_as(mut self, policy: &Policy, issuer: &str) -> Self {
        if let Some(IssuerRules {
            keys: KeySource::Fetched(keys),
            ..
        }) = rules_of(policy, issuer)
        {
            self.authorities.clone_from(&keys.reach.authorities);
        }
        self
    }

    /// The metadata of an issuer.
    ///
    /// # Errors
    ///
    /// When there is none, or it is not this issuer's.
    pub fn discover(&self, issuer: &str, discovery: Discovery) -> Result<Metadata, FetchError> {
        let deadline = Deadline::start();
        discovery::discover(&Https, discovery, issuer, &self.reach(issuer), deadline)
    }

    /// A JWK Set by its URL.
    ///
    /// # Errors
    ///
    /// When it cannot be fetched, or is none.
    pub fn key_set(&self, url: &str) -> Result<FetchedSet, FetchError> {
        let response = Https.fetch(Request {
            url,
            accept: ACCEPT_JSON,
            etag: None,
            reach: &self.reach(url),
            deadline: Deadline::start(),
        })?;
        let text = response.body.unwrap_or_default();
        Ok(FetchedSet {
            keys: parse(&text)?,
            text,
            freshness: response.freshness,
            date: response.date,
        })
    }

    /// Polls a stream of events once (RFC 8936), and puts into force what has come. `authorization`
    /// is the whole field that was agreed with the issuer: `Bearer …`. It blocks for ten seconds at
    /// most; call it again at once while there is more, and at a pace of the program's own
    /// otherwise.
    ///
    /// # Errors
    ///
    /// When the stream could not be asked, or its answer is none: the next poll acknowledges what
    /// this one would have.
    pub fn poll(
        &self,
        url: &str,
        authorization: Option<&str>,
        poller: &mut Poller,
    ) -> Result<Polled, FetchError> {
        let answer = Https.post(&Post {
            url,
            content_type: JSON,
            accept: JSON,
            authorization,
            body: &poller.request(),
            reach: &self.reach(url),
            deadline: Deadline::start(),
        })?;
        poller
            .take(&answer.body)
            .map_err(|error| FetchError::Events(error.to_string()))
    }

    /// Asks an issuer about a token that nobody has issued, as this policy says to: where it is,
    /// and as whom. What has to come back is that the token is not active.
    ///
    /// `None` where the policy has no issuer of this name, or does not ask it.
    ///
    /// # Errors
    ///
    /// When it could not be asked, or answers anything else.
    pub fn introspect_nothing(
        &self,
        policy: &Policy,
        issuer: &str,
    ) -> Option<Result<(), FetchError>> {
        let issuer = rules_of(policy, issuer)?;
        Some(ask::about_nothing(issuer.introspection.as_deref()?))
    }

    /// The certificate of the server that a fetch of this https URL would connect to, trusted as it
    /// would be there.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or its certificate is not good.
    pub fn certificate(&self, url: &str) -> Result<ServerCertificate, FetchError> {
        let reach = self.reach(url);
        let origin = check_url(&reach, url)?;
        certificate::handshake(origin.host(), &self.addresses(url)?, &reach)
    }

    /// The addresses that a fetch of this URL would connect to, all of them allowed.
    ///
    /// # Errors
    ///
    /// When one of them is not, or the host has none.
    pub fn addresses(&self, url: &str) -> Result<Vec<SocketAddr>, FetchError> {
        let reach = self.reach(url);
        let origin = check_url(&reach, url)?;
        let not_found = || FetchError::HostNotFound(origin.host().to_owned());
        let name = origin.host().trim_matches(['[', ']']);
        let found = (name, origin.port()).to_socket_addrs();
        let found: Vec<SocketAddr> = found.map_err(|_| not_found())?.collect();
        for address in &found {
            check_address(&reach, origin.host(), address.ip())?;
        }
        if found.is_empty() {
            Err(not_found())
        } else {
            Ok(found)
        }
    }

    /// The hosts that were named; else the one that is asked for, at a public address.
    fn reach(&self, url: &str) -> Reach {
        let own = Origin::of(url).map(|origin| origin.host().to_owned());
        let named = own.as_ref().is_some_and(|own| self.hosts.contains(own));
        Reach {
            hosts: own.into_iter().map(String::into_boxed_str).collect(),
            named,
            loopback_http: self.loopback_http,
            authorities: self.authorities.clone(),
        }
    }
}

fn rules_of<'p>(policy: &'p Policy, issuer: &str) -> Option<&'p IssuerRules> {
    let mut issuers = policy.rules().issuers.iter();
    issuers.find(|found| *found.name == *issuer)
}

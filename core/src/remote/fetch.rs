//! [`Fetch`]: one document over HTTPS, bounded in every way (KEY-03): https only, hosts and
//! addresses that are allowed, no cookies, no proxy, redirects within one origin only, 1 MiB, and a
//! time limit over all.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, config::Config, http};

use super::FetchError;
use super::address::{self, Origin, shown};
use super::freshness::{Fields, freshness};
use crate::limits::{FETCH_CONNECT, FETCH_REDIRECTS, FETCH_SIZE, FETCH_TOTAL, INTROSPECTIONS_EACH};
use crate::policy::Reach;
use crate::time::{Clock, Moment, Span};
use crate::tls::{self, Authorities};

/// What to get.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) url: &'a str,
    /// The media types that are wanted.
    pub(super) accept: &'static str,
    /// The validator of the document that is here already (RFC 9110 §13.1.2).
    pub(super) etag: Option<&'a str>,
    pub(super) reach: &'a Reach,
    pub(super) deadline: Deadline,
}

/// Of key sets and metadata.
pub(super) const ACCEPT_JSON: &str = "application/jwk-set+json, application/json;q=0.9, */*;q=0.1";

/// Of documents that are sent.
pub(super) const JSON: &str = "application/json";

/// The end of the time for a whole refresh: metadata, redirects and keys together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Moment);

impl Deadline {
    pub(super) fn start() -> Self {
        Self(Clock::System.moment().plus(FETCH_TOTAL.into()))
    }

    /// What is left of it.
    pub(super) fn left(self) -> Result<Duration, FetchError> {
        let left = self.0.since(Clock::System.moment());
        if left <= Span::ZERO {
            return Err(FetchError::Timeout("the whole answer"));
        }
        Ok(left.to_duration())
    }
}

/// A document, or word that it is still the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Response {
    /// `None` after 304.
    pub(super) body: Option<Vec<u8>>,
    pub(super) freshness: Option<Span>,
    pub(super) etag: Option<String>,
    /// `Date`, as it came.
    pub(super) date: Option<String>,
}

/// Gets documents. A trait, so that what is built on it is tested without a network.
pub(super) trait Fetch: Send + Sync {
    fn fetch(&self, request: Request<'_>) -> Result<Response, FetchError>;
}

/// The network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Https;

impl Fetch for Https {
    fn fetch(&self, request: Request<'_>) -> Result<Response, FetchError> {
        let Request {
            url,
            accept,
            etag,
            reach,
            deadline,
        } = request;
        let origin = address::check_url(reach, url)?;
        let agent = agent(reach, &origin, Idle::None)?;
        let mut url = url.to_owned();
        for _ in 0..=FETCH_REDIRECTS {
            let call = agent.get(&url).config();
            let call = call.timeout_global(Some(deadline.left()?)).accept(accept);
            let mut call = call.build();
            if let Some(etag) = etag {
                call = call.header("If-None-Match", etag);
            }
            let mut response = call.call().map_err(|error| explain(error, &origin))?;
            match response.status().as_u16() {
                200 | 304 => return read(&mut response, &origin),
                301 | 302 | 303 | 307 | 308 => {
                    let location = field(&response, "location").unwrap_or_default();
                    url = follow(&url, &origin, location)?;
                }
                status => {
                    let url = shown(&url);
                    return Err(FetchError::Status { url, status });
                }
            }
        }
        Err(FetchError::Redirected(shown(&url)))
    }
}

/// What to send, and where: a small document that is answered by another.
pub(super) struct Post<'a> {
    pub(super) url: &'a str,
    /// The media type of what is sent, and the one that is wanted.
    pub(super) content_type: &'static str,
    pub(super) accept: &'static str,
    /// The whole field, scheme and all.
    pub(super) authorization: Option<&'a str>,
    pub(super) body: &'a str,
    pub(super) reach: &'a Reach,
    pub(super) deadline: Deadline,
}

/// What came back.
pub(super) struct Posted {
    pub(super) body: Vec<u8>,
    /// Its media type, without parameters; empty where it says none.
    pub(super) content_type: String,
}

/// Sends documents. A trait, for the same reason.
pub(super) trait Sends {
    fn post(&self, post: &Post<'_>) -> Result<Posted, FetchError>;
}

impl Sends for Https {
    /// Posts under the limits of a fetch. No redirect is followed: what is sent is for one address.
    fn post(&self, post: &Post<'_>) -> Result<Posted, FetchError> {
        let origin = address::check_url(post.reach, post.url)?;
        send(&agent(post.reach, &origin, Idle::None)?, post, &origin)
    }
}

/// The network, with connections to one origin that are kept for the next document: of a server
/// that is asked again and again, under one [`Reach`].
#[derive(Clone, Default)]
pub(super) struct Line(Arc<Mutex<Option<Open>>>);

#[derive(Clone)]
struct Open {
    origin: Origin,
    agent: Agent,
    /// Whether it has brought an answer: a connection may be there that its server has given up.
    used: bool,
}

impl Line {
    /// The lock guards one value, which a panic leaves whole.
    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetch for Line {
    fn fetch(&self, request: Request<'_>) -> Result<Response, FetchError> {
        Https.fetch(request)
    }
}

impl Sends for Line {
    /// As [`Https`] does, but for where the connection comes from. What is sent changes nothing, so
    /// that it is sent once more where an old connection breaks.
    fn post(&self, post: &Post<'_>) -> Result<Posted, FetchError> {
        let origin = address::check_url(post.reach, post.url)?;
        let held = self.open().clone().filter(|open| open.origin == origin);
        let (agent, used) = match held {
            Some(open) => (open.agent, open.used),
            None => (agent(post.reach, &origin, Idle::Kept)?, false),
        };
        let posted = send(&agent, post, &origin);
        let (agent, posted) = match posted {
            Err(FetchError::Network(_)) if used => {
                let fresh = self::agent(post.reach, &origin, Idle::Kept)?;
                let posted = send(&fresh, post, &origin);
                (fresh, posted)
            }
            posted => (agent, posted),
        };
        let answered = matches!(posted, Ok(_) | Err(FetchError::Status { .. }));
        *self.open() = answered.then_some(Open {
            origin,
            agent,
            used: true,
        });
        posted
    }
}

fn send(agent: &Agent, post: &Post<'_>, origin: &Origin) -> Result<Posted, FetchError> {
    let call = agent.post(post.url).config();
    let call = call.timeout_global(Some(post.deadline.left()?));
    let mut call = call.accept(post.accept).build();
    call = call.header("Content-Type", post.content_type);
    if let Some(authorization) = post.authorization {
        call = call.header("Authorization", authorization);
    }
    let sent = call.send(post.body);
    let mut response = sent.map_err(|error| explain(error, origin))?;
    match response.status().as_u16() {
        200 => {
            let content_type = field(&response, "content-type").unwrap_or_default();
            let name = content_type.split(';').next().unwrap_or_default();
            let content_type = name.trim().to_ascii_lowercase();
            let body = read(&mut response, origin)?.body.unwrap_or_default();
            Ok(Posted { body, content_type })
        }
        status => Err(FetchError::Status {
            url: shown(post.url),
            status,
        }),
    }
}

/// What becomes of a connection after its document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Idle {
    None,
    /// It is kept for the next one, for as long as a server is likely to keep it too.
    Kept,
}

/// Connections that one agent keeps: as many as there are questions at once.
const KEPT: usize = INTROSPECTIONS_EACH;

/// An agent for one origin. Keys are fetched too seldom for a connection to be worth keeping, and
/// what one issuer may reach must never serve another.
fn agent(reach: &Reach, origin: &Origin, idle: Idle) -> Result<Agent, FetchError> {
    let kept = if idle == Idle::Kept { KEPT } else { 0 };
    let tls = TlsConfig::builder()
        .root_certs(roots(reach, origin)?)
        .unversioned_rustls_crypto_provider(tls::provider())
        .build();
    let config = Config::builder()
        .tls_config(tls)
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections(kept)
        .max_idle_connections_per_host(kept)
        .input_buffer_size(16 * 1024)
        .output_buffer_size(4 * 1024)
        .user_agent(concat!("sealgate/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(FETCH_CONNECT))
        .timeout_connect(Some(FETCH_CONNECT))
        .build();
    let resolver = Guarded {
        reach: reach.clone(),
        host: origin.host().to_owned(),
        inner: DefaultResolver::default(),
    };
    Ok(Agent::with_parts(
        config,
        DefaultConnector::default(),
        resolver,
    ))
}

/// Whose certificates are trusted: the authorities that the policy names for this issuer alone, or
/// those of the system, which all fetches share.
fn roots(reach: &Reach, origin: &Origin) -> Result<RootCerts, FetchError> {
    static SHARED: OnceLock<RootCerts> = OnceLock::new();
    if let Some(own) = &reach.authorities {
        return Ok(specific(own.iter().map(|der| &**der)));
    }
    if !origin.is_https() {
        return Ok(RootCerts::WebPki);
    }
    let shared = match Authorities::get().map_err(FetchError::Tls)? {
        Authorities::Found(found) => {
            SHARED.get_or_init(|| specific(found.iter().map(|der| &**der)))
        }
        Authorities::BuiltIn => &RootCerts::WebPki,
    };
    Ok(shared.clone())
}

fn specific<'d>(certificates: impl Iterator<Item = &'d [u8]>) -> RootCerts {
    let certificates = certificates.map(|der| Certificate::from_der(der).to_owned());
    RootCerts::Specific(Arc::new(certificates.collect()))
}

/// Resolves, and lets pass only what may be connected to: the connection is made to these very
/// addresses.
#[derive(Debug)]
struct Guarded {
    reach: Reach,
    host: String,
    inner: DefaultResolver,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &http::Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        for address in &found {
            // One address that leads inside spoils them all: which is tried is chance.
            address::check_address(&self.reach, &self.host, address.ip())
                .map_err(|error| ureq::Error::Other(Box::new(error)))?;
        }
        Ok(found)
    }
}

fn field<'r>(response: &'r http::Response<ureq::Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

fn read(
    response: &mut http::Response<ureq::Body>,
    origin: &Origin,
) -> Result<Response, FetchError> {
    let cache_control: Vec<&str> = response
        .headers()
        .get_all("cache-control")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let fields = Fields {
        cache_control: &cache_control.join(","),
        age: field(response, "age"),
        expires: field(response, "expires"),
        date: field(response, "date"),
    };
    let freshness = freshness(fields);
    let etag = field(response, "etag")
        .filter(|etag| etag.len() <= 256)
        .map(str::to_owned);
    let date = field(response, "date").map(str::to_owned);
    let body = if response.status() == http::StatusCode::NOT_MODIFIED {
        None
    } else {
        let limit = u64::try_from(FETCH_SIZE).unwrap_or(u64::MAX);
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        Some(body.map_err(|error| explain(error, origin))?)
    };
    Ok(Response {
        body,
        freshness,
        etag,
        date,
    })
}

/// Where a redirect leads, within the origin it comes from.
fn follow(url: &str, origin: &Origin, location: &str) -> Result<String, FetchError> {
    let elsewhere = || FetchError::Redirected(shown(location));
    if location.starts_with('/') && !location.starts_with("//") && !location.contains('\\') {
        let (scheme, rest) = url.split_once("://").ok_or_else(elsewhere)?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        return Ok(format!("{scheme}://{authority}{location}"));
    }
    if Origin::of(location).as_ref() == Some(origin) {
        return Ok(location.to_owned());
    }
    Err(elsewhere())
}

/// What went wrong, as an operator can act on it.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is left says what it is in its own words"
)]
fn explain(error: ureq::Error, origin: &Origin) -> FetchError {
    match error {
        ureq::Error::Other(inner) => match inner.downcast::<FetchError>() {
            Ok(error) => *error,
            Err(other) => FetchError::Network(other.to_string()),
        },
        ureq::Error::HostNotFound => FetchError::HostNotFound(origin.host().to_owned()),
        ureq::Error::BodyExceedsLimit(_) => FetchError::TooLarge,
        ureq::Error::Timeout(ureq::Timeout::Resolve) => FetchError::Timeout("resolving the name"),
        ureq::Error::Timeout(ureq::Timeout::Connect) => FetchError::Timeout("connecting"),
        ureq::Error::Timeout(_) => FetchError::Timeout("the whole answer"),
        ureq::Error::Rustls(error) => FetchError::Tls(tls::advise(&error, tls::OF_ISSUER)),
        ureq::Error::Tls(error) => FetchError::Tls(error.to_owned()),
        ureq::Error::Io(error) => explain_io(&error),
        other => FetchError::Network(other.to_string()),
    }
}

/// TLS errors arrive wrapped in those of the connection.
fn explain_io(error: &std::io::Error) -> FetchError {
    match tls::explain(error, tls::OF_ISSUER) {
        Some(text) => FetchError::Tls(text),
        None if error.kind() == std::io::ErrorKind::TimedOut => FetchError::Timeout("connecting"),
        None => FetchError::Network(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::follow;
    use crate::remote::address::Origin;

    #[test]
    fn redirects_stay_within_their_origin() {
        let url = "https://a.example:8443/x?y";
        let origin = Origin::of(url).unwrap();
        let to = |location: &str| follow(url, &origin, location).ok();
        assert_eq!(to("/keys").as_deref(), Some("https://a.example:8443/keys"));
        assert!(to("https://a.example:8443/keys").is_some());
        for location in [
            "",
            "keys",
            "//evil.example/keys",
            "/\\evil.example",
            "https://a.example/keys",
            "http://a.example:8443/",
            "https://evil.example:8443/",
            "http://169.254.169.254/",
            "file:///etc/passwd",
            "https://a.example:8443@evil.example/",
        ] {
            assert_eq!(to(location), None, "{location}");
        }
    }
}

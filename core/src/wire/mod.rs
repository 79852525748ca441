//! What to answer on the wire: status, challenge and body for each refusal (standards 0.1,
//! user-experience 1.3 T8).
//!
//! The answer never holds token text or a claim value, and nothing about keys, chains or actors.

use std::time::Duration;

use crate::error::{Blame, Code, Error, Group};
use crate::policy::{Challenge, Kind};
use crate::verifier::{CHALLENGE_FIELD, Gate, Grounds, Requirements};

/// An HTTP answer, apart from what the server adds of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields, one a name.
    pub headers: Vec<(&'static str, String)>,
    /// The body: OAuth JSON, or empty.
    pub body: String,
}

impl Grounds {
    /// What to answer to a request that `error` refused.
    #[must_use]
    pub fn answer(&self, error: &Error, requirements: &Requirements) -> Answer {
        match self.challenge() {
            Some(challenge) => answer(&challenge, error, requirements, self.pause(error)),
            None => Answer::new(500), // the policy has no such gate
        }
    }
}

impl Gate {
    /// What the policy in force answers to a request that `error` refused. For an error that may be
    /// older than that, see [`Grounds::answer`].
    #[must_use]
    pub fn answer(&self, error: &Error, requirements: &Requirements) -> Answer {
        self.grounds().answer(error, requirements)
    }

    /// The OAuth 2.0 Protected Resource Metadata of this gate (RFC 9728 §2; PRM-04) as JSON: the
    /// members the policy states elsewhere, and those of the gate's `metadata`. Only a gate for
    /// access tokens with a `public_url`, whose first audience is a URL, has one.
    #[must_use]
    pub fn resource_metadata(&self) -> Option<String> {
        let challenge = self.grounds().challenge()?;
        let mut document = serde_json::Map::new();
        document.insert("resource".to_owned(), challenge.resource?.into());
        document.insert("authorization_servers".to_owned(), challenge.issuers.into());
        document.insert("bearer_methods_supported".to_owned(), vec!["header"].into());
        if !challenge.proof_algorithms.is_empty() {
            let (name, algorithms) = (
                "dpop_signing_alg_values_supported",
                challenge.proof_algorithms,
            );
            document.insert(name.to_owned(), algorithms.into());
        }
        if !challenge.takes_bearer {
            document.insert("dpop_bound_access_tokens_required".to_owned(), true.into());
        }
        if challenge.takes_mtls {
            let name = "tls_client_certificate_bound_access_tokens";
            document.insert(name.to_owned(), true.into());
        }
        for (name, value) in challenge.metadata {
            document.entry(name.into_string()).or_insert(value);
        }
        Some(serde_json::Value::Object(document).to_string())
    }
}

impl Answer {
    /// The answer to an error that no gate gave, as [`crate::verify_jws`]: its status alone, since
    /// without a gate there is nothing to challenge for.
    #[must_use]
    pub fn without_gate(error: &Error) -> Self {
        let group = error.code().group();
        match (error.blame(), group) {
            (Blame::Unavailable, _) => Self::unavailable(error, None),
            (Blame::Misuse | Blame::Internal, _) => Self::new(500),
            (Blame::Rejected, Group::ActorPolicy | Group::Authority) => Self::new(403),
            (Blame::Rejected, Group::Request) => Self::new(400),
            (Blame::Rejected, _) => Self::new(401),
        }
    }

    /// Keys that are fetched are there a moment after `pause` at the soonest. Where no pause is
    /// known, what is on its way is there in a moment, as the answer of an authorization server
    /// that is being asked.
    fn unavailable(error: &Error, pause: Option<Duration>) -> Self {
        let [soonest, latest] = REFRESHED_AFTER;
        let code = error.code();
        let fetched = matches!(code, Code::KeysRefreshing | Code::KeysUnavailable);
        let seconds = match pause.filter(|_| fetched) {
            Some(pause) => pause.as_secs().saturating_add(1).clamp(soonest, latest),
            None if matches!(code, Code::KeysRefreshing | Code::IntrospectionPending) => soonest,
            None => RESTORED_AFTER,
        };
        Self::new(503).with("Retry-After", seconds.to_string())
    }

    /// An answer without a body; nothing may keep any of ours.
    fn new(status: u16) -> Self {
        let headers = vec![("Cache-Control", "no-store".to_owned())];
        Self {
            status,
            headers,
            body: String::new(),
        }
    }

    /// The answer to a delivery that failed: `err` and `description` (RFC 8935 §2.3).
    pub(crate) fn of_delivery((name, text): (&str, &str)) -> Self {
        let mut members = serde_json::Map::new();
        members.insert("err".to_owned(), name.into());
        members.insert("description".to_owned(), text.into());
        let mut answer = Self::new(400);
        answer.body = serde_json::Value::Object(members).to_string();
        answer.with("Content-Type", "application/json".to_owned())
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The body of an OAuth error (RFC 6749 §5.2).
    fn with_error(mut self, name: &str, description: Option<&str>) -> Self {
        let mut members = serde_json::Map::new();
        members.insert("error".to_owned(), name.into());
        if let Some(text) = description {
            members.insert("error_description".to_owned(), text.into());
        }
        self.body = serde_json::Value::Object(members).to_string();
        self.with("Content-Type", "application/json".to_owned())
    }
}

/// Seconds after which a caller may try again when keys are fetched, at least and at most.
const REFRESHED_AFTER: [u64; 2] = [1, 30];
/// The same when stores are missing, or keys that nobody fetches.
const RESTORED_AFTER: u64 = 5;

fn answer(
    challenge: &Challenge,
    error: &Error,
    requirements: &Requirements,
    pause: Option<Duration>,
) -> Answer {
    match error.blame() {
        Blame::Unavailable => Answer::unavailable(error, pause),
        Blame::Misuse | Blame::Internal => Answer::new(500),
        Blame::Rejected => match challenge.kind {
            Kind::AccessToken
            | Kind::JwtSvid
            | Kind::JwtCustom
            | Kind::IdToken
            | Kind::Capability
            | Kind::ActorProof => protected(challenge, error, requirements),
            // Back-Channel Logout §2.8.
            Kind::LogoutToken => oauth(400, "invalid_request", error),
            // RFC 6749 §5.2, RFC 7521 §4.
            Kind::ClientAssertion => oauth(401, "invalid_client", error),
            Kind::JwtBearerGrant | Kind::IdJag => grant(challenge, error),
            Kind::ClientAttestation => attestation(challenge, error),
            Kind::TxnToken | Kind::Wit => workload(error),
            Kind::IntentToken => oauth(403, "mission_denial", error),
            Kind::Set => event(error),
            // Nobody presents these: they were fetched, from a server that answered badly.
            Kind::IntrospectionResponse if error.code() == Code::Inactive => {
                protected(challenge, error, requirements)
            }
            Kind::StatusListToken | Kind::IntrospectionResponse | Kind::AgentCard => {
                Answer::new(502)
            }
        },
    }
}

/// RFC 6749 §5.2; of its proof RFC 9449 §5 and §8: the grant may be as good as before.
fn grant(challenge: &Challenge, error: &Error) -> Answer {
    match (error.code(), &challenge.nonce) {
        (Code::PopInvalid, _) => oauth(400, "invalid_dpop_proof", error),
        (Code::NonceRequired, Some(nonce)) => {
            oauth(400, "use_dpop_nonce", error).with("DPoP-Nonce", nonce.clone())
        }
        _ => oauth(400, "invalid_grant", error),
    }
}

/// draft-ietf-oauth-attestation-based-client-auth §7.4.
fn attestation(challenge: &Challenge, error: &Error) -> Answer {
    let stale = [Code::Expired, Code::TooOld, Code::LifetimeTooLong]; // ATT-05
    match &challenge.nonce {
        Some(own) if error.code() == Code::NonceRequired => {
            oauth(400, "use_attestation_challenge", error).with(CHALLENGE_FIELD, own.clone())
        }
        _ if stale.contains(&error.code()) => oauth(400, "use_fresh_attestation", error),
        _ => oauth(401, "invalid_client_attestation", error),
    }
}

/// WIMSE: 400 with problem details (RFC 9457), where OAuth has 401. A transaction token is none of
/// the Authorization field either. Who may not do this is still forbidden to.
fn workload(error: &Error) -> Answer {
    let forbidden = matches!(error.code().group(), Group::ActorPolicy | Group::Authority);
    let status = if forbidden { 403 } else { 400 };
    let mut members = serde_json::Map::new();
    members.insert("status".to_owned(), status.into());
    if let Some(text) = description(error) {
        members.insert("title".to_owned(), text.into());
    }
    let mut answer = Answer::new(status);
    answer.body = serde_json::Value::Object(members).to_string();
    answer.with("Content-Type", "application/problem+json".to_owned())
}

/// `err` and `description` of a token that was not taken (RFC 8935 §2.3, RFC 8936 §2.6).
pub(crate) fn delivery_error(error: &Error) -> (&'static str, &'static str) {
    let name = match (error.code(), error.code().group()) {
        (Code::IssUntrusted, _) => "invalid_issuer",
        (Code::AudMismatch, _) => "invalid_audience",
        (_, Group::Crypto) => "invalid_key",
        (_, Group::ActorPolicy | Group::Authority) => "access_denied",
        _ => "invalid_request",
    };
    let text = description(error).unwrap_or("the event was not accepted");
    (name, text)
}

/// RFC 8935 §2.3.
fn event(error: &Error) -> Answer {
    Answer::of_delivery(delivery_error(error))
}

/// The reason as `error_description`. Nothing is said of keys, chains and actors: the answer to a
/// forged token must not tell which keys there are.
fn description(error: &Error) -> Option<&'static str> {
    let silent = matches!(
        error.code().group(),
        Group::Crypto | Group::Chain | Group::ActorPolicy
    );
    (!silent).then(|| error.reason())
}

fn oauth(status: u16, name: &str, error: &Error) -> Answer {
    Answer::new(status).with_error(name, description(error))
}

/// What is wrong, as OAuth names it (RFC 6750 §3.1, RFC 9449 §7.1 and §9, RFC 9470 §3). A request
/// without a token is told nothing.
fn named(code: Code) -> (u16, Option<&'static str>) {
    let group = code.group();
    if group == Group::NoCredential {
        (401, None)
    } else if group == Group::Request {
        (400, Some("invalid_request")) // MCP-05
    } else if group == Group::Authority {
        (403, Some("insufficient_scope"))
    } else if group == Group::Authentication {
        (401, Some("insufficient_user_authentication"))
    } else if matches!(code, Code::PopInvalid | Code::Replayed) {
        // The token is as good as before: a client told `invalid_token` would drop it.
        (401, Some("invalid_dpop_proof"))
    } else if code == Code::NonceRequired {
        (401, Some("use_dpop_nonce"))
    } else {
        (401, Some("invalid_token"))
    }
}

/// RFC 6750 §3 and RFC 9449 §7.1, with RFC 9470 and RFC 9728 §5.1.
fn protected(challenge: &Challenge, error: &Error, requirements: &Requirements) -> Answer {
    let code = error.code();
    // No other token of the same scopes would help, so none is asked for.
    let unasked = matches!(
        code,
        Code::TokenPassthrough | Code::OperationDenied | Code::PostureMismatch
    );
    if code.group() == Group::ActorPolicy || unasked {
        return Answer::new(403);
    }
    let (status, name) = named(code);
    // Of a proof that is no DPoP proof OAuth knows nothing.
    let foreign = challenge.kind == Kind::Capability && name == Some("invalid_dpop_proof");
    let name = if foreign { Some("invalid_token") } else { name };
    let mut parameters = parameters(challenge, error, name, requirements);
    let algorithms = challenge.proof_algorithms.join(" ");
    let about_proof = code.group() == Group::Possession || code == Code::Replayed;
    let dpop = !algorithms.is_empty();
    let schemes = if dpop && (about_proof || !challenge.takes_bearer) {
        parameters.push(("algs", algorithms));
        scheme("DPoP", &parameters)
    } else if dpop {
        // Both are taken, and which one the client can use is not known (DP-15).
        let other = scheme("DPoP", &[("algs", algorithms)]);
        format!("{}, {other}", scheme("Bearer", &parameters))
    } else {
        scheme("Bearer", &parameters)
    };
    let mut answer = Answer::new(status).with("WWW-Authenticate", schemes);
    if let Some(nonce) = challenge.nonce.as_ref().filter(|_| status == 401) {
        answer = answer.with("DPoP-Nonce", nonce.clone()); // RFC 9449 §9
    }
    match name {
        Some(name) => answer.with_error(name, description(error)),
        None => answer,
    }
}

fn parameters(
    challenge: &Challenge,
    error: &Error,
    name: Option<&'static str>,
    requirements: &Requirements,
) -> Vec<(&'static str, String)> {
    let code = error.code();
    let mut parameters = Vec::new();
    if let Some(name) = name {
        parameters.push(("error", name.to_owned()));
        if let Some(text) = description(error) {
            parameters.push(("error_description", text.to_owned()));
        }
    }
    if matches!(code.group(), Group::Authority | Group::NoCredential) {
        let own = requirements.scopes.iter().map(|scope| scope.to_string());
        let mut scopes = challenge.required_scopes.clone();
        scopes.extend(own.filter(|scope| !challenge.required_scopes.contains(scope)));
        if !scopes.is_empty() {
            parameters.push(("scope", scopes.join(" "))); // all that are needed (MCP-01, MCP-04)
        }
    }
    if code.group() == Group::Authentication {
        let own = requirements
            .acr_values
            .iter()
            .map(|value| value.to_string());
        let values: Vec<String> = challenge.acr_values.iter().cloned().chain(own).collect();
        if !values.is_empty() {
            parameters.push(("acr_values", values.join(" ")));
        }
        if let Some(age) = requirements.max_age {
            parameters.push(("max_age", age.seconds().to_string()));
        }
    }
    if let Some(url) = challenge.resource.as_deref().and_then(metadata_url) {
        parameters.push(("resource_metadata", url));
    }
    parameters
}

/// One challenge (RFC 9110 §11.3).
fn scheme(name: &str, parameters: &[(&str, String)]) -> String {
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", quoted(value)))
        .collect();
    format!("{name} {}", parameters.join(", "))
        .trim_end()
        .to_owned()
}

/// A quoted-string (RFC 9110 §5.6.4) of ASCII. What does not belong in a field is left out: neither
/// a policy nor a call's requirements have such text, and if they had, it must not begin a new
/// field.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text
        .chars()
        .filter(|character| matches!(character, ' '..='~'))
    {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// Where the RFC 9728 document of a resource lies: the well-known path goes between host and path
/// (PRM-02).
fn metadata_url(resource: &str) -> Option<String> {
    let (scheme, rest) = resource.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = path.strip_suffix('/').unwrap_or(path);
    Some(format!(
        "{scheme}://{host}/.well-known/oauth-protected-resource{path}"
    ))
}

#[cfg(test)]
mod tests;

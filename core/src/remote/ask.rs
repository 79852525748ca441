//! [`AskJob`]: one question to an authorization server about one token (RFC 7662 §2.1), run wherever there
//! is a thread for it.

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use base64_simd::STANDARD;
use zeroize::Zeroizing;

use super::FetchError;
use super::discovery::discover;
use super::fetch::{Deadline, Fetch, Https, JSON, Line, Post, Posted, Sends};
use crate::encoding::json::{Json, Value};
use crate::introspection::{Failure, Whose};
use crate::limits::Limits;
use crate::policy::{AnswerForm, Endpoint, IntrospectionRules, Reach};
use crate::verifier::{AskFetch, Asked, Engine, Question};

const FORM: &str = "application/x-www-form-urlencoded";
/// RFC 9701 §5.
const JWT: &str = "application/token-introspection+jwt";

/// The member of a policy that says which hosts are asked.
const HOSTS: &str = "introspection.allow_hosts";

/// One question to be asked.
pub(crate) struct AskJob {
    fetch: AskFetch,
    line: Line,
}

/// What became of an [`AskJob`].
pub(crate) struct BroughtAnswer {
    question: Question,
    answer: Result<Asked, Missed>,
}

/// Why there is no answer, and whose failure that is.
struct Missed {
    whose: Whose,
    error: FetchError,
}

/// The connections of one process to the issuers that it asks: a fork's child makes its own.
pub(crate) struct Lines(Vec<(Arc<IntrospectionRules>, Line)>);

impl Lines {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// That for these rules. Those of policies before are hung up.
    fn of(&mut self, rules: &Arc<IntrospectionRules>) -> Line {
        self.0.retain(|(held, _)| Arc::strong_count(held) > 1);
        let mut lines = self.0.iter();
        if let Some((_, line)) = lines.find(|(held, _)| Arc::ptr_eq(held, rules)) {
            return line.clone();
        }
        let line = Line::default();
        self.0.push((Arc::clone(rules), line.clone()));
        line
    }
}

impl AskJob {
    /// The questions to ask now, where so many places are free.
    pub(crate) fn due(engine: &Engine, lines: &mut Lines, free: usize) -> Vec<Self> {
        let job = |fetch: AskFetch| Self {
            line: lines.of(&fetch.rules),
            fetch,
        };
        engine.begin_asks(free).into_iter().map(job).collect()
    }

    /// Asks over the network. Never panics, so that every question ends.
    pub(crate) fn run(self) -> BroughtAnswer {
        let Self { fetch, line } = self;
        let AskFetch {
            question,
            rules,
            endpoint,
        } = fetch;
        let ask = || ask(&line, &rules, endpoint, &question.due.token);
        let answer = catch_unwind(AssertUnwindSafe(ask));
        BroughtAnswer {
            question,
            answer: answer.unwrap_or(Err(NEVER_ASKED)),
        }
    }

    /// The question was never asked.
    pub(crate) fn give_up(self) -> BroughtAnswer {
        BroughtAnswer {
            question: self.fetch.question,
            answer: Err(NEVER_ASKED),
        }
    }
}

impl BroughtAnswer {
    /// Takes it in.
    pub(crate) fn settle(self, engine: &Engine) {
        let answer = self.answer.map_err(|Missed { whose, error }| Failure {
            whose,
            text: said(&error),
        });
        engine.settle_ask(&self.question, answer);
    }
}

const NEVER_ASKED: Missed = Missed {
    whose: Whose::Tokens,
    error: FetchError::Internal,
};

/// In words for an operator.
fn said(error: &FetchError) -> String {
    let text = error.where_hosts_are(HOSTS);
    if let FetchError::Status {
        status: 401 | 403, ..
    } = error
    {
        return format!(
            "{text}, which refuses us and not the token. Look at introspection.client_id and \
             client_secret"
        );
    }
    text
}

/// Whose a failed question is: a server that is not there, that fails at all or does not know us,
/// is the issuer's; one that stumbles over this token says nothing of others.
fn whose(error: &FetchError) -> Whose {
    match error {
        FetchError::Status { status, .. } => match status {
            401 | 403 | 429 | 500..=599 => Whose::Issuers,
            _ => Whose::Tokens,
        },
        FetchError::BadUrl(_)
        | FetchError::NotHttps(_)
        | FetchError::HostNotAllowed(_)
        | FetchError::PrivateAddress { .. }
        | FetchError::Timeout(_)
        | FetchError::HostNotFound(_)
        | FetchError::Tls(_)
        | FetchError::Network(_) => Whose::Issuers,
        FetchError::Redirected(_)
        | FetchError::TooLarge
        | FetchError::Metadata(_)
        | FetchError::IssuerMismatch { .. }
        | FetchError::KeySet(_)
        | FetchError::NoIntrospection
        | FetchError::Introspection(_)
        | FetchError::Events(_)
        | FetchError::Closed
        | FetchError::Internal => Whose::Tokens,
    }
}

fn ask<N: Fetch + Sends>(
    network: &N,
    rules: &IntrospectionRules,
    known: Option<Box<str>>,
    token: &[u8],
) -> Result<Asked, Missed> {
    let deadline = Deadline::start();
    let endpoint = match (known, &rules.endpoint) {
        (Some(url), _) => url.into_string(),
        (None, Endpoint::Url(url)) => url.to_string(),
        (None, Endpoint::Discovered(discovery, issuer)) => {
            let found = discover(network, *discovery, issuer, &rules.reach, deadline);
            let endpoint = found.and_then(|found| {
                let endpoint = found.introspection_endpoint;
                endpoint.ok_or(FetchError::NoIntrospection)
            });
            // No token has anything to do with that.
            endpoint.map_err(|error| Missed {
                whose: Whose::Issuers,
                error,
            })?
        }
    };
    let posted = post(
        network,
        &Asking {
            endpoint: &endpoint,
            accept: match rules.answers() {
                Some(AnswerForm::Signed(_)) => JWT,
                Some(AnswerForm::Plain) => JSON,
                None => return Err(NEVER_ASKED),
            },
            authorization: &basic(&rules.client_id, rules.client_secret.as_bytes()),
            token,
            reach: &rules.reach,
            deadline,
        },
    );
    let posted = posted.map_err(|error| Missed {
        whose: whose(&error),
        error,
    })?;
    Ok(Asked {
        endpoint,
        body: posted.body,
        is_jwt: posted.content_type == JWT,
    })
}

/// Asks about a token that nobody has issued.
pub(super) fn about_nothing(rules: &IntrospectionRules) -> Result<(), FetchError> {
    let made_up = format!("sealgate-{:016x}", RandomState::new().hash_one(FORM));
    let asked = ask(&Https, rules, None, made_up.as_bytes());
    let asked = asked.map_err(|missed| missed.error)?;
    let none = |text: &str| FetchError::Introspection(text.to_owned());
    if asked.is_jwt {
        // Whether it is signed as it should be, a verifier with keys would know.
        return Ok(());
    }
    let json = Json::parse(asked.body, Limits::DEFAULT.into());
    let json = json.map_err(|_| none("its answer is not JSON, or not strictly"))?;
    match json.root().get("active").and_then(Value::as_bool) {
        Some(false) => Ok(()),
        Some(true) => Err(none(
            "it says that a token is active which nobody has issued",
        )),
        None => Err(none("its answer does not say whether the token is active")),
    }
}

/// What is sent, where, and as whom.
struct Asking<'q> {
    endpoint: &'q str,
    accept: &'static str,
    authorization: &'q str,
    token: &'q [u8],
    reach: &'q Reach,
    deadline: Deadline,
}

/// No redirect is followed: a token and a secret are for one address.
fn post(network: &impl Sends, question: &Asking<'_>) -> Result<Posted, FetchError> {
    let token = Zeroizing::new(escaped(question.token));
    let body = Zeroizing::new(format!(
        "token={}&token_type_hint=access_token",
        token.as_str()
    ));
    network.post(&Post {
        url: question.endpoint,
        content_type: FORM,
        accept: question.accept,
        authorization: Some(question.authorization),
        body: &body,
        reach: question.reach,
        deadline: question.deadline,
    })
}

/// `client_secret_basic` (RFC 6749 §2.3.1): both halves are form-encoded before they are joined.
fn basic(client_id: &str, secret: &[u8]) -> Zeroizing<String> {
    let secret = Zeroizing::new(escaped(secret));
    let id = escaped(client_id.as_bytes());
    let pair = Zeroizing::new(format!("{id}:{}", secret.as_str()));
    let encoded = Zeroizing::new(STANDARD.encode_to_string(pair.as_bytes()));
    Zeroizing::new(format!("Basic {}", encoded.as_str()))
}

/// As a form has it (RFC 6749 Appendix B).
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._*".contains(byte) {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{basic, escaped};

    #[test]
    fn halves_are_encoded_before_they_are_joined() {
        assert_eq!(escaped(b"a+/=~ %\xff"), "a%2B%2F%3D%7E%20%25%FF");
        // `a:b` and `c d`, so that no colon moves from one half to the other.
        assert_eq!(*basic("a:b", b"c d"), "Basic YSUzQWI6YyUyMGQ=");
    }
}

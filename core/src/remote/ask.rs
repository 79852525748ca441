//! [`AskJob`]: one question to an authorization server about one token (RFC 7662 §2.1), run wherever there
//! is a thread for it.

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};

use base64_simd::STANDARD;
use zeroize::Zeroizing;

use super::FetchError;
use super::discovery::discover;
use super::fetch::{Deadline, Fetch, Https, JSON, Post, Posted, Sends};
use crate::encoding::json::{Json, Value};
use crate::introspection::Due;
use crate::limits::Limits;
use crate::policy::{Endpoint, IntrospectionRules, Reach};
use crate::verifier::{AskFetch, Asked, Engine};

const FORM: &str = "application/x-www-form-urlencoded";
/// RFC 9701 §5.
const JWT: &str = "application/token-introspection+jwt";

/// One question to be asked.
pub(crate) struct AskJob(AskFetch);

/// What became of an [`AskJob`].
pub(crate) struct BroughtAnswer {
    due: Due,
    answer: Result<Asked, FetchError>,
}

impl AskJob {
    /// The questions to ask now, at most `most`.
    pub(crate) fn due(engine: &Engine, most: usize) -> Vec<Self> {
        engine.begin_asks(most).into_iter().map(Self).collect()
    }

    /// Asks over the network. Never panics, so that every question ends.
    pub(crate) fn run(self) -> BroughtAnswer {
        let AskFetch {
            due,
            rules,
            endpoint,
        } = self.0;
        let ask = || ask(&Https, &rules, endpoint, &due.token);
        let answer = catch_unwind(AssertUnwindSafe(ask));
        BroughtAnswer {
            due,
            answer: answer.unwrap_or(Err(FetchError::Internal)),
        }
    }

    /// The question was never asked.
    pub(crate) fn give_up(self) -> BroughtAnswer {
        BroughtAnswer {
            due: self.0.due,
            answer: Err(FetchError::Internal),
        }
    }
}

impl BroughtAnswer {
    /// Takes it in.
    pub(crate) fn settle(self, engine: &Engine) {
        let answer = self.answer.map_err(|error| error.to_string());
        engine.settle_ask(&self.due, answer);
    }
}

fn ask<N: Fetch + Sends>(
    network: &N,
    rules: &IntrospectionRules,
    known: Option<Box<str>>,
    token: &[u8],
) -> Result<Asked, FetchError> {
    let deadline = Deadline::start();
    let endpoint = match (known, &rules.endpoint) {
        (Some(url), _) => url.into_string(),
        (None, Endpoint::Url(url)) => url.to_string(),
        (None, Endpoint::Discovered(discovery, issuer)) => {
            let found = discover(network, *discovery, issuer, &rules.reach, deadline)?;
            let endpoint = found.introspection_endpoint;
            endpoint.ok_or(FetchError::NoIntrospection)?
        }
    };
    let posted = post(
        network,
        &Question {
            endpoint: &endpoint,
            accept: if rules.signed_by.is_some() { JWT } else { JSON },
            authorization: &basic(&rules.client_id, rules.client_secret.as_bytes()),
            token,
            reach: &rules.reach,
            deadline,
        },
    )?;
    Ok(Asked {
        endpoint,
        body: posted.body,
        is_jwt: posted.content_type == JWT,
    })
}

/// Asks about a token that nobody has issued.
pub(super) fn about_nothing(rules: &IntrospectionRules) -> Result<(), FetchError> {
    let made_up = format!("sealgate-{:016x}", RandomState::new().hash_one(FORM));
    let asked = ask(&Https, rules, None, made_up.as_bytes())?;
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
struct Question<'q> {
    endpoint: &'q str,
    accept: &'static str,
    authorization: &'q str,
    token: &'q [u8],
    reach: &'q Reach,
    deadline: Deadline,
}

/// No redirect is followed: a token and a secret are for one address.
fn post(network: &impl Sends, question: &Question<'_>) -> Result<Posted, FetchError> {
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

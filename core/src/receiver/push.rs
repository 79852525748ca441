//! Pushes: one token a request (RFC 8935; OpenID Connect Back-Channel Logout §2.5).

use super::{Failure, Receiver};
use crate::error::{Code, Error};
use crate::policy::Kind;
use crate::verifier::{AppliedEvent, Requirements};
use crate::wire::Answer;

/// What became of a push, and what to answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    /// The whole answer, to be sent as it is: 202 (to a logout token 200), 400 with `err` in its
    /// body, or 503 while keys or stores are missing, after which the issuer delivers again.
    pub answer: Answer,
    /// What was changed; `None` where the token was not accepted.
    pub event: Option<AppliedEvent>,
    /// Why it was not.
    pub error: Option<Error>,
}

impl Receiver {
    /// Takes the body of a POST with its `Content-Type`. Who may call at all, as by the
    /// `Authorization` that was agreed with the issuer, is for the program to check before; whose
    /// event it is, the token's signature says.
    #[must_use]
    pub fn push(&self, content_type: Option<&str>, body: &[u8]) -> Delivery {
        let token = if self.kind == Kind::LogoutToken {
            form(content_type, body)
        } else {
            is(content_type, "application/secevent+jwt").then(|| body.trim_ascii())
        };
        let malformed = || Failure::Refused(Error::about(Code::MalformedRequest, "content-type"));
        let taken = token
            .ok_or_else(malformed)
            .and_then(|token| self.take(token, None));
        match taken {
            Ok(event) => Delivery {
                answer: self.accepted(),
                event: Some(event),
                error: None,
            },
            Err(Failure::Refused(error)) => Delivery {
                answer: self.gate.answer(&error, &Requirements::NONE),
                event: None,
                error: Some(error),
            },
            Err(Failure::Unfit((err, description, about))) => Delivery {
                answer: Answer::of_delivery((err, description)),
                event: None,
                error: Some(Error::about(Code::MalformedRequest, about)),
            },
            Err(Failure::Changed) => {
                let error = Error::about(Code::Usage, "revocation");
                Delivery {
                    answer: self.gate.answer(&error, &Requirements::NONE),
                    event: None,
                    error: Some(error),
                }
            }
        }
    }

    /// RFC 8935 §2.2; Back-Channel Logout §2.8.
    fn accepted(&self) -> Answer {
        Answer {
            status: if self.kind == Kind::LogoutToken {
                200
            } else {
                202
            },
            headers: vec![("Cache-Control", "no-store".to_owned())],
            body: String::new(),
        }
    }
}

/// The one `logout_token` of a form. Nothing in a token has to be escaped there.
fn form<'b>(content_type: Option<&str>, body: &'b [u8]) -> Option<&'b [u8]> {
    if !is(content_type, "application/x-www-form-urlencoded") {
        return None;
    }
    let mut fields = body.trim_ascii().split(|byte| *byte == b'&');
    let named = |field: &&'b [u8]| field.starts_with(b"logout_token=");
    let found = fields.by_ref().find(named)?;
    if fields.any(|field| named(&field)) {
        return None;
    }
    found.strip_prefix(b"logout_token=")
}

/// Whether a `Content-Type` is of this media type, whatever its parameters (RFC 9110 §8.3.1).
fn is(content_type: Option<&str>, expected: &str) -> bool {
    let essence = content_type.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected))
}

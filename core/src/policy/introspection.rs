//! What the document says of asking an issuer about its tokens (RFC 7662):
//! `[issuers.X.introspection]`.

use std::sync::OnceLock;

use super::{Discovery, GateIssuer, GateRules, Reach, Secret};
use crate::time::Span;

/// How one issuer is asked about its tokens.
#[derive(Debug)]
pub(crate) struct IntrospectionRules {
    pub(crate) endpoint: Endpoint,
    /// Who asks: our name at the issuer, and the secret that proves it (RFC 6749 §2.3.1).
    pub(crate) client_id: Box<str>,
    pub(crate) client_secret: Secret,
    pub(crate) asks: Asks,
    /// The most that an answer is kept (INT-04).
    pub(crate) max_age: Span,
    pub(crate) reach: Reach,
    /// Filled once, when the gates are known; nobody is asked before.
    pub(super) answers: OnceLock<AnswerForm>,
}

/// In what form an issuer answers (INT-06): no answer of the other form is believed.
#[derive(Debug)]
pub(crate) enum AnswerForm {
    /// As JSON, and the connection stands for it (RFC 7662 §2.2).
    Plain,
    /// As a JWT that passes this door (RFC 9701).
    Signed(Box<GateRules>),
}

impl IntrospectionRules {
    /// In what form the issuer answers; `None` of rules that no loaded policy has.
    pub(crate) fn answers(&self) -> Option<&AnswerForm> {
        self.answers.get()
    }

    /// Whether an issuer is asked in the same way, and as the same.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.max_age == other.max_age && self.believes_as(other)
    }

    /// Whether what was answered to the other's questions is an answer to these: it was asked for
    /// in the same way, as the same, and is believed for the same reasons. For how long is another
    /// matter.
    pub(crate) fn believes_as(&self, other: &Self) -> bool {
        let Self {
            endpoint,
            client_id,
            client_secret,
            asks,
            max_age: _, // looked at whenever an answer is
            reach,
            answers,
        } = self;
        let same_form = match (answers.get(), other.answers.get()) {
            (Some(AnswerForm::Plain), Some(AnswerForm::Plain)) => true,
            (Some(AnswerForm::Signed(own)), Some(AnswerForm::Signed(others))) => {
                own.audience == others.audience
            }
            _ => false,
        };
        *endpoint == other.endpoint
            && *client_id == other.client_id
            && *client_secret == other.client_secret
            && *asks == other.asks
            && *reach == other.reach
            && same_form
    }
}

/// Where the token that an answer tells of is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ToldToken {
    /// With the answer: who brings it wants to know both.
    Here,
    /// By whoever has asked, as plain answers have it; here the answer alone is.
    Elsewhere,
}

/// Where an issuer is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Where the metadata of this issuer says, as `introspection_endpoint` (RFC 8414 §2).
    Discovered(Discovery, Box<str>),
    /// At this URL.
    Url(Box<str>),
}

/// About which of its access tokens an issuer is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Those that are no JWT by their form.
    Opaque,
    /// JWTs too, once all else holds: they can be called back.
    All,
}

/// Whom a gate asks about tokens that say nothing themselves. That there is one stands for the
/// policy's leave to take an issuer's word in place of its signature; only a loaded policy has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opaque(GateIssuer);

impl Opaque {
    pub(super) const fn of(issuer: GateIssuer) -> Self {
        Self(issuer)
    }

    pub(crate) const fn issuer(self) -> GateIssuer {
        self.0
    }
}

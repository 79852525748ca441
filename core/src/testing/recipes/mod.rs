//! What is wrong with a request of each code, and at which gates nothing can be: one arm a code, so
//! that a new one has to be decided upon.

mod chain;
mod content;
mod format;
mod links;
mod possession;

use super::NoRefusals;
use super::draft::{Draft, Token};
use super::forge::{Forge, Good};
use crate::claims::Claim;
use crate::error::Code;
use crate::policy::{Carrier, GateRules, IssuerRules, Row};

/// What becomes of a code at a gate.
pub(super) enum Attempt {
    /// No request meets it there, for this reason.
    Never(&'static str),
    /// This request does.
    Send(Box<Draft>),
}

/// An audience, an issuer, a place that nobody has.
const ELSEWHERE: &str = "https://elsewhere.invalid";

const CLOSED: &str = "every token is refused before: it must be proven, and no proof is taken here";
const KEYS: &str = "keys are judged when they are published, and those of the fakes are good";
const CALL: &str = "it is about a call that asks for more than its gate";
const PROGRAM: &str = "it is the program's fault, and no request's";

/// What the recipes have in common.
struct Bench<'b> {
    forge: &'b Forge<'b>,
    door: &'b GateRules,
    good: &'b Good,
    row: &'static Row,
    issuer: &'b IssuerRules,
}

/// The request that meets this code at this gate, or why none does.
pub(super) fn attempt(forge: &Forge<'_>, good: &Good, code: Code) -> Result<Attempt, NoRefusals> {
    let bench = Bench {
        forge,
        door: forge.door()?,
        good,
        row: good.entry.profile.row(),
        issuer: forge.issuer(good.entry)?,
    };
    match code {
        Code::NoToken | Code::MultipleCredentials | Code::TokenInQuery | Code::MalformedRequest => {
            bench.presented(code)
        }
        Code::MalformedToken
        | Code::Oversized
        | Code::NestingTooDeep
        | Code::DuplicateMember
        | Code::UnsupportedSerialization
        | Code::UnsupportedCrit
        | Code::EncryptedNotSupported => bench.shaped(code),
        Code::AlgNotAllowed => bench.altered(|token| {
            token.header.insert("alg".to_owned(), "none".into());
        }),
        Code::AlgKeyMismatch => bench.another_algorithm(),
        Code::KeyNotFound => bench.another_key(),
        Code::KeyUseMismatch | Code::WeakKey => Ok(Attempt::Never(KEYS)),
        Code::BadSignature => bench.altered(Token::spoil),
        Code::TypMismatch => bench.altered(|token| {
            token.header.insert("typ".to_owned(), "dpop+jwt".into());
        }),
        Code::WrongTokenKind => bench.another_kind(),
        Code::MissingClaim => bench.claim_left_out(),
        Code::ClaimType => bench.claim_malformed(),
        Code::ForbiddenClaim => bench.claim_forbidden(),
        Code::IssUntrusted => bench.another_issuer(),
        Code::AudMismatch => bench.another_audience(),
        Code::Expired => bench.expired(),
        Code::NotYetValid => bench.early(Claim::Nbf),
        Code::IssuedInFuture => bench.early(Claim::Iat),
        Code::TooOld => bench.too_old(),
        Code::LifetimeTooLong => bench.too_long(),
        Code::Replayed => bench.replayed(),
        Code::PopRequired => bench.unproven(),
        Code::PopMismatch => bench.proven_by_another(),
        Code::PopInvalid => bench.proven_wrongly(),
        Code::NonceRequired => bench.without_nonce(),
        Code::ActorMissing => bench.without_actor(),
        Code::ActorMalformed => bench.acting(|token| token.set(Claim::Act, Vec::<u8>::new())),
        Code::ChainTooDeep => bench.too_deep(),
        Code::ChainLoop => bench.loop_of_actors(),
        Code::ChainIncomplete => bench.incomplete(),
        Code::ChainLinkBroken => bench.broken_link(),
        Code::SubjectChanged => bench.another_subject(),
        Code::AttenuationScope => bench.wider_scope(),
        Code::AttenuationDetails => bench.wider_details(),
        Code::AttenuationTime => bench.older_than_its_parent(),
        Code::AttenuationAudience => bench.meant_for_another(),
        Code::IntentMismatch => bench.another_task(),
        Code::TxnMismatch => bench.another_transaction(),
        Code::MayActMismatch => bench.another_may_act(),
        Code::ActorNotAllowed => bench.stranger_acts(),
        Code::ActorPresenterMismatch => bench.another_presenter(),
        Code::Revoked => bench.revoked(),
        Code::Inactive => bench.inactive(),
        Code::InsufficientScope => bench.without_scope(),
        Code::InsufficientUserAuthentication => bench.another_sign_in(),
        Code::OperationDenied => bench.another_tool(),
        Code::PostureMismatch => bench.less_assured(),
        Code::TokenPassthrough => Ok(Attempt::Never(CALL)),
        Code::KeysUnavailable | Code::KeysRefreshing => bench.without_keys(code),
        Code::StatusUnavailable => bench.with_status(),
        Code::Suspended | Code::StatusStale => Ok(Attempt::Never(
            "it is what a status list says, and no request",
        )),
        Code::RevocationUnavailable | Code::RevocationStale => Ok(Attempt::Never(
            "it is about the store of revocations, and no request's",
        )),
        Code::IntrospectionPending | Code::IntrospectionUnavailable => Ok(Attempt::Never(
            "it is about an authorization server that is asked, and no request's",
        )),
        Code::ReplayUnavailable | Code::ReplayFull => Ok(Attempt::Never(
            "it is about the store of used proofs, and no request's",
        )),
        Code::Usage | Code::Internal => Ok(Attempt::Never(PROGRAM)),
    }
}

impl<'b> Bench<'b> {
    fn any(&self) -> Result<Draft, NoRefusals> {
        let draft = self.good.plain.as_ref().or(self.good.delegated.as_ref());
        draft.cloned().ok_or(NoRefusals::NoFake)
    }

    /// A good request whose token is changed.
    fn altered(&self, change: impl FnOnce(&mut Token)) -> Result<Attempt, NoRefusals> {
        let mut draft = self.any()?;
        change(&mut draft.token);
        send(draft)
    }

    /// The same, for what is judged once possession is proven.
    fn altered_inside(&self, change: impl FnOnce(&mut Token)) -> Result<Attempt, NoRefusals> {
        if self.forge.closed {
            return never(CLOSED);
        }
        self.altered(change)
    }

    fn carrier(&self) -> Carrier {
        self.door.kind.carrier()
    }

    fn leeway(&self) -> i64 {
        self.forge.rules().leeway.seconds()
    }

    fn now(&self) -> i64 {
        self.forge.setting.now.seconds()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as all recipes answer")]
fn send(draft: Draft) -> Result<Attempt, NoRefusals> {
    Ok(Attempt::Send(Box::new(draft)))
}

#[expect(clippy::unnecessary_wraps, reason = "as all recipes answer")]
const fn never(why: &'static str) -> Result<Attempt, NoRefusals> {
    Ok(Attempt::Never(why))
}

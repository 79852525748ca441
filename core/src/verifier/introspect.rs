//! What an issuer says of its tokens when it is asked (RFC 7662), as a verification sees it: in
//! place of a signature for a token that is no JWT, and beside one for a JWT that can be called
//! back.
//!
//! Active is necessary, not sufficient (INT-02): what the answer says of the token is judged like a
//! JWT's claims. Asking is not in this layer; without an answer the token is undecided.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::pipeline::{self, Case};
use super::state::{Door, Source, State};
use super::trail::{Stage, Trail};
use super::verified::Judged;
use super::vouched::{VerifiedBy, Vouched};
use super::{ancestry, note};
use crate::claims::{Claim, Claims};
use crate::crypto::CryptoProvider;
use crate::delegation;
use crate::encoding::base64url;
use crate::encoding::json::{Json, JsonKind, Value};
use crate::error::{ACTIVE, Code, Error};
use crate::introspection::{Answer, Answers, Key, NoAnswer, Terms, Told};
use crate::jws::ProtectedHeader;
use crate::limits::Limits;
use crate::policy::{
    AnswerForm, Endpoint, Introspection, IntrospectionRules, IssuerRules, Opaque, Row, Waiver,
};
use crate::time::NumericDate;

/// What there is too little of where a question does not even wait.
pub(super) const NO_ROOM: &str = "waiting";
const TOKEN_TYPE: &str = "token_type";
/// What stands for the header of a token that has none: `{}`.
const NO_HEADER: &[u8] = b"e30";

/// Evidence that the issuer of a token holds it for active, or that the policy does not ask.
#[derive(Debug)]
pub(super) struct StillActive(By);

#[derive(Debug)]
enum By {
    /// Read by nobody: that it is here says all.
    Waiver { _waived: Waiver<Introspection> },
    /// Its answer, asked for at this moment.
    Answer(NumericDate),
}

impl StillActive {
    /// When the issuer was asked; `None` where it was not.
    pub(super) const fn asked_at(&self) -> Option<NumericDate> {
        match self.0 {
            By::Waiver { .. } => None,
            By::Answer(asked_at) => Some(asked_at),
        }
    }
}

/// Evidence, in place of a signature, that an issuer stands for these claims. Only the leave of the
/// policy, as [`Opaque`], and an answer that says that the token is active make it.
pub(super) struct Introspected {
    claims: Claims,
    header: Arc<ProtectedHeader>,
    source: Source,
    asked_at: NumericDate,
}

impl Introspected {
    fn of(door: Door<'_>, opaque: Opaque, answer: &Answer) -> Result<Self, Error> {
        let limits = door.rules().limits;
        let source = door.source(opaque.issuer());
        let mut claims = active(answer, limits)?;
        door.issuer(&source)?
            .rename_claims(&mut claims, source.profile);
        Ok(Self {
            claims,
            header: ProtectedHeader::parse(NO_HEADER, limits.into())?.into(),
            source,
            asked_at: answer.asked_at,
        })
    }
}

impl Vouched for Introspected {
    const BY: VerifiedBy = VerifiedBy::Introspection;

    fn claims(&self) -> &Claims {
        &self.claims
    }

    fn source(&self) -> &Source {
        &self.source
    }

    fn header(&self) -> &ProtectedHeader {
        &self.header
    }

    fn row(&self) -> &'static Row {
        Row::introspected()
    }

    fn active(&self) -> Option<StillActive> {
        Some(StillActive(By::Answer(self.asked_at)))
    }

    fn into_parts(self) -> (Claims, Arc<ProtectedHeader>, Source) {
        (self.claims, self.header, self.source)
    }
}

/// Judges what [`pipeline::admit`] has refused with `error`, where it is a token of another form
/// whose issuer the gate asks.
#[cold]
pub(super) fn opaque<T: Trail>(
    door: Door<'_>,
    token: &[u8],
    error: Error,
    case: &Case<'_>,
    trail: &mut T,
) -> Result<Judged, Error> {
    let opaque = door.gate.opaque.filter(|_| is_opaque(token, &error, door));
    let Some(opaque) = opaque else {
        return Err(error);
    };
    trail.passed(Stage::Shape, note::opaque);
    trail.enter(Stage::Introspection);
    let source = door.source(opaque.issuer());
    let mut judged = || {
        let issuer = door.issuer(&source)?;
        let rules = issuer.introspection.as_deref();
        let rules = rules.ok_or_else(|| Error::new(Code::Internal))?;
        let answer = look_up(&door, &source, rules, token, case)?;
        let told = Introspected::of(door, opaque, &answer)?;
        trail.enter(Stage::Claims);
        check_told(&told.claims, issuer)?;
        // Kept answers are what is remembered of it.
        pipeline::finish(
            door.apart(),
            token,
            told,
            case,
            &ancestry::ALONE,
            None,
            trail,
        )
    };
    judged().map_err(|error| door.blame(&source, error))
}

/// Whether a refused text may be a token all the same: of the characters of RFC 6750 §2.1, and none
/// that begins as a JWT does.
fn is_opaque(token: &[u8], error: &Error, door: Door<'_>) -> bool {
    // Two dots more make a JWE, whatever they are between.
    let of_form = matches!(
        error.code(),
        Code::MalformedToken | Code::EncryptedNotSupported
    );
    let end = token.iter().rposition(|byte| *byte != b'=');
    let text = end.and_then(|end| token.get(..=end)).unwrap_or_default();
    let b64token = !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte));
    of_form && b64token && !begins_as_jwt(token, door.rules().limits)
}

fn begins_as_jwt(token: &[u8], limits: Limits) -> bool {
    let Some(first) = memchr::memchr(b'.', token).and_then(|end| token.get(..end)) else {
        return false;
    };
    let header =
        base64url::decode(first).and_then(|header| Json::parse(header, limits.into()).ok());
    header.is_some_and(|header| header.root().kind() == JsonKind::Object)
}

/// INT-02 and INT-03 as far as a JWT's claims have no such members: the answer is of the issuer
/// that was asked, tells whose the token is, and is of an access token.
fn check_told(claims: &Claims, issuer: &IssuerRules) -> Result<(), Error> {
    if let Some(iss) = claims.value(Claim::Iss) {
        let iss = iss.as_str();
        let iss = iss.ok_or_else(|| Error::about(Code::ClaimType, Claim::Iss.name()))?;
        if !issuer.issuers.iter().any(|own| **own == *iss) {
            return Err(Error::about(Code::IssUntrusted, Claim::Iss.name()));
        }
    }
    let present = claims.present();
    if !present.contains(Claim::Sub) && !present.contains(Claim::ClientId) {
        return Err(Error::about(Code::MissingClaim, Claim::Sub.name()));
    }
    // A server answers about refresh tokens too (RFC 7662 §2.1).
    let Some(token_type) = claims.other(TOKEN_TYPE) else {
        return Ok(());
    };
    match token_type.as_str() {
        Some(name) if name.eq_ignore_ascii_case("bearer") => Ok(()),
        Some(name) if name.eq_ignore_ascii_case("dpop") && !present.contains(Claim::Cnf) => {
            Err(Error::about(Code::MissingClaim, Claim::Cnf.name()))
        }
        Some(name) if name.eq_ignore_ascii_case("dpop") => Ok(()),
        Some(_) => Err(Error::about(Code::WrongTokenKind, TOKEN_TYPE)),
        None => Err(Error::about(Code::ClaimType, TOKEN_TYPE)),
    }
}

/// Of a JWT in which all else holds: whether its issuer still holds it for active, where the policy
/// asks.
#[inline]
pub(super) fn still_active(
    door: &Door<'_>,
    source: &Source,
    claims: &Claims,
    token: &[u8],
    case: &Case<'_>,
) -> Result<StillActive, Error> {
    match door.gate.waive_introspection() {
        Some(waiver) => Ok(StillActive(By::Waiver { _waived: waiver })),
        None => ask(door, source, claims, token, case),
    }
}

#[cold]
fn ask(
    door: &Door<'_>,
    source: &Source,
    claims: &Claims,
    token: &[u8],
    case: &Case<'_>,
) -> Result<StillActive, Error> {
    let issuer = door.issuer(source)?;
    let rules = match (&issuer.introspection, issuer.waive_introspection()) {
        (_, Some(waiver)) => return Ok(StillActive(By::Waiver { _waived: waiver })),
        (Some(rules), None) => rules,
        (None, None) => return Err(Error::new(Code::Internal)),
    };
    let answer = look_up(door, source, rules, token, case)?;
    let mut told = active(&answer, door.rules().limits)?;
    issuer.rename_claims(&mut told, source.profile);
    check_agrees(door, claims, &told, issuer, case.now())?;
    Ok(StillActive(By::Answer(answer.asked_at)))
}

/// INT-02 for a JWT: what the answer says of the token may end it or say less of it than it says
/// itself, and grants nothing.
fn check_agrees(
    door: &Door<'_>,
    signed: &Claims,
    told: &Claims,
    issuer: &IssuerRules,
    now: NumericDate,
) -> Result<(), Error> {
    // What is malformed in an answer says nothing of a token that its issuer has signed.
    let malformed = |error: Error| match error.claim() {
        Some(claim) => Error::about(Code::IntrospectionUnavailable, claim),
        None => Error::new(Code::IntrospectionUnavailable),
    };
    let dates = told.check_types(issuer.scope_form());
    let dates = dates.map_err(malformed)?;
    // An answer about another token is none about this one. `act` of the JWT stays where the answer
    // has none (INT-03), but nobody acts of whom the issuer has not told in what it signed.
    for claim in [Claim::Iss, Claim::Sub, Claim::ClientId, Claim::Jti] {
        let fits = |told: Value<'_>| signed.value(claim).is_none_or(|own| own.same_as(told));
        if !told.value(claim).is_none_or(fits) {
            return Err(Error::about(Code::IntrospectionUnavailable, claim.name()));
        }
    }
    // An answer may leave actors out, and says so (`chain_complete`).
    let acts = |act: Value<'_>| match signed.value(Claim::Act) {
        Some(own) => own.same_as(act) || !delegation::is_complete(told),
        None => false,
    };
    if !told.value(Claim::Act).is_none_or(acts) {
        let act = Claim::Act.name();
        return Err(Error::about(Code::IntrospectionUnavailable, act));
    }
    let leeway = door.rules().leeway;
    if dates.expires_at.is_some_and(|exp| now >= exp.plus(leeway)) {
        return Err(Error::about(Code::Expired, "exp"));
    }
    if dates.not_before.is_some_and(|nbf| now < nbf.minus(leeway)) {
        return Err(Error::about(Code::NotYetValid, "nbf"));
    }
    if told.present().contains(Claim::Aud) && !told.audience().any(|aud| door.gate.is_called(aud)) {
        return Err(Error::about(Code::AudMismatch, "aud"));
    }
    let grants = |scope: &str| told.scopes().any(|granted| granted == scope);
    if told.present().contains(Claim::Scope) && !signed.scopes().all(grants) {
        return Err(Error::about(Code::InsufficientScope, "scope"));
    }
    let details = Claim::AuthorizationDetails;
    if told.present().contains(details) && !delegation::details_within(signed, told) {
        return Err(Error::about(Code::InsufficientScope, details.name()));
    }
    let bound = |cnf: Value<'_>| signed.value(Claim::Cnf).is_some_and(|own| own.same_as(cnf));
    if !told.value(Claim::Cnf).is_none_or(bound) {
        return Err(Error::about(Code::PopMismatch, "cnf"));
    }
    Ok(())
}

/// What an active token is said to be.
fn active(answer: &Answer, limits: Limits) -> Result<Claims, Error> {
    match &answer.told {
        Told::Active(text) => {
            let json = Json::parse(text.to_vec(), limits.into());
            let unread = |_| Error::about(Code::IntrospectionUnavailable, ACTIVE);
            Claims::locate(json.map_err(unread)?)
        }
        Told::Inactive => Err(Error::about(Code::Inactive, ACTIVE)),
        Told::Malformed => Err(Error::about(Code::MalformedToken, ACTIVE)), // INT-01
    }
}

/// The issuers that a policy asks, by their positions in it, and what they have said.
pub(super) fn asked(
    state: &State,
) -> impl Iterator<Item = (usize, &IssuerRules, &Arc<IntrospectionRules>, &Arc<Answers>)> {
    let issuers = state.world.rules().issuers.iter().enumerate();
    issuers.filter_map(|(position, issuer)| {
        let rules = issuer.introspection.as_ref()?;
        Some((position, issuer, rules, state.answers.of(position)?))
    })
}

/// What an answer has to be under these rules, and this generation of the issuer's keys.
pub(super) fn terms(rules: &IntrospectionRules, generation: u64) -> Option<Terms> {
    let signed_by = match rules.answers()? {
        AnswerForm::Plain => None,
        AnswerForm::Signed(_) => Some(generation),
    };
    Some(Terms {
        max_age: rules.max_age,
        signed_by,
    })
}

fn look_up(
    door: &Door<'_>,
    source: &Source,
    rules: &IntrospectionRules,
    token: &[u8],
    case: &Case<'_>,
) -> Result<Answer, Error> {
    let answers = door.state.answers.of(source.position);
    let known = answers.zip(terms(rules, source.generation));
    let (answers, terms) = known.ok_or_else(|| Error::new(Code::Internal))?;
    let key = key(case.judge.provider, rules, token);
    let found = answers.look_up(&key, token, terms, case.now());
    found.map_err(|none| match none {
        NoAnswer::Pending => Error::new(Code::IntrospectionPending),
        NoAnswer::NoRoom => Error::about(Code::IntrospectionPending, NO_ROOM),
        NoAnswer::Unavailable => Error::new(Code::IntrospectionUnavailable),
    })
}

/// The token itself is kept by nobody; and an answer is of whom was asked, and to whom it was
/// given.
fn key(provider: &CryptoProvider, rules: &IntrospectionRules, token: &[u8]) -> Key {
    let (Endpoint::Discovered(_, endpoint) | Endpoint::Url(endpoint)) = &rules.endpoint;
    let mut text = Zeroizing::new(Vec::with_capacity(token.len().saturating_add(256)));
    for part in [endpoint, &rules.client_id] {
        text.extend_from_slice(part.as_bytes());
        text.push(0);
    }
    text.extend_from_slice(token);
    (provider.sha256)(&text)
}

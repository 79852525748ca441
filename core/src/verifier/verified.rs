//! [`VerifiedToken`]: what is true of a token once every check has left its evidence.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::authority::{self, CallSatisfied, GateSatisfied};
use super::introspect::StillActive;
use super::kind::ClaimsAccepted;
use super::state::{Identity, Source};
use super::validity::{AudienceAccepted, Dates, TimeAccepted};
use super::vouched::{VerifiedBy, Vouched};
use super::{Misfit, Requirements, misfit};
use crate::binding::{
    Confirmation, NotReplayed, Possessed, Possession, PossessionConfirmed, ReplayReach, UsedProof,
};
use crate::claims::{Audience, Claim, Claims, Scopes};
use crate::delegation::{
    self, Actor, Chain, ChainAccepted, Dimension, Dimensions, LineageAccepted, Member,
    PresenterAccepted, TasksAgree,
};
use crate::encoding::json::{Json, Value};
use crate::error::{Code, Error};
use crate::events;
use crate::jwa::Algorithm;
use crate::jws::ProtectedHeader;
use crate::policy::{GateRules, IssuerRules, Kind, Lineage, Profile};
use crate::revocation::{Change, Handles, NotRevoked, Standing};
use crate::time::NumericDate;

/// The field that gives an attested client its challenge (ATT-09).
pub(crate) const CHALLENGE_FIELD: &str = "OAuth-Client-Attestation-Challenge";

/// A token that passed every check of its gate. It has no public constructor: holding one means
/// that each check happened.
///
/// Cloning is cheap; clones share one buffer. `Debug` shows no claim value.
#[derive(Clone)]
pub struct VerifiedToken {
    settled: Settled,
    lineage: Lineage,
    unproven: Dimensions,
    /// Of the tasks of the tokens it comes from; mostly there are none.
    bounds: Option<Arc<[Json]>>,
    shown: Option<Possession>,
    replay: Option<ReplayReach>,
    next_nonce: Option<Arc<str>>,
    /// How the store stood in which nothing about it was revoked.
    not_revoked: Option<Standing>,
    /// Whether the status list was asked that it refers to.
    status: Option<bool>,
    /// When its issuer was asked whether it is active.
    introspected_at: Option<NumericDate>,
}

/// A token that passed every check, except that a proof which came with it may have been used
/// before: that is asked last, once nothing else can refuse.
pub(super) struct Judged {
    /// The verdict, but for what the proof adds to it.
    verdict: VerifiedToken,
    possession: PossessionConfirmed,
    /// The token itself, where it is good once.
    used: Option<Box<UsedProof>>,
}

/// Everything about a token that cannot change while policy and keys stand: what a cache may
/// remember. Time, possession, revocation and the call's own needs are checked anew at each use.
#[derive(Clone)]
pub(super) struct Settled(Arc<Facts>);

struct Facts {
    claims: Claims,
    header: Arc<ProtectedHeader>,
    confirmation: Confirmation,
    chain: Chain,
    dates: Dates,
    /// When everything about it was found to be so.
    settled_at: NumericDate,
    source: Source,
    identity: Identity,
    /// `None` where the policy does not ask about revocations.
    handles: Option<Handles>,
    verified_by: VerifiedBy,
}

/// The evidence of one verification's unchanging checks, each consumed here.
pub(super) struct Evidence {
    pub(super) claims: ClaimsAccepted,
    pub(super) audience: AudienceAccepted,
    pub(super) chain: ChainAccepted,
    pub(super) authority: GateSatisfied,
}

/// The evidence of what is checked anew at each use, consumed by [`Judged::new`].
pub(super) struct Fresh {
    pub(super) timely: TimeAccepted,
    pub(super) possession: PossessionConfirmed,
    pub(super) presenter: PresenterAccepted,
    pub(super) lineage: LineageAccepted,
    pub(super) tasks: TasksAgree,
    pub(super) not_revoked: NotRevoked,
    pub(super) called_for: CallSatisfied,
    pub(super) active: StillActive,
    pub(super) used: Option<Box<UsedProof>>,
}

impl Settled {
    pub(super) fn new<V: Vouched>(
        vouched: V,
        dates: Dates,
        settled_at: NumericDate,
        confirmation: Confirmation,
        identity: Identity,
        handles: Option<Handles>,
        evidence: Evidence,
    ) -> Self {
        let Evidence {
            claims: ClaimsAccepted { .. },
            audience: AudienceAccepted { .. },
            chain,
            authority: GateSatisfied { .. },
        } = evidence;
        let (claims, header, source) = vouched.into_parts();
        Self(Arc::new(Facts {
            claims,
            header,
            confirmation,
            chain: chain.into_chain(),
            dates,
            settled_at,
            source,
            identity,
            handles,
            verified_by: V::BY,
        }))
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.0.claims
    }

    pub(super) fn gate(&self) -> &GateRules {
        self.0.identity.gate()
    }

    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        Some(self.0.header.algorithm?.algorithm())
    }

    pub(super) fn confirmation(&self) -> &Confirmation {
        &self.0.confirmation
    }

    pub(super) fn dates(&self) -> &Dates {
        &self.0.dates
    }

    /// Whether it is valid now.
    #[inline]
    pub(super) fn check_dates(&self, now: NumericDate) -> Result<TimeAccepted, Error> {
        self.0.dates.check_since(self.0.settled_at, now)
    }

    pub(super) fn source(&self) -> &Source {
        &self.0.source
    }

    pub(super) fn chain(&self) -> &Chain {
        &self.0.chain
    }

    /// What it can be revoked by; `None` where the policy does not ask.
    pub(super) fn handles(&self) -> Option<&Handles> {
        self.0.handles.as_ref()
    }

    /// The token as one of a chain of tokens.
    pub(super) fn member(&self) -> Member<'_> {
        let facts = &*self.0;
        let (claims, rules) = (&facts.claims, facts.identity.issuer());
        let (chain, dates) = (&facts.chain, &facts.dates);
        facts.source.member(claims, rules, chain, dates)
    }

    /// Whether this call's caller, where it is known, is the one who acts.
    #[inline]
    pub(super) fn check_presenter(
        &self,
        gate: &GateRules,
        requirements: &Requirements,
    ) -> Result<PresenterAccepted, Error> {
        let Some(caller) = requirements.presenter() else {
            return Ok(PresenterAccepted::UNKNOWN);
        };
        let facts = &*self.0;
        let iss = facts.issuer();
        delegation::check_presenter(&facts.chain, &facts.claims, iss, gate, Some(caller))
    }

    /// Heap bytes, for the cache's budget. A header that other tokens share counts with each of
    /// them: who keeps it alive last cannot be known.
    pub(super) fn size(&self) -> usize {
        let Facts {
            claims,
            header,
            confirmation,
            chain,
            dates: _,
            settled_at: _,
            source: _,
            identity: _, // the policy's, which outlives the cache
            handles,
            verified_by: _,
        } = &*self.0;
        size_of::<Facts>()
            + claims.heap_size()
            + size_of::<ProtectedHeader>()
            + header.heap_size()
            + confirmation.heap_size()
            + chain.heap_size()
            + handles.as_ref().map_or(0, Handles::heap_size)
    }
}

impl Judged {
    #[inline]
    pub(super) fn new(settled: Settled, fresh: Fresh) -> Self {
        let Fresh {
            timely: TimeAccepted { .. },
            possession,
            presenter: PresenterAccepted { .. },
            lineage,
            tasks,
            not_revoked,
            called_for: CallSatisfied { .. },
            active,
            used,
        } = fresh;
        let verdict = VerifiedToken {
            settled,
            lineage: lineage.lineage(),
            unproven: lineage.unproven(),
            bounds: tasks.into_bounds(),
            shown: None,
            replay: None,
            next_nonce: None,
            not_revoked: not_revoked.standing(),
            status: not_revoked.status(),
            introspected_at: active.asked_at(),
        };
        Self {
            verdict,
            possession,
            used,
        }
    }

    /// Issuer and subject.
    pub(super) fn named(&self) -> (&str, &str) {
        let facts = self.verdict.facts();
        (
            facts.issuer(),
            facts.claims.text(Claim::Sub).unwrap_or_default(),
        )
    }

    pub(super) const fn possession(&self) -> &PossessionConfirmed {
        &self.possession
    }

    /// Whether the token is good once.
    pub(super) const fn is_used_up(&self) -> bool {
        self.used.is_some()
    }

    /// The verdict, with evidence that neither its proof, if it has one, nor the token itself, if
    /// it is good once, was used before. The token comes last: a proof that was seen uses up no
    /// token.
    #[inline]
    pub(super) fn conclude(
        self,
        mut look_up: impl FnMut(UsedProof) -> Result<NotReplayed, Error>,
    ) -> Result<VerifiedToken, Error> {
        let Self {
            verdict,
            possession,
            used,
        } = self;
        let Possessed {
            how,
            mut reach,
            next_nonce,
        } = possession.settle(&mut look_up)?;
        if let Some(used) = used {
            reach = look_up(*used)?.reach().or(reach);
        }
        Ok(VerifiedToken {
            shown: how,
            replay: reach,
            next_nonce,
            ..verdict
        })
    }
}

impl VerifiedToken {
    fn facts(&self) -> &Facts {
        &self.settled.0
    }

    fn issuer_rules(&self) -> &IssuerRules {
        self.facts().identity.issuer()
    }

    fn gate_rules(&self) -> &GateRules {
        self.facts().identity.gate()
    }

    /// `iss`; for the token of a workload its trust domain, as `spiffe://td.example`; for one of a
    /// kind that may lack `iss`, and does, the first name the policy has for its issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.facts().issuer()
    }

    /// The policy's name for the issuer, safe as a metric label.
    #[must_use]
    pub fn issuer_name(&self) -> &str {
        &self.issuer_rules().name
    }

    /// `sub`: for whom the token is. Of an issuer that inverts `act` it is the `sub` of `act`
    /// (see [`VerifiedToken::dialect_mapped`]). Tokens that tell of something rather than somebody
    /// lack it.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        Some(self.party()?.sub())
    }

    /// Whether the issuer means by `act` for whom `sub` acts, so that subject and actor were
    /// exchanged here (`act_meaning = "inverted"`).
    #[must_use]
    pub fn dialect_mapped(&self) -> bool {
        self.facts().chain.is_mapped()
    }

    /// The subject as a party of the chain.
    fn party(&self) -> Option<Actor<'_>> {
        let facts = self.facts();
        facts.chain.subject(&facts.claims, facts.issuer())
    }

    /// `client_id`, or what the issuer's `claim_names` says stands for it.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.facts().claims.text(Claim::ClientId)
    }

    /// `jti`.
    #[must_use]
    pub fn jwt_id(&self) -> Option<&str> {
        self.facts().claims.text(Claim::Jti)
    }

    /// `aud`, always as a list.
    #[must_use]
    pub fn audience(&self) -> Audience<'_> {
        self.facts().claims.audience()
    }

    /// `exp`; of an introspection response, that of the token it tells of. Security event tokens
    /// and agent cards have none, and of status lists some.
    #[must_use]
    pub fn expires_at(&self) -> Option<NumericDate> {
        self.facts().dates.expires_at
    }

    /// `nbf`.
    #[must_use]
    pub fn not_before(&self) -> Option<NumericDate> {
        self.facts().dates.not_before
    }

    /// `iat`.
    #[must_use]
    pub fn issued_at(&self) -> Option<NumericDate> {
        self.facts().dates.issued_at
    }

    /// `scope` as tokens.
    #[must_use]
    pub fn scopes(&self) -> Scopes<'_> {
        self.facts().claims.scopes()
    }

    /// Whether the token grants `scope`, by itself or through the gate's `scope_implies`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        authority::has_scope(&self.facts().claims, self.gate_rules(), scope)
    }

    /// `authorization_details` (RFC 9396) as its JSON text.
    #[must_use]
    pub fn authorization_details(&self) -> Option<&str> {
        Some(
            self.facts()
                .claims
                .value(Claim::AuthorizationDetails)?
                .raw(),
        )
    }

    /// Who is calling: the outermost actor of `act`.
    #[must_use]
    pub fn actor(&self) -> Option<Actor<'_>> {
        self.chain().next()
    }

    /// All actors, outermost first. One token only asserts the inner ones (RFC 8693 §4.1).
    pub fn chain(&self) -> impl DoubleEndedIterator<Item = Actor<'_>> {
        let facts = self.facts();
        facts.chain.actors(facts.claims.json(), facts.issuer())
    }

    /// Whether somebody else acts for the subject. An actor that is the subject itself is an agent
    /// acting for itself (ACT-07).
    #[must_use]
    pub fn delegated(&self) -> bool {
        self.actor().is_some_and(|actor| !self.is_subject(actor))
    }

    fn is_subject(&self, actor: Actor<'_>) -> bool {
        self.party() == Some(actor)
    }

    /// What kind of party the subject is, where the token shows it.
    #[must_use]
    pub fn subject_kind(&self) -> Option<SubjectKind> {
        if self.actor().is_some_and(|actor| self.is_subject(actor)) {
            return Some(SubjectKind::Agent);
        }
        (self.subject().is_some() && self.subject() == self.client_id())
            .then_some(SubjectKind::Client)
    }

    /// How much is proven about the chain: one token proves nothing of its history, and those it
    /// comes from as much as the weakest step between them ([`Gate::verify_chain`]).
    ///
    /// [`Gate::verify_chain`]: crate::Gate::verify_chain
    #[must_use]
    pub const fn lineage(&self) -> Lineage {
        self.lineage
    }

    /// What was not compared between this token and those it comes from: an issuer's word alone
    /// says that it did not grow.
    pub fn unproven(&self) -> impl Iterator<Item = Dimension> {
        self.unproven.iter()
    }

    /// How possession of the token's key was shown; `None` is a bearer token.
    #[must_use]
    pub fn sender_constrained(&self) -> Option<Possession> {
        self.shown
    }

    /// How far it reaches that the proof was used for the first time; `None` where no proof was
    /// used, or nobody was asked.
    #[must_use]
    pub fn replay_reach(&self) -> Option<ReplayReach> {
        self.replay
    }

    /// Whether the status list was asked that the token refers to: `Some(false)` where it was
    /// missing or stale, or nobody may fetch it, and the policy accepts that. `None` for a token
    /// that refers to none.
    #[must_use]
    pub const fn status_checked(&self) -> Option<bool> {
        self.status
    }

    /// By what the issuer stands for the claims: its signature, or its answer about a token that is
    /// no JWT (RFC 7662). Of such a token [`VerifiedToken::payload`] is that answer, the header is
    /// `{}`, and that [`VerifiedToken::actor`] is `None` proves no absence of delegation (INT-03).
    #[must_use]
    pub fn verified_by(&self) -> VerifiedBy {
        self.facts().verified_by
    }

    /// When the issuer was asked whether the token is active; `None` where the policy has nobody
    /// ask.
    #[must_use]
    pub const fn introspected_at(&self) -> Option<NumericDate> {
        self.introspected_at
    }

    /// Header fields to add to the answer: a nonce for the client's next proof (RFC 9449 §8.2), or
    /// a challenge. Usually none.
    pub fn response_headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let nonce = self.next_nonce.as_deref();
        let kind = self.facts().source.profile.kind();
        let name = if kind == Kind::ClientAttestation {
            CHALLENGE_FIELD
        } else {
            "DPoP-Nonce"
        };
        nonce.into_iter().map(move |nonce| (name, nonce))
    }

    /// The exact row of the profile table.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.facts().source.profile
    }

    /// The gate it passed.
    #[must_use]
    pub fn gate(&self) -> &str {
        &self.gate_rules().name
    }

    /// The protected header as its JSON text.
    #[must_use]
    pub fn header(&self) -> &str {
        self.facts().header.json().source()
    }

    /// `kid`.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.facts().header.kid()
    }

    /// The payload exactly as signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.facts().claims.json().source().as_bytes()
    }

    /// The source text of one top-level claim: `"u1"` with its quotes, an object, a number.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        Some(self.facts().claims.json().root().get(name)?.raw())
    }

    /// All claims, as they were read while the token was verified.
    #[must_use]
    pub fn claims(&self) -> Value<'_> {
        self.facts().claims.json().root()
    }

    /// The claims as a type of the application's own.
    ///
    /// # Errors
    ///
    /// When the claims do not fit the type; it names the claim.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Misfit> {
        misfit::read(self.payload())
    }

    /// Asks a later, narrower question of the same verdict: per tool, per route. The token's time
    /// and what was revoked of it are judged again, since it may have been held for long; its keys
    /// are not.
    ///
    /// # Errors
    ///
    /// `insufficient_scope`, `operation_denied` or `insufficient_user_authentication`;
    /// `actor_presenter_mismatch`; `expired` and the like; `revoked`; `usage` for requirements that
    /// no token can meet, and for those with what was approved, which are for the verification
    /// itself.
    pub fn require(&self, requirements: &Requirements, now: NumericDate) -> Result<(), Error> {
        requirements.check()?;
        if requirements.approved.is_some() {
            // Digests are the provider's, and a verdict has none.
            return Err(Error::about(Code::Usage, "approved"));
        }
        let identity = &self.facts().identity;
        let met = self.meets(requirements, now);
        met.map_err(|error| identity.blame(error))
    }

    fn meets(&self, requirements: &Requirements, now: NumericDate) -> Result<(), Error> {
        let facts = self.facts();
        let leeway = facts.identity.leeway();
        facts.dates.check(now)?;
        self.check_not_revoked(now)?;
        self.settled
            .check_presenter(self.gate_rules(), requirements)?;
        let gate = self.gate_rules();
        let bounds = self.bounds.as_deref().unwrap_or_default();
        authority::check_call(&self.settled, bounds, gate, requirements, now, leeway)
            .map(|CallSatisfied { .. }| ())?;
        let ties = requirements.ties.as_ref();
        ties.map_or(Ok(()), |ties| ties.check_later(&self.settled))
    }

    /// Whether nothing of it has been revoked meanwhile, where the policy asks.
    pub(super) fn check_not_revoked(&self, now: NumericDate) -> Result<(), Error> {
        let handles = self.settled.handles();
        handles.map_or(Ok(()), |handles| handles.check(now).map(|_| ()))
    }

    /// What follows from it, if it tells of an event.
    pub(super) fn changes(&self) -> Vec<Change> {
        let facts = self.facts();
        let kind = facts.source.profile.kind();
        events::changes(kind, &facts.claims, facts.issuer(), self.issuer_rules())
    }

    /// Of a token that verifies a stream, its `state`.
    pub(crate) fn verifies_stream(&self) -> Option<Option<&str>> {
        events::verification(&self.facts().claims)
    }

    pub(super) fn member(&self) -> Member<'_> {
        self.settled.member()
    }

    pub(super) const fn settled(&self) -> &Settled {
        &self.settled
    }

    pub(super) const fn standing(&self) -> Option<Standing> {
        self.not_revoked
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.facts().identity
    }

    /// Whether another verdict of the same token, kept meanwhile, says the same of everything that
    /// is asked anew at each use, so that what was made of the one may stand for the other. How old
    /// a store's news were counts by the second.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let age = |token: &Self| token.not_revoked.and_then(|standing| standing.staleness);
        let is_as_old = match (age(self), age(other)) {
            (Some(a), Some(b)) => a.millis().abs_diff(b.millis()) < 1000,
            (a, b) => a == b,
        };
        let has_same_bounds = match (&self.bounds, &other.bounds) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let told = |token: &Self| {
            (
                token.not_revoked.map(|standing| standing.epoch),
                token.status,
                token.introspected_at,
                (token.lineage, token.unproven),
                (token.shown, token.replay),
            )
        };
        Arc::ptr_eq(&self.settled.0, &other.settled.0)
            && told(self) == told(other)
            && is_as_old
            && has_same_bounds
            && self.next_nonce == other.next_nonce
    }

    /// Under which policy and keys it was judged.
    #[must_use]
    pub fn snapshot(&self) -> SnapshotId<'_> {
        let facts = self.facts();
        SnapshotId {
            policy: facts.identity.policy_digest(),
            keys: facts.source.generation,
            revocations: self.not_revoked.map(|standing| standing.epoch),
        }
    }
}

impl Facts {
    fn issuer(&self) -> &str {
        self.source.issuer(&self.claims, self.identity.issuer())
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("gate", &self.gate())
            .field("issuer_name", &self.issuer_name())
            .field("profile", &self.profile().as_str())
            .field("chain", &self.facts().chain.len())
            .finish_non_exhaustive()
    }
}

/// What kind of party a subject is. Never "user": no token proves that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubjectKind {
    /// `sub` is the client itself (AT-08).
    Client,
    /// An agent acting for itself (ACT-07).
    Agent,
}

impl SubjectKind {
    /// The stable spelling, the same in every language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Agent => "agent",
        }
    }
}

/// The state of the world that a batch was judged in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchSnapshot {
    /// Digest of the policy document.
    pub policy: String,
    /// Generation of the keys of each of the gate's issuers, by the policy's names, in its order.
    pub keys: Vec<(String, u64)>,
    /// Epoch of the revocations when the batch began; its verdicts know of later ones too.
    pub revocations: u64,
}

/// The state of the world a verdict was reached in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotId<'a> {
    /// Digest of the policy document.
    pub policy: &'a str,
    /// Generation of the issuer's keys.
    pub keys: u64,
    /// Epoch of the revocations that were asked; `None` where the policy asks nobody.
    pub revocations: Option<u64>,
}

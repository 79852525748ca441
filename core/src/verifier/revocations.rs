//! [`Revocations`]: revoking while verifications run.

use std::fmt;
use std::time::Duration;

use super::applied::{self, AppliedEvent};
use super::state::State;
use super::{Engine, VerifiedToken};
use crate::encoding::base64url;
use crate::limits::Limits;
use crate::policy::{IssuerRules, Kind, Policy, RevocationStorage, Rules};
use crate::revocation::{Change, Handle, HandleKind, RevocationStats};
use crate::time::{NumericDate, Span};

/// What is revoked, as a verifier knows it.
#[derive(Clone, Copy)]
pub struct Revocations<'v> {
    pub(super) engine: &'v Engine,
}

/// Which tokens of a handle a revocation concerns, until when it is remembered, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    cutoff: Cutoff,
    expires: Option<NumericDate>,
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cutoff {
    None,
    At(NumericDate),
    Now,
}

/// What a revocation did, and how far it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationReceipt {
    /// Raised by everything that is revoked or lifted. A verdict of this epoch or a later one knows
    /// of it.
    pub epoch: u64,
    /// How far it reaches: `"process"`, where others must be told themselves; `"host"` for a store
    /// of kind `file`; `"fleet"` for one that many hosts share.
    pub reach: &'static str,
    /// Whether the store has it. Else it is in force in this process, and tried again until the
    /// store has it: [`Revocations::flush`] waits for that. A server is never waited for here, so
    /// what goes to one is never delivered yet.
    ///
    /// A million changes are kept so. Where there is no room for more, the next ones are never
    /// delivered, for all that they are in force in this process: they are to be revoked again.
    pub delivered: bool,
    /// The cut-off that was given, in whole seconds: tokens issued within this second or before
    /// end, and whoever signs in from the next one on is not concerned. `None` where there is none,
    /// and of an event, whose handles have their own.
    pub cutoff: Option<NumericDate>,
}

/// How a store stands that processes share.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreState {
    /// The policy's name for it, safe as a metric label.
    pub name: String,
    /// `"host"` or `"fleet"`.
    pub reach: &'static str,
    /// How old its news is here; `None` before there was any.
    pub staleness: Option<Span>,
    /// Changes of this process that it is not known to have; those included that were never kept,
    /// since a million waited, and those that a store was not handed yet which the policy named
    /// before.
    pub undelivered: usize,
    /// Changes that this version cannot read, since the store was begun to be read: of one after
    /// it, or broken.
    pub unreadable: u64,
    /// Why it cannot be read or written, or, of kind `file`, be kept small; or, of a server, that
    /// it has lost something and does not have as much again: then processes that start do not know
    /// of it. `None` while all is well.
    pub last_error: Option<String>,
}

/// What a store is not known to have when nobody takes anything to it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undelivered {
    /// The policy's name for the store.
    pub store: String,
    /// How much was revoked or lifted.
    pub changes: usize,
}

/// Why nothing was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokeError {
    /// The policy asks nobody about revocations, so this one would be forgotten unread.
    Off,
    /// The handle names nothing: a part of it is empty.
    Empty,
    /// The handle's issuer is the policy's name for one. Tokens carry its `iss`.
    PolicyName,
    /// The policy trusts no issuer of this `iss`, so no token could carry the handle.
    NoSuchIssuer,
    /// A part of it is longer than any token may have it, whatever the policy (64 KiB).
    TooLong,
    /// The handle of a key is no SHA-256 thumbprint, so no token could carry it.
    NoThumbprint,
    /// The verifier was closed: nobody would ever take it to the store.
    Closed,
    /// It would end before it begins.
    Ended,
    /// An account that its issuer has disabled, which only an event tells.
    Told,
    /// The token tells of no event: it passed a gate of another kind than `logout_token` and `set`.
    NotAnEvent,
}

impl Revocation {
    /// Of every token, whenever it was issued (REV-01).
    #[must_use]
    pub const fn all() -> Self {
        Self::with(Cutoff::None)
    }

    /// Of the tokens issued at `cutoff` or before, and of those that do not say when (REV-02): new
    /// ones pass.
    #[must_use]
    pub const fn before(cutoff: NumericDate) -> Self {
        Self::with(Cutoff::At(cutoff))
    }

    /// Of the tokens issued until it is revoked, by the verifier's clock: signs out, and lets new
    /// tokens pass.
    #[must_use]
    pub const fn so_far() -> Self {
        Self::with(Cutoff::Now)
    }

    const fn with(cutoff: Cutoff) -> Self {
        Self {
            cutoff,
            expires: None,
            reason: None,
        }
    }

    /// Forgotten from then on (REV-07): the `exp` of the token that is revoked and the leeway, or
    /// the cut-off and the longest lifetime that the issuer gives. Without it, it is remembered
    /// until it is lifted: how long a token can live that nobody has seen, a policy cannot promise,
    /// since the next one may let it live longer.
    #[must_use]
    pub fn until(self, expires: NumericDate) -> Self {
        Self {
            expires: Some(expires),
            ..self
        }
    }

    /// Why, for whoever reads journals and feeds later: 256 bytes are kept. No verdict depends on
    /// it, and the store `"process"` keeps none.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..self
        }
    }

    /// Whether [`Revocations::revoke`] would take the handle under this policy.
    ///
    /// # Errors
    ///
    /// Why not: a part of it is empty or too long, or no token could carry it.
    pub fn check(policy: &Policy, handle: &Handle) -> Result<(), RevokeError> {
        check(policy.rules(), handle)
    }

    /// What [`Revocations::revoke`] would write at that moment under this policy: for programs
    /// without a verifier, which write to a [`Store`](crate::Store) themselves.
    ///
    /// # Errors
    ///
    /// As of [`Revocations::revoke`].
    pub fn change(
        self,
        policy: &Policy,
        handle: &Handle,
        now: NumericDate,
    ) -> Result<Change, RevokeError> {
        self.change_under(policy.rules(), handle, now)
    }

    /// As [`Revocation::change`], what [`Revocations::lift`] would write: one change, and of an
    /// account two.
    ///
    /// # Errors
    ///
    /// As of [`Revocations::lift`].
    pub fn lift(
        policy: &Policy,
        handle: &Handle,
        now: NumericDate,
    ) -> Result<Vec<Change>, RevokeError> {
        Self::lift_under(policy.rules(), handle, now)
    }

    fn lift_under(
        rules: &Rules,
        handle: &Handle,
        now: NumericDate,
    ) -> Result<Vec<Change>, RevokeError> {
        check(rules, handle)?;
        let account = handle.kind() == HandleKind::Account;
        let disabled = account.then(|| Handle::disabled(handle.scope(), handle.value()));
        let handles = std::iter::once(handle.clone()).chain(disabled);
        Ok(handles.map(|handle| Change::lifted(handle, now)).collect())
    }

    fn change_under(
        self,
        rules: &Rules,
        handle: &Handle,
        now: NumericDate,
    ) -> Result<Change, RevokeError> {
        check(rules, handle)?;
        if handle.kind() == HandleKind::Disabled {
            return Err(RevokeError::Told);
        }
        let Self {
            cutoff,
            expires,
            reason,
        } = self;
        if expires.is_some_and(|expires| expires <= now) {
            return Err(RevokeError::Ended);
        }
        let cutoff = match cutoff {
            Cutoff::None => None,
            Cutoff::At(cutoff) => Some(cutoff),
            Cutoff::Now => Some(now),
        };
        let change = Change::revoked(handle.clone(), cutoff, expires, now);
        Ok(change.because(reason.as_deref().unwrap_or_default()))
    }
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => {
                "the policy asks nobody about revocations; write store = \"process\" under \
                 [revocation]"
            }
            Self::Empty => "a part of the handle is empty",
            Self::PolicyName => {
                "the handle's issuer is a name of the policy's; write the iss that tokens carry"
            }
            Self::NoSuchIssuer => {
                "no issuer of the policy has this iss, to the last slash: nothing would end"
            }
            Self::NoThumbprint => {
                "jkt is no thumbprint: those have 43 characters of base64url, as in cnf (RFC 7638, \
                 RFC 8705)"
            }
            Self::Closed => {
                "the verifier was closed: nobody would take it to the store that processes share"
            }
            Self::TooLong => "a part of the handle is longer than any token has it: 64 KiB",
            Self::Ended => "expires lies before now",
            Self::Told => {
                "only its issuer disables an account, by an event; revoke the account instead"
            }
            Self::NotAnEvent => {
                "the token tells of no event; apply takes those of gates of profile logout_token and \
                 set"
            }
        })
    }
}

impl std::error::Error for RevokeError {}

impl<'v> Revocations<'v> {
    pub(super) const fn new(engine: &'v Engine) -> Self {
        Self { engine }
    }

    /// Revokes a handle. When this returns, no verification that starts afterwards passes with a
    /// token that carries it, cached or not. What was revoked of it before stays revoked.
    ///
    /// A store that processes share is told next; see [`RevocationReceipt::delivered`].
    ///
    /// It takes microseconds, and of a store of kind `file` what a disk takes; but for one call in
    /// some thousands, which brings what was revoked lately in order on the thread that calls (15
    /// ms at 300,000 entries). Whoever verifies does not wait for that.
    ///
    /// # Errors
    ///
    /// Nothing was revoked then.
    pub fn revoke(
        &self,
        handle: &Handle,
        revocation: Revocation,
    ) -> Result<RevocationReceipt, RevokeError> {
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let change = revocation.change_under(state.world.rules(), handle, now)?;
        check_open(&state)?;
        Ok(put_in_force(&state, &change, now))
    }

    /// Takes back whatever was revoked of the handle (REV-08), and of an account also what its
    /// issuer has disabled; of one that was not revoked it changes nothing. What events from before
    /// tell later is not taken any more.
    ///
    /// Under a server that processes share, what another one has just revoked is taken back once
    /// the server has it, as its [`Revocations::flush`] says: of the two that counts which arrives
    /// last.
    ///
    /// # Errors
    ///
    /// Nothing was lifted then.
    pub fn lift(&self, handle: &Handle) -> Result<RevocationReceipt, RevokeError> {
        let state = self.engine.state.load();
        let now = self.engine.clock.now();
        let changes = Revocation::lift_under(state.world.rules(), handle, now)?;
        check_open(&state)?;
        Ok(put_all_in_force(&state, &changes, now))
    }

    /// How long [`Revocations::flush`] should wait where nobody says: 5 s.
    pub const FLUSH: Duration = Duration::from_secs(5);

    /// Waits until the store has everything that this process has revoked or lifted, at most
    /// `timeout`; at once where no processes share it. Says whether it has: what it has not is
    /// still tried again, and [`Event::RevocationsDelivered`](crate::Event::RevocationsDelivered)
    /// tells when it has. A store that the policy named before has something once it was handed it:
    /// nobody reads there any more. What a server loses after it had it is handed to it again, as
    /// far as this process has kept it: [`StoreState::last_error`] tells of the rest.
    pub fn flush(&self, timeout: Duration) -> bool {
        let state = self.engine.state.load_full();
        let postman = state.revocations.postman();
        postman.is_none_or(|postman| postman.wait(timeout, &mut || postman.undelivered() == 0))
    }

    /// Stops carrying to and from the stores that processes share, as closing the verifier does: for
    /// programs that end without it. Never waits.
    ///
    /// Returns, once, what these stores are not known to have, which
    /// [`Event::RevocationsUndelivered`](crate::Event::RevocationsUndelivered) tells too: it is
    /// lost when the process ends.
    pub fn close(&self) -> Vec<Undelivered> {
        let state = self.engine.state.load_full();
        let postman = state.revocations.postman();
        let left = postman.map_or_else(Vec::new, |postman| postman.close());
        let left = left.into_iter().map(|(store, changes)| Undelivered {
            store: store.into(),
            changes,
        });
        left.collect()
    }

    /// How the store stands that the policy names, for people and for metrics; `None` where
    /// processes share none.
    #[must_use]
    pub fn store(&self) -> Option<StoreState> {
        let state = self.engine.state.load();
        let held = state.revocations.sharing();
        let sharing = held.get()?;
        let report = sharing.news.report();
        let text = |reason: &Option<Box<str>>| reason.as_deref().map(str::to_owned);
        let postman = state.revocations.postman();
        Some(StoreState {
            name: sharing.shared.store.name.to_string(),
            reach: sharing.shared.store.reach(),
            staleness: sharing.staleness(),
            undelivered: postman.map_or(0, |postman| postman.undelivered()),
            unreadable: report.unreadable,
            last_error: text(&report.reading)
                .or_else(|| text(&report.writing))
                .or_else(|| text(&report.keeping)),
        })
    }

    /// Revokes or lifts what follows from an accepted token that tells of an event: a logout token,
    /// or a Security Event Token of CAEP or RISC. What has changed since the event happened stays
    /// as it is (REV-08), so that it does not matter in which order events arrive; and one that
    /// this process has applied is not applied again, for as long as its token could be told.
    ///
    /// Where the policy caps the lifetime of every kind of token it takes, what signs out ends by
    /// itself (REV-07): a day after the event, or after the longest of these lifetimes and the
    /// leeway. What closes an account, or was stolen, stays. Services that share a store are taken
    /// to cap lifetimes alike, or at a day.
    ///
    /// Under `[revocation] inputs` this happens by itself at the gates that are named there.
    ///
    /// # Errors
    ///
    /// [`RevokeError::NotAnEvent`] for tokens of other kinds, [`RevokeError::Off`], and
    /// [`RevokeError::Closed`].
    pub fn apply(&self, token: &VerifiedToken) -> Result<AppliedEvent, RevokeError> {
        let state = self.engine.state.load();
        if !token.profile().kind().tells_of_events() {
            return Err(RevokeError::NotAnEvent);
        }
        if matches!(state.world.rules().revocation.store, RevocationStorage::Off) {
            return Err(RevokeError::Off);
        }
        check_open(&state)?;
        Ok(applied::apply(&state, token, self.engine.clock.now()))
    }

    /// Whether the policy asks about revocations at all.
    pub(crate) fn are_kept(&self) -> bool {
        let state = self.engine.state.load();
        !matches!(state.world.rules().revocation.store, RevocationStorage::Off)
    }

    /// How often something was revoked or lifted.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.engine.state.load().revocations.epoch()
    }

    /// How much there is.
    #[must_use]
    pub fn stats(&self) -> RevocationStats {
        self.engine.state.load().revocations.stats()
    }
}

impl fmt::Debug for Revocations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revocations")
    }
}

fn merge(state: &State, now: NumericDate) {
    if state.revocations.wants_merging() {
        state.revocations.merge(now);
    }
}

/// Here first, so that nothing passes meanwhile; then wherever the policy says.
pub(super) fn put_in_force(state: &State, change: &Change, now: NumericDate) -> RevocationReceipt {
    let store = &state.revocations;
    let shared = state.shared().zip(store.postman());
    let (epoch, reach, delivered) = match shared {
        None => (store.apply(change, now), "process", true),
        Some((shared, postman)) => {
            let held = postman.hold(change);
            let epoch = store.apply(change, now);
            (epoch, shared.store.reach(), postman.send() && held)
        }
    };
    merge(state, now);
    RevocationReceipt {
        epoch,
        reach,
        delivered,
        cutoff: change
            .cutoff()
            .and_then(|cutoff| NumericDate::from_seconds(cutoff.seconds())),
    }
}

/// Of several the last epoch, and delivered where all of them are; of none how things stand.
pub(super) fn put_all_in_force<'c>(
    state: &State,
    changes: impl IntoIterator<Item = &'c Change>,
    now: NumericDate,
) -> RevocationReceipt {
    let receipts = changes
        .into_iter()
        .map(|change| put_in_force(state, change, now));
    let receipt = receipts.reduce(|before, receipt| RevocationReceipt {
        delivered: before.delivered && receipt.delivered,
        ..receipt
    });
    receipt.unwrap_or_else(|| RevocationReceipt {
        epoch: state.revocations.epoch(),
        reach: state
            .shared()
            .map_or("process", |shared| shared.store.reach()),
        delivered: true,
        cutoff: None,
    })
}

/// That somebody will ask for the handle, and that tokens can carry it.
fn check(rules: &Rules, handle: &Handle) -> Result<(), RevokeError> {
    if matches!(rules.revocation.store, RevocationStorage::Off) {
        return Err(RevokeError::Off);
    }
    let kind = handle.kind();
    let nameless = handle.value().is_empty() && kind != HandleKind::Issuer;
    let homeless = handle.scope().is_empty() && kind != HandleKind::HolderKey;
    if nameless || homeless {
        return Err(RevokeError::Empty);
    }
    if kind == HandleKind::HolderKey && !is_thumbprint(handle.value()) {
        return Err(RevokeError::NoThumbprint);
    }
    if [handle.scope(), handle.value()]
        .iter()
        .any(|part| part.len() > Limits::CEILING.string_size)
    {
        return Err(RevokeError::TooLong);
    }
    // A trust domain may be called as an issuer is here, and one `iss` like another's name.
    let is_named = |issuer: &IssuerRules| *issuer.name == *handle.scope();
    let is_iss = |issuer: &IssuerRules| issuer.issuers.iter().any(|iss| **iss == *handle.scope());
    let misnamed = rules.issuers.iter().any(is_named) && !rules.issuers.iter().any(is_iss);
    if misnamed && kind != HandleKind::Txn {
        return Err(RevokeError::PolicyName);
    }
    // Whose these are, signs the tokens that carry them; the rest may be of anybody.
    let of_its_issuer = matches!(
        kind,
        HandleKind::Token
            | HandleKind::Session
            | HandleKind::Subject
            | HandleKind::Client
            | HandleKind::SigningKey
            | HandleKind::Issuer
            | HandleKind::Credential
            | HandleKind::Disabled
    );
    // But a derived capability, which the key of its parent signs.
    let derived =
        kind == HandleKind::Token && rules.gates.iter().any(|gate| gate.kind == Kind::Capability);
    if of_its_issuer && !derived && !rules.issuers.iter().any(is_iss) {
        return Err(RevokeError::NoSuchIssuer);
    }
    Ok(())
}

/// As tokens carry one: 32 octets in canonical base64url (MTLS-02).
fn is_thumbprint(text: &str) -> bool {
    let mut octets = [0; 32];
    let decoded = base64url::decode_slice(text.as_bytes(), &mut octets);
    decoded.is_some_and(|decoded| decoded.len() == 32)
}

/// Whether whoever would tell the store that processes share has gone.
fn check_open(state: &State) -> Result<(), RevokeError> {
    let postman = state.shared().and_then(|_| state.revocations.postman());
    match postman {
        Some(postman) if postman.is_closed() => Err(RevokeError::Closed),
        Some(_) | None => Ok(()),
    }
}

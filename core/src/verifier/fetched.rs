//! Keys that are fetched, as a verifier sees them: which issuers there are, a way to put keys in
//! their place, and what users may wait for. Fetching itself is not in this layer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::keys::{self, KeyState, Keys, PublishError};
use super::state::{State, World};
use super::{Engine, Gate, Requirements, VerifiedToken, Verifier};
use crate::error::{Code, Error};
use crate::jwk::JwkSet;
use crate::keys::{Background, SetKey, Watch};
use crate::observe::Event;
use crate::policy::{FetchedKeys, IssuerRules, KeySource};
use crate::time::Clock;

/// One issuer whose keys are fetched.
pub(crate) struct FetchedIssuer {
    /// The policy's name for it.
    pub(crate) name: Box<str>,
    pub(crate) keys: FetchedKeys,
    pub(crate) watch: Arc<Watch>,
}

/// Fetched keys that are in force.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Installed {
    pub(crate) generation: u64,
    /// Whether they are others than before.
    pub(crate) changed: bool,
}

/// The policy in force, to see when another has taken its place.
#[derive(Clone)]
pub(crate) struct InForce(Arc<World>);

impl PartialEq for InForce {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Engine {
    pub(crate) fn in_force(&self) -> InForce {
        InForce(Arc::clone(&self.state.load().world))
    }

    /// Whether any issuer's keys are fetched, or status lists, or issuers asked about tokens.
    pub(crate) fn fetches(&self) -> bool {
        let state = self.state.load();
        let mut issuers = state.world.rules().issuers.iter();
        let keys = issuers.any(|issuer| matches!(issuer.keys, KeySource::Fetched(_)));
        keys || self.fetches_lists() || self.asks()
    }

    /// The issuers whose keys are fetched, in the policy's order.
    pub(crate) fn fetched_issuers(&self) -> Vec<FetchedIssuer> {
        let state = self.state.load();
        let issuers = state.world.rules().issuers.iter().enumerate();
        issuers
            .filter_map(|(position, issuer)| {
                let KeySource::Fetched(keys) = &issuer.keys else {
                    return None;
                };
                Some(FetchedIssuer {
                    name: issuer.name.clone(),
                    keys: keys.clone(),
                    watch: Arc::clone(state.keys.watch(position)?),
                })
            })
            .collect()
    }

    /// Puts a fetched set in the place of the one before. `None` when the policy no longer has the
    /// issuer that this watch belongs to: what was asked for under an older policy is not wanted.
    ///
    /// # Errors
    ///
    /// When no key of the set can be used, or two are one; the keys stay as they were. An empty or
    /// broken set never takes the place of a good one.
    pub(crate) fn install(
        &self,
        watch: &Arc<Watch>,
        set: &JwkSet,
    ) -> Option<Result<Installed, PublishError>> {
        loop {
            let state = self.state.load_full();
            let (position, issuer) = place_of(&state, watch)?;
            let keys = match keys::build(&state, issuer, &self.provider, set) {
                Ok((keys, _)) => Arc::new(keys),
                Err(PublishError::Empty) => {
                    return Some(Err(PublishError::NoUsableKey(Vec::new())));
                }
                Err(error) => return Some(Err(error)),
            };
            // Before anyone can miss them: whose key is withdrawn is refused at once.
            let before = state
                .keys
                .set(position)
                .into_iter()
                .flat_map(|set| set.iter());
            for kid in before.filter_map(SetKey::kid).filter(|kid| !keys.has(kid)) {
                watch.withdraw(kid, self.clock.now());
            }
            if let Some((generation, changed)) = self.replace_keys(&state, position, keys) {
                let installed = Installed {
                    generation,
                    changed,
                };
                return Some(Ok(installed));
            }
        }
    }

    /// Tells whoever listens that a refresh has succeeded; nobody where a reload has removed the
    /// issuer meanwhile.
    pub(crate) fn tell_refreshed(&self, watch: &Arc<Watch>, changed: bool) {
        let state = self.state.load();
        if let Some((position, issuer)) = place_of(&state, watch) {
            self.observers.tell(&Event::KeysRefreshed {
                issuer_name: &issuer.name,
                keys: state.keys.set(position).map_or(0, |set| set.iter().len()),
                generation: state.keys.generation(position),
                changed,
            });
        }
    }

    /// Tells whoever listens that a refresh has failed.
    pub(crate) fn tell_failed(&self, watch: &Arc<Watch>, reason: &str) {
        let state = self.state.load();
        if let Some((_, issuer)) = place_of(&state, watch) {
            self.observers.tell(&Event::KeysRefreshFailed {
                issuer_name: &issuer.name,
                reason,
            });
        }
    }

    /// Who answers from now on when keys are wanted.
    pub(crate) fn attach(&self, background: Arc<dyn Background>) {
        self.bell.attach(background);
    }

    /// The first issuer that has no keys to trust, and why as far as that is known.
    fn first_without_keys(&self) -> Option<NotReady> {
        let (state, now) = (self.state.load(), self.clock.now());
        let mut issuers = state.world.rules().issuers.iter().enumerate();
        issuers.find_map(|(position, issuer)| {
            let watch = state.keys.watch(position);
            let trusted = watch.is_none_or(|watch| watch.is_trusted(now));
            if state.keys.set(position).is_some() && trusted {
                return None;
            }
            let reason = match watch {
                Some(watch) => watch.report().last_error.clone(),
                None => Some("none were published".to_owned()),
            };
            Some(NotReady {
                issuer_name: Some(issuer.name.to_string()),
                store: None,
                reason,
            })
        })
    }

    /// The store of revocations, where its news is missing or too old, and why as far as that is
    /// known.
    fn store_without_news(&self) -> Option<NotReady> {
        let held = self.state.load_full().revocations.sharing();
        let sharing = held.get()?;
        let staleness = sharing.staleness();
        if staleness.is_some_and(|old| old <= sharing.shared.max_staleness) {
            return None;
        }
        Some(NotReady {
            issuer_name: None,
            store: Some(sharing.shared.store.name.to_string()),
            reason: sharing.news.report().reading.as_deref().map(str::to_owned),
        })
    }
}

/// An issuer has no keys yet, or a store of revocations no news, after all the time there was: an
/// outage, `keys_unavailable` or `revocation_unavailable`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotReady {
    /// The policy's name for the issuer that has no keys.
    pub issuer_name: Option<String>,
    /// The policy's name for the store that has no news.
    pub store: Option<String>,
    /// Why the last fetch failed, or that the program has published none, or why the store cannot
    /// be read; none when a fetch is still running.
    pub reason: Option<String>,
}

impl NotReady {
    /// `keys_unavailable`, or `revocation_unavailable`.
    #[must_use]
    pub const fn code(&self) -> Code {
        if self.store.is_some() {
            Code::RevocationUnavailable
        } else {
            Code::KeysUnavailable
        }
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason.as_deref().unwrap_or("no answer yet");
        match (&self.store, &self.issuer_name) {
            (Some(store), _) => write!(f, "the store {store} has no news: {reason}"),
            (None, issuer_name) => {
                let issuer_name = issuer_name.as_deref().unwrap_or_default();
                write!(f, "{issuer_name} has no usable keys: {reason}")
            }
        }
    }
}

impl std::error::Error for NotReady {}

impl From<NotReady> for Error {
    fn from(error: NotReady) -> Self {
        Self::new(error.code())
    }
}

fn place_of<'s>(state: &'s State, watch: &Arc<Watch>) -> Option<(usize, &'s IssuerRules)> {
    let mut issuers = state.world.rules().issuers.iter().enumerate();
    issuers.find(|(position, _)| {
        let own = state.keys.watch(*position);
        own.is_some_and(|own| Arc::ptr_eq(own, watch))
    })
}

impl Verifier {
    /// How long [`Verifier::wait_ready`] should wait where nobody says: 10 s.
    pub const READY: Duration = Duration::from_secs(10);

    /// Waits until every issuer has keys, fetched or published, and the store of revocations that
    /// the policy names has news, at most `timeout`.
    ///
    /// Verification does not need it: without it, tokens are undecided (`keys_refreshing`, 503)
    /// until fetched keys are there, `keys_unavailable` until pushed ones are, and
    /// `revocation_unavailable` until the store was read. Call it before a server takes its first
    /// request.
    ///
    /// # Errors
    ///
    /// Which issuer has none, or which store, and why.
    pub fn wait_ready(&self, timeout: Duration) -> Result<(), NotReady> {
        let engine = &self.engine;
        let begun = Clock::System.moment();
        let mut missing = engine.first_without_keys();
        if missing.is_some() {
            engine.bell.wait(timeout, &mut || {
                missing = engine.first_without_keys();
                missing.is_none()
            });
        }
        if let Some(missing) = missing {
            return Err(missing);
        }
        let mut missing = engine.store_without_news();
        let store = engine.revocation_store();
        if let Some(postman) = store.postman().filter(|_| missing.is_some()) {
            let passed = Clock::System.moment().since(begun).to_duration();
            postman.wait(timeout.saturating_sub(passed), &mut || {
                missing = engine.store_without_news();
                missing.is_none()
            });
        }
        missing.map_or(Ok(()), Err)
    }

    /// Stops what works in the background: keys are fetched no more, and those that are there are
    /// trusted as long as they may be. A fetch under way ends within ten seconds and changes
    /// nothing. A store of revocations is read no more: once its news is older than
    /// `max_staleness`, gates answer `revocation_stale`, 503, unless the policy accepts that. Under
    /// a store that processes share nothing can be revoked any more
    /// ([`RevokeError::Closed`](crate::RevokeError::Closed)): [`flush`](crate::Revocations::flush)
    /// before. What the store is not known to have by now is told
    /// ([`Event::RevocationsUndelivered`](crate::Event::RevocationsUndelivered)).
    pub fn close(&self) {
        self.engine.bell.close();
        self.revocations().close();
    }
}

impl Keys<'_> {
    /// Asks for an issuer's keys to be fetched now, cooldown or not, and says at once how things
    /// stand; `None` when the policy has no issuer of this name.
    pub fn refresh(&self, name: &str) -> Option<KeyState> {
        let state = self.engine.state.load();
        let position = keys::position(&state, name)?;
        if let Some(watch) = state.keys.watch(position) {
            watch.insist();
        }
        self.state(name)
    }
}

impl Gate {
    /// How long [`Gate::verify_waiting`] should wait where nobody says: 2 s.
    pub const WAIT: Duration = Duration::from_secs(2);

    /// As [`Gate::verify_with`]; where another answer may be on its way ([`Gate::may_settle`]),
    /// waits for that, at most `wait`, and asks again. It blocks the thread only then.
    ///
    /// # Errors
    ///
    /// As [`Gate::verify_with`].
    pub fn verify_waiting(
        &self,
        token: impl AsRef<[u8]>,
        requirements: &Requirements,
        wait: Duration,
    ) -> Result<VerifiedToken, Error> {
        let token = token.as_ref();
        self.ask_waiting(
            wait,
            || self.verify_with(token, requirements),
            |outcome| outcome.as_ref().err().copied(),
        )
    }

    /// The same of any question about this gate, as of a request or a chain: `ask` asks it, mostly
    /// once, and `refusal` is why an answer is none yet. Whatever a question uses up, only its last
    /// answer has used it up.
    pub fn ask_waiting<T>(
        &self,
        wait: Duration,
        mut ask: impl FnMut() -> T,
        refusal: impl Fn(&T) -> Option<Error>,
    ) -> T {
        let mut answer = ask();
        let pending = |answer: &T| refusal(answer).filter(|error| error.code().is_pending());
        let settles = |error: Error| self.may_settle(&error, wait);
        if pending(&answer).is_some() {
            // Asked once more in any case: what has come since then is waited for no more.
            self.engine.bell.wait(wait, &mut || {
                // Before it is asked, too: what comes in between is seen by one of the two.
                let settled = !pending(&answer).is_some_and(settles);
                answer = ask();
                pending(&answer).is_none_or(|error| settled && !settles(error))
            });
        }
        answer
    }

    /// Whether asking again may bring another answer than this error within `wait`: it is
    /// `keys_refreshing`, and a fetch of the issuer's keys runs or may begin by then, or it is
    /// `introspection_pending`, or `status_unavailable` while the list is fetched for the first
    /// time. What a stranger makes up is not worth waiting for all through a cooldown.
    #[must_use]
    pub fn may_settle(&self, error: &Error, wait: Duration) -> bool {
        self.grounds().may_settle(error, wait)
    }
}

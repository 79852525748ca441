//! [`Keys`]: publishing an issuer's keys while verifications run, and looking at what is there.

use std::fmt;
use std::sync::Arc;

use super::state::State;
use super::{Engine, build};
use crate::crypto::CryptoProvider;
use crate::jwk::{JwkSet, SkippedKey};
use crate::keys::{KeySet, SetKey};
use crate::observe::Event;
use crate::policy::{IssuerRules, KeyLocation, KeySource};
use crate::time::NumericDate;

/// The keys of a verifier's issuers.
#[derive(Clone, Copy)]
pub struct Keys<'v> {
    pub(super) engine: &'v Engine,
}

/// What a publication did, and how far it reaches.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Receipt {
    /// Generation of the issuer's keys from now on. Publishing an identical set changes nothing.
    pub generation: u64,
    /// Whether the set differed from the one before.
    pub changed: bool,
    /// Always `"process"`: other processes have keys of their own.
    pub reach: &'static str,
    /// Keys of the set that cannot be used, and why.
    pub skipped: Vec<SkippedKey>,
}

/// The keys of one issuer at this moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyState {
    /// `"static"`, `"push"`, `"discovery"` or `"jwks_uri"`.
    pub source: &'static str,
    /// Raised by every publication that changed something.
    pub generation: u64,
    /// When the keys were last fetched, or confirmed by the issuer; none of keys that are not.
    pub fetched_at: Option<NumericDate>,
    /// When they are fetched again, unless something asks for it sooner.
    pub next_refresh: Option<NumericDate>,
    /// Why the last fetch failed, in a sentence; none after one that did not.
    pub last_error: Option<String>,
    /// The keys themselves.
    pub keys: Vec<IssuerKey>,
}

/// One key of an issuer, described.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuerKey {
    /// `kid`.
    pub kid: Option<String>,
    /// The one algorithm it is bound to.
    pub alg: &'static str,
    /// `kty` (RFC 7517 §4.1).
    pub kty: &'static str,
    /// JWK SHA-256 thumbprint (RFC 7638); none of a shared secret, which it would help to guess
    /// (§7).
    pub thumbprint: Option<String>,
}

/// Why keys were not published.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishError {
    /// The policy has no issuer of this name.
    NoSuchIssuer,
    /// The policy fixes this issuer's keys; only `jwks_push` takes them from the program.
    NotPushed,
    /// Two keys of the set share `kid` and algorithm (ALG-10).
    Ambiguous,
    /// The set has no keys: a file that is not written yet, more likely than an order. A key is
    /// withdrawn by publishing the others. An issuer that is not to be trusted any more leaves the
    /// policy: see [`Verifier::reload`](crate::Verifier::reload).
    Empty,
    /// The set has keys, and not one can be used here: each with its reason.
    NoUsableKey(Vec<SkippedKey>),
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchIssuer => "the policy has no issuer of this name",
            Self::NotPushed => "the policy fixes this issuer's keys; set jwks_push = \"process\"",
            Self::Ambiguous => "two keys of the set have the same kid and algorithm",
            Self::Empty => {
                "the set has no keys; to withdraw a key, publish the others; to trust the issuer no \
                 more, take it out of the policy and reload"
            }
            Self::NoUsableKey(_) => {
                "no key of the set can be used; see why with `sealgate jwks lint`"
            }
        })
    }
}

impl std::error::Error for PublishError {}

impl<'v> Keys<'v> {
    pub(super) const fn new(engine: &'v Engine) -> Self {
        Self { engine }
    }

    /// Replaces the keys of the issuer that the policy calls `name`.
    ///
    /// When this returns, no verification that starts afterwards passes with a withdrawn key,
    /// cached or not. Verifications in flight finish under the keys they began with. Other
    /// issuers' keys and cache entries are not touched.
    ///
    /// # Errors
    ///
    /// The keys stay as they were.
    pub fn publish(&self, name: &str, set: &JwkSet) -> Result<Receipt, PublishError> {
        loop {
            let state = self.engine.state.load_full();
            let position = position(&state, name).ok_or(PublishError::NoSuchIssuer)?;
            let issuer = state.world.rules().issuers.get(position);
            let issuer = issuer.ok_or(PublishError::NoSuchIssuer)?;
            if !matches!(issuer.keys, KeySource::Push) {
                return Err(PublishError::NotPushed);
            }
            let (keys, skipped) = build(&state, issuer, &self.engine.provider, set)?;
            let count = keys.iter().len();
            // Where others have published or reloaded meanwhile, begin again under their state.
            if let Some((generation, changed)) =
                self.engine.replace_keys(&state, position, Arc::new(keys))
            {
                self.engine.observers.tell(&Event::KeysRefreshed {
                    issuer_name: name,
                    keys: count,
                    generation,
                    changed,
                });
                #[cfg(feature = "remote")]
                self.engine.bell.announce();
                return Ok(Receipt {
                    generation,
                    changed,
                    reach: "process",
                    skipped,
                });
            }
        }
    }

    /// The keys of the issuer that the policy calls `name`.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<KeyState> {
        let state = self.engine.state.load();
        let position = position(&state, name)?;
        let source = match &state.world.rules().issuers.get(position)?.keys {
            KeySource::Static(_) => "static",
            KeySource::Push => "push",
            KeySource::Fetched(fetched) => match fetched.from {
                KeyLocation::Discovery(..) => "discovery",
                KeyLocation::Uri(_) => "jwks_uri",
            },
        };
        let report = state.keys.watch(position).map(|watch| watch.report());
        let report = report.as_deref();
        let keys = state.keys.set(position).map_or_else(Vec::new, |set| {
            set.iter()
                .map(|key| IssuerKey {
                    kid: key.kid().map(str::to_owned),
                    alg: key.algorithm().name(),
                    kty: key.kty(),
                    thumbprint: shown_thumbprint(key).map(str::to_owned),
                })
                .collect()
        });
        Some(KeyState {
            source,
            generation: state.keys.generation(position),
            fetched_at: report.and_then(|report| report.fetched_at),
            next_refresh: report.and_then(|report| report.next_refresh),
            last_error: report.and_then(|report| report.last_error.clone()),
            keys,
        })
    }
}

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl Engine {
    /// Publishes under the state that the keys were built for; `None` when another has taken its
    /// place meanwhile. Returns the generation and whether anything changed.
    pub(super) fn replace_keys(
        &self,
        state: &Arc<State>,
        position: usize,
        keys: Arc<KeySet>,
    ) -> Option<(u64, bool)> {
        let Some(ring) = state.keys.with_published(position, keys) else {
            return Some((state.keys.generation(position), false));
        };
        let generation = ring.generation(position);
        let new = ring.set(position).cloned();
        let next = State {
            world: Arc::clone(&state.world),
            keys: ring,
            cache: Arc::clone(&state.cache),
            replay: state.replay.clone(),
            revocations: Arc::clone(&state.revocations),
            status: Arc::clone(&state.status),
            answers: state.answers.clone(),
        };
        if !self.state.replace(state, Arc::new(next)) {
            return None;
        }
        self.tell_withdrawn(state, position, new.as_deref());
        Some((generation, true))
    }

    fn tell_withdrawn(&self, before: &State, position: usize, new: Option<&KeySet>) {
        let issuer = before.world.rules().issuers.get(position);
        let Some((issuer, old)) = issuer.zip(before.keys.set(position)) else {
            return;
        };
        let remains = |key: &SetKey| new.is_some_and(|new| new.contains(key));
        for key in old.iter().filter(|key| !remains(key)) {
            self.observers.tell(&Event::KeyWithdrawn {
                issuer_name: &issuer.name,
                kid: key.kid(),
                thumbprint: shown_thumbprint(key),
            });
        }
    }
}

/// A shared secret's would help to guess it (RFC 7638 §7).
fn shown_thumbprint(key: &SetKey) -> Option<&str> {
    (!key.algorithm().is_symmetric()).then(|| key.thumbprint())
}

/// The keys of a set that this issuer may verify with, and why the others are not among them.
pub(super) fn build(
    state: &State,
    issuer: &IssuerRules,
    provider: &CryptoProvider,
    set: &JwkSet,
) -> Result<(KeySet, Vec<SkippedKey>), PublishError> {
    let mut skipped = set.skipped().to_vec();
    let (mut places, mut jwks) = (Vec::new(), Vec::new());
    for (place, jwk) in set.placed() {
        match build::admit(&state.world.policy, issuer, provider, jwk) {
            Ok(()) => {
                places.push(place);
                jwks.push(jwk.clone());
            }
            Err(reason) => skipped.push(SkippedKey::new(place, reason)),
        }
    }
    let keys = KeySet::build(provider, &jwks, build::usable(issuer, provider));
    let keys = keys.map_err(|_| PublishError::Ambiguous)?;
    skipped.extend(keys.skipped().iter().filter_map(|skipped| {
        let place = places.get(skipped.index)?;
        Some(SkippedKey::new(*place, skipped.reason))
    }));
    skipped.sort_by_key(|skipped| skipped.index);
    if keys.is_empty() {
        return Err(match skipped.as_slice() {
            [] => PublishError::Empty,
            _ => PublishError::NoUsableKey(skipped),
        });
    }
    Ok((keys, skipped))
}

pub(super) fn position(state: &State, name: &str) -> Option<usize> {
    state
        .world
        .rules()
        .issuers
        .iter()
        .position(|issuer| *issuer.name == *name)
}

//! [`Keys`]: publishing an issuer's keys while verifications run, and looking at what is there.

use std::fmt;
use std::sync::{Arc, PoisonError};

use super::state::State;
use super::{Engine, build};
use crate::jwk::{JwkSet, SkippedKey};
use crate::keys::KeySet;
use crate::policy::KeySource;

/// The keys of a verifier's issuers.
#[derive(Clone, Copy)]
pub struct Keys<'v> {
    engine: &'v Engine,
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
    /// `"static"` or `"push"`.
    pub source: &'static str,
    /// Raised by every publication that changed something.
    pub generation: u64,
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
    /// The set has keys, and not one can be used here: each with its reason. To leave an issuer
    /// without keys, publish an empty set.
    NoUsableKey(Vec<SkippedKey>),
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchIssuer => "the policy has no issuer of this name",
            Self::NotPushed => "the policy fixes this issuer's keys; set jwks_push = \"process\"",
            Self::Ambiguous => "two keys of the set have the same kid and algorithm",
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
        let _writer = self
            .engine
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let state = self.engine.state.load_full();
        let position = position(&state, name).ok_or(PublishError::NoSuchIssuer)?;
        let issuer = state.world.rules().issuers.get(position);
        let issuer = issuer.ok_or(PublishError::NoSuchIssuer)?;
        if !matches!(issuer.keys, KeySource::Push) {
            return Err(PublishError::NotPushed);
        }
        let provider = &self.engine.provider;
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
        if keys.is_empty() && !skipped.is_empty() {
            return Err(PublishError::NoUsableKey(skipped));
        }
        let (ring, changed) = state.keys.with_published(position, Arc::new(keys));
        let generation = ring.generation(position);
        if changed {
            self.engine.state.store(Arc::new(State {
                world: Arc::clone(&state.world),
                keys: ring,
                cache: Arc::clone(&state.cache),
            }));
        }
        Ok(Receipt {
            generation,
            changed,
            reach: "process",
            skipped,
        })
    }

    /// The keys of the issuer that the policy calls `name`.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<KeyState> {
        let state = self.engine.state.load();
        let position = position(&state, name)?;
        let source = match state.world.rules().issuers.get(position)?.keys {
            KeySource::Static(_) => "static",
            KeySource::Push => "push",
        };
        let keys = state.keys.set(position).map_or_else(Vec::new, |set| {
            set.iter()
                .map(|key| IssuerKey {
                    kid: key.kid().map(str::to_owned),
                    alg: key.algorithm().name(),
                    thumbprint: (!key.algorithm().is_symmetric())
                        .then(|| key.thumbprint().to_owned()),
                })
                .collect()
        });
        Some(KeyState {
            source,
            generation: state.keys.generation(position),
            keys,
        })
    }
}

impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

fn position(state: &State, name: &str) -> Option<usize> {
    state
        .world
        .rules()
        .issuers
        .iter()
        .position(|issuer| *issuer.name == *name)
}

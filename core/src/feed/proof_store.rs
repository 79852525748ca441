//! [`ProofStore`]: where a policy keeps used proofs, without a verifier: for tools that examine it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bag::origin;
use super::store::StoreError;
use super::{Engine, Evicts, FeedError};
use crate::policy::{ReplayStore, Rules, StoreRules};
use crate::replay::{HostTable, Unanswered, UsedProofs};
use crate::time::{Clock, NumericDate, Span};

/// For so long what was tried is remembered: longer than two questions take.
const TRIED: Span = Span::from_millis(60_000);

/// The store of used proofs that a policy's `[replay]` names, opened to be examined.
pub struct ProofStore {
    rules: Arc<StoreRules>,
    engine: Arc<dyn Engine>,
    place: Place,
}

enum Place {
    /// In this folder.
    Host(PathBuf),
    /// At a server.
    Fleet(Arc<dyn UsedProofs>),
}

/// What came of showing a store one proof twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofTrial {
    /// It was first, and then seen.
    Works,
    /// It was taken twice: the store forgets, or its server evicts what it should keep.
    Forgets,
    /// It was not taken at all: there is no room, or the clock was set back.
    Refuses,
    /// A store of kind `file` that no verifier has made yet. Nothing was made.
    NotMade,
}

impl ProofStore {
    /// The store that the rules name; `None` where proofs are remembered by the process or the
    /// program.
    pub(crate) fn named(rules: &Rules, sha256: fn(&[u8]) -> [u8; 32]) -> Option<Self> {
        let (store, place) = match &rules.possession.replay.as_ref()?.store {
            ReplayStore::Host { store, folder } => (store, Place::Host(folder.clone())),
            ReplayStore::Fleet { store } => {
                let (proofs, _) = super::open_proofs(store, sha256);
                (store, Place::Fleet(proofs))
            }
            ReplayStore::Process | ReplayStore::External => return None,
        };
        Some(Self {
            rules: Arc::clone(store),
            engine: super::open(store, &Clock::System, sha256),
            place,
        })
    }

    /// The policy's name for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.rules.name
    }

    /// `"file"`, `"redis"` or `"nats"`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.rules.kind()
    }

    /// How far it reaches: `"host"` or `"fleet"`.
    #[must_use]
    pub fn reach(&self) -> &'static str {
        self.rules.reach()
    }

    /// Shows it a proof that nobody else has, twice. It is forgotten within a minute.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, or does not answer as it should.
    pub fn try_using(&self) -> Result<ProofTrial, StoreError> {
        let now = Clock::System.now();
        let until = now.plus(TRIED);
        let mut key = [0; 32];
        let drawn = [origin(), origin()].map(u64::to_le_bytes);
        let drawn = drawn.as_flattened().iter();
        key.iter_mut().zip(drawn).for_each(|(to, from)| *to = *from);
        let shown = match &self.place {
            Place::Host(folder) => match table(folder)? {
                Some(table) => [(); 2].map(|()| table.insert(&key, now, until, now).is_ok()),
                None => return Ok(ProofTrial::NotMade),
            },
            Place::Fleet(proofs) => {
                let name = key.map(|byte| format!("{byte:02x}")).concat();
                let show = || proofs.insert(&name, until, now).map_err(unanswered);
                [show()?, show()?]
            }
        };
        Ok(match shown {
            [true, false] => ProofTrial::Works,
            [true, true] => ProofTrial::Forgets,
            [false, _] => ProofTrial::Refuses,
        })
    }

    /// As [`Store::time`](super::Store::time).
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub fn time(&self) -> Result<Option<NumericDate>, StoreError> {
        Ok(self.engine.time()?)
    }

    /// As [`Store::evicts`](super::Store::evicts).
    ///
    /// # Errors
    ///
    /// When it cannot be reached.
    pub fn evicts(&self) -> Result<Option<Evicts>, StoreError> {
        Ok(self.engine.evicts()?)
    }
}

/// The table in this folder, where there is one.
fn table(folder: &Path) -> Result<Option<HostTable>, StoreError> {
    if !HostTable::is_in(folder) {
        return Ok(None);
    }
    let broken = |text| FeedError {
        text,
        passes: false,
    };
    Ok(Some(HostTable::open(folder).map_err(broken)?))
}

fn unanswered(error: Unanswered) -> StoreError {
    let Unanswered { text, passes } = error;
    FeedError { text, passes }.into()
}

impl fmt::Debug for ProofStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofStore")
            .field("name", &self.name())
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

//! What the document says of stores that processes share: `[stores.X]`.

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// One `[stores.X]` table. Two that are equal are one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreRules {
    /// The policy's name for it, safe as a metric label.
    pub(crate) name: Box<str>,
    pub(crate) place: StorePlace,
}

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StorePlace {
    /// In a folder of this host.
    File(PathBuf),
    /// At a server of Redis or Valkey.
    Redis(StoreServer),
    /// At a server of NATS with JetStream.
    Nats(StoreServer),
}

/// A server that keeps a store, and which of the stores it keeps.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoreServer {
    /// With its password, where it has one.
    pub(crate) url: Zeroizing<String>,
    pub(crate) namespace: Box<str>,
}

impl StoreRules {
    /// `"file"`, `"redis"` or `"nats"`.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.place {
            StorePlace::File(_) => "file",
            StorePlace::Redis(_) => "redis",
            StorePlace::Nats(_) => "nats",
        }
    }

    /// How far what is written there reaches: `"host"` or `"fleet"`.
    pub(crate) const fn reach(&self) -> &'static str {
        match self.place {
            StorePlace::File(_) => "host",
            StorePlace::Redis(_) | StorePlace::Nats(_) => "fleet",
        }
    }
}

impl fmt::Debug for StoreServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreServer")
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

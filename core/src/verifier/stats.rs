//! Counters of a verifier, for metrics: labels come from the policy and from closed lists alone.

use serde_json::{Map, Value, json};

use super::Verifier;
use crate::time::Span;

impl Verifier {
    /// What there is to count, as JSON: `policy` (the digest of the one in force); `cache` with `hits`,
    /// `misses`, `evictions`, `entries`, `bytes`, `capacity`; `issuers` with `keys` and `generation`
    /// by the policy's names; `revocations` with `entries`, `bytes`, `epoch`, and where processes share a
    /// store its `store`, `reach`, `staleness` in seconds, `undelivered` and `unreadable`.
    #[must_use]
    pub fn stats(&self) -> Value {
        let state = self.engine.state.load();
        let cache = state.cache.stats();
        let issuers = state.world.rules().issuers.iter().enumerate();
        let issuers = issuers.map(|(position, issuer)| {
            let keys = state.keys.set(position).map_or(0, |set| set.iter().len());
            let generation = state.keys.generation(position);
            let counts = json!({ "keys": keys, "generation": generation });
            (issuer.name.to_string(), counts)
        });
        json!({
            "policy": &*state.world.digest,
            "cache": {
                "hits": cache.hits,
                "misses": cache.misses,
                "evictions": cache.evictions,
                "entries": cache.entries,
                "bytes": cache.bytes,
                "capacity": cache.capacity,
            },
            "issuers": issuers.collect::<Map<String, Value>>(),
            "revocations": self.revocation_stats(),
        })
    }

    fn revocation_stats(&self) -> Value {
        let stats = self.revocations().stats();
        let mut counts = Map::new();
        let mut set = |name: &str, value: Value| counts.insert(name.to_owned(), value);
        set("entries", stats.entries.into());
        set("bytes", stats.bytes.into());
        set("epoch", stats.epoch.into());
        if let Some(store) = self.revocations().store() {
            let seconds = |age: Span| age.to_duration().as_secs_f64();
            set("store", store.name.into());
            set("reach", store.reach.into());
            set("staleness", store.staleness.map(seconds).into());
            set("undelivered", store.undelivered.into());
            set("unreadable", store.unreadable.into());
        }
        Value::Object(counts)
    }
}

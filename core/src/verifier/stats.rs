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
        let mut counts = json!({
            "entries": stats.entries,
            "bytes": stats.bytes,
            "epoch": stats.epoch,
        });
        if let Some(store) = self.revocations().store() {
            let seconds = |age: Span| age.to_duration().as_secs_f64();
            counts["store"] = store.name.into();
            counts["reach"] = store.reach.into();
            counts["staleness"] = store.staleness.map(seconds).into();
            counts["undelivered"] = store.undelivered.into();
            counts["unreadable"] = store.unreadable.into();
        }
        counts
    }
}

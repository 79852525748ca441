//! Atomics and snapshots in one place.

//! Revocations and used proofs that processes of a host share, some of which are killed, and a
//! fleet, through real servers that are killed, held, cut off, emptied and started again.
//! Everything is on loopback; clocks stand still and are moved by hand, and what happens elsewhere
//! is waited for.

mod host;
mod outages;
mod proofs;
mod proxy;
#[expect(
    dead_code,
    clippy::print_stderr,
    reason = "shared with tests that use all of it; a test that is skipped says so"
)]
#[path = "../../../core/src/feed/tests/servers.rs"]
mod servers;
mod sharing;
mod stand;

//! Keys that are fetched over real connections: a hostile server, TLS, and a real issuer that
//! rotates. Everything is on loopback; clocks stand still and are moved by hand.

#![expect(clippy::print_stderr, reason = "a suite that is skipped says so")]

mod events;
mod hostile;
mod introspection;
mod issuer;
mod server;
mod stand;
mod status;
mod tls;

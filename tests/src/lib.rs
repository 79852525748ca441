//! The conformance harness, a workshop for tokens, and what the suites share.

pub mod conformance;
pub mod generate;
pub mod vectors;
pub mod workshop;

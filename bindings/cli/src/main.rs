//! `sealgate`: the engine for a shell.
//!
//! Results go to standard output, progress and summaries to standard error. Exit codes: 0 all
//! accepted, 1 some refused, 2 usage or policy, 3 undecided.

mod always_yes;
mod bench;
mod chain;
mod completions;
mod demo;
mod doctor;
mod explain;
mod failure;
mod gate;
mod http;
mod input;
mod inspect;
mod jwks;
mod mint;
mod needs;
mod network;
mod policy;
mod prove;
mod request;
mod revocations;
mod stopwatch;
mod tally;
mod text;
mod verdict;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Verifies the tokens AI agents present: genuine, for me, who acts for whom.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Verify tokens: one a line, or JSON lines.
    Verify(verify::Arguments),
    /// Show every rule for one token, which one refused it, and what to do.
    Explain(explain::Arguments),
    /// Draw who acts for whom in a token: a tree, Mermaid, Graphviz.
    Chain(chain::Arguments),
    /// Decode a token without verifying anything.
    Inspect(inspect::Arguments),
    /// Check, print or begin a policy document.
    #[command(subcommand)]
    Policy(policy::Verb),
    /// Look at key sets, or make keys.
    #[command(subcommand)]
    Jwks(jwks::Verb),
    /// Examine an issuer: its metadata, certificate, keys and clock, and what a policy should say;
    /// or, with --policy alone, the store of revocations that it names. Exit 1 when something is
    /// wrong, 3 when it could not be reached.
    Doctor(doctor::Arguments),
    /// Revoke an agent, a person, a session, a key, a token: through the store that the policy
    /// names. Exit 3 when the store does not have it within 5 s.
    Revoke(Box<revocations::RevokeArguments>),
    /// List, export, import or follow what is revoked in the store that the policy names.
    #[command(subcommand)]
    Revocations(revocations::Verb),
    /// Mint a token for a test.
    Mint(mint::Arguments),
    /// Make a request with the proof that its token's key is held, for a test.
    Prove(prove::Arguments),
    /// Measure how fast your own tokens verify here.
    Bench(bench::Arguments),
    /// See it work: issuers, agents, attacks and a key rotation, with no files at all.
    Demo(demo::Arguments),
    /// Print completions for a shell.
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    let Arguments { verb } = Arguments::parse();
    let outcome = match verb {
        Verb::Verify(arguments) => verify::run(&arguments),
        Verb::Explain(arguments) => explain::run(&arguments),
        Verb::Chain(arguments) => chain::run(&arguments),
        Verb::Inspect(arguments) => inspect::run(&arguments),
        Verb::Policy(verb) => policy::run(&verb),
        Verb::Jwks(verb) => jwks::run(&verb),
        Verb::Doctor(arguments) => doctor::run(&arguments),
        Verb::Revoke(arguments) => revocations::revoke(&arguments),
        Verb::Revocations(verb) => revocations::run(&verb),
        Verb::Mint(arguments) => mint::run(&arguments),
        Verb::Prove(arguments) => prove::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Completions(arguments) => completions::run(&arguments),
    };
    outcome.unwrap_or_else(Failure::report)
}

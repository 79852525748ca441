//! Servers with certificates of an authority that nobody else knows: the command trusts them where
//! `SSL_CERT_FILE` says so, in a process of its own, and nowhere else.

mod authority;
mod front;
mod issuer;
mod stores;

use std::process::Command;

use crate::{code, complaint, output, text};

/// A command that must end with this code, with `SSL_CERT_FILE` or without; all that it says, in
/// one line.
fn says(trusting: Option<&str>, exit: i32, arguments: &[&str], input: &str) -> String {
    let mut command = command(trusting);
    ends(command.args(arguments), exit, input)
}

fn ends(command: &mut Command, exit: i32, input: &str) -> String {
    let output = output(command, input);
    let said = text(&output) + &complaint(&output);
    assert_eq!(code(&output), exit, "{command:?}: {said}");
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn command(trusting: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealgate"));
    command.env_remove("SSL_CERT_DIR");
    match trusting {
        Some(file) => command.env("SSL_CERT_FILE", file),
        None => command.env_remove("SSL_CERT_FILE"),
    };
    command
}

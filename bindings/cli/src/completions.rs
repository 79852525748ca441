//! `sealgate completions`: for bash, zsh, fish and others.

use std::io;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::failure::{ACCEPTED, Failure};

/// Options of `completions`.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Which shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut crate::Arguments::command(),
        "sealgate",
        &mut script,
    );
    io::Write::write_all(&mut io::stdout(), &script)?;
    Ok(ExitCode::from(ACCEPTED))
}

//! `cargo xtask bench`: what the gateway costs, measured by a program that is built with optimizations, as the gateway is.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::cargo;

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// Passed on to the benchmarks; `--help` says what they take
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    bench: Vec<String>,
}

/// The program that measures, and what it measures.
const PACKAGES: [&str; 6] = [
    "patchbay-benches",
    "patchbay",
    "patchbay-activemq",
    "patchbay-echo",
    "patchbay-nicos",
    "patchbay-socket",
];

/// Exits with the program's own status.
pub fn run(args: &Args) -> Result<ExitCode> {
    let program = cargo::build(true, &PACKAGES)?.join(PACKAGES[0]);
    let status = Command::new(&program).args(&args.bench).status();
    let status = status.with_context(|| format!("running {}", program.display()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

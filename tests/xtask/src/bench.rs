//! `cargo xtask bench`: what the gateway costs, measured by a program that is built with optimizations.

use std::process::ExitCode;

use anyhow::Result;

use crate::cargo;

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// Passed on to the benchmarks; `--help` says what they take
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    bench: Vec<String>,
}

/// Exits with the program's own status.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut command = vec!["run", "--release", "--package", "patchbay-benches", "--"];
    command.extend(args.bench.iter().map(String::as_str));
    let code = cargo::run(&command)?.code();
    let code = code.and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

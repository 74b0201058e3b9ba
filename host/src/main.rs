//! `patchbay`: loads plugins and routes between them.

use clap::Parser;
use patchbay::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    Cli::parse().run()
}

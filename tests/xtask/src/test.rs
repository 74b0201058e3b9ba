//! `cargo xtask test`: all tests, with the real servers.

use std::process::ExitCode;

use anyhow::Result;
use patchbay_servers::{install, to_stderr};

use crate::cargo;

#[derive(clap::Args)]
pub struct Args {
    /// Passed on to `cargo test`, as in `-- -p patchbay-nicos` or `-- --test swap`
    #[arg(last = true)]
    cargo_test: Vec<String>,
}

/// Exits with cargo's own status; the last lines are the test runner's.
pub fn run(args: &Args) -> Result<ExitCode> {
    install(&to_stderr)?;
    // End-to-end tests load the gateway's binary and the plugins from the target directory.
    cargo::must(&["build", "--workspace"])?;
    let status = cargo::run(&test_command(&args.cargo_test))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Everything, unless the caller chooses.
fn test_command(extra: &[String]) -> Vec<&str> {
    let mut command = vec!["test"];
    if !extra
        .iter()
        .any(|arg| arg == "-p" || arg.starts_with("--package"))
    {
        command.push("--workspace");
    }
    command.extend(extra.iter().map(String::as_str));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_packages_are_tested_unless_one_is_named() {
        assert_eq!(test_command(&[]), ["test", "--workspace"]);
        let one = ["-p".to_owned(), "patchbay".to_owned()];
        assert_eq!(test_command(&one), ["test", "-p", "patchbay"]);
    }
}

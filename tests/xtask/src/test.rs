//! `cargo xtask test`: all tests, with the real servers.

use std::process::ExitCode;

use anyhow::Result;
use patchbay_servers::{install_all, to_stderr};

use crate::cargo;

#[derive(clap::Args)]
pub struct Args {
    /// Passed on to `cargo test`, as in `-- -p patchbay-nicos` or `-- --test swap`
    #[arg(last = true)]
    cargo_test: Vec<String>,
}

/// Exits with cargo's own status. Each of its many test binaries has a summary; the last line is that of all.
pub fn run(args: &Args) -> Result<ExitCode> {
    install_all(&to_stderr)?;
    // End-to-end tests load the gateway's binary and the plugins from the target directory.
    cargo::must(&["build", "--workspace"])?;
    let mut total = Total::default();
    let status = cargo::watch(&test_command(&args.cargo_test), |line| total.add(line))?;
    println!("\n{total}");
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What the summaries of all test binaries add up to.
#[derive(Default)]
struct Total {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Total {
    /// Adds a line such as `test result: ok. 5 passed; 0 failed; 0 ignored; …`; others count nothing.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ") else {
            return;
        };
        for count in counts.split([';', '.']) {
            let mut words = count.split_whitespace();
            let number = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => self.passed += number,
                Some("failed") => self.failed += number,
                Some("ignored") => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Total {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(out, "{passed} passed, {failed} failed, {skipped} skipped")
    }
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
    fn the_total_is_that_of_all_test_binaries() {
        let mut total = Total::default();
        total.add("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.1s");
        total.add("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2s");
        total.add("test something ... ok");
        assert_eq!(total.to_string(), "7 passed, 3 failed, 1 skipped");
    }

    #[test]
    fn all_packages_are_tested_unless_one_is_named() {
        assert_eq!(test_command(&[]), ["test", "--workspace"]);
        let one = ["-p".to_owned(), "patchbay".to_owned()];
        assert_eq!(test_command(&one), ["test", "-p", "patchbay"]);
    }
}

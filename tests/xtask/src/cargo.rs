//! Running cargo.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use patchbay_servers::workspace_dir;

/// Runs cargo in the workspace, its output shown as usual.
pub fn run(args: &[&str]) -> Result<ExitStatus> {
    let line = format!("cargo {}", args.join(" "));
    eprintln!("$ {line}");
    command(args)
        .status()
        .with_context(|| format!("running `{line}`"))
}

/// As [`run`], with each line of standard output shown to `look` as well.
pub fn watch(args: &[&str], mut look: impl FnMut(&str)) -> Result<ExitStatus> {
    let line = format!("cargo {}", args.join(" "));
    eprintln!("$ {line}");
    let mut running = command(args)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("running `{line}`"))?;
    if let Some(stdout) = running.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.context("reading cargo's output")?;
            println!("{line}");
            look(&line);
        }
    }
    running.wait().with_context(|| format!("running `{line}`"))
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(workspace_dir());
    command
}

/// As [`run`], for commands that have to succeed.
pub fn must(args: &[&str]) -> Result<()> {
    let status = run(args)?;
    if !status.success() {
        bail!(
            "`cargo {}` failed ({status}); its own messages are above",
            args.join(" ")
        );
    }
    Ok(())
}

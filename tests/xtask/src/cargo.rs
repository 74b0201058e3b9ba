//! Running cargo.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};
use patchbay_servers::{binary_dir, workspace_dir};

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

/// The gateway, and the plugins that people use.
pub const GATEWAY: [&str; 8] = [
    "patchbay",
    "patchbay-nicos",
    "patchbay-process",
    "patchbay-process-frontend",
    "patchbay-python",
    "patchbay-queueserver",
    "patchbay-activemq",
    "patchbay-socket",
];

/// Builds packages, and returns where what was built lies.
pub fn build(release: bool, packages: &[&str]) -> Result<PathBuf> {
    let mut command = vec!["build"];
    command.extend(packages.iter().flat_map(|package| ["--package", package]));
    if release {
        command.push("--release");
    }
    must(&command)?;
    let own = binary_dir()?;
    let target = own
        .parent()
        .context("the running executable lies in no target directory")?;
    Ok(target.join(if release { "release" } else { "debug" }))
}

//! Running cargo.

use std::env;
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result, bail};
use patchbay_servers::workspace_dir;

/// Runs cargo in the workspace, its output shown as usual.
pub fn run(args: &[&str]) -> Result<ExitStatus> {
    let line = format!("cargo {}", args.join(" "));
    eprintln!("$ {line}");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(args)
        .current_dir(workspace_dir())
        .status();
    status.with_context(|| format!("running `{line}`"))
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

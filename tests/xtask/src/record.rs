//! `cargo xtask record`: what a real server says, kept for tests.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use patchbay_servers::{Nicos, to_stderr, workspace_dir};

#[derive(clap::Args)]
pub struct Args {
    /// Whose words to record
    server: Server,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Server {
    /// The NICOS daemon, into tests/golden/nicos
    Nicos,
}

/// Exits with 0, and replaces what was recorded before, only if everything that the recorder wants to hear was said.
pub fn run(args: &Args) -> Result<ExitCode> {
    match args.server {
        Server::Nicos => nicos(),
    }
}

fn nicos() -> Result<ExitCode> {
    eprintln!("starting NICOS with its value cache");
    let nicos = Nicos::options().cache(true).start(&to_stderr)?;
    let folder = workspace_dir().join("tests/golden/nicos");
    eprintln!("recording into {}", folder.display());
    let status = Nicos::python(&to_stderr)?
        .arg("-B")
        .arg(folder.join("record.py"))
        .arg(nicos.address().to_string())
        .status()
        .context("running the recorder with NICOS's interpreter")?;
    if !status.success() {
        bail!("nothing was recorded ({status}); why stands above");
    }
    Ok(ExitCode::SUCCESS)
}

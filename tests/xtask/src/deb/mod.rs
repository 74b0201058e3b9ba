//! `cargo xtask deb`: the Debian package, from nothing but this checkout and `dpkg-deb`.

mod control;
mod stage;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use patchbay_servers::workspace_dir;

use crate::cargo;
use stage::Stage;

/// What the package is called.
const NAME: &str = "patchbay";

#[derive(clap::Args)]
pub struct Args {
    /// Build nothing, package what lies in this folder, and do not compress it: quickly made, for tests
    #[arg(long, value_name = "FOLDER")]
    built: Option<PathBuf>,
    /// The package's version, if it is not the workspace's
    #[arg(long)]
    version: Option<String>,
    /// The folder that the package is put into
    #[arg(long, default_value = "target/debian")]
    out: PathBuf,
}

/// Prints where the package is.
pub fn run(args: &Args) -> Result<ExitCode> {
    let built = match &args.built {
        Some(built) => workspace_dir().join(built),
        None => cargo::gateway(true)?,
    };
    let version = args.version.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"));
    let architecture = said(Command::new("dpkg").arg("--print-architecture"))?;
    let out = workspace_dir().join(&args.out);
    let folder = out.join("stage");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("emptying the last package's folder")?;
    }
    let mut stage = Stage::new(&folder, &built);
    stage.fill()?;
    control::write(&stage, version, &architecture)?;
    let package = out.join(format!("{NAME}_{version}_{architecture}.deb"));
    let compression = if args.built.is_some() {
        "-Znone"
    } else {
        "-Zxz"
    };
    said(
        Command::new("dpkg-deb")
            .args(["--root-owner-group", compression, "--build"])
            .args([&folder, &package]),
    )?;
    println!("{}", package.display());
    Ok(ExitCode::SUCCESS)
}

/// Runs a command that has to succeed: what it says.
fn said(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command
        .output()
        .with_context(|| format!("running {shown}; `cargo xtask deb` needs Debian's dpkg"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{shown} failed: {why}");
    }
    let text = String::from_utf8(output.stdout).with_context(|| format!("what {shown} says"))?;
    Ok(text.trim_end().to_owned())
}

//! Installing the RE Manager: a private Python environment with what it needs, and beside it each release in a folder of
//! its own; and Debian's Redis.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::error::{Doing, Error, Result};
use crate::progress::Progress;
use crate::{debian, places, spawner, step};

const REQUIREMENTS: &str = include_str!("../../queueserver/requirements.txt");
const RELEASES: &str = include_str!("../../queueserver/releases.txt");
const PACKAGES: &str = include_str!("../../queueserver/packages.txt");
/// Written last, so that an installation that was cut off is begun anew.
const MARKER: &str = "complete";
/// Prints the version if the interpreter can also make environments (Debian has that in a package of its own).
const PROBE: &str = "import ensurepip, venv, sys; print('%d.%d' % sys.version_info[:2])";
const PYTHON: &str = "3.11";
const PYTHONS: [&str; 3] = ["python3.11", "/usr/bin/python3.11", "python3"];

/// The installed RE Managers.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    dir: PathBuf,
}

impl Installation {
    /// The interpreter of the private environment.
    pub fn python(&self) -> PathBuf {
        self.dir.join("venv/bin/python")
    }

    /// Where a release's packages lie.
    pub fn release(&self, version: &str) -> PathBuf {
        self.dir.join(version)
    }
}

/// The Debian packages that are missing before [`install`] can work.
pub(crate) fn missing_packages() -> Result<Vec<String>> {
    let mut missing = debian::missing(&debian::parse(PACKAGES))?;
    if !is_complete(&dir()) && python().is_none() {
        missing.extend(["python3".into(), "python3-venv".into()]);
    }
    Ok(missing)
}

/// Installs what is not there already.
pub(super) fn install(progress: Progress<'_>) -> Result<Installation> {
    debian::install(&missing_packages()?, progress)?;
    debian::warn_of_versions(&debian::parse(PACKAGES), progress)?;
    let dir = dir();
    if !is_complete(&dir) {
        let _lock = places::lock("queueserver")?;
        // Another process may have done it while we waited.
        if !is_complete(&dir) {
            fill(&dir, progress)?;
        }
    }
    Ok(Installation { dir })
}

fn fill(dir: &Path, progress: Progress<'_>) -> Result<()> {
    let python = python().ok_or_else(no_python)?;
    if dir.exists() {
        fs::remove_dir_all(dir).doing(|| format!("removing {}", dir.display()))?;
    }
    fs::create_dir_all(dir).doing(|| format!("creating {}", dir.display()))?;
    progress(&format!("installing RE Managers to {}", dir.display()));
    let mut venv = spawner::guarded(python);
    venv.args(["-m", "venv"]).arg(dir.join("venv"));
    step::run("making a Python environment", venv, progress)?;
    let all = pip(dir, "requirements.txt", REQUIREMENTS, None)?;
    step::run("installing what RE Managers need", all, progress)?;
    for (version, pin) in releases() {
        let file = format!("{version}.txt");
        let one = pip(dir, &file, pin, Some(version))?;
        step::run(&format!("installing RE Manager {version}"), one, progress)?;
    }
    write(&dir.join(MARKER), &digest())
}

fn pip(dir: &Path, file: &str, pins: &str, target: Option<&str>) -> Result<Command> {
    write(&dir.join(file), pins)?;
    let mut pip = spawner::guarded(dir.join("venv/bin/python"));
    pip.current_dir(dir).env("PYTHONUNBUFFERED", "1");
    pip.args(["-m", "pip", "install", "--require-hashes", "--no-deps"]);
    pip.args(["--progress-bar=off", "--disable-pip-version-check"]);
    pip.args(["-r", file]);
    if let Some(target) = target {
        pip.args(["--target", target]);
    }
    Ok(pip)
}

/// Each release, as in `0.0.25`, with its pin.
fn releases() -> impl Iterator<Item = (&'static str, &'static str)> {
    debian::data_lines(RELEASES).filter_map(|pin| {
        let version = pin.split_whitespace().next()?.split_once("==")?.1;
        Some((version, pin))
    })
}

fn dir() -> PathBuf {
    places::servers_dir().join("queueserver")
}

fn is_complete(dir: &Path) -> bool {
    // The environment's interpreter is a link that an upgrade of the system can break.
    fs::read_to_string(dir.join(MARKER)).is_ok_and(|marker| marker == digest())
        && dir.join("venv/bin/python").exists()
}

/// Changes with any pin, so that a changed pin is installed.
fn digest() -> String {
    let hash = Sha256::new()
        .chain_update(REQUIREMENTS)
        .chain_update(RELEASES)
        .finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn python() -> Option<&'static str> {
    PYTHONS.into_iter().find(|python| {
        let output = Command::new(python).args(["-c", PROBE]).output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == PYTHON)
    })
}

fn no_python() -> Error {
    Error::Install(format!(
        "the RE Manager needs Python {PYTHON} with its venv module, which was not found as any of: {}",
        PYTHONS.join(", ")
    ))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).doing(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_releases_are_pinned_by_digest() {
        let versions: Vec<_> = releases().collect();
        assert_eq!(versions[0].0, "0.0.25");
        assert_eq!(versions[1].0, "0.0.22");
        assert!(
            versions
                .iter()
                .all(|(_, pin)| pin.contains(" --hash=sha256:"))
        );
    }

    #[test]
    fn every_requirement_has_a_digest() {
        let pins = REQUIREMENTS
            .lines()
            .filter(|line| line.contains("=="))
            .count();
        assert!(pins > 50);
        assert!(debian::data_lines(REQUIREMENTS).all(|line| {
            line.contains("--hash=sha256:") || (line.contains("==") && line.ends_with('\\'))
        }));
    }
}

//! Installing NICOS: a private Python environment and the unpacked source archive.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::error::{Doing, Error, Result};
use crate::progress::Progress;
use crate::{debian, places, spawner, step};

const REQUIREMENTS: &str = include_str!("../../nicos/requirements.txt");
const SDIST: &str = include_str!("../../nicos/sdist.txt");
/// Of the archive's 67 MB of instruments only these are needed.
const UNPACKED: [&str; 3] = ["nicos", "bin", "resources"];
/// Written last, so that an installation that was cut off is begun anew.
const MARKER: &str = "complete";
const DOWNLOADED: &str = "download";
/// Prints the version if the interpreter can also make environments (Debian has that in a package of its own).
const PROBE: &str = "import ensurepip, venv, sys; print('%d.%d' % sys.version_info[:2])";
const PYTHON: &str = "3.11";
const PYTHONS: [&str; 3] = ["python3.11", "/usr/bin/python3.11", "python3"];

/// An installed NICOS.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    dir: PathBuf,
}

impl Installation {
    /// The interpreter of the private environment.
    pub fn python(&self) -> PathBuf {
        self.dir.join("venv/bin/python")
    }

    /// A program of NICOS, as in `nicos-daemon`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.source().join("bin").join(name)
    }

    /// Where its packages lie.
    pub fn source(&self) -> PathBuf {
        self.dir.join(release())
    }
}

/// The Debian packages that are missing before [`install`] can work; none once NICOS is installed.
pub(crate) fn missing_packages() -> Vec<String> {
    if is_complete(&dir()) || python().is_some() {
        return Vec::new();
    }
    vec!["python3".into(), "python3-venv".into()]
}

/// Installs NICOS unless it is there already.
pub(super) fn install(progress: Progress<'_>) -> Result<Installation> {
    let dir = dir();
    if !is_complete(&dir) {
        debian::install(&missing_packages(), progress)?;
        let _lock = places::lock("nicos")?;
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
    write(&dir.join("requirements.txt"), REQUIREMENTS)?;
    write(&dir.join("sdist.txt"), SDIST)?;
    progress(&format!("installing {} to {}", release(), dir.display()));
    let mut venv = spawner::guarded(python);
    venv.args(["-m", "venv"]).arg(dir.join("venv"));
    step::run("making a Python environment", venv, progress)?;
    step::run("installing what NICOS needs", pip(dir, &INSTALL), progress)?;
    step::run("downloading NICOS", pip(dir, &DOWNLOAD), progress)?;
    step::run("unpacking NICOS", unpack(dir), progress)?;
    let download = dir.join(DOWNLOADED);
    fs::remove_dir_all(&download).doing(|| format!("removing {}", download.display()))?;
    write(&dir.join(MARKER), &digest())
}

const INSTALL: [&str; 5] = [
    "install",
    "--require-hashes",
    "--no-deps",
    "-r",
    "requirements.txt",
];
/// pip wants to read the archive's metadata, for which it runs the archive's setup.py in our environment.
const DOWNLOAD: [&str; 9] = [
    "download",
    "--require-hashes",
    "--no-deps",
    "--no-build-isolation",
    "--no-binary=:all:",
    "-d",
    DOWNLOADED,
    "-r",
    "sdist.txt",
];

fn pip(dir: &Path, args: &[&str]) -> Command {
    let mut pip = spawner::guarded(dir.join("venv/bin/python"));
    pip.current_dir(dir)
        .env("PYTHONUNBUFFERED", "1")
        .args(["-m", "pip"])
        .args(args);
    pip.args(["--progress-bar=off", "--disable-pip-version-check"]);
    pip
}

fn unpack(dir: &Path) -> Command {
    let release = release();
    let mut tar = spawner::guarded("tar");
    tar.current_dir(dir)
        .args(["--extract", "--gzip", "--no-same-owner", "--file"]);
    tar.arg(format!("{DOWNLOADED}/{release}.tar.gz"));
    tar.args(UNPACKED.map(|part| format!("{release}/{part}")));
    tar
}

fn dir() -> PathBuf {
    places::servers_dir().join(release())
}

/// As in `nicos-3.12.2`, from the pin.
fn release() -> String {
    let pin = debian::data_lines(SDIST).next().unwrap_or_default();
    pin.split_whitespace()
        .next()
        .unwrap_or_default()
        .replace("==", "-")
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
        .chain_update(SDIST)
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
        "NICOS needs Python {PYTHON} with its venv module, which was not found as any of: {}",
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
    fn the_release_is_the_pinned_one() {
        assert_eq!(release(), "nicos-3.12.2");
    }

    #[test]
    fn every_requirement_has_a_digest() {
        let pins = REQUIREMENTS
            .lines()
            .filter(|line| line.contains("=="))
            .count();
        assert!(pins > 5);
        assert!(debian::data_lines(REQUIREMENTS).all(|line| {
            line.contains("--hash=sha256:") || (line.contains("==") && line.ends_with('\\'))
        }));
    }

    #[test]
    fn a_directory_without_the_marker_is_not_complete() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!is_complete(dir.path()));
    }
}

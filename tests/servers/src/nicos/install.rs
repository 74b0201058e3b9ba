//! Installing NICOS: a private Python environment and the unpacked source archive.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Doing, Result};
use crate::progress::Progress;
use crate::python::Environment;
use crate::{debian, places, spawner, step};

const REQUIREMENTS: &str = include_str!("../../nicos/requirements.txt");
const SDIST: &str = include_str!("../../nicos/sdist.txt");
/// Of the archive's 67 MB of instruments only these are needed.
const UNPACKED: [&str; 3] = ["nicos", "bin", "resources"];
const DOWNLOADED: &str = "download";

/// An installed NICOS.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    environment: Environment,
}

impl Installation {
    /// The interpreter of the private environment.
    pub fn python(&self) -> PathBuf {
        self.environment.python()
    }

    /// A program of NICOS, as in `nicos-daemon`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.source().join("bin").join(name)
    }

    /// Where its packages lie.
    pub fn source(&self) -> PathBuf {
        self.environment.dir().join(release())
    }
}

/// The Debian packages that are missing before [`install`] can work; none once NICOS is installed.
pub(crate) fn missing_packages() -> Vec<String> {
    environment().missing_packages()
}

/// Installs NICOS unless it is there already.
pub(super) fn install(progress: Progress<'_>) -> Result<Installation> {
    let environment = environment();
    debian::install(&environment.missing_packages(), progress)?;
    environment.install("nicos", progress, || fill(&environment, progress))?;
    Ok(Installation { environment })
}

fn environment() -> Environment {
    let dir = places::servers_dir().join(release());
    Environment::new("NICOS", dir, &[REQUIREMENTS, SDIST])
}

fn fill(environment: &Environment, progress: Progress<'_>) -> Result<()> {
    environment.write("requirements.txt", REQUIREMENTS)?;
    environment.write("sdist.txt", SDIST)?;
    let (install, download) = (environment.pip(&INSTALL), environment.pip(&DOWNLOAD));
    step::run("installing what NICOS needs", install, progress)?;
    step::run("downloading NICOS", download, progress)?;
    step::run("unpacking NICOS", unpack(environment.dir()), progress)?;
    let download = environment.dir().join(DOWNLOADED);
    fs::remove_dir_all(&download).doing(|| format!("removing {}", download.display()))
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

fn unpack(dir: &Path) -> Command {
    let release = release();
    let mut tar = spawner::guarded("tar");
    tar.current_dir(dir)
        .args(["--extract", "--gzip", "--no-same-owner", "--file"]);
    tar.arg(format!("{DOWNLOADED}/{release}.tar.gz"));
    tar.args(UNPACKED.map(|part| format!("{release}/{part}")));
    tar
}

/// As in `nicos-3.12.2`, from the pin.
fn release() -> String {
    let pin = debian::data_lines(SDIST).next().unwrap_or_default();
    pin.split_whitespace()
        .next()
        .unwrap_or_default()
        .replace("==", "-")
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
}

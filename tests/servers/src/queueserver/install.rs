//! Installing the RE Manager: a private Python environment with what it needs, and beside it each release in a folder of
//! its own; and Debian's Redis.

use std::path::PathBuf;
use std::process::Command;

use crate::error::Result;
use crate::progress::Progress;
use crate::python::Environment;
use crate::{debian, places, step};

const REQUIREMENTS: &str = include_str!("../../queueserver/requirements.txt");
const RELEASES: &str = include_str!("../../queueserver/releases.txt");
const PACKAGES: &str = include_str!("../../queueserver/packages.txt");

/// The installed RE Managers.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    environment: Environment,
}

impl Installation {
    /// The interpreter of the private environment.
    pub fn python(&self) -> PathBuf {
        self.environment.python()
    }

    /// Where a release's packages lie.
    pub fn release(&self, version: &str) -> PathBuf {
        self.environment.dir().join(version)
    }
}

/// The Debian packages that are missing before [`install`] can work.
pub(crate) fn missing_packages() -> Result<Vec<String>> {
    let mut missing = debian::missing(&debian::parse(PACKAGES))?;
    missing.extend(environment().missing_packages());
    Ok(missing)
}

/// Installs what is not there already.
pub(super) fn install(progress: Progress<'_>) -> Result<Installation> {
    debian::install(&missing_packages()?, progress)?;
    debian::warn_of_versions(&debian::parse(PACKAGES), progress)?;
    let environment = environment();
    environment.install("queueserver", progress, || fill(&environment, progress))?;
    Ok(Installation { environment })
}

fn environment() -> Environment {
    let dir = places::servers_dir().join("queueserver");
    Environment::new("RE Manager", dir, &[REQUIREMENTS, RELEASES])
}

fn fill(environment: &Environment, progress: Progress<'_>) -> Result<()> {
    let all = pip(environment, "requirements.txt", REQUIREMENTS, &[])?;
    step::run("installing what RE Managers need", all, progress)?;
    for (version, pin) in releases() {
        let file = format!("{version}.txt");
        let one = pip(environment, &file, pin, &["--target", version])?;
        step::run(&format!("installing RE Manager {version}"), one, progress)?;
    }
    Ok(())
}

fn pip(environment: &Environment, file: &str, pins: &str, more: &[&str]) -> Result<Command> {
    environment.write(file, pins)?;
    let mut pip = environment.pip(&["install", "--require-hashes", "--no-deps", "-r", file]);
    pip.args(more);
    Ok(pip)
}

/// Each release, as in `0.0.25`, with its pin.
fn releases() -> impl Iterator<Item = (&'static str, &'static str)> {
    debian::data_lines(RELEASES).filter_map(|pin| {
        let version = pin.split_whitespace().next()?.split_once("==")?.1;
        Some((version, pin))
    })
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

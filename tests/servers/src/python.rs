//! A private Python environment, which a server from PyPI is installed into.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::error::{Doing, Error, Result};
use crate::progress::Progress;
use crate::{places, spawner, step};

/// Written last, so that an installation that was cut off is begun anew.
const MARKER: &str = "complete";
/// Prints the version if the interpreter can also make environments (Debian has that in a package of its own).
const PROBE: &str = "import ensurepip, venv, sys; print('%d.%d' % sys.version_info[:2])";
const PYTHON: &str = "3.11";
const PYTHONS: [&str; 3] = ["python3.11", "/usr/bin/python3.11", "python3"];

/// An environment, made or to be made.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// The server, as people call it.
    server: &'static str,
    dir: PathBuf,
    /// All that is pinned.
    pins: &'static [&'static str],
}

impl Environment {
    /// Of that server, in that folder.
    pub(crate) fn new(server: &'static str, dir: PathBuf, pins: &'static [&'static str]) -> Self {
        Self { server, dir, pins }
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.dir.join("venv/bin/python")
    }

    /// The Debian packages that are missing before it can be made; none once it is there.
    pub(crate) fn missing_packages(&self) -> Vec<String> {
        if self.is_complete() || python().is_some() {
            return Vec::new();
        }
        vec!["python3".into(), "python3-venv".into()]
    }

    /// Whether everything is there that is pinned.
    pub(crate) fn is_complete(&self) -> bool {
        let marker = fs::read_to_string(self.dir.join(MARKER));
        // The environment's interpreter is a link that an upgrade of the system can break.
        marker.is_ok_and(|marker| marker == self.digest()) && self.python().exists()
    }

    /// Makes it anew and has it filled, unless it is complete. `lock` keeps other processes off meanwhile.
    pub(crate) fn install(
        &self,
        lock: &str,
        progress: Progress<'_>,
        fill: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        if self.is_complete() {
            return Ok(());
        }
        let _lock = places::lock(lock)?;
        // Another process may have done it while we waited.
        if self.is_complete() {
            return Ok(());
        }
        self.make(progress)?;
        fill()?;
        self.write(MARKER, &self.digest())
    }

    /// pip with these arguments, run in the folder.
    pub(crate) fn pip(&self, args: &[&str]) -> Command {
        let mut pip = spawner::guarded(self.python());
        pip.current_dir(&self.dir).env("PYTHONUNBUFFERED", "1");
        pip.args(["-m", "pip"]).args(args);
        pip.args(["--progress-bar=off", "--disable-pip-version-check"]);
        pip
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.dir.join(name);
        fs::write(&path, text).doing(|| format!("writing {}", path.display()))
    }

    fn make(&self, progress: Progress<'_>) -> Result<()> {
        let (server, dir) = (self.server, &self.dir);
        let python = python().ok_or_else(|| {
            let pythons = PYTHONS.join(", ");
            Error::Install(format!(
                "{server} needs Python {PYTHON} with its venv module, which was not found as any of: {pythons}"
            ))
        })?;
        if dir.exists() {
            fs::remove_dir_all(dir).doing(|| format!("removing {}", dir.display()))?;
        }
        fs::create_dir_all(dir).doing(|| format!("creating {}", dir.display()))?;
        progress(&format!("installing {server} to {}", dir.display()));
        let mut venv = spawner::guarded(python);
        venv.args(["-m", "venv"]).arg(dir.join("venv"));
        step::run("making a Python environment", venv, progress)
    }

    /// Changes with any pin, so that a changed pin is installed.
    fn digest(&self) -> String {
        let hash = self.pins.iter().fold(Sha256::new(), Digest::chain_update);
        let hash = hash.finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn python() -> Option<&'static str> {
    PYTHONS.into_iter().find(|python| {
        let output = Command::new(python).args(["-c", PROBE]).output();
        output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == PYTHON)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_marker_or_with_other_pins_it_is_not_complete() {
        let dir = tempfile::tempdir().unwrap();
        let with = |pins| Environment::new("a server", dir.path().to_owned(), pins);
        let environment = with(&["a==1"]);
        fs::create_dir_all(environment.python().parent().unwrap()).unwrap();
        fs::write(environment.python(), "").unwrap();
        assert!(!environment.is_complete());
        environment.write(MARKER, &environment.digest()).unwrap();
        assert!(environment.is_complete());
        assert!(!with(&["a==2"]).is_complete());
    }
}

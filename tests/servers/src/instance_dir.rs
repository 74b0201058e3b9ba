//! The directory of one running instance: its configuration, data and log.

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use tempfile::TempDir;

use crate::error::{Doing, Result};

const PREFIX: &str = "patchbay-";
/// Locked as long as the directory's owner lives.
const ALIVE: &str = ".alive";
/// Younger directories may not have their lock yet.
const SETTLED: Duration = Duration::from_secs(60);

static SWEPT: Once = Once::new();

/// A directory that is removed when dropped; should its owner be killed before, the next process that starts a server
/// removes it.
#[derive(Debug)]
pub(crate) struct InstanceDir {
    dir: TempDir,
    _alive: File,
}

impl InstanceDir {
    /// A new directory for an instance of `kind`, as in `nicos`.
    pub fn new(kind: &str) -> Result<Self> {
        SWEPT.call_once(|| sweep(&env::temp_dir(), SETTLED));
        let what = || format!("creating a directory for {kind}");
        let dir = TempDir::with_prefix(format!("{PREFIX}{kind}-")).doing(what)?;
        let alive = File::create(dir.path().join(ALIVE)).doing(what)?;
        alive.lock().doing(what)?;
        Ok(Self { dir, _alive: alive })
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Removes what killed processes left in `temp`. What cannot be removed stays: it may be another user's.
fn sweep(temp: &Path, settled: Duration) {
    for entry in fs::read_dir(temp).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_ours && is_abandoned(&entry.path(), settled) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(dir: &Path, settled: Duration) -> bool {
    let Ok(alive) = File::open(dir.join(ALIVE)) else {
        return false;
    };
    let age = alive.metadata().and_then(|file| file.modified()).ok();
    let age = age.and_then(|modified| modified.elapsed().ok());
    age.is_some_and(|age| age >= settled) && alive.try_lock().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_abandoned_directories_are_swept() {
        let temp = tempfile::tempdir().unwrap();
        let [abandoned, alive, foreign] =
            ["patchbay-a", "patchbay-b", "patchbay-c"].map(|name| temp.path().join(name));
        for dir in [&abandoned, &alive, &foreign] {
            fs::create_dir(dir).unwrap();
        }
        File::create(abandoned.join(ALIVE)).unwrap();
        let lock = File::create(alive.join(ALIVE)).unwrap();
        lock.lock().unwrap();
        sweep(temp.path(), Duration::ZERO);
        assert!(!abandoned.exists() && alive.exists() && foreign.exists());
    }

    #[test]
    fn a_young_directory_stays() {
        let temp = tempfile::tempdir().unwrap();
        let young = temp.path().join("patchbay-young");
        fs::create_dir(&young).unwrap();
        File::create(young.join(ALIVE)).unwrap();
        sweep(temp.path(), SETTLED);
        assert!(young.exists());
    }

    #[test]
    fn an_instance_directory_ends_with_its_value() {
        let dir = InstanceDir::new("test").unwrap();
        let path = dir.path().to_owned();
        assert!(path.exists());
        drop(dir);
        assert!(!path.exists());
    }
}

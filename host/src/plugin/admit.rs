//! What is made sure of before a file's code runs: that nobody else can change it ([`writers`]), that it is trusted
//! ([`Trust`]) and that it is a plugin ([`inspect`]). All of it is told of the same bytes, read once.
//!
//! The system opens the file once more, by its name, to run it. So afterwards it is made sure that the name still
//! leads to the very file that was read, unchanged. What is left: whoever may write the file or its folders can swap
//! it for that moment, and then its initialisers have run before it is refused. Those are root, the gateway's user,
//! and whomever a warning named.

use super::trust::{Digest, Trust};
use super::{inspect, writers};
use patchbay_abi::Manifest;
use std::fs::{File, Metadata};
use std::path::Path;

/// A file that may be loaded.
pub struct Admitted {
    /// What it says of itself.
    pub manifest: Manifest,
    /// What it is known by.
    pub digest: Digest,
    /// What is allowed but dangerous.
    pub warnings: Vec<String>,
    stamp: Stamp,
}

/// Makes sure that a file may be loaded.
///
/// # Errors
/// A sentence that says why not, and what to do.
pub fn admit(path: &Path, trust: &Trust) -> Result<Admitted, String> {
    let unreadable = |error| format!("{} cannot be read: {error}", path.display());
    let warnings = writers::of_file(path)?;
    let file = File::open(path).map_err(unreadable)?;
    let stamp = Stamp::of(&file.metadata().map_err(unreadable)?);
    let bytes = inspect::read(file).map_err(unreadable)?;
    let digest = Digest::of(&bytes);
    trust.admits(path, digest)?;
    let manifest = inspect::manifest_in(path, &bytes)?;
    let mismatches = inspect::mismatches(&manifest);
    match mismatches.is_empty() {
        true => Ok(Admitted {
            manifest,
            digest,
            warnings,
            stamp,
        }),
        false => Err(inspect::refusal(path, &manifest, &mismatches)),
    }
}

impl Admitted {
    /// Whether the name still leads to what was admitted.
    ///
    /// # Errors
    /// If not.
    pub fn is_still(&self, path: &Path) -> Result<(), String> {
        let now = std::fs::metadata(path).map(|found| Stamp::of(&found));
        match now {
            Ok(now) if now == self.stamp => Ok(()),
            _ => Err(format!(
                "{} was changed while it was loaded; try again when that is done",
                path.display()
            )),
        }
    }
}

/// What a file cannot be changed or replaced without.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    node: [i64; 4],
}

impl Stamp {
    fn of(found: &Metadata) -> Stamp {
        Stamp {
            length: found.len(),
            modified: found.modified().ok(),
            #[cfg(unix)]
            node: node(found),
        }
    }
}

/// The file itself, whatever its name, and the last change to it, which nobody can set back.
#[cfg(unix)]
fn node(found: &Metadata) -> [i64; 4] {
    use std::os::unix::fs::MetadataExt;
    [
        found.dev().cast_signed(),
        found.ino().cast_signed(),
        found.ctime(),
        found.ctime_nsec(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_swapped_or_written_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let stamp = || Stamp::of(&std::fs::metadata(&path).unwrap());
        std::fs::write(&path, "one").unwrap();
        let first = stamp();
        assert_eq!(first, stamp());
        let other = folder.path().join("other");
        std::fs::write(&other, "two").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_ne!(first, stamp());
    }
}

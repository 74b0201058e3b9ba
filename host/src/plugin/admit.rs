//! What is made sure of before a file's code runs: that nobody else can change it ([`writers`]), that it is trusted
//! ([`Trust`]) and that it is a plugin ([`inspect`]). All of it is told of the same bytes, read once.
//!
//! The system opens the file once more, by its name, to run it. So afterwards it is made sure that the name still
//! leads to the very file that was read, unchanged ([`Build`]). What is left: whoever may write the file or its folders can swap
//! it for that moment, and then its initialisers have run before it is refused. Those are root, the gateway's user,
//! and whomever a warning named.

use super::build::Build;
use super::trust::{Digest, Trust};
use super::{inspect, writers};
use patchbay_abi::Manifest;
#[cfg(unix)]
use std::fs::File;
use std::path::Path;

/// A file that may be loaded.
pub struct Admitted {
    /// What it says of itself.
    pub manifest: Manifest,
    /// What it is known by.
    pub digest: Digest,
    /// What is allowed but dangerous.
    pub warnings: Vec<String>,
    /// The file that was read.
    pub build: Build,
}

/// Makes sure that a file may be loaded.
///
/// # Errors
/// A sentence that says why not, and what to do.
pub fn admit(path: &Path, trust: &Trust) -> Result<Admitted, String> {
    let warnings = writers::of_file(path)?;
    judge(path, Build::of(path)?, warnings, |digest| {
        trust.admits(path, digest)
    })
}

/// Makes sure that a file that was handed over open is the one that was admitted, of this digest.
///
/// # Errors
/// As [`admit`].
#[cfg(unix)]
pub fn admit_handed(file: File, path: &Path, digest: Digest) -> Result<Admitted, String> {
    let build = Build::handed(file, path)?;
    judge(path, build, Vec::new(), |found| match found == digest {
        true => Ok(()),
        false => Err(format!(
            "{} was overwritten in place since the gateway has looked at it; another time put the new file beside it \
             and rename it (`mv`, `install`, packages do so), then: patchbay plugin reload",
            path.display()
        )),
    })
}

fn judge(
    path: &Path,
    build: Build,
    warnings: Vec<String>,
    is_trusted: impl FnOnce(Digest) -> Result<(), String>,
) -> Result<Admitted, String> {
    let bytes = inspect::read(build.file())
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let digest = Digest::of(&bytes);
    is_trusted(digest)?;
    let manifest = inspect::manifest_in(path, &bytes)?;
    let mismatches = inspect::mismatches(&manifest);
    match mismatches.is_empty() {
        true => Ok(Admitted {
            manifest,
            digest,
            warnings,
            build,
        }),
        false => Err(inspect::refusal(path, &manifest, &mismatches)),
    }
}

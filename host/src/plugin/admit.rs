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
    let unreadable = |error| format!("{} cannot be read: {error}", path.display());
    let warnings = writers::of_file(path)?;
    let build = Build::of(path)?;
    let bytes = inspect::read(build.file()).map_err(unreadable)?;
    let digest = Digest::of(&bytes);
    trust.admits(path, digest)?;
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

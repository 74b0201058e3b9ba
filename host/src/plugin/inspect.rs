//! What a file says of itself, read without running any of its code.

use object::{Object, ObjectSection};
use patchbay_abi::manifest::{self, SECTION};
use patchbay_abi::{ABI_VERSION, Manifest};
use std::io::Read;
use std::path::Path;

/// No plugin file is larger, in bytes.
const LARGEST: u64 = 1 << 30;

/// No word of a manifest is longer, in bytes.
const LONGEST_WORD: usize = 200;

/// Reads a plugin's manifest.
///
/// # Errors
/// A sentence that says why this file is no plugin.
pub fn manifest(path: &Path) -> Result<Manifest, String> {
    let bytes = open(path)
        .and_then(|file| read(&file))
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    manifest_in(path, &bytes)
}

/// Reads the manifest of a plugin whose file consists of these bytes.
///
/// # Errors
/// As [`manifest()`].
pub fn manifest_in(path: &Path, bytes: &[u8]) -> Result<Manifest, String> {
    let shown = path.display();
    let file = object::File::parse(bytes)
        .map_err(|error| format!("{shown} is no shared library ({error})"))?;
    let section = [SECTION, "patchbay"]
        .into_iter()
        .find_map(|name| file.section_by_name(name))
        .ok_or_else(|| {
            format!(
                "{shown} is a shared library, but no Patchbay plugin: it has no section {SECTION}. Is it meant to be one, \
                 then its crate does not say `patchbay_sdk::export!(backend = …)` or `(frontend = …)`"
            )
        })?;
    let section = section
        .data()
        .map_err(|error| format!("{shown} is damaged: {error}"))?;
    let manifest = manifest::read(section)
        .map_err(|error| format!("{shown} is no Patchbay plugin: {error}"))?;
    match is_printable(&manifest) {
        true => Ok(manifest),
        false => Err(format!(
            "{shown} is no Patchbay plugin: what its manifest says is no line of text"
        )),
    }
}

/// What a file says of itself goes to terminals, logs and lists, and nobody has trusted it yet.
fn is_printable(manifest: &Manifest) -> bool {
    let Manifest {
        name,
        version,
        role: _,
        abi: _,
        sdk,
        panic,
    } = manifest;
    [name, version, sdk, panic]
        .iter()
        .all(|text| text.len() <= LONGEST_WORD && !text.contains(char::is_control))
}

/// Opens a file to be read. Of a pipe nothing is waited for.
///
/// # Errors
/// As the system says.
pub fn open(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK.bits();
        options.custom_flags(i32::try_from(flags).unwrap_or_default());
    }
    options.open(path)
}

/// The whole of a file.
///
/// # Errors
/// If it is no ordinary file, is too large or cannot be read.
pub fn read(file: &std::fs::File) -> std::io::Result<Vec<u8>> {
    let found = file.metadata()?;
    let mut bytes = Vec::new();
    if found.is_file() && found.len() <= LARGEST {
        FromStart(file, 0)
            .take(LARGEST + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= LARGEST {
            return Ok(bytes);
        }
    }
    Err(std::io::Error::other(
        "it is no ordinary file of at most 1 GiB",
    ))
}

/// A file from its beginning, however far it was read. An open file that was handed to another process has one position
/// for both, which this neither uses nor moves.
struct FromStart<'a>(&'a std::fs::File, u64);

impl Read for FromStart<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(self.0, into, self.1)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(self.0, into, self.1)?;
        self.1 += read as u64;
        Ok(read)
    }
}

/// Every reason, as far as the manifest tells, why this host cannot load the plugin; none if it can.
pub fn mismatches(manifest: &Manifest) -> Vec<String> {
    let mut found = Vec::new();
    if manifest.abi != ABI_VERSION {
        found.push(format!(
            "it was built with version {} of the plugin ABI (SDK {}), this host has version {ABI_VERSION}",
            manifest.abi, manifest.sdk
        ));
    }
    if manifest.panic != "unwind" {
        found.push(format!(
            "it was built with panic = \"{}\", so that a mistake in it would end the whole gateway; \
             build it with panic = \"unwind\"",
            manifest.panic
        ));
    }
    found
}

/// One message with every mismatch and what to do.
pub fn refusal(path: &Path, manifest: &Manifest, mismatches: &[String]) -> String {
    format!(
        "the plugin {} {} ({}) cannot be loaded: {}. {}",
        manifest.name,
        manifest.version,
        path.display(),
        mismatches.join("; "),
        remedy()
    )
}

/// How a plugin becomes one that this host loads.
pub fn remedy() -> String {
    format!(
        "Rebuild it with the SDK of this host, version {}: `cargo build --release` in its crate, with `patchbay-sdk` of \
         that version",
        env!("CARGO_PKG_VERSION")
    )
}

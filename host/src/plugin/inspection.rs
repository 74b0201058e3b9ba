//! What can be known of a plugin's file without running any of its code, and all that would keep this host from
//! loading it, at once. [`super::admit`] stops at the first of these.

use super::build::Build;
use super::trust::{Digest, Trust};
use super::{inspect, writers};
use object::{Architecture, BinaryFormat, Object, ObjectKind, ObjectSection, ObjectSymbol};
use patchbay_abi::Manifest;
use patchbay_abi::load::MAGIC;
use patchbay_abi::module::SYMBOL;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// The file.
    pub file: PathBuf,
    /// Its length.
    pub bytes: Option<u64>,
    /// Its SHA-256.
    pub sha256: Option<String>,
    /// The processor that it is for, in the words of object files.
    pub machine: Option<String>,
    /// What it says of itself.
    pub manifest: Option<Manifest>,
    /// Why this host would not load it; none if it would.
    pub obstacles: Vec<String>,
    /// What is allowed but dangerous.
    pub warnings: Vec<String>,
    /// How it becomes one that would be loaded, where building it anew mends something.
    pub rebuild: Option<String>,
}

impl Inspection {
    /// Of a file, for a host that trusts so.
    pub fn of(path: &Path, trust: &Trust) -> Inspection {
        let mut found = Inspection {
            file: path.to_owned(),
            bytes: None,
            sha256: None,
            machine: None,
            manifest: None,
            obstacles: Vec::new(),
            warnings: Vec::new(),
            rebuild: None,
        };
        let read = Build::of(path).and_then(|build| {
            inspect::read(build.file())
                .map_err(|error| format!("{} cannot be read: {error}", path.display()))
        });
        match read {
            Ok(bytes) => {
                match writers::of_file(path) {
                    Ok(warnings) => found.warnings = warnings,
                    Err(why) => found.obstacles.push(why),
                }
                found.look(path, &bytes, trust);
            }
            Err(why) => found.obstacles.push(why),
        }
        found
    }

    /// Whether this host would load it, as far as that can be known without running it.
    pub fn would_load(&self) -> bool {
        self.obstacles.is_empty()
    }

    fn look(&mut self, path: &Path, bytes: &[u8], trust: &Trust) {
        let digest = Digest::of(bytes);
        self.bytes = Some(bytes.len() as u64);
        self.sha256 = Some(digest.to_string());
        self.obstacles.extend(trust.admits(path, digest).err());
        let mut built_wrong = Vec::new();
        if let Ok(file) = object::File::parse(bytes) {
            self.machine = Some(format!("{:?}", file.architecture()).to_lowercase());
            built_wrong.extend(of_machine(&file));
            built_wrong.extend(of_export(&file));
        }
        match inspect::manifest_in(path, bytes) {
            Ok(manifest) => {
                built_wrong.extend(inspect::mismatches(&manifest));
                if !built_wrong.is_empty() {
                    self.rebuild = Some(inspect::remedy());
                }
                self.obstacles.extend(built_wrong);
                self.manifest = Some(manifest);
            }
            // What is no plugin lacks everything else too.
            Err(why) => self.obstacles.push(why),
        }
    }
}

/// Whether it is for this system and this processor.
fn of_machine(file: &object::File<'_>) -> Option<String> {
    let (format, ours) = (BinaryFormat::native_object(), std::env::consts::ARCH);
    if file.format() != format {
        return Some(format!(
            "it is for another system: its file is {:?}, this host loads {format:?}",
            file.format()
        ));
    }
    if own_architecture().is_some_and(|own| own != file.architecture()) {
        let theirs = format!("{:?}", file.architecture()).to_lowercase();
        return Some(format!(
            "it is for another processor: {theirs}, this host is for {ours}"
        ));
    }
    match file.kind() {
        ObjectKind::Dynamic => None,
        kind => Some(format!(
            "it is no shared library, but {kind:?}; a plugin's crate says crate-type = [\"cdylib\"]"
        )),
    }
}

/// `None` where this is built for one that nobody has thought of.
fn own_architecture() -> Option<Architecture> {
    Some(match std::env::consts::ARCH {
        "x86_64" => Architecture::X86_64,
        "x86" => Architecture::I386,
        "aarch64" => Architecture::Aarch64,
        "arm" => Architecture::Arm,
        "riscv64" => Architecture::Riscv64,
        "powerpc64" => Architecture::PowerPc64,
        "s390x" => Architecture::S390x,
        _ => return None,
    })
}

/// Whether it exports what a plugin exports, made by the same abi_stable. How its messages are laid out is told by its
/// code, which only runs when it is loaded.
fn of_export(file: &object::File<'_>) -> Option<String> {
    let mut symbols = file.dynamic_symbols();
    let exported = symbols
        .find(|symbol| symbol.is_definition() && symbol.name().is_ok_and(|name| name == SYMBOL));
    // What has no manifest either is told so.
    let symbol = match exported {
        Some(symbol) => symbol,
        None => {
            return Some(format!(
                "it exports no symbol `{SYMBOL}`, which `patchbay_sdk::export!` makes"
            ));
        }
    };
    let theirs = header_at(file, symbol.address())?;
    (!theirs.starts_with(MAGIC)).then(|| {
        "it was built with another abi_stable than this host, the crate that holds the boundary together".to_owned()
    })
}

/// What the exported symbol begins with, as it lies in the file.
fn header_at(file: &object::File<'_>, address: u64) -> Option<Vec<u8>> {
    let length = MAGIC.len() as u64;
    let mut sections = file.sections();
    sections.find_map(|section| {
        let bytes = section.data_range(address, length).ok().flatten()?;
        Some(bytes.to_vec())
    })
}

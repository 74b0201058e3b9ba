//! What a plugin says of itself before any of its code runs.

use crate::PluginRole;
use serde::{Deserialize, Serialize};

/// The version of the boundary. Messages evolve by serde's rules and do not touch it; it changes
/// only with the types of [`crate::module`], which `abi_stable` checks as well.
pub const ABI_VERSION: u32 = 1;

/// The section of a plugin file that holds the manifest (`patchbay` in a Windows or macOS file).
pub const SECTION: &str = ".patchbay";

/// Written into a section of the plugin's file by `patchbay_sdk::export!`, as JSON between
/// [`OPENING`] and a NUL byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Manifest {
    /// The crate's name.
    pub name: String,
    /// The crate's version.
    pub version: String,
    /// What it plugs into.
    pub role: PluginRole,
    /// [`ABI_VERSION`] of the SDK that it was built with.
    pub abi: u32,
    /// The version of the SDK that it was built with.
    pub sdk: String,
    /// `unwind` or `abort`; only the first can be contained.
    pub panic: String,
}

/// Marks the beginning of the JSON, so that a stray section of that name is not taken for ours.
pub const OPENING: &str = "patchbay-plugin:";

/// Reads a manifest out of the bytes of [`SECTION`].
///
/// # Errors
/// A sentence that says what is wrong with them.
pub fn read(section: &[u8]) -> Result<Manifest, String> {
    let text = section
        .strip_prefix(OPENING.as_bytes())
        .ok_or("its manifest does not begin as one")?;
    let end = text
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(text.len());
    serde_json::from_slice(&text[..end]).map_err(|error| format!("its manifest is broken: {error}"))
}

/// Places the manifest in the file. For `patchbay_sdk::export!`; the crate's name and version are
/// those of the crate that calls it.
#[doc(hidden)]
#[macro_export]
macro_rules! place_manifest {
    ($role:literal, $sdk:expr) => {
        const _: () = {
            #[cfg(panic = "unwind")]
            const PANIC: &str = "unwind";
            #[cfg(not(panic = "unwind"))]
            const PANIC: &str = "abort";
            const PARTS: &[&str] = &[
                $crate::manifest::OPENING,
                "{\"name\":\"",
                env!("CARGO_PKG_NAME"),
                "\",\"version\":\"",
                env!("CARGO_PKG_VERSION"),
                "\",\"role\":\"",
                $role,
                "\",\"abi\":1,\"sdk\":\"",
                $sdk,
                "\",\"panic\":\"",
                PANIC,
                "\"}\0",
            ];
            #[used]
            #[cfg_attr(
                any(target_os = "windows", target_os = "macos"),
                unsafe(link_section = "patchbay")
            )]
            #[cfg_attr(
                not(any(target_os = "windows", target_os = "macos")),
                unsafe(link_section = ".patchbay")
            )]
            static MANIFEST: [u8; $crate::manifest::joined_len(PARTS)] =
                $crate::manifest::join(PARTS);
        };
    };
}

#[doc(hidden)]
pub const fn joined_len(parts: &[&str]) -> usize {
    let mut len = 0;
    let mut part = 0;
    while part < parts.len() {
        len += parts[part].len();
        part += 1;
    }
    len
}

#[doc(hidden)]
pub const fn join<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut joined = [0; N];
    let mut at = 0;
    let mut part = 0;
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut byte = 0;
        while byte < bytes.len() {
            joined[at] = bytes[byte];
            at += 1;
            byte += 1;
        }
        part += 1;
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: &[&str] = &[
        OPENING,
        r#"{"name":"n","version":"1","role":"backend","abi":1,"sdk":"2","panic":"unwind"}"#,
        "\0",
    ];
    const PLACED: [u8; joined_len(PARTS)] = join(PARTS);

    #[test]
    fn what_was_placed_is_read() {
        let manifest = read(&PLACED).unwrap();
        assert_eq!((manifest.name.as_str(), manifest.abi), ("n", ABI_VERSION));
        assert_eq!(manifest.role, PluginRole::Backend);
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        assert!(read(b"something else").unwrap_err().contains("begin"));
        assert!(read(b"patchbay-plugin:{").unwrap_err().contains("broken"));
    }
}

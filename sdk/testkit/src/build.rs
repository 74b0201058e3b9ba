//! Plugins of this workspace, built.

use std::path::PathBuf;
use std::process::Command;

/// Builds the plugin `patchbay-NAME` of this workspace, if it is not up to date, and says where its
/// file is: in the folder in which this test itself was built.
pub fn plugin(name: &str) -> PathBuf {
    package(&format!("patchbay-{name}"));
    folder().join(file_name(name))
}

/// Builds a package of this workspace, if it is not up to date.
pub fn package(name: &str) {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", name])
        .args(if cfg!(debug_assertions) {
            None
        } else {
            Some("--release")
        })
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .status()
        .expect("cargo runs");
    assert!(built.success(), "{name} does not build");
}

/// Where this workspace's binaries and plugins are, in the profile of this test.
pub fn folder() -> PathBuf {
    let test = std::env::current_exe().expect("a path of this test");
    let deps = test.parent().expect("a folder of this test");
    deps.parent().expect("a folder around it").to_owned()
}

/// What the file of a plugin of this workspace is called.
pub fn file_name(name: &str) -> String {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    format!(
        "{DLL_PREFIX}patchbay_{}{DLL_SUFFIX}",
        name.replace('-', "_")
    )
}

//! What happens with files that are no plugins, or not for this host: each is refused by one message
//! that names the file, the cause and what to do, and nothing of it is run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay::plugin::{Plugin, Trust, inspect};
use patchbay_testkit::build;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

fn refusal(path: &Path) -> String {
    let refusal = Plugin::load(path, &Trust::Any).expect_err("a refusal");
    assert!(refusal.contains(&*path.to_string_lossy()), "{refusal}");
    refusal
}

/// A copy of the echo plugin with one word in it replaced by another of the same length.
fn forged(folder: &Path, word: &str, other: &str) -> PathBuf {
    let mut bytes = std::fs::read(build::plugin("echo")).unwrap();
    let at = bytes
        .windows(word.len())
        .position(|window| window == word.as_bytes())
        .unwrap();
    bytes[at..at + word.len()].copy_from_slice(other.as_bytes());
    let path = folder.join(build::file_name("forged"));
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_plugin_says_who_it_is_without_being_run() {
    let manifest = inspect::manifest(&build::plugin("echo")).unwrap();
    assert_eq!(
        (manifest.name.as_str(), manifest.panic.as_str()),
        ("patchbay-echo", "unwind")
    );
    assert!(inspect::mismatches(&manifest).is_empty());
    let plugin = Plugin::load(&build::plugin("echo"), &Trust::Any).unwrap();
    assert_eq!(plugin.schema["properties"]["role"]["default"], "admin");
}

#[test]
fn a_text_file_a_foreign_library_and_a_missing_file_are_no_plugins() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join(build::file_name("text"));
    std::fs::write(&text, "not a library").unwrap();
    assert!(refusal(&text).contains("no shared library"));
    assert!(refusal(&folder.path().join("missing")).contains("cannot be read"));
    assert!(refusal(folder.path()).contains("no ordinary file"));
    let foreign = PathBuf::from("/proc/self/exe").canonicalize().unwrap();
    let said = refusal(&foreign);
    assert!(
        said.contains("no Patchbay plugin") && said.contains("patchbay_sdk::export!(backend = …)"),
        "{said}"
    );
}

#[test]
fn a_damaged_plugin_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(build::plugin("echo")).unwrap();
    let cut = folder.path().join(build::file_name("cut"));
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    refusal(&cut);
}

#[test]
fn every_mismatch_of_the_manifest_is_named_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let abi = forged(folder.path(), "\"abi\":1,", "\"abi\":7,");
    let said = refusal(&abi);
    assert!(
        said.contains("version 7 of the plugin ABI") && said.contains("host has version 1"),
        "{said}"
    );
    assert!(said.contains("cargo build"), "{said}");
    let abort = forged(
        folder.path(),
        "\"panic\":\"unwind\"",
        "\"panic\":\"abort\" ",
    );
    assert!(refusal(&abort).contains("end the whole gateway"));
}

/// Built for real: the echo plugin against a boundary that is not quite this host's. One after the
/// other into one folder, so that what they share is built once.
fn built_against(feature: &str, into: &Path) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap();
    let target = build::folder().join("other-abi");
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            "patchbay-echo",
            "--package",
            "patchbay-abi",
        ])
        .args(["--features", &format!("patchbay-abi/{feature}")])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .unwrap();
    assert!(built.success());
    let file = into.join(build::file_name("echo"));
    std::fs::copy(target.join("debug").join(build::file_name("echo")), &file).unwrap();
    file
}

#[test]
fn a_plugin_built_with_another_layout_of_the_abi_is_refused_and_told_where_they_differ() {
    let folder = tempfile::tempdir().unwrap();
    let said = refusal(&built_against("other-layout", folder.path()));
    assert!(
        said.contains("laid out differently") && said.contains("Delivery"),
        "{said}"
    );
    assert!(
        said.len() < 2000,
        "{} bytes are more than anybody reads",
        said.len()
    );
}

#[test]
fn a_plugin_of_a_newer_abi_that_only_adds_functions_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let plugin =
        Plugin::load(&built_against("more-functions", folder.path()), &Trust::Any).unwrap();
    assert_eq!(plugin.schema["properties"]["role"]["default"], "admin");
}

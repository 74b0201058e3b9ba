//! `patchbay plugin inspect`: what it says of good, wrong and hostile files, of none of which anything is run.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_testkit::build;
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs it: the exit status, what it prints and what it complains of.
fn inspect(words: &[&str], file: &Path) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .args(["plugin", "inspect"])
        .args(words)
        .arg(file)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let status = output.status.code().unwrap();
    (status, text(output.stdout), text(output.stderr))
}

/// The reasons why a file would not be loaded.
fn obstacles(words: &[&str], file: &Path) -> Vec<String> {
    let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
    let (status, said, complaint) = inspect(&words, file);
    let found: Value = serde_json::from_str(&said).unwrap();
    let found: Vec<String> = serde_json::from_value(found["obstacles"].clone()).unwrap();
    assert_eq!(status, i32::from(!found.is_empty()), "{found:?}");
    let last = complaint.lines().last().unwrap_or_default();
    assert_eq!(
        last.contains("would not be loaded"),
        status != 0,
        "{complaint}"
    );
    found
}

/// The echo plugin with these words in it replaced by others of the same length.
fn forged(folder: &Path, words: &[(&str, &str)]) -> PathBuf {
    let mut bytes = std::fs::read(build::plugin("echo")).unwrap();
    for (word, other) in words {
        assert_eq!(word.len(), other.len());
        let mut windows = bytes.windows(word.len());
        let at = windows
            .position(|window| window == word.as_bytes())
            .unwrap();
        bytes[at..at + word.len()].copy_from_slice(other.as_bytes());
    }
    written(folder, "forged", &bytes)
}

fn written(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    path
}

#[test]
fn of_a_plugin_it_says_what_it_is_and_that_it_would_be_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let file = forged(folder.path(), &[]);
    let (status, said, complaint) = inspect(&[], &file);
    assert_eq!((status, complaint.as_str()), (0, ""), "{said}");
    for part in [
        "patchbay-echo",
        "a backend",
        "plugin ABI 1",
        "panic = \"unwind\"",
        std::env::consts::ARCH,
        "would be loaded",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (_, said, _) = inspect(&["--json"], &file);
    let found: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(found["manifest"]["role"], "backend");
    assert_eq!(found["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(
        (&found["obstacles"], &found["rebuild"]),
        (&json!([]), &Value::Null)
    );
}

#[test]
fn every_reason_is_named_at_once_with_what_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = forged(
        folder.path(),
        &[
            ("\"abi\":1,", "\"abi\":7,"),
            ("\"panic\":\"unwind\"", "\"panic\":\"abort\" "),
            ("abi stable library", "abi stuble library"),
        ],
    );
    let mut bytes = std::fs::read(&file).unwrap();
    // The processor, in an ELF file: one that nobody has.
    bytes[18..20].copy_from_slice(&[0xd8, 0]);
    std::fs::write(&file, bytes).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o646)).unwrap();
    let list = written(folder.path(), "trusted", b"");
    let list = ["--list", list.to_str().unwrap()];
    let found = obstacles(&list, &file);
    let parts = [
        "chmod o-w",
        "patchbay plugin trust",
        "another processor",
        "another abi_stable",
        "version 7 of the plugin ABI",
        "panic = \"abort\"",
    ];
    assert_eq!(found.len(), parts.len(), "{found:?}");
    for (reason, part) in found.iter().zip(parts) {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    let (_, said, _) = inspect(&list, &file);
    assert!(said.contains("cargo build --release"), "{said}");
}

#[test]
fn what_is_no_plugin_is_said_to_be_none_and_nothing_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let good = std::fs::read(build::plugin("echo")).unwrap();
    let fifo = folder.join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let mut huge = good.clone();
    // Each section with code or data (type 1) says that it is larger than any file. The table of sections is where the
    // header says.
    let table = u64::from_le_bytes(huge[40..48].try_into().unwrap()) as usize;
    for header in huge[table..].chunks_exact_mut(64) {
        if header[4] == 1 {
            header[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
        }
    }
    let sparse = folder.join("sparse");
    let file = std::fs::File::create(&sparse).unwrap();
    file.set_len(1 << 40).unwrap();
    let rows: [(PathBuf, &str); 10] = [
        (folder.join("missing"), "cannot be read"),
        (folder.to_owned(), "no ordinary file"),
        (fifo, "no ordinary file"),
        (PathBuf::from("/dev/zero"), "no ordinary file"),
        (sparse, "at most 1 GiB"),
        (written(folder, "empty", b""), "no shared library"),
        (
            written(folder, "text", b"not a library"),
            "no shared library",
        ),
        (
            written(folder, "cut", &good[..good.len() / 2]),
            "no shared library",
        ),
        (written(folder, "huge", &huge), "damaged"),
        (
            forged(folder, &[("\"role\":\"backend\"", "\"role\":\"upstart\"")]),
            "manifest is broken",
        ),
    ];
    for (file, part) in rows {
        let found = obstacles(&[], &file);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(part), "{part}: {found:?}");
    }
}

#[test]
fn what_a_manifest_says_cannot_speak_to_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = forged(folder.path(), &[("patchbay-echo\",", "\\u001b[31mpat\",")]);
    let found = obstacles(&[], &file);
    assert!(found[0].contains("no line of text"), "{found:?}");
}

#[test]
fn of_damage_anywhere_something_is_said_and_nothing_panics() {
    let folder = tempfile::tempdir().unwrap();
    let good = std::fs::read(build::plugin("echo")).unwrap();
    let table = u64::from_le_bytes(good[40..48].try_into().unwrap()) as usize;
    // The header of the file, and those of its sections: 16 bytes at a time.
    let places = (0..64).step_by(16).chain((table..good.len()).step_by(16));
    let places: Vec<usize> = places.collect();
    let step = (places.len() / 40).max(1);
    for at in places.into_iter().step_by(step) {
        let mut bytes = good.clone();
        let end = (at + 16).min(bytes.len());
        bytes[at..end].fill(0xff);
        let (status, _, complaint) = inspect(&[], &written(folder.path(), "damaged", &bytes));
        assert!(matches!(status, 0 | 1), "{at}: {status} {complaint}");
    }
}

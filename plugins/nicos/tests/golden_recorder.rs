//! What `cargo xtask record nicos` would record today is what lies in `tests/golden/nicos`, but for times, ids and random
//! numbers: the recorder works, and the daemon says what it said.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use patchbay_servers::{Nicos, silent};
use serde_json::Value;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/nicos")
}

/// Records a daemon anew into a folder of its own.
fn record() -> PathBuf {
    let nicos = Nicos::options()
        .cache(true)
        .start(&silent)
        .expect("NICOS starts");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recorded");
    let mut recorder = Nicos::python(&silent).unwrap();
    recorder
        .arg("-B")
        .arg(golden().join("record.py"))
        .arg(nicos.address().to_string())
        .arg("--into")
        .arg(&folder);
    let recorded = recorder.output().unwrap();
    let said = String::from_utf8_lossy(&recorded.stderr);
    assert!(recorded.status.success(), "{said}");
    folder
}

fn files(folder: &Path) -> BTreeSet<String> {
    let parts = ["replies", "events"].map(|part| fs::read_dir(folder.join(part)).unwrap());
    let names = parts
        .into_iter()
        .flatten()
        .map(|file| file.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

/// What was asked, and how it was answered; of arguments only that there are some.
fn shape(folder: &Path) -> Value {
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
    for asked in manifest["replies"].as_array_mut().unwrap() {
        let args = asked["args"].as_array().map(Vec::len);
        asked["args"] = args.into();
    }
    manifest
}

#[test]
fn what_is_recorded_today_is_what_was_recorded() {
    let folder = record();
    assert_eq!(files(&folder), files(&golden()));
    assert_eq!(shape(&folder), shape(&golden()));
}

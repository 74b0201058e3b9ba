//! A plugin that claims to be what this host cannot run is refused before anything is started.

use patchbay_testkit::build;
use std::path::Path;
use std::process::Command;

/// A word in the manifest, another one of the same length, and what is said then.
const ROWS: [(&str, &str, &[&str]); 4] = [
    (
        "\"abi\":1,",
        "\"abi\":7,",
        &[
            "version 7 of the plugin ABI",
            "this host has version 1",
            "Rebuild it",
        ],
    ),
    (
        "\"panic\":\"unwind\"",
        "\"panic\":\"abort\" ",
        &["panic = \\\"abort\\\"", "end the whole gateway"],
    ),
    (
        "\"role\":\"backend\"",
        "\"role\":\"gateway\"",
        &["its manifest is broken"],
    ),
    ("\"sdk\":\"", "\"sdk\": ", &["its manifest is broken"]),
];

fn check(folder: &Path, word: &str, other: &str) -> (Option<i32>, String) {
    for name in ["rogue", "socket"] {
        std::fs::copy(build::plugin(name), folder.join(build::file_name(name))).unwrap();
    }
    let file = folder.join(build::file_name("rogue"));
    let mut bytes = std::fs::read(&file).unwrap();
    let mut places = bytes.windows(word.len());
    let at = places.position(|window| window == word.as_bytes()).unwrap();
    bytes[at..at + word.len()].copy_from_slice(other.as_bytes());
    std::fs::write(&file, bytes).unwrap();
    let config = "gateway.plugin_path = [\".\"]\n\
        [[backend]]\nid = \"rogue\"\nplugin = \"rogue\"\n\
        [[frontend]]\nid = \"in\"\nplugin = \"socket\"\nbackend = \"rogue\"\n";
    std::fs::write(folder.join("patchbay.toml"), config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .arg("check")
        .arg(folder.join("patchbay.toml"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

#[test]
fn what_claims_to_be_of_another_kind_is_refused_by_one_message() {
    for (word, other, parts) in ROWS {
        let folder = tempfile::tempdir().unwrap();
        let (exit, said) = check(folder.path(), word, other);
        assert_eq!(exit, Some(3), "{said}");
        assert_eq!(said.matches("error").count(), 1, "{said}");
        let said = said.replace('"', "\\\"");
        assert!(
            parts.iter().all(|part| said.contains(part)),
            "{other}: {said}"
        );
    }
}

/// What crosses evolves by serde's rules: the version of the SDK is told, and does not decide.
#[test]
fn another_version_of_the_sdk_with_the_same_boundary_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (exit, said) = check(folder.path(), "\"sdk\":\"0.1.0\"", "\"sdk\":\"0.9.0\"");
    assert_eq!((exit, said.as_str()), (Some(0), ""));
}

//! What the map says of the code, held against the code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file below a folder of the repository that ends so, with its text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let (mut found, mut open) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has files that end in {ending}");
    found
}

/// The crates of this workspace that a crate needs when it is used, without those of its tests.
fn own_dependencies(manifest: &str) -> Vec<&str> {
    let after = manifest.split("[dependencies]").nth(1).unwrap_or("");
    let section = after.split("\n[").next().unwrap_or("");
    let names = section
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| name.starts_with("patchbay")).collect()
}

#[test]
fn dependencies_point_one_way() {
    for (name, manifest) in files("plugins", "Cargo.toml") {
        for dependency in own_dependencies(&manifest) {
            // The SDK, and what stands beside it for plugins that need it: dialects, and programs beside the gateway.
            let beside =
                dependency == "patchbay-child" || dependency.starts_with("patchbay-dialect-");
            let allowed = dependency == "patchbay-sdk" || beside;
            assert!(allowed, "{name} depends on {dependency}");
        }
    }
    let host = std::fs::read_to_string(root().join("host/Cargo.toml")).unwrap();
    let needed = ["patchbay-abi", "patchbay-client", "patchbay-sdk"];
    assert_eq!(own_dependencies(&host), needed);
    // The client speaks to a gateway over its socket, and knows no more of it than anybody else.
    let client = std::fs::read_to_string(root().join("host/client/Cargo.toml")).unwrap();
    assert_eq!(own_dependencies(&client), ["patchbay-sdk"]);
    let abi = std::fs::read_to_string(root().join("sdk/abi/Cargo.toml")).unwrap();
    assert_eq!(own_dependencies(&abi), Vec::<&str>::new());
}

#[test]
fn the_host_knows_no_protocol() {
    for (name, text) in files("host/src", ".rs") {
        // Its tests and its examples may name plugins; its code may not.
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        let code = code.collect::<Vec<_>>().join("\n").to_lowercase();
        if name.contains("/tests/") {
            continue;
        }
        for word in ["stomp", "pickle", "activemq", "getstatus", "jms"] {
            assert!(!code.contains(word), "{name} speaks of {word}");
        }
    }
}

#[test]
fn unsafe_stands_only_at_the_boundary() {
    let allowed = [
        "sdk/abi/src/module.rs",
        "sdk/abi/src/manifest.rs",
        "sdk/abi/src/load.rs",
    ];
    for folder in ["host/src", "host/client", "sdk", "plugins"] {
        for (name, text) in files(folder, ".rs") {
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let mut code = code.map(|line| line.replace("unsafe_code", ""));
            let found = code.any(|line| line.contains("unsafe"));
            assert!(
                !found || allowed.contains(&&*name),
                "{name} has unsafe code"
            );
        }
    }
}

#[test]
fn no_file_has_become_two_rooms() {
    for folder in ["host/src", "host/client", "sdk", "plugins", "tests"] {
        for (name, text) in files(folder, ".rs") {
            let lines = text.lines().count();
            assert!(lines <= 400, "{name} has {lines} lines");
        }
    }
}

#[test]
fn every_surprise_of_the_broker_has_its_test() {
    let table = std::fs::read_to_string(root().join("plugins/activemq/tests/README.md")).unwrap();
    let tests: String = ["plugins/activemq", "tests/e2e"]
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .map(|(_, text)| text)
        .collect();
    let names = table
        .lines()
        .filter_map(|row| row.strip_prefix('|')?.split('|').nth(1))
        .flat_map(|tests| tests.split('`').skip(1).step_by(2));
    let missing: Vec<&str> = names
        .filter(|name| !tests.contains(&format!("fn {name}(")))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

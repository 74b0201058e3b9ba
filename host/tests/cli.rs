//! What an operator sees in a terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_testkit::build;
use std::process::{Command, Output};

fn patchbay(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .args(args)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}

/// A folder with the echo and the rogue in it, and a configuration file of this text.
fn site(config: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["echo", "rogue"] {
        let file = build::plugin(name);
        std::fs::copy(&file, folder.path().join(build::file_name(name))).unwrap();
    }
    let file = folder.path().join("patchbay.toml");
    std::fs::write(&file, config).unwrap();
    (folder, file.to_string_lossy().into_owned())
}

#[test]
fn check_names_all_three_mistakes_at_once_with_line_and_remedy() {
    let (_folder, file) = site(concat!(
        "[gateway]\n",
        "plugin_path = ['.']\n",
        "max_sesions = 5\n",
        "[[backend]]\n",
        "id = 'echo'\n",
        "plugin = 'echo'\n",
        "config = { roll = 'view' }\n",
        "[[frontend]]\n",
        "id = 'front'\n",
        "plugin = 'missing'\n",
        "backend = 'echo'\n",
    ));
    let output = patchbay(&["check", &file]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for (line, remedy) in [
        (3, "`max_sessions`"),
        (7, "`role`"),
        (10, "patchbay_missing"),
    ] {
        assert!(
            said.contains(&format!("patchbay.toml:{line}:")),
            "line {line} in {said}"
        );
        assert!(said.contains(remedy), "{remedy} in {said}");
    }
    assert!(said.contains("3 mistakes"), "{said}");
}

#[test]
fn run_refuses_what_check_refuses_and_starts_nothing() {
    let (_folder, file) = site("[gateway]\n");
    let output = patchbay(&["run", &file]);
    assert_eq!(output.status.code(), Some(3));
    assert!(!said(&output).contains("started"));
}

#[test]
fn a_missing_configuration_file_is_named() {
    let output = patchbay(&["run", "/no/such/file.toml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        said(&output).contains("/no/such/file.toml"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_plugin_of_the_wrong_role_or_that_is_none_is_a_mistake_of_the_configuration() {
    let (folder, file) = site(concat!(
        "[gateway]\n",
        "plugin_path = ['.']\n",
        "[[backend]]\n",
        "id = 'broken'\n",
        "plugin = 'broken'\n",
        "[[frontend]]\n",
        "id = 'front'\n",
        "plugin = 'echo'\n",
        "backend = 'broken'\n",
    ));
    std::fs::write(folder.path().join(build::file_name("broken")), "no library").unwrap();
    let output = patchbay(&["check", &file]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("no shared library") && said.contains("[[backend]]"),
        "{said}"
    );
}

#[test]
fn plugin_list_shows_plugins_and_says_why_the_rest_are_none() {
    let (folder, _) = site("");
    std::fs::write(folder.path().join(build::file_name("text")), "text").unwrap();
    let output = patchbay(&["plugin", "list", "--path", &folder.path().to_string_lossy()]);
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    for name in [
        "patchbay-echo 0.1.0",
        "patchbay-rogue 0.1.0",
        "is no shared library",
    ] {
        assert!(said.contains(name), "{name} in {said}");
    }
    let missing = patchbay(&["plugin", "list", "--path", "/no/such/folder"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(self::said(&missing).contains("/no/such/folder cannot be read"));
}

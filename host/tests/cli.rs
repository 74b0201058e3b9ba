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
    for name in ["echo", "rogue", "activemq"] {
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

#[test]
fn explain_says_what_a_key_means_what_it_is_and_why() {
    let (_folder, file) = site(concat!(
        "[gateway]\nplugin_path = ['.']\nmax_sessions = 77\n",
        "[[backend]]\nid = 'echo'\nplugin = 'echo'\nconfig = { role = 'user' }\n",
        "[[frontend]]\nid = 'front'\nplugin = 'activemq'\nbackend = 'echo'\n",
    ));
    let shown = said(&patchbay(&["explain", "max_sessions", &file]));
    for part in ["Sessions at one time", "1000", "gateway: 77  (line 3)"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown = said(&patchbay(&["explain", "gateway.max_in_flight", &file]));
    assert!(shown.contains("gateway: the default"), "{shown}");
    let shown = said(&patchbay(&["explain", "role", &file]));
    assert!(
        shown.contains("backend echo config: \"user\"  (line 7)") || shown.contains("'user'"),
        "{shown}"
    );
    let output = patchbay(&["explain", "max_sesions"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("did you mean `max_sessions`?"));
}

#[test]
fn explain_without_a_key_is_the_reference_of_all_keys() {
    let output = patchbay(&["explain"]);
    assert_eq!(output.status.code(), Some(0));
    let page = said(&output);
    assert!(page.starts_with("# Configuration reference\n"), "{page}");
    let sections = ["`[gateway]`", "`[[backend]]`", "`[[frontend]]`"];
    for section in sections {
        assert!(page.contains(&format!("\n## {section}\n")), "{page}");
    }
    // The first key and one of the last.
    for row in ["| `name` | ", "| `client_user` | "] {
        assert!(page.contains(row), "{row}: {page}");
    }
}

#[test]
fn explain_shows_no_secret() {
    let (_folder, file) = site(concat!(
        "[gateway]\nplugin_path = ['.']\n",
        "[[backend]]\nid = 'echo'\nplugin = 'echo'\n",
        "[[frontend]]\nid = 'front'\nplugin = 'activemq'\nbackend = 'echo'\n",
        "[[frontend.login]]\nclient_user = 'ibex'\nuser = 'ibex'\nsecret = { value = 'hunter2' }\n",
    ));
    for key in ["secret", "login", "value", "frontend"] {
        let shown = said(&patchbay(&["explain", key, &file]));
        assert!(!shown.contains("hunter2"), "{key}: {shown}");
    }
}

#[test]
fn the_sample_is_a_good_configuration_and_is_written_over_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patchbay.toml");
    let path = file.to_str().unwrap();
    let output = patchbay(&["init", path]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    // Only where the plugins are differs from one machine to the next.
    for name in ["nicos", "socket", "activemq"] {
        build::plugin(name);
    }
    let sample = std::fs::read_to_string(&file).unwrap();
    let here = sample.replace(
        "/usr/lib/patchbay/plugins",
        build::folder().to_str().unwrap(),
    );
    std::fs::write(&file, &here).unwrap();
    let output = patchbay(&["check", "--offline", path]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    // Each comment that is a key can be made one.
    let keys = here.lines().map(|line| match line.strip_prefix("# ") {
        Some(key) if key.contains(" = ") && !key.contains(": ") => key,
        _ => line,
    });
    let all: String = keys.map(|line| format!("{line}\n")).collect();
    let all = all.replace("# [[", "[[").replace("# [f", "[f");
    std::fs::write(&file, &all).unwrap();
    let shown = said(&patchbay(&["check", "--offline", path]));
    for wrong in ["unknown key", "is not TOML", "out of range"] {
        assert!(!shown.contains(wrong), "{shown}");
    }
    let again = patchbay(&["init", path]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), all);
}

#[test]
fn the_schema_accepts_what_check_accepts_and_refuses_what_it_refuses() {
    let (folder, _) = site("");
    let output = patchbay(&["schema", "--path", folder.path().to_str().unwrap()]);
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let config = |role: serde_json::Value| {
        serde_json::json!({
            "gateway": {"max_sessions": 7},
            "backend": [{"id": "echo", "plugin": "echo", "config": {"role": role}}],
            "frontend": [{"id": "f", "plugin": "activemq", "backend": "echo"}],
        })
    };
    assert!(validator.is_valid(&config("user".into())));
    assert!(!validator.is_valid(&config(7.into())));
    let mut unknown = config("user".into());
    unknown["gateway"]["max_sesions"] = 7.into();
    assert!(!validator.is_valid(&unknown));
}

#[test]
fn exit_statuses_are_the_same_in_the_help_the_manual_and_the_readme() {
    use patchbay::exit::Exit;
    let readme = include_str!("../../README.md");
    let help = said(&patchbay(&["--help"]));
    // There a hyphen is written so that it is not taken for the end of a syllable.
    let manual = said(&patchbay(&["man"])).replace("\\-", "-");
    for (status, meaning) in Exit::rows() {
        let row = format!("| {status} | {meaning} |");
        assert!(readme.contains(&row), "{row} is not in the README");
        let line = format!("{status}  {meaning}");
        assert!(help.contains(&line), "{line} is not in {help}");
        assert!(manual.contains(&line), "{line} is not in {manual}");
    }
    // What the parser says, which ends the process by itself.
    let status = patchbay(&["no-such-verb"]).status.code();
    assert_eq!(status, Some(Exit::Usage as i32));
}

#[test]
fn the_sample_for_several_instruments_is_a_good_configuration() {
    for name in ["nicos", "socket", "activemq"] {
        build::plugin(name);
    }
    let folder = tempfile::tempdir().unwrap();
    let sample = include_str!("../packaging/several.toml");
    let here = sample.replace(
        "/usr/lib/patchbay/plugins",
        build::folder().to_str().unwrap(),
    );
    let file = folder.path().join("several.toml");
    std::fs::write(&file, here).unwrap();
    let output = patchbay(&["check", "--offline", file.to_str().unwrap()]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("warning"), "{said}");
    assert_eq!(said.matches("  backend").count(), 2, "{said}");
}

/// What cannot be written is said, and is no panic.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_by_whatever_prints() {
    for args in [
        &["init"][..],
        &["explain"],
        &["explain", "log_level"],
        &["schema"],
    ] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let ended = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(args)
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(1), "{args:?}");
        let why = String::from_utf8(ended.stderr).unwrap();
        assert!(why.starts_with("cannot be written: No space left"), "{why}");
    }
}

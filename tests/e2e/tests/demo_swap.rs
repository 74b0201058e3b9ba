//! `cargo xtask demo --swap --once`, as a newcomer runs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_e2e::demo::{Demo, alone, assert_gone, path_without_packages};
use patchbay_testkit::build;
use std::process::{Command, Stdio};

#[test]
fn it_shows_the_same_script_on_three_servers_and_what_differs() {
    let _alone = alone();
    let mut demo = Demo::start(&["--swap", "--once"]);
    demo.wait_for("== Summary");
    assert_eq!(demo.end().code(), Some(0), "{}", demo.said());
    let said = demo.said();
    for (text, times) in [
        ("| Hello from a script that knows no server", 3),
        ("| 6 times 7 is 42", 3),
        ("finished: succeeded", 3),
        ("$ patchbay route ibex queueserver", 1),
        ("RE Manager, `finish`: a plan has no count", 1),
        ("it knows job ", 1),
        ("each got its answer, once, and stayed connected", 1),
        ("three servers: the same output and the same end", 1),
    ] {
        assert_eq!(said.matches(text).count(), times, "{text} in {said}");
    }
    assert_gone(&demo.processes());
}

#[test]
fn a_server_that_dies_is_named_and_nothing_is_left_behind() {
    let _alone = alone();
    let mut demo = Demo::start(&["--swap", "--once"]);
    demo.wait_for("| step 1 of 3");
    let processes = demo.processes();
    assert_eq!(processes.len(), 4, "{processes:?}");
    let (_, id) = processes.iter().find(|(name, _)| name == "RE").unwrap();
    let killed = Command::new("kill").args(["-9", id]).status().unwrap();
    assert!(killed.success());
    assert_eq!(demo.end().code(), Some(1), "{}", demo.said());
    let said = demo.said();
    assert!(said.contains("error: the RE Manager (process"), "{said}");
    assert_gone(&processes);
}

#[test]
fn where_the_servers_cannot_be_had_that_is_said_with_what_to_do() {
    build::package("xtask");
    let fakes = tempfile::tempdir().unwrap();
    let output = Command::new(build::folder().join("xtask"))
        .args(["demo", "--swap", "--once"])
        .env("PATH", path_without_packages(fakes.path()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.contains("cargo xtask demo --embedded"), "{said}");
    let as_root = said.contains("no way to any mirror");
    assert!(as_root || said.contains("apt-get install"), "{said}");
}

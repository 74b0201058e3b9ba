//! `cargo xtask demo --embedded`, and the plain demo where the real servers cannot be had.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use patchbay_e2e::demo::path_without_packages;
use patchbay_e2e::wait_until;
use patchbay_testkit::build;

fn demo(words: &[&str]) -> Command {
    build::package("xtask");
    let mut command = Command::new(build::folder().join("xtask"));
    command.arg("demo").args(words).stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}{err}")
}

fn assert_script_ran(output: &Output) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for text in [
        "| Hello from Python 3.",
        "| step 5 of 5",
        "| the numbers up to 100 make 5050",
        "finished: succeeded",
        "Python says: the script succeeded",
    ] {
        assert!(said.contains(text), "{text} in {said}");
    }
}

#[test]
fn it_needs_nothing_but_python_and_shows_what_the_script_prints() {
    assert_script_ran(&demo(&["--embedded", "--once"]).output().unwrap());
}

#[test]
fn where_the_real_servers_cannot_be_had_that_is_said_and_this_one_is_shown() {
    let fakes = tempfile::tempdir().unwrap();
    let path = path_without_packages(fakes.path());
    let output = demo(&["--once"]).env("PATH", path).output().unwrap();
    let said = said(&output);
    assert!(
        said.contains("NICOS and ActiveMQ cannot be had on this machine yet"),
        "{said}"
    );
    let as_root = said.contains("no way to any mirror");
    assert!(as_root || said.contains("apt-get install"), "{said}");
    assert_script_ran(&output);
}

#[test]
fn a_gateway_that_dies_is_named() {
    let mut demo = demo(&["--embedded", "--once"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut gateway = None;
    for line in BufReader::new(demo.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((_, id)) = line.split_once("(process ") {
            gateway = Some(id.trim_end_matches(')').to_owned());
        }
        if line.contains("| step 1 of 5") {
            let id = gateway.as_ref().unwrap();
            let killed = Command::new("kill").args(["-9", id]).status().unwrap();
            assert!(killed.success());
        }
    }
    let output = demo.wait_with_output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: the gateway (process"), "{said}");
    let process = Path::new("/proc").join(gateway.unwrap());
    wait_until("its end", || (!process.exists()).then_some(()));
}

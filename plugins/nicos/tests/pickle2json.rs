//! What `examples/pickle2json.rs` says and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The example, which `cargo test` builds beside the tests' folder.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test
        .parent()
        .unwrap()
        .with_file_name("examples/pickle2json");
    assert!(
        program.exists(),
        "`cargo test` without `--test` builds {}",
        program.display()
    );
    program
}

fn run(payload: &[u8]) -> Output {
    let mut child = Command::new(program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It need not read on once it has seen too much.
    let _ = child.stdin.take().unwrap().write_all(payload);
    child.wait_with_output().unwrap()
}

fn refusal(payload: &[u8]) -> String {
    let output = run(payload);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_pickle_is_printed_as_one_line_of_json() {
    let output = run(b"\x80\x02}X\x01\x00\x00\x00a](K\x01Nes.");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "{\"a\":[1,null]}\n"
    );
    assert!(output.stderr.is_empty());
}

#[test]
fn a_truncated_pickle_is_refused_with_the_byte() {
    assert_eq!(
        refusal(b"\x80\x02X\x05\x00\x00\x00ab"),
        "the pickle ends too early, at byte 9\n"
    );
}

#[test]
fn a_bomb_is_refused_with_the_limit() {
    let bomb = include_bytes!("bombs/billion_laughs.pickle");
    assert_eq!(
        refusal(bomb),
        "the pickle exceeds the limit of 500000 values\n"
    );
}

#[test]
fn a_payload_that_is_too_long_is_refused_with_the_limit() {
    assert_eq!(
        refusal(&vec![b'N'; 5 << 20]),
        "the pickle exceeds the limit of 4194304 bytes in one payload\n"
    );
}

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
use std::sync::Once;

/// The example, built: `cargo test --test pickle2json` alone does not do that.
fn program() -> PathBuf {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "--quiet",
            "--package",
            "patchbay-nicos",
            "--example",
            "pickle2json",
        ]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(built.unwrap().success());
    });
    patchbay_testkit::build::folder().join("examples/pickle2json")
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
fn nothing_at_all_is_refused() {
    assert_eq!(refusal(b""), "the pickle ends too early, at byte 0\n");
}

#[test]
fn nobody_who_reads_is_no_reason_to_panic() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = Command::new(program())
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"\x80\x02N.")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("Broken pipe") && !said.contains("panicked"),
        "{said}"
    );
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

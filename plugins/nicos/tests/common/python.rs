//! Real Python, to write payloads and to read ours.

use std::io::Write;
use std::process::{Command, Stdio};

/// What the program printed, given `input` on standard input.
pub fn python(args: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("python3")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is needed to run these tests");
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3 failed");
    String::from_utf8(output.stdout).unwrap()
}

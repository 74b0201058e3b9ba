//! Real Python, to write payloads and to read ours.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What the program printed, given `input` on standard input.
#[allow(dead_code, reason = "not every test file needs both ways")]
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

/// A program that answers each line with one.
#[allow(dead_code, reason = "not every test file needs both ways")]
pub struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

#[allow(dead_code, reason = "not every test file needs both ways")]
impl Python {
    /// Starts the file of this name beside the tests.
    pub fn start(file: &str) -> Self {
        Self::run(Command::new("python3"), file)
    }

    /// As [`Python::start`], with an interpreter.
    pub fn run(mut interpreter: Command, file: &str) -> Self {
        let mut child = interpreter
            .arg(format!("{}/tests/{file}", env!("CARGO_MANIFEST_DIR")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is needed to run these tests");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    /// The answer to a line, without its end.
    pub fn ask(&mut self, line: &str) -> String {
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        let length = self.output.read_line(&mut answer).unwrap();
        assert!(length > 0, "python3 ended, asked: {line}");
        answer.truncate(answer.trim_end().len());
        answer
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

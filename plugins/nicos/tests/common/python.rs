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

impl Python {
    /// The pickles of what an expression is worth, by the program `pickle_writer.py`: each with who wrote it.
    #[allow(dead_code, reason = "not every test file needs both ways")]
    pub fn pickles(&mut self, expression: &str) -> Vec<(String, Vec<u8>)> {
        use base64::Engine;
        let answer = self.ask(expression);
        let payloads: Vec<_> = answer.split(' ').collect();
        assert_eq!(payloads.len(), 12, "{expression}");
        let written = payloads
            .iter()
            .enumerate()
            .filter(|(_, payload)| **payload != "-");
        let named = written.map(|(index, payload)| {
            let writer = ["C", "Python"][index / 6];
            let payload = base64::engine::general_purpose::STANDARD
                .decode(payload)
                .unwrap();
            (
                format!("{expression} in protocol {} by {writer}", index % 6),
                payload,
            )
        });
        named.collect()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

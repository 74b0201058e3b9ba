//! Somebody who calls `patchbay client`, from a shell script.

use serde_json::Value;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

/// A folder with all that somebody has.
pub struct Person {
    folder: tempfile::TempDir,
}

/// A client that runs.
pub struct Running(Child);

/// What a client said.
pub struct Said {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Person {
    /// Somebody with a password in a file, and a script of two lines.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let person = Person { folder };
        person.write("password", "geheim\n");
        person.write("scan.py", "print(1)\nprint(2)\n");
        person
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Calls the client as anna, with these words.
    pub fn call(&self, address: &str, words: &[&str]) -> Running {
        let known = ["--user", "anna", "--password-file", "password"];
        self.start(address, &[&known, words].concat(), "")
    }

    /// Calls the client, and lets it read this.
    pub fn start(&self, address: &str, words: &[&str], input: &str) -> Running {
        let mut command = self.command(address, words);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        Running(child)
    }

    /// The client with these words, before it is called.
    pub fn command(&self, address: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
        command
            .current_dir(self.folder.path())
            .args(["client", "--connect", address])
            .args(words);
        command
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path());
        for variable in ["CONNECT", "USER", "PASSWORD_FILE"] {
            command.env_remove(format!("PATCHBAY_{variable}"));
        }
        command
    }
}

impl Running {
    /// Waits until it has ended.
    pub fn end(self) -> Said {
        let Output {
            status,
            stdout,
            stderr,
        } = self.0.wait_with_output().unwrap();
        let said = Said {
            status: status.code(),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        };
        let all = said.out.clone() + &said.err;
        assert!(!all.contains("geheim"), "a password is shown: {all}");
        assert!(!all.contains('\u{1b}'), "colours without a terminal: {all}");
        said
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        interrupt(&self.0);
    }
}

/// Presses Ctrl-C in front of it.
pub fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
}

impl Said {
    /// Asserts the exit status, with everything said if it is another one.
    pub fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{}\n{}", self.out, self.err);
        self
    }

    /// Asserts that this was said on standard error.
    pub fn said(self, text: &str) -> Self {
        assert!(self.err.contains(text), "`{text}` in {}", self.err);
        self
    }

    /// Asserts what was said on standard output.
    pub fn out(self, text: &str) -> Self {
        assert_eq!(self.out, text, "{}", self.err);
        self
    }

    /// Standard output as JSON, one object per line.
    pub fn records(&self) -> Vec<Value> {
        let lines = self.out.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

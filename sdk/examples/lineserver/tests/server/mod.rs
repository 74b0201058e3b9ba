//! The line server, as a process of its own.

#![allow(dead_code, reason = "not every test uses everything")]

use patchbay_testkit::conformance::Peer;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A line server; it ends when the last clone is dropped.
#[derive(Clone)]
pub struct LineServer {
    process: Arc<Mutex<Process>>,
    pub address: String,
}

struct Process(Option<Child>);

impl Process {
    fn end(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs it at a port, 0 for a free one: the process and its port.
fn run(port: &str) -> (Child, String) {
    let program = include_str!("../../lineserver.py");
    let mut child = Command::new("python3")
        .args(["-c", program, port])
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let said = child.stdout.take().unwrap();
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(' ').next().unwrap_or_default();
    assert!(!port.is_empty(), "the line server does not listen");
    (child, port.to_owned())
}

impl LineServer {
    pub fn start() -> LineServer {
        let (child, port) = run("0");
        LineServer {
            process: Arc::new(Mutex::new(Process(Some(child)))),
            address: format!("127.0.0.1:{port}"),
        }
    }

    /// Says something to it, as another client.
    pub fn tell(&self, line: &str) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        writeln!(stream, "1 {line}").unwrap();
        let mut said = BufReader::new(stream).lines().map(Result::unwrap);
        assert!(said.any(|line| line == "1 OK"), "{line}");
    }

    pub fn kill(&self) {
        self.process.lock().unwrap().end();
    }

    pub fn start_again(&self) {
        let port = self.address.rsplit(':').next().unwrap();
        let (child, _) = run(port);
        self.process.lock().unwrap().0 = Some(child);
    }
}

impl Peer for LineServer {
    async fn take_away(&self) {
        self.kill();
    }

    async fn give_back(&self) {
        self.start_again();
    }
}

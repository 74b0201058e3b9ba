//! A helper process that is asked by lines on its standard input and answers by lines.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::signals;

/// How long a helper may take to start.
const START: Duration = Duration::from_secs(60);

/// A helper process; it is ended when this is dropped.
pub struct Child {
    name: String,
    process: Process,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl Child {
    /// Starts it. What it says on standard error is shown.
    pub fn start(name: &str, mut command: Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let stdin = process.stdin.take().context("no standard input")?;
        let stdout = process.stdout.take().context("no standard output")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let name = name.to_owned();
        Ok(Self {
            name,
            process,
            stdin,
            lines,
        })
    }

    /// Starts it and waits until it says `ready`.
    pub fn start_ready(name: &str, command: Command) -> Result<Self> {
        let child = Self::start(name, command)?;
        while child.line(START)? != "ready" {}
        Ok(child)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Says a line; its answer.
    pub fn ask(&mut self, line: &str, limit: Duration) -> Result<String> {
        writeln!(self.stdin, "{line}")
            .and_then(|()| self.stdin.flush())
            .with_context(|| format!("{} takes no orders", self.name))?;
        self.line(limit)
    }

    fn line(&self, limit: Duration) -> Result<String> {
        let end = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("{} has ended; why stands above", self.name)
                }
                Err(RecvTimeoutError::Timeout) if signals::are_caught() => bail!("interrupted"),
                Err(RecvTimeoutError::Timeout) if Instant::now() >= end => {
                    bail!("{} said nothing for {} s", self.name, limit.as_secs())
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

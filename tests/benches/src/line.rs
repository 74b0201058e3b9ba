//! A client of the gateway's socket: one JSON object per line, unread until it is needed.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use patchbay_servers::Gateway;

use crate::gateway::SOCKET;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who is logged in.
pub struct Line {
    stream: BufReader<UnixStream>,
    text: String,
}

impl Line {
    /// Connects and logs in as NICOS's `admin`.
    pub fn login(gateway: &Gateway) -> Result<Self> {
        Self::login_at(&gateway.dir().join(SOCKET))
    }

    /// The same at this socket.
    pub fn login_at(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path)
            .with_context(|| format!("connecting to {}", path.display()))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut line = Self {
            stream: BufReader::with_capacity(1 << 16, stream),
            text: String::new(),
        };
        line.read()?;
        line.ask(r#"{"op":"login","args":{"user":"admin","secret":"admin"}}"#)?;
        Ok(line)
    }

    /// Asks, and reads until an answer comes; it has to be a good one.
    pub fn ask(&mut self, request: &str) -> Result<&str> {
        self.stream
            .get_mut()
            .write_all(format!("{request}\n").as_bytes())?;
        while self.read()?.starts_with(r#"{"event":"#) {}
        ensure!(
            !self.text.contains(r#""error":"#),
            "{request} was answered {}",
            self.text
        );
        Ok(&self.text)
    }

    /// As [`Line::ask`]; how long it took, in µs.
    pub fn time(&mut self, request: &str) -> Result<f64> {
        let begun = Instant::now();
        self.ask(request)?;
        Ok(begun.elapsed().as_secs_f64() * 1e6)
    }

    /// The next line.
    pub fn read(&mut self) -> Result<&str> {
        self.text.clear();
        if self
            .stream
            .read_line(&mut self.text)
            .context("reading from the gateway")?
            == 0
        {
            bail!("the gateway has closed a connection");
        }
        Ok(self.text.trim_end())
    }
}

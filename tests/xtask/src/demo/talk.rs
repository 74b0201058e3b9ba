//! A client of the gateway's socket, as short as it can be: lines of JSON.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// A connection.
pub struct Talk {
    stream: BufReader<UnixStream>,
    /// What has come of the next line.
    line: String,
    events: VecDeque<Value>,
    requests: u64,
}

impl Talk {
    /// Connects.
    pub fn to(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket)
            .with_context(|| format!("cannot connect to {}", socket.display()))?;
        Ok(Self {
            stream: BufReader::new(stream),
            line: String::new(),
            events: VecDeque::new(),
            requests: 0,
        })
    }

    /// Asks for something; the answer.
    pub fn ask(&mut self, op: &str, args: &Value) -> Result<Value> {
        self.requests += 1;
        let id = self.requests;
        let request = json!({"id": id, "op": op, "args": args});
        writeln!(self.stream.get_mut(), "{request}").context("the gateway takes nothing more")?;
        let end = Instant::now() + ANSWER_LIMIT;
        while let Some(mut message) = self.next(end)? {
            if message["id"] == json!(id) {
                if let Some(error) = message.get("error") {
                    bail!("`{op}` was refused: {}", error["message"]);
                }
                return Ok(message["ok"].take());
            }
            self.keep(message);
        }
        bail!("no answer to `{op}` within {} s", ANSWER_LIMIT.as_secs())
    }

    /// The next event, within so long.
    pub fn event(&mut self, within: Duration) -> Result<Option<Value>> {
        let end = Instant::now() + within;
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match self.next(end)? {
                Some(message) => self.keep(message),
                None => return Ok(None),
            }
        }
    }

    fn keep(&mut self, mut message: Value) {
        if let Some(event) = message.get_mut("event") {
            self.events.push_back(event.take());
        }
    }

    fn next(&mut self, end: Instant) -> Result<Option<Value>> {
        let left = end.saturating_duration_since(Instant::now());
        let limit = left.max(Duration::from_millis(1));
        self.stream.get_ref().set_read_timeout(Some(limit))?;
        match self.stream.read_line(&mut self.line) {
            Ok(0) => bail!("the gateway has closed the connection"),
            Ok(_) => {
                let line = std::mem::take(&mut self.line);
                Ok(Some(
                    serde_json::from_str(&line).context("the gateway says what is no JSON")?,
                ))
            }
            // What has come of a line is kept for the next time.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(None)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(error).context("reading from the gateway"),
        }
    }
}

//! Clients of the example, `examples/lines.py`.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail; not every test uses everything"
)]

use std::collections::VecDeque;
use std::path::Path;

use patchbay_testkit::conformance::{Client, Protocol, Told};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A configuration with the example, and the port at which it listens.
pub async fn example() -> (Value, Tags) {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/lines.py");
    let program = json!({"command": ["python3", program], "config": {"port": port}});
    (json!({ "program": program }), Tags(port))
}

/// The protocol of the example, at a port.
pub struct Tags(pub u16);

/// A client, with the events that came while it waited for an answer.
pub struct Reader {
    stream: BufReader<TcpStream>,
    events: VecDeque<Value>,
}

impl Protocol for Tags {
    type Client = Reader;

    async fn connect(&self) -> Result<Reader, String> {
        let stream = TcpStream::connect(("127.0.0.1", self.0))
            .await
            .map_err(said)?;
        Ok(Reader {
            stream: BufReader::new(stream),
            events: VecDeque::new(),
        })
    }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Reader {
    async fn write(&mut self, line: &str) -> Result<(), String> {
        self.stream
            .write_all(format!("{line}\n").as_bytes())
            .await
            .map_err(said)
    }

    /// The next line: its tag, its word and what is said.
    async fn line(&mut self) -> Result<(String, String, Value), String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.map_err(said)?;
        let mut parts = line.trim_end().splitn(3, ' ').map(str::to_owned);
        let mut part = || {
            parts
                .next()
                .ok_or_else(|| format!("no line of the protocol: {line:?}"))
        };
        let (tag, word, rest) = (part()?, part()?, part()?);
        Ok((tag, word, serde_json::from_str(&rest).map_err(said)?))
    }

    pub async fn ask(&mut self, words: &str) -> Result<Told, String> {
        self.write(&format!("0 {words}")).await?;
        Ok(self.answer().await?.1)
    }
}

impl Client for Reader {
    async fn login(&mut self, user: &str, password: &str) -> Result<Told, String> {
        let args = json!({"user": user, "secret": password});
        self.ask(&format!("login {args}")).await
    }

    async fn send(&mut self, tag: u64, op: &str, args: &Value) -> Result<(), String> {
        self.write(&format!("{tag} {op} {args}")).await
    }

    async fn answer(&mut self) -> Result<(u64, Told), String> {
        loop {
            let (tag, word, value) = self.line().await?;
            if tag == "*" {
                self.events.push_back(value);
                continue;
            }
            let told = match word.as_str() {
                "ok" => Ok(value),
                _ => Err(value.as_str().unwrap_or_default().to_owned()),
            };
            return Ok((tag.parse().map_err(said)?, told));
        }
    }

    async fn subscribe(&mut self) -> Result<bool, String> {
        self.ask("subscribe").await?.map(|_| true)
    }

    async fn event(&mut self) -> Result<Value, String> {
        while self.events.is_empty() {
            let (_, _, event) = self.line().await?;
            self.events.push_back(event);
        }
        Ok(self.events.pop_front().unwrap_or_default())
    }

    async fn babble(&mut self) -> Result<bool, String> {
        self.write("GET / HTTP/1.1\r\n\r\n\u{0}").await?;
        Ok(true)
    }
}

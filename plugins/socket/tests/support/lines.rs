//! The conformance suite's clients: those that write lines.

use patchbay_testkit::conformance::{Client, Protocol, Told};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::PathBuf;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// The way to a socket file.
pub struct Lines(pub PathBuf);

/// A client, with the events that came while it waited for an answer.
pub struct Reader {
    stream: BufReader<UnixStream>,
    events: VecDeque<Value>,
}

impl Protocol for Lines {
    type Client = Reader;

    async fn connect(&self) -> Result<Reader, String> {
        let stream = UnixStream::connect(&self.0)
            .await
            .map_err(|error| error.to_string())?;
        let events = VecDeque::new();
        let mut reader = Reader {
            stream: BufReader::new(stream),
            events,
        };
        let hello = reader.line().await?;
        match hello["hello"].is_object() {
            true => Ok(reader),
            false => Err(format!("no hello, but {hello}")),
        }
    }
}

impl Reader {
    async fn line(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).await;
        match read.map_err(|error| error.to_string())? {
            0 => Err("the connection has ended".to_owned()),
            _ => serde_json::from_str(&line).map_err(|error| format!("{error}: {line}")),
        }
    }

    async fn write(&mut self, text: String) -> Result<(), String> {
        let written = self.stream.write_all(text.as_bytes()).await;
        written.map_err(|error| error.to_string())
    }

    /// The next line that is no event.
    async fn said(&mut self) -> Result<Value, String> {
        loop {
            let line = self.line().await?;
            match line.get("event") {
                Some(event) => self.events.push_back(event["body"].clone()),
                None => return Ok(line),
            }
        }
    }
}

fn told(answer: &Value) -> Told {
    match answer.get("ok") {
        Some(value) => Ok(value.clone()),
        None => Err(answer["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()),
    }
}

impl Client for Reader {
    async fn login(&mut self, user: &str, password: &str) -> Result<Told, String> {
        self.write(format!(
            "{}\n",
            json!({"op": "login", "args": {"user": user, "secret": password}})
        ))
        .await?;
        Ok(told(&self.said().await?))
    }

    async fn send(&mut self, tag: u64, op: &str, args: &Value) -> Result<(), String> {
        self.write(format!("{}\n", json!({"id": tag, "op": op, "args": args})))
            .await?;
        Ok(())
    }

    async fn answer(&mut self) -> Result<(u64, Told), String> {
        let answer = self.said().await?;
        let tag = answer["id"]
            .as_u64()
            .ok_or_else(|| format!("no answer, but {answer}"))?;
        Ok((tag, told(&answer)))
    }

    async fn subscribe(&mut self) -> Result<bool, String> {
        self.write(format!("{}\n", json!({"op": "subscribe"})))
            .await?;
        told(&self.said().await?).map(|_| true)
    }

    async fn event(&mut self) -> Result<Value, String> {
        while self.events.is_empty() {
            let line = self.line().await?;
            self.events.push_back(line["event"]["body"].clone());
        }
        Ok(self.events.pop_front().unwrap_or_default())
    }

    async fn babble(&mut self) -> Result<bool, String> {
        self.write("GET / HTTP/1.1\r\n\r\n\u{0}".to_owned()).await?;
        Ok(true)
    }
}

//! The frontend keeps to what is demanded of any, before clients that write lines.

mod support;

use patchbay_socket::Socket;
use patchbay_testkit::Wire;
use patchbay_testkit::conformance::{self, Client, Protocol, Told};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use tokio::net::UnixStream;

/// The way to a socket file.
struct Lines(PathBuf);

/// A client, with the events that came while it waited for an answer.
struct Reader {
    client: support::Client,
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
            client: support::Client::of(stream),
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
        self.client
            .line()
            .await
            .ok_or_else(|| "the connection has ended".to_owned())
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
        self.client
            .send(json!({"op": "login", "args": {"user": user, "secret": password}}))
            .await;
        Ok(told(&self.said().await?))
    }

    async fn send(&mut self, tag: u64, op: &str, args: &Value) -> Result<(), String> {
        self.client
            .send(json!({"id": tag, "op": op, "args": args}))
            .await;
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
        self.client.send(json!({"op": "subscribe"})).await;
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
        self.client.send_text("GET / HTTP/1.1\r\n\r\n\u{0}").await;
        Ok(true)
    }
}

#[tokio::test]
async fn it_conforms_whichever_way_messages_cross() {
    for wire in [Wire::InProcess, Wire::Bytes] {
        let folder = tempfile::tempdir().unwrap();
        let path: &Path = &folder.path().join("s");
        let config = json!({ "unix": path });
        let suite = conformance::frontend::<Socket, _>(config, Lines(path.to_owned()));
        let report = suite.over(wire).run().await;
        report.assert();
    }
}

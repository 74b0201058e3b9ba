//! A client of the gateway's socket.

use crate::PATIENCE;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// A client that speaks JSON lines.
pub struct Lines {
    stream: BufReader<TcpStream>,
    /// Events that came before an answer.
    events: Vec<Value>,
}

impl Lines {
    /// A client that is logged in as NICOS's `admin`.
    pub fn login(address: &str) -> Lines {
        Lines::try_login(address).unwrap()
    }

    /// The same, if somebody listens there.
    pub fn try_login(address: &str) -> Option<Lines> {
        let mut client = Lines::of(TcpStream::connect(address).ok()?);
        let login = json!({"op": "login", "args": {"user": "admin", "secret": "admin"}});
        assert_eq!(client.ok(login)["role"], "admin");
        Some(client)
    }

    fn of(stream: TcpStream) -> Lines {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Lines {
            stream: BufReader::new(stream),
            events: Vec::new(),
        };
        assert_eq!(client.read()["hello"]["gateway"], "patchbay");
        client
    }

    /// The next line.
    pub fn read(&mut self) -> Value {
        self.read_if_any().expect("a line")
    }

    /// The next line; `None` when the connection is closed.
    pub fn read_if_any(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).unwrap() {
            0 => None,
            _ => Some(serde_json::from_str(&line).unwrap()),
        }
    }

    /// Sends a request without waiting for the answer.
    pub fn send(&mut self, request: &Value) {
        // In one piece: the system would hold back what comes in many until the first one is acknowledged.
        let line = format!("{request}\n");
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
    }

    /// Sends a request; the answer.
    pub fn ask(&mut self, request: &Value) -> Value {
        self.send(request);
        self.answer()
    }

    /// The next answer.
    pub fn answer(&mut self) -> Value {
        loop {
            let line = self.read();
            match line.get("event") {
                Some(event) => self.events.push(event.clone()),
                None => return line,
            }
        }
    }

    /// Sends a request that succeeds; what is said.
    pub fn ok(&mut self, request: Value) -> Value {
        let answer = self.ask(&request);
        assert!(answer.get("ok").is_some(), "{request}: {answer}");
        answer["ok"].clone()
    }

    /// The next event.
    pub fn event(&mut self) -> Value {
        match self.events.is_empty() {
            true => self.read()["event"].clone(),
            false => self.events.remove(0),
        }
    }

    /// The events of a job until it is finished.
    pub fn until_finished(&mut self, job: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let event = self.event();
            if event["job"] == job {
                seen.push(event.clone());
                if event["body"]["state"] == "finished" {
                    return seen;
                }
            }
        }
    }
}

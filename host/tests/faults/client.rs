//! A client that writes JSON lines.

use crate::PATIENCE;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    pub fn connect(socket: &Path) -> Client {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client {
            stream: BufReader::new(stream),
        };
        client.line();
        client
    }

    /// Somebody who is logged in.
    pub fn login(socket: &Path, user: &str) -> Client {
        let mut client = Client::connect(socket);
        let answer = client.try_login(user);
        assert!(answer["ok"].is_object(), "{answer}");
        client
    }

    pub fn try_login(&mut self, user: &str) -> Value {
        self.ask("login", json!({"user": user, "secret": "s"}))
    }

    pub fn eval(&mut self, deed: &str) -> Value {
        self.ask("eval", json!({ "code": deed }))
    }

    /// Asks, and takes the next line for the answer.
    pub fn ask(&mut self, op: &str, args: Value) -> Value {
        self.send(&json!({"op": op, "args": args}));
        self.line()
    }

    pub fn send(&mut self, request: &Value) {
        let line = format!("{request}\n");
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
    }

    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }
}

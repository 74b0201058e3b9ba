//! A gateway that says what a test tells it to.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// How long a test waits for anything before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where clients connect to.
pub struct Peer {
    listener: TcpListener,
}

/// One connection of a client.
pub struct Talk {
    input: BufReader<TcpStream>,
    output: TcpStream,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Request {
    pub args: Value,
    pub key: Option<String>,
    id: Value,
}

impl Peer {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Peer { listener }
    }

    pub fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// The next connection, as it comes.
    pub fn accept(&self) -> Talk {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let input = BufReader::new(stream.try_clone().unwrap());
        let output = stream;
        Talk { input, output }
    }

    /// Asserts that nobody has connected since.
    pub fn assert_alone(&self) {
        self.listener.set_nonblocking(true).unwrap();
        assert!(self.listener.accept().is_err(), "somebody has connected");
    }

    /// The next connection, greeted and logged in.
    pub fn welcome(&self) -> Talk {
        let mut talk = self.accept();
        talk.hello(1);
        let login = talk.expect("login");
        assert_eq!(login.args["secret"], "geheim");
        talk.ok(
            &login,
            &json!({"session": 1, "role": "user", "detail": null}),
        );
        talk
    }
}

impl Talk {
    pub fn hello(&mut self, protocol: u64) {
        self.line(&json!({"hello": {
            "gateway": "patchbay", "version": "9.9", "protocol": protocol, "frontend": "local"
        }}));
    }

    /// Writes anything at all.
    pub fn line(&mut self, line: &Value) {
        self.raw(&format!("{line}\n"));
    }

    pub fn raw(&mut self, text: &str) {
        self.output.write_all(text.as_bytes()).unwrap();
    }

    /// The next request, which must be this one.
    pub fn expect(&mut self, op: &str) -> Request {
        let mut line = String::new();
        self.input.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the client went away; `{op}` was to come");
        let mut request: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(request["op"], op, "{request}");
        Request {
            args: request["args"].take(),
            key: request["key"].as_str().map(String::from),
            id: request["id"].take(),
        }
    }

    pub fn ok(&mut self, request: &Request, answer: &Value) {
        self.line(&json!({"id": request.id, "ok": answer}));
    }

    pub fn refuse(&mut self, request: &Request, kind: &str, message: &str) {
        let error = json!({"kind": kind, "message": message, "retry": false});
        self.line(&json!({"id": request.id, "error": error}));
    }

    /// Takes the next request, which must be this one, and answers it.
    pub fn answer(&mut self, op: &str, answer: &Value) -> Request {
        let request = self.expect(op);
        self.ok(&request, answer);
        request
    }

    pub fn event(&mut self, seq: u64, kind: &str, job: &str, body: &Value) {
        self.line(&json!({"event": {
            "epoch": 7, "seq": seq, "time": 1.5, "kind": kind, "job": job, "body": body
        }}));
    }

    /// A message of a script.
    pub fn log(&mut self, seq: u64, job: &str, text: &str) {
        self.event(seq, "log", job, &message(seq, text));
    }

    /// What the server says of a job.
    pub fn job(&mut self, seq: u64, job: &str, state: &str) {
        self.event(seq, "job", job, &json!({"state": state}));
    }

    /// The end of a job.
    pub fn finished(&mut self, seq: u64, job: &str, outcome: &str) {
        let body = json!({"state": "finished", "outcome": outcome});
        self.event(seq, "job", job, &body);
    }

    /// Subscribes, takes a submit and says that it is job `a`; what it was.
    pub fn submitted(&mut self) -> Request {
        self.answer("subscribe", &json!({"epoch": 7, "seq": 10}));
        let submit = self.answer("submit", &json!({"job": "a"}));
        self.located();
        submit
    }

    /// The look at where the script is, which only people are shown.
    pub fn located(&mut self) {
        self.answer(
            "status",
            &json!({"link": "up", "run": "idle", "job": null, "queue": []}),
        );
    }
}

/// A message, whose time is made of its number.
pub fn message(number: u64, text: &str) -> Value {
    json!({"time": number, "level": "info", "logger": "nicos", "text": text})
}

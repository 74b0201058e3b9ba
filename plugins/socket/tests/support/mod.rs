//! The frontend on a socket file, with clients.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "not every test file uses all of this; a test that cannot go on must fail"
)]

pub mod lines;

use patchbay_sdk::{Event, EventKind, Fault, FaultKind};
use patchbay_socket::Socket;
use patchbay_testkit::{Asked, FrontendHost, PATIENCE, Wire};
use serde_json::{Value, json};
use std::sync::{Arc, Condvar, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// The frontend and its host. The script server answers with the operation and its arguments; `eval`, `exec`, `trace` and `abort` wait until
/// [`World::open`] lets them go on; the password is `good`.
pub struct World {
    pub host: FrontendHost,
    pub dir: tempfile::TempDir,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }
}

/// What the script server says, and how it waits.
fn answer(asked: &Asked, gate: &Gate) -> Result<Value, Fault> {
    match asked {
        Asked::Login { secret, .. } if secret == "good" => Ok(json!({"user_level": 20})),
        Asked::Login { .. } => Err(Fault::new(FaultKind::Unauthorized, "wrong password")),
        Asked::Call { op, args, .. } => {
            if ["eval", "exec", "trace", "abort"].contains(&op.as_str()) {
                gate.pass();
            }
            Ok(json!({"op": op, "args": args}))
        }
        Asked::Logout { .. } => Ok(Value::Null),
    }
}

impl World {
    /// With these further fields of its configuration.
    pub async fn new(config: Value) -> World {
        let dir = tempfile::tempdir().unwrap();
        let mut all = json!({"unix": dir.path().join("s")});
        let more = config.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(more);
        let gate = Arc::new(Gate::default());
        let of_host = gate.clone();
        let host =
            FrontendHost::start::<Socket>(all, Wire::Bytes, move |asked| answer(asked, &of_host));
        let host = host.await.unwrap();
        World { host, dir, gate }
    }

    /// Lets the calls that wait go on.
    pub fn open(&self) {
        self.opener()();
    }

    /// As [`World::open`], for when the world is not there any more.
    pub fn opener(&self) -> impl Fn() + use<> {
        let gate = self.gate.clone();
        move || {
            *gate.open.lock().unwrap() = true;
            gate.opened.notify_all();
        }
    }

    /// A client that has read nothing yet.
    pub async fn knock(&self) -> Client {
        let stream = UnixStream::connect(self.dir.path().join("s")).await;
        Client::of(stream.unwrap())
    }

    /// A client that has read `hello`.
    pub async fn connect(&self) -> Client {
        let mut client = self.knock().await;
        let hello = client.read().await;
        assert_eq!(hello["hello"]["protocol"], 1, "{hello}");
        client
    }

    /// A client that is logged in.
    pub async fn login(&self) -> Client {
        entered(self.connect().await).await
    }

    /// A client that is logged in, as soon as there is a place for it.
    pub async fn login_when_there_is_room(&self) -> Client {
        let welcome = async {
            loop {
                let mut client = self.knock().await;
                if client.read().await["hello"].is_object() {
                    return client;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        entered(timeout(PATIENCE, welcome).await.expect("a place")).await
    }

    /// A client that is logged in and gets events.
    pub async fn subscribe(&self) -> Client {
        let mut client = self.login().await;
        let answer = client.ask(json!({"op": "subscribe"})).await;
        assert!(answer["ok"]["epoch"].is_u64(), "{answer}");
        client
    }

    /// The backend tells a log line.
    pub fn log(&self, seq: u64, text: &str) {
        let event = Event::new(EventKind::Log, &json!({"text": text})).unwrap();
        self.host.event(seq, event);
    }

    /// The operations that were asked for, in their order.
    pub fn ops(&self) -> Vec<String> {
        let op = |asked| match asked {
            Asked::Call { op, .. } => Some(op),
            _ => None,
        };
        self.host.asked().into_iter().filter_map(op).collect()
    }

    /// Waits until that was asked of the host so often.
    pub async fn wait_for(&self, what: impl Fn(&Asked) -> bool, times: usize) {
        let seen = async {
            while self.host.asked().iter().filter(|asked| what(asked)).count() < times {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, seen).await.expect("the host is asked");
    }

    /// Waits until that operation was asked for so often.
    pub async fn wait_for_op(&self, name: &str, times: usize) {
        self.wait_for(
            |asked| matches!(asked, Asked::Call { op, .. } if op == name),
            times,
        )
        .await;
    }
}

/// That client, once it is logged in.
async fn entered(mut client: Client) -> Client {
    let answer = client.ask(login("good")).await;
    assert!(answer["ok"]["session"].is_u64(), "{answer}");
    client
}

/// A login as anna.
pub fn login(secret: &str) -> Value {
    json!({"op": "login", "args": {"user": "anna", "secret": secret}})
}

/// One connection.
pub struct Client {
    pub reading: BufReader<OwnedReadHalf>,
    pub writing: OwnedWriteHalf,
}

impl Client {
    pub fn of(stream: UnixStream) -> Client {
        let (reading, writing) = stream.into_split();
        Client {
            reading: BufReader::new(reading),
            writing,
        }
    }

    pub async fn send(&mut self, request: Value) {
        self.send_text(&format!("{request}\n")).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.writing.write_all(text.as_bytes()).await.unwrap();
    }

    /// The next line, `None` at the end.
    pub async fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.reading.read_line(&mut line)).await;
        match read.expect("a line within the time") {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(serde_json::from_str(&line).expect("a line is JSON")),
        }
    }

    pub async fn read(&mut self) -> Value {
        self.line().await.expect("the connection is open")
    }

    /// Sends and reads the next line.
    pub async fn ask(&mut self, request: Value) -> Value {
        self.send(request).await;
        self.read().await
    }

    /// The next event's text.
    pub async fn log(&mut self) -> (u64, String) {
        let line = self.read().await;
        let text = line["event"]["body"]["text"].as_str();
        let text = text.unwrap_or_else(|| panic!("a log line, not {line}"));
        (line["event"]["seq"].as_u64().unwrap(), text.to_owned())
    }

    /// What `bye` says, which has to be next and the last.
    pub async fn bye(&mut self) -> (String, String) {
        let line = self.read().await;
        let part = |name: &str| {
            line["bye"][name]
                .as_str()
                .unwrap_or_else(|| panic!("bye, not {line}"))
                .to_owned()
        };
        let said = (part("kind"), part("message"));
        assert_eq!(self.line().await, None);
        said
    }

    /// Reads everything up to the end.
    pub async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.reading.read_to_end(&mut rest)).await;
        drop(read.expect("an end within the time"));
        String::from_utf8(rest).unwrap()
    }
}

//! How a gateway ends: what it has taken is answered, what still comes is told.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_testkit::build;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = r#"
[gateway]
plugin_path = ["."]
shutdown_deadline_s = @DEADLINE@
[[backend]]
id = "rogue"
plugin = "rogue"
[[frontend]]
id = "local"
plugin = "socket"
backend = "rogue"
[frontend.config]
unix = "@DIR@/clients.sock"
"#;

struct Gateway {
    process: Child,
    folder: tempfile::TempDir,
}

impl Gateway {
    fn start(deadline_s: u32) -> Gateway {
        let folder = tempfile::tempdir().unwrap();
        for name in ["rogue", "socket"] {
            let copy = folder.path().join(build::file_name(name));
            std::fs::copy(build::plugin(name), copy).unwrap();
        }
        let config = CONFIG
            .replace("@DEADLINE@", &deadline_s.to_string())
            .replace("@DIR@", folder.path().to_str().unwrap());
        std::fs::write(folder.path().join("patchbay.toml"), config).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .arg("run")
            .arg(folder.path().join("patchbay.toml"))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        Gateway { process, folder }
    }

    fn wait<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(Instant::now() < end, "in vain: {what}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// How many requests are under way at the backend.
    fn under_way(&self) -> Option<u64> {
        let output = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(["sessions", "--json"])
            .arg(self.folder.path().join("patchbay.toml"))
            .output()
            .unwrap();
        let said: Value = serde_json::from_slice(&output.stdout).ok()?;
        let sessions = said["sessions"].as_array()?;
        sessions.iter().map(|one| one["in_flight"].as_u64()).sum()
    }

    fn client(&self) -> Client {
        let path = self.folder.path().join("clients.sock");
        let stream = self.wait("a socket", || UnixStream::connect(&path).ok());
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client(BufReader::new(stream));
        assert!(client.read()["hello"].is_object());
        client.send(json!({"op": "login", "args": {"user": "admin", "secret": "s"}}));
        let answer = client.read();
        assert!(answer["ok"].is_object(), "{answer}");
        client
    }

    fn terminate(&self) {
        let process = Pid::from_child(&self.process);
        kill_process(process, Signal::TERM).unwrap();
    }

    /// Its exit status, and its log.
    fn end(mut self) -> (Option<i32>, String) {
        let status = self.process.wait().unwrap().code();
        let log = std::fs::read_to_string(self.folder.path().join("log"));
        (status, log.unwrap())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Client(BufReader<UnixStream>);

impl Client {
    fn send(&mut self, request: Value) {
        let line = format!("{request}\n");
        self.0.get_mut().write_all(line.as_bytes()).unwrap();
    }

    fn eval(&mut self, id: u64, code: &str) {
        self.send(json!({"id": id, "op": "eval", "args": {"code": code}}));
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no answer: {line:?}"))
    }
}

#[test]
fn what_was_taken_is_answered_and_what_comes_later_is_told() {
    let gateway = Gateway::start(60);
    let mut busy = gateway.client();
    let mut idle = gateway.client();
    busy.eval(1, "sleep 3000");
    gateway.wait("the request is under way", || {
        (gateway.under_way()? == 1).then_some(())
    });
    gateway.terminate();
    // It has noticed: from now on nothing is taken.
    assert_eq!(idle.read()["bye"]["kind"], "shutting-down");
    busy.eval(2, "sleep 0");
    let refused = busy.read();
    assert_eq!(refused["id"], 2, "{refused}");
    assert_eq!(refused["error"]["kind"], "shutting-down", "{refused}");
    assert_eq!(refused["error"]["retry"], true, "{refused}");
    let answered = busy.read();
    assert_eq!(answered["id"], 1, "{answered}");
    assert!(answered.get("ok").is_some(), "{answered}");
    assert_eq!(busy.read()["bye"]["kind"], "shutting-down");
    let (status, log) = gateway.end();
    assert_eq!(status, Some(0), "{log}");
}

#[test]
fn what_is_never_answered_is_given_up_in_time_and_its_client_told() {
    let gateway = Gateway::start(4);
    let mut client = gateway.client();
    client.eval(1, "hang");
    gateway.wait("the request is under way", || {
        (gateway.under_way()? == 1).then_some(())
    });
    gateway.terminate();
    assert_eq!(client.read()["bye"]["kind"], "shutting-down");
    drop(client);
    let (status, log) = gateway.end();
    assert!(
        log.contains("1 requests of a client were not answered"),
        "{log}"
    );
    assert_eq!(status, Some(0), "{log}");
}

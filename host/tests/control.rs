//! What an operator says to a gateway that runs, and what its clients notice of it.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_testkit::build;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

const CONFIG: &str = r#"
[gateway]
name = "here"
plugin_path = ["."]
[[backend]]
id = "one"
plugin = "echo"
config = { role = "user" }
[[backend]]
id = "two"
plugin = "echo"
[[frontend]]
id = "local"
plugin = "socket"
backend = "one"
[frontend.config]
unix = "@SOCKET@"
"#;

/// A gateway with two backends; it ends when it is dropped.
struct Gateway {
    process: Child,
    folder: tempfile::TempDir,
}

impl Gateway {
    fn start() -> Gateway {
        let folder = tempfile::tempdir().unwrap();
        for name in ["echo", "socket"] {
            let file = build::plugin(name);
            std::fs::copy(&file, folder.path().join(build::file_name(name))).unwrap();
        }
        let socket = folder.path().join("clients.sock");
        let config = CONFIG.replace("@SOCKET@", socket.to_str().unwrap());
        std::fs::write(folder.path().join("patchbay.toml"), config).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(["run", folder.path().join("patchbay.toml").to_str().unwrap()])
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let gateway = Gateway { process, folder };
        gateway.wait("all instances run", |gateway| {
            let status = gateway.say(&["status", "--json"]).ok()?;
            let status: Value = serde_json::from_str(&status).unwrap();
            let instances = status["status"]["instances"].as_array()?.clone();
            let all = instances.iter().all(|one| one["phase"] == "running");
            all.then_some(())
        });
        gateway
    }

    /// Runs `patchbay` with these words and this gateway's file: what it prints, or complains of.
    fn say(&self, words: &[&str]) -> Result<String, String> {
        let output = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(words)
            .arg(self.folder.path().join("patchbay.toml"))
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        match output.status.success() {
            true => Ok(text(output.stdout)),
            false => Err(text(output.stderr)),
        }
    }

    fn wait<T>(&self, what: &str, look: impl Fn(&Gateway) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(Instant::now() < end, "in vain: {what}\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("clients.sock")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client that is logged in.
struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    fn login(socket: &std::path::Path) -> Client {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client {
            stream: BufReader::new(stream),
        };
        client.line();
        let login = json!({"op": "login", "args": {"user": "anna", "secret": "s"}});
        assert_eq!(client.ask(&login)["ok"]["role"], "user");
        client
    }

    fn ask(&mut self, request: &Value) -> Value {
        let line = format!("{request}\n");
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
        self.line()
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

#[test]
fn an_operator_sees_everything_and_leads_clients_to_another_backend() {
    let gateway = Gateway::start();
    let mut client = Client::login(&gateway.socket());
    let shown = gateway.say(&["status"]).unwrap();
    for part in [
        "here, version ",
        "local → one",
        "echo",
        "running",
        "CLIENTS",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let sessions = gateway.say(&["sessions"]).unwrap();
    assert!(
        sessions.contains("anna") && sessions.contains("user"),
        "{sessions}"
    );

    let said = gateway.say(&["route", "local", "two"]).unwrap();
    assert!(said.contains("local leads to two now"), "{said}");
    let answer = client.ask(&json!({"op": "status", "args": {"n": 1}}));
    assert_eq!(answer, json!({"ok": {"n": 1}}));
    let sessions = gateway.say(&["sessions", "--json"]).unwrap();
    let sessions: Value = serde_json::from_str(&sessions).unwrap();
    assert_eq!(sessions["sessions"][0]["backend"], "two");
    // The second lets everybody do everything; who they are is still for the first to say.
    let answer = client.ask(&json!({"op": "native", "args": {"method": "x"}}));
    assert_eq!(answer["error"]["kind"], "forbidden");

    let why = gateway.say(&["route", "local", "three"]).unwrap_err();
    assert_eq!(
        why,
        "error: there is no backend `three`; there are: one, two\n"
    );
}

#[test]
fn a_restarted_instance_costs_no_login() {
    let gateway = Gateway::start();
    let mut client = Client::login(&gateway.socket());
    gateway.say(&["restart", "one"]).unwrap();
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = client.ask(&json!({"op": "status", "args": {}}));
        if answer["ok"].is_object() {
            break;
        }
        assert_eq!(answer["error"]["retry"], true, "{answer}");
        assert!(Instant::now() < end);
    }
    let status = gateway.say(&["status"]).unwrap();
    assert!(!status.contains("quarantined"), "{status}");
}

#[test]
fn the_socket_is_its_users_own_and_a_gateway_that_is_not_there_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let gateway = Gateway::start();
    let file = gateway.folder.path().join("state/control.sock");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("other.toml");
    std::fs::write(&config, "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .args(["status", config.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("no gateway runs here"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

/// Fifty clients ask all the time while their frontend is led to and fro a hundred times.
#[test]
fn under_load_a_hundred_switches_cost_nobody_an_answer() {
    let gateway = Gateway::start();
    let stop = Arc::new(AtomicBool::new(false));
    let socket = gateway.socket();
    let clients: Vec<_> = (0..50)
        .map(|number| {
            let (socket, stop) = (socket.clone(), stop.clone());
            std::thread::spawn(move || {
                let mut client = Client::login(&socket);
                let mut asked = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    asked += 1;
                    let args = json!({"client": number, "n": asked});
                    let answer = client.ask(&json!({"op": "status", "args": args, "id": asked}));
                    assert_eq!(answer, json!({"id": asked, "ok": args}));
                }
                asked
            })
        })
        .collect();
    for round in 0..100 {
        let to = ["two", "one"][round % 2];
        gateway.say(&["route", "local", to]).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let asked: u64 = clients
        .into_iter()
        .map(|client| client.join().unwrap())
        .sum();
    assert!(asked > 500, "only {asked} requests were sent meanwhile");
}

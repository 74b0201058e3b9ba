//! A gateway that runs as a process of its own, what operators say to it, and clients of it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail; not every test uses everything"
)]

use patchbay_testkit::build;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway; it ends when it is dropped.
pub struct Gateway {
    pub process: Child,
    pub folder: tempfile::TempDir,
}

impl Gateway {
    /// Runs with these plugins and this configuration, in which `@SOCKET@` is where its clients come in.
    pub fn start(plugins: &[&str], config: &str) -> Gateway {
        let files: Vec<PathBuf> = plugins.iter().map(|name| build::plugin(name)).collect();
        Gateway::start_with(&files, config)
    }

    /// As [`Gateway::start`], with plugins that may have been built elsewhere.
    pub fn start_with(plugins: &[PathBuf], config: &str) -> Gateway {
        let folder = tempfile::tempdir().unwrap();
        for file in plugins {
            std::fs::copy(file, folder.path().join(file.file_name().unwrap())).unwrap();
        }
        write_config(folder.path(), config);
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(["run", folder.path().join("patchbay.toml").to_str().unwrap()])
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let gateway = Gateway { process, folder };
        gateway.wait("all instances run", |gateway| {
            let all = |instances: Vec<Value>| instances.iter().all(|one| one["phase"] == "running");
            gateway.instances().map(all)?.then_some(())
        });
        gateway
    }

    /// Its instances, as `patchbay status` says.
    pub fn instances(&self) -> Option<Vec<Value>> {
        let status = self.say(&["status", "--json"]).ok()?;
        let status: Value = serde_json::from_str(&status).unwrap();
        status["status"]["instances"].as_array().cloned()
    }

    /// Another text for its configuration file; nobody has read it yet.
    pub fn configure(&self, config: &str) {
        write_config(self.folder.path(), config);
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Runs `patchbay` with these words and this gateway's file: what it prints, or complains of.
    pub fn say(&self, words: &[&str]) -> Result<String, String> {
        let output = self.output(words);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        match output.status.success() {
            true => Ok(text(output.stdout)),
            false => Err(text(output.stderr)),
        }
    }

    /// All that comes of `patchbay` with these words and this gateway's file.
    pub fn output(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(words)
            .arg(self.folder.path().join("patchbay.toml"))
            .output()
            .unwrap()
    }

    pub fn wait<T>(&self, what: &str, look: impl Fn(&Gateway) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < end, "in vain: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Puts another build of the rogue in place of its file, as an installation does.
    pub fn install_rogue(&self, number: usize) {
        let file = self.folder.path().join(build::file_name("rogue"));
        let beside = self.folder.path().join("new");
        std::fs::write(&beside, rogue(number)).unwrap();
        std::fs::rename(&beside, &file).unwrap();
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("clients.sock")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Another build of the rogue: the same but for the number that it says it has.
pub fn rogue(number: usize) -> Vec<u8> {
    let mut bytes = std::fs::read(build::plugin("rogue")).unwrap();
    let (old, new) = (b"build 0000", format!("build {number:04}"));
    let places: Vec<usize> = (0..bytes.len() - old.len())
        .filter(|at| bytes[*at..].starts_with(old))
        .collect();
    assert!(!places.is_empty(), "the rogue says its build");
    for at in places {
        bytes[at..at + old.len()].copy_from_slice(new.as_bytes());
    }
    bytes
}

fn write_config(folder: &Path, config: &str) {
    let socket = folder.join("clients.sock");
    let config = config.replace("@SOCKET@", socket.to_str().unwrap());
    std::fs::write(folder.join("patchbay.toml"), config).unwrap();
}

/// A client that is logged in.
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// As anna, whom an echo of these tests makes a user.
    pub fn login(socket: &Path) -> Client {
        Client::login_as(socket, "anna")
    }

    /// As somebody who becomes a user.
    pub fn login_as(socket: &Path, user: &str) -> Client {
        Client::login_with(socket, user, "s")
    }

    /// As somebody whose password is checked, and who becomes a user.
    pub fn login_with(socket: &Path, user: &str, secret: &str) -> Client {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client {
            stream: BufReader::new(stream),
        };
        client.line();
        let login = json!({"op": "login", "args": {"user": user, "secret": secret}});
        assert_eq!(client.ask(&login)["ok"]["role"], "user");
        client
    }

    pub fn ask(&mut self, request: &Value) -> Value {
        self.send(request);
        self.line()
    }

    pub fn send(&mut self, request: &Value) {
        let line = format!("{request}\n");
        self.stream.get_mut().write_all(line.as_bytes()).unwrap();
    }

    /// Whether the gateway has hung up on it.
    pub fn is_at_end(&mut self) -> bool {
        let mut line = String::new();
        matches!(self.stream.read_line(&mut line), Ok(0) | Err(_)) || self.is_at_end()
    }

    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

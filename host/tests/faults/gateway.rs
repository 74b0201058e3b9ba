//! A gateway in which a rogue lives beside a healthy backend, each with a frontend of its own.

use crate::client::Client;
use crate::crowd::Crowd;
use crate::{PATIENCE, wait};
use patchbay_testkit::build;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

const CONFIG: &str = r#"
[gateway]
plugin_path = ["."]
log_format = "json"
max_body_bytes = 100000
restart_backoff_min_ms = 10
restart_backoff_max_ms = 50
@GATEWAY@
[[backend]]
id = "echo"
plugin = "echo"
[[backend]]
id = "rogue"
plugin = "rogue"
config = { @ROGUE@ }
[[frontend]]
id = "good"
plugin = "socket"
backend = "echo"
config = { unix = "@FOLDER@/good.sock" }
[[frontend]]
id = "bad"
plugin = "socket"
backend = "rogue"
config = { unix = "@FOLDER@/bad.sock" }
"#;

/// In place of the rogue's configuration: a rogue that does nothing, and beside it a door that does this.
pub fn rogue_door(does: &str) -> String {
    format!(
        "}}\n[[frontend]]\nid = \"door\"\nplugin = \"rogue-door\"\nbackend = \"echo\"\nconfig = {{ {does} "
    )
}

/// The same, of an instance in a process of its own; for what comes last in the configuration.
pub fn isolated(does: &str) -> String {
    format!("{does} }}\nisolation = \"process\"\n# {{")
}

/// It ends when it is dropped.
pub struct Gateway {
    process: Child,
    folder: tempfile::TempDir,
}

/// How it has ended.
pub struct End {
    pub exit: Option<i32>,
    pub log: String,
}

impl Gateway {
    /// With these lines in `[gateway]`, and this as the rogue's configuration; the frontends and the healthy backend run.
    pub fn start(gateway: &str, rogue: &str) -> Gateway {
        let folder = tempfile::tempdir().unwrap();
        for name in ["echo", "rogue", "rogue-door", "socket"] {
            let file = build::plugin(name);
            std::fs::copy(&file, folder.path().join(build::file_name(name))).unwrap();
        }
        let config = CONFIG
            .replace("@GATEWAY@", gateway)
            .replace("@ROGUE@", rogue)
            .replace("@FOLDER@", folder.path().to_str().unwrap());
        std::fs::write(folder.path().join("patchbay.toml"), config).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(["run", folder.path().join("patchbay.toml").to_str().unwrap()])
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let gateway = Gateway { process, folder };
        for id in ["echo", "good", "bad"] {
            gateway.wait_for(id, |instance| instance["phase"] == "running");
        }
        gateway
    }

    /// With a rogue that runs, and a crowd at the other backend.
    pub fn crowded(gateway: &str, rogue: &str) -> (Gateway, Crowd) {
        let gateway = Gateway::start(gateway, rogue);
        gateway.wait_for("rogue", |rogue| rogue["phase"] == "running");
        let crowd = Crowd::gather(&gateway.good());
        (gateway, crowd)
    }

    pub fn good(&self) -> PathBuf {
        self.folder.path().join("good.sock")
    }

    pub fn bad(&self) -> PathBuf {
        self.folder.path().join("bad.sock")
    }

    /// Somebody who is logged in at the rogue.
    pub fn victim(&self) -> Client {
        Client::login(&self.bad(), "admin")
    }

    /// Runs `patchbay` with these words and this gateway's file.
    pub fn say(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
        let file = self.folder.path().join("patchbay.toml");
        command.args(words).arg(file).output().unwrap()
    }

    pub fn status(&self) -> Option<Value> {
        let output = self.say(&["status", "--json"]);
        let status: Value = serde_json::from_slice(&output.stdout).ok()?;
        Some(status["status"].clone())
    }

    /// What `patchbay status` says of an instance.
    pub fn instance(&self, id: &str) -> Option<Value> {
        let status = self.status()?;
        let mut instances = status["instances"].as_array()?.iter();
        instances.find(|instance| instance["id"] == id).cloned()
    }

    /// Waits until it says so of an instance.
    pub fn wait_for(&self, id: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut last = None;
        let end = Instant::now() + PATIENCE;
        loop {
            last = self.instance(id).or(last);
            if let Some(instance) = last.as_ref().filter(|instance| fits(instance)) {
                return instance.clone();
            }
            let late = || panic!("in vain: {last:?}\n{}", self.log());
            if Instant::now() > end {
                late()
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Ends it as nobody should.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Ends it as a service manager does.
    pub fn end(mut self) -> End {
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM).unwrap();
        let status = wait("the gateway ends", || self.process.try_wait().unwrap());
        End {
            exit: status.code(),
            log: self.log(),
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl End {
    /// It ended so, having counted at least once each of these.
    #[track_caller]
    pub fn was(&self, exit: i32, counted: &[&str]) {
        assert_eq!(self.exit, Some(exit), "{}", self.tail());
        let ended = self
            .log
            .lines()
            .rev()
            .find(|line| line.contains("\"ended\""));
        let ended = ended.unwrap_or_default();
        for counter in counted {
            let found = ended
                .split([' ', '"'])
                .any(|word| word.split('=').next() == Some(counter));
            assert!(found, "{counter}: {ended}");
        }
    }

    /// The end of the log.
    fn tail(&self) -> String {
        let lines: Vec<&str> = self.log.lines().rev().take(40).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

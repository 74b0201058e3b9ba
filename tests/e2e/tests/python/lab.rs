//! A gateway that runs scripts itself, and somebody who works with it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use patchbay_e2e::{gateway, wait_until};
use patchbay_servers::{Gateway, silent};
use patchbay_testkit::build;
use serde_json::Value;

/// A laboratory: a gateway, and the folder of somebody who works there.
pub struct Lab {
    pub gateway: Gateway,
    home: tempfile::TempDir,
}

/// What a client said when it had ended.
#[derive(Debug)]
pub struct Called {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Starts the gateway with a small file system of its own over the backend's folder.
const SMALL: &str = r#"#!/bin/sh
exec unshare --user --map-root-user --mount sh -c '
    mkdir -p python && mount -t tmpfs -o size=4m,mode=700 none python && exec "@GATEWAY@" "$@"' sh "$@"
"#;

impl Lab {
    pub fn start() -> Lab {
        Lab::with(|config| gateway(config, &["python", "socket"]))
    }

    /// One whose queue has little room on disk.
    pub fn start_small() -> Lab {
        let mut lab = Lab::start();
        lab.gateway.stop();
        let binary = lab.file("small-gateway");
        let real = build::folder().join("patchbay");
        std::fs::write(&binary, SMALL.replace("@GATEWAY@", real.to_str().unwrap())).unwrap();
        std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
        let Lab { home, .. } = lab;
        let config = CONFIG.replace("@HOME@", home.path().to_str().unwrap());
        let options = Gateway::options(&binary, &build::folder(), &config);
        let gateway = options.start(&silent).unwrap();
        Lab { gateway, home }
    }

    fn with(start: impl FnOnce(&str) -> Gateway) -> Lab {
        let home = tempfile::tempdir().unwrap();
        let gateway = start(&CONFIG.replace("@HOME@", home.path().to_str().unwrap()));
        std::fs::write(home.path().join("password"), "any\n").unwrap();
        Lab { gateway, home }
    }

    /// The backend's folder, as the gateway sees it itself.
    pub fn folder(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.gateway.pid()));
        root.join(self.gateway.dir().strip_prefix("/").unwrap())
            .join("python")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    /// What scripts have written; nothing if they have not.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    pub fn call(&self, words: &[&str]) -> Child {
        let socket = self.gateway.dir().join("lab.sock");
        let mut command = Command::new(build::folder().join("patchbay"));
        command
            .current_dir(self.home.path())
            .args(["client", "--connect", &format!("unix:{}", socket.display())])
            .args(words)
            .env("PATCHBAY_USER", "anna")
            .env("PATCHBAY_PASSWORD_FILE", "password")
            .env("XDG_CONFIG_HOME", self.home.path())
            .env("XDG_STATE_HOME", self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    pub fn client(&self, words: &[&str]) -> Called {
        ended(self.call(words))
    }

    /// What the client says when it is asked for JSON.
    pub fn json(&self, words: &[&str]) -> Value {
        let called = self.client(&[&["--json"], words].concat());
        let line = called.out.lines().next().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {called:?}"))
    }

    pub fn status(&self) -> Value {
        self.json(&["status"])["ok"].clone()
    }

    /// Queues a script; its job's id.
    pub fn queue(&self, name: &str) -> String {
        let called = self.client(&["submit", "--queue", name]).ended(0);
        called.out.trim().to_owned()
    }

    pub fn state(&self, job: &str) -> String {
        let answer = self.json(&["call", "job", &format!(r#"{{"job":"{job}"}}"#)]);
        answer["ok"]["state"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub fn wait_for_state(&self, job: &str, state: &str) {
        wait_until(state, || (self.state(job) == state).then_some(()));
    }
}

impl Called {
    pub fn ended(self, status: i32) -> Called {
        assert_eq!(self.status, Some(status), "{self:#?}");
        self
    }
}

pub fn ended(client: Child) -> Called {
    let output = client.wait_with_output().unwrap();
    Called {
        status: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn is_alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

const CONFIG: &str = r#"
[gateway]
plugin_path = ["@PLUGINS@"]
log_level = "debug"

[[backend]]
id = "python"
plugin = "python"
[backend.config]
folder = "@DIR@/python"
work_folder = "@HOME@/work"
anyone = "user"

[[frontend]]
id = "lab"
plugin = "socket"
backend = "python"
[frontend.config]
unix = "@DIR@/lab.sock"
"#;

//! `patchbay status` for machines: the form of its JSON, and its exit status.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_testkit::build;
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway whose second backend starts as it is told to.
struct Gateway {
    process: Child,
    folder: tempfile::TempDir,
}

impl Gateway {
    fn start(start: &str) -> Gateway {
        let folder = tempfile::tempdir().unwrap();
        for name in ["echo", "rogue", "socket"] {
            let file = build::plugin(name);
            std::fs::copy(&file, folder.path().join(build::file_name(name))).unwrap();
        }
        let config = CONFIG
            .replace("@START@", start)
            .replace("@FOLDER@", folder.path().to_str().unwrap());
        std::fs::write(folder.path().join("patchbay.toml"), config).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_patchbay"))
            .args(["run", folder.path().join("patchbay.toml").to_str().unwrap()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Gateway { process, folder }
    }

    fn status(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
        let file = self.folder.path().join("patchbay.toml");
        command
            .arg("status")
            .args(words)
            .arg(file)
            .output()
            .unwrap()
    }

    /// Waits until the exit status is that one; what is printed then.
    fn wait(&self, words: &[&str], exit: i32) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let output = self.status(words);
            let text = String::from_utf8(output.stdout).unwrap();
            if output.status.code() == Some(exit) {
                return text;
            }
            assert!(Instant::now() < end, "{:?}: {text}", output.status);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const CONFIG: &str = r#"
[gateway]
plugin_path = ["."]
restart_max = 0
[[backend]]
id = "echo"
plugin = "echo"
[[backend]]
id = "rogue"
plugin = "rogue"
config = { start = "@START@" }
[[frontend]]
id = "local"
plugin = "socket"
backend = "echo"
config = { unix = "@FOLDER@/clients.sock" }
"#;

fn keys(value: &Value) -> Vec<String> {
    let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    keys
}

#[test]
fn a_script_learns_by_the_exit_status_whether_all_is_well() {
    let well = Gateway::start("well");
    let shown = well.wait(&[], 0);
    assert!(shown.ends_with("\nall is well\n"), "{shown}");

    let unwell = Gateway::start("fail");
    let shown = unwell.wait(&[], 5);
    assert!(shown.contains("not all is well:"), "{shown}");
    drop(unwell);

    let nobody = tempfile::tempdir().unwrap();
    let file = nobody.path().join("patchbay.toml");
    std::fs::write(&file, "").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
    let output = command.arg("status").arg(file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_is_printed_for_machines_is_what_the_page_promises() {
    let gateway = Gateway::start("fail");
    // It fails once and is quarantined, as it may not be started anew.
    let status = loop {
        let text = gateway.wait(&["--json"], 5);
        let whole: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(keys(&whole), ["status"]);
        let status = whole["status"].clone();
        if status["instances"][1]["phase"] == "quarantined"
            && status["instances"][2]["phase"] == "running"
        {
            break status;
        }
    };
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let page = std::fs::read_to_string(page).unwrap();
    let promised = |table: &str| {
        let rows = page.split(table).nth(1).unwrap().lines().skip(1);
        let rows = rows.skip_while(|row| !row.starts_with('|'));
        let rows = rows.take_while(|row| row.starts_with('|')).skip(2);
        let names = rows.map(|row| row.split('`').nth(1).unwrap().to_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    assert_eq!(keys(&status), promised("<!-- status -->"));
    let rogue = &status["instances"][1];
    assert_eq!(keys(rogue), promised("<!-- instances -->"));
    assert_eq!(rogue["health"], "down");
    assert_eq!(rogue["reason"], "start fails on request");
    assert_eq!(
        (&rogue["failures"], &rogue["starts_in_s"]),
        (&1.into(), &Value::Null)
    );
    let local = &status["instances"][2];
    assert_eq!(
        (&local["role"], &local["to"]),
        (&"frontend".into(), &"echo".into())
    );
}

/// On a terminal the page stands still and Ctrl-C ends it; elsewhere pages follow each other, until nobody reads.
#[test]
fn watching_goes_on_while_the_gateway_is_away_and_ends_when_nobody_looks() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("patchbay.toml");
    std::fs::write(&file, "").unwrap();
    let mut watcher = Command::new(env!("CARGO_BIN_EXE_patchbay"))
        .args(["status", "--watch", file.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watcher.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let line = lines.next().unwrap().unwrap();
        assert!(line.starts_with("error: no gateway runs here"), "{line}");
    }
    drop(lines);
    assert_eq!(watcher.wait().unwrap().code(), Some(0));
}

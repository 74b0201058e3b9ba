//! A program of these tests, behind the plugin, behind a host that is the test.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail; not every test uses everything"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use patchbay_abi::{Fault, Kind, head};
use patchbay_process::Process;
use patchbay_testkit::{BackendHost, TestSession, Wire};
use serde_json::{Value, json};

pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.join(name).to_str().unwrap().to_owned()
}

/// A configuration: for everybody, the program of these tests; with more of the program's settings, and its own.
pub fn config(more: Value, own: Value) -> Value {
    let mut program =
        json!({ "command": ["python3", file("tests/support/child.py")], "config": own });
    for (name, value) in more.as_object().unwrap() {
        program[name] = value.clone();
    }
    json!({ "program": program, "anyone": "admin" })
}

pub async fn start(config: Value) -> Result<BackendHost, Fault> {
    BackendHost::start::<Process>(config, Wire::Bytes).await
}

/// A host whose program is configured so.
pub async fn host(more: Value, own: Value) -> BackendHost {
    start(config(more, own)).await.unwrap()
}

/// A host whose program checks passwords, and is configured so.
pub async fn with_passwords(own: Value) -> BackendHost {
    let mut config = config(json!({}), own);
    config.as_object_mut().unwrap().remove("anyone");
    config["passwords"] = json!(true);
    start(config).await.unwrap()
}

/// What a start fails with.
pub async fn failed_start(more: Value, own: Value) -> Fault {
    start(config(more, own)).await.err().unwrap()
}

/// Lets the program do something, and gives its answer.
pub async fn eval(session: &TestSession<'_>, code: &str) -> Result<Value, Fault> {
    session.call("eval", json!({ "code": code })).await
}

/// What the instance fails with.
pub async fn failure(host: &BackendHost) -> Fault {
    let failed = host.next_of(&[Kind::FAILED]).await;
    failed.read_head().unwrap()
}

/// Waits for a line of the log.
pub async fn logged(host: &BackendHost, what: &str) -> head::Log {
    loop {
        let line = host.next_of(&[Kind::LOG]).await;
        let line: head::Log = line.read_head().unwrap();
        let said = format!("{} {:?}", line.message, line.fields);
        if said.contains(what) {
            return line;
        }
    }
}

/// Waits until a process is gone.
pub fn ends(pid: &Value) {
    let stat = format!("/proc/{pid}/stat");
    let begun = Instant::now();
    // One that nobody has reaped yet is gone as well.
    while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(begun.elapsed() < PATIENCE, "process {pid} lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

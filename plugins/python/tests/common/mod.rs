//! A Python backend under test, with the machine's own Python.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail; not every test uses all of this"
)]

use std::time::{Duration, Instant};

use patchbay_python::Python;
use patchbay_sdk::Fault;
use patchbay_testkit::{BackendHost, TestSession, Wire};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything is waited for that has to happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A backend and its folder.
pub struct Shop {
    pub host: BackendHost,
    pub folder: TempDir,
}

impl Shop {
    /// Starts one for everybody, with more configuration.
    pub async fn with(more: Value) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let host = start(&folder, more).await.unwrap();
        Shop { host, folder }
    }

    pub async fn start() -> Shop {
        Shop::with(json!({})).await
    }

    /// Stops it and starts it anew in the same folder.
    pub async fn restart(self, more: Value) -> Shop {
        let Shop { host, folder } = self;
        host.stop().await;
        let host = start(&folder, more).await.unwrap();
        Shop { host, folder }
    }

    /// Somebody who is logged in, with a worker that is ready.
    pub async fn login(&self) -> Client<'_> {
        let client = self.login_as("anna").await;
        client
            .until("a worker", |status| status["link"] == "up")
            .await;
        client
    }

    pub async fn login_as(&self, user: &str) -> Client<'_> {
        Client(self.host.login(user, "").await.unwrap())
    }

    /// The next event of a job with this state.
    pub async fn job_event(&self, job: &str, state: &str) -> Value {
        loop {
            let (of, body) = self.host.next_event("job").await;
            if of.as_deref() == Some(job) && body["state"] == state {
                return body;
            }
        }
    }

    /// Follows events until the job has ended: its outcome and what it printed, each with its level.
    pub async fn follow(&self, job: &str) -> (Value, Vec<(String, String)>) {
        let mut lines = Vec::new();
        loop {
            let (kind, of, body) = self.next_any().await;
            if of.as_deref() != Some(job) {
                continue;
            }
            match kind.as_str() {
                "log" if body["level"] != "input" => {
                    let text = |field: &str| body[field].as_str().unwrap().to_owned();
                    lines.push((text("level"), text("text")));
                }
                "job" if body["state"] == "finished" => return (body, lines),
                _ => {}
            }
        }
    }

    /// The next event of any kind.
    pub async fn next_any(&self) -> (String, Option<String>, Value) {
        let message = self.host.next_of(&[patchbay_abi::Kind::EVENT]).await;
        let head: patchbay_abi::head::Event = message.read_head().unwrap();
        let body = serde_json::from_slice(&message.body).unwrap();
        (head.kind, head.job, body)
    }
}

pub async fn start(folder: &TempDir, more: Value) -> Result<BackendHost, Fault> {
    let mut config = json!({"folder": folder.path().join("python"), "anyone": "admin"});
    // Another Python than the machine's own, to see whether that will do.
    if let Ok(python) = std::env::var("PATCHBAY_TEST_PYTHON") {
        config["interpreter"] = python.into();
    }
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    BackendHost::start::<Python>(config, Wire::InProcess).await
}

/// Somebody who is logged in.
pub struct Client<'a>(pub TestSession<'a>);

impl Client<'_> {
    pub async fn call(&self, op: &str, args: Value) -> Result<Value, Fault> {
        self.0.call(op, args).await
    }

    pub async fn ok(&self, op: &str, args: Value) -> Value {
        let answer = self.call(op, args.clone()).await;
        answer.unwrap_or_else(|fault| panic!("`{op}` {args}: {fault:?}"))
    }

    pub async fn fault(&self, op: &str, args: Value) -> Fault {
        let answer = self.call(op, args.clone()).await;
        match answer {
            Err(fault) => fault,
            Ok(value) => panic!("`{op}` {args} was done: {value}"),
        }
    }

    /// Submits a script; its job's id.
    pub async fn submit(&self, code: &str) -> String {
        let job = self
            .ok("submit", json!({"name": "test.py", "code": code}))
            .await;
        job["job"].as_str().unwrap().to_owned()
    }

    pub async fn eval(&self, code: &str) -> Value {
        self.ok("eval", json!({"code": code})).await["value"].clone()
    }

    pub async fn status(&self) -> Value {
        self.ok("status", json!({})).await
    }

    /// Waits until the status is so.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.status().await;
            if is_so(&status) {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "no {what}: {status}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the job has ended: its record.
    pub async fn end(&self, job: &str) -> Value {
        let begun = Instant::now();
        loop {
            let record = self.ok("job", json!({ "job": job })).await;
            if record.get("ended").is_some() {
                return record;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end: {record}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The texts of the log at that level.
    pub async fn texts(&self, level: &str) -> Vec<String> {
        let log = self.ok("log", json!({"last": 1000})).await;
        let messages = log["messages"].as_array().unwrap().iter();
        messages
            .filter(|message| message["level"] == level)
            .map(|message| message["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

//! The job of a submit whose answer nobody saw is found at a real NICOS daemon, by a plugin that has just started.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;

use std::time::{SystemTime, UNIX_EPOCH};

use bench::{daemon, event_where, plugin};
use patchbay_testkit::TestSession;
use serde_json::{Value, json};

const ENDED: &str = "a = 1\n\n\nif a:\n\n    print('é', a)";
const SINGLE: &str = "print('one line')";
const RUNNING: &str = "print('x')\nwhile True:\n    sleep(0.05)\n";
const QUEUED: &str = "b = 2\n";

fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}

async fn find(session: &TestSession<'_>, code: &str, since: f64) -> Value {
    let args = json!({"submit": {"name": "n", "code": code}, "since": since});
    session.call("find", args).await.unwrap()["jobs"].clone()
}

#[tokio::test]
async fn a_script_is_found_wherever_it_is_by_who_sent_it_and_by_nobody_else() {
    let nicos = daemon().await;
    let began = now();
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let mut jobs = Vec::new();
    for code in [ENDED, SINGLE, RUNNING, QUEUED] {
        let args = json!({"name": "n", "code": code});
        jobs.push(user.call("submit", args).await.unwrap()["job"].clone());
    }
    for _ in 0..3 {
        event_where(&host, "job", |body| body["state"] == "started").await;
    }
    // Nothing of what the first one has seen is known to the second.
    let host = plugin(&nicos, json!({})).await;
    let again = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    for (code, job) in [ENDED, SINGLE, RUNNING, QUEUED].iter().zip(&jobs) {
        assert_eq!(find(&again, code, began).await, json!([job]), "{code}");
    }
    assert_eq!(find(&again, "a = 1\n", began).await, json!([]));
    assert_eq!(find(&again, ENDED, now() + 60.0).await, json!([]));
    let other = host.login("admin", "admin").await.unwrap();
    for code in [ENDED, QUEUED] {
        assert_eq!(find(&other, code, began).await, json!([]), "{code}");
    }
    user.call("stop", json!({"at": "now"})).await.unwrap();
}

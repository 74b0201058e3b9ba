//! The emergency stop of a real daemon, where NICOS by itself acknowledges it and does nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;

use bench::{daemon, event_where, plugin, until};
use patchbay_testkit::TestSession;
use serde_json::{Value, json};

/// Takes some seconds to stop.
const STUBBORN: &str = "try:\n    while True:\n        sleep(0.05)\nfinally:\n    sleep(3)\n";

async fn submit(session: &TestSession<'_>, code: &str) -> Value {
    let job = session.call("submit", json!({"code": code})).await.unwrap();
    job["job"].clone()
}

/// What has become of a job.
async fn state(session: &TestSession<'_>, job: &Value) -> Value {
    let job = session.call("job", json!({"job": job})).await.unwrap();
    job["state"].clone()
}

#[tokio::test]
async fn what_was_queued_while_a_script_was_being_stopped_never_runs() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let first = submit(&user, STUBBORN).await;
    event_where(&host, "state", |body| body["line"] == 3).await;
    user.call("stop", json!({"at": "immediate"})).await.unwrap();
    event_where(&host, "state", |body| body["run"] == "stopping").await;
    let second = submit(&user, "open('ran', 'w').close()\n").await;
    assert_eq!(state(&user, &second).await, "queued");

    user.call("emergency", json!({})).await.unwrap();
    assert_eq!(state(&user, &second).await, "removed");
    let args = json!({"job": first});
    until(&user, "job", args, |job| job["state"] == "failed").await;
    // Whatever waits would begin now, before a script that comes later.
    let last = submit(&user, "pass\n").await;
    let args = json!({"job": last});
    until(&user, "job", args, |job| job["state"] == "succeeded").await;
    let ran = json!({"code": "__import__('os').path.exists('ran')"});
    assert_eq!(user.call("eval", ran).await.unwrap()["value"], false);
    assert_eq!(state(&user, &second).await, "removed");
    host.stop().await;
}

#[tokio::test]
async fn a_script_of_many_blocks_that_was_begun_before_is_stopped_by_who_just_came() {
    let nicos = daemon().await;
    let before = plugin(&nicos, json!({})).await;
    let host = plugin(&nicos, json!({})).await;
    let (owner, user) = (
        before.login("user", "user").await.unwrap(),
        host.login("admin", "admin").await.unwrap(),
    );
    for _ in 0..3 {
        let job = submit(&owner, &"sleep(0.001)\n".repeat(3000)).await;
        event_where(&before, "job", |body| body["state"] == "started").await;
        user.call("emergency", json!({})).await.unwrap();
        let args = json!({"job": job});
        until(&owner, "job", args, |job| job["state"] == "failed").await;
    }
    before.stop().await;
    host.stop().await;
}

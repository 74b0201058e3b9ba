//! The truth about jobs, where a real NICOS daemon is easily misread.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;

use bench::{daemon, event_where, plugin, until};
use patchbay_testkit::{BackendHost, TestSession};
use serde_json::{Value, json};

async fn submit(session: &TestSession<'_>, code: &str) -> Value {
    let job = session.call("submit", json!({"code": code})).await.unwrap();
    job["job"].clone()
}

/// The events of a job until its end: its states, and last its outcome.
async fn life(host: &BackendHost, id: &Value) -> Vec<Value> {
    let mut states = Vec::new();
    loop {
        let (job, body) = host.next_event("job").await;
        if json!(job) != *id {
            continue;
        }
        let is_over = matches!(body["state"].as_str(), Some("finished" | "removed"));
        states.push(body.get("outcome").unwrap_or(&body["state"]).clone());
        if is_over {
            return states;
        }
    }
}

#[tokio::test]
async fn events_that_overtake_the_reply_are_of_the_same_job() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    for _ in 0..20 {
        // So short that it has mostly ended before its id is known.
        let id = submit(&user, "x = 1\n").await;
        assert_eq!(life(&host, &id).await, ["queued", "started", "succeeded"]);
        let record = user.call("job", json!({"job": id})).await.unwrap();
        assert_eq!(record["state"], "succeeded");
    }
    host.stop().await;
}

#[tokio::test]
async fn a_blocked_job_is_removed_though_nicos_never_says_that_it_is_done() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let running = submit(&user, "while True:\n    sleep(0.05)\n").await;
    event_where(&host, "job", |body| body["state"] == "started").await;
    let waiting = submit(&user, "x = 1\n").await;
    user.call("stop", json!({})).await.unwrap();
    assert_eq!(life(&host, &waiting).await, ["queued", "removed"]);
    assert_eq!(life(&host, &running).await, ["failed"]);
    let record = user.call("job", json!({"job": waiting})).await.unwrap();
    assert_eq!(record["state"], "removed");
    host.stop().await;
}

#[tokio::test]
async fn an_emergency_stop_while_nothing_runs_is_no_job_that_waits_forever() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    user.call("emergency", json!({})).await.unwrap();
    let id = submit(&user, "x = 1\n").await;
    loop {
        // Every job event is of the script that came after it.
        let (job, body) = host.next_event("job").await;
        assert_eq!(json!(job), id, "{body}");
        if body["state"] == "finished" {
            break;
        }
    }
    let status = user.call("status", json!({})).await.unwrap();
    assert_eq!(
        (&status["run"], &status["queue"]),
        (&json!("idle"), &json!([]))
    );
    host.stop().await;
}

#[tokio::test]
async fn an_order_that_nicos_repeats_is_told_once() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    submit(&user, "while True:\n    sleep(0.05)\n").await;
    let mut jobs = Vec::new();
    for number in 0..4 {
        jobs.push(submit(&user, &format!("x = {number}\n")).await);
    }
    // NICOS tells this order once for each of the four.
    user.call("reorder", json!({ "jobs": jobs })).await.unwrap();
    let (_, same) = host.next_event("queue").await;
    assert_eq!(same, json!({ "jobs": jobs }));
    jobs.swap(2, 3);
    user.call("reorder", json!({ "jobs": jobs })).await.unwrap();
    let (_, swapped) = host.next_event("queue").await;
    assert_eq!(swapped, json!({ "jobs": jobs }));
    user.call("stop", json!({})).await.unwrap();
    host.stop().await;
}

#[tokio::test]
async fn a_prompt_that_nicos_repeats_is_told_once() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    submit(&user, "pause('first')\npause('second')\n").await;
    let (_, first) = host.next_event("prompt").await;
    // NICOS does this every minute.
    let again = "session.emitfunc('prompt', session._user_prompt)";
    user.call("eval", json!({"code": again})).await.unwrap();
    user.call("answer", json!({"prompt": first["prompt"]}))
        .await
        .unwrap();
    let (_, second) = host.next_event("prompt").await;
    assert_eq!(second["text"], "second");
    host.stop().await;
}

#[tokio::test]
async fn nicos_calls_a_script_a_success_whose_commands_reported_errors_and_so_do_we() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let code = "Exp.errorbehavior = 'report'\nmaw(mot, 5000)\nprintinfo('went on')\n";
    let id = submit(&user, code).await;
    let (job, line) = event_where(&host, "log", |line| line["level"] == "error").await;
    assert_eq!(json!(job), id, "{line}");
    let outcome = event_where(&host, "job", |body| body["state"] == "finished").await;
    assert_eq!(outcome.1["outcome"], "succeeded");
    host.stop().await;
}

#[tokio::test]
async fn the_job_that_runs_is_known_also_to_who_comes_in_its_middle() {
    let nicos = daemon().await;
    let first = plugin(&nicos, json!({})).await;
    let user = first.login("user", "user").await.unwrap();
    event_where(&first, "link", |body| body["link"] == "up").await;
    // Many short blocks: whoever looks finds the daemon idle as often as not.
    let code = "sleep(0.01)\n".repeat(4000);
    let id = submit(&user, &code).await;
    event_where(&first, "job", |body| body["state"] == "started").await;
    for _ in 0..5 {
        let second = plugin(&nicos, json!({})).await;
        let admin = second.login("admin", "admin").await.unwrap();
        let status = until(&admin, "status", json!({}), |status| {
            status["job"]["id"] == id
        });
        assert_eq!(status.await["run"], "running");
        let record = admin.call("job", json!({"job": id})).await.unwrap();
        assert_eq!(record["user"], "user");
        drop(admin);
        second.stop().await;
    }
    user.call("stop", json!({})).await.unwrap();
    first.stop().await;
}

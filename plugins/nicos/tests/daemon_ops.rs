//! What can be asked of a real NICOS daemon beyond running scripts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;

use bench::{daemon, daemon_with_cache, event_where, plugin, until};
use patchbay_sdk::FaultKind;
use patchbay_testkit::TestSession;
use serde_json::{Value, json};

/// Runs forever, one line after the other.
const ENDLESS: &str = "while True:\n    sleep(0.05)\n";

async fn submit(session: &TestSession<'_>, code: &str) -> Value {
    let job = session.call("submit", json!({"code": code})).await.unwrap();
    job["job"].clone()
}

/// The bodies of the jobs that wait.
async fn queue(session: &TestSession<'_>) -> Vec<Value> {
    let status = session.call("status", json!({})).await.unwrap();
    let queue = status["queue"].as_array().unwrap();
    queue.iter().map(|job| job["body"].clone()).collect()
}

#[tokio::test]
async fn jobs_that_wait_are_reordered_and_edited() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let running = submit(&user, ENDLESS).await;
    event_where(&host, "job", |body| body["state"] == "started").await;
    let (a, b, c) = (
        submit(&user, "a = 1\n").await,
        submit(&user, "b = 1\n").await,
        submit(&user, "c = 1\n").await,
    );

    user.call("reorder", json!({"jobs": [c, a, b]}))
        .await
        .unwrap();
    assert_eq!(queue(&user).await, ["c = 1\n", "a = 1\n", "b = 1\n"]);
    let (_, order) = event_where(&host, "queue", |_| true).await;
    assert_eq!(order, json!({"jobs": [c, a, b]}));
    let missing = user
        .call("reorder", json!({"jobs": [a]}))
        .await
        .unwrap_err();
    assert_eq!(missing.kind, FaultKind::Conflict);
    assert!(missing.message.contains("ids of all jobs"), "{missing}");

    user.call("edit", json!({"job": b, "code": "b = 2\n"}))
        .await
        .unwrap();
    let (edited, _) = event_where(&host, "job", |body| body["state"] == "edited").await;
    assert_eq!(json!(edited), b);
    assert_eq!(queue(&user).await, ["c = 1\n", "a = 1\n", "b = 2\n"]);
    let unknown = json!({"job": "no such job", "code": "x = 1\n"});
    let unknown = user.call("edit", unknown).await.unwrap_err();
    assert_eq!(unknown.kind, FaultKind::NotFound, "{unknown}");

    let other = user.call("edit", json!({"code": "other = 1\n"})).await;
    let other = other.unwrap_err();
    assert_eq!(other.kind, FaultKind::Conflict);
    assert!(other.message.contains("executed already"), "{other}");
    let longer = format!("{ENDLESS}d = 1\n");
    user.call("edit", json!({"code": longer, "reason": "more"}))
        .await
        .unwrap();
    let (edited, _) = event_where(&host, "job", |body| body["state"] == "edited").await;
    assert_eq!(json!(edited), running);
    let status = user.call("status", json!({})).await.unwrap();
    assert_eq!(status["job"]["body"], longer);
    user.call("stop", json!({})).await.unwrap();
    host.stop().await;
}

#[tokio::test]
async fn a_count_is_finished_early_and_the_script_goes_on() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let idle = user.call("finish", json!({})).await.unwrap_err();
    assert_eq!(idle.kind, FaultKind::Conflict);
    assert!(idle.message.contains("nothing is running"), "{idle}");

    submit(&user, "count(det, 1000)\nprinttest = 1\n").await;
    event_where(&host, "job", |body| body["state"] == "started").await;
    event_where(&host, "state", |body| body["line"] == 1).await;
    // Until the count has begun, there is nothing to finish, and NICOS does not say so.
    let (_, finished) = loop {
        user.call("finish", json!({})).await.ok();
        let ended = host.next_event("job");
        let patience = std::time::Duration::from_millis(500);
        if let Ok(ended) = tokio::time::timeout(patience, ended).await {
            break ended;
        }
    };
    assert_eq!(finished["outcome"], "succeeded");
    host.stop().await;
}

#[tokio::test]
async fn a_finish_while_the_script_stops_is_refused_and_the_next_answer_is_the_right_one() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let code = "try:\n    while True:\n        sleep(0.05)\nfinally:\n    sleep(3)\n";
    submit(&user, code).await;
    event_where(&host, "job", |body| body["state"] == "started").await;
    event_where(&host, "state", |body| body["line"] == 3).await;
    user.call("stop", json!({"at": "immediate"})).await.unwrap();
    event_where(&host, "state", |body| body["run"] == "stopping").await;
    let refused = user.call("finish", json!({})).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Conflict);
    assert!(refused.message.contains("being stopped"), "{refused}");
    // All of these go by the same connection: each must get its own answer.
    let paused = user.call("pause", json!({})).await.unwrap_err();
    assert!(paused.message.contains("`break`"), "{paused}");
    let resumed = user.call("resume", json!({})).await.unwrap_err();
    assert!(resumed.message.contains("`continue`"), "{resumed}");
    host.stop().await;
}

#[tokio::test]
async fn the_running_script_and_its_instrument_can_be_looked_at() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    submit(
        &user,
        "def outer():\n    while True:\n        sleep(0.05)\nouter()\n",
    )
    .await;
    let trace = until(&user, "trace", json!({}), |trace| {
        trace.as_str().unwrap().contains("in outer")
    });
    assert!(trace.await.as_str().unwrap().contains("<script>"));

    let devices = user.call("devices", json!({})).await.unwrap();
    let named = devices["devices"].as_array().unwrap();
    assert!(named.contains(&json!("mot")) && named.contains(&json!("det")));
    assert_eq!(devices["mode"], "master");
    assert_eq!(devices["explicit"], json!(["startup"]));

    let ends = json!({"line": "maw(mo", "word": "mo"});
    let ends = user.call("complete", ends).await.unwrap();
    assert!(ends.as_array().unwrap().contains(&json!("mot")), "{ends}");

    user.call("abort", json!({})).await.unwrap();
    event_where(&host, "job", |body| body["outcome"] == "failed").await;
    host.stop().await;
}

#[tokio::test]
async fn watched_expressions_are_told_when_they_change() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let watched = json!({"expressions": ["watched * 2"]});
    user.call("watch", watched.clone()).await.unwrap();
    user.call("exec", json!({"code": "watched = 21"}))
        .await
        .unwrap();
    let is_told = |body: &Value| body["values"]["watched * 2:default"] == "42";
    event_where(&host, "watch", is_told).await;
    user.call("unwatch", watched).await.unwrap();
    event_where(&host, "watch", |body| body["values"] == json!({})).await;
    host.stop().await;
}

#[tokio::test]
async fn with_a_cache_there_are_histories_and_dry_runs() {
    let nicos = daemon_with_cache().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;
    let id = submit(&user, "maw(mot, 1)\nmaw(mot, 2)\n").await;
    event_where(&host, "job", |body| body["outcome"] == "succeeded").await;
    let asked = json!({"key": "Mot/Value", "from": 0, "to": 4_000_000_000.0_f64});
    let history = until(&user, "history", asked, |history| {
        let values = history.as_array().unwrap().iter();
        values.last().is_some_and(|last| last[1] == 2.0)
    });
    assert!(history.await.as_array().unwrap().len() >= 2);
    let never = json!({"key": "no/such", "from": 0, "to": 1, "interval": 10});
    assert_eq!(user.call("history", never).await.unwrap(), json!([]));
    // The connection is in step after an empty history, too.
    let job = user.call("eval", json!({"code": "6 * 7"})).await.unwrap();
    assert_eq!(job, json!({"value": 42}));

    let code = "printinfo('dry')\nmaw(slow, 5)\n";
    let dry = user.call("simulate", json!({"name": "n", "code": code}));
    let dry = dry.await.unwrap()["simulation"].clone();
    assert_ne!(dry, id);
    let (_, said) = event_where(&host, "simulation", |body| body["line"]["text"] == "dry").await;
    assert_eq!(
        (&said["simulation"], &said["state"]),
        (&dry, &json!("message"))
    );
    let (_, end) = event_where(&host, "simulation", |body| body["state"] != "message").await;
    assert_eq!(
        (&end["simulation"], &end["state"]),
        (&dry, &json!("finished"))
    );
    assert!(end["seconds"].as_f64().unwrap() >= 5.0, "{end}");
    assert!(end["devices"]["slow"].is_array(), "{end}");
    host.stop().await;
}

#[tokio::test]
async fn what_can_be_done_is_said_beforehand() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    let can = user.call("capabilities", json!({})).await.unwrap();
    assert_eq!(
        (&can["protocol"], &can["outcome"]),
        (&json!(24), &json!("native"))
    );
    let fault = user.call("environment", json!({})).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported);
    let why = can["ops"]["environment"]["unsupported"].as_str().unwrap();
    assert!(fault.message.contains(why), "{fault}");
    host.stop().await;
}
#[tokio::test]
async fn without_a_cache_that_is_said_and_the_connection_stays_in_step() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    for _ in 0..3 {
        let asked = json!({"key": "mot/value", "from": 0, "to": 1});
        let fault = user.call("history", asked).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unsupported);
        assert!(fault.message.contains("without a value cache"), "{fault}");
        let value = user.call("eval", json!({"code": "6 * 7"})).await.unwrap();
        assert_eq!(value, json!({"value": 42}));
    }
    let dry = user.call("simulate", json!({"code": "maw(mot, 1)\n"}));
    let fault = dry.await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported);
    assert!(fault.message.contains("value cache"), "{fault}");
    host.stop().await;
}

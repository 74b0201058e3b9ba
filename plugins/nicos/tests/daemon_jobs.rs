//! Jobs on a real NICOS daemon: what is said of them while they live, and how they end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;

use bench::{daemon, event_where, plugin, until};
use patchbay_sdk::FaultKind;
use patchbay_testkit::BackendHost;
use serde_json::json;

/// The states that `job` events tell until the job has ended.
async fn life(host: &BackendHost, id: &str) -> Vec<String> {
    let mut states = Vec::new();
    loop {
        let (job, body) = host.next_event("job").await;
        if job.as_deref() != Some(id) {
            continue;
        }
        let state = body["state"].as_str().unwrap().to_owned();
        if state == "finished" {
            states.push(body["outcome"].as_str().unwrap().to_owned());
            return states;
        }
        states.push(state);
    }
}

#[tokio::test]
async fn a_job_is_queued_started_and_finished_and_can_be_looked_up() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;

    let job = user
        .call(
            "submit",
            json!({"name": "hello", "code": "printinfo('greetings')"}),
        )
        .await
        .unwrap();
    let id = job["job"].as_str().unwrap();
    assert_eq!(life(&host, id).await, ["queued", "started", "succeeded"]);

    let record = user.call("job", json!({"job": id})).await.unwrap();
    assert_eq!(
        (&record["name"], &record["user"], &record["state"]),
        (&json!("hello"), &json!("user"), &json!("succeeded"))
    );
    assert!(record["ended"].as_f64() >= record["started"].as_f64());

    let log = user.call("log", json!({"last": 20})).await.unwrap();
    let lines = log["messages"].as_array().unwrap();
    let line = lines
        .iter()
        .find(|line| line["text"] == "greetings")
        .expect("the script's output");
    assert_eq!((&line["level"], &line["job"]), (&json!("info"), &json!(id)));

    let status = user.call("status", json!({"native": true})).await.unwrap();
    assert_eq!(
        (&status["link"], &status["run"], &status["job"]),
        (&json!("up"), &json!("idle"), &json!(null))
    );
    assert_eq!(status["last"]["id"], id);
    assert_eq!(status["native"]["nicos"]["mode"], "master");
    host.stop().await;
}

#[tokio::test]
async fn a_script_of_two_blocks_is_one_job_that_runs_until_it_is_done() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;

    let code = "sleep(0.3)\nsleep(0.3)\nfor i in range(3):\n    sleep(0.1)\n";
    let job = user
        .call("submit", json!({"name": "blocks", "code": code}))
        .await
        .unwrap();
    event_where(&host, "job", |body| body["state"] == "started").await;
    let status = until(&user, "status", json!({}), |status| {
        status["job"]["line"] == 2
    })
    .await;
    assert_eq!(
        (&status["run"], &status["job"]["id"]),
        (&json!("running"), &job["job"])
    );
    assert_eq!(status["job"]["body"], code);

    // The daemon reports itself idle between the blocks; nobody is told so.
    let mut told = Vec::new();
    loop {
        let (id, state) = host.next_event("state").await;
        told.push(state["run"].clone());
        if id.is_none() {
            break;
        }
    }
    assert_eq!(told.pop(), Some(json!("idle")));
    assert!(
        !told.is_empty() && told.iter().all(|run| run == "running"),
        "{told:?}"
    );
    host.stop().await;
}

#[tokio::test]
async fn jobs_that_fail_are_said_to_have_failed() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;

    for code in ["1 / 0\n", "this is no python\n"] {
        let job = user.call("submit", json!({"code": code})).await.unwrap();
        let states = life(&host, job["job"].as_str().unwrap()).await;
        assert_eq!(states.last().unwrap(), "failed", "{code}");
    }
    user.call("submit", json!({"code": "1 / 0\n"}))
        .await
        .unwrap();
    event_where(&host, "state", |body| body["run"] == "idle-after-failure").await;
    host.stop().await;
}

#[tokio::test]
async fn a_stop_ends_the_job_and_empties_the_queue() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;

    let refused = user.call("stop", json!({})).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Conflict);
    assert!(
        refused.message.contains("“no script is running”"),
        "{refused}"
    );

    let first = user
        .call(
            "submit",
            json!({"name": "first", "code": "while True:\n    sleep(0.1)\n"}),
        )
        .await
        .unwrap();
    let second = user
        .call("submit", json!({"name": "second", "code": "sleep(1)\n"}))
        .await
        .unwrap();
    event_where(&host, "job", |body| body["state"] == "started").await;
    let status = user.call("status", json!({})).await.unwrap();
    assert_eq!(
        status["queue"],
        json!([{"id": second["job"], "name": "second", "user": "user", "body": "sleep(1)\n"}])
    );

    let busy = user
        .call("submit", json!({"code": "pass", "start": true}))
        .await
        .unwrap_err();
    assert_eq!(busy.kind, FaultKind::Conflict);

    user.call("stop", json!({"at": "line"})).await.unwrap();
    let (job, removed) = event_where(&host, "job", |body| body["state"] == "removed").await;
    assert_eq!(
        (json!(job), &removed["name"]),
        (second["job"].clone(), &json!("second"))
    );
    assert_eq!(
        life(&host, first["job"].as_str().unwrap()).await,
        ["failed"]
    );
    let record = user
        .call("job", json!({"job": second["job"]}))
        .await
        .unwrap();
    assert_eq!(record["state"], "removed");
    host.stop().await;
}

#[tokio::test]
async fn a_job_can_be_paused_resumed_and_removed_from_the_queue() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;

    let running = user
        .call(
            "submit",
            json!({"code": "for i in range(1000):\n    sleep(0.02)\n"}),
        )
        .await
        .unwrap();
    let waiting = user
        .call("submit", json!({"code": "sleep(1)\n"}))
        .await
        .unwrap();
    event_where(&host, "job", |body| body["state"] == "started").await;
    user.call("pause", json!({})).await.unwrap();
    event_where(&host, "job", |body| body["state"] == "paused").await;
    let status = user.call("status", json!({})).await.unwrap();
    assert_eq!(
        (&status["run"], &status["job"]["id"]),
        (&json!("paused"), &running["job"])
    );
    assert_eq!(
        user.call("pause", json!({})).await.unwrap_err().kind,
        FaultKind::Conflict
    );

    user.call("remove", json!({"job": waiting["job"]}))
        .await
        .unwrap();
    event_where(&host, "job", |body| body["state"] == "removed").await;
    assert_eq!(
        user.call("remove", json!({"job": running["job"]}))
            .await
            .unwrap_err()
            .kind,
        FaultKind::Conflict
    );
    assert_eq!(
        user.call("remove", json!({"job": "no-such"}))
            .await
            .unwrap_err()
            .kind,
        FaultKind::NotFound
    );

    user.call("resume", json!({})).await.unwrap();
    event_where(&host, "job", |body| body["state"] == "resumed").await;
    user.call("emergency", json!({})).await.unwrap();
    assert_eq!(
        life(&host, running["job"].as_str().unwrap()).await,
        ["failed"]
    );
    assert_eq!(
        user.call("resume", json!({})).await.unwrap_err().kind,
        FaultKind::Conflict
    );
    host.stop().await;
}

#[tokio::test]
async fn a_name_of_more_than_a_kilobyte_is_refused() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    let args = json!({"name": "n".repeat(1025), "code": "pass"});
    let refused = user.call("submit", args).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Invalid);
    assert!(refused.message.contains("`name`"), "{refused}");
    host.stop().await;
}

#[tokio::test]
async fn an_emergency_stop_ends_a_script_of_many_blocks_whenever_it_comes() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let user = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;

    let code = "pass\n".repeat(20_000);
    for delay in [0, 7, 50, 200] {
        let job = user.call("submit", json!({"code": code})).await.unwrap();
        event_where(&host, "job", |body| body["state"] == "started").await;
        tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
        user.call("emergency", json!({})).await.unwrap();
        assert_eq!(life(&host, job["job"].as_str().unwrap()).await, ["failed"]);
    }
    host.stop().await;
}

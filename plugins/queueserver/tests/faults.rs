//! A real RE Manager that fails in all the ways that are known of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common {
    pub mod bench;
}

use common::bench::{
    ended, event_where, health, native, output, plugin, run, script, server, server_with, state,
    until,
};
use patchbay_sdk::FaultKind;
use patchbay_servers::QueueServer;
use serde_json::json;

const LONG: &str = "import time\nfor i in range(80):\n    time.sleep(0.1)\nprint('through')\n";

#[tokio::test]
async fn a_killed_manager_costs_nothing() {
    let server = server().await;
    let host = plugin(&server, json!({"reply_deadline_s": 2.0})).await;
    let anna = host.login("anna", "").await.unwrap();
    let job = script(&anna, "long", LONG).await;
    let next = script(&anna, "next", "print('next')").await;
    until(&anna, "status", json!({}), |status| {
        status["job"]["line"].is_i64()
    })
    .await;
    QueueServer::kill_process(server.manager_pid().unwrap()).unwrap();
    event_where(&host, "link", |body| body["link"] == "down").await;
    let status = anna.call("status", json!({})).await.unwrap();
    assert_eq!(
        (&status["link"], &status["run"]),
        (&json!("down"), &json!("unknown"))
    );
    event_where(&host, "link", |body| body["link"] == "up").await;
    assert_eq!(ended(&anna, &job).await["state"], "succeeded");
    assert_eq!(ended(&anna, &next).await["state"], "succeeded");
    assert_eq!(output(&anna, &job).await, ["through"]);
}

#[tokio::test]
async fn a_killed_worker_is_noticed_and_a_reset_mends_it() {
    let server = server().await;
    let host = plugin(&server, json!({"wedged_after_s": 4.0})).await;
    let anna = host.login("anna", "").await.unwrap();
    let job = script(
        &anna,
        "long",
        "runs = globals().get('runs', 0) + 1\nimport time\ntime.sleep(600)",
    )
    .await;
    let next = script(&anna, "next", "print('next')").await;
    state(&anna, &job, "running").await;
    QueueServer::kill_process(server.worker_pid().unwrap()).unwrap();
    health(&host, "degraded", "reset").await;
    let status = run(&anna, "wedged").await;
    assert_eq!(status["job"]["id"], json!(job));
    let fault = anna.call("pause", json!({})).await.unwrap_err();
    assert!(fault.message.contains("`reset`"), "{fault}");
    anna.call("environment", json!({"do": "reset"}))
        .await
        .unwrap();
    let record = ended(&anna, &job).await;
    assert_eq!(record["state"], "failed");
    assert!(
        record["error"].as_str().unwrap().contains("destroyed"),
        "{record}"
    );
    assert_eq!(ended(&anna, &next).await["state"], "removed");
    health(&host, "up", "").await;
    let queue = native(&anna, "queue_get", json!({})).await;
    assert_eq!(queue["items"], json!([]), "nothing runs twice");
    let after = script(&anna, "after", "print('after')").await;
    assert_eq!(ended(&anna, &after).await["state"], "succeeded");
}

#[tokio::test]
async fn without_redis_the_state_is_seen_and_nothing_is_queued() {
    let mut server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let first = script(&anna, "first", "print(1)").await;
    assert_eq!(ended(&anna, &first).await["state"], "succeeded");
    server.kill_redis();
    let fault = anna
        .call("submit", json!({"code": "print(2)"}))
        .await
        .unwrap_err();
    let kinds = [FaultKind::Unavailable, FaultKind::UnknownOutcome];
    assert!(
        kinds.contains(&fault.kind) && fault.message.contains("Redis"),
        "{fault}"
    );
    assert_eq!(anna.call("status", json!({})).await.unwrap()["link"], "up");
    health(&host, "degraded", "queue cannot be read").await;
    server.restart_redis().unwrap();
    health(&host, "up", "").await;
    // What was refused may be asked again.
    let again = until(&anna, "submit", json!({"code": "print(3)"}), |_| true).await;
    let job = again["job"].as_str().unwrap();
    assert_eq!(ended(&anna, job).await["state"], "succeeded");
}

#[tokio::test]
async fn an_environment_that_does_not_open_says_why_and_opens_when_it_is_mended() {
    let server = server().await;
    server.set_broken(true).unwrap();
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let fault = anna
        .call("submit", json!({"code": "print(1)"}))
        .await
        .unwrap_err();
    assert_eq!(
        (&fault.kind, fault.retry),
        (&FaultKind::Unavailable, false),
        "{fault}"
    );
    assert!(
        fault.message.contains("the laboratory is broken"),
        "{fault}"
    );
    let status = run(&anna, "idle").await;
    assert_eq!(
        (&status["queue"], &status["environment"]),
        (&json!([]), &json!("closed"))
    );
    server.set_broken(false).unwrap();
    let job = script(&anna, "mended", "print('mended')").await;
    assert_eq!(ended(&anna, &job).await["state"], "succeeded");
    anna.call("environment", json!({"do": "close"}))
        .await
        .unwrap();
    let status = anna.call("status", json!({})).await.unwrap();
    assert_eq!(status["environment"], "closed");
}

#[tokio::test]
async fn a_gateway_that_is_restarted_finds_its_script_and_can_still_hold_it() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let job = script(&anna, "long", LONG).await;
    until(&anna, "status", json!({}), |status| {
        status["job"]["line"].is_i64()
    })
    .await;
    drop(anna);
    host.stop().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let status = run(&anna, "running").await;
    assert_eq!(
        (&status["job"]["id"], &status["job"]["body"]),
        (&json!(job), &json!(LONG))
    );
    // The first question loads what is needed, or finds it there.
    assert_eq!(
        anna.call("eval", json!({"code": "1"})).await.unwrap()["value"],
        1
    );
    anna.call("pause", json!({})).await.unwrap();
    run(&anna, "paused").await;
    anna.call("resume", json!({})).await.unwrap();
    assert_eq!(ended(&anna, &job).await["state"], "succeeded");
    let found = json!({"submit": {"code": LONG}, "since": 0});
    let found = anna.call("find", found).await.unwrap();
    assert_eq!(found["jobs"], json!([job]));
}

#[tokio::test]
async fn the_older_release_does_the_same() {
    let server = server_with(QueueServer::options().version("0.0.22")).await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let job = script(&anna, "long", LONG).await;
    let bad = script(&anna, "bad", "1/0").await;
    until(&anna, "status", json!({}), |status| {
        status["job"]["line"].is_i64()
    })
    .await;
    anna.call("pause", json!({})).await.unwrap();
    run(&anna, "paused").await;
    anna.call("resume", json!({})).await.unwrap();
    assert_eq!(ended(&anna, &job).await["state"], "succeeded");
    assert_eq!(output(&anna, &job).await, ["through"]);
    assert_eq!(ended(&anna, &bad).await["state"], "failed");
    let alone = script(&anna, "alone", "RE(count([det]))").await;
    assert_eq!(ended(&anna, &alone).await["state"], "succeeded");
    let banner = anna.call("banner", json!({})).await.unwrap();
    assert_eq!(banner["version"], "0.0.22");
}

#[tokio::test]
async fn without_the_console_scripts_run_and_what_is_missing_is_said() {
    let server = server_with(QueueServer::options().console(false)).await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let job = script(&anna, "quiet", "print('unheard')").await;
    assert_eq!(ended(&anna, &job).await["state"], "succeeded");
    let capabilities = anna.call("capabilities", json!({})).await.unwrap();
    for what in ["/progress", "/ops/eval", "/ops/trace"] {
        let said = &capabilities.pointer(what).unwrap()["unsupported"];
        assert!(said.is_string(), "{what}: {capabilities}");
    }
    let fault = anna.call("eval", json!({"code": "1"})).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported, "{fault}");
    assert_eq!(fault.message, capabilities["ops"]["eval"]["unsupported"]);
}

//! Stopping, halting and removing whatever a real RE Manager is just doing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common {
    pub mod bench;
}

use std::time::Duration;

use common::bench::{
    PATIENCE, ended, health, native, plan, plugin, run, script, server, state, until,
};
use patchbay_sdk::FaultKind;
use patchbay_servers::QueueServer;
use patchbay_testkit::TestSession;
use serde_json::{Value, json};
use tokio::time::timeout;

#[tokio::test]
async fn an_emergency_stop_ends_also_what_does_not_listen() {
    let server = server().await;
    let host = plugin(&server, json!({"emergency_grace_s": 1.0})).await;
    let anna = host.login("anna", "").await.unwrap();
    // One call that is not Python: no exception reaches it.
    let deaf = script(&anna, "deaf", "import time\ntime.sleep(600)").await;
    let next = script(&anna, "next", "print('next')").await;
    until(&anna, "status", json!({}), |status| {
        status["job"]["line"] == 2
    })
    .await;
    anna.call("emergency", json!({})).await.unwrap();
    assert_eq!(ended(&anna, &deaf).await["state"], "failed");
    assert_eq!(ended(&anna, &next).await["state"], "removed");
    let queue = native(&anna, "queue_get", json!({})).await;
    assert_eq!(queue["items"], json!([]));
    let dwell = json!({"name": "dwell", "kwargs": {"seconds": 60}});
    let job = plan(&anna, dwell).await;
    state(&anna, &job, "running").await;
    anna.call("emergency", json!({})).await.unwrap();
    assert_eq!(ended(&anna, &job).await["state"], "failed");
    // With nothing to stop it is no error.
    anna.call("emergency", json!({})).await.unwrap();
}

#[tokio::test]
async fn an_environment_that_is_opened_whenever_it_is_closed_is_known_to_have_ended() {
    let server = server().await;
    let config = json!({"environment": "at-start", "emergency_grace_s": 0.5});
    let host = plugin(&server, config).await;
    let anna = host.login("anna", "").await.unwrap();
    let deaf = script(&anna, "deaf", "import time\ntime.sleep(600)").await;
    until(&anna, "status", json!({}), |status| {
        status["job"]["line"] == 2
    })
    .await;
    // Also for whoever presses twice.
    let (once, twice) = tokio::join!(
        anna.call("emergency", json!({})),
        anna.call("emergency", json!({}))
    );
    assert!(once.is_ok() && twice.is_ok(), "{once:?} {twice:?}");
    assert_eq!(ended(&anna, &deaf).await["state"], "failed");
    for what in ["close", "reset"] {
        until(&anna, "status", json!({}), |status| {
            status["environment"] == "idle" && status["run"] == "idle-after-failure"
        })
        .await;
        let said = anna.call("environment", json!({"do": what})).await;
        said.unwrap_or_else(|fault| panic!("{what}: {fault}"));
    }
    let next = script(&anna, "next", "print('next')").await;
    assert_eq!(ended(&anna, &next).await["state"], "succeeded");
}

#[tokio::test]
async fn an_emergency_stop_ends_a_script_whenever_it_comes() {
    let server = server().await;
    let host = plugin(&server, json!({"emergency_grace_s": 60.0})).await;
    let anna = host.login("anna", "").await.unwrap();
    let began = script(&anna, "first", "pass").await;
    ended(&anna, &began).await;
    for after_ms in [0, 50, 100, 150, 200, 300, 400] {
        let job = script(&anna, "loop", "while True: pass").await;
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        anna.call("emergency", json!({})).await.unwrap();
        let state = ended(&anna, &job).await["state"].clone();
        assert!(state == "failed" || state == "removed", "{state}");
    }
    // One that another client has paused.
    let job = script(&anna, "loop", "while True:\n    pass\n").await;
    until(&anna, "status", json!({}), |status| {
        status["job"]["line"].is_i64()
    })
    .await;
    native(&anna, "re_pause", json!({"option": "immediate"})).await;
    state(&anna, &job, "paused").await;
    anna.call("emergency", json!({})).await.unwrap();
    assert_eq!(ended(&anna, &job).await["state"], "failed");
    // It was never necessary to destroy anything.
    let status = anna.call("status", json!({})).await.unwrap();
    assert_eq!(status["environment"], "idle", "{status}");
}

#[tokio::test]
async fn a_script_that_another_client_halts_does_nothing_more() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let code = "import time\nticks = 0\nwhile True:\n    ticks += 1\n    time.sleep(0.02)\n";
    let job = script(&anna, "loop", code).await;
    until(&anna, "status", json!({}), |status| {
        status["job"]["line"].is_i64()
    })
    .await;
    native(&anna, "re_pause", json!({"option": "immediate"})).await;
    state(&anna, &job, "paused").await;
    native(&anna, "re_halt", json!({})).await;
    assert_eq!(ended(&anna, &job).await["exit"], "halted");
    let ends = async {
        let mut before = Value::Null;
        loop {
            let ticks = anna.call("eval", json!({"code": "ticks"})).await.unwrap();
            if ticks == before {
                return;
            }
            before = ticks;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let ends = timeout(PATIENCE, ends).await;
    ends.expect("the halted script's thread ends");
}

/// Holds the worker, so that the RE Manager is about to take the item that is queued now until it goes on.
async fn about_to_take(server: &QueueServer, anna: &TestSession<'_>) -> (u32, String) {
    let worker = server.worker_pid().unwrap();
    QueueServer::freeze_process(worker).unwrap();
    let job = script(anna, "next", "print('next')").await;
    until(
        anna,
        "native",
        json!({"method": "status", "params": {}}),
        |status| status["manager_state"] == "starting_queue",
    )
    .await;
    (worker, job)
}

/// Takes away what the RE Manager is about to take, as often as it takes to be quick enough.
async fn get_stuck(server: &QueueServer, anna: &TestSession<'_>) -> String {
    let stuck = async {
        loop {
            let (worker, job) = about_to_take(server, anna).await;
            native(anna, "queue_clear", json!({})).await;
            QueueServer::thaw_process(worker).unwrap();
            ended(anna, &job).await;
            let status = native(anna, "status", json!({})).await;
            if status["manager_state"] == "starting_queue" {
                return job;
            }
        }
    };
    timeout(PATIENCE, stuck).await.expect("a stuck RE Manager")
}

#[tokio::test]
async fn what_is_removed_while_it_is_being_started_does_not_hold_up_the_queue() {
    let server = server().await;
    let host = plugin(&server, json!({"wedged_after_s": 1.0})).await;
    let anna = host.login("anna", "").await.unwrap();
    let first = script(&anna, "first", "pass").await;
    ended(&anna, &first).await;
    let (worker, job) = about_to_take(&server, &anna).await;
    let (removed, ()) = tokio::join!(anna.call("remove", json!({"job": job})), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        QueueServer::thaw_process(worker).unwrap();
    });
    let state = match removed {
        // The RE Manager had given up waiting for its worker, and would have tried again.
        Ok(_) => "removed",
        // It is too late for that, and said so.
        Err(fault) => {
            let late = matches!(fault.kind, FaultKind::Conflict | FaultKind::NotFound);
            assert!(late, "{fault}");
            "succeeded"
        }
    };
    assert_eq!(ended(&anna, &job).await["state"], state);
    // Another client may do so all the same. Then it is said, and what mends it.
    let job = get_stuck(&server, &anna).await;
    health(&host, "degraded", "`environment`").await;
    assert_eq!(run(&anna, "wedged").await["job"], Value::Null);
    anna.call("environment", json!({"do": "reset"}))
        .await
        .unwrap();
    assert_eq!(ended(&anna, &job).await["state"], "removed");
    let last = script(&anna, "last", "print('last')").await;
    assert_eq!(ended(&anna, &last).await["state"], "succeeded");
    health(&host, "up", "").await;
}

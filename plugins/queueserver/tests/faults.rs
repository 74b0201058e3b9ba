//! A real RE Manager that fails in all the ways that are known of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common {
    pub mod bench;
}

use common::bench::{
    PATIENCE, ended, event_where, native, output, plan, plugin, run, script, server, server_with,
    state, until,
};
use patchbay_abi::Kind;
use patchbay_sdk::FaultKind;
use patchbay_servers::QueueServer;
use patchbay_testkit::{BackendHost, TestSession};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Waits until the instance says that it is so.
async fn health(host: &BackendHost, state: &str, word: &str) {
    let wait = async {
        loop {
            let message = host.next_of(&[Kind::HEALTH]).await;
            let health: Value =
                serde_json::to_value(message.read_head::<patchbay_abi::head::Health>().unwrap())
                    .unwrap();
            if health["state"] == state && health["reason"].as_str().unwrap().contains(word) {
                return;
            }
        }
    };
    let told = timeout(PATIENCE, wait).await;
    told.unwrap_or_else(|_| panic!("never {state} with {word}"));
}

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
        tokio::time::sleep(std::time::Duration::from_millis(after_ms)).await;
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
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
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
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
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

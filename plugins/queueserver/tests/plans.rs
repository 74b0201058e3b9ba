//! Plans, the queue, and its other clients, on a real RE Manager.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common {
    pub mod bench;
}

use common::bench::{
    ended, event_where, native, output, plan, plugin, run, script, server, state, submit, until,
};
use patchbay_sdk::FaultKind;
use serde_json::{Value, json};

fn dwell(seconds: u32) -> Value {
    json!({"name": "dwell", "kwargs": {"seconds": seconds}})
}

#[tokio::test]
async fn a_plan_is_checked_runs_is_paused_resumed_and_stopped() {
    let server = server().await;
    let host = plugin(&server, json!({"on_stop": "continue"})).await;
    let anna = host.login("anna", "").await.unwrap();
    let say = plan(&anna, json!({"name": "say", "args": ["hello"]})).await;
    assert_eq!(ended(&anna, &say).await["state"], "succeeded");
    assert_eq!(output(&anna, &say).await, ["hello"]);
    for (code, kind) in [
        (r#"{"name": "nope"}"#, FaultKind::NotFound),
        (
            r#"{"name": "dwell", "kwargs": {"x": 1}}"#,
            FaultKind::Invalid,
        ),
        ("dwell(3)", FaultKind::Invalid),
    ] {
        let args = json!({"kind": "plan", "code": code});
        let fault = anna.call("submit", args).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
    }
    let job = plan(&anna, dwell(60)).await;
    let next = script(&anna, "next", "print('next')").await;
    state(&anna, &job, "running").await;
    // A plan cannot be paused just before it begins.
    until(&anna, "pause", json!({"at": "now"}), |_| true).await;
    state(&anna, &job, "paused").await;
    assert_eq!(run(&anna, "paused").await["job"]["id"], json!(job));
    anna.call("resume", json!({})).await.unwrap();
    state(&anna, &job, "running").await;
    anna.call("stop", json!({})).await.unwrap();
    let record = ended(&anna, &job).await;
    assert_eq!(
        (&record["state"], &record["exit"]),
        (&json!("failed"), &json!("stopped"))
    );
    assert_eq!(ended(&anna, &next).await["state"], "succeeded");
}

#[tokio::test]
async fn an_aborted_or_failed_plan_that_the_server_puts_back_is_removed_and_its_id_stays() {
    let server = server().await;
    let host = plugin(&server, json!({"on_abort": "hold", "on_failure": "hold"})).await;
    let anna = host.login("anna", "").await.unwrap();
    for (code, how) in [
        (dwell(60), "aborted"),
        (json!({"name": "fall_over"}), "failed"),
    ] {
        let job = plan(&anna, code).await;
        let next = script(&anna, "next", "print('next')").await;
        if how == "aborted" {
            state(&anna, &job, "running").await;
            anna.call("abort", json!({})).await.unwrap();
        }
        let record = ended(&anna, &job).await;
        assert_eq!(
            (&record["state"], &record["exit"]),
            (&json!("failed"), &json!(how))
        );
        let status = run(&anna, "idle-after-failure").await;
        assert_eq!(status["queue"][0]["id"], json!(next), "{status}");
        until(&anna, "native", json!({"method": "queue_get"}), |queue| {
            queue["items"].as_array().unwrap().len() == 1
        })
        .await;
        let log = anna.call("log", json!({"last": 100})).await.unwrap();
        assert!(
            log.to_string().contains("until somebody says `resume`"),
            "{how}"
        );
        anna.call("resume", json!({})).await.unwrap();
        assert_eq!(ended(&anna, &next).await["state"], "succeeded");
        assert_eq!(ended(&anna, &job).await, record, "an end does not change");
    }
}

#[tokio::test]
async fn what_is_put_back_may_be_kept_as_a_job_of_its_own() {
    let server = server().await;
    let host = plugin(&server, json!({"requeued": "keep"})).await;
    let anna = host.login("anna", "").await.unwrap();
    let job = plan(&anna, json!({"name": "fall_over", "args": ["once"]})).await;
    assert_eq!(ended(&anna, &job).await["state"], "failed");
    let status = until(&anna, "status", json!({}), |status| {
        status["queue"][0]["id"].is_string()
    })
    .await;
    let copy = status["queue"][0]["id"].as_str().unwrap().to_owned();
    assert_ne!(copy, job);
    assert_eq!(
        run(&anna, "idle-after-failure").await["queue"][0]["id"],
        json!(copy)
    );
    anna.call("remove", json!({"job": copy})).await.unwrap();
    assert_eq!(ended(&anna, &copy).await["state"], "removed");
}

#[tokio::test]
async fn waiting_jobs_are_ordered_changed_and_removed() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    let first = plan(&anna, dwell(60)).await;
    state(&anna, &first, "running").await;
    let a = script(&anna, "a", "order = globals().get('order', []) + ['a']").await;
    let b = script(&anna, "b", "order = globals().get('order', []) + ['b']").await;
    let c = script(&anna, "c", "nonsense(").await;
    let fault = anna
        .call("submit", json!({"code": "1", "start": true}))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict);
    anna.call("reorder", json!({"jobs": [c, b, a]}))
        .await
        .unwrap();
    event_where(&host, "queue", |body| body["jobs"] == json!([c, b, a])).await;
    let fault = anna
        .call("reorder", json!({"jobs": [a]}))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict);
    let new = "order = globals().get('order', []) + ['c']";
    anna.call("edit", json!({"job": c, "code": new}))
        .await
        .unwrap();
    let gone = script(&anna, "gone", "order = 'no'").await;
    anna.call("remove", json!({"job": gone})).await.unwrap();
    assert_eq!(ended(&anna, &gone).await["state"], "removed");
    let fault = anna
        .call("remove", json!({"job": "nope"}))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
    let status = anna.call("status", json!({"native": true})).await.unwrap();
    assert_eq!(status["queue"][0]["body"], json!(new), "{status}");
    assert_eq!(status["native"]["queueserver"]["items_in_queue"], 3);
    let submitted = json!({"name": "b", "code": "order = globals().get('order', []) + ['b']"});
    let found = anna
        .call("find", json!({"submit": submitted, "since": 0}))
        .await
        .unwrap();
    assert_eq!(found["jobs"], json!([b]));
    // The plan ends, and the rest runs in its order.
    let pause = json!({"method": "re_pause", "params": {"option": "immediate"}});
    until(&anna, "native", pause, |answer| {
        if answer["success"] != true {
            eprintln!("re_pause: {answer}");
        }
        answer["success"] == true
    })
    .await;
    run(&anna, "paused").await;
    let host2 = plugin(&server, json!({})).await;
    let bob = host2.login("bob", "").await.unwrap();
    assert_eq!(
        run(&bob, "paused").await["job"]["id"],
        json!(first),
        "ids outlive the gateway"
    );
    native(&bob, "re_stop", json!({})).await;
    assert_eq!(ended(&bob, &first).await["exit"], "stopped");
}

#[tokio::test]
async fn another_clients_plans_are_shown_and_left_alone() {
    let server = server().await;
    let host = plugin(&server, json!({})).await;
    let anna = host.login("anna", "").await.unwrap();
    anna.call("environment", json!({"do": "open"}))
        .await
        .unwrap();
    let item = json!({"item_type": "plan", "name": "fall_over", "args": ["theirs"]});
    let params = json!({"item": item, "user": "carl", "user_group": "primary"});
    let added = native(&anna, "queue_item_add", params).await;
    let uid = added["item"]["item_uid"].clone();
    let status = until(&anna, "status", json!({}), |status| {
        status["queue"][0]["id"] == uid
    })
    .await;
    let shown = &status["queue"][0];
    assert_eq!(shown["external"], true);
    assert_eq!(
        (&shown["user"], &shown["body"]),
        (&json!("carl"), &json!("fall_over(\"theirs\")"))
    );
    assert_eq!(status["run"], "idle", "nobody has asked for it to run");
    native(&anna, "queue_start", json!({})).await;
    let record = ended(&anna, uid.as_str().unwrap()).await;
    assert_eq!(
        (&record["state"], &record["external"]),
        (&json!("failed"), &json!(true))
    );
    // The copy is theirs: it stays, and does not run by itself.
    let status = run(&anna, "idle-after-failure").await;
    let copy = &status["queue"][0];
    assert_eq!(copy["external"], true);
    assert_ne!(copy["id"], uid);
    let mine = submit(&anna, json!({"code": "print('mine')"})).await;
    event_where(&host, "log", |line| {
        line["text"]
            .as_str()
            .unwrap()
            .contains("put it back at the front")
    })
    .await;
    let status = run(&anna, "idle-after-failure").await;
    assert_eq!(status["queue"][1]["id"], json!(mine), "{status}");
    anna.call("remove", json!({"all": true})).await.unwrap();
    assert_eq!(ended(&anna, &mine).await["state"], "removed");
    let left = native(&anna, "queue_get", json!({})).await;
    assert_eq!(
        left["items"][0]["name"], "fall_over",
        "all are the gateway's own"
    );
    // By express wish it runs again.
    anna.call("resume", json!({})).await.unwrap();
    assert_eq!(
        ended(&anna, copy["id"].as_str().unwrap()).await["state"],
        "failed"
    );
}

#[tokio::test]
async fn the_environment_is_opened_by_hand_or_at_the_start_as_the_operator_wants_it() {
    let server = server().await;
    let host = plugin(&server, json!({"environment": "manual"})).await;
    let anna = host.login("anna", "").await.unwrap();
    until(&anna, "status", json!({}), |status| status["link"] == "up").await;
    let fault = anna.call("submit", json!({"code": "1"})).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
    anna.call("environment", json!({"do": "open"}))
        .await
        .unwrap();
    let job = script(&anna, "by hand", "print(1)").await;
    assert_eq!(ended(&anna, &job).await["state"], "succeeded");
    anna.call("environment", json!({"do": "close"}))
        .await
        .unwrap();
    drop(anna);
    host.stop().await;
    let host = plugin(&server, json!({"environment": "at-start"})).await;
    let anna = host.login("anna", "").await.unwrap();
    until(&anna, "status", json!({}), |status| {
        status["environment"] == "idle"
    })
    .await;
    let devices = anna.call("devices", json!({})).await.unwrap();
    let devices = devices["devices"].as_array().unwrap();
    assert!(devices.contains(&json!("det")), "{devices:?}");
}

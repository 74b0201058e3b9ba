//! The backend with a gateway that is this test: what a job goes through, and what is told of it.

use my_plugin::Server;
use patchbay_sdk::FaultKind;
use patchbay_testkit::{BackendHost, TestSession, Wire};
use serde_json::{Value, json};

async fn start(config: Value) -> BackendHost {
    BackendHost::start::<Server>(config, Wire::Bytes)
        .await
        .unwrap()
}

/// Submits a script: its job's id.
async fn submit(session: &TestSession<'_>, code: &str) -> Value {
    let reply = session.call("submit", json!({ "code": code })).await;
    reply.unwrap()["job"].clone()
}

/// Waits until a job has ended: how, and whose.
async fn ended(host: &BackendHost) -> (Value, String) {
    loop {
        let (job, body) = host.next_event("job").await;
        if body["state"] == "finished" {
            return (body["outcome"].clone(), job.unwrap());
        }
    }
}

#[tokio::test]
async fn a_script_says_its_lines_and_succeeds() {
    let host = start(json!({ "line_ms": 1 })).await;
    let session = host.login("anna", "").await.unwrap();
    let job = submit(&session, "one\ntwo").await;
    assert_eq!(host.next_event("log").await.1["text"], "one");
    assert_eq!(
        ended(&host).await,
        (json!("succeeded"), job.as_str().unwrap().to_owned())
    );
    let log = session.call("log", json!({ "last": 1 })).await.unwrap();
    assert_eq!(log["messages"][0]["text"], "two");
    let record = session.call("job", json!({ "job": job })).await.unwrap();
    assert_eq!(
        (&record["state"], &record["user"]),
        (&json!("succeeded"), &json!("anna"))
    );
    host.stop().await;
}

#[tokio::test]
async fn a_failure_and_a_stop_are_told_and_the_next_one_runs() {
    let host = start(json!({ "line_ms": 1 })).await;
    let session = host.login("anna", "").await.unwrap();
    submit(&session, "fail").await;
    assert_eq!(ended(&host).await.0, "failed");
    let status = session.call("status", json!({})).await.unwrap();
    assert_eq!(status["run"], "idle-after-failure");
    assert_eq!(status["last"]["error"], "line 1 says `fail`");
    submit(&session, "fine").await;
    assert_eq!(ended(&host).await.0, "succeeded");
    host.stop().await;
}

#[tokio::test]
async fn what_waits_can_be_removed_and_what_runs_stopped() {
    let host = start(json!({ "jobs": 1 })).await;
    let session = host.login("anna", "").await.unwrap();
    let first = submit(&session, "wait").await;
    let (begun, _) = host.next_event("state").await;
    assert_eq!(begun, None);
    let second = submit(&session, "afterwards").await;
    let full = session
        .call("submit", json!({ "code": "" }))
        .await
        .unwrap_err();
    assert_eq!(full.kind, FaultKind::Busy);
    let running = session
        .call("remove", json!({ "job": first }))
        .await
        .unwrap_err();
    assert_eq!(running.kind, FaultKind::Conflict);
    session
        .call("remove", json!({ "job": second }))
        .await
        .unwrap();
    session.call("stop", json!({})).await.unwrap();
    assert_eq!(
        ended(&host).await,
        (json!("failed"), first.as_str().unwrap().to_owned())
    );
    host.stop().await;
}

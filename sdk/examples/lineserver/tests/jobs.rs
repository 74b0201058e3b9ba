//! Jobs keep their identity, whatever becomes of the server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod server;

use patchbay_lineserver::LineServer;
use patchbay_sdk::FaultKind;
use patchbay_testkit::{BackendHost, TestSession, Wire};
use serde_json::{Value, json};

/// A backend that has found its server.
async fn start(server: &server::LineServer) -> BackendHost {
    let config = json!({ "address": server.address });
    let host = BackendHost::start::<LineServer>(config, Wire::Bytes)
        .await
        .unwrap();
    link(&host, "up").await;
    host
}

async fn link(host: &BackendHost, wanted: &str) {
    while host.next_event("link").await.1["link"] != wanted {}
}

async fn submit(session: &TestSession<'_>, code: &str) -> String {
    let reply = session
        .call("submit", json!({ "code": code }))
        .await
        .unwrap();
    reply["job"].as_str().unwrap().to_owned()
}

async fn state(session: &TestSession<'_>, job: &str) -> Value {
    session.call("job", json!({ "job": job })).await.unwrap()["state"].clone()
}

#[tokio::test]
async fn what_runs_when_the_server_dies_is_lost_and_ids_are_new_afterwards() {
    let server = server::LineServer::start();
    let host = start(&server).await;
    let session = host.login("anna", "secret").await.unwrap();
    let job = submit(&session, "wait").await;
    server.kill();
    link(&host, "down").await;
    let refused = session
        .call("submit", json!({ "code": "one" }))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.kind, refused.retry),
        (FaultKind::Unavailable, true)
    );
    server.start_again();
    link(&host, "up").await;
    let (lost, body) = loop {
        let (id, body) = host.next_event("job").await;
        if body["state"] == "finished" {
            break (id.unwrap(), body);
        }
    };
    assert_eq!(
        (lost.as_str(), &body["outcome"]),
        (job.as_str(), &json!("lost"))
    );
    assert_eq!(state(&session, &job).await, "lost");
    assert_ne!(submit(&session, "one").await, job);
    host.stop().await;
}

/// Waits until a job has ended: which, and how.
async fn ended(host: &BackendHost) -> (String, Value) {
    loop {
        let (id, body) = host.next_event("job").await;
        if body["state"] == "finished" {
            return (id.unwrap(), body["outcome"].clone());
        }
    }
}

#[tokio::test]
async fn a_submit_whose_answer_was_lost_is_found_under_its_id_and_not_done_twice() {
    let server = server::LineServer::start();
    let host = start(&server).await;
    let session = host.login("anna", "secret").await.unwrap();
    server.tell("HANGUP");
    let asked = json!({ "code": "one" });
    let fault = session.call("submit", asked.clone()).await.unwrap_err();
    // It may have been done, so nobody may be told to try again.
    assert_eq!(
        (fault.kind, fault.retry),
        (FaultKind::UnknownOutcome, false)
    );
    let (job, outcome) = ended(&host).await;
    assert_eq!(outcome, "succeeded");
    let find = json!({ "submit": asked, "since": 0.0 });
    let found = session.call("find", find).await.unwrap();
    assert_eq!(found["jobs"], json!([job]));
    host.stop().await;
}

#[tokio::test]
async fn a_job_is_known_by_its_id_after_the_plugin_was_restarted() {
    let server = server::LineServer::start();
    let before = start(&server).await;
    let session = before.login("anna", "secret").await.unwrap();
    let job = submit(&session, "wait").await;
    before.stop().await;
    let after = start(&server).await;
    let session = after.login("anna", "secret").await.unwrap();
    assert_eq!(state(&session, &job).await, "running");
    session.call("stop", json!({})).await.unwrap();
    assert_eq!(ended(&after).await, (job, json!("failed")));
    after.stop().await;
}

#[tokio::test]
async fn a_name_that_would_be_another_line_gets_nobody_in() {
    let server = server::LineServer::start();
    let host = start(&server).await;
    for user in ["anna\n9 STOP", "anna secret"] {
        let fault = host.login(user, "secret").await.err().unwrap();
        assert_eq!(fault.kind, FaultKind::Unauthorized, "{user}");
    }
    host.stop().await;
}

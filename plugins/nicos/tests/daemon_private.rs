//! What a real NICOS daemon tells one client only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

#[path = "common/bench.rs"]
mod bench;

use bench::{daemon, event_where, plugin, until};
use patchbay_abi::{Kind, head};
use patchbay_testkit::{BackendHost, TestSession};
use serde_json::{Value, json};

async fn submit(session: &TestSession<'_>, code: &str) {
    session.call("submit", json!({"code": code})).await.unwrap();
}

/// The next event that is for one session only.
async fn private(host: &BackendHost) -> (u64, Value) {
    loop {
        let message = host.next_of(&[Kind::EVENT]).await;
        let head: head::Event = message.read_head().unwrap();
        if let Some(session) = head.session {
            return (session, serde_json::from_slice(&message.body).unwrap());
        }
    }
}

#[tokio::test]
async fn help_is_for_the_client_that_asked_for_it() {
    let nicos = daemon().await;
    let host = plugin(&nicos, json!({})).await;
    let one = host.login("user", "user").await.unwrap();
    let two = host.login("user", "user").await.unwrap();
    event_where(&host, "link", |body| body["link"] == "up").await;

    submit(&one, "help(maw)\n").await;
    let (session, body) = private(&host).await;
    assert_eq!((session, &body["event"]), (one.id(), &json!("showhelp")));
    assert!(body["value"][1].as_str().unwrap().contains("maw"));
    until(&one, "status", json!({}), |status| status["run"] == "idle").await;

    two.call("exec", json!({"code": "help(count)"}))
        .await
        .unwrap();
    let (session, body) = private(&host).await;
    assert_eq!(session, two.id());
    assert!(body["value"][1].as_str().unwrap().contains("count"));
    host.stop().await;
}

#[tokio::test]
async fn help_that_nobody_of_ours_asked_for_is_counted_and_shown_to_nobody() {
    let nicos = daemon().await;
    let ours = plugin(&nicos, json!({})).await;
    let _user = ours.login("user", "user").await.unwrap();
    event_where(&ours, "link", |body| body["link"] == "up").await;
    let theirs = plugin(&nicos, json!({})).await;
    let other = theirs.login("admin", "admin").await.unwrap();
    submit(&other, "help(maw)\n").await;
    let (session, _) = private(&theirs).await;
    assert_eq!(session, other.id());
    loop {
        let message = ours.next_of(&[Kind::EVENT]).await;
        let head: head::Event = message.read_head().unwrap();
        assert_eq!(head.session, None);
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        if body["state"] == "finished" {
            break;
        }
    }
    theirs.stop().await;
    ours.stop().await;
}

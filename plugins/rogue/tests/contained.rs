//! What a plugin does wrong stays with the request in which it does it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay_rogue::Rogue;
use patchbay_sdk::FaultKind;
use patchbay_testkit::{BackendHost, Wire};
use serde_json::{Value, json};

async fn host(config: Value) -> BackendHost {
    BackendHost::start::<Rogue>(config, Wire::InProcess)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_panic_fails_its_own_call_by_name_and_the_session_goes_on() {
    let host = host(json!({})).await;
    let session = host.login("admin", "").await.unwrap();
    for deed in ["panic", "panic in drop"] {
        let fault = session
            .call("eval", json!({ "code": deed }))
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Internal);
        assert!(
            fault.message.contains("`eval`") && fault.message.contains("on request"),
            "{fault}"
        );
        assert_eq!(
            session.call("status", json!({ "n": 1 })).await.unwrap(),
            json!({ "n": 1 })
        );
    }
}

#[tokio::test]
async fn a_panic_in_a_task_or_in_a_sessions_drop_harms_nobody() {
    let host = host(json!({})).await;
    let session = host.login("admin", "").await.unwrap();
    session
        .call("eval", json!({ "code": "panic in task" }))
        .await
        .unwrap();
    host.login("expert", "").await.unwrap().logout();
    assert_eq!(session.call("status", json!({})).await.unwrap(), json!({}));
    host.login("expert", "").await.unwrap();
    host.stop().await;
}

#[tokio::test]
async fn a_panic_in_start_or_login_is_a_fault_that_says_where() {
    let start = BackendHost::start::<Rogue>(json!({ "start": "panic" }), Wire::InProcess).await;
    assert!(start.err().unwrap().message.contains("panicked in start"));
    let host = host(json!({ "login": "panic" })).await;
    let fault = host.login("admin", "").await.err().unwrap();
    assert!(fault.message.contains("panicked in login"), "{fault}");
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_dropped() {
    let host = host(json!({})).await;
    let session = host.login("admin", "").await.unwrap();
    let hangs = session.call("eval", json!({ "code": "hang" }));
    let soon = tokio::time::timeout(std::time::Duration::from_millis(50), hangs).await;
    assert!(soon.is_err());
    assert_eq!(session.call("status", json!({})).await.unwrap(), json!({}));
    host.stop().await;
}

#[tokio::test]
async fn what_was_cancelled_is_not_answered_and_what_its_end_cut_off_is_of_unknown_outcome() {
    let host = host(json!({})).await;
    let session = host.login("admin", "").await.unwrap();
    let hangs = session.call("eval", json!({ "code": "hang" }));
    let stops = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        host.stop_without_waiting();
    };
    let (outcome, ()) = tokio::join!(hangs, stops);
    assert_eq!(outcome.unwrap_err().kind, FaultKind::UnknownOutcome);
}

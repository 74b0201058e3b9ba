//! The gateway's own login at the broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_abi::{Kind, head};
use serde_json::json;
use support::broker::{Listener, Peer};
use support::start;

async fn passcode(listener: &Listener) -> (String, Peer) {
    let mut peer = listener.accept_raw().await;
    let connect = peer.frame().await;
    (connect.header("passcode").unwrap().to_owned(), peer)
}

#[tokio::test]
async fn a_passcode_that_cannot_be_read_is_told_and_a_changed_one_is_seen_at_the_next_connection() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("passcode");
    let listener = Listener::bind().await;
    let mut config = listener.config();
    config["login"] = json!("gw");
    config["passcode"] = json!({"file": file});
    let host = start(config).await;
    let health: head::Health = host.next_of(&[Kind::HEALTH]).await.read_head().unwrap();
    assert_eq!(health.state, "down");
    assert!(
        health.reason.contains("no secret in file") && health.reason.contains("passcode"),
        "{}",
        health.reason
    );

    std::fs::write(&file, "one\n").unwrap();
    let (first, peer) = passcode(&listener).await;
    assert_eq!(first, "one");
    std::fs::write(&file, "two\n").unwrap();
    drop(peer);
    assert_eq!(passcode(&listener).await.0, "two");
    host.stop().await.unwrap();
}

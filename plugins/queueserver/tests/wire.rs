//! Asking, when the other side misbehaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common {
    pub mod peer;
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::peer::{Deed, Peer, blurt, hello, rep};
use patchbay_queueserver::config::Config;
use patchbay_queueserver::wire::{Control, Urgency};
use patchbay_queueserver::zmtp::{encode, greeting};
use patchbay_sdk::{Fault, FaultKind};
use serde_json::{Value, json};

fn control(peer: &Peer) -> Arc<Control> {
    let config = Config {
        control: peer.address.to_string(),
        frame_limit_bytes: 64 << 10,
        reply_deadline_s: 0.3,
        connect_deadline_s: 0.5,
        requests_most: 2,
        ..Config::default()
    };
    Control::new(&config)
}

async fn ask(control: &Control, method: &'static str) -> Result<Value, Fault> {
    control.ask(method, json!({}), Urgency::Ordinary).await
}

#[tokio::test]
async fn requests_in_turn_share_a_connection() {
    let peer = rep(|request| Deed::Answer(json!({"success": true, "heard": request}))).await;
    let control = control(&peer);
    for _ in 0..3 {
        let reply = ask(&control, "status").await.unwrap();
        assert_eq!(reply["heard"], json!({"method": "status", "params": {}}));
    }
    assert_eq!(peer.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn an_answer_that_does_not_come_costs_the_connection_and_not_the_next_request() {
    let asked = AtomicUsize::new(0);
    let peer = rep(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => Deed::Silence,
        2 => Deed::Close,
        _ => Deed::Answer(json!({"success": true})),
    })
    .await;
    let control = control(&peer);
    let fault = ask(&control, "status").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable, "{fault}");
    let fault = ask(&control, "queue_item_add").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownOutcome, "{fault}");
    let fault = ask(&control, "status").await.unwrap_err();
    assert!(fault.message.contains("closed the connection"), "{fault}");
    ask(&control, "status").await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_nothing_was_done() {
    let peer = rep(|_| Deed::Close).await;
    let control = control(&peer);
    drop(peer);
    tokio::task::yield_now().await;
    let fault = ask(&control, "queue_item_add").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable, "{fault}");
    assert!(fault.retry);
}

#[tokio::test]
async fn a_refusal_is_a_fault_with_the_servers_words() {
    let peer = rep(|_| Deed::Answer(json!({"success": false, "msg": "Queue is empty."}))).await;
    let fault = ask(&control(&peer), "queue_start").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict);
    assert!(fault.message.contains("“Queue is empty.”"), "{fault}");
}

#[tokio::test]
async fn what_is_too_long_or_no_answer_is_refused() {
    let length = [[2].as_slice(), &u64::MAX.to_be_bytes()].concat();
    let long = move |_: &Value| Deed::Raw(length.clone());
    let peer = rep(long).await;
    let fault = ask(&control(&peer), "history_get").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TooLarge, "{fault}");
    assert!(fault.message.contains("frame_limit_bytes"), "{fault}");
    for bytes in [
        encode(&[b"", b"{"], false),
        encode(&[b"x", b"{}"], false),
        encode(&[b"{}"], false),
    ] {
        let peer = rep(move |_| Deed::Raw(bytes.clone())).await;
        let fault = ask(&control(&peer), "status").await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Protocol, "{fault}");
    }
}

#[tokio::test]
async fn what_is_no_re_manager_is_named() {
    let mut curve = greeting();
    curve[12..17].copy_from_slice(b"CURVE");
    for (bytes, word) in [
        (b"HTTP/1.1 400 Bad Request\r\n".to_vec(), "no 0MQ socket"),
        (curve.to_vec(), "CURVE"),
        (hello("PUB"), "PUB"),
        (Vec::new(), "in time"),
    ] {
        let peer = blurt(bytes).await;
        let fault = ask(&control(&peer), "status").await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unavailable);
        assert!(fault.message.contains(word), "{word}: {fault}");
    }
}

#[tokio::test]
async fn what_the_server_itself_does_not_know_is_no_success() {
    let msg = "Timeout occurred while processing the request";
    let peer = rep(move |_| Deed::Answer(json!({"success": null, "msg": msg}))).await;
    let fault = ask(&control(&peer), "script_upload").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Timeout, "{fault}");
}

#[tokio::test]
async fn requests_have_a_bound_and_urgent_ones_room_of_their_own() {
    let peer = rep(|request| match request["method"] == "ping" {
        true => Deed::Answer(json!({})),
        false => Deed::Silence,
    })
    .await;
    let config = Config {
        control: peer.address.to_string(),
        requests_most: 2,
        ..Config::default()
    };
    let control = Control::new(&config);
    let waiting = [0, 1].map(|_| {
        let control = Arc::clone(&control);
        tokio::spawn(async move { ask(&control, "status").await })
    });
    while peer.connections.load(Ordering::Relaxed) < 2 {
        tokio::task::yield_now().await;
    }
    let fault = ask(&control, "status").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Busy, "{fault}");
    let urgent: Result<Value, Fault> = control.ask("ping", json!({}), Urgency::Urgent).await;
    assert_eq!(urgent.unwrap(), json!({}));
    for one in waiting {
        one.abort();
    }
}

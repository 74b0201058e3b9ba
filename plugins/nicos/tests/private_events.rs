//! An event for one client only of which nobody knows whose it is; a scripted daemon.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the daemon is shared"
)]

#[path = "common/hostile.rs"]
mod hostile;

use hostile::{Wrong, daemon, plugin};
use patchbay_abi::{Kind, head};
use patchbay_nicos::pickle::{Arg, encode};
use serde_json::json;

/// A `showhelp` event.
fn help() -> Vec<u8> {
    let payload = encode(vec![Arg::from("topic"), Arg::from("<html>")]);
    let length = (payload.len() as u32).to_be_bytes();
    [&[3, 0x10, 0x0f, 0][..], &length, &payload].concat()
}

#[tokio::test]
async fn what_is_for_nobody_that_is_known_is_counted_and_shown_to_nobody() {
    let daemon = daemon().await;
    daemon.spoil_events("u", Wrong::Says(help()));
    let host = plugin(&daemon, json!({})).await;
    let _user = host.login("u", "x").await.unwrap();
    loop {
        let message = host.next_of(&[Kind::METRIC, Kind::EVENT]).await;
        if message.kind == Kind::METRIC {
            let metric: head::Metric = message.read_head().unwrap();
            assert_eq!(
                (metric.counter.as_str(), metric.add),
                ("private_events_dropped", 1)
            );
            break;
        }
        let event: head::Event = message.read_head().unwrap();
        assert_eq!(event.session, None);
    }
    host.stop().await;
}

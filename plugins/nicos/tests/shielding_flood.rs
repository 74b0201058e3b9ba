//! Events without end, each a few bytes that describe megabytes: clients are served all the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the daemon is shared"
)]

#[path = "common/hostile.rs"]
mod hostile;

use hostile::{Daemon, PATIENCE, Seen, Wrong, daemon, event, plugin};
use patchbay_nicos::verb::GETSTATUS;
use patchbay_testkit::BackendHost;
use serde_json::json;
use tokio::time::timeout;

const MESSAGE: u16 = 0x1001;

/// Seven hundred times the same text of twenty thousand letters: 14 MB of JSON, and no message.
fn bomb() -> Vec<u8> {
    let text = [&b"X"[..], &20_000u32.to_le_bytes(), &[b'x'; 20_000]].concat();
    [
        b"\x80\x02(",
        &text[..],
        b"q\x00",
        &b"h\x00".repeat(700),
        b"l.",
    ]
    .concat()
}

async fn flooded(daemon: &Daemon, payload: &[u8]) -> BackendHost {
    daemon.spoil_events("guest", Wrong::Floods(event(MESSAGE, payload).repeat(10)));
    plugin(daemon, json!({})).await
}

/// A client logs in, looks around, and stops everything.
async fn is_served(host: &BackendHost) {
    let served = async {
        let user = host.login("u", "x").await.unwrap();
        for _ in 0..10 {
            user.call("status", json!({})).await.unwrap();
        }
        user.call("emergency", json!({})).await.unwrap();
    };
    timeout(PATIENCE, served).await.expect("clients are served");
}

#[tokio::test]
async fn a_flood_of_bombs_keeps_nobody_waiting() {
    for payload in [&bomb()[..], include_bytes!("bombs/billion_laughs.pickle")] {
        let daemon = daemon().await;
        let host = flooded(&daemon, payload).await;
        host.counted("events_unreadable", 2).await;
        is_served(&host).await;
        host.counted("events_unreadable", 1).await;
        host.stop().await;
    }
}

#[tokio::test]
async fn a_flood_of_small_events_keeps_nobody_waiting() {
    let daemon = daemon().await;
    let host = flooded(&daemon, b"\x80\x02](K\x01K\x02e.").await;
    host.counted("events_unreadable", 1000).await;
    is_served(&host).await;
    host.stop().await;
}

#[tokio::test]
async fn in_a_flood_the_daemon_is_looked_at_after_a_native_command_all_the_same() {
    let mut daemon = daemon().await;
    let host = flooded(&daemon, b"\x80\x02](K\x01K\x02e.").await;
    host.counted("events_unreadable", 1000).await;
    let user = host.login("u", "x").await.unwrap();
    daemon.seen_so_far();
    let args = json!({"method": "unlock"});
    user.call("native", args).await.unwrap();
    let look = Seen::Command("guest".into(), GETSTATUS.code);
    daemon.sees(&look).await;
    host.stop().await;
}

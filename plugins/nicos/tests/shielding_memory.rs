//! Whatever length a daemon announces and however much it sends, the plugin does not keep it. One test, because all in a
//! process share its memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the daemon is shared"
)]

#[path = "common/hostile.rs"]
mod hostile;
#[path = "common/memory.rs"]
mod memory;

use hostile::peer::sized;
use hostile::{Wrong, daemon, health, plugin};
use memory::peak;
use patchbay_nicos::verb::GETSTATUS;
use patchbay_sdk::FaultKind;
use serde_json::json;

const FRAME: usize = 4 << 20;

/// A header that announces four gigabytes, and as much of them as somebody might wait for.
fn endless(header: &[u8]) -> Wrong {
    Wrong::Hangs([header, &[0xff; 4], &vec![b'x'; 2 * FRAME][..]].concat())
}

#[tokio::test]
async fn four_gigabytes_are_not_kept() {
    let daemon = daemon().await;
    daemon.spoil_events("guest", endless(&[3, 3, 0xe9, 0]));
    let host = plugin(&daemon, json!({})).await;
    health(&host, "down").await;
    health(&host, "up").await;
    let user = host.login("u", "x").await.unwrap();
    let before = peak();
    for _ in 0..3 {
        daemon.spoil("u", GETSTATUS.code, endless(&[3]));
        let fault = user.call("status", json!({})).await.unwrap_err();
        assert!(fault.message.contains("4294967295 bytes"), "{fault}");
        health(&host, "degraded").await;
        health(&host, "up").await;
    }
    // One that is only sixteen times too long is skipped, and the connection goes on.
    let long = sized(3, &vec![b'x'; 15 * FRAME]);
    let sent = long.len();
    let before = before.max(peak());
    daemon.spoil("u", GETSTATUS.code, Wrong::Says(long));
    let fault = user.call("status", json!({})).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::TooLarge, "{fault}");
    user.call("status", json!({})).await.unwrap();
    let grown = peak() - before;
    assert!(grown < 4 * FRAME, "{grown} bytes for {sent}");
    host.stop().await;
}

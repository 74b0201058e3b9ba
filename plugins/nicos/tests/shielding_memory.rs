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

use hostile::peer::sized;
use hostile::{Wrong, daemon, health, plugin};
use patchbay_nicos::verb::GETSTATUS;
use patchbay_sdk::FaultKind;
use serde_json::json;

/// The most memory that this process has ever had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<usize>().unwrap() * 1024
}

const FRAME: usize = 4 << 20;

/// A header that announces four gigabytes, and as much of them as somebody might wait for.
fn endless(header: &[u8]) -> Wrong {
    Wrong::Hangs([header, &[0xff; 4], &vec![b'x'; 2 * FRAME][..]].concat())
}

/// Frames of the longest that is let through, as events of a kind that everybody hears of.
fn longest_events() -> Wrong {
    let payload = vec![0; FRAME];
    let header = [&[3, 3, 0xe9, 0][..], &(payload.len() as u32).to_be_bytes()].concat();
    Wrong::Floods([header, payload].concat())
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

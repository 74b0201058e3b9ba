//! Events that come faster than they can be read stay at the daemon. One test, because all in a process share its memory.

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

use hostile::{Wrong, daemon, event, plugin};
use memory::peak;
use serde_json::json;

const FRAME: usize = 1 << 20;

/// One of the longest events that are let through, which takes long to read and no memory: the same value is fetched and
/// dropped again and again, and then something is missing.
fn slow() -> Vec<u8> {
    let start = b"\x80\x02Nq\x000";
    let times = (FRAME - start.len()) / 3;
    event(0x03e9, &[&start[..], &b"h\x000".repeat(times)].concat())
}

#[tokio::test]
async fn as_many_events_wait_as_there_is_room_for() {
    let daemon = daemon().await;
    daemon.spoil_events("guest", Wrong::Floods(slow()));
    let before = peak();
    let room = 4 * FRAME;
    let more = json!({"frame_limit_bytes": FRAME, "events_waiting_bytes": room});
    let host = plugin(&daemon, more).await;
    host.counted("events_unreadable", 20).await;
    let grown = peak() - before;
    // Beside them: the one that is being read, the one that waits for room, what the socket's reader has at hand.
    let most = room + 6 * FRAME;
    assert!(grown < most, "{grown} bytes, of at most {most}");
    host.stop().await;
}

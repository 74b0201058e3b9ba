//! How the plugin's connections end: always with a farewell that the daemon's accept loop survives, never with a reset.

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
use hostile::{Daemon, PATIENCE, Seen, Wrong, daemon, plugin};
use patchbay_nicos::verb::{GETSTATUS, GETVERSION};
use serde_json::json;
use tokio::time::timeout;

/// Small events without end.
fn events() -> Wrong {
    Wrong::Floods([3, 3, 0xed, 0, 0, 0, 0, 1, b'.'].repeat(1000))
}

/// The ends of this many connections.
async fn ends(daemon: &mut Daemon, count: usize) -> Vec<Seen> {
    let mut ends = Vec::new();
    while ends.len() < count {
        let seen = timeout(PATIENCE, daemon.seen.recv()).await;
        let seen = seen.unwrap_or_else(|_| panic!("only {} connections end", ends.len()));
        ends.extend(seen.filter(|seen| matches!(seen, Seen::Closed | Seen::Reset)));
    }
    ends
}

/// However many the plugin has begun to open: it leaves none, and has reset none.
async fn assert_left(daemon: &mut Daemon) {
    daemon.is_left().await;
    let seen = daemon.seen_so_far();
    assert!(seen.contains(&Seen::Closed));
    assert!(!seen.contains(&Seen::Reset), "{seen:?}");
}

async fn assert_all_closed(daemon: &mut Daemon, count: usize) {
    assert_eq!(ends(daemon, count).await, vec![Seen::Closed; count]);
}

#[tokio::test]
async fn a_plugin_that_stops_closes_everything_properly() {
    let mut daemon = daemon().await;
    let host = plugin(&daemon, json!({})).await;
    let user = host.login("u", "x").await.unwrap();
    user.call("status", json!({})).await.unwrap();
    host.stop().await;
    assert_left(&mut daemon).await;
}

#[tokio::test]
async fn a_plugin_that_stops_within_a_long_reply_reads_what_comes() {
    let mut daemon = daemon().await;
    let host = plugin(&daemon, json!({"reply_deadline_s": 60})).await;
    let user = host.login("u", "x").await.unwrap();
    let part = sized(3, &[0; 3_000_000])[..2_900_000].to_vec();
    daemon.spoil("u", GETSTATUS.code, Wrong::Hangs(part));
    let stop = async {
        daemon
            .sees(&Seen::Command("u".into(), GETSTATUS.code))
            .await;
        host.stop_without_waiting();
    };
    let (fault, ()) = tokio::join!(user.call("status", json!({})), stop);
    fault.expect_err("there was no whole reply");
    assert_left(&mut daemon).await;
}

#[tokio::test]
async fn a_plugin_that_stops_with_events_under_way_reads_them() {
    let mut daemon = daemon().await;
    for user in ["guest", "u", "u"] {
        daemon.spoil_events(user, events());
    }
    let host = plugin(&daemon, json!({})).await;
    let _user = host.login("u", "x").await.unwrap();
    host.stop_without_waiting();
    assert_left(&mut daemon).await;
}

#[tokio::test]
async fn a_connection_that_is_out_of_step_is_read_to_its_end() {
    let mut daemon = daemon().await;
    let host = plugin(&daemon, json!({})).await;
    let user = host.login("u", "x").await.unwrap();
    let garbage = Wrong::Hangs(vec![0xaa; 3_000_000]);
    daemon.spoil("u", GETSTATUS.code, garbage.clone());
    user.call("status", json!({})).await.unwrap_err();
    assert_all_closed(&mut daemon, 2).await;
    // The same when the observer's is, and with its events.
    daemon.spoil_events("guest", garbage);
    daemon.spoil("guest", GETVERSION.code, Wrong::Closes(Vec::new()));
    host.stop().await;
    assert_left(&mut daemon).await;
}

#[tokio::test]
async fn an_event_connection_full_of_garbage_is_not_reset() {
    let mut daemon = daemon().await;
    daemon.spoil_events("guest", Wrong::Hangs(vec![0xaa; 3_000_000]));
    let host = plugin(&daemon, json!({})).await;
    assert_all_closed(&mut daemon, 2).await;
    host.stop().await;
}

#[tokio::test]
async fn looking_whether_a_daemon_is_there_resets_nothing() {
    let mut daemon = daemon().await;
    let _host = plugin(&daemon, json!({"observer": null, "probe_s": 0.05})).await;
    assert_all_closed(&mut daemon, 5).await;
}

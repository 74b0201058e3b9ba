//! A daemon that misbehaves costs one call: who called is told, the health says it, others go on, and all is well again
//! when the daemon behaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the daemon is shared"
)]

#[path = "common/hostile.rs"]
mod hostile;

use hostile::peer::{number, refusal, sized};
use hostile::{AUTHENTICATE, Daemon, PATIENCE, Seen, Wrong, daemon, health, plugin};
use patchbay_nicos::verb::{GETSTATUS, QUEUE};
use patchbay_sdk::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use std::time::Duration;

/// What becomes of a call whose answer is wrong in this way, and what the health says of it.
async fn suffered(op: &str, args: Value, code: u16, wrong: Wrong) -> (Fault, String) {
    let daemon = daemon().await;
    let host = plugin(&daemon, json!({})).await;
    let user = host.login("u", "x").await.unwrap();
    let other = host.login("v", "x").await.unwrap();
    daemon.spoil("u", code, wrong);
    let (fault, fine) = tokio::join!(user.call(op, args), other.call("status", json!({})));
    fine.expect("others go on");
    let reason = health(&host, "degraded").await;
    health(&host, "up").await;
    let again = user.call("status", json!({})).await;
    again.expect("it works again, without logging in");
    host.stop().await;
    (fault.expect_err("there was no answer"), reason)
}

async fn status_suffered(wrong: Wrong) -> (Fault, String) {
    suffered("status", json!({}), GETSTATUS.code, wrong).await
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[tokio::test]
async fn a_daemon_that_says_nothing() {
    let (fault, reason) = status_suffered(Wrong::Hangs(Vec::new())).await;
    assert_eq!(fault.kind, FaultKind::Timeout, "{fault}");
    assert_says(
        &reason,
        &["query connection of `u`", "no reply to `getstatus` in time"],
    );
}

#[tokio::test]
async fn a_daemon_that_takes_a_script_and_says_nothing() {
    let script = json!({"code": "1"});
    let (fault, _) = suffered("submit", script, QUEUE.code, Wrong::Hangs(Vec::new())).await;
    assert_eq!(fault.kind, FaultKind::UnknownOutcome, "{fault}");
}

#[tokio::test]
async fn a_daemon_that_answers_garbage() {
    let (fault, reason) = status_suffered(Wrong::Hangs(b"HTTP/1.1 200".to_vec())).await;
    assert_eq!(fault.kind, FaultKind::Timeout, "{fault}");
    assert_says(&fault.message, &["is it a NICOS daemon?"]);
    assert_says(
        &reason,
        &["query connection of `u`", "is it a NICOS daemon?"],
    );
}

#[tokio::test]
async fn a_daemon_that_announces_a_reply_of_four_gigabytes() {
    let long = [&[3][..], &[0xff; 4], &[0; 1000]].concat();
    let (fault, reason) = status_suffered(Wrong::Hangs(long)).await;
    assert_eq!(fault.kind, FaultKind::Timeout, "{fault}");
    assert_says(&fault.message, &["4294967295 bytes"]);
    assert_says(&reason, &["4294967295 bytes"]);
}

#[tokio::test]
async fn a_daemon_that_closes_in_the_middle_of_a_reply() {
    let half = sized(3, &[0; 1000])[..500].to_vec();
    let (fault, reason) = status_suffered(Wrong::Closes(half)).await;
    assert_eq!(fault.kind, FaultKind::Timeout, "{fault}");
    assert_says(&reason, &["query connection of `u`", "was lost"]);
}

#[tokio::test]
async fn a_daemon_that_does_not_read_a_script_of_megabytes() {
    let script = json!({"code": format!("# {}\n", "x".repeat(4_000_000))});
    let (fault, reason) = suffered("submit", script, QUEUE.code, Wrong::Deaf).await;
    assert_eq!(fault.kind, FaultKind::UnknownOutcome, "{fault}");
    assert_says(&reason, &["no reply to `queue` in time"]);
}

#[tokio::test]
async fn a_daemon_that_answers_twice_does_not_answer_the_next_caller() {
    let daemon = daemon().await;
    let host = plugin(&daemon, json!({})).await;
    let user = host.login("u", "x").await.unwrap();
    let twice = [refusal("first"), number(9)].concat();
    daemon.spoil("u", GETSTATUS.code, Wrong::Says(twice));
    let fault = user.call("status", json!({})).await.unwrap_err();
    assert_says(&fault.message, &["first"]);
    assert_says(&health(&host, "degraded").await, &["nobody had asked for"]);
    health(&host, "up").await;
    let status = user.call("status", json!({})).await.unwrap();
    assert_eq!(status["run"], "idle", "{status}");
    host.stop().await;
}

/// What the health says when the observer's connection is used so, and that it is up again after it.
async fn observer_suffers(daemon: &Daemon, wrong: Wrong) -> String {
    daemon.spoil_events("guest", wrong);
    let host = plugin(daemon, json!({})).await;
    let user = host.login("u", "x").await.unwrap();
    let reason = health(&host, "down").await;
    user.call("status", json!({})).await.expect("clients go on");
    health(&host, "up").await;
    host.stop().await;
    reason
}

#[tokio::test]
async fn a_daemon_whose_events_are_garbage() {
    let daemon = daemon().await;
    let garbage = Wrong::Hangs(b"HTTP/1.1 200".to_vec());
    let reason = observer_suffers(&daemon, garbage).await;
    assert_says(&reason, &["is it a NICOS daemon?"]);
}

#[tokio::test]
async fn a_daemon_that_announces_an_event_of_four_gigabytes() {
    let daemon = daemon().await;
    let long = [&[3, 3, 0xe9, 0][..], &[0xff; 4]].concat();
    let reason = observer_suffers(&daemon, Wrong::Hangs(long)).await;
    assert_says(&reason, &["4294967295 bytes"]);
}

#[tokio::test]
async fn an_observer_that_gets_no_answers_is_told_of_and_comes_back() {
    let daemon = daemon().await;
    let host = plugin(&daemon, json!({"probe_s": 0.2})).await;
    daemon.spoil("guest", 0x41, Wrong::Hangs(Vec::new()));
    assert_says(
        &health(&host, "down").await,
        &["no reply to `getversion` in time"],
    );
    health(&host, "up").await;
    host.stop().await;
}

#[tokio::test]
async fn a_refused_observer_is_replaced_by_the_next_who_logs_in() {
    let mut daemon = daemon().await;
    let no = || Wrong::Closes(refusal("no more"));
    let host = plugin(&daemon, json!({"observer": null})).await;
    let _first = host.login("u", "x").await.unwrap();
    // The event connections that the first one has: the reader's, and those of its two lanes.
    let logins = async {
        for _ in 0..3 {
            daemon.sees(&Seen::Login("u".into())).await
        }
    };
    timeout(PATIENCE, logins).await.unwrap();
    host.next_event("link").await;
    for _ in 0..20 {
        daemon.spoil("u", AUTHENTICATE, no());
    }
    daemon.drop_everybody();
    assert_says(&health(&host, "down").await, &["lost"]);
    assert_says(&health(&host, "down").await, &["“no more”"]);
    let _second = host.login("v", "x").await.unwrap();
    let up = async { while host.next_event("link").await.1["link"] != "up" {} };
    timeout(PATIENCE, up)
        .await
        .expect("the second one reads the events");
    host.stop().await;
}

#[tokio::test]
async fn a_daemon_that_refuses_one_login_after_the_other_is_not_stormed() {
    let mut daemon = daemon().await;
    let host = plugin(&daemon, json!({})).await;
    let user = host.login("u", "x").await.unwrap();
    daemon.sees(&Seen::Login("u".into())).await;
    daemon.sees(&Seen::Login("u".into())).await;
    for _ in 0..20 {
        daemon.spoil("u", AUTHENTICATE, Wrong::Closes(refusal("no more")));
    }
    daemon.spoil("u", GETSTATUS.code, Wrong::Closes(Vec::new()));
    user.call("status", json!({})).await.unwrap_err();
    assert_says(&health(&host, "degraded").await, &["was lost"]);
    assert_says(&health(&host, "degraded").await, &["“no more”"]);
    let end = Instant::now() + PATIENCE;
    let fault = loop {
        let fault = user.call("status", json!({})).await.unwrap_err();
        if fault.kind == FaultKind::Unauthorized || Instant::now() > end {
            break fault;
        }
    };
    assert_says(&fault.message, &["log in again"]);
    // Ten times the longest wait between other tries.
    sleep(Duration::from_secs(2)).await;
    let tries = |seen: &Seen| *seen == Seen::Login("u".into());
    let tries = daemon.seen_so_far().into_iter().filter(tries).count();
    assert_eq!(tries, 1);
    // Whoever has gone is no trouble any more.
    user.logout();
    host.stop().await;
}

#[tokio::test]
async fn a_gateway_that_paces_its_own_connections_calls_no_daemon_down() {
    let daemon = daemon().await;
    let slow = json!({"observer": null, "login_pace_s": 30, "probe_s": 0.1});
    let host = plugin(&daemon, slow).await;
    // The daemon is to be looked at again by now, and its turn does not come.
    let down = timeout(Duration::from_secs(3), health(&host, "down")).await;
    assert!(down.is_err(), "{down:?}");
    let fault = host.login("u", "x").await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::Busy, "{fault}");
    assert_says(&fault.message, &["each 30 s (`login_pace_s`)"]);
    host.stop().await;
}

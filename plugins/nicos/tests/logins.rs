//! Who is let in with a login that others use already, when the daemon changes its mind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the peer is shared"
)]

#[path = "common/peer.rs"]
mod peer;

use std::sync::Arc;
use std::time::Duration;

use patchbay_nicos::Config;
use patchbay_nicos::health::Board;
use patchbay_nicos::lane::{Account, Daemon, privates};
use patchbay_nicos::logins::{Lease, Logins};
use patchbay_nicos::verb::GETSTATUS;
use patchbay_sdk::{Fault, FaultKind, Secret};
use patchbay_testkit::{BackendHost, Wire};
use peer::{Peer, Seen, Step, level, peer_of, refusal};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(10);

fn logins(peer: &Peer, more: &str) -> Arc<Logins> {
    let address = &peer.address;
    let config =
        format!(r#"{{"address": "{address}", "retry_first_s": 0.02, "retry_most_s": 0.1{more}}}"#);
    let config: Config = serde_json::from_str(&config).unwrap();
    let daemon = Daemon::new(Arc::new(config.resolve().unwrap()), Board::new(drop));
    Logins::new(&daemon, privates(1 << 20).0)
}

async fn enter(logins: &Arc<Logins>) -> Result<Lease, Fault> {
    let account = Account {
        user: "u".into(),
        secret: Secret::new("x"),
    };
    logins.enter(account, 1).await
}

async fn see_logins(peer: &mut Peer, mut count: usize) {
    while count > 0 {
        let seen = timeout(PATIENCE, peer.seen.recv()).await;
        if seen.expect("the peer sees something").unwrap() == Seen::Login {
            count -= 1;
        }
    }
}

async fn until_stale(lease: &Lease) {
    let end = Instant::now() + PATIENCE;
    while !lease.login().is_stale() {
        assert!(Instant::now() < end, "the login is still good");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn other_rights_after_a_reconnect_mean_to_log_in_again() {
    let levels = vec![level(20), level(20), level(10)];
    let mut peer = peer_of(levels, vec![vec![Step::Close]]).await;
    let logins = logins(&peer, "");
    let before = enter(&logins).await.unwrap();
    assert_eq!(before.login().user_level(), 20);
    see_logins(&mut peer, 2).await;
    let deadline = Instant::now() + PATIENCE;
    let lost = before.login().query();
    assert!(lost.call(GETSTATUS, Vec::new(), deadline).await.is_err());
    until_stale(&before).await;
    let after = enter(&logins).await.unwrap();
    assert_eq!(after.login().user_level(), 10);
    assert!(!after.login().is_stale());
}

#[tokio::test]
async fn the_daemon_is_asked_again_when_its_word_is_old() {
    for (verify, asked) in [("600", 2), ("0.001", 3)] {
        let mut peer = peer_of(Vec::new(), Vec::new()).await;
        let logins = logins(&peer, &format!(r#", "verify_s": {verify}"#));
        let first = enter(&logins).await.unwrap();
        see_logins(&mut peer, 2).await;
        sleep(Duration::from_millis(10)).await;
        let second = enter(&logins).await.unwrap();
        assert!(std::ptr::eq(first.login(), second.login()));
        let mut logins = 2;
        while let Ok(seen) = peer.seen.try_recv() {
            logins += usize::from(seen == Seen::Login);
        }
        assert_eq!(logins, asked);
    }
}

#[tokio::test]
async fn a_password_that_is_refused_when_asked_again_is_good_for_nobody() {
    let replies = vec![level(10), level(10), refusal("no more")];
    let mut peer = peer_of(replies, Vec::new()).await;
    let logins = logins(&peer, r#", "verify_s": 0.001"#);
    let first = enter(&logins).await.unwrap();
    see_logins(&mut peer, 2).await;
    sleep(Duration::from_millis(10)).await;
    let fault = enter(&logins).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthorized, "{fault}");
    assert!(first.login().is_stale());
}

#[tokio::test]
async fn other_rights_when_asked_again_are_the_newcomers_and_not_the_others() {
    let replies = vec![level(20), level(20), level(0)];
    let mut peer = peer_of(replies, Vec::new()).await;
    let logins = logins(&peer, r#", "verify_s": 0.001"#);
    let first = enter(&logins).await.unwrap();
    see_logins(&mut peer, 2).await;
    sleep(Duration::from_millis(10)).await;
    let second = enter(&logins).await.unwrap();
    assert_eq!(second.login().user_level(), 0);
    assert!(first.login().is_stale());
}

#[tokio::test]
async fn who_waits_to_be_asked_about_again_shares_what_goes_wrong_and_not_too_many_wait() {
    let mut peer = peer_of(vec![level(10), level(10), Vec::new()], Vec::new()).await;
    let more = r#", "verify_s": 0.001, "connect_deadline_s": 1, "queue_most": 8"#;
    let logins = logins(&peer, more);
    let _first = enter(&logins).await.unwrap();
    see_logins(&mut peer, 2).await;
    sleep(Duration::from_millis(10)).await;
    // The daemon gives the next one no answer.
    let all = futures_util::future::join_all((0..20).map(|_| enter(&logins))).await;
    let faults = all.into_iter().map(|entered| entered.unwrap_err().kind);
    let (busy, others): (Vec<_>, Vec<_>) = faults.partition(|kind| *kind == FaultKind::Busy);
    assert_eq!((busy.len(), others.len()), (11, 9));
    assert!(others.iter().all(|kind| *kind == FaultKind::Unavailable));
    let mut asked = 0;
    while let Ok(seen) = peer.seen.try_recv() {
        asked += usize::from(seen == Seen::Login);
    }
    assert_eq!(asked, 1);
    enter(&logins).await.unwrap();
}

#[tokio::test]
async fn sessions_of_a_login_that_is_refused_by_now_are_told_to_log_in_again() {
    // The first session has two lanes, and the reader of events is a third.
    let replies = vec![level(10), level(10), level(10), refusal("no more")];
    let mut peer = peer_of(replies, Vec::new()).await;
    let config = json!({"address": peer.address, "verify_s": 0.001, "reply_deadline_s": 1});
    let host = BackendHost::start::<patchbay_nicos::Nicos>(config, Wire::InProcess)
        .await
        .expect("the plugin starts");
    let first = host.login("u", "x").await.unwrap();
    see_logins(&mut peer, 3).await;
    sleep(Duration::from_millis(10)).await;
    let refused = host.login("u", "x").await.err().unwrap();
    assert_eq!(refused.kind, FaultKind::Unauthorized, "{refused}");
    let fault = first.call("status", json!({})).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthorized, "{fault}");
    assert!(fault.message.contains("log in again"), "{fault}");
    // The stop is asked for all the same; this peer does not answer it.
    let stop = first.call("emergency", json!({})).await;
    assert_ne!(
        stop.err().map(|fault| fault.kind),
        Some(FaultKind::Unauthorized)
    );
    host.stop().await;
}

//! Lanes against a scripted daemon: what is late, idle, refused or absurd costs nobody else anything.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the peer is shared"
)]

#[path = "common/lanes.rs"]
mod lanes;

use std::sync::Arc;
use std::time::Duration;

use lanes::peer::{ACK, Seen, Step, level, number, peer, peer_of, refusal};
use lanes::{PATIENCE, account, ask, lane, seen, settings, value};
use patchbay_nicos::Config;
use patchbay_nicos::health::Board;
use patchbay_nicos::lane::{Answer, Daemon, Lane, Link, Sort};
use patchbay_nicos::verb::{EVAL, GETSTATUS, GETVERSION, KEEPALIVE, QUEUE};
use patchbay_sdk::FaultKind;
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn who_does_not_wait_for_the_reply_costs_nobody_the_connection() {
    let late = vec![Step::Wait(1200), Step::Send(number(1))];
    let mut peer = peer(vec![late, vec![Step::Send(number(2))]]).await;
    let lane = lane(&peer, "");
    let deadline = Instant::now() + Duration::from_millis(800);
    let fault = lane.call(QUEUE, Vec::new(), deadline).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownOutcome, "{fault}");
    assert_eq!(ask(&lane, GETVERSION).await.unwrap(), value(2));
    for expected in [
        Seen::Login,
        Seen::Command(QUEUE.code),
        Seen::Command(GETVERSION.code),
    ] {
        assert_eq!(seen(&mut peer).await, expected);
    }
}

#[tokio::test]
async fn a_command_whose_turn_comes_too_late_is_not_sent() {
    for deadline in [Duration::from_millis(100), Duration::from_millis(700)] {
        let slow = vec![Step::Wait(400), Step::Send(number(1))];
        let mut peer = peer(vec![slow, vec![Step::Send(number(2))]]).await;
        let lane = lane(&peer, "");
        let deadline = Instant::now() + deadline;
        let (first, late) = tokio::join!(ask(&lane, EVAL), lane.call(QUEUE, Vec::new(), deadline));
        assert_eq!(first.unwrap(), value(1));
        let late = late.unwrap_err();
        assert_eq!(late.kind, FaultKind::Unavailable, "{late}");
        assert!(late.message.contains("was not sent"), "{late}");
        assert_eq!(ask(&lane, GETVERSION).await.unwrap(), value(2));
        for expected in [
            Seen::Login,
            Seen::Command(EVAL.code),
            Seen::Command(GETVERSION.code),
        ] {
            assert_eq!(seen(&mut peer).await, expected);
        }
    }
}

#[tokio::test]
async fn an_idle_connection_that_is_dead_is_made_anew_before_it_is_needed() {
    let mut peer = peer(vec![vec![Step::Wait(60_000)]]).await;
    let _lane = lane(&peer, r#", "probe_s": 0.05, "reply_deadline_s": 0.1"#);
    assert_eq!(seen(&mut peer).await, Seen::Login);
    assert_eq!(seen(&mut peer).await, Seen::Command(GETVERSION.code));
    while seen(&mut peer).await != Seen::Login {}
}

#[tokio::test]
async fn the_credentials_of_an_idle_login_are_kept_fresh_now_and_then() {
    let mut peer = peer(vec![vec![Step::Send(ACK.to_vec())]; 100]).await;
    let _lane = lane(&peer, r#", "probe_s": 0.05, "keepalive_s": 0.3"#);
    let mut signs = [0, 0];
    while signs[1] < 2 {
        match seen(&mut peer).await {
            Seen::Command(code) if code == GETVERSION.code => signs[0] += 1,
            Seen::Command(code) if code == KEEPALIVE.code => signs[1] += 1,
            Seen::Login => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(
        signs[0] > 2,
        "usually it is only asked for its version: {signs:?}"
    );
}

#[tokio::test]
async fn a_sign_of_life_that_does_not_come_in_its_time_costs_the_connection() {
    let mut peer = peer(vec![vec![Step::Wait(60_000)]]).await;
    let _lane = lane(&peer, r#", "probe_s": 0.05, "sign_of_life_s": 0.1"#);
    assert_eq!(seen(&mut peer).await, Seen::Login);
    assert_eq!(seen(&mut peer).await, Seen::Command(GETVERSION.code));
    while seen(&mut peer).await != Seen::Login {}
}

/// How often a lane that has lost its link at once logs in within a while, with these waits between its tries.
async fn tries(retry_first: f64, retry_most: f64) -> usize {
    let mut peer = peer(vec![vec![Step::Close]; 100]).await;
    let config = serde_json::json!({
        "address": peer.address, "retry_first_s": retry_first, "retry_most_s": retry_most,
    });
    let config: Config = serde_json::from_value(config).unwrap();
    let daemon = Daemon::new(Arc::new(config.resolve().unwrap()), Board::new(drop));
    let lane = Lane::start(Sort::Query, &daemon, account(), None, None);
    assert_eq!(seen(&mut peer).await, Seen::Login);
    let end = Instant::now() + Duration::from_secs(2);
    let mut tries = 1;
    while Instant::now() < end {
        let _ = ask(&lane, GETSTATUS).await;
        while let Ok(seen) = peer.seen.try_recv() {
            tries += usize::from(seen == Seen::Login);
        }
        sleep(Duration::from_millis(10)).await;
    }
    tries
}

#[tokio::test]
async fn a_lost_connection_is_tried_again_after_the_waits_that_are_configured() {
    let (far, rising, near) = tokio::join!(tries(60.0, 60.0), tries(0.02, 60.0), tries(0.02, 0.02));
    assert_eq!(far, 1, "the first wait is a minute");
    assert!(
        rising > 1 && rising < near,
        "waits that rise: {rising}, that do not: {near}"
    );
}

#[tokio::test]
async fn a_refused_login_is_tried_again_when_its_time_has_come() {
    let logins = vec![level(10), refusal("no more"), refusal("no more")];
    let mut peer = peer_of(logins, vec![vec![Step::Close], vec![Step::Send(number(2))]]).await;
    let lane = lane(&peer, r#", "retry_refused_s": 0.1"#);
    assert!(ask(&lane, GETSTATUS).await.is_err());
    for _ in 0..4 {
        while seen(&mut peer).await != Seen::Login {}
    }
    let end = Instant::now() + PATIENCE;
    while ask(&lane, GETSTATUS).await != Ok(value(2)) {
        assert!(Instant::now() < end, "the login works again");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_login_refused_later_is_told_as_such_and_not_tried_again_and_again() {
    let logins = vec![level(10), refusal("no more")];
    let mut peer = peer_of(logins, vec![vec![Step::Close]]).await;
    let lane = lane(&peer, "");
    assert!(ask(&lane, GETSTATUS).await.is_err());
    let end = Instant::now() + PATIENCE;
    let fault = loop {
        let fault = ask(&lane, GETSTATUS).await.unwrap_err();
        if fault.kind == FaultKind::Unauthorized || Instant::now() > end {
            break fault;
        }
        sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(fault.kind, FaultKind::Unauthorized, "{fault}");
    assert!(
        fault.message.contains("log in again") && fault.message.contains("“no more”"),
        "{fault}"
    );
    assert!(lane.is_refused());
    // The waits between other tries are a tenth of a second at most.
    sleep(Duration::from_millis(500)).await;
    let mut logins = 0;
    while let Ok(seen) = peer.seen.try_recv() {
        logins += usize::from(seen == Seen::Login);
    }
    assert_eq!(logins, 2);
}

#[tokio::test]
async fn the_greeting_of_a_link_that_is_there_is_known_at_once() {
    let peer = peer(vec![]).await;
    let settings = settings(&peer.address, "");
    let link = Link::open(&settings, &account(), false).await.unwrap();
    let lane = Lane::start(
        Sort::Query,
        &Daemon::new(settings, Board::new(drop)),
        account(),
        Some(link),
        None,
    );
    let greeting = lane.greeting().expect("a greeting");
    assert_eq!(greeting.banner.daemon_version, "scripted");
}

#[tokio::test]
async fn a_refusal_of_absurd_length_is_not_read() {
    let long = refusal(&"x".repeat(100_000));
    let peer = peer(vec![vec![Step::Send(long)]]).await;
    assert_eq!(
        ask(&lane(&peer, ""), GETSTATUS).await.unwrap(),
        Answer::Refused("(a refusal too long to read)".into())
    );
}

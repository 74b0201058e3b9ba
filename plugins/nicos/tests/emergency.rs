//! The emergency stop and the pause against a scripted daemon: whatever way is broken, they get through or say so.

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

use futures_util::FutureExt;
use patchbay_nicos::Config;
use patchbay_nicos::config::Settings;
use patchbay_nicos::health::Board;
use patchbay_nicos::jobs::Snapshot;
use patchbay_nicos::known::Known;
use patchbay_nicos::lane::{Account, Daemon, privates};
use patchbay_nicos::logins::{Login, Logins};
use patchbay_nicos::ops::{self, Scene};
use patchbay_nicos::pickle::Arg;
use patchbay_nicos::shape::Request;
use patchbay_nicos::verb::{BREAK, EMERGENCY, GETVERSION, STOP, UNQUEUE};
use patchbay_sdk::{Command, Fault, FaultKind, RawJson, Reply, Secret};
use peer::{ACK, Peer, Seen, Step, dict, peer, refusal};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

const PATIENCE: Duration = Duration::from_secs(10);

fn ack() -> Vec<Step> {
    vec![Step::Send(ACK.to_vec())]
}

fn no_script() -> Vec<Step> {
    vec![Step::Send(refusal("no script is running"))]
}

/// Answers to whoever looks: that it is in this state, and that so many jobs wait.
fn looks(state: i64, waiting: usize, times: usize) -> Vec<Vec<Step>> {
    let request = Arg::Dict(vec![(Arg::from("reqid"), Arg::from("b"))]);
    let status = dict(vec![
        ("status", Arg::Tuple(vec![Arg::Int(state), Arg::Int(-1)])),
        ("requests", Arg::List(vec![request; waiting])),
    ]);
    vec![vec![Step::Send(status)]; times]
}

fn idle() -> Vec<Vec<Step>> {
    looks(-1, 0, 20)
}

fn script() -> Request {
    Request {
        reqid: "a".into(),
        script: Some("pass\n".into()),
        ..Request::default()
    }
}

/// What is known of the jobs: that one runs.
fn running() -> Arc<Known> {
    let known = nothing();
    known.jobs().started(&script(), 1.0);
    known
}

fn nothing() -> Arc<Known> {
    Known::new(10)
}

fn settings(address: &str) -> Arc<Settings> {
    let config =
        json!({"address": address, "retry_first_s": 30, "retry_most_s": 30, "reply_deadline_s": 2});
    let config: Config = serde_json::from_value(config).unwrap();
    Arc::new(config.resolve().unwrap())
}

async fn logins(peer: &mut Peer) -> (Arc<Settings>, patchbay_nicos::logins::Lease) {
    let settings = settings(&peer.address);
    let account = Account {
        user: "u".into(),
        secret: Secret::new("x"),
    };
    let daemon = Daemon::new(Arc::clone(&settings), Board::new(drop));
    let lease = Logins::new(&daemon, privates(1 << 20).0)
        .enter(account, 1)
        .await;
    // The two lanes that a login has from the start.
    for _ in 0..2 {
        assert_eq!(seen(peer).await, Seen::Login);
    }
    (settings, lease.unwrap())
}

async fn seen(peer: &mut Peer) -> Seen {
    timeout(PATIENCE, peer.seen.recv())
        .await
        .expect("the peer sees something")
        .unwrap()
}

async fn run(peer: &mut Peer, known: &Arc<Known>, op: &str) -> Result<Reply, Fault> {
    let (settings, lease) = logins(peer).await;
    run_on(&settings, lease.login(), known, op).await
}

async fn run_on(
    settings: &Settings,
    login: &Login,
    known: &Arc<Known>,
    op: &str,
) -> Result<Reply, Fault> {
    let scene = Scene {
        settings,
        login,
        known,
        session: 1,
    };
    let command = Command {
        op: op.into(),
        args: RawJson::new(&json!({})).unwrap(),
        session: 1,
        id: 1,
        reference: None,
        deadline: Instant::now() + PATIENCE,
        urgent: true,
    };
    ops::run(&scene, &command).await
}

/// How many such commands the daemon has got.
fn count(peer: &mut Peer, code: u16) -> usize {
    let mut count = 0;
    while let Ok(seen) = peer.seen.try_recv() {
        count += usize::from(seen == Seen::Command(code));
    }
    count
}

#[tokio::test]
async fn when_nothing_runs_one_emergency_stop_is_enough() {
    let mut peer = peer([vec![ack()], idle()].concat()).await;
    run(&mut peer, &nothing(), "emergency").await.unwrap();
    assert_eq!(count(&mut peer, EMERGENCY.code), 1);
}

#[tokio::test]
async fn an_emergency_stop_goes_the_other_way_when_the_urgent_one_breaks() {
    let mut peer = peer([vec![vec![Step::Close], ack()], idle()].concat()).await;
    run(&mut peer, &nothing(), "emergency").await.unwrap();
    assert_eq!(count(&mut peer, EMERGENCY.code), 2);
}

#[tokio::test]
async fn an_emergency_stop_goes_the_other_way_when_the_urgent_one_is_silent() {
    let mut peer = peer([vec![vec![Step::Wait(60_000)], ack()], idle()].concat()).await;
    run(&mut peer, &nothing(), "emergency").await.unwrap();
    assert_eq!(count(&mut peer, EMERGENCY.code), 2);
}

#[tokio::test]
async fn an_emergency_stop_that_nobody_acknowledges_is_no_success() {
    let mut peer = peer(vec![]).await;
    let fault = run(&mut peer, &nothing(), "emergency").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownOutcome, "{fault}");
    assert!(fault.message.contains("other means"), "{fault}");
}

#[tokio::test]
async fn an_emergency_stop_is_repeated_until_the_script_has_ended() {
    let mut peer = peer(vec![ack(); 200]).await;
    let jobs = running();
    let ends = async {
        sleep(Duration::from_millis(300)).await;
        let ended = Request {
            success: Some(false),
            ..script()
        };
        jobs.jobs().done(&ended, 2.0);
    };
    let (done, ()) = tokio::join!(run(&mut peer, &jobs, "emergency"), ends);
    done.unwrap();
    assert!(count(&mut peer, EMERGENCY.code) > 1);
}

#[tokio::test]
async fn a_script_that_nobody_knows_is_found_out_and_stopped() {
    // Whoever looks first finds it between two blocks, or finds what waits behind it.
    for first in [looks(-1, 0, 1), looks(-1, 1, 2)] {
        let answers = [vec![ack()], first, looks(0, 0, 4), idle(), idle()].concat();
        let mut peer = peer(answers).await;
        run(&mut peer, &nothing(), "emergency").await.unwrap();
        assert!(count(&mut peer, EMERGENCY.code) > 1);
    }
}

#[tokio::test]
async fn what_waits_behind_a_script_that_is_being_stopped_is_dropped_too() {
    let mut peer = peer(vec![ack(); 200]).await;
    let known = running();
    let waiting = Request {
        reqid: "b".into(),
        ..script()
    };
    known.jobs().queued(&waiting);
    let snapshot = Snapshot {
        status: (2, 1),
        queue: vec![waiting],
        running: Some(script()),
        restarted: false,
    };
    known.jobs().resync(&snapshot, 1.5);
    let (settings, lease) = logins(&mut peer).await;
    let removed = async {
        while peer.seen.recv().await != Some(Seen::Command(UNQUEUE.code)) {}
        known.jobs().removed(&["b".to_owned()], 2.0);
    };
    let stopped = run_on(&settings, lease.login(), &known, "emergency");
    let (done, ()) = tokio::join!(stopped, timeout(PATIENCE, removed).map(Result::unwrap));
    done.unwrap();
}

#[tokio::test]
async fn an_emergency_stop_after_which_the_script_is_seen_to_run_is_no_success() {
    let mut peer = peer(vec![ack(); 200]).await;
    let fault = run(&mut peer, &running(), "emergency").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownOutcome, "{fault}");
    assert!(fault.message.contains("could not be seen"), "{fault}");
    assert!(count(&mut peer, EMERGENCY.code) > 2);
}

#[tokio::test]
async fn a_pause_is_tried_again_while_the_daemon_is_between_two_blocks() {
    let mut answers = vec![no_script(); 30];
    answers.push(ack());
    let mut peer = peer(answers).await;
    run(&mut peer, &running(), "pause").await.unwrap();
    assert_eq!(count(&mut peer, BREAK.code), 31);
}

#[tokio::test]
async fn a_pause_when_nothing_runs_is_refused_at_once() {
    let mut peer = peer(vec![no_script()]).await;
    let fault = run(&mut peer, &nothing(), "pause").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Conflict, "{fault}");
}

/// The urgent lane is lost, and not tried again within the test; then this operation is asked for.
async fn run_without_urgent(peer: &mut Peer, op: &str) -> Result<Reply, Fault> {
    let (settings, lease) = logins(peer).await;
    let deadline = Instant::now() + PATIENCE;
    let (login, args) = (lease.login(), vec![0x80, 2, b')', b'.']);
    let lost = login.urgent().call(GETVERSION, args, deadline).await;
    assert_eq!(lost.unwrap_err().kind, FaultKind::Timeout);
    run_on(&settings, login, &running(), op).await
}

#[tokio::test]
async fn a_pause_and_a_stop_go_the_other_way_when_the_urgent_one_is_down() {
    for (op, verb) in [("pause", BREAK), ("stop", STOP)] {
        let mut peer = peer(vec![vec![Step::Close], ack()]).await;
        run_without_urgent(&mut peer, op).await.unwrap();
        assert_eq!(count(&mut peer, verb.code), 1, "{op}");
    }
}

#[tokio::test]
async fn a_stop_that_may_have_been_sent_does_not_go_the_other_way_as_well() {
    let mut peer = peer(vec![vec![Step::Close], ack()]).await;
    let fault = run(&mut peer, &running(), "stop").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::UnknownOutcome, "{fault}");
    assert_eq!(count(&mut peer, STOP.code), 1);
}

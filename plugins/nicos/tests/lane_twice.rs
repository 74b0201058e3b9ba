//! Commands that the daemon answers twice: whoever asks next gets an answer of their own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the peer is shared"
)]

#[path = "common/bench.rs"]
mod bench;
#[path = "common/lanes.rs"]
mod lanes;

use lanes::peer::{ACK, Seen, Step, number, peer, refusal, sized};
use lanes::{PATIENCE, ask, ask_again, lane, seen, value};
use patchbay_nicos::lane::{Account, Answer, Lane, Sort};
use patchbay_nicos::pickle::{Arg, encode};
use patchbay_nicos::verb::{FINISH, GETHISTORY, GETSTATUS, GETVERSION};
use patchbay_sdk::Secret;
use patchbay_servers::Nicos;
use tokio::time::{Instant, timeout};

const FAILED: &str = "exception occurred executing command";

const STOPPING: &str = "script is stopping";

const EMPTY: &[u8] = b"\x80\x02]q\x00.";

fn empty() -> Step {
    Step::Send(sized(0x03, EMPTY))
}

fn failed() -> Step {
    Step::Send(refusal(FAILED))
}

fn told(value: u8) -> Vec<Step> {
    vec![Step::Send(number(value))]
}

#[tokio::test]
async fn a_history_that_is_refused_after_an_empty_list_is_refused() {
    // The refusal may come along with the list, or later.
    for first in [
        vec![empty(), failed()],
        vec![empty(), Step::Wait(100), failed()],
    ] {
        let peer = peer(vec![first, told(1), told(2)]).await;
        let lane = lane(&peer, "");
        let refused = ask(&lane, GETHISTORY).await.unwrap();
        assert_eq!(refused, Answer::Refused(FAILED.into()));
        assert_eq!(ask(&lane, GETSTATUS).await.unwrap(), value(2));
    }
}

/// What `finish` is answered while the script stops, and that the next answer is the next command's.
async fn finish_is_refused(first: Vec<Step>) {
    let peer = peer(vec![first, told(1), told(2)]).await;
    let lane = lane(&peer, "");
    let refused = ask(&lane, FINISH).await.unwrap();
    assert_eq!(refused, Answer::Refused(STOPPING.into()));
    assert_eq!(ask(&lane, GETSTATUS).await.unwrap(), value(2));
}

#[tokio::test]
async fn a_finish_that_is_refused_and_acknowledged_is_refused() {
    // Old daemons acknowledge with a value: none.
    for ack in [ACK.to_vec(), sized(0x03, b"\x80\x02N.")] {
        let stopping = || Step::Send(refusal(STOPPING));
        finish_is_refused(vec![stopping(), Step::Send(ack.clone())]).await;
        finish_is_refused(vec![stopping(), Step::Wait(100), Step::Send(ack)]).await;
    }
}

#[tokio::test]
async fn a_finish_that_is_refused_once_costs_nobody_the_connection() {
    finish_is_refused(vec![Step::Send(refusal(STOPPING))]).await;
}

#[tokio::test]
async fn a_history_that_is_empty_is_empty() {
    let peer = peer(vec![vec![empty()], told(1), told(2)]).await;
    let lane = lane(&peer, "");
    let history = ask(&lane, GETHISTORY).await.unwrap();
    assert_eq!(history, Answer::Value(EMPTY.into()));
    assert_eq!(ask(&lane, GETSTATUS).await.unwrap(), value(2));
}

#[tokio::test]
async fn a_history_with_values_costs_no_second_command() {
    let mut peer = peer(vec![told(1), told(2)]).await;
    let lane = lane(&peer, "");
    assert_eq!(ask(&lane, GETHISTORY).await.unwrap(), value(1));
    assert_eq!(ask(&lane, GETSTATUS).await.unwrap(), value(2));
    for expected in [
        Seen::Login,
        Seen::Command(GETHISTORY.code),
        Seen::Command(GETSTATUS.code),
    ] {
        assert_eq!(seen(&mut peer).await, expected);
    }
}

#[tokio::test]
async fn a_third_reply_is_nobodys() {
    let third = vec![Step::Send(number(1)), Step::Send(number(9))];
    let mut peer = peer(vec![vec![empty(), failed()], third, told(2)]).await;
    let lane = lane(&peer, "");
    let refused = ask(&lane, GETHISTORY).await.unwrap();
    assert_eq!(refused, Answer::Refused(FAILED.into()));
    assert_eq!(ask_again(&lane, GETSTATUS).await, value(2));
    while seen(&mut peer).await != Seen::Command(GETVERSION.code) {}
    let mut again = seen(&mut peer).await;
    while again == Seen::Closed {
        again = seen(&mut peer).await;
    }
    assert_eq!(
        again,
        Seen::Login,
        "a connection that is out of step is made anew"
    );
}

/// What a real daemon answers, and that the next answer is the next command's.
async fn history(nicos: &Nicos, key: &str) -> Answer {
    let account = Account {
        user: "user".into(),
        secret: Secret::new("user"),
    };
    let daemon = lanes::daemon(&nicos.address().to_string(), "");
    let lane = Lane::start(Sort::Query, &daemon, account, None, None);
    let args = vec![Arg::from(key), Arg::Float(0.0), Arg::Float(4e9)];
    let history = lane.call(GETHISTORY, encode(args), Instant::now() + PATIENCE);
    let history = timeout(PATIENCE, history).await.unwrap().unwrap();
    let version = ask(&lane, GETVERSION).await.unwrap();
    assert!(
        matches!(&version, Answer::Value(payload) if payload.windows(6).any(|part| part == b"3.12.2")),
        "{version:?}"
    );
    lane.close().await;
    history
}

#[tokio::test]
async fn a_real_daemon_without_a_cache_has_no_history() {
    let nicos = bench::daemon().await;
    assert_eq!(
        history(&nicos, "mot/value").await,
        Answer::Refused(FAILED.into())
    );
}

#[tokio::test]
async fn a_real_daemon_with_a_cache_has_an_empty_history_of_what_never_was() {
    let nicos = bench::daemon_with_cache().await;
    assert_eq!(
        history(&nicos, "no/such").await,
        Answer::Value(EMPTY.into())
    );
}

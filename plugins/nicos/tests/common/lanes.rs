//! Lanes on a scripted daemon.

#[path = "peer.rs"]
pub mod peer;

use std::sync::Arc;
use std::time::Duration;

use patchbay_nicos::Config;
use patchbay_nicos::config::Settings;
use patchbay_nicos::health::Board;
use patchbay_nicos::lane::{Account, Answer, Daemon, Lane, Sort};
use patchbay_nicos::verb::Verb;
use patchbay_sdk::{Fault, FaultKind, Secret};
use peer::{Peer, Seen};
use tokio::time::{Instant, sleep, timeout};

pub const PATIENCE: Duration = Duration::from_secs(10);

pub fn daemon(address: &str, more: &str) -> Arc<Daemon> {
    Daemon::new(settings(address, more), Board::new(drop))
}

pub fn settings(address: &str, more: &str) -> Arc<Settings> {
    let config =
        format!(r#"{{"address": "{address}", "retry_first_s": 0.02, "retry_most_s": 0.1{more}}}"#);
    let config: Config = serde_json::from_str(&config).unwrap();
    Arc::new(config.resolve().unwrap())
}

pub fn account() -> Account {
    Account {
        user: "u".into(),
        secret: Secret::new("hunter2"),
    }
}

pub fn lane(peer: &Peer, more: &str) -> Lane {
    Lane::start(
        Sort::Query,
        &daemon(&peer.address, more),
        account(),
        None,
        None,
    )
}

pub async fn ask(lane: &Lane, verb: Verb) -> Result<Answer, Fault> {
    lane.call(verb, vec![0x80, 2, b')', b'.'], Instant::now() + PATIENCE)
        .await
}

/// Asks until the lane is up again.
pub async fn ask_again(lane: &Lane, verb: Verb) -> Answer {
    let end = Instant::now() + PATIENCE;
    loop {
        match ask(lane, verb).await {
            Ok(answer) => return answer,
            Err(fault) => assert!(
                fault.kind == FaultKind::Unavailable && Instant::now() < end,
                "{fault}"
            ),
        }
        sleep(Duration::from_millis(10)).await;
    }
}

pub async fn seen(peer: &mut Peer) -> Seen {
    timeout(PATIENCE, peer.seen.recv())
        .await
        .expect("the peer sees something")
        .unwrap()
}

pub fn value(number: u8) -> Answer {
    Answer::Value(vec![0x80, 2, b'K', number, b'.'].into())
}

//! What the reader of events makes of looks that fail or fall between two blocks of a script; a scripted daemon.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "a test that cannot go on must fail; the peer is shared"
)]

#[path = "common/peer.rs"]
mod peer;
#[path = "common/python.rs"]
mod python;

use patchbay_nicos::Nicos as Plugin;
use patchbay_testkit::{BackendHost, Wire};
use peer::{Step, number, peer, refusal, sized};
use python::python;
use serde_json::json;

/// A reply with the value of this Python expression.
fn reply(expression: &str) -> Vec<Step> {
    let program = format!("import pickle; print(pickle.dumps({expression}, 2).hex())");
    let hex = python(&["-c", &program], b"");
    let digits = hex.trim().as_bytes().chunks(2);
    let bytes = digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16));
    vec![Step::Send(sized(
        0x03,
        &bytes.collect::<Result<Vec<_>, _>>().unwrap(),
    ))]
}

/// The replies to the commands of one look, at a daemon process of this number.
fn idle(process: u8) -> Vec<Vec<Step>> {
    let status = reply("{'status': (-1, -1), 'script': 'x', 'requests': []}");
    vec![vec![Step::Send(number(process))], status]
}

fn running(process: u8) -> Vec<Vec<Step>> {
    let status = reply("{'status': (0, 1), 'script': 'x', 'requests': []}");
    let current = reply("('a', 'u')");
    vec![vec![Step::Send(number(process))], status, current]
}

/// A daemon that does not let us see its script: the last message names it.
fn running_as_messages_tell(process: u8) -> Vec<Vec<Step>> {
    let status = reply("{'status': (0, 1), 'script': 'x', 'requests': []}");
    let raised = reply("AttributeError('no such thing')");
    let messages = reply("[['nicos', 1.0, 20, 'hello', None, 'a']]");
    vec![vec![Step::Send(number(process))], status, raised, messages]
}

fn failing(process: u8) -> Vec<Vec<Step>> {
    let broken = refusal("exception occurred executing command");
    vec![vec![Step::Send(number(process))], vec![Step::Send(broken)]]
}

/// The sign of life is asked for when nothing else is, and the connection ends instead.
fn lost() -> Vec<Vec<Step>> {
    vec![vec![Step::Close]]
}

/// How the job ends after these looks.
async fn outcome(looks: Vec<Vec<Vec<Step>>>) -> serde_json::Value {
    let peer = peer(looks.concat()).await;
    let config = json!({
        "address": peer.address, "retry_first_s": 0.05, "retry_most_s": 0.1, "probe_s": 1.5,
        "observer": {"login": "guest", "secret": {"value": "x"}},
    });
    let host = BackendHost::start::<Plugin>(config, Wire::InProcess)
        .await
        .expect("the plugin starts");
    let outcome = loop {
        let (_, body) = host.next_event("job").await;
        if body["state"] == "finished" {
            break body["outcome"].clone();
        }
    };
    host.stop().await;
    outcome
}

#[tokio::test]
async fn a_look_between_two_blocks_ends_no_job() {
    let looks = vec![
        running(1),
        lost(),
        idle(1),
        idle(1),
        running(1),
        lost(),
        idle(2),
    ];
    assert_eq!(outcome(looks).await, "lost");
}

#[tokio::test]
async fn a_job_that_three_looks_do_not_show_has_ended() {
    let looks = vec![running(1), lost(), idle(1), idle(1), idle(1)];
    assert_eq!(outcome(looks).await, "unknown");
}

#[tokio::test]
async fn where_the_daemon_hides_its_script_the_messages_tell_which_one_it_is() {
    let looks = vec![running_as_messages_tell(1), lost(), idle(2)];
    assert_eq!(outcome(looks).await, "lost");
}

#[tokio::test]
async fn a_look_that_fails_is_repeated_and_forgets_nothing() {
    let looks = vec![running(1), lost(), failing(2), failing(2), idle(2)];
    assert_eq!(outcome(looks).await, "lost");
}

//! The page for authors, held against the code: its messages are messages, and its program works.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_abi::{Fault, Kind, Message, head, line};
use patchbay_sdk::FaultKind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use support::start;

const PAGE: &str = include_str!("../PROTOCOL.md");

/// The messages of the page that go that way.
fn messages(way: &'static str) -> Vec<(&'static str, Value)> {
    let lines = PAGE.lines().filter_map(move |line| line.strip_prefix(way));
    let parsed = lines.map(|line| (line, serde_json::from_str(line).unwrap()));
    let found: Vec<_> = parsed.collect();
    assert!(
        found.len() > 5,
        "the page has messages that begin with `{way}`"
    );
    found
}

/// The head as it is when it was read: what nobody reads is missing.
fn as_read<T: DeserializeOwned + Serialize>(message: &Message) -> Value {
    serde_json::to_value(message.read_head::<T>().unwrap()).unwrap()
}

fn head_as_read(message: &Message) -> Value {
    match message.kind {
        Kind::START => as_read::<head::Start>(message),
        Kind::STOP => as_read::<head::Stop>(message),
        Kind::LOGIN => as_read::<head::Login>(message),
        Kind::LOGOUT => as_read::<head::Logout>(message),
        Kind::CALL => as_read::<head::Call>(message),
        Kind::REPLY => as_read::<head::Reply>(message),
        Kind::EVENT => as_read::<head::Event>(message),
        Kind::CREDIT => as_read::<head::Credit>(message),
        Kind::FAILED => as_read::<Fault>(message),
        Kind::LOG => as_read::<head::Log>(message),
        Kind::HEALTH => as_read::<head::Health>(message),
        Kind::METRIC => as_read::<head::Metric>(message),
        // These have none, but for the version of the protocol in the first of them.
        Kind::READY | Kind::STOPPED | Kind::PING | Kind::PONG | Kind::CANCEL | Kind::SUBSCRIBE => {
            json!({})
        }
        other => panic!("{other:?}"),
    }
}

/// All that stands in `written` is in `read` as well.
fn assert_all_read(written: &Value, read: &Value, line: &str) {
    for (name, value) in written.as_object().into_iter().flatten() {
        match value {
            // In `start` and `ready`, read by the plugin itself.
            _ if name == "protocol" => assert_eq!(value, 1),
            Value::Object(_) => assert_all_read(value, &read[name], line),
            _ => assert_eq!(value, &read[name], "`{name}` in {line}"),
        }
    }
}

#[test]
fn every_message_of_the_page_is_one_and_each_of_its_fields_is_read() {
    for (text, value) in messages("→ ").into_iter().chain(messages("← ")) {
        let message = line::decode(text.as_bytes()).unwrap();
        assert_all_read(&value["head"], &head_as_read(&message), text);
    }
}

#[test]
fn what_the_gateway_says_on_the_page_is_written_so() {
    for (text, _) in messages("→ ") {
        let message = line::decode(text.as_bytes()).unwrap();
        let written = line::encode(&message).unwrap();
        assert_eq!(std::str::from_utf8(&written).unwrap().trim_end(), text);
    }
}

#[tokio::test]
async fn the_program_of_the_page_serves() {
    let code = PAGE.split("```python\n").nth(1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("toy.py");
    std::fs::write(&file, code.split("```").next().unwrap()).unwrap();
    let config = json!({"program": {"command": ["python3", file]}, "anyone": "user"});
    let host = start(config).await.unwrap();
    let session = host.login("anna", "").await.unwrap();
    let status = session.call("status", json!({})).await.unwrap();
    assert_eq!(status["run"], "idle");
    let fault = session
        .call("submit", json!({"code": ""}))
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported);
    host.stop().await;
}

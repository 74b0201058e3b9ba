//! A frontend takes events up again where it was, and a reader that falls behind is told so and harms nobody.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{BACKEND, End, FRONTEND, broker, end, office};
use patchbay::broker::{Route, Seat};
use patchbay_abi::{Buffer, Kind, Message, head};
use patchbay_sdk::Role;
use serde_json::{Value, json};
use std::time::Duration;

/// The journal of these tests has room for so many bytes.
const ROOM: usize = 64 * 1024;

fn subscribe(frontend: &End, epoch: u64, seq: u64) -> head::Position {
    let since = Some(head::Since { epoch, seq });
    frontend.say(Kind::SUBSCRIBE, 5, &head::Subscribe { since });
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 1000 });
    let reply = frontend.inbox.next();
    assert_eq!((reply.kind, reply.id), (Kind::REPLY, 5));
    serde_json::from_slice(&reply.body).unwrap()
}

/// What a reader was sent: `4` is an event, `4-7` a gap.
fn read(frontend: &End) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(message) = frontend.inbox.try_next() {
        let head: head::Event = message.read_head().unwrap();
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        all.push(match head.kind.as_str() {
            "gap" => format!(
                "{}-{} {}",
                body["missed_from"], body["missed_to"], body["reason"]
            ),
            _ => head.seq.to_string(),
        });
    }
    all
}

#[test]
fn what_came_since_is_there_and_nothing_twice() {
    let (_broker, backend, frontend) = office();
    (1..=5).for_each(|number| backend.emit(number, 0));
    let position = subscribe(&frontend, 1, 3);
    assert_eq!((position.epoch, position.first, position.next), (1, 1, 6));
    assert_eq!(read(&frontend), ["4", "5"]);
    backend.emit(6, 0);
    assert_eq!(read(&frontend), ["6"]);
}

#[test]
fn whoever_knows_nothing_gets_all_there_is() {
    let (_broker, backend, frontend) = office();
    subscribe(&frontend, 0, 0);
    assert_eq!(read(&frontend), [""; 0]);
    (1..=3).for_each(|number| backend.emit(number, 0));
    assert_eq!(read(&frontend), ["1", "2", "3"]);
    subscribe(&frontend, 0, 0);
    assert_eq!(read(&frontend), ["1", "2", "3"]);
    // No gap for what nobody has missed.
    (4..=40).for_each(|number| backend.emit(number, 4_000));
    read(&frontend);
    let position = subscribe(&frontend, 0, 0);
    assert!(position.first > 1, "{position:?}");
    assert_eq!(read(&frontend)[0], position.first.to_string());
}

#[test]
fn what_is_not_kept_any_more_and_what_is_of_another_life_is_a_gap_with_the_reason() {
    let (_broker, backend, frontend) = office();
    (1..=40).for_each(|number| backend.emit(number, 4_000));
    let first = subscribe(&frontend, 1, 2).first;
    let told = read(&frontend);
    assert_eq!(told[0], format!("3-{} \"not-kept\"", first - 1));
    assert_eq!(told[1], first.to_string());
    for (epoch, seq) in [(7, 2), (1, 99)] {
        subscribe(&frontend, epoch, seq);
        let told = read(&frontend);
        assert_eq!(told[0], format!("0-{} \"new-epoch\"", first - 1));
    }
}

#[test]
fn a_gap_brings_the_status_if_it_is_known() {
    let (broker, backend, frontend) = office();
    frontend.login(1);
    let session = backend.grant("user");
    frontend.call(2, session, "status");
    backend.answer(&backend.inbox.next(), r#"{"link":"up","run":"idle"}"#);
    frontend.inbox.kinds();
    (1..=40).for_each(|number| backend.emit(number, 4_000));
    subscribe(&frontend, 1, 2);
    let gap: Value = serde_json::from_slice(&frontend.inbox.next().body).unwrap();
    assert_eq!(gap["status"]["run"], "idle");
    assert!(gap["status"]["age_s"].is_f64(), "{gap}");
    // That of an earlier life is none of the present one.
    frontend.inbox.kinds();
    broker.disconnect(BACKEND, 1);
    let backend = end(&broker, BACKEND, 2);
    backend.emit(1, 0);
    let gap: Value = serde_json::from_slice(&frontend.inbox.next().body).unwrap();
    assert!(
        gap["reason"] == "new-epoch" && gap["status"].is_null(),
        "{gap}"
    );
}

#[test]
fn a_reader_that_takes_nothing_is_cut_to_a_gap_and_costs_nobody_anything() {
    let route = || Route {
        authority: patchbay::broker::Authority::Backend,
        backend: BACKEND,
        ceiling: Role::Admin,
        logins: vec![],
        forward_unmapped: true,
    };
    let age = Duration::from_secs(60);
    let broker = broker(vec![
        Seat::backend("back", ROOM, age),
        Seat::frontend("quick", route()),
        Seat::frontend("slow", route()),
    ]);
    let backend = end(&broker, BACKEND, 1);
    let (quick, slow) = (end(&broker, FRONTEND, 1), end(&broker, FRONTEND + 1, 1));
    for frontend in [&quick, &slow] {
        frontend.say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    }
    slow.say(Kind::CREDIT, 0, &head::Credit { events: 2 });
    for number in 1..=1_000 {
        quick.say(Kind::CREDIT, 0, &head::Credit { events: 1 });
        // Most of the weight is in the blob.
        let body = json!({ "number": number }).to_string();
        let event = Message::new(Kind::EVENT, 0, &json!({ "kind": "data" })).body(body);
        backend
            .host
            .deliver(event.blobs([Buffer::from(vec![0; 10_000])]));
        assert_eq!(read(&quick), [number.to_string()]);
        let kept = &broker.kept()[0];
        assert!(kept.journal_bytes <= ROOM, "{kept:?}");
        assert!(kept.journal_bytes >= kept.journal_events * 10_000);
    }
    let kept = &broker.kept()[0];
    assert_eq!((kept.id.as_str(), kept.journal_readers), ("back", 2));
    assert!((1..=6).contains(&kept.journal_events), "{kept:?}");
    assert_eq!(read(&slow), ["1", "2"]);
    slow.say(Kind::CREDIT, 0, &head::Credit { events: 100 });
    let told = read(&slow);
    let first = 1001 - kept.journal_events as u64;
    assert_eq!(told[0], format!("3-{} \"not-kept\"", first - 1));
    assert_eq!(told[1..].len(), kept.journal_events);
    let counted = broker.metrics().text(|_| ()).unwrap();
    let gaps = |frontend| format!("patchbay_event_gaps_total{{frontend=\"{frontend}\"}} 1");
    assert!(counted.contains(&gaps("slow")), "{counted}");
    assert!(!counted.contains(&gaps("quick")), "{counted}");
}

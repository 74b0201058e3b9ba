//! Requests that have waited longer than their senders did; before a broker that does as the test says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use serde_json::json;
use support::ops;
use support::scripted::{EMERGENCY, EVAL, REPLY, STATUS, SUBMIT, World};

/// Of a client of which the broker has not told.
const UNKNOWN: &str = "reply-to:/remote-temp-queue/ID\\cother\\c1\\c1\n";

async fn world(grace_s: u64) -> World {
    let login = json!({"user": "ibex", "secret": {"value": "good"}});
    World::with(json!({"default_login": login, "stale_grace_s": grace_s})).await
}

#[tokio::test]
async fn a_request_whose_sender_has_gone_is_not_carried_out_and_whoever_comes_back_is_told() {
    let mut world = world(1).await;
    world.reading.request(2, UNKNOWN, SUBMIT).await;
    world.reading.request(3, REPLY, STATUS).await;
    let (first, _) = world.answering.answer().await;
    assert_eq!(first.header("correlation-id"), Some("c-3"), "nobody waits");
    let (_, answer) = world.answering.answer().await;
    let text = answer["payload"].as_str().unwrap();
    assert!(text.contains("was not carried out"), "{text}");
    assert!(world.acknowledged("a-3").await && world.acknowledged("a-2").await);
    assert_eq!(ops(&world.host), ["status"]);
    // What it brought before is answered as it was.
    let known = SUBMIT.replace("\"x\"", "\"known\"");
    world.reading.request(4, UNKNOWN, &known).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
}

#[tokio::test]
async fn a_client_that_comes_back_within_the_grace_is_served_in_its_order() {
    let mut world = world(60).await;
    world.reading.request(2, UNKNOWN, EVAL).await;
    world.reading.request(3, UNKNOWN, STATUS).await;
    assert!(world.answering.stays_silent().await);
    world.reading.created("ID:other:1:1").await;
    for id in ["c-2", "c-3"] {
        let (frame, answer) = world.answering.answer().await;
        assert_eq!(frame.header("correlation-id"), Some(id));
        assert!(answer.get("ok").is_some(), "{answer}");
    }
    assert_eq!(ops(&world.host), ["eval", "status"]);
}

#[tokio::test]
async fn of_two_held_messages_with_a_forged_id_one_is_carried_out_and_both_are_acknowledged() {
    let mut world = world(60).await;
    let slow = EVAL.replace("\"x\"", "\"sleep 0.2\"");
    for _ in 0..2 {
        world.reading.request(2, UNKNOWN, &slow).await;
    }
    assert!(world.answering.stays_silent().await);
    world.reading.created("ID:other:1:1").await;
    let (_, answer) = world.answering.answer().await;
    assert_eq!(answer["error"]["kind"], "conflict");
    assert_eq!(world.answering.answer().await.1["ok"]["value"], "sleep 0.2");
    for _ in 0..2 {
        assert_eq!(world.reading.frame().await.command, "ACK");
    }
    assert_eq!(ops(&world.host), ["eval"]);
}

#[tokio::test]
async fn named_queues_are_never_missed() {
    let mut world = world(60).await;
    world
        .reading
        .request(2, "reply-to:/queue/answers\n", SUBMIT)
        .await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
}

#[tokio::test]
async fn what_waits_for_its_sender_is_bounded_and_holds_up_no_emergency() {
    let mut world = World::with(json!({"stale_grace_s": 600, "limits": {"held": 2}})).await;
    for number in 2..5 {
        world.reading.request(number, UNKNOWN, EVAL).await;
    }
    let (refused, answer) = world.answering.answer().await;
    assert_eq!(refused.header("correlation-id"), Some("c-4"));
    assert_eq!(answer["error"]["kind"], "cancelled");
    world.reading.request(5, REPLY, EMERGENCY).await;
    assert_eq!(world.answering.answer().await.1["success"], true);
}

#[tokio::test]
async fn what_was_kept_is_left_to_the_broker_when_the_connection_ends() {
    let mut world = world(1).await;
    world.reading.request(2, UNKNOWN, SUBMIT).await;
    assert!(world.answering.stays_silent().await);
    drop(world.reading);
    world.reading = world.listener.accept().await;
    let probe = world.reading.confirm_advisories().await;
    world.reading.created("ID:other:1:1").await;
    world.reading.go_on_from(probe).await;
    let again = format!("{UNKNOWN}redelivered:true\n");
    world.reading.request(2, &again, SUBMIT).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
    assert!(world.acknowledged("a-2").await);
    assert_eq!(ops(&world.host), ["submit"]);
}

#[tokio::test]
async fn a_broker_that_does_not_tell_is_a_degraded_one_and_the_rule_is_off() {
    let mut world = world(60).await;
    assert_eq!(world.health().await.state, "up");
    drop(world.reading);
    world.reading = world.listener.accept().await;
    let probe = world.reading.confirm_advisories().await;
    assert!(
        probe
            .header("destination")
            .unwrap()
            .starts_with("/temp-queue/")
    );
    // Nothing of our own queue.
    let unsubscribe = world.reading.frame().await;
    assert_eq!(unsubscribe.command, "UNSUBSCRIBE");
    world.reading.go_on_from(unsubscribe).await;
    let reason = loop {
        let health = world.health().await;
        if health.state == "degraded" {
            break health.reason;
        }
    };
    assert!(reason.contains("advisories"), "{reason}");
    world.reading.request(2, UNKNOWN, SUBMIT).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
}

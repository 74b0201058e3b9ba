//! In which order a client is answered; before a broker that does as the test says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_testkit::Asked;
use serde_json::json;
use support::scripted::{EMERGENCY, LOGIN, REPLY, STATUS, World};
use support::{eventually, ops};

/// To whom the next `count` answers are, by their correlation ids.
async fn answered(world: &mut World, count: usize) -> Vec<String> {
    let mut answered = Vec::new();
    for _ in 0..count {
        let (frame, _) = world.answering.answer().await;
        answered.push(frame.header("correlation-id").unwrap().to_owned());
    }
    answered
}

const SLOW: &str = r#"{"op":"eval","args":{"code":"sleep 0.5"}}"#;

#[tokio::test]
async fn what_is_refused_is_answered_in_its_turn() {
    let mut world = World::new().await;
    world.reading.request(2, REPLY, SLOW).await;
    world.reading.request(3, REPLY, "{").await;
    let again = format!("{REPLY}redelivered:true\n");
    world.reading.request(4, &again, SLOW).await;
    world.reading.request(5, REPLY, STATUS).await;
    assert_eq!(answered(&mut world, 4).await, ["c-2", "c-3", "c-4", "c-5"]);
}

#[tokio::test]
async fn looks_of_one_kind_are_asked_side_by_side_and_all_else_alone_and_all_are_answered_in_their_order()
 {
    let mut world = World::new().await;
    let slow = r#"{"op":"complete","args":{"line":"sleep 1"}}"#;
    let quick = r#"{"op":"complete","args":{"line":"x"}}"#;
    for (number, text) in (2..).zip([slow, quick, SLOW, slow, STATUS, quick]) {
        world.reading.request(number, REPLY, text).await;
    }
    let begun = ["complete", "complete"];
    assert!(eventually(|| ops(&world.host) == begun).await);
    assert_eq!(answered(&mut world, 2).await, ["c-2", "c-3"]);
    // A status that was asked for beside the slow one would be old when that is answered.
    let begun = ["complete", "complete", "eval", "complete"];
    assert!(eventually(|| ops(&world.host) == begun).await);
    assert_eq!(answered(&mut world, 4).await, ["c-4", "c-5", "c-6", "c-7"]);
    let all = [&begun[..], &["status", "complete"]].concat();
    assert_eq!(ops(&world.host), all);
}

#[tokio::test]
async fn looks_under_way_count_as_unanswered_and_one_that_fails_keeps_nobody() {
    let mut world = World::with(json!({"limits": {"requests_per_client": 2}})).await;
    let slow = r#"{"op":"complete","args":{"line":"sleep 1"}}"#;
    for number in 2..6 {
        world.reading.request(number, REPLY, slow).await;
    }
    let (refused, answer) = world.answering.answer().await;
    assert_eq!(refused.header("correlation-id"), Some("c-5"));
    assert_eq!(answer["error"]["kind"], "busy");
    assert_eq!(answered(&mut world, 3).await, ["c-2", "c-3", "c-4"]);
    let unknown = r#"{"op":"complete","args":{"line":"fail"}}"#;
    world.reading.request(6, REPLY, unknown).await;
    world.reading.request(7, REPLY, SLOW).await;
    assert_eq!(answered(&mut world, 2).await, ["c-6", "c-7"]);
}

#[tokio::test]
async fn a_client_whose_session_was_ended_is_still_answered_in_its_order() {
    let mut world = World::with(json!({"limits": {"clients": 1}})).await;
    world.reading.request(2, REPLY, SLOW).await;
    assert!(eventually(|| ops(&world.host) == ["eval"]).await);
    world.reading.request(3, REPLY, STATUS).await;
    let other = "reply-to:/queue/other\n";
    world.reading.request(4, other, LOGIN).await;
    assert_eq!(answered(&mut world, 1).await, ["c-4"]);
    world.reading.request(5, REPLY, LOGIN).await;
    world.reading.request(6, REPLY, STATUS).await;
    assert_eq!(answered(&mut world, 3).await, ["c-2", "c-3", "c-5"]);
    assert_eq!(world.answering.answer().await.1["ok"]["run"], "idle");
}

#[tokio::test]
async fn an_answer_for_a_client_on_its_way_back_is_not_overtaken_by_its_next_one() {
    let mut world = World::new().await;
    drop(world.answering);
    world.answering = world.listener.accept().await;
    world.reading.request(2, REPLY, STATUS).await;
    let refused = world.answering.frame().await;
    let other = "reply-to:/queue/other\n";
    world.reading.request(3, other, STATUS).await;
    let later = world.answering.frame().await;
    let receipt = refused.header("receipt").unwrap();
    let error = format!(
        "ERROR\nmessage:temp-queue\\c//ID\\ch\\c1\\c1\nreceipt-id:{receipt}\n\njavax.jms.InvalidDestinationException: The destination temp-queue://ID:h:1:1 does not exist.\n\tat x\0\n"
    );
    world.answering.write(error).await;
    world.answering.receipt(&later).await;
    assert!(world.acknowledged("a-3").await);
    world.reading.request(4, REPLY, STATUS).await;
    assert_eq!(answered(&mut world, 2).await, ["c-2", "c-4"]);
}

#[tokio::test]
async fn what_is_urgent_does_not_wait_for_another_login() {
    let mut world = World::new().await;
    let slow = LOGIN.replace("good", "slow");
    world.reading.request(2, REPLY, &slow).await;
    world.reading.request(3, REPLY, EMERGENCY).await;
    let (first, answer) = world.answering.answer().await;
    assert_eq!(first.header("correlation-id"), Some("c-3"), "{answer}");
    assert_eq!(answer["success"], true);
    assert_eq!(world.answering.answer().await.1["success"], true);
}

#[tokio::test]
async fn what_is_urgent_comes_right_after_the_first_login() {
    let mut world = World::with(json!({"limits": {"requests_per_client": 2}})).await;
    let other = "reply-to:/queue/other\n";
    let slow = LOGIN.replace("good", "slow");
    world.reading.request(2, other, &slow).await;
    assert!(eventually(|| logins(&world) == 2).await);
    let long = r#"{"op":"eval","args":{"code":"sleep 1"}}"#;
    world.reading.request(3, other, long).await;
    world.reading.request(4, other, long).await;
    world.reading.request(5, other, EMERGENCY).await;
    let mut answered = Vec::new();
    for _ in 0..4 {
        let (frame, answer) = world.answering.answer().await;
        assert!(answer["success"] == true || answer.get("ok").is_some());
        answered.push(frame.header("correlation-id").unwrap().to_owned());
    }
    let at = |id| answered.iter().position(|answered| answered == id);
    assert!(at("c-5") < at("c-3"), "{answered:?}");
}

#[tokio::test]
async fn what_is_urgent_finds_room_when_there_is_none_for_the_rest() {
    let mut world = World::with(json!({"limits": {"requests": 1}})).await;
    let long = r#"{"op":"eval","args":{"code":"sleep 1"}}"#;
    world.reading.request(2, REPLY, long).await;
    world.reading.request(3, REPLY, STATUS).await;
    let (_, busy) = world.answering.answer().await;
    assert_eq!(busy["error"]["kind"], "busy");
    world.reading.request(4, REPLY, EMERGENCY).await;
    let (first, answer) = world.answering.answer().await;
    assert_eq!(first.header("correlation-id"), Some("c-4"));
    assert_eq!(answer["success"], true);
}

fn logins(world: &World) -> usize {
    let asked = world.host.asked();
    let login = |asked: &&Asked| matches!(asked, Asked::Login { .. });
    asked.iter().filter(login).count()
}

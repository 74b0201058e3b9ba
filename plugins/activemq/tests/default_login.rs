//! Clients that ask without logging in, as old ones do when only the gateway was restarted; before a scripted broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_testkit::Asked;
use serde_json::json;
use support::ops;
use support::scripted::{EMERGENCY, LOGIN, STATUS, SUBMIT, World};

const OLD: &str = "reply-to:/queue/old\n";

async fn world(secret: &str) -> World {
    let login = json!({"user": "ibex", "secret": {"value": secret}});
    World::with(json!({"default_login": login, "min_reply_delay_ms": 0})).await
}

/// But for the one that [`World`] makes.
fn logins(world: &World) -> usize {
    let asked = world.host.asked();
    let login = |asked: &&Asked| matches!(asked, Asked::Login { .. });
    asked.iter().filter(login).count() - 1
}

#[tokio::test]
async fn a_bare_request_is_carried_out_under_the_default_login_which_is_made_once() {
    let mut world = world("slow").await;
    world.reading.request(2, OLD, SUBMIT).await;
    world.reading.request(3, OLD, EMERGENCY).await;
    world.reading.request(4, OLD, STATUS).await;
    for _ in 0..3 {
        let (frame, answer) = world.answering.answer().await;
        assert!(
            answer["success"] == true || answer.get("ok").is_some(),
            "{frame:?}"
        );
    }
    assert_eq!(logins(&world), 1);
    assert_eq!(ops(&world.host).len(), 3);
    world
        .reading
        .request(5, "reply-to:/queue/other\n", STATUS)
        .await;
    assert_eq!(world.answering.answer().await.1["ok"]["run"], "idle");
    assert_eq!(logins(&world), 2, "each client has its own session");
}

#[tokio::test]
async fn a_default_login_that_fails_is_told_with_its_reason_and_not_tried_for_everybody() {
    let mut world = world("bad").await;
    for number in 2..10 {
        world.reading.request(number, OLD, SUBMIT).await;
        let (_, answer) = world.answering.answer().await;
        let text = answer["payload"].as_str().unwrap();
        assert!(
            text.contains("`ibex`, fails: wrong password"),
            "the person in front of the screen reads why: {text}"
        );
    }
    assert!(logins(&world) < 8);
    assert!(ops(&world.host).is_empty());
    // What an earlier gateway has done is answered all the same, and whoever logs in may ask.
    let known = SUBMIT.replace("\"x\"", "\"known\"");
    world.reading.request(10, OLD, &known).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
    world.reading.request(11, OLD, LOGIN).await;
    assert_eq!(world.answering.answer().await.1["success"], true);
    world.reading.request(12, OLD, SUBMIT).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
}

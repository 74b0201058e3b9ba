//! Answered, then acknowledged, and never done twice; before a broker that does as the test says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use support::scripted::{EMERGENCY, EVAL, LOGIN, REPLY, STATUS, SUBMIT, World};
use support::{eventually, keys, ops};

#[tokio::test]
async fn a_request_is_acknowledged_only_when_the_broker_has_the_answer() {
    let mut world = World::new().await;
    world.reading.request(2, REPLY, SUBMIT).await;
    let answer = world.answering.frame().await;
    assert_eq!(
        answer.header("destination"),
        Some("/remote-temp-queue/ID:h:1:1")
    );
    assert_eq!(answer.header("correlation-id"), Some("c-2"));
    assert_eq!(answer.header("content-length"), None);
    assert_eq!(answer.body, r#"{"success":true,"payload":"job-1"}"#);
    assert!(world.reading.stays_silent().await);
    world.answering.receipt(&answer).await;
    assert!(world.acknowledged("a-2").await);
}

#[tokio::test]
async fn a_request_delivered_again_gets_the_same_answer_and_is_not_carried_out_again() {
    let mut world = World::new().await;
    for extra in ["", "redelivered:true\n", ""] {
        world
            .reading
            .request(2, &format!("{REPLY}{extra}"), SUBMIT)
            .await;
        assert_eq!(world.answering.answer().await.1["payload"], "job-1");
        assert!(world.acknowledged("a-2").await);
    }
    assert_eq!(ops(&world.host), ["submit"]);
}

#[tokio::test]
async fn a_request_delivered_again_while_it_is_carried_out_waits_for_that() {
    let mut world = World::new().await;
    let slow = r#"{"op":"eval","args":{"code":"sleep 1"}}"#;
    world.reading.request(2, REPLY, slow).await;
    assert!(eventually(|| ops(&world.host) == ["eval"]).await);
    drop(world.reading);
    world.reading = world.listener.accept().await;
    world.reading.confirm_subscriptions().await;
    world
        .reading
        .request(2, &format!("{REPLY}redelivered:true\n"), slow)
        .await;
    assert_eq!(world.answering.answer().await.1["ok"]["value"], "sleep 1");
    assert!(world.acknowledged("a-2").await);
    assert!(world.answering.stays_silent().await, "one answer is enough");
    assert_eq!(ops(&world.host), ["eval"]);
}

#[tokio::test]
async fn what_an_earlier_gateway_may_have_done_is_not_done_again_but_looking_is_free() {
    let mut world = World::new().await;
    let again = format!("{REPLY}redelivered:true\n");
    world.reading.request(2, &again, EVAL).await;
    let (_, answer) = world.answering.answer().await;
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("look at the queue"), "{answer}");
    assert!(world.acknowledged("a-2").await);
    world.reading.request(3, &again, STATUS).await;
    assert_eq!(world.answering.answer().await.1["ok"]["run"], "idle");
    assert_eq!(ops(&world.host), ["status"]);
}

#[tokio::test]
async fn of_a_submit_the_host_knows_whether_it_was_done() {
    let mut world = World::new().await;
    let again = format!("{REPLY}redelivered:true\n");
    world.reading.request(2, &again, SUBMIT).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
    let own = r#"{"op":"submit","args":{"code":"x"},"key":"mine"}"#;
    world.reading.request(3, REPLY, own).await;
    assert_eq!(world.answering.answer().await.1["ok"]["job"], "job-1");
    let keys = keys(&world.host);
    assert!(
        keys[0].starts_with("message /remote-temp-queue/ID:h:1:1 ") && keys[0].ends_with(" ID:m:2")
    );
    assert_eq!(keys[1..], [r#"["ibex","mine"]"#]);
    // Where it cannot even look, it does not say that nothing was done.
    let unlucky = SUBMIT.replace("\"x\"", "\"no room\"");
    world.reading.request(4, &again, &unlucky).await;
    let (_, answer) = world.answering.answer().await;
    let text = answer["payload"].as_str().unwrap();
    assert!(text.contains("may already have been done"), "{text}");
    world.reading.request(5, REPLY, &unlucky).await;
    let (_, answer) = world.answering.answer().await;
    assert_eq!(answer["payload"], "too many requests at a time");
}

#[tokio::test]
async fn a_submit_of_somebody_without_session_is_answered_as_it_was_before() {
    let mut world = World::new().await;
    let other = "reply-to:/queue/other\n";
    let known = SUBMIT.replace("\"x\"", "\"known\"");
    world.reading.request(2, other, &known).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
    world.reading.request(3, other, SUBMIT).await;
    let (_, answer) = world.answering.answer().await;
    let text = answer["payload"].as_str().unwrap();
    assert!(text.contains("reconnect"), "{text}");
    assert!(ops(&world.host).is_empty());
}

#[tokio::test]
async fn keys_are_their_users_own() {
    let mut world = World::new().await;
    let own = |code| format!(r#"{{"op":"submit","args":{{"code":"{code}"}},"key":"1"}}"#);
    let other = "reply-to:/queue/other\n";
    world.reading.request(2, REPLY, &own("x")).await;
    assert_eq!(world.answering.answer().await.1["ok"]["job"], "job-1");
    // Of a stranger nobody knows whose key it is, so that nothing is told of it.
    world.reading.request(3, other, &own("known")).await;
    let (_, answer) = world.answering.answer().await;
    assert_eq!(answer["error"]["kind"], "unauthorized");
    let again = format!("{other}redelivered:true\n");
    world.reading.request(4, &again, &own("known")).await;
    let (_, answer) = world.answering.answer().await;
    assert_eq!(answer["error"]["kind"], "unknown-outcome");
    let login = LOGIN.replace("ibex", "other");
    world.reading.request(5, other, &login).await;
    assert_eq!(world.answering.answer().await.1["success"], true);
    world.reading.request(6, other, &own("x")).await;
    assert_eq!(world.answering.answer().await.1["ok"]["job"], "job-1");
    let expected = [r#"["ibex","1"]"#, r#"["other","1"]"#];
    assert_eq!(keys(&world.host), expected);
}

#[tokio::test]
async fn an_answer_without_receipt_is_sent_again_on_the_next_connection() {
    let mut world = World::new().await;
    world.reading.request(2, REPLY, SUBMIT).await;
    let lost = world.answering.frame().await;
    drop(world.answering);
    world.answering = world.listener.accept().await;
    let (again, _) = world.answering.answer().await;
    assert_eq!(
        (&again.body, again.header("correlation-id")),
        (&lost.body, Some("c-2"))
    );
    assert!(world.acknowledged("a-2").await);
    assert_eq!(ops(&world.host), ["submit"]);
}

#[tokio::test]
async fn answers_that_nobody_takes_are_told_then_given_up_and_their_requests_acknowledged() {
    let mut world = World::with(json!({"answer_expiry_s": 2})).await;
    assert_eq!(world.health().await.state, "up");
    world.reading.request(2, REPLY, STATUS).await;
    world.answering.frame().await;
    let health = world.health().await;
    assert!(
        health.state == "degraded" && health.reason.contains("takes no answers"),
        "{health:?}"
    );
    assert!(world.acknowledged("a-2").await);
    assert_eq!(world.health().await.state, "up");
    world.counted("answers_lost").await;
}

#[tokio::test]
async fn what_makes_things_safe_is_done_even_if_it_may_have_been_done_before() {
    let mut world = World::new().await;
    world
        .reading
        .request(2, &format!("{REPLY}redelivered:true\n"), EMERGENCY)
        .await;
    let (_, answer) = world.answering.answer().await;
    assert_eq!(answer["success"], true, "{answer}");
    assert_eq!(ops(&world.host), ["emergency"]);
}

#[tokio::test]
async fn what_expires_while_it_waits_for_its_turn_is_not_carried_out() {
    let mut world = World::new().await;
    let slow = r#"{"op":"eval","args":{"code":"sleep 1"}}"#;
    world.reading.request(2, REPLY, slow).await;
    let soon = SystemTime::now() + Duration::from_millis(300);
    let soon = soon.duration_since(UNIX_EPOCH).unwrap().as_millis();
    let expires = format!("{REPLY}expires:{soon}\n");
    world.reading.request(3, &expires, SUBMIT).await;
    let known = SUBMIT.replace("\"x\"", "\"known\"");
    world.reading.request(4, &expires, &known).await;
    let interrupted = SUBMIT.replace("\"x\"", "\"interrupted\"");
    world.reading.request(6, &expires, &interrupted).await;
    assert_eq!(world.answering.answer().await.1["ok"]["value"], "sleep 1");
    let (_, answer) = world.answering.answer().await;
    let text = answer["payload"].as_str().unwrap();
    assert!(text.contains("expired"), "{text}");
    // But not if it was before, or may have been: then the script server is asked.
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
    let never = format!("{REPLY}expires:0\npriority:many\n");
    world.reading.request(5, &never, STATUS).await;
    let (frame, answer) = world.answering.answer().await;
    assert!(answer["ok"].is_object() && frame.header("priority").is_none());
    assert_eq!(ops(&world.host), ["eval", "status"]);
}

#[tokio::test]
async fn on_stop_what_was_done_is_not_said_to_be_undone() {
    let mut world = World::new().await;
    let again = format!("{REPLY}redelivered:true\n");
    let slow = r#"{"op":"eval","args":{"code":"sleep 1"}}"#;
    world.reading.request(2, REPLY, SUBMIT).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
    assert!(world.acknowledged("a-2").await);
    world.reading.request(3, REPLY, slow).await;
    assert!(eventually(|| ops(&world.host) == ["submit", "eval"]).await);
    let World {
        host,
        listener: _listener,
        mut reading,
        mut answering,
    } = world;
    let broker = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        reading.request(2, &again, SUBMIT).await;
        assert_eq!(answering.answer().await.1["payload"], "job-1");
        reading.request(4, &again, SUBMIT).await;
        let (_, answer) = answering.answer().await;
        let text = answer["payload"].as_str().unwrap();
        assert!(text.contains("was not carried out"), "{text}");
        let known = SUBMIT.replace("\"x\"", "\"known\"");
        reading.request(5, &again, &known).await;
        assert_eq!(answering.answer().await.1["payload"], "job-1");
        reading.request(6, &again, EVAL).await;
        let (_, answer) = answering.answer().await;
        let text = answer["error"]["message"].as_str().unwrap();
        assert!(text.contains("may already have been done"), "{text}");
        assert_eq!(answering.answer().await.1["ok"]["value"], "sleep 1");
        while reading.frame().await.command != "DISCONNECT" {}
        let goodbye = answering.frame().await;
        answering.receipt(&goodbye).await;
    };
    let (stopped, ()) = tokio::join!(host.stop(), broker);
    stopped.unwrap();
}

#[tokio::test]
async fn copies_with_a_forged_id_are_answered_at_once_and_acknowledged() {
    let mut world = World::new().await;
    let slow = r#"{"op":"eval","args":{"code":"sleep 1"}}"#;
    world.reading.request(2, REPLY, slow).await;
    assert!(eventually(|| ops(&world.host) == ["eval"]).await);
    let subscription = world.reading.subscription.clone();
    for ack in ["b", "c"] {
        let frame = format!(
            "MESSAGE\ndestination:/queue/ss_admin\nmessage-id:ID\\cm\\c2\nsubscription:{subscription}\nack:{ack}\n{REPLY}\n{slow}\0\n"
        );
        world.reading.write(frame).await;
        let (_, answer) = world.answering.answer().await;
        assert_eq!(answer["error"]["kind"], "conflict");
        assert!(world.acknowledged(ack).await);
    }
    assert_eq!(world.answering.answer().await.1["ok"]["value"], "sleep 1");
    assert!(world.acknowledged("a-2").await);
    assert_eq!(ops(&world.host), ["eval"]);
}

#[tokio::test]
async fn what_a_forged_message_brought_is_not_told_of_the_genuine_one() {
    let mut world = World::new().await;
    let other_submit = SUBMIT.replace("\"x\"", "\"y\"");
    world.reading.request(2, REPLY, EVAL).await;
    assert_eq!(world.answering.answer().await.1["ok"]["value"], "x");
    world.reading.request(2, REPLY, &other_submit).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
    world.reading.request(2, REPLY, SUBMIT).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
    assert_eq!(ops(&world.host), ["eval", "submit", "submit"]);
    let keys = keys(&world.host);
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn that_nobody_was_logged_in_is_not_remembered() {
    let mut world = World::new().await;
    let other = "reply-to:/queue/other\n";
    world.reading.request(2, other, SUBMIT).await;
    assert_eq!(world.answering.answer().await.1["success"], false);
    world.reading.request(3, other, LOGIN).await;
    assert_eq!(world.answering.answer().await.1["success"], true);
    world.reading.request(2, other, SUBMIT).await;
    assert_eq!(world.answering.answer().await.1["payload"], "job-1");
}

#[tokio::test]
async fn two_requests_with_the_same_correlation_id_are_two() {
    let mut world = World::new().await;
    let same = format!("{REPLY}correlation-id:same\n");
    for number in [2, 3] {
        let subscription = &world.reading.subscription;
        let frame = format!(
            "MESSAGE\ndestination:/queue/ss_admin\nmessage-id:m-{number}\nsubscription:{subscription}\nack:a-{number}\n{same}\n{SUBMIT}\0\n"
        );
        world.reading.write(frame).await;
        let (answer, _) = world.answering.answer().await;
        assert_eq!(answer.header("correlation-id"), Some("same"));
        assert!(world.acknowledged(&format!("a-{number}")).await);
    }
    assert_eq!(ops(&world.host), ["submit", "submit"]);
}

#[tokio::test]
async fn an_answer_on_which_the_broker_hangs_up_does_not_hold_up_the_others() {
    let mut world = World::new().await;
    world
        .reading
        .request(2, "reply-to:/queue/poison\n", STATUS)
        .await;
    let poison = world.answering.frame().await;
    world.reading.request(3, REPLY, STATUS).await;
    world.answering.frame().await;
    for expected in [2, 1] {
        drop(world.answering);
        world.answering = world.listener.accept().await;
        for _ in 0..expected {
            let frame = world.answering.frame().await;
            assert!(expected == 2 || frame.body == poison.body);
        }
    }
    assert!(world.answering.stays_silent().await, "a suspect is alone");
    drop(world.answering);
    world.answering = world.listener.accept().await;
    assert!(world.acknowledged("a-2").await);
    world.counted("answers_lost").await;
    let (answer, _) = world.answering.answer().await;
    assert_eq!(answer.header("correlation-id"), Some("c-3"));
    assert!(world.acknowledged("a-3").await);
}

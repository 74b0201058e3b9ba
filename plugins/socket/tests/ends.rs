//! How connections end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_abi::Kind;
use patchbay_testkit::{Asked, PATIENCE};
use serde_json::json;
use support::{World, login};
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn half_a_close_gets_the_answers_that_are_due() {
    let world = World::new(json!({})).await;
    let mut client = world.login().await;
    client
        .send(json!({"id": 1, "op": "eval", "args": {"code": "1"}}))
        .await;
    client.send(json!({"op": "status"})).await;
    world.wait_for_op("eval", 1).await;
    client.writing.shutdown().await.unwrap();
    world.open();
    let rest = client.rest().await;
    assert_eq!(rest.lines().count(), 2, "{rest}");
    assert!(!rest.contains("bye"), "{rest}");
    world
        .wait_for(|asked| matches!(asked, Asked::Logout { .. }), 1)
        .await;
}

/// A client that is gone, as the frontend notices: it cannot be written to.
async fn vanish(world: &World, mut client: support::Client) {
    client.send(json!({"id": 1, "op": "subscribe"})).await;
    client.read().await;
    drop(client);
    world.log(1, "nobody reads this");
}

#[tokio::test]
async fn what_only_looks_is_cancelled_when_its_client_is_gone() {
    let world = World::new(json!({})).await;
    let mut client = world.login().await;
    client.send(json!({"id": 1, "op": "trace"})).await;
    world.wait_for_op("trace", 1).await;
    vanish(&world, client).await;
    world.host.next_of(&[Kind::CANCEL]).await;
}

#[tokio::test]
async fn what_changes_something_goes_on_when_its_client_is_gone() {
    let world = World::new(json!({"limits": {"connections": 1, "changes": 1}})).await;
    let mut client = world.login().await;
    client
        .send(json!({"id": 1, "op": "exec", "args": {"code": "1"}}))
        .await;
    world.wait_for_op("exec", 1).await;
    vanish(&world, client).await;
    assert_eq!(world.host.counted("answers_lost", 1).await, 1);
    let logged_out = |asked: &Asked| matches!(asked, Asked::Logout { .. });
    assert!(
        !world.host.asked().iter().any(logged_out),
        "its session lives on"
    );
    let mut next = world.login_when_there_is_room().await;
    let exec = json!({"op": "exec", "args": {"code": "2"}});
    let busy = next.ask(exec.clone()).await["error"].take();
    assert_eq!(busy["kind"], "busy", "it is counted");
    assert!(busy["message"].as_str().unwrap().contains("limits.changes"));
    let stop = next.ask(json!({"op": "stop"})).await;
    assert_eq!(stop["ok"]["op"], "stop", "and keeps nobody from a stop");
    world.open();
    world.wait_for(logged_out, 1).await;
    let done = async { while next.ask(exec.clone()).await["ok"].is_null() {} };
    let done = tokio::time::timeout(PATIENCE, done).await;
    done.expect("there is room again");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let world = World::new(json!({"write_s": 1})).await;
    let client = world.subscribe().await;
    let text = "x".repeat(1_000_000);
    for seq in 1..=20 {
        world.log(seq, &text);
    }
    world
        .wait_for(|asked| matches!(asked, Asked::Logout { .. }), 1)
        .await;
    drop(client);
}

#[tokio::test]
async fn another_protocol_gets_no_further() {
    let world = World::new(json!({})).await;
    let smuggled = format!(
        "POST / HTTP/1.1\r\nHost: x\r\n\r\n{}\n{}\n",
        login("good"),
        json!({"op": "submit", "args": {"code": "x"}})
    );
    for text in [
        smuggled.as_str(),
        "\x16\x03\x01\x02",
        "[1]\n",
        "{\"op\": \n",
        "\n",
    ] {
        let mut client = world.connect().await;
        client.send_text(text).await;
        assert_eq!(client.bye().await.0, "invalid", "{text}");
    }
    assert!(world.host.asked().is_empty());
}

#[tokio::test]
async fn before_the_login_not_much_is_read() {
    let world = World::new(json!({})).await;
    let mut client = world.connect().await;
    client.ask(json!({"op": "ping"})).await;
    let refused = client
        .ask(json!({"op": "submit", "args": {"code": "x".repeat(70_000)}}))
        .await;
    assert_eq!(refused["error"]["kind"], "too-large");
}

#[tokio::test]
async fn after_too_many_wrong_logins_the_connection_is_closed() {
    let world = World::new(json!({"limits": {"wrong_logins": 3}})).await;
    let mut client = world.connect().await;
    for _ in 0..3 {
        assert_eq!(
            client.ask(login("bad")).await["error"]["kind"],
            "unauthorized"
        );
    }
    assert_eq!(client.bye().await.0, "unauthorized");
}

#[tokio::test]
async fn who_does_not_log_in_is_sent_away() {
    let world = World::new(json!({"login_s": 1})).await;
    let (kind, message) = world.connect().await.bye().await;
    assert_eq!(kind, "timeout");
    assert!(message.contains("login_s"), "{message}");
}

#[tokio::test]
async fn who_is_silent_is_sent_away_but_not_who_waits() {
    let world = World::new(json!({"idle_s": 1})).await;
    let mut subscribed = world.subscribe().await;
    let mut waiting = world.login().await;
    waiting
        .send(json!({"id": 1, "op": "eval", "args": {"code": "1"}}))
        .await;
    let (kind, message) = world.login().await.bye().await;
    assert_eq!(kind, "timeout");
    assert!(message.contains("idle_s"), "{message}");
    world.open();
    assert!(waiting.read().await["ok"].is_object());
    assert!(subscribed.ask(json!({"op": "status"})).await["ok"].is_object());
}

#[tokio::test]
async fn one_connection_too_many_is_told_why() {
    let world = World::new(json!({"limits": {"connections": 2}})).await;
    let (_one, two) = (world.login().await, world.login().await);
    assert_eq!(world.knock().await.bye().await.0, "busy");
    drop(two);
    world.login_when_there_is_room().await;
}

#[tokio::test]
async fn who_does_not_log_in_keeps_nobody_out_who_does() {
    let world = World::new(json!({"limits": {"connections": 3, "strangers": 1}})).await;
    let mut first = world.connect().await;
    let (kind, message) = world.knock().await.bye().await;
    assert_eq!(kind, "busy");
    assert!(message.contains("without a login"), "{message}");
    first.ask(login("good")).await;
    world.login().await;
}

#[tokio::test]
async fn at_a_stop_what_was_taken_is_answered_and_everybody_told() {
    let world = World::new(json!({})).await;
    let mut busy = world.login().await;
    let mut idle = world.subscribe().await;
    busy.send(json!({"id": 1, "op": "eval", "args": {"code": "1"}}))
        .await;
    world.wait_for_op("eval", 1).await;
    let path = world.dir.path().join("s");
    let gate = world.opener();
    let stopped = tokio::spawn(world.host.stop());
    assert_eq!(idle.bye().await.0, "shutting-down");
    gate();
    assert_eq!(busy.read().await["id"], 1);
    assert_eq!(busy.bye().await.0, "shutting-down");
    let stopped = tokio::time::timeout(PATIENCE, stopped).await;
    stopped.unwrap().unwrap().unwrap();
    assert!(!path.exists(), "the socket file goes with the gateway");
}

#[tokio::test]
async fn what_comes_while_the_rest_is_answered_is_told_unless_it_is_urgent() {
    let world = World::new(json!({})).await;
    let mut client = world.login().await;
    client.send(json!({"id": 1, "op": "trace"})).await;
    client.send(json!({"op": "trace"})).await;
    world.wait_for_op("trace", 2).await;
    let mut idle = world.login().await;
    let gate = world.opener();
    let stopped = tokio::spawn(world.host.stop());
    assert_eq!(idle.bye().await.0, "shutting-down");
    client.send(json!({"id": 2, "op": "status"})).await;
    client.send(json!({"op": "queue"})).await;
    client.send(json!({"id": 3, "op": "emergency"})).await;
    for id in [2, 3] {
        let answer = client.read().await;
        assert_eq!(answer["id"], id, "{answer}");
        match id {
            2 => assert_eq!(answer["error"]["kind"], "shutting-down", "{answer}"),
            _ => assert!(answer.get("ok").is_some(), "{answer}"),
        }
    }
    gate();
    // Those without a number in their order, whatever the one with a number does.
    let mut rest = Vec::new();
    for _ in 0..3 {
        rest.push(client.read().await);
    }
    let numbered = rest.iter().position(|answer| answer["id"] == 1).unwrap();
    assert!(rest.remove(numbered).get("ok").is_some());
    assert!(rest[0].get("ok").is_some(), "{rest:?}");
    assert_eq!(rest[1]["error"]["kind"], "shutting-down", "{rest:?}");
    assert_eq!(client.bye().await.0, "shutting-down");
    tokio::time::timeout(PATIENCE, stopped)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let world = World::new(json!({})).await;
    let mut client = world.login().await;
    client.send(json!({"id": 1, "op": "trace"})).await;
    world.wait_for_op("trace", 1).await;
    let gate = world.opener();
    let within = std::time::Duration::from_secs(1);
    let stopped = tokio::spawn(world.host.stop_within(within));
    assert_eq!(client.bye().await.0, "shutting-down");
    stopped.await.unwrap().unwrap();
    gate();
}

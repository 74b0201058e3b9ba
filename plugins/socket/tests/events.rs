//! Events between the answers.

mod support;

use patchbay_sdk::{Event, EventKind};
use serde_json::{Value, json};
use support::World;

async fn resume(world: &World, since: Value) -> support::Client {
    let mut client = world.login().await;
    let answer = client
        .ask(json!({"op": "subscribe", "args": {"since": since}}))
        .await;
    assert_eq!(answer["ok"], since);
    client
}

#[tokio::test]
async fn events_come_to_all_who_subscribed_and_to_nobody_else() {
    let world = World::new(json!({})).await;
    let (mut one, mut two) = (world.subscribe().await, world.subscribe().await);
    let mut other = world.login().await;
    world.log(1, "first");
    world.log(2, "grüße");
    for client in [&mut one, &mut two] {
        assert_eq!(client.log().await, (1, "first".into()));
        assert_eq!(client.log().await, (2, "grüße".into()));
    }
    assert_eq!(
        one.ask(json!({"op": "unsubscribe"})).await["ok"],
        Value::Null
    );
    world.log(3, "third");
    assert_eq!(two.log().await.0, 3);
    for client in [&mut one, &mut other] {
        assert_eq!(client.ask(json!({"op": "ping"})).await, json!({"ok": null}));
    }
}

#[tokio::test]
async fn after_the_logout_no_events_come() {
    let world = World::new(json!({})).await;
    let (mut client, mut witness) = (world.subscribe().await, world.subscribe().await);
    client.ask(json!({"op": "logout"})).await;
    world.log(1, "not for strangers");
    witness.log().await;
    assert_eq!(client.ask(json!({"op": "ping"})).await, json!({"ok": null}));
}

#[tokio::test]
async fn only_the_kinds_that_are_wanted_come() {
    let world = World::new(json!({})).await;
    let mut client = world.login().await;
    client
        .ask(json!({"op": "subscribe", "args": {"kinds": ["job"]}}))
        .await;
    world.log(1, "not wanted");
    world.host.event(
        2,
        Event::new(EventKind::Job, &json!({"state": "queued"}))
            .unwrap()
            .job("7"),
    );
    let event = client.read().await["event"].clone();
    assert_eq!(
        (&event["seq"], &event["kind"], &event["job"]),
        (&json!(2), &json!("job"), &json!("7"))
    );
}

#[tokio::test]
async fn who_was_away_gets_what_was_missed() {
    let world = World::new(json!({})).await;
    let mut client = world.subscribe().await;
    world.log(1, "seen");
    client.log().await;
    drop(client);
    let mut witness = world.subscribe().await;
    world.log(2, "missed");
    witness.log().await;
    let mut client = resume(&world, json!({"epoch": 1, "seq": 1})).await;
    assert_eq!(client.log().await, (2, "missed".into()));
    world.log(3, "new");
    assert_eq!(client.log().await, (3, "new".into()));
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_a_gap() {
    let world = World::new(json!({"events_bytes": 65_536})).await;
    let mut witness = world.subscribe().await;
    for seq in 1..=100 {
        world.log(seq, &"x".repeat(10_000));
        witness.log().await;
    }
    let mut client = resume(&world, json!({"epoch": 1, "seq": 5})).await;
    let gap = client.read().await["event"].clone();
    assert_eq!(
        (&gap["kind"], &gap["body"]["missed_from"]),
        (&json!("gap"), &json!(6))
    );
    let to = gap["body"]["missed_to"].as_u64().unwrap();
    assert_eq!(client.log().await.0, to + 1);
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_gets_a_gap_and_holds_up_nobody() {
    let world = World::new(json!({"events_bytes": 65_536})).await;
    let mut slow = world.subscribe().await;
    let mut quick = world.subscribe().await;
    for seq in 1..=1_000 {
        world.log(seq, &"x".repeat(10_000));
        assert_eq!(quick.log().await.0, seq);
    }
    let (mut next, mut missed) = (1, 0);
    while next <= 1_000 {
        let event = slow.read().await["event"].clone();
        if event["kind"] == "gap" {
            assert_eq!(event["body"]["missed_from"], next);
            missed += 1;
        } else {
            assert_eq!(event["seq"], next);
        }
        next = event["seq"].as_u64().unwrap() + 1;
    }
    assert!(missed > 0, "what was not kept is told");
}

#[tokio::test]
async fn a_new_life_of_the_backend_is_told_as_the_host_tells_it() {
    let world = World::new(json!({})).await;
    let mut client = world.subscribe().await;
    let body = json!({"missed_from": 0, "missed_to": 0});
    world
        .host
        .event(0, Event::new(EventKind::Gap, &body).unwrap());
    world.log(1, "new life");
    assert_eq!(client.read().await["event"]["body"], body);
    assert_eq!(client.log().await.0, 1);
}

#[tokio::test]
async fn pictures_stand_beside_the_event() {
    let world = World::new(json!({})).await;
    let mut client = world.subscribe().await;
    let large = vec![7; 300_000];
    let event = Event::new(EventKind::Data, &json!({})).unwrap();
    world
        .host
        .event(1, event.blobs([vec![0, 255].into(), large.into()]));
    world.log(2, "after");
    let line = client.read().await;
    assert_eq!(line["blobs"][0], "AP8=");
    assert_eq!(line["blobs"][1].as_str().unwrap().len(), 400_000);
    assert_eq!(
        client.log().await.0,
        2,
        "in order, although a picture takes longer"
    );
}

#[tokio::test]
async fn private_events_go_to_their_session_only_and_are_not_kept() {
    let world = World::new(json!({})).await;
    let (mut mine, mut other) = (world.subscribe().await, world.subscribe().await);
    world.log(1, "for all");
    let help = || Event::new(EventKind::Native, &json!({"text": "help"})).unwrap();
    world.host.event(1, help().session(1));
    world.log(2, "for all");
    assert_eq!(other.log().await.0, 1);
    assert_eq!(other.log().await.0, 2);
    let mut lines = Vec::new();
    for _ in 0..3 {
        lines.push(mine.read().await);
    }
    let private: Vec<_> = lines
        .iter()
        .filter(|line| line["private"] == true)
        .collect();
    assert_eq!(private.len(), 1);
    assert_eq!(private[0]["event"]["body"]["text"], "help");
    let mut late = resume(&world, json!({"epoch": 1, "seq": 0})).await;
    assert_eq!(late.log().await, (1, "for all".into()));
    assert_eq!(late.log().await, (2, "for all".into()));
}

#[tokio::test]
async fn private_events_without_a_listener_are_counted() {
    let world = World::new(json!({})).await;
    let _not_subscribed = world.login().await;
    let help = Event::new(EventKind::Native, &json!({})).unwrap();
    world.host.event(1, help.session(1));
    assert_eq!(world.host.counted("private_events_dropped", 1).await, 1);
}

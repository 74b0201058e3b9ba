//! Events to the reply-to of who has subscribed: before a scripted broker, and with a real one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_sdk::{Event, EventKind};
use patchbay_testkit::Asked;
use serde_json::{Value, json};
use support::broker::Frame;
use support::scripted::{LOGIN, REPLY, STATUS, World};
use support::{LIMIT, eventually, world};

const OTHER: &str = "reply-to:/queue/other\n";

async fn scripted(more: Value) -> World {
    let mut config = json!({"events": "reply-to"});
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    World::with(config).await
}

fn log(text: &str) -> Event {
    Event::new(EventKind::Log, &json!({ "text": text })).unwrap()
}

async fn ask(world: &mut World, number: u32, reply: &str, request: &str) -> Value {
    world.reading.request(number, reply, request).await;
    world.answering.answer().await.1
}

/// The next event that the frontend sends, as the client gets it.
async fn event(world: &mut World) -> (Frame, Value) {
    let frame = world.answering.frame().await;
    let value: Value = serde_json::from_str(&frame.body).unwrap();
    (frame, value["event"].clone())
}

#[tokio::test]
async fn who_subscribes_hears_from_then_on_and_of_what_was_missed() {
    let mut world = scripted(json!({})).await;
    let subscribe = r#"{"op":"subscribe"}"#;
    let answer = ask(&mut world, 2, REPLY, subscribe).await;
    assert_eq!(answer["ok"], json!({"epoch": 0, "seq": 0}));
    world.host.event(7, log("seven"));
    let (frame, seven) = event(&mut world).await;
    assert_eq!(
        frame.header("destination"),
        Some("/remote-temp-queue/ID:h:1:1")
    );
    assert!(frame.header("expires").is_some() && frame.header("receipt").is_none());
    assert_eq!(
        (&seven["seq"], &seven["body"]["text"]),
        (&json!(7), &json!("seven"))
    );
    let since = r#"{"op":"subscribe","args":{"since":{"epoch":1,"seq":4}}}"#;
    world.reading.request(3, REPLY, since).await;
    // Which of both comes first is open.
    let mut frames = [world.answering.frame().await, world.answering.frame().await];
    frames.sort_by_key(|frame| frame.header("receipt").is_none());
    world.answering.receipt(&frames[0]).await;
    let [answer, gap] = frames.map(|frame| serde_json::from_str::<Value>(&frame.body).unwrap());
    assert_eq!(answer["ok"], json!({"epoch": 1, "seq": 7}));
    assert_eq!(gap["event"]["kind"], "gap");
    assert_eq!(
        gap["event"]["body"],
        json!({"missed_from": 5, "missed_to": 7})
    );
    ask(&mut world, 4, REPLY, r#"{"op":"unsubscribe"}"#).await;
    world.host.event(8, log("eight"));
    assert!(world.answering.stays_silent().await);
}

#[tokio::test]
async fn what_is_for_one_client_only_reaches_that_one() {
    let mut world = scripted(json!({})).await;
    world.reading.request(2, OTHER, LOGIN).await;
    world.answering.answer().await;
    ask(&mut world, 3, REPLY, r#"{"op":"subscribe"}"#).await;
    ask(&mut world, 4, OTHER, r#"{"op":"subscribe"}"#).await;
    world.host.event(1, log("for the second").session(2));
    let (frame, _) = event(&mut world).await;
    assert_eq!(frame.header("destination"), Some("/queue/other"));
    assert!(world.answering.stays_silent().await);
    world.host.event(1, log("for nobody here").session(9));
    world.host.counted("private_events_dropped", 1).await;
}

#[tokio::test]
async fn a_client_that_only_listens_is_cut_and_told_and_one_that_asks_is_not() {
    let mut world = scripted(json!({"limits": {"events_unread": 2}})).await;
    ask(
        &mut world,
        2,
        REPLY,
        r#"{"op":"subscribe","args":{"kinds":["log"]}}"#,
    )
    .await;
    for seq in 1..3 {
        world.host.event(seq, log("x"));
        event(&mut world).await;
    }
    ask(&mut world, 3, REPLY, STATUS).await;
    for seq in 3..6 {
        world.host.event(seq, log("x"));
    }
    for seq in 3..5 {
        assert_eq!(event(&mut world).await.1["seq"], seq);
    }
    let (_, last) = event(&mut world).await;
    assert_eq!((&last["kind"], &last["seq"]), (&json!("gap"), &json!(5)));
    assert!(
        last["body"]["ended"]
            .as_str()
            .unwrap()
            .contains("subscribe again")
    );
    world.host.counted("subscriptions_cut", 1).await;
    world.host.event(6, log("x"));
    assert!(world.answering.stays_silent().await);
    assert_eq!(ask(&mut world, 4, REPLY, STATUS).await["ok"]["run"], "idle");
}

#[tokio::test]
async fn an_event_for_a_queue_that_is_gone_ends_the_session() {
    let mut world = scripted(json!({})).await;
    ask(&mut world, 2, REPLY, r#"{"op":"subscribe"}"#).await;
    world.host.event(1, log("x"));
    event(&mut world).await;
    let error = "ERROR\nmessage:temp-queue\\c//ID\\ch\\c1\\c1\n\njavax.jms.InvalidDestinationException: The destination temp-queue://ID:h:1:1 does not exist.\n\0\n";
    world.answering.write(error).await;
    let logged_out = || matches!(world.host.asked().last(), Some(Asked::Logout { .. }));
    assert!(eventually(logged_out).await);
}

#[tokio::test]
async fn where_events_go_elsewhere_it_is_said() {
    for (events, told) in [("topic", "ss_admin.events."), ("off", "no events")] {
        let mut world = World::with(json!({ "events": events })).await;
        let answer = ask(&mut world, 2, REPLY, r#"{"op":"subscribe"}"#).await;
        assert_eq!(answer["error"]["kind"], "unsupported");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(told), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jms_client_gets_its_events_beside_its_answers() {
    let world = world::World::new(json!({"events": "reply-to"})).await;
    world.log_in("listener");
    world.log_in("other");
    let subscribe = r#"{"op":"subscribe","args":{"kinds":["log"]}}"#;
    assert!(world.ask("listener", "s", subscribe)["ok"].is_object());
    for seq in 1..4 {
        let state = Event::new(EventKind::State, &json!({"run": "idle"})).unwrap();
        world.host.event(seq * 2, state);
        world
            .host
            .event(seq * 2 + 1, log("gr\u{fc}\u{df}e \u{1f600}"));
        let event = world
            .jms
            .receive(LIMIT, |message| message.correlation.is_none());
        let event = event.unwrap().unwrap();
        assert_eq!(event.client, "listener");
        assert!(event.expires > 0);
        let value = world::value(&event);
        assert_eq!(value["event"]["seq"], seq * 2 + 1);
        assert_eq!(value["event"]["body"]["text"], "gr\u{fc}\u{df}e \u{1f600}");
    }
    assert!(world.ask("listener", "after", STATUS)["ok"].is_object());
    world.host.stop().await.unwrap();
}

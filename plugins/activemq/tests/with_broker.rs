//! Requests and answers between real JMS clients and a real ActiveMQ, before a script server that is a function.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_sdk::{Event, EventKind};
use patchbay_servers::{Connect, IbexSees, IbexWhat, Message, ReplyTo};
use serde_json::json;
use support::world::{LOGIN, World, value};
use support::{LIMIT, ops};

#[tokio::test(flavor = "multi_thread")]
async fn clients_log_in_and_are_answered_in_both_forms() {
    let world = World::new(json!({})).await;
    world.connect("gui");
    let login = world.ask("gui", "1", LOGIN);
    assert_eq!(
        login,
        json!({"success": true, "payload": {"user_level": 20}})
    );
    let queued = world.ask(
        "gui",
        "2",
        r#"{"command":"queue","name":"n","code":"print('<>')"}"#,
    );
    assert_eq!(queued, json!({"success": true, "payload": "job-1"}));
    let status = world.ask("gui", "3", r#"{"command":"getstatus","parameters":[]}"#);
    assert_eq!(status["payload"]["status"], json!([-1, -1]));
    let wrong = world.ask("gui", "4", &LOGIN.replace("good", "bad"));
    assert_eq!(
        wrong,
        json!({"success": false, "payload": "wrong password"})
    );

    world.connect("neutral");
    let login = world.ask(
        "neutral",
        "1",
        r#"{"op":"login","args":{"user":"u","secret":"good"}}"#,
    );
    assert_eq!(login["ok"]["role"], "admin");
    let text = "caf\u{e9} \u{1f600} \u{0}";
    let eval = world.ask(
        "neutral",
        "2",
        &json!({"op": "eval", "args": {"code": text}}).to_string(),
    );
    assert_eq!(eval, json!({"ok": {"value": text}}));
    let away = world.ask("neutral", "3", r#"{"op":"exec","args":{"code":"x"}}"#);
    assert_eq!(
        away["error"],
        json!({"kind": "unavailable", "message": "the script server is away", "retry": true})
    );
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_compresses_is_read_as_well() {
    let world = World::new(json!({})).await;
    let connect = Connect::to(world.broker.openwire()).compressed();
    world.jms.open("gui", &connect).unwrap();
    assert_eq!(world.ask("gui", "login", LOGIN)["success"], true);
    let text = "caf\u{e9} \u{1f600} ".repeat(100);
    let eval = json!({"op": "eval", "args": {"code": text}}).to_string();
    assert_eq!(
        world.ask("gui", "eval", &eval),
        json!({"ok": {"value": text}})
    );
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_answered_with_their_cause_and_the_next_one_is_served() {
    let world = World::new(json!({"limits": {"request_bytes": 100_000}})).await;
    world.log_in("gui");
    let cases = [
        (Message::text("hello"), "no JSON"),
        (Message::text("[]"), "no object"),
        (Message::text(""), "empty"),
        (Message::empty(), "empty"),
        (Message::bytes(LOGIN.as_bytes()), "TextMessage"),
        (Message::text(r#"{"command":"getstats"}"#), "`getstatus`"),
        (Message::text(r#"{"command":"queue"}"#), "`code`"),
        (Message::text(&"x".repeat(150_000)), "at most 100000"),
        (Message::bytes(&[0; 150_000]), "at most 100000"),
    ];
    for (number, (message, part)) in cases.into_iter().enumerate() {
        let answer = world.ask_message("gui", &format!("bad-{number}"), message);
        assert_eq!(answer["success"], false);
        assert!(
            answer["payload"].as_str().unwrap().contains(part),
            "{part}: {answer}"
        );
    }
    assert_eq!(
        world.ask("gui", "good", r#"{"command":"getstatus"}"#)["success"],
        true
    );
    let stranger = "stranger";
    world.connect(stranger);
    let answer = world.ask(stranger, "1", r#"{"command":"queue","code":"x"}"#);
    assert!(
        answer["payload"].as_str().unwrap().contains("reconnect"),
        "{answer}"
    );
    assert!(!ops(&world.host).contains(&"submit".to_owned()));
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_a_client_forges_harm_nobody() {
    let world = World::new(json!({})).await;
    world.log_in("gui");
    let status = || Message::text(r#"{"command":"getstatus"}"#);
    for (number, length) in ["3", "100000", "99999999999", "x"].iter().enumerate() {
        let answer = world.ask_message(
            "gui",
            &format!("forged-{number}"),
            status().property("content-length", length),
        );
        assert_eq!(answer["success"], true, "{length}");
    }
    let long = Message::text(&"x".repeat(5 << 20)).property("content-length", "100000000");
    let answer = world.ask_message("gui", "forged-long", long);
    assert!(
        answer["payload"].as_str().unwrap().contains("at most"),
        "{answer}"
    );
    for to in [
        "/remote-temp-queue/ ",
        "/queue/ss_admin",
        "/queue/a,/queue/b",
        "/topic/ActiveMQ.Advisory.Connection",
        "",
    ] {
        world
            .jms
            .send_message("gui", &status().property("reply-to", to))
            .unwrap();
    }
    world
        .jms
        .send_message("gui", &status().reply_to(&ReplyTo::Nothing))
        .unwrap();
    world
        .jms
        .send_message(
            "gui",
            &status()
                .property("big", &"x".repeat(300_000))
                .correlation("big"),
        )
        .unwrap();
    assert_eq!(
        value(&world.jms.await_reply("gui", "big", LIMIT).unwrap())["success"],
        true
    );
    assert_eq!(
        world.ask("gui", "last", r#"{"command":"getstatus"}"#)["success"],
        true
    );
    assert_eq!(
        ops(&world.host).len(),
        6,
        "what cannot be answered is not carried out"
    );
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_overtakes_and_clients_do_not_wait_for_each_other() {
    let world = World::new(json!({})).await;
    world.log_in("slow");
    world.log_in("quick");
    world
        .jms
        .send("slow", "sleep", r#"{"command":"eval","expr":"sleep 2"}"#)
        .unwrap();
    world
        .jms
        .send("slow", "behind", r#"{"command":"eval","expr":"2"}"#)
        .unwrap();
    assert_eq!(
        world.ask("slow", "stop", r#"{"command":"stop","level":1}"#)["success"],
        true
    );
    assert_eq!(
        world.ask("quick", "eval", r#"{"command":"eval","expr":"3"}"#)["payload"],
        "3"
    );
    assert_eq!(
        ops(&world.host),
        ["eval", "stop", "eval"],
        "the second of the slow one still waits"
    );
    world.jms.await_reply("slow", "sleep", LIMIT).unwrap();
    world.jms.await_reply("slow", "behind", LIMIT).unwrap();
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_is_done_when_there_is_no_room_for_the_rest() {
    let world = World::new(json!({"limits": {"requests_per_client": 1_000}})).await;
    world.log_in("gui");
    let send = |id: &str, text: &str| world.jms.send("gui", id, text).unwrap();
    send("sleep", r#"{"command":"eval","expr":"sleep 3"}"#);
    for number in 0..400 {
        send(
            &format!("flood-{number}"),
            r#"{"command":"eval","expr":"2"}"#,
        );
    }
    let done = world.ask("gui", "emergency", r#"{"command":"emergency"}"#);
    assert_eq!(done["success"], true);
    assert_eq!(ops(&world.host), ["eval", "emergency"]);
    let last = value(&world.jms.await_reply("gui", "flood-399", LIMIT).unwrap());
    assert!(
        last["payload"]
            .as_str()
            .unwrap()
            .contains("too many requests"),
        "{last}"
    );
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_to_their_topics_with_an_end_to_their_life() {
    let world = World::new(json!({})).await;
    world.connect("gui");
    world.jms.subscribe("gui", "ss_admin.events.log").unwrap();
    world.host.event(
        7,
        Event::new(EventKind::Log, &json!({"text": "\u{1f600}"}))
            .unwrap()
            .job("j"),
    );
    world.host.event(
        8,
        Event::new(EventKind::State, &json!({"run": "idle"})).unwrap(),
    );
    let event = world
        .jms
        .receive(LIMIT, |message| message.destination.starts_with("topic://"))
        .unwrap()
        .unwrap();
    assert_eq!(event.destination, "topic://ss_admin.events.log");
    assert!(event.expires > 0);
    let expected = json!({"epoch": 1, "seq": 7, "time": 1.0, "kind": "log", "job": "j", "body": {"text": "\u{1f600}"}});
    assert_eq!(value(&event), expected);
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ibex_client_of_2017_works_unchanged() {
    let world = World::new(json!({})).await;
    world
        .jms
        .ibex("gui", &Connect::to(world.broker.openwire()))
        .unwrap();
    assert_eq!(answered(&world, "authenticate"), IbexSees::Accepted);
    for number in 0..50 {
        world
            .jms
            .ibex_script("gui", "scan", &format!("count({number}) # <&'caf\u{e9}'>"))
            .unwrap();
        assert_eq!(answered(&world, "queue"), IbexSees::Accepted);
    }
    let lost = |event: &patchbay_servers::Event| matches!(event, patchbay_servers::Event::Ibex(ibex) if ibex.what == IbexWhat::Ignored);
    assert!(
        !world.jms.unmatched().iter().any(lost),
        "no answer came before the client had stored its id"
    );
    assert_eq!(ops(&world.host).len(), 50);
    world.host.stop().await.unwrap();
}

/// What the client shows after the answer to its request of that kind.
fn answered(world: &World, request: &str) -> IbexSees {
    let event = world.jms.event(LIMIT, |event| {
        matches!(event, patchbay_servers::Event::Ibex(ibex)
            if ibex.what == IbexWhat::Answered && ibex.request.as_deref() == Some(request))
    });
    match event.unwrap() {
        Some(patchbay_servers::Event::Ibex(ibex)) => IbexSees::of_answer(&ibex.text.unwrap()),
        other => panic!("no answer to {request}: {other:?}"),
    }
}

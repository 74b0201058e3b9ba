//! The broker as tests get it, used by JMS clients.
// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::is_running;
use patchbay_servers::{ActiveMq, Connect, Event, Jms, Message, ReplyTo, to_stderr};

const PATIENCE: Duration = Duration::from_secs(30);

fn broker_and_clients(users: bool) -> (ActiveMq, Jms) {
    let broker = ActiveMq::options().users(users).start(&to_stderr).unwrap();
    (broker, Jms::start(&to_stderr).unwrap())
}

#[test]
fn requests_and_answers_go_through_a_queue() {
    let (broker, jms) = broker_and_clients(false);
    let connect = Connect::to(broker.openwire());
    jms.open("service", &connect).unwrap();
    jms.echo("service", "ss_admin").unwrap();
    for client in ["c1", "c2"] {
        jms.open(client, &connect).unwrap();
        jms.send(
            client,
            "same-id",
            &format!("hello from {client} \u{e4}\u{1f600}"),
        )
        .unwrap();
    }
    for client in ["c1", "c2"] {
        let answer = jms.await_reply(client, "same-id", PATIENCE).unwrap();
        assert_eq!(
            answer.text,
            Some(format!("hello from {client} \u{e4}\u{1f600}"))
        );
        assert_eq!(answer.kind, "text");
        assert!(!answer.persistent);
    }
    assert_eq!(jms.unmatched(), []);
}

#[test]
fn every_kind_of_request_arrives_as_it_was_meant() {
    let (broker, jms) = broker_and_clients(false);
    let connect = Connect::to(broker.openwire());
    jms.open("client", &connect).unwrap();
    jms.listen("client", "elsewhere").unwrap();
    let send = |message: Message| jms.send_message("client", &message.to_queue("elsewhere"));
    let next = || jms.receive(PATIENCE, |_| true).unwrap().unwrap();

    send(Message::bytes(b"\x00\xff").correlation("b")).unwrap();
    let bytes = next();
    assert_eq!(
        (bytes.kind.as_str(), bytes.text.as_deref()),
        ("bytes", Some("\u{0}\u{ff}"))
    );

    send(Message::empty().persistent().reply_to(&ReplyTo::Nothing)).unwrap();
    let empty = next();
    assert_eq!(
        (empty.text, empty.correlation, empty.persistent),
        (None, None, true)
    );

    send(
        Message::text("soon")
            .ttl_ms(60_000)
            .property("colour", "red"),
    )
    .unwrap();
    assert!(next().expires > 0);
}

#[test]
fn a_topic_reaches_all_who_listen() {
    let (broker, jms) = broker_and_clients(false);
    let connect = Connect::to(broker.openwire());
    for client in ["a", "b"] {
        jms.open(client, &connect).unwrap();
        jms.subscribe(client, "news").unwrap();
    }
    let message = Message::text("hear").reply_to(&ReplyTo::Topic("news".into()));
    jms.open("service", &connect).unwrap();
    jms.echo("service", "ss_admin").unwrap();
    jms.send_message("a", &message).unwrap();
    for client in ["a", "b"] {
        let heard = jms
            .receive(PATIENCE, |message| message.client == client)
            .unwrap()
            .unwrap();
        assert_eq!(heard.destination, "topic://news");
    }
}

#[test]
fn a_broker_with_users_asks_for_a_login() {
    let (broker, jms) = broker_and_clients(true);
    let connect = Connect::to(broker.openwire());
    let refused = jms.open("nobody", &connect).unwrap_err().to_string();
    assert!(
        refused.contains("User name [null] or password is invalid"),
        "{refused}"
    );
    jms.open("ibex", &connect.clone().login("ibex", "ibex"))
        .unwrap();
    jms.open("other", &connect.login("other", "other")).unwrap();
    let refused = jms.echo("other", "ss_admin").unwrap_err().to_string();
    assert!(refused.contains("not authorized"), "{refused}");
}

#[test]
fn a_killed_broker_comes_back_on_its_ports_with_its_messages() {
    let mut broker = ActiveMq::options()
        .persistent(true)
        .start(&to_stderr)
        .unwrap();
    let jms = Jms::start(&to_stderr).unwrap();
    let ports = (broker.openwire(), broker.stomp());
    let connect = Connect::to(broker.openwire());
    jms.open("before", &connect).unwrap();
    jms.open("lasting", &connect.clone().failover()).unwrap();
    jms.send_message(
        "before",
        &Message::text("kept").correlation("k").persistent(),
    )
    .unwrap();
    broker.kill9();
    assert!(!broker.is_alive());
    let lost = |event: &Event| matches!(event, Event::Lost { client, .. } if client == "before");
    assert!(
        jms.event(PATIENCE, lost).unwrap().is_some(),
        "the client did not notice"
    );
    broker.restart().unwrap();
    assert_eq!((broker.openwire(), broker.stomp()), ports);
    jms.listen("lasting", "ss_admin").unwrap();
    let kept = jms.await_reply("lasting", "k", PATIENCE).unwrap();
    assert_eq!(kept.text.as_deref(), Some("kept"));
}

#[test]
fn a_client_that_was_killed_receives_nothing_more() {
    let (broker, jms) = broker_and_clients(false);
    let connect = Connect::to(broker.openwire());
    jms.open("victim", &connect).unwrap();
    jms.kill("victim").unwrap();
    let refused = jms.send("victim", "1", "x").unwrap_err().to_string();
    assert!(refused.contains("victim has no connection"), "{refused}");
}

#[test]
fn dropping_leaves_neither_process_nor_files() {
    let (broker, jms) = broker_and_clients(false);
    let (pids, log) = ([broker.pid(), jms.pid()], broker.log_path().to_owned());
    assert!(pids.into_iter().all(is_running) && log.exists());
    drop((broker, jms));
    assert!(!pids.into_iter().any(is_running));
    assert!(!log.exists());
}

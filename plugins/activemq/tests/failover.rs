//! More brokers than one: both connections are at the same, and go on to the next together.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_abi::{Kind, head};
use patchbay_servers::{ActiveMq, Connect, Jms, silent};
use patchbay_testkit::FrontendHost;
use serde_json::json;
use support::broker::Listener;
use support::scripted::{LOGIN, REPLY, STATUS};
use support::{LIMIT, eventually, ops, start, world};

async fn health(host: &FrontendHost) -> head::Health {
    host.next_of(&[Kind::HEALTH]).await.read_head().unwrap()
}

fn config(listeners: &[&Listener]) -> serde_json::Value {
    let addresses: Vec<String> = listeners.iter().map(|each| each.address()).collect();
    json!({"broker": addresses, "heart_beat_ms": 0})
}

#[tokio::test]
async fn what_waits_when_a_broker_goes_is_answered_at_the_next() {
    let (first, second) = (Listener::bind().await, Listener::bind().await);
    let config = config(&[&first, &second]);
    let (host, (mut reading, mut answering)) = tokio::join!(start(config), first.accept_both());
    reading.request(1, REPLY, LOGIN).await;
    answering.answer().await;
    reading.request(2, REPLY, STATUS).await;
    let unconfirmed = answering.frame().await;
    drop((reading, answering, first));
    let (mut reading, mut answering) = second.accept_both().await;
    assert_eq!(answering.answer().await.0.body, unconfirmed.body);
    reading.request(3, REPLY, STATUS).await;
    let (answer, _) = answering.answer().await;
    assert_eq!(answer.header("correlation-id"), Some("c-3"));
    drop(host);
}

#[tokio::test]
async fn a_broker_that_takes_only_one_of_both_connections_is_left() {
    let (half, whole) = (Listener::bind().await, Listener::bind().await);
    let host = start(config(&[&half, &whole]));
    let broker = async {
        let mut reading = half.accept().await;
        reading.confirm_subscriptions().await;
        let refusals = async {
            loop {
                drop(half.accept_raw().await);
            }
        };
        tokio::select! {
            both = whole.accept_both() => both,
            () = refusals => unreachable!(),
        }
    };
    let (host, (mut reading, mut answering)) = tokio::join!(host, broker);
    reading.request(1, REPLY, LOGIN).await;
    assert_eq!(answering.answer().await.1["success"], true);
    drop(host);
}

#[tokio::test]
async fn when_all_are_away_the_health_says_why_of_each() {
    let (one, other) = (Listener::bind().await, Listener::bind().await);
    let config = config(&[&one, &other]);
    let addresses = [one.address(), other.address()];
    drop((one, other));
    let host = start(config).await;
    loop {
        let health = health(&host).await;
        assert_eq!(health.state, "down");
        if addresses.iter().all(|address| {
            health
                .reason
                .contains(&format!("{address}: cannot connect"))
        }) {
            break;
        }
    }
    host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_real_brokers_takes_over_when_the_first_is_killed() {
    let mut first = ActiveMq::start(&silent).unwrap();
    let second = ActiveMq::start(&silent).unwrap();
    let jms = Jms::start(&silent).unwrap();
    let addresses = [first.stomp().to_string(), second.stomp().to_string()];
    let host = start(json!({"broker": addresses})).await;
    let ask = |id: &str, text: &str| {
        jms.send("gui", id, text).unwrap();
        world::value(&jms.await_reply("gui", id, LIMIT).unwrap())
    };
    let connect = Connect::to(first.openwire()).failover_to(second.openwire());
    jms.open("gui", &connect).unwrap();
    assert_eq!(ask("login", world::LOGIN)["success"], true);
    jms.send("gui", "slow", r#"{"command":"eval","expr":"sleep 1"}"#)
        .unwrap();
    assert!(eventually(|| ops(&host) == ["eval"]).await);
    first.kill9();
    let kept = jms.await_reply("gui", "slow", LIMIT).unwrap();
    assert_eq!(world::value(&kept)["payload"], "sleep 1");
    for number in 0..30 {
        jms.send("gui", &number.to_string(), r#"{"command":"getstatus"}"#)
            .unwrap();
    }
    for number in 0..30 {
        let answer = jms.await_reply("gui", &number.to_string(), LIMIT).unwrap();
        assert_eq!(world::value(&answer)["success"], true);
    }
    host.stop().await.unwrap();
}

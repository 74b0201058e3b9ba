//! Who comes, goes and comes back: clients, the broker, the gateway itself. With a real ActiveMQ.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use std::time::Duration;

use patchbay_servers::{ActiveMq, Connect, Jms, Message, Received, silent};
use patchbay_testkit::{Asked, FrontendHost};
use serde_json::json;
use support::world::{LOGIN, World, value};
use support::{LIMIT, eventually, ops, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_is_logged_out_however_it_leaves() {
    let world = World::new(json!({})).await;
    for client in ["polite", "rude"] {
        world.log_in(client);
    }
    world.jms.close("polite").unwrap();
    world.jms.kill("rude").unwrap();
    let logged_out = || {
        world
            .host
            .asked()
            .iter()
            .filter(|asked| matches!(asked, Asked::Logout { .. }))
            .count()
            == 2
    };
    assert!(eventually(logged_out).await);
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_broker_does_not_tell_the_refused_answer_ends_the_session() {
    let broker = ActiveMq::options().advisories(false);
    let broker = broker.start(&silent).unwrap();
    let jms = Jms::start(&silent).unwrap();
    let host = start(json!({"broker": broker.stomp().to_string(), "advisories": false})).await;
    let world = World { host, jms, broker };
    world.log_in("gui");
    let slow = r#"{"command":"eval","expr":"sleep 1"}"#;
    world.jms.send("gui", "slow", slow).unwrap();
    assert!(eventually(|| ops(&world.host) == ["eval"]).await);
    world.jms.kill("gui").unwrap();
    let logged_out = || matches!(world.host.asked().last(), Some(Asked::Logout { .. }));
    assert!(eventually(logged_out).await);
    world.log_in("next");
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_broker_loses_neither_session_nor_answer_of_a_client_that_comes_back() {
    let mut world = World::new(json!({})).await;
    let connect = Connect::to(world.broker.openwire()).failover();
    world.jms.open("gui", &connect).unwrap();
    assert_eq!(world.ask("gui", "login", LOGIN)["success"], true);
    for (round, crash) in [true, false].into_iter().enumerate() {
        let id = format!("slow-{crash}");
        world
            .jms
            .send("gui", &id, r#"{"command":"eval","expr":"sleep 1"}"#)
            .unwrap();
        assert!(eventually(|| ops(&world.host).len() == 2 * round + 1).await);
        if crash {
            world.broker.kill9()
        } else {
            world.broker.stop()
        }
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        world.broker.restart().unwrap();
        let kept = world.jms.await_reply("gui", &id, LIMIT * 2).unwrap();
        assert_eq!(value(&kept)["payload"], "sleep 1");
        assert_eq!(
            world.ask(
                "gui",
                &format!("after-{crash}"),
                r#"{"command":"getstatus"}"#
            )["success"],
            true
        );
    }
    let logins = world
        .host
        .asked()
        .into_iter()
        .filter(|asked| matches!(asked, Asked::Login { .. }));
    assert_eq!(logins.count(), 1);
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_stands_by_until_the_first_has_gone() {
    let world = World::new(json!({})).await;
    let second = start(json!({"broker": world.broker.stomp().to_string()})).await;
    world.log_in("gui");
    for number in 0..20 {
        assert_eq!(
            world.ask("gui", &number.to_string(), r#"{"command":"getstatus"}"#)["success"],
            true
        );
    }
    assert!(second.asked().is_empty());
    world.host.stop().await.unwrap();
    world.jms.send("gui", "again", LOGIN).unwrap();
    assert_eq!(
        value(&world.jms.await_reply("gui", "again", LIMIT).unwrap())["success"],
        true
    );
    assert_eq!(second.asked().len(), 1);
    second.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_taken_when_the_gateway_stops_gets_an_answer_and_the_queue_is_left_clean() {
    let world = World::new(json!({})).await;
    world.log_in("gui");
    world
        .jms
        .send("gui", "slow", r#"{"command":"eval","expr":"sleep 1"}"#)
        .unwrap();
    assert!(eventually(|| ops(&world.host) == ["eval"]).await);
    world.host.stop().await.unwrap();
    let answer = world.jms.await_reply("gui", "slow", LIMIT).unwrap();
    assert_eq!(value(&answer)["payload"], "sleep 1");

    // A gateway that starts now finds nothing that it would have to refuse, and a client that has to log in again.
    let host = start(json!({"broker": world.broker.stomp().to_string()})).await;
    world
        .jms
        .send("gui", "after", r#"{"command":"queue","code":"x"}"#)
        .unwrap();
    let answer = world.jms.await_reply("gui", "after", LIMIT).unwrap();
    assert!(
        value(&answer)["payload"]
            .as_str()
            .unwrap()
            .contains("reconnect")
    );
    assert!(ops(&host).is_empty());
    host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_live_as_long_as_their_requests() {
    let world = World::new(json!({"answer_expiry_s": 30})).await;
    world.log_in("gui");
    for (id, persistent) in [("lasting", true), ("passing", false)] {
        let message = Message::text(r#"{"command":"getstatus"}"#)
            .correlation(id)
            .priority(7);
        let message = if persistent {
            message.persistent()
        } else {
            message
        };
        world.jms.send_message("gui", &message).unwrap();
        let answer = world.jms.await_reply("gui", id, LIMIT).unwrap();
        assert_eq!(answer.persistent, persistent);
        assert_eq!(answer.priority, 7);
        assert!(answer.expires > 0);
    }
    // Without a correlation id the answer carries the request's message id.
    world
        .jms
        .send_message("gui", &Message::text(r#"{"command":"getstatus"}"#))
        .unwrap();
    let by_message_id = |message: &Received| {
        message
            .correlation
            .as_deref()
            .is_some_and(|id| id.starts_with("ID:"))
    };
    assert!(world.jms.receive(LIMIT, by_message_id).unwrap().is_some());
    world.host.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_at_the_broker_is_told_as_the_health() {
    let broker = ActiveMq::options().users(true).start(&silent).unwrap();
    let config = |passcode: &str| json!({"broker": broker.stomp().to_string(), "login": "ibex", "passcode": {"value": passcode}});
    let host = FrontendHost::start::<patchbay_activemq::ActiveMq>(
        config("wrong"),
        patchbay_testkit::Wire::Bytes,
        support::script_server,
    );
    // It is ready all the same, and goes on trying.
    let host = host.await.unwrap();
    let health = host.next_of(&[patchbay_abi::Kind::HEALTH]).await;
    let health: patchbay_abi::head::Health = health.read_head().unwrap();
    assert_eq!(health.state, "down");
    assert!(
        health.reason.contains("refused the login") && !health.reason.contains("wrong"),
        "{}",
        health.reason
    );
    host.stop().await.unwrap();

    let host = start(config("ibex")).await;
    let health: patchbay_abi::head::Health = host
        .next_of(&[patchbay_abi::Kind::HEALTH])
        .await
        .read_head()
        .unwrap_or_else(|_| panic!());
    assert_eq!(health.state, "up");
    host.stop().await.unwrap();
}

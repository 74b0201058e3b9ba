//! The frontend before a broker that misbehaves on request: refusals, useless frames, silence, absence, the stop.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod support;

use patchbay_abi::{Kind, head};
use patchbay_testkit::Asked;
use serde_json::json;
use support::broker::Listener;
use support::scripted::{LOGIN, REPLY, STATUS, SUBMIT, World};
use support::{eventually, ops, start};

#[tokio::test]
async fn a_client_whose_queue_is_gone_is_logged_out_and_the_connection_goes_on() {
    let mut world = World::new().await;
    world.reading.request(2, REPLY, STATUS).await;
    let answer = world.answering.frame().await;
    let receipt = answer.header("receipt").unwrap();
    let error = format!(
        "ERROR\nmessage:temp-queue\\c//ID\\ch\\c1\\c1\nreceipt-id:{receipt}\n\njavax.jms.InvalidDestinationException: The destination temp-queue://ID:h:1:1 does not exist.\n\tat x\0\n"
    );
    world.answering.write(error).await;
    assert!(world.acknowledged("a-2").await);
    world.counted("answers_lost").await;
    assert!(eventually(|| matches!(world.host.asked().last(), Some(Asked::Logout { .. }))).await);
    world
        .reading
        .request(3, "reply-to:/queue/other\n", STATUS)
        .await;
    assert_eq!(
        world.answering.answer().await.1["error"]["kind"],
        "unauthorized"
    );
}

#[tokio::test]
async fn other_errors_and_useless_frames_end_nothing() {
    let mut world = World::new().await;
    for error in [
        "Unexpected ACK received for message-id [null]",
        "User gw is not authorized to write to: topic://x",
    ] {
        let frame = format!("ERROR\nmessage:{error}\n\njava.lang.Exception\0\n");
        world.reading.write(&frame).await;
        world.answering.write(&frame).await;
    }
    world
        .reading
        .write(format!(
            "MESSAGE\ndestination:/queue/ss_admin\nsubscription:{}\nack:lost\n\nx\0\n",
            world.reading.subscription
        ))
        .await;
    assert!(world.acknowledged("lost").await);
    world.counted("requests_unusable").await;
    world.reading.request(2, "", STATUS).await;
    assert!(
        world.acknowledged("a-2").await,
        "what cannot be answered is thrown away"
    );
    world.counted("requests_unanswerable").await;
    world.reading.request(3, REPLY, STATUS).await;
    assert_eq!(world.answering.answer().await.1["ok"]["run"], "idle");
}

#[tokio::test]
async fn a_request_whose_correlation_id_cannot_be_echoed_is_not_carried_out() {
    let mut world = World::new().await;
    let long = "\\c".repeat(5_500);
    let request = format!(
        "MESSAGE\ndestination:/queue/q\nmessage-id:m\nsubscription:{}\nack:long\ncorrelation-id:{long}\n{REPLY}\n{SUBMIT}\0\n",
        world.reading.subscription
    );
    world.reading.write(request).await;
    assert!(world.acknowledged("long").await);
    world.counted("requests_unanswerable").await;
    world.reading.request(3, REPLY, STATUS).await;
    assert_eq!(world.answering.answer().await.1["ok"]["run"], "idle");
    assert_eq!(ops(&world.host), ["status"]);
}

#[tokio::test]
async fn one_client_cannot_take_all_the_room() {
    let mut world = World::with(json!({"limits": {"requests_per_client": 2}})).await;
    world
        .reading
        .request(2, REPLY, r#"{"op":"eval","args":{"code":"sleep 1"}}"#)
        .await;
    assert!(eventually(|| ops(&world.host) == ["eval"]).await);
    for number in 3..6 {
        world.reading.request(number, REPLY, STATUS).await;
    }
    let (refused, answer) = world.answering.answer().await;
    assert_eq!(
        (refused.header("correlation-id"), &answer["error"]["kind"]),
        (Some("c-5"), &json!("busy"))
    );
}

#[tokio::test]
async fn a_broker_that_goes_quiet_is_left_for_a_new_connection_and_we_beat_ourselves() {
    let listener = Listener::bind().await;
    let mut config = listener.config();
    config["heart_beat_ms"] = json!(200);
    let quiet = async {
        let mut peer = listener.accept_raw().await;
        peer.frame().await;
        peer.write("CONNECTED\nversion:1.2\nheart-beat:200,200\n\n\0\n")
            .await;
        let mut other = listener.accept().await;
        // Whichever of the two reads requests says so first; the quiet one ends all the same.
        while !peer.ends_or_frame().await {}
        assert!(peer.beats > 0);
        let _ = other.stays_silent().await;
        listener.accept_raw().await.frame().await
    };
    let (host, again) = tokio::join!(start(config), quiet);
    assert_eq!(again.command, "CONNECT");
    assert_eq!(again.header("heart-beat"), Some("200,200"));
    drop(host);
}

#[tokio::test]
async fn a_subscription_that_is_refused_is_told_as_the_health_and_tried_again() {
    let mut world = World::new().await;
    world.health().await;
    drop(world.reading);
    world.reading = world.listener.accept().await;
    world.reading.confirm_advisories().await;
    world.reading.created("ID:gw:1:1").await;
    loop {
        let frame = world.reading.frame().await;
        if !frame.is_for_requests() {
            continue;
        }
        let message = "User gw is not authorized to read from\\c queue\\c//ss_admin";
        world
            .reading
            .write(format!(
                "ERROR\nmessage:{message}\nreceipt-id:{}\n\nx\0\n",
                frame.header("id").unwrap()
            ))
            .await;
        break;
    }
    let reason = loop {
        let health = world.health().await;
        if health.reason.contains("subscribe") {
            break health.reason;
        }
    };
    assert!(
        reason.contains("not authorized to read from: queue://ss_admin"),
        "{reason}"
    );
    world.listener.accept().await;
}

#[tokio::test]
async fn on_stop_what_was_taken_is_answered_what_comes_is_turned_away_and_then_we_leave() {
    let World {
        host,
        listener: _listener,
        mut reading,
        mut answering,
    } = World::new().await;
    reading
        .request(2, REPLY, r#"{"op":"eval","args":{"code":"sleep 1"}}"#)
        .await;
    assert!(eventually(|| ops(&host) == ["eval"]).await);
    let subscription = reading.subscription.clone();
    let broker = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        reading.request(3, "reply-to:/queue/other\n", SUBMIT).await;
        let (turned_away, answer) = answering.answer().await;
        assert_eq!(turned_away.header("destination"), Some("/queue/other"));
        assert!(
            answer["payload"]
                .as_str()
                .unwrap()
                .contains("send it again"),
            "{answer}"
        );
        assert_eq!(answering.answer().await.1["ok"]["value"], "sleep 1");
        let frames = [
            reading.frame().await,
            reading.frame().await,
            reading.frame().await,
            reading.frame().await,
        ];
        let said: Vec<_> = frames
            .iter()
            .map(|frame| (frame.command.as_str(), frame.header("id")))
            .collect();
        let expected = [
            ("ACK", Some("a-3")),
            ("ACK", Some("a-2")),
            ("UNSUBSCRIBE", Some(&*subscription)),
            ("DISCONNECT", None),
        ];
        assert_eq!(said, expected);
        reading.receipt(&frames[3]).await;
        let goodbye = answering.frame().await;
        assert_eq!(goodbye.command, "DISCONNECT");
        answering.receipt(&goodbye).await;
    };
    let (stopped, ()) = tokio::join!(host.stop(), broker);
    stopped.unwrap();
}

#[tokio::test]
async fn a_broker_that_is_away_at_the_start_is_waited_for() {
    let listener = Listener::bind().await;
    let config = listener.config();
    drop(listener);
    let host = start(config).await;
    let health: head::Health = host.next_of(&[Kind::HEALTH]).await.read_head().unwrap();
    assert!(
        health.state == "down" && health.reason.contains("cannot connect"),
        "{health:?}"
    );
    host.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_asks_nothing_for_too_long_has_to_log_in_again() {
    let mut world = World::with(json!({"session_idle_s": 1})).await;
    let logged_out = || matches!(world.host.asked().last(), Some(Asked::Logout { .. }));
    assert!(eventually(logged_out).await);
    world.reading.request(2, REPLY, STATUS).await;
    assert_eq!(
        world.answering.answer().await.1["error"]["kind"],
        "unauthorized"
    );
}

#[tokio::test]
async fn one_client_too_many_ends_the_session_of_the_one_silent_longest() {
    let mut world = World::with(json!({"limits": {"clients": 1}})).await;
    world
        .reading
        .request(2, "reply-to:/queue/other\n", LOGIN)
        .await;
    assert_eq!(world.answering.answer().await.1["success"], true);
    let logged_out = || world.host.asked().contains(&Asked::Logout { session: 1 });
    assert!(eventually(logged_out).await);
}

#[tokio::test]
async fn a_failed_login_ends_the_session_there_was() {
    let mut world = World::new().await;
    world
        .reading
        .request(2, REPLY, &LOGIN.replace("good", "bad"))
        .await;
    assert_eq!(
        world.answering.answer().await.1["payload"],
        "wrong password"
    );
    world.reading.request(3, REPLY, STATUS).await;
    assert_eq!(
        world.answering.answer().await.1["error"]["kind"],
        "unauthorized"
    );
}

#[tokio::test]
async fn failed_logins_end_nobody_elses_session() {
    let mut world = World::with(json!({"limits": {"clients": 1}})).await;
    let bad = LOGIN.replace("good", "bad");
    for number in 2..6 {
        let reply = format!("reply-to:/queue/other-{number}\n");
        world.reading.request(number, &reply, &bad).await;
        assert_eq!(world.answering.answer().await.1["success"], false);
    }
    world.reading.request(9, REPLY, STATUS).await;
    assert_eq!(world.answering.answer().await.1["ok"]["run"], "idle");
}

#[tokio::test]
async fn logins_that_take_long_are_bounded_too() {
    let mut world = World::new().await;
    let slow = LOGIN.replace("good", "slow");
    for number in 0..65 {
        let reply = format!("reply-to:/queue/other-{number}\n");
        world.reading.request(100 + number, &reply, &slow).await;
    }
    let (refused, answer) = world.answering.answer().await;
    assert_eq!(refused.header("correlation-id"), Some("c-164"));
    assert!(
        answer["payload"].as_str().unwrap().contains("try again"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_message_of_a_subscription_that_is_not_ours_is_a_forgery() {
    let mut world = World::new().await;
    let true_id = std::mem::replace(&mut world.reading.subscription, "requests".into());
    world.reading.request(2, REPLY, SUBMIT).await;
    world
        .reading
        .write("MESSAGE\nsubscription:requests\nack:forged\n\nx\0\n")
        .await;
    world.reading.subscription = true_id;
    world
        .reading
        .request(3, &format!("{REPLY}ack:forged\n"), SUBMIT)
        .await;
    for ack in ["a-3", "forged"] {
        assert!(world.acknowledged(ack).await);
    }
    world.reading.request(4, REPLY, STATUS).await;
    assert_eq!(world.answering.answer().await.1["ok"]["run"], "idle");
    assert_eq!(ops(&world.host), ["status"]);
}

#[tokio::test]
async fn it_wants_the_queue_for_itself_unless_told_otherwise() {
    for (more, wish) in [
        (json!({}), Some("true")),
        (json!({"exclusive": false}), None),
    ] {
        let listener = Listener::bind().await;
        let mut config = listener.config();
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let subscription = async { listener.accept().await.confirm_subscriptions().await };
        let (host, frame) = tokio::join!(start(config), subscription);
        assert_eq!(frame.header("activemq.exclusive"), wish);
        drop(host);
    }
}

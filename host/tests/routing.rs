//! The way of requests through the broker, to a backend that is a loaded plugin.

mod support;

use patchbay::broker::Limits;
use patchbay::supervise::Ending;
use patchbay_abi::{FaultKind, Kind, Side, head};
use patchbay_sdk::Role;
use serde_json::json;
use std::time::Duration;
use support::{Office, limits};

async fn office() -> Office {
    Office::open(json!({}), limits(), Role::Admin).await
}

#[tokio::test]
async fn each_reply_finds_its_own_request_whatever_their_order() {
    let office = office().await;
    let first = office.login("admin").await.unwrap().session;
    let second = office.login("user").await.unwrap().session;
    let slow = office.eval(first, "sleep 200");
    let quick = office.ask(second, "status", r#"{"who":"second"}"#);
    assert_eq!(
        &*office.answer(quick).await.unwrap().body,
        br#"{"who":"second"}"#
    );
    assert_eq!(&*office.answer(slow).await.unwrap().body, b"null");
    assert_eq!(office.close().await, Ending::Clean);
}

#[tokio::test]
async fn a_panic_in_the_plugin_fails_one_request_and_nothing_else() {
    let office = office().await;
    let session = office.login("admin").await.unwrap().session;
    let other = office.eval(session, "sleep 100");
    let panics = office.eval(session, "panic");
    let fault = office.fault(panics).await;
    assert_eq!(fault.kind, FaultKind::Internal);
    assert!(
        fault.message.contains("a call panics on request"),
        "{fault}"
    );
    assert!(office.answer(other).await.is_ok());
    assert!(office.broker.metrics().summary().contains("rogue.panics=1"));
}

#[tokio::test]
async fn what_nobody_answers_is_answered_at_the_deadline() {
    let limits = Limits {
        long: Duration::from_millis(100),
        ..limits()
    };
    let office = Office::open(json!({}), limits, Role::Admin).await;
    let session = office.login("admin").await.unwrap().session;
    let hangs = office.eval(session, "hang");
    let fault = office.fault(hangs).await;
    assert_eq!(fault.kind, FaultKind::Timeout);
    assert!(
        fault.message.contains("may or may not have been done"),
        "{fault}"
    );
    let late = office.eval(session, "sleep 300");
    assert_eq!(office.fault(late).await.kind, FaultKind::Timeout);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(office.is_quiet().await, "a late answer must reach nobody");
}

#[tokio::test]
async fn a_full_table_refuses_by_name_and_lets_the_urgent_through() {
    let office = office().await;
    let session = office.login("admin").await.unwrap().session;
    (0..4).for_each(|_| _ = office.eval(session, "hang"));
    let refused = office.ask(session, "status", "{}");
    let fault = office.fault(refused).await;
    assert_eq!((fault.kind, fault.retry), (FaultKind::Busy, true));
    assert!(
        fault.message.contains("max_in_flight_per_session"),
        "{}",
        fault.message
    );
    let other = office.login("admin").await.unwrap().session;
    (0..2).for_each(|_| _ = office.eval(other, "hang"));
    let refused = office.ask(other, "status", "{}");
    assert!(
        office
            .fault(refused)
            .await
            .message
            .contains("max_in_flight)")
    );
    let emergency = office.ask(session, "emergency", "{}");
    assert!(office.answer(emergency).await.is_ok());
}

#[tokio::test]
async fn logins_beyond_the_limit_are_refused_by_name() {
    let office = office().await;
    for _ in 0..10 {
        office.login("user").await.unwrap();
    }
    let fault = office.login("user").await.unwrap_err();
    assert!(fault.message.contains("max_sessions"), "{fault}");
}

#[tokio::test]
async fn a_role_is_the_lower_of_what_backend_and_frontend_allow() {
    let office = Office::open(json!({}), limits(), Role::User).await;
    assert_eq!(office.login("admin").await.unwrap().role, "user");
    let viewer = office.login("view").await.unwrap();
    assert_eq!(viewer.role, "view");
    let id = office.eval(viewer.session, "panic");
    let fault = office.fault(id).await;
    assert_eq!(fault.kind, FaultKind::Forbidden);
    assert!(
        fault.message.contains("needs the role user, you have view"),
        "{fault}"
    );
    let id = office.ask(viewer.session, "emergency", "{}");
    assert!(office.answer(id).await.is_ok(), "emergency is for everyone");
}

#[tokio::test]
async fn nonsense_is_refused_and_its_cause_is_named() {
    let office = office().await;
    let session = office.login("admin").await.unwrap().session;
    let cases = [
        ("stauts", "{}", "did you mean `status`"),
        ("status", "{", "no JSON"),
        ("status", "{\n}", "raw newlines"),
        ("eval", "{}", "missing field `code`"),
    ];
    for (op, body, cause) in cases {
        let id = office.ask(session, op, body);
        let fault = office.fault(id).await;
        assert!(
            fault.message.contains(cause) && fault.side == Side::Client,
            "{fault:?}"
        );
    }
    let big = format!("\"{}\"", "x".repeat(100_000));
    let id = office.ask(session, "status", &big);
    let fault = office.fault(id).await;
    assert_eq!(fault.kind, FaultKind::TooLarge);
    assert!(fault.message.contains("max_body_bytes"), "{fault}");
    let id = office.eval(session, "big 100001");
    assert_eq!(office.fault(id).await.side, Side::Backend);
    let id = office.ask(session + 1, "status", "{}");
    assert_eq!(office.fault(id).await.kind, FaultKind::Unauthorized);
}

#[tokio::test]
async fn an_instance_that_fails_is_started_anew_and_sessions_survive_it() {
    let office = office().await;
    let session = office.login("admin").await.unwrap().session;
    let pending = office.eval(session, "hang");
    let fails = office.eval(session, "fail");
    // The deed itself may still be answered, or be lost with its instance; what hung is lost.
    let (first, second) = (office.next().await, office.next().await);
    let lost = [first, second]
        .into_iter()
        .find(|reply| reply.id == pending)
        .unwrap();
    let fault = lost.read_head::<head::Reply>().unwrap().fault.unwrap();
    assert_eq!(fault.kind, FaultKind::UnknownOutcome, "{fails}");
    loop {
        let id = office.ask(session, "status", "{}");
        match office.answer(id).await {
            Ok(_) => break,
            Err(fault) => assert_eq!(fault.kind, FaultKind::Unavailable, "{fault}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let ids: Vec<u64> = (0..3)
        .map(|_| office.ask(session, "status", "{}"))
        .collect();
    for id in ids {
        office.answer(id).await.unwrap();
    }
}

#[tokio::test]
async fn an_instance_that_hangs_in_stop_is_cut_off_at_the_deadline() {
    let office = Office::open(json!({ "stop": "hang" }), limits(), Role::Admin).await;
    // The plugin's own glue gives up at the deadline, just as the host does: whoever is first says the same.
    assert_eq!(office.close().await, Ending::CutOff);
}

#[tokio::test]
async fn events_come_numbered_and_in_order_as_far_as_there_is_credit() {
    let office = office().await;
    let session = office.login("admin").await.unwrap().session;
    let subscribed = office.send(Kind::SUBSCRIBE, &head::Subscribe::default(), "");
    office.answer(subscribed).await.unwrap();
    office.send(Kind::CREDIT, &head::Credit { events: 3 }, "");
    let flood = office.eval(session, "flood 5");
    for seq in 1..=3 {
        let event = office.next().await;
        assert_eq!(event.read_head::<head::Event>().unwrap().seq, seq);
        assert_eq!(
            &*event.body,
            format!("{{\"number\":{}}}", seq - 1).as_bytes()
        );
    }
    office.answer(flood).await.unwrap();
    office.send(Kind::CREDIT, &head::Credit { events: 10 }, "");
    assert_eq!(
        office.next().await.read_head::<head::Event>().unwrap().seq,
        4
    );
}

#[tokio::test]
async fn a_reader_that_fell_too_far_behind_is_told_of_the_gap() {
    let office = office().await;
    let session = office.login("admin").await.unwrap().session;
    let subscribed = office.send(Kind::SUBSCRIBE, &head::Subscribe::default(), "");
    office.answer(subscribed).await.unwrap();
    let flood = office.eval(session, "flood 2000");
    office.answer(flood).await.unwrap();
    office.send(Kind::CREDIT, &head::Credit { events: 2 }, "");
    let gap = office.next().await;
    let gap_head = gap.read_head::<head::Event>().unwrap();
    assert_eq!(gap_head.kind, "gap");
    let missed: serde_json::Value = serde_json::from_slice(&gap.body).unwrap();
    assert_eq!(missed["missed_from"], 1);
    let next = office.next().await.read_head::<head::Event>().unwrap();
    assert_eq!(Some(next.seq - 1), missed["missed_to"].as_u64());
}

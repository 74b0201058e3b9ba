//! The broker between a backend and a frontend that are both this test: what a real plugin cannot be
//! made to do at the right moment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{BACKEND, End, FRONTEND, broker, end, office};
use patchbay::broker::{Authority, Life, Route, Seat};
use patchbay_abi::{Buffer, Fault, FaultKind, Kind, Message, head};
use patchbay_sdk::Role;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A client that is logged in as admin.
fn client(backend: &End, frontend: &End) -> u64 {
    frontend.login(1);
    let session = backend.grant("admin");
    assert_eq!(frontend.inbox.next().kind, Kind::REPLY);
    session
}

#[test]
fn a_login_that_succeeds_when_its_session_is_over_is_undone_at_the_backend() {
    let (broker, backend, frontend) = office();
    let session = client(&backend, &frontend);
    broker.disconnect(BACKEND, 1);
    let backend = end(&broker, BACKEND, 2);
    frontend.call(2, session, "status");
    let asked = backend.inbox.next();
    frontend.host.deliver(Message::bare(Kind::CANCEL, 2));
    frontend.say(Kind::LOGOUT, 0, &head::Logout { session });
    backend.inbox.kinds();
    backend.grant_late(&asked, "admin");
    assert_eq!(backend.inbox.kinds(), [Kind::LOGOUT]);
}

#[test]
fn a_first_login_that_was_cancelled_leaves_nothing_behind() {
    let (_broker, backend, frontend) = office();
    frontend.login(1);
    let asked = backend.inbox.next();
    frontend.host.deliver(Message::bare(Kind::CANCEL, 1));
    assert_eq!(backend.inbox.kinds(), [Kind::CANCEL]);
    backend.grant_late(&asked, "admin");
    assert_eq!(backend.inbox.kinds(), [Kind::LOGOUT]);
    assert_eq!(frontend.inbox.kinds(), []);
}

#[test]
fn a_session_that_its_frontend_does_not_take_is_ended() {
    let (_broker, backend, frontend) = office();
    frontend.inbox.refuses.store(true, Ordering::Relaxed);
    for id in 1..=3 {
        frontend.login(id);
        backend.grant("admin");
        assert_eq!(
            backend.inbox.kinds(),
            [Kind::LOGOUT],
            "login {id}: the limit is 2 sessions"
        );
    }
}

#[test]
fn a_frontends_life_that_is_over_logs_nobody_in() {
    let (broker, backend, frontend) = office();
    broker.disconnect(FRONTEND, 1);
    let now = end(&broker, FRONTEND, 2);
    (1..=2).for_each(|id| frontend.login(id));
    assert_eq!(backend.inbox.kinds(), []);
    client(&backend, &now);
}

#[test]
fn a_role_that_was_taken_away_meanwhile_counts_from_the_next_login_on() {
    let (broker, backend, frontend) = office();
    let session = client(&backend, &frontend);
    broker.disconnect(BACKEND, 1);
    let backend = end(&broker, BACKEND, 2);
    frontend.call(2, session, "native");
    backend.grant("view");
    assert_eq!(
        frontend.inbox.fault().kind,
        FaultKind::Forbidden,
        "what waited is checked again"
    );
    frontend.call(3, session, "native");
    assert_eq!(frontend.inbox.fault().kind, FaultKind::Forbidden);
    assert_eq!(backend.inbox.kinds(), []);
}

#[test]
fn what_waits_for_a_new_login_goes_in_order_and_was_not_done_if_it_waits_in_vain() {
    let (broker, backend, frontend) = office();
    let session = client(&backend, &frontend);
    broker.disconnect(BACKEND, 1);
    let backend = end(&broker, BACKEND, 2);
    (2..=3).for_each(|id| frontend.call(id, session, "remove"));
    let asked = backend.inbox.next();
    std::thread::sleep(Duration::from_millis(60));
    broker.sweep();
    let fault = frontend.inbox.fault();
    assert_eq!(
        (fault.kind, fault.retry),
        (FaultKind::Unavailable, true),
        "{}",
        fault.message
    );
    frontend.inbox.next();
    backend.inbox.kinds();
    (4..=5).for_each(|id| frontend.call(id, session, "status"));
    backend.grant_late(&asked, "admin");
    let calls = [backend.inbox.next(), backend.inbox.next()];
    assert!(calls[0].id < calls[1].id && calls.iter().all(|call| call.kind == Kind::CALL));
}

#[test]
fn what_a_backend_owes_when_it_fails_may_or_may_not_have_been_done() {
    let (broker, backend, frontend) = office();
    let session = client(&backend, &frontend);
    frontend.call(2, session, "remove");
    frontend.call(3, session, "status");
    broker.disconnect(BACKEND, 1);
    assert_eq!(frontend.inbox.fault().kind, FaultKind::UnknownOutcome);
    assert_eq!(frontend.inbox.fault().kind, FaultKind::Unavailable);
    frontend.call(4, session, "status");
    assert_eq!(frontend.inbox.fault().kind, FaultKind::Unavailable);
}

#[test]
fn urgent_requests_have_room_of_their_own_which_is_bounded_too() {
    let (_broker, backend, frontend) = office();
    let session = client(&backend, &frontend);
    (10..14).for_each(|id| frontend.call(id, session, "status"));
    (20..30).for_each(|id| frontend.call(id, session, "stop"));
    assert_eq!(backend.inbox.kinds().len(), 4 + 4);
    assert_eq!(frontend.inbox.fault().kind, FaultKind::Busy);
}

#[test]
fn blobs_heads_and_bytes_that_are_no_text_are_within_the_limits_too() {
    let (_broker, backend, frontend) = office();
    let session = client(&backend, &frontend);
    let head = head::Call {
        session,
        op: "status".into(),
        deadline_ms: 0,
        urgent: false,
        key: None,
        asker: None,
        reference: None,
    };
    let blob = Buffer::from(vec![0; 200_001]);
    frontend
        .host
        .deliver(Message::new(Kind::CALL, 2, &head).blobs([blob]));
    assert_eq!(frontend.inbox.fault().kind, FaultKind::TooLarge);
    let long = head::Login {
        session: 0,
        user: "u".repeat(2000),
        client: String::new(),
        vouched: None,
    };
    frontend.say(Kind::LOGIN, 3, &long);
    assert_eq!(frontend.inbox.fault().kind, FaultKind::Invalid);
    frontend.call(4, session, "status");
    let asked = backend.inbox.next();
    let reply = Message::new(Kind::REPLY, asked.id, &head::Reply::default());
    backend.host.deliver(reply.body(b"\"\xff\"".to_vec()));
    assert_eq!(frontend.inbox.fault().kind, FaultKind::Protocol);
}

#[test]
fn an_event_that_a_reader_has_no_room_for_is_not_skipped() {
    let (_broker, backend, frontend) = office();
    frontend.say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 10 });
    backend.emit(1, 0);
    frontend.inbox.refuses.store(true, Ordering::Relaxed);
    backend.emit(2, 0);
    frontend.inbox.refuses.store(false, Ordering::Relaxed);
    // It gives no more credit before it has read what it gave this for.
    backend.emit(3, 0);
    let seen: Vec<u64> = (0..3).map(|_| frontend.inbox.event().1).collect();
    assert_eq!(seen, [1, 2, 3]);
}

#[test]
fn nor_if_it_was_the_last_one() {
    let (_broker, backend, frontend) = office();
    frontend.say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 10 });
    frontend.inbox.refuses.store(true, Ordering::Relaxed);
    backend.emit(1, 0);
    frontend.inbox.refuses.store(false, Ordering::Relaxed);
    assert_eq!(frontend.inbox.kinds(), []);
    frontend.say(Kind::PONG, 1, &json!({}));
    assert_eq!(frontend.inbox.event().1, 1);
}

#[test]
fn an_event_larger_than_the_journal_reaches_those_who_have_room_for_it() {
    let (_broker, backend, frontend) = office();
    frontend.say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 10 });
    backend.emit(1, 100_000);
    assert_eq!(frontend.inbox.event(), ("log".into(), 1));
}

#[test]
fn a_backend_that_has_never_lived_has_no_events_and_a_new_life_is_told_once() {
    let route = Route {
        backend: BACKEND,
        authority: Authority::Backend,
        ceiling: Role::Admin,
        logins: vec![],
        forward_unmapped: true,
    };
    let seats = vec![
        Seat::backend("b", 64 * 1024, Duration::MAX),
        Seat::frontend("f", route),
    ];
    let broker = broker(seats);
    let frontend = end(&broker, FRONTEND, 1);
    frontend.say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 100 });
    assert_eq!(frontend.inbox.kinds(), []);
    let backend = end(&broker, BACKEND, 7);
    backend.emit(1, 0);
    assert_eq!(frontend.inbox.event().0, "gap");
    assert_eq!(frontend.inbox.event(), ("log".into(), 1));
    assert_eq!(frontend.inbox.kinds(), []);
}

#[test]
fn credit_of_an_earlier_life_is_not_given_to_the_present_one() {
    let (broker, backend, frontend) = office();
    broker.disconnect(FRONTEND, 1);
    let now = end(&broker, FRONTEND, 2);
    now.say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 100 });
    backend.emit(1, 0);
    assert_eq!(now.inbox.kinds(), []);
}

#[test]
fn an_end_that_is_explained_at_too_great_a_length_is_an_end() {
    let (broker, _backend, _frontend) = office();
    let (life, mut told) = tokio::sync::mpsc::channel(1);
    let host = broker.side(BACKEND, 1, life);
    let fault = Fault::new(FaultKind::Unavailable, "x".repeat(70_000));
    host.deliver(Message::new(Kind::FAILED, 0, &fault));
    let told = told.try_recv();
    assert!(matches!(told, Ok(Life::Failed(_))));
}

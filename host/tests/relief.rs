//! One life of a backend is relieved by another one: who is spoken to, and what events come of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{BACKEND, End, Inbox, Side, office};
use patchbay::broker::Broker;
use patchbay_abi::{FaultKind, Kind, Message, Port, head};
use std::sync::Arc;
use tokio::sync::mpsc;

const FORMER: u64 = 1;
const NEXT: u64 = 2;

/// A life that begins beside the present one.
fn beside(broker: &Arc<Broker>) -> End {
    let inbox = Arc::new(Inbox::default());
    let host = broker.side(BACKEND, NEXT, mpsc::channel(4).0);
    broker.prepare(BACKEND, NEXT, Port::new(Side(inbox.clone())));
    End { host, inbox }
}

fn answer(backend: &End, asked: &Message, body: &str) {
    let reply = Message::new(Kind::REPLY, asked.id, &head::Reply::default());
    backend.host.deliver(reply.body(body.to_owned()));
}

fn log_in(front: &End, back: &End) -> u64 {
    front.login(1);
    let session = back.grant("user");
    assert_eq!(front.inbox.next().kind, Kind::REPLY);
    session
}

#[test]
fn what_is_under_way_is_finished_by_the_former_life_and_the_next_goes_to_the_new_one() {
    let (broker, former, front) = office();
    let session = log_in(&front, &former);
    front.call(2, session, "status");
    let under_way = former.inbox.next();
    let next = beside(&broker);
    front.call(3, session, "status");
    let also = former.inbox.next();
    assert_eq!(next.inbox.kinds(), [], "it is not its turn");

    broker.take_over(BACKEND, NEXT);
    front.call(4, session, "status");
    next.grant("user");
    answer(&next, &next.inbox.next(), "4");
    assert_eq!(front.inbox.next().id, 4);
    assert!(broker.owes(BACKEND, FORMER) && !broker.owes(BACKEND, NEXT));
    answer(&former, &under_way, "2");
    answer(&former, &also, "3");
    assert_eq!([front.inbox.next().id, front.inbox.next().id], [2, 3]);
    assert!(!broker.owes(BACKEND, FORMER));
    assert_eq!(former.inbox.kinds(), [Kind::LOGOUT]);
}

#[test]
fn a_login_under_way_is_finished_by_the_former_life_with_what_waits_for_it() {
    let (broker, former, front) = office();
    front.login(1);
    let asked = former.inbox.next();
    let next = beside(&broker);
    broker.take_over(BACKEND, NEXT);
    assert!(broker.owes(BACKEND, FORMER));
    let session = former.grant_late(&asked, "user");
    assert_eq!(front.inbox.next().kind, Kind::REPLY);
    // It moves with its first request.
    front.call(2, session, "status");
    next.grant("user");
    answer(&next, &next.inbox.next(), "2");
    assert_eq!(front.inbox.next().id, 2);
    assert_eq!(former.inbox.kinds(), [Kind::LOGOUT]);
}

#[test]
fn a_client_is_introduced_to_the_next_life_before_that_takes_over() {
    let (broker, former, front) = office();
    let session = log_in(&front, &former);
    let next = beside(&broker);
    broker.introduce(BACKEND, FORMER, NEXT);
    assert!(broker.owes(BACKEND, NEXT));
    assert_eq!(next.grant("user"), session);
    assert!(!broker.owes(BACKEND, NEXT));
    front.call(2, session, "status");
    answer(&former, &former.inbox.next(), "2");
    assert_eq!(front.inbox.next().id, 2);
    broker.take_over(BACKEND, NEXT);
    front.call(3, session, "status");
    let asked = next.inbox.next();
    assert_eq!(asked.kind, Kind::CALL, "it is logged in there already");
    answer(&next, &asked, "3");
    assert_eq!(front.inbox.next().id, 3);
    assert_eq!(former.inbox.kinds(), [Kind::LOGOUT]);
    front.say(Kind::LOGOUT, 0, &head::Logout { session });
    assert_eq!(next.inbox.kinds(), [Kind::LOGOUT]);
}

#[test]
fn what_a_former_life_still_owes_when_it_ends_is_answered_with_why() {
    let (broker, former, front) = office();
    let session = log_in(&front, &former);
    front.call(2, session, "eval");
    front.call(3, session, "status");
    let _next = beside(&broker);
    broker.take_over(BACKEND, NEXT);
    broker.disconnect(BACKEND, FORMER);
    let [changing, looking] = [front.inbox.fault(), front.inbox.fault()];
    assert_eq!(changing.kind, FaultKind::UnknownOutcome);
    assert_eq!(looking.kind, FaultKind::Unavailable);
}

#[test]
fn events_of_the_next_life_are_kept_for_its_turn_which_a_gap_announces() {
    let (broker, former, front) = office();
    front.say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    front.say(Kind::CREDIT, 0, &head::Credit { events: 100 });
    former.emit(1, 0);
    assert_eq!(front.inbox.event(), ("log".into(), 1));
    let next = beside(&broker);
    next.emit(1, 0);
    next.emit(2, 0);
    former.emit(2, 0);
    assert_eq!(front.inbox.event(), ("log".into(), 2), "of the former one");
    assert_eq!(front.inbox.kinds(), []);
    broker.take_over(BACKEND, NEXT);
    former.emit(3, 0);
    next.emit(3, 0);
    let told: Vec<(String, u64)> = (0..4).map(|_| front.inbox.event()).collect();
    let of = |kind: &str, seq| (kind.to_owned(), seq);
    assert_eq!(
        told,
        [of("gap", 0), of("log", 1), of("log", 2), of("log", 3)]
    );
    assert_eq!(front.inbox.kinds(), []);
}

//! The broker between a backend and a frontend that are both this test: what a real plugin cannot be
//! made to do at the right moment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay::broker::{Broker, Limits, Route, Seat};
use patchbay::metrics::Metrics;
use patchbay_abi::port::Deliver;
use patchbay_abi::{Buffer, Delivery, Fault, FaultKind, Kind, Message, Port, Secret, head};
use patchbay_sdk::Role;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

const BACKEND: usize = 0;
const FRONTEND: usize = 1;

/// Keeps what it is told; refuses when it is asked to.
#[derive(Default)]
struct Inbox {
    messages: Mutex<VecDeque<Message>>,
    refuses: AtomicBool,
}

struct Side(Arc<Inbox>);

impl Deliver for Side {
    fn deliver(&self, message: Message) -> Delivery {
        if self.0.refuses.load(Ordering::Relaxed) {
            return Delivery::Refused;
        }
        self.0.messages.lock().unwrap().push_back(message);
        Delivery::Taken
    }
}

impl Inbox {
    fn next(&self) -> Message {
        self.messages
            .lock()
            .unwrap()
            .pop_front()
            .expect("a message")
    }

    fn kinds(&self) -> Vec<Kind> {
        self.messages
            .lock()
            .unwrap()
            .drain(..)
            .map(|message| message.kind)
            .collect()
    }

    fn fault(&self) -> Fault {
        self.next()
            .read_head::<head::Reply>()
            .unwrap()
            .fault
            .expect("a fault")
    }

    fn event(&self) -> (String, u64) {
        let head: head::Event = self.next().read_head().unwrap();
        (head.kind, head.seq)
    }
}

/// One end of the broker, in one life.
struct End {
    host: Port,
    inbox: Arc<Inbox>,
}

fn end(broker: &Arc<Broker>, seat: usize, epoch: u64) -> End {
    let inbox = Arc::new(Inbox::default());
    let host = broker.side(seat, epoch, mpsc::channel(4).0);
    broker.connect(seat, epoch, Port::new(Side(inbox.clone())));
    End { host, inbox }
}

impl End {
    fn say(&self, kind: Kind, id: u64, head: &impl serde::Serialize) {
        self.host.deliver(Message::new(kind, id, head));
    }

    fn login(&self, id: u64) {
        let head = head::Login {
            session: 0,
            user: "u".into(),
            client: "c".into(),
        };
        self.host
            .deliver(Message::new(Kind::LOGIN, id, &head).secret(Secret::new("s")));
    }

    fn call(&self, id: u64, session: u64, op: &str) {
        let head = head::Call {
            session,
            op: op.into(),
            deadline_ms: 0,
            urgent: false,
        };
        self.host
            .deliver(Message::new(Kind::CALL, id, &head).body("{}".to_owned()));
    }

    /// Answers the login that it is asked for next; the session.
    fn grant(&self, role: &str) -> u64 {
        let asked = self.inbox.next();
        assert_eq!(asked.kind, Kind::LOGIN);
        self.grant_late(&asked, role)
    }

    fn grant_late(&self, asked: &Message, role: &str) -> u64 {
        let session = asked.read_head::<head::Login>().unwrap().session;
        let granted = head::Session {
            session,
            role: role.into(),
        };
        let head = head::Reply {
            fault: None,
            session: Some(granted),
        };
        self.say(Kind::REPLY, asked.id, &head);
        session
    }

    fn emit(&self, number: u64, bytes: usize) {
        let head = json!({ "kind": "log" });
        let body = json!({ "number": number, "text": "x".repeat(bytes) }).to_string();
        self.host
            .deliver(Message::new(Kind::EVENT, 0, &head).body(body));
    }
}

fn limits() -> Limits {
    Limits {
        sessions: 2,
        in_flight: 4,
        in_flight_per_session: 4,
        logins_pending: 4,
        body_bytes: 200_000,
        request: Duration::from_millis(50),
        long: Duration::from_secs(5),
        login: Duration::from_secs(5),
    }
}

fn office() -> (Arc<Broker>, End, End) {
    let route = Route {
        backend: BACKEND,
        ceiling: Role::Admin,
        logins: vec![],
        forward_unmapped: true,
    };
    let age = Duration::from_secs(60);
    let seats = vec![
        Seat::backend("back", 64 * 1024, age),
        Seat::frontend("front", route),
    ];
    let broker = Broker::new(seats, limits(), Arc::new(Metrics::default()));
    let backend = end(&broker, BACKEND, 1);
    let frontend = end(&broker, FRONTEND, 1);
    (broker, backend, frontend)
}

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
    (2..=3).for_each(|id| frontend.call(id, session, "submit"));
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
    frontend.call(2, session, "submit");
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
    (20..30).for_each(|id| frontend.call(id, session, "emergency"));
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
    frontend.say(Kind::SUBSCRIBE, 0, &head::Subscribe {});
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 10 });
    backend.emit(1, 0);
    frontend.inbox.refuses.store(true, Ordering::Relaxed);
    backend.emit(2, 0);
    frontend.inbox.refuses.store(false, Ordering::Relaxed);
    backend.emit(3, 0);
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 10 });
    let seen: Vec<u64> = (0..3).map(|_| frontend.inbox.event().1).collect();
    assert_eq!(seen, [1, 2, 3]);
}

#[test]
fn an_event_larger_than_the_journal_reaches_those_who_have_room_for_it() {
    let (_broker, backend, frontend) = office();
    frontend.say(Kind::SUBSCRIBE, 0, &head::Subscribe {});
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 10 });
    backend.emit(1, 100_000);
    assert_eq!(frontend.inbox.event(), ("log".into(), 1));
}

#[test]
fn a_backend_that_has_never_lived_has_no_events_and_a_new_life_is_told_once() {
    let route = Route {
        backend: BACKEND,
        ceiling: Role::Admin,
        logins: vec![],
        forward_unmapped: true,
    };
    let seats = vec![
        Seat::backend("b", 64 * 1024, Duration::MAX),
        Seat::frontend("f", route),
    ];
    let broker = Broker::new(seats, limits(), Arc::new(Metrics::default()));
    let frontend = end(&broker, FRONTEND, 1);
    frontend.say(Kind::SUBSCRIBE, 0, &head::Subscribe {});
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
    now.say(Kind::SUBSCRIBE, 0, &head::Subscribe {});
    frontend.say(Kind::CREDIT, 0, &head::Credit { events: 100 });
    backend.emit(1, 0);
    assert_eq!(now.inbox.kinds(), []);
}

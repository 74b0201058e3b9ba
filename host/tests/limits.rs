//! Each limit: who hits it is told which one, it is counted, and others do not suffer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{BACKEND, End, broker, end};
use patchbay::broker::{Authority, Broker, Limits, Route, Seat};
use patchbay_abi::{Fault, FaultKind, Kind, Message, Secret, head};
use patchbay_sdk::Role;
use std::sync::Arc;
use std::time::Duration;

const FRONT: usize = 1;
const OTHER: usize = 2;

/// A backend that answers nothing by itself, and two frontends.
struct Site {
    broker: Arc<Broker>,
    back: End,
    front: End,
    other: End,
}

impl Site {
    fn open(limits: Limits) -> Site {
        let age = Duration::from_secs(60);
        let route = || Route {
            backend: BACKEND,
            authority: Authority::Backend,
            ceiling: Role::Admin,
            logins: vec![],
            forward_unmapped: true,
        };
        let broker = broker(vec![
            Seat::backend("back", 64 * 1024, age),
            Seat::frontend("front", route()),
            Seat::frontend("other", route()),
        ]);
        broker.limit(limits);
        Site {
            back: end(&broker, BACKEND, 1),
            front: end(&broker, FRONT, 1),
            other: end(&broker, OTHER, 1),
            broker,
        }
    }

    /// Somebody at a frontend who is let in.
    fn client(&self, frontend: &End) -> u64 {
        frontend.login(1);
        let session = self.back.grant("user");
        assert!(told(frontend).is_ok());
        session
    }

    /// The fault is of that limit, names it and was counted.
    fn names(&self, fault: &Fault, kind: FaultKind, key: &str) {
        assert_eq!(fault.kind, kind, "{}", fault.message);
        assert!(fault.message.contains(key), "{}", fault.message);
        let counted = self.broker.metrics().text(|_| ()).unwrap();
        let series = format!("patchbay_limits_hit_total{{limit=\"{key}\"}}");
        assert!(counted.contains(&series), "{counted}");
    }

    /// The client's request reaches the backend, and its answer the client.
    fn is_served(&self, frontend: &End, session: u64, op: &str) {
        self.back.inbox.kinds();
        frontend.inbox.kinds();
        frontend.call(90, session, op);
        let asked = self.back.inbox.next();
        let reply = Message::new(Kind::REPLY, asked.id, &head::Reply::default());
        self.back.host.deliver(reply.body("1".to_owned()));
        assert!(told(frontend).is_ok());
    }
}

fn limits() -> Limits {
    Limits {
        sessions: 100,
        in_flight: 100,
        in_flight_per_session: 100,
        logins_pending: 100,
        frontend_share: 100,
        ..ends::limits()
    }
}

fn told(frontend: &End) -> Result<(), Fault> {
    let reply: head::Reply = frontend.inbox.wait().read_head().unwrap();
    reply.fault.map_or(Ok(()), Err)
}

fn login_from(frontend: &End, id: u64, client: &str) {
    let head = head::Login {
        session: 0,
        user: "u".into(),
        client: client.into(),
        vouched: None,
    };
    let message = Message::new(Kind::LOGIN, id, &head).secret(Secret::new("s"));
    frontend.host.deliver(message);
}

/// Logs in from these places until one is refused; how many were not.
fn until_refused(site: &Site, from: impl Fn(u64) -> String) -> u64 {
    let asks = |n: &u64| {
        login_from(&site.front, 10 + n, &from(*n));
        site.back.inbox.try_next().is_some()
    };
    (0..90).take_while(asks).count() as u64
}

#[test]
fn sessions() {
    let site = Site::open(Limits {
        sessions: 2,
        ..limits()
    });
    let [_, second] = [site.client(&site.front), site.client(&site.front)];
    site.front.login(2);
    let fault = told(&site.front).unwrap_err();
    site.names(&fault, FaultKind::Busy, "max_sessions");
    site.is_served(&site.front, second, "status");
    let session = second;
    site.front.say(Kind::LOGOUT, 0, &head::Logout { session });
    site.back.inbox.kinds();
    site.client(&site.other);
}

#[test]
fn requests_of_one_session() {
    let site = Site::open(Limits {
        in_flight_per_session: 3,
        ..limits()
    });
    let (greedy, modest) = (site.client(&site.front), site.client(&site.front));
    (0..4).for_each(|id| site.front.call(10 + id, greedy, "status"));
    let fault = told(&site.front).unwrap_err();
    site.names(&fault, FaultKind::Busy, "max_in_flight_per_session");
    site.is_served(&site.front, modest, "status");
    site.is_served(&site.front, greedy, "stop");
}

#[test]
fn requests_in_all() {
    let site = Site::open(Limits {
        in_flight: 5,
        ..limits()
    });
    let clients = [site.client(&site.front), site.client(&site.other)];
    (0..6).for_each(|id| site.front.call(10 + id, clients[0], "status"));
    let fault = told(&site.front).unwrap_err();
    site.names(&fault, FaultKind::Busy, "max_in_flight");
    // Everybody waits then, but for what is urgent.
    site.is_served(&site.other, clients[1], "pause");
    site.is_served(&site.other, clients[1], "emergency");
}

#[test]
fn what_one_frontend_may_have() {
    let site = Site::open(Limits {
        in_flight: 10,
        frontend_share: 50,
        ..limits()
    });
    let clients = [site.client(&site.front), site.client(&site.other)];
    (0..6).for_each(|id| site.front.call(10 + id, clients[0], "status"));
    let fault = told(&site.front).unwrap_err();
    site.names(&fault, FaultKind::Busy, "frontend_share_percent");
    site.is_served(&site.other, clients[1], "status");
    site.is_served(&site.front, clients[0], "emergency");
}

#[test]
fn bytes_of_a_request() {
    let site = Site::open(limits());
    let (greedy, modest) = (site.client(&site.front), site.client(&site.front));
    let head = head::Call {
        session: greedy,
        op: "eval".into(),
        deadline_ms: 0,
        urgent: false,
        key: None,
        asker: None,
        reference: None,
    };
    let body = format!("\"{}\"", "x".repeat(limits().body_bytes));
    site.front
        .host
        .deliver(Message::new(Kind::CALL, 5, &head).body(body));
    let fault = told(&site.front).unwrap_err();
    site.names(&fault, FaultKind::TooLarge, "max_body_bytes");
    site.is_served(&site.front, greedy, "status");
    site.is_served(&site.front, modest, "status");
}

#[test]
fn logins_that_are_undecided() {
    let site = Site::open(Limits {
        logins_pending: 3,
        ..limits()
    });
    let inside = site.client(&site.other);
    (0..4).for_each(|id| site.front.login(10 + id));
    let fault = told(&site.front).unwrap_err();
    site.names(&fault, FaultKind::Busy, "max_logins_pending");
    site.is_served(&site.other, inside, "status");
}

#[test]
fn logins_a_second_from_one_place() {
    let site = Site::open(Limits {
        logins_per_s_and_client: 1,
        ..limits()
    });
    let inside = site.client(&site.front);
    // Each connection of the one who guesses has another port.
    let from = |n: u64| format!("10.1.1.1:{}", 1000 + n);
    let admitted = until_refused(&site, from);
    assert!(admitted >= 10, "{admitted}");
    let fault = told(&site.front).unwrap_err();
    site.names(&fault, FaultKind::Busy, "max_logins_per_s_and_client");
    login_from(&site.front, 40, "10.1.1.2:999");
    assert_eq!(site.back.inbox.kinds(), [Kind::LOGIN]);
    site.is_served(&site.front, inside, "emergency");
}

#[test]
fn guesses_are_slowed_down_more_than_logins() {
    let site = Site::open(Limits {
        logins_per_s_and_client: 2,
        ..limits()
    });
    let mut guesses = 0;
    loop {
        login_from(&site.front, 10, "10.1.1.1:1000");
        let Some(asked) = site.back.inbox.try_next() else {
            break;
        };
        let head = head::Reply {
            fault: Some(Fault::new(FaultKind::Unauthorized, "no")),
            session: None,
            request: 0,
        };
        site.back.say(Kind::REPLY, asked.id, &head);
        assert_eq!(told(&site.front).unwrap_err().message, "no");
        guesses += 1;
    }
    // Twenty honest logins would have been let through at once. A slow machine may win a few by the seconds that pass.
    assert!((2..10).contains(&guesses), "{guesses}");
    let fault = told(&site.front).unwrap_err();
    site.names(&fault, FaultKind::Busy, "max_logins_per_s_and_client");
}

#[test]
fn logins_a_second_by_one_frontend() {
    let site = Site::open(Limits {
        logins_per_s: 1,
        ..limits()
    });
    let admitted = until_refused(&site, |n| format!("queue-{n}"));
    assert!(admitted >= 10, "{admitted}");
    let fault = told(&site.front).unwrap_err();
    site.names(&fault, FaultKind::Busy, "max_logins_per_s");
    site.back.inbox.kinds();
    let elsewhere = site.client(&site.other);
    site.is_served(&site.other, elsewhere, "status");
}

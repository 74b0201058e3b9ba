//! A frontend is routed to another backend while requests are under way: nobody notices but by what is answered.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{End, broker, end};
use patchbay::broker::{Authority, Broker, LoginRule, Route, Seat};
use patchbay_abi::{Kind, Message, Secret, head};
use patchbay_sdk::Role;
use std::sync::Arc;
use std::time::Duration;

const OLD: usize = 0;
const NEW: usize = 1;
const FRONT: usize = 2;

/// A frontend that is routed to the first of two backends, with a client that is logged in as user.
struct Site {
    broker: Arc<Broker>,
    old: End,
    new: End,
    front: End,
    session: u64,
}

impl Site {
    fn open() -> Site {
        let age = Duration::from_secs(60);
        let route = Route {
            backend: OLD,
            authority: Authority::Backend,
            ceiling: Role::Admin,
            logins: vec![],
            forward_unmapped: true,
        };
        let broker = broker(vec![
            Seat::backend("old", 64 * 1024, age),
            Seat::backend("new", 64 * 1024, age),
            Seat::frontend("front", route),
        ]);
        // The same epoch: what tells lives of different backends apart must not be that alone.
        let (old, new) = (end(&broker, OLD, 1), end(&broker, NEW, 1));
        let front = end(&broker, FRONT, 1);
        front.login(1);
        let session = old.grant("user");
        assert_eq!(front.inbox.next().kind, Kind::REPLY);
        Site {
            broker,
            old,
            new,
            front,
            session,
        }
    }

    fn call(&self, id: u64) {
        self.front.call(id, self.session, "status");
    }

    fn told(&self) -> (u64, String) {
        let told = self.front.inbox.next();
        assert_eq!(told.kind, Kind::REPLY);
        (told.id, told.body.as_str().unwrap().to_owned())
    }
}

fn answer(backend: &End, asked: &Message, body: &str) {
    let reply = Message::new(Kind::REPLY, asked.id, &head::Reply::default());
    backend.host.deliver(reply.body(body.to_owned()));
}

#[test]
fn what_is_under_way_finishes_where_it_began_and_the_next_goes_to_the_new_one() {
    let site = Site::open();
    site.call(2);
    let under_way = site.old.inbox.next();
    site.broker.route("front", "new").unwrap();
    site.call(3);
    assert_eq!(site.new.grant("admin"), site.session);
    let moved = site.new.inbox.next();
    assert_eq!(moved.kind, Kind::CALL);
    assert_eq!(
        site.old.inbox.kinds(),
        [],
        "it is not logged out while it waits there"
    );
    answer(&site.new, &moved, "\"new\"");
    assert_eq!(site.told(), (3, "\"new\"".into()));
    answer(&site.old, &under_way, "\"old\"");
    assert_eq!(site.told(), (2, "\"old\"".into()));
    assert_eq!(site.old.inbox.kinds(), [Kind::LOGOUT]);
}

#[test]
fn a_client_that_is_led_away_and_back_while_it_waits_stays_logged_in() {
    let site = Site::open();
    site.call(2);
    let under_way = site.old.inbox.next();
    site.broker.route("front", "new").unwrap();
    site.call(3);
    site.new.grant("user");
    answer(&site.new, &site.new.inbox.next(), "3");
    assert_eq!(site.told().0, 3);
    site.broker.route("front", "old").unwrap();
    site.call(4);
    let back = site.old.inbox.next();
    assert_eq!(back.kind, Kind::CALL, "it never was logged out there");
    answer(&site.old, &under_way, "2");
    answer(&site.old, &back, "4");
    assert_eq!([site.told().0, site.told().0], [2, 4]);
    assert_eq!(site.old.inbox.kinds(), [], "nor is it now");
}

#[test]
fn only_the_authority_gets_the_secret_and_says_what_a_client_may_do() {
    let site = Site::open();
    site.broker.route("front", "new").unwrap();
    site.call(2);
    let asked = site.new.inbox.next();
    let login: head::Login = asked.read_head().unwrap();
    assert_eq!(
        (login.user.as_str(), login.vouched.as_deref()),
        ("u", Some("user"))
    );
    assert!(asked.secret.is_none());
    site.new.grant_late(&asked, "admin");
    answer(&site.new, &site.new.inbox.next(), "1");
    site.told();
    site.front.call(3, site.session, "native");
    assert_eq!(
        site.front.inbox.fault().kind,
        patchbay_abi::FaultKind::Forbidden
    );
    // Who comes now is let in by the authority as well.
    site.old.inbox.kinds();
    site.front.login(4);
    assert!(site.old.inbox.next().secret.is_some());
    // And back: with the secret, to where it was let in first.
    site.broker.route("front", "old").unwrap();
    site.call(5);
    let again = site.old.inbox.next();
    assert!(again.kind == Kind::LOGIN && again.secret.is_some());
}

/// The route to `NEW`, as another configuration has it.
fn another_route(logins: Vec<LoginRule>) -> Route {
    Route {
        backend: NEW,
        authority: Authority::Backend,
        ceiling: Role::View,
        logins,
        forward_unmapped: true,
    }
}

#[test]
fn under_another_authority_a_client_stays_and_its_secret_does_too() {
    let site = Site::open();
    site.broker.admit_by(FRONT, another_route(vec![]));
    site.call(2);
    let asked = site.new.inbox.next();
    let login: head::Login = asked.read_head().unwrap();
    // With no more than anybody may have now.
    assert_eq!(login.vouched.as_deref(), Some("view"));
    assert!(asked.secret.is_none());
    site.new.grant_late(&asked, "admin");
    answer(&site.new, &site.new.inbox.next(), "2");
    assert_eq!(site.told().0, 2);
    site.front.call(3, site.session, "submit");
    let fault = site.front.inbox.wait();
    let fault = fault.read_head::<head::Reply>().unwrap().fault.unwrap();
    assert_eq!(fault.kind, patchbay_abi::FaultKind::Forbidden);
    // Who comes now is let in by the new one.
    site.front.login(4);
    let asked = site.new.inbox.next();
    assert_eq!(asked.secret.into_option().unwrap().expose(), "s");
}

#[test]
fn a_client_that_a_rule_took_in_is_under_another_authority_who_its_rule_says() {
    let rule = |user: &str, secret: &str| LoginRule {
        client_user: "u".into(),
        client_secret_sha256: None,
        user: user.into(),
        secret: Some(Secret::new(secret)),
    };
    let site = Site::open();
    let old = Route {
        backend: OLD,
        ..another_route(vec![rule("old-user", "old-secret")])
    };
    site.broker.admit_by(FRONT, old);
    site.front.login(5);
    let session = site.old.grant("user");
    site.front.inbox.next();
    site.broker
        .admit_by(FRONT, another_route(vec![rule("new-user", "new-secret")]));
    site.front.call(6, session, "status");
    let asked = site.new.inbox.next();
    let login: head::Login = asked.read_head().unwrap();
    assert_eq!((login.user.as_str(), login.vouched), ("new-user", None));
    assert_eq!(asked.secret.into_option().unwrap().expose(), "new-secret");
}

#[test]
fn a_backend_that_refuses_a_moved_client_is_told_to_it_and_the_way_back_works() {
    let site = Site::open();
    site.broker.route("front", "new").unwrap();
    site.call(2);
    let asked = site.new.inbox.next();
    let fault = patchbay_abi::Fault::new(patchbay_abi::FaultKind::Unauthorized, "who?");
    let head = head::Reply {
        fault: Some(fault),
        session: None,
        ..head::Reply::default()
    };
    site.new.say(Kind::REPLY, asked.id, &head);
    assert_eq!(site.front.inbox.fault().message, "who?");
    assert_eq!(site.old.inbox.kinds(), [Kind::LOGOUT]);
    site.broker.route("front", "old").unwrap();
    site.call(3);
    site.old.grant("user");
    answer(&site.old, &site.old.inbox.next(), "1");
    assert_eq!(site.told(), (3, "1".into()));
}

#[test]
fn events_come_from_the_new_backend_after_a_gap_that_names_its_epoch() {
    let site = Site::open();
    site.front
        .say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    site.front
        .say(Kind::CREDIT, 0, &head::Credit { events: 100 });
    site.old.emit(1, 0);
    site.new.emit(1, 0);
    site.new.emit(2, 0);
    assert_eq!(site.front.inbox.event(), ("log".into(), 1));
    site.broker.route("front", "new").unwrap();
    assert_eq!(site.front.inbox.event(), ("gap".into(), 2));
    site.old.emit(2, 0);
    site.new.emit(3, 0);
    assert_eq!(site.front.inbox.event(), ("log".into(), 3));
    assert_eq!(site.front.inbox.kinds(), []);
}

#[test]
fn a_way_to_nowhere_is_refused_with_what_there_is() {
    let site = Site::open();
    let why = site.broker.route("front", "nwe").unwrap_err();
    assert_eq!(why, "there is no backend `nwe`; there are: old, new");
    let why = site.broker.route("frnt", "new").unwrap_err();
    assert_eq!(why, "there is no frontend `frnt`; there are: front");
}

/// Many clients, many switches: each request is answered once, by the backend that it was given to.
#[test]
fn under_load_nothing_is_lost_doubled_or_answered_by_the_wrong_one() {
    let site = Site::open();
    let mut dice = 7_u64;
    let mut random = move |below: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (dice >> 33) % below
    };
    let (mut asked, mut waiting, mut answered) = (1_u64, Vec::new(), Vec::new());
    for round in 0..5_000 {
        match random(10) {
            0 => {
                let to = ["old", "new"][random(2) as usize];
                site.broker.route("front", to).unwrap();
            }
            1..6 => {
                asked += 1;
                site.call(asked);
            }
            _ => {}
        }
        for (name, backend) in [("old", &site.old), ("new", &site.new)] {
            while let Some(message) = backend.inbox.try_next() {
                match message.kind {
                    Kind::LOGIN => _ = backend.grant_late(&message, "user"),
                    Kind::CALL => waiting.push((name, message)),
                    _ => {}
                }
            }
        }
        while !waiting.is_empty() && (random(2) == 0 || round == 4_999) {
            let (name, message) = waiting.swap_remove(random(waiting.len() as u64) as usize);
            let backend = if name == "old" { &site.old } else { &site.new };
            answer(backend, &message, &format!("\"{name}\""));
        }
        while let Some(told) = site.front.inbox.try_next() {
            let fault = told.read_head::<head::Reply>().unwrap().fault;
            // The table is small here; whoever finds it full is told so, which is an answer.
            let busy = fault.is_none_or(|fault| fault.kind == patchbay_abi::FaultKind::Busy);
            assert!(busy);
            answered.push(told.id);
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, (2..=asked).collect::<Vec<_>>());
}

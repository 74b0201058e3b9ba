//! Who has control of a backend, and what others may do meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{End, broker, end};
use patchbay::broker::{Authority, Broker, Route, Seat};
use patchbay_abi::{Fault, FaultKind, Kind, Message, Port, head};
use patchbay_sdk::Role;
use patchbay_sdk::model::OPS;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

const BACK: usize = 0;
const OTHER_BACK: usize = 1;
const FRONT: usize = 2;

/// A backend that does all that it is asked, and two clients of it.
struct Site {
    broker: Arc<Broker>,
    back: End,
    _other: End,
    front: End,
    anna: u64,
    otto: u64,
}

impl Site {
    /// Anna is a user, Otto what is said.
    fn open(otto: &str) -> Site {
        let age = Duration::from_secs(60);
        let route = Route {
            backend: BACK,
            authority: Authority::Backend,
            ceiling: Role::Admin,
            logins: vec![],
            forward_unmapped: true,
        };
        let broker = broker(vec![
            Seat::backend("back", 64 * 1024, age),
            Seat::backend("other", 64 * 1024, age),
            Seat::frontend("front", route),
        ]);
        let (back, other) = (end(&broker, BACK, 1), end(&broker, OTHER_BACK, 1));
        let front = end(&broker, FRONT, 1);
        let [anna, otto] = ["user", otto].map(|role| {
            front.login(1);
            let session = back.grant(role);
            front.inbox.next();
            session
        });
        Site {
            broker,
            back,
            _other: other,
            front,
            anna,
            otto,
        }
    }

    /// What comes of a request; the backend answers all that reach it.
    fn ask(&self, session: u64, op: &str, args: &str) -> Result<Value, Fault> {
        let head = head::Call {
            session,
            op: op.into(),
            deadline_ms: 0,
            urgent: false,
            key: None,
            asker: None,
            reference: None,
        };
        let message = Message::new(Kind::CALL, 7, &head).body(args.to_owned());
        self.front.host.deliver(message);
        // A submit is noted by a thread of the host before it is sent.
        let submit = op == "submit";
        let asked = match submit {
            true => Some(self.back.inbox.wait()),
            false => self.back.inbox.try_next(),
        };
        if let Some(asked) = asked {
            let reply = Message::new(Kind::REPLY, asked.id, &head::Reply::default());
            self.back.host.deliver(reply.body("\"done\"".to_owned()));
        }
        let told = self.front.inbox.wait();
        assert_eq!((told.kind, told.id), (Kind::REPLY, 7));
        match told.read_head::<head::Reply>().unwrap().fault {
            Some(fault) => Err(fault),
            None => Ok(serde_json::from_slice(&told.body).unwrap()),
        }
    }

    fn subscribe(&self) {
        self.front
            .say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
        self.front
            .say(Kind::CREDIT, 0, &head::Credit { events: 100 });
    }

    /// The next message to the frontend, which must be a `control` event: who has it now.
    fn has_control(&self) -> Option<u64> {
        let event = self.front.inbox.wait();
        assert_eq!(event.read_head::<head::Event>().unwrap().kind, "control");
        let body: Value = serde_json::from_slice(&event.body).unwrap();
        body["holder"]["session"].as_u64()
    }

    fn in_status(&self) -> Option<u64> {
        let back = self.broker.instances().swap_remove(BACK);
        back.control.map(|holder| holder.session)
    }
}

#[test]
fn while_somebody_has_control_only_they_steer_and_everybody_may_do_the_rest() {
    let site = Site::open("admin");
    let held = site.ask(site.anna, "take_control", "{}").unwrap();
    assert_eq!(
        (&held["user"], &held["session"]),
        (&"u".into(), &site.anna.into())
    );
    assert!(held["since"].as_f64().unwrap() > 1e9);
    assert_eq!(site.in_status(), Some(site.anna));
    for op in OPS {
        if ["take_control", "release_control"].contains(&op.name) {
            continue;
        }
        let done = site.ask(site.otto, op.name, "{}");
        match op.steers {
            false => assert_eq!(done, Ok("done".into()), "{}", op.name),
            true => {
                let fault = done.unwrap_err();
                assert_eq!(fault.kind, FaultKind::Forbidden, "{}", op.name);
                let who = format!("u (session {})", site.anna);
                assert!(fault.message.contains(&who), "{}", fault.message);
            }
        }
        if op.least <= Role::User {
            assert!(site.ask(site.anna, op.name, "{}").is_ok(), "{}", op.name);
        }
    }
    let steering: Vec<&str> = OPS
        .iter()
        .filter(|op| op.steers)
        .map(|op| op.name)
        .collect();
    for op in [
        "pause", "resume", "stop", "abort", "finish", "answer", "remove", "reorder", "edit",
    ] {
        assert!(steering.contains(&op), "{op}");
    }
    assert!(!steering.contains(&"emergency"));
}

#[test]
fn it_is_released_by_whoever_has_it_and_taken_by_force_by_an_admin_only() {
    let site = Site::open("admin");
    site.ask(site.anna, "take_control", "null").unwrap();
    assert!(
        site.ask(site.anna, "take_control", "").is_ok(),
        "twice is once"
    );
    for op in ["take_control", "release_control"] {
        let fault = site.ask(site.otto, op, "{}").unwrap_err();
        assert_eq!(fault.kind, FaultKind::Forbidden);
    }
    let taken = site.ask(site.otto, "take_control", r#"{"force":true}"#);
    assert_eq!(taken.unwrap()["session"], site.otto);
    let fault = site.ask(site.anna, "take_control", r#"{"force":true}"#);
    assert!(fault.unwrap_err().message.contains("needs the role admin"));
    assert!(site.ask(site.anna, "stop", "{}").is_err());
    assert_eq!(
        site.ask(site.otto, "release_control", "{}"),
        Ok(Value::Null)
    );
    assert_eq!(site.in_status(), None);
    assert_eq!(
        site.ask(site.anna, "release_control", "{}"),
        Ok(Value::Null)
    );
    assert!(site.ask(site.anna, "stop", "{}").is_ok());
    let fault = site.ask(site.anna, "take_control", r#"{"force":"yes"}"#);
    assert_eq!(fault.unwrap_err().kind, FaultKind::Invalid);
}

#[test]
fn a_viewer_cannot_take_it() {
    let site = Site::open("view");
    let fault = site.ask(site.otto, "take_control", "{}").unwrap_err();
    assert_eq!(fault.kind, FaultKind::Forbidden);
    assert_eq!(site.in_status(), None);
}

#[test]
fn everybody_hears_of_it_and_it_ends_with_its_session() {
    let site = Site::open("user");
    site.subscribe();
    let take = |session| {
        let head = head::Call {
            session,
            op: "take_control".into(),
            deadline_ms: 0,
            urgent: false,
            key: None,
            asker: None,
            reference: None,
        };
        site.front.say(Kind::CALL, 9, &head);
    };
    take(site.anna);
    assert_eq!(site.has_control(), Some(site.anna));
    assert_eq!(site.front.inbox.next().kind, Kind::REPLY);
    let session = site.anna;
    site.front.say(Kind::LOGOUT, 0, &head::Logout { session });
    assert_eq!(site.has_control(), None);
    take(site.otto);
    assert_eq!(site.has_control(), Some(site.otto));
}

#[test]
fn it_outlives_its_backend_and_the_readers_of_the_next_life_are_told() {
    let site = Site::open("user");
    site.ask(site.anna, "take_control", "{}").unwrap();
    site.broker.disconnect(BACK, 1);
    site.subscribe();
    let _again = end(&site.broker, BACK, 2);
    assert_eq!(site.front.inbox.event().0, "gap");
    assert_eq!(site.has_control(), Some(site.anna));
    assert!(site.ask(site.otto, "stop", "{}").is_err());
}

#[test]
fn it_belongs_to_the_backend_and_ends_when_its_session_is_led_elsewhere() {
    let site = Site::open("user");
    site.ask(site.anna, "take_control", "{}").unwrap();
    site.broker.route("front", "back").unwrap();
    assert_eq!(site.in_status(), Some(site.anna), "it leads there already");
    site.broker.route("front", "other").unwrap();
    assert_eq!(site.in_status(), None);
    site.broker.route("front", "back").unwrap();
    assert!(site.ask(site.otto, "stop", "{}").is_ok());
}

/// A backend that answers nothing, and a client that presses the button again and again.
#[test]
fn no_limit_keeps_an_emergency_stop_from_the_backend() {
    let site = Site::open("view");
    site.ask(site.anna, "take_control", "{}").unwrap();
    let most = ends::limits().in_flight_per_session as u64;
    (0..10).for_each(|id| site.front.call(100 + id, site.otto, "status"));
    let busy = site.front.inbox.kinds().len();
    assert!(busy > 0, "the table is full");
    assert_eq!(site.back.inbox.kinds().len(), 10 - busy);
    (0..20).for_each(|id| site.front.call(200 + id, site.otto, "emergency"));
    assert_eq!(site.back.inbox.kinds(), [Kind::CALL; 20]);
    // Those whose answer is not waited for any more are told so, the oldest first.
    for id in 0..20 - most {
        let told = site.front.inbox.next();
        assert_eq!(told.id, 200 + id);
        let fault = told.read_head::<head::Reply>().unwrap().fault.unwrap();
        assert_eq!(fault.kind, FaultKind::UnknownOutcome);
    }
    assert_eq!(site.front.inbox.kinds(), []);
}

/// New lives that readers learn of, changes of control that are told, and requests that ask who has it.
#[test]
fn whoever_has_it_while_lives_begin_nobody_waits_for_ever() {
    const ROUNDS: u64 = 10_000;
    let site = Site::open("user");
    site.subscribe();
    let ask = |session, op: &str| {
        let head = head::Call {
            session,
            op: op.into(),
            deadline_ms: 0,
            urgent: false,
            key: None,
            asker: None,
            reference: None,
        };
        let message = Message::new(Kind::CALL, 7, &head).body("{}".to_owned());
        site.front.host.deliver(message);
    };
    let (site, ask) = (&site, &ask);
    let (done, all_done) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let ends = [done.clone(), done.clone(), done];
        let [lives, controls, steers] = ends;
        scope.spawn(move || {
            for epoch in 2..ROUNDS {
                site.broker.disconnect(BACK, epoch - 1);
                let port = Port::new(ends::Side(site.back.inbox.clone()));
                site.broker.connect(BACK, epoch, port);
                site.front
                    .say(Kind::CREDIT, 0, &head::Credit { events: 1000 });
            }
            lives.send(()).unwrap();
        });
        scope.spawn(move || {
            for _ in 0..ROUNDS {
                ask(site.anna, "take_control");
                ask(site.anna, "release_control");
            }
            controls.send(()).unwrap();
        });
        scope.spawn(move || {
            (0..ROUNDS).for_each(|_| ask(site.otto, "pause"));
            steers.send(()).unwrap();
        });
        for _ in 0..3 {
            if all_done.recv_timeout(Duration::from_secs(60)).is_err() {
                eprintln!("they wait for each other");
                // The threads cannot be ended.
                std::process::abort();
            }
        }
    });
}

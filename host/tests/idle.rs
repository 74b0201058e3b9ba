//! `route --when-idle`: a frontend is led to another backend when nothing is under way, and not before.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{End, broker, end};
use patchbay::broker::{Authority, Broker, InstanceStatus, Route, Seat};
use patchbay_abi::{Kind, Message, head};
use patchbay_sdk::Role;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What has to be idle is idle on end for less.
const LONGER: Duration = Duration::from_millis(1300);

/// A frontend that is routed to the first of two backends, with a client.
struct Site {
    broker: Arc<Broker>,
    old: End,
    front: End,
    session: u64,
}

impl Site {
    fn open() -> Site {
        let age = Duration::from_secs(60);
        let route = Route {
            backend: 0,
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
        let (old, front) = (end(&broker, 0, 7), end(&broker, 2, 1));
        end(&broker, 1, 1);
        front.login(1);
        let session = old.grant("user");
        assert_eq!(front.inbox.next().kind, Kind::REPLY);
        Site {
            broker,
            old,
            front,
            session,
        }
    }

    fn says(&self, run: &str) {
        let head = json!({ "kind": "state" });
        let body = json!({ "run": run }).to_string();
        let event = Message::new(Kind::EVENT, 0, &head).body(body);
        self.old.host.deliver(event);
    }

    fn front(&self) -> InstanceStatus {
        let mut instances = self.broker.instances().into_iter();
        instances.find(|one| one.id == "front").unwrap()
    }

    /// Looks for as long as it takes to be found idle, and longer; what the status says then.
    fn look(&self) -> InstanceStatus {
        let end = Instant::now() + LONGER;
        while Instant::now() < end {
            self.broker.switch_if_idle();
            std::thread::sleep(Duration::from_millis(10));
        }
        self.front()
    }

    fn stays(&self, why: &str) {
        let front = self.look();
        let (to, then) = (front.to.as_deref(), front.then.as_deref());
        assert_eq!((to, then, &*front.reason), (Some("old"), Some("new"), why));
    }

    fn moves(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        while self.front().then.is_some() {
            assert!(Instant::now() < end, "{:?}", self.front());
            self.broker.switch_if_idle();
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(self.front().to.as_deref(), Some("new"));
    }
}

#[test]
fn it_waits_for_what_runs_and_for_what_was_asked() {
    let site = Site::open();
    site.says("running");
    site.broker.route_when_idle("front", "new").unwrap();
    site.stays("`old` says `running`");
    site.front.call(2, site.session, "status");
    site.says("idle-after-failure");
    site.stays("a request is under way");
    let asked = site.old.inbox.next();
    let reply = Message::new(Kind::REPLY, asked.id, &head::Reply::default());
    site.old.host.deliver(reply.body("1".to_owned()));
    site.moves();
}

#[test]
fn a_moment_between_two_parts_of_a_script_is_no_idleness() {
    let site = Site::open();
    site.says("running");
    site.broker.route_when_idle("front", "new").unwrap();
    for _ in 0..3 {
        site.says("idle");
        site.broker.switch_if_idle();
        assert_eq!(site.front().to.as_deref(), Some("old"));
        site.says("running");
        site.stays("`old` says `running`");
    }
    site.says("idle");
    site.moves();
}

#[test]
fn a_backend_that_tells_no_states_is_idle_when_nothing_was_asked() {
    let site = Site::open();
    site.broker.route_when_idle("front", "new").unwrap();
    site.moves();
}

#[test]
fn another_order_takes_its_place() {
    let site = Site::open();
    site.says("running");
    site.broker.route_when_idle("front", "new").unwrap();
    site.broker.route("front", "old").unwrap();
    site.says("idle");
    let front = site.look();
    assert_eq!((front.to.as_deref(), front.then), (Some("old"), None));
    let why = site.broker.route_when_idle("front", "nwe").unwrap_err();
    assert_eq!(why, "there is no backend `nwe`; there are: old, new");
}

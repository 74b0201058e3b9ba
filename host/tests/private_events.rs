//! Events that are for one client only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

mod ends;

use ends::{BACKEND, End, broker, end};
use patchbay::broker::{Authority, Broker, Route, Seat};
use patchbay_abi::{Kind, Message, head};
use patchbay_sdk::Role;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A backend with two frontends, each with a client and room for ten events; the clients' sessions.
fn office() -> (Arc<Broker>, End, [(End, u64); 2]) {
    let route = || Route {
        backend: BACKEND,
        authority: Authority::Backend,
        ceiling: Role::Admin,
        logins: vec![],
        forward_unmapped: true,
    };
    let seats = vec![
        Seat::backend("back", 64 * 1024, Duration::from_secs(60)),
        Seat::frontend("one", route()),
        Seat::frontend("two", route()),
    ];
    let broker = broker(seats);
    let backend = end(&broker, BACKEND, 1);
    let clients = [1, 2].map(|seat| {
        let frontend = end(&broker, seat, 1);
        frontend.login(1);
        let session = backend.grant("user");
        frontend.inbox.next();
        frontend.say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
        frontend.say(Kind::CREDIT, 0, &head::Credit { events: 10 });
        (frontend, session)
    });
    (broker, backend, clients)
}

fn whisper(backend: &End, session: u64) {
    let head = json!({"kind": "native", "session": session});
    let body = json!({"for": session}).to_string();
    backend
        .host
        .deliver(Message::new(Kind::EVENT, 0, &head).body(body));
}

fn counted(broker: &Broker, dropped: u32) -> bool {
    let counter = format!("host.private_events_dropped={dropped}");
    broker
        .metrics()
        .summary()
        .split(' ')
        .any(|shown| shown == counter)
}

#[test]
fn a_private_event_reaches_its_client_and_leaves_no_hole_for_the_others() {
    let (_broker, backend, [(one, session), (two, _)]) = office();
    backend.emit(1, 0);
    whisper(&backend, session);
    backend.emit(2, 0);
    assert_eq!(one.inbox.event(), ("log".into(), 1));
    let private = one.inbox.next();
    let head: head::Event = private.read_head().unwrap();
    assert_eq!((head.session, head.seq), (Some(session), 1));
    assert_eq!(
        private.body.as_str().unwrap(),
        format!(r#"{{"for":{session}}}"#)
    );
    assert_eq!(one.inbox.event(), ("log".into(), 2));
    assert_eq!([two.inbox.event().1, two.inbox.event().1], [1, 2]);
    assert_eq!(two.inbox.kinds(), []);
}

#[test]
fn a_private_event_for_nobody_is_counted_and_goes_nowhere() {
    let (broker, backend, [(one, session), (two, _)]) = office();
    one.say(Kind::LOGOUT, 0, &head::Logout { session });
    whisper(&backend, session);
    whisper(&backend, 4711);
    assert!(counted(&broker, 2));
    assert_eq!(one.inbox.kinds(), []);
    assert_eq!(two.inbox.kinds(), []);
}

#[test]
fn a_private_event_never_waits_for_room() {
    let (broker, backend, [(one, session), _]) = office();
    (0..10).for_each(|number| backend.emit(number, 0));
    whisper(&backend, session);
    assert!(counted(&broker, 1));
    one.say(Kind::CREDIT, 0, &head::Credit { events: 10 });
    assert_eq!(one.inbox.kinds(), [Kind::EVENT; 10]);
}

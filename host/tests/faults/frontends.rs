//! A frontend that floods, hoards, forges and vanishes, beside one whose clients ask all the time. Both, and the
//! backend that never answers, are this test: no frontend could be made to do all this through the SDK.

#[path = "../ends/mod.rs"]
mod ends;

use ends::{End, end, keeping};
use patchbay::broker::{Authority, Broker, Limits, Route, Seat, Snapshots};
use patchbay::intents::Store;
use patchbay::metrics::Metrics;
use patchbay_abi::port::Deliver;
use patchbay_abi::{Buffer, Delivery, FaultKind, Kind, Message, Port, head};
use patchbay_sdk::Role;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The seats: each backend and its frontend.
const ECHO: usize = 0;
const SILENT: usize = 1;
const GOOD: usize = 2;
const BAD: usize = 3;

/// Some requests that the good frontend makes after each misdeed.
const SOME: u64 = 50;

struct Office {
    broker: Arc<Broker>,
    echo: End,
    silent: End,
    good: End,
    bad: End,
    /// Of the good frontend.
    session: u64,
    asked: u64,
    _notes: tempfile::TempDir,
}

fn limits() -> Limits {
    Limits {
        sessions: 40,
        in_flight: 40,
        in_flight_per_session: 20,
        logins_pending: 8,
        logins_per_s: 1000,
        logins_per_s_and_client: 1000,
        body_bytes: 100_000,
        frontend_share: 75,
        events_per_second: u32::MAX,
        lines_per_second: u32::MAX,
        request: Duration::from_secs(60),
        long: Duration::from_secs(60),
        login: Duration::from_secs(60),
        snapshots: Snapshots::default(),
    }
}

fn seats() -> Vec<Seat> {
    let route = |backend| Route {
        backend,
        authority: Authority::Backend,
        ceiling: Role::Admin,
        logins: vec![],
        forward_unmapped: true,
    };
    let backend = |id| Seat::backend(id, 64 * 1024, Duration::from_secs(60));
    vec![
        backend("echo"),
        backend("silent"),
        Seat::frontend("good", route(ECHO)),
        Seat::frontend("bad", route(SILENT)),
    ]
}

impl Office {
    fn open() -> Office {
        let notes = tempfile::tempdir().unwrap();
        let store = Store::new(keeping(&notes.path().join("state")));
        let broker = Broker::new(seats(), limits(), Arc::new(Metrics::default()), store).unwrap();
        let [echo, silent, good, bad] = [ECHO, SILENT, GOOD, BAD].map(|seat| end(&broker, seat, 1));
        let mut office = Office {
            broker,
            echo,
            silent,
            good,
            bad,
            session: 0,
            asked: 0,
            _notes: notes,
        };
        office.session = office.good_login();
        office
    }

    /// Somebody gets in through the good frontend.
    fn good_login(&mut self) -> u64 {
        self.asked += 1;
        self.good.login(self.asked);
        let session = self.echo.grant("admin");
        let reply = self.good.inbox.next();
        let granted = reply.read_head::<head::Reply>().unwrap().session;
        assert_eq!(granted.expect("is let in").session, session);
        session
    }

    /// Somebody gets in through the bad frontend.
    fn bad_login(&self, id: u64) -> u64 {
        self.bad.login(id);
        let session = self.silent.grant("admin");
        assert_eq!(self.bad.inbox.next().id, id);
        session
    }

    /// The good frontend's clients notice nothing: who asks is answered, who comes is let in, who goes is let go.
    fn goes_on(&mut self) {
        for _ in 0..SOME {
            self.asked += 1;
            self.good.call(self.asked, self.session, "status");
            let call = self.echo.inbox.next();
            assert_eq!(call.kind, Kind::CALL);
            let reply = Message::new(Kind::REPLY, call.id, &head::Reply::default());
            let body = self.asked.to_string();
            self.echo.host.deliver(reply.body(body.clone()));
            let answer = self.good.inbox.next();
            assert_eq!((answer.kind, answer.id), (Kind::REPLY, self.asked));
            assert_eq!(&*answer.body, body.as_bytes());
        }
        let session = self.good_login();
        self.good.say(Kind::LOGOUT, 0, &head::Logout { session });
        assert_eq!(self.echo.inbox.kinds(), [Kind::LOGOUT]);
        assert_eq!(self.good.inbox.kinds(), []);
    }

    /// The next answer to the bad frontend is this refusal.
    fn bad_is_refused(&self, kind: FaultKind, why: &str) {
        let fault = self.bad.inbox.fault();
        assert!(fault.kind == kind && fault.message.contains(why), "{fault}");
    }
}

const SHARE: &str = "frontend_share_percent";

#[test]
fn a_flood_of_logins_leaves_room_for_those_of_others() {
    let mut office = Office::open();
    (1..=10_000).for_each(|id| office.bad.login(id));
    // What is under way is three quarters of what there may be; all else is refused at once.
    assert_eq!(office.silent.inbox.kinds().len(), 6);
    (6..10_000).for_each(|_| office.bad_is_refused(FaultKind::Busy, SHARE));
    assert_eq!(office.bad.inbox.kinds(), []);
    office.goes_on();
}

#[test]
fn who_hoards_sessions_leaves_some_to_others() {
    let mut office = Office::open();
    (1..=30).for_each(|id| _ = office.bad_login(id));
    office.bad.login(31);
    office.bad_is_refused(FaultKind::Busy, SHARE);
    office.goes_on();
    assert_eq!(office.broker.sessions().len(), 31);
}

#[test]
fn who_fills_the_table_of_requests_leaves_some_to_others() {
    let mut office = Office::open();
    let sessions = [1, 2].map(|id| office.bad_login(id));
    for id in 10..1000 {
        office.bad.call(id, sessions[id as usize % 2], "status");
    }
    assert_eq!(office.silent.inbox.kinds().len(), 30);
    (30..990).for_each(|_| office.bad_is_refused(FaultKind::Busy, SHARE));
    office.goes_on();
}

#[test]
fn nobody_can_ask_end_or_cancel_for_another_frontends_clients() {
    let mut office = Office::open();
    let victim = office.session;
    office.good.call(777, victim, "status");
    let under_way = office.echo.inbox.next();
    office.bad.call(1, victim, "emergency");
    office.bad_is_refused(FaultKind::Unauthorized, "not logged in");
    office
        .bad
        .say(Kind::LOGOUT, 0, &head::Logout { session: victim });
    for id in [777, under_way.id] {
        office.bad.host.deliver(Message::bare(Kind::CANCEL, id));
        let forged = Message::new(Kind::REPLY, id, &head::Reply::default());
        office
            .bad
            .host
            .deliver(forged.body("\"forged\"".to_owned()));
        let event = Message::new(Kind::EVENT, id, &serde_json::json!({"kind": "log"}));
        assert_eq!(office.bad.host.deliver(event), Delivery::Refused);
    }
    assert_eq!(office.echo.inbox.kinds(), [], "nothing of it came through");
    let reply = Message::new(Kind::REPLY, under_way.id, &head::Reply::default());
    office.echo.host.deliver(reply.body("1".to_owned()));
    let answer = office.good.inbox.next();
    assert_eq!((answer.id, &*answer.body), (777, &b"1"[..]));
    office.goes_on();
}

#[test]
fn who_vanishes_takes_nothing_with_it_and_leaves_nothing() {
    let mut office = Office::open();
    let session = office.bad_login(1);
    (2..12).for_each(|id| office.bad.call(id, session, "status"));
    let under_way: Vec<Message> = (2..12).map(|_| office.silent.inbox.next()).collect();
    office.broker.disconnect(BAD, 1);
    assert_eq!(office.silent.inbox.kinds(), [Kind::LOGOUT]);
    assert_eq!(office.broker.sessions().len(), 1);
    office.goes_on();
    for call in under_way {
        let reply = Message::new(Kind::REPLY, call.id, &head::Reply::default());
        office.silent.host.deliver(reply.body("1".to_owned()));
    }
    assert_eq!(office.bad.inbox.kinds(), []);
    let counted = office.broker.metrics().summary();
    assert!(
        counted.contains("host.replies_undeliverable=10"),
        "{counted}"
    );
    // What its dying tasks say, after that, has no effect.
    office.bad.login(99);
    assert_eq!(office.silent.inbox.kinds(), []);
    office.goes_on();
}

#[test]
fn who_wants_events_and_takes_none_holds_nobody_up() {
    let mut office = Office::open();
    office
        .bad
        .say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    let most = head::Credit { events: u32::MAX };
    office.bad.say(Kind::CREDIT, 0, &most);
    office.bad.inbox.refuses.store(true, Ordering::Relaxed);
    // Another one of the same backend.
    office.broker.route("good", "silent").unwrap();
    office
        .good
        .say(Kind::SUBSCRIBE, 0, &head::Subscribe::default());
    office.good.say(Kind::CREDIT, 0, &most);
    for number in 1..=1000 {
        office.silent.emit(number, 1000);
        assert_eq!(office.good.inbox.event(), ("log".to_owned(), number));
    }
    office.bad.inbox.refuses.store(false, Ordering::Relaxed);
    office.bad.say(Kind::CREDIT, 0, &most);
    // It is not told what there was, but that it has missed it.
    assert_eq!(office.bad.inbox.event().0, "gap");
    office.broker.route("good", "echo").unwrap();
    office.good.inbox.kinds();
    office.goes_on();
}

/// Panics whatever it is told.
struct Panics;

impl Deliver for Panics {
    fn deliver(&self, _: Message) -> Delivery {
        panic!("it panics while it takes something, on purpose")
    }
}

#[test]
fn who_panics_while_it_takes_an_answer_loses_that_answer() {
    let mut office = Office::open();
    office.broker.connect(BAD, 2, Port::new(Panics));
    let host = office.broker.side(BAD, 2, tokio::sync::mpsc::channel(1).0);
    let bad = End {
        host,
        inbox: Arc::default(),
    };
    bad.login(1);
    office.silent.grant("admin");
    // Nobody was there to take the session.
    assert_eq!(office.silent.inbox.kinds(), [Kind::LOGOUT]);
    office.goes_on();
}

#[test]
fn nonsense_is_refused_or_ignored() {
    let mut office = Office::open();
    let heads = [
        "",
        "{",
        "[]",
        "null",
        "{\"session\":-1}",
        "{\"events\":1e99}",
    ];
    for (kind, head) in (0..64).flat_map(|kind| heads.map(|head| (Kind(kind), head))) {
        let message = Message {
            head: Buffer::from(head.to_owned()),
            ..Message::bare(kind, 5)
        };
        office.bad.host.deliver(message);
    }
    let long = Message {
        head: Buffer::from("x".repeat(1_000_000)),
        ..Message::bare(Kind::CALL, 6)
    };
    office.bad.host.deliver(long);
    let big = Message::bare(Kind::LOGIN, 7).body("1".repeat(1_000_000));
    office.bad.host.deliver(big);
    // Only logins, calls and subscriptions are owed an answer.
    let answers = office.bad.inbox.kinds();
    assert_eq!(answers, vec![Kind::REPLY; 3 * heads.len() + 2]);
    assert_eq!(office.silent.inbox.kinds(), []);
    office.goes_on();
}

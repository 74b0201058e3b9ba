//! A broker whose backend and frontend are both the test: what a real plugin cannot be made to do at the right moment.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail; not every test uses everything"
)]

use patchbay::broker::{Authority, Broker, Limits, Route, Seat, Snapshots};
use patchbay::intents::{Keeping, Store};
use patchbay::metrics::Metrics;
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Fault, Kind, Message, Port, Secret, head};
use patchbay_sdk::Role;
use serde_json::json;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

pub const BACKEND: usize = 0;
pub const FRONTEND: usize = 1;

/// Keeps what it is told; refuses when it is asked to.
#[derive(Default)]
pub struct Inbox {
    pub messages: Mutex<VecDeque<Message>>,
    pub refuses: AtomicBool,
}

pub struct Side(pub Arc<Inbox>);

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
    pub fn next(&self) -> Message {
        self.try_next().expect("a message")
    }

    pub fn try_next(&self) -> Option<Message> {
        self.messages.lock().unwrap().pop_front()
    }

    /// The next one, which another thread of the host is about to send.
    pub fn wait(&self) -> Message {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(message) = self.messages.lock().unwrap().pop_front() {
                return message;
            }
            assert!(Instant::now() < end, "a message comes");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn kinds(&self) -> Vec<Kind> {
        self.messages
            .lock()
            .unwrap()
            .drain(..)
            .map(|message| message.kind)
            .collect()
    }

    pub fn fault(&self) -> Fault {
        self.next()
            .read_head::<head::Reply>()
            .unwrap()
            .fault
            .expect("a fault")
    }

    pub fn event(&self) -> (String, u64) {
        let head: head::Event = self.next().read_head().unwrap();
        (head.kind, head.seq)
    }
}

/// One end of the broker, in one life.
pub struct End {
    pub host: Port,
    pub inbox: Arc<Inbox>,
}

pub fn end(broker: &Arc<Broker>, seat: usize, epoch: u64) -> End {
    let inbox = Arc::new(Inbox::default());
    let host = broker.side(seat, epoch, mpsc::channel(4).0);
    broker.connect(seat, epoch, Port::new(Side(inbox.clone())));
    End { host, inbox }
}

impl End {
    pub fn say(&self, kind: Kind, id: u64, head: &impl serde::Serialize) {
        self.host.deliver(Message::new(kind, id, head));
    }

    pub fn login(&self, id: u64) {
        let head = head::Login {
            session: 0,
            user: "u".into(),
            client: "c".into(),
            vouched: None,
        };
        self.host
            .deliver(Message::new(Kind::LOGIN, id, &head).secret(Secret::new("s")));
    }

    pub fn call(&self, id: u64, session: u64, op: &str) {
        self.ask(id, session, op, "{}");
    }

    pub fn ask(&self, id: u64, session: u64, op: &str, args: &str) {
        let head = head::Call {
            session,
            op: op.into(),
            deadline_ms: 0,
            urgent: false,
            key: None,
            asker: None,
            reference: None,
        };
        self.host
            .deliver(Message::new(Kind::CALL, id, &head).body(args.to_owned()));
    }

    /// Answers a request.
    pub fn answer(&self, asked: &Message, body: &str) {
        let reply = Message::new(Kind::REPLY, asked.id, &head::Reply::default());
        self.host.deliver(reply.body(body.to_owned()));
    }

    /// Refuses a request.
    pub fn fail(&self, asked: &Message, fault: Fault) {
        let head = head::Reply {
            fault: Some(fault),
            ..head::Reply::default()
        };
        self.say(Kind::REPLY, asked.id, &head);
    }

    /// Answers the login that it is asked for next; the session.
    pub fn grant(&self, role: &str) -> u64 {
        let asked = self.inbox.next();
        assert_eq!(asked.kind, Kind::LOGIN);
        self.grant_late(&asked, role)
    }

    pub fn grant_late(&self, asked: &Message, role: &str) -> u64 {
        let session = asked.read_head::<head::Login>().unwrap().session;
        let granted = head::Session {
            session,
            role: role.into(),
        };
        let head = head::Reply {
            fault: None,
            session: Some(granted),
            ..head::Reply::default()
        };
        self.say(Kind::REPLY, asked.id, &head);
        session
    }

    pub fn emit(&self, number: u64, bytes: usize) {
        let head = json!({ "kind": "log" });
        let body = json!({ "number": number, "text": "x".repeat(bytes) }).to_string();
        self.host
            .deliver(Message::new(Kind::EVENT, 0, &head).body(body));
    }
}

/// A broker that notes what must not be done twice in a folder that nobody else uses.
pub fn broker(seats: Vec<Seat>) -> Arc<Broker> {
    limited(limits(), seats)
}

/// The same with other limits.
pub fn limited(limits: Limits, seats: Vec<Seat>) -> Arc<Broker> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("notes-{}-{number}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    noting_in(&folder, limits, seats)
}

pub fn keeping(folder: &Path) -> Keeping {
    Keeping {
        folder: folder.to_owned(),
        most: 100,
        least: 10,
        age: Duration::from_secs(3600),
    }
}

/// A broker that notes what must not be done twice in that folder.
pub fn broker_at(folder: &Path, seats: Vec<Seat>) -> Arc<Broker> {
    noting_in(folder, limits(), seats)
}

fn noting_in(folder: &Path, limits: Limits, seats: Vec<Seat>) -> Arc<Broker> {
    let keeping = keeping(folder);
    Broker::new(
        seats,
        limits,
        Arc::new(Metrics::default()),
        Store::new(keeping),
    )
    .unwrap()
}

pub fn limits() -> Limits {
    Limits {
        sessions: 2,
        in_flight: 4,
        in_flight_per_session: 4,
        logins_pending: 4,
        logins_per_s: 1000,
        logins_per_s_and_client: 1000,
        body_bytes: 200_000,
        frontend_share: 75,
        events_per_second: 100_000,
        lines_per_second: 1000,
        request: Duration::from_millis(50),
        long: Duration::from_secs(5),
        login: Duration::from_secs(5),
        snapshots: Snapshots::default(),
    }
}

pub fn office() -> (Arc<Broker>, End, End) {
    let broker = broker(seats());
    let backend = end(&broker, BACKEND, 1);
    let frontend = end(&broker, FRONTEND, 1);
    (broker, backend, frontend)
}

/// A backend and a frontend that is routed to it.
pub fn seats() -> Vec<Seat> {
    let route = Route {
        backend: BACKEND,
        authority: Authority::Backend,
        ceiling: Role::Admin,
        logins: vec![],
        forward_unmapped: true,
    };
    let age = Duration::from_secs(60);
    vec![
        Seat::backend("back", 64 * 1024, age),
        Seat::frontend("front", route),
    ]
}

//! A broker with a loaded rogue as its backend, and a frontend that is this test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must fail"
)]

use patchbay::broker::{Authority, Broker, Limits, Route, Seat, Snapshots};
use patchbay::config::Restart;
use patchbay::intents::{Keeping, Store};
use patchbay::metrics::Metrics;
use patchbay::plugin::{Home, Plugin, Trust};
use patchbay::supervise::{Charge, Ending, supervise};
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Fault, Kind, Message, Port, Secret, head};
use patchbay_sdk::Role;
use patchbay_testkit::{PATIENCE, build};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const BACKEND: usize = 0;
const FRONTEND: usize = 1;

/// A gateway in this process, seen from its frontend.
pub struct Office {
    host: Port,
    pub broker: Arc<Broker>,
    inbox: Mutex<mpsc::UnboundedReceiver<Message>>,
    next: AtomicU64,
    stop: watch::Sender<Option<Duration>>,
    backend: JoinHandle<Ending>,
    _sweeper: JoinHandle<()>,
    _notes: tempfile::TempDir,
}

pub fn limits() -> Limits {
    Limits {
        sessions: 10,
        in_flight: 6,
        in_flight_per_session: 4,
        logins_pending: 3,
        logins_per_s: 1000,
        logins_per_s_and_client: 1000,
        body_bytes: 100_000,
        frontend_share: 75,
        events_per_second: 100_000,
        lines_per_second: 1000,
        request: Duration::from_secs(5),
        long: Duration::from_secs(5),
        login: Duration::from_secs(5),
        snapshots: Snapshots::default(),
    }
}

struct Inbox(mpsc::UnboundedSender<Message>);

impl Deliver for Inbox {
    fn deliver(&self, message: Message) -> Delivery {
        match self.0.send(message) {
            Ok(()) => Delivery::Taken,
            Err(_) => Delivery::Closed,
        }
    }
}

impl Office {
    pub async fn open(rogue: Value, limits: Limits, ceiling: Role) -> Office {
        let route = Route {
            backend: BACKEND,
            authority: Authority::Backend,
            ceiling,
            logins: vec![],
            forward_unmapped: true,
        };
        let journal = (64 * 1024, Duration::from_secs(60));
        let seats = vec![
            Seat::backend("rogue", journal.0, journal.1),
            Seat::frontend("test", route),
        ];
        let notes = tempfile::tempdir().unwrap();
        let keeping = Keeping {
            folder: notes.path().join("state"),
            most: 100,
            least: 10,
            age: Duration::from_secs(3600),
        };
        let metrics = Arc::new(Metrics::default());
        let broker = Broker::new(seats, limits, metrics, Store::new(keeping)).unwrap();
        let (stop, order) = watch::channel(None);
        let (latch, mut ready) = mpsc::channel(1);
        let backend = tokio::spawn(supervise(broker.clone(), charge(rogue), order, latch));
        let (life, _) = mpsc::channel(1);
        let (outbox, inbox) = mpsc::unbounded_channel();
        broker.connect(FRONTEND, 1, Port::new(Inbox(outbox)));
        let host = broker.side(FRONTEND, 1, life);
        let swept = broker.clone();
        let sweeper = tokio::spawn(async move {
            loop {
                let next = swept
                    .sweep()
                    .min(std::time::Instant::now() + Duration::from_millis(20));
                tokio::time::sleep_until(next.into()).await;
            }
        });
        timeout(PATIENCE, ready.recv())
            .await
            .expect("the backend starts");
        Office {
            host,
            broker,
            inbox: Mutex::new(inbox),
            next: AtomicU64::new(1),
            stop,
            backend,
            _sweeper: sweeper,
            _notes: notes,
        }
    }

    pub fn send(&self, kind: Kind, head: &impl serde::Serialize, body: &str) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let message = Message::new(kind, id, head).body(body.to_owned());
        assert_eq!(
            self.host.deliver(message.secret(Secret::new("s"))),
            Delivery::Taken
        );
        id
    }

    pub fn ask(&self, session: u64, op: &str, body: &str) -> u64 {
        let head = head::Call {
            session,
            op: op.into(),
            deadline_ms: 0,
            urgent: false,
            key: None,
            asker: None,
            reference: None,
        };
        self.send(Kind::CALL, &head, body)
    }

    pub fn eval(&self, session: u64, deed: &str) -> u64 {
        self.ask(
            session,
            "eval",
            &serde_json::json!({ "code": deed }).to_string(),
        )
    }

    /// The next message from the host.
    pub async fn next(&self) -> Message {
        let mut inbox = self.inbox.lock().await;
        timeout(PATIENCE, inbox.recv())
            .await
            .expect("a message in time")
            .expect("a message")
    }

    /// The reply to that request, which must be the next message.
    pub async fn answer(&self, id: u64) -> Result<Message, Fault> {
        let reply = self.next().await;
        assert_eq!((reply.kind, reply.id), (Kind::REPLY, id));
        match reply.read_head::<head::Reply>().expect("a head").fault {
            Some(fault) => Err(fault),
            None => Ok(reply),
        }
    }

    pub async fn fault(&self, id: u64) -> Fault {
        self.answer(id).await.expect_err("a fault")
    }

    pub async fn login(&self, user: &str) -> Result<head::Session, Fault> {
        let head = head::Login {
            session: 0,
            user: user.into(),
            client: "test".into(),
            vouched: None,
        };
        let id = self.send(Kind::LOGIN, &head, "");
        let reply = self.answer(id).await?;
        let head: head::Reply = reply.read_head().expect("a head");
        Ok(head.session.expect("a session"))
    }

    /// Whether anything else has come.
    pub async fn is_quiet(&self) -> bool {
        self.inbox.lock().await.try_recv().is_err()
    }

    pub async fn close(self) -> Ending {
        self.stop.send_replace(Some(Duration::from_secs(2)));
        timeout(PATIENCE, self.backend)
            .await
            .expect("it ends")
            .expect("it does not panic")
    }
}

fn charge(rogue: Value) -> Charge {
    let plugin = Plugin::load(&build::plugin("rogue"), &Trust::Any).expect("the rogue loads");
    Charge {
        seat: BACKEND,
        plugin: Arc::new(plugin),
        home: Home::Here,
        config: rogue.to_string(),
        level: "info",
        stop_deadline: Duration::from_secs(5),
        start_deadline: Duration::from_secs(5),
        hang: None,
        restart: Restart {
            backoff_min: Duration::from_millis(10),
            backoff_max: Duration::from_millis(20),
            max: 5,
            window: Duration::from_secs(60),
            max_abandoned: 3,
        },
    }
}

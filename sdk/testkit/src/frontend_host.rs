//! Stands in for the host of a frontend.

use crate::told::Told;
use crate::{PATIENCE, Plugin, Wire};
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Fault, Kind, Message, Port, head};
use patchbay_sdk::{Event, Frontend};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::mpsc;

/// A host with one frontend, whose clients talk to a function.
///
/// ```
/// # use patchbay_sdk::{Fault, FaultKind, Frontend};
/// # use patchbay_testkit::{Asked, FrontendHost, Wire};
/// # use serde_json::{Value, json};
/// # async fn a_password_is_passed_on<MyFrontend: Frontend>() -> Result<(), Fault> {
/// let server = |asked: &Asked| match asked {
///     Asked::Login { secret, .. } if secret != "good" => Err(Fault::new(FaultKind::Unauthorized, "wrong password")),
///     Asked::Call { op, .. } => Ok(json!({ "you asked": op })),
///     _ => Ok(Value::Null),
/// };
/// let host = FrontendHost::start::<MyFrontend>(json!({"listen": "127.0.0.1:0"}), Wire::InProcess, server).await?;
/// // Now a client connects, in the frontend's own protocol.
/// assert!(matches!(host.asked()[0], Asked::Login { .. }));
/// host.stop().await
/// # }
/// ```
pub struct FrontendHost {
    side: Arc<Side>,
    told: Told,
}

/// What a frontend asks of the host.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// To let somebody in.
    Login {
        /// Their name.
        user: String,
        /// Their password.
        secret: String,
    },
    /// An operation.
    Call {
        /// In which session; 0 only recalls what became of that key.
        session: u64,
        /// In which session the backend may be asked what became of that key.
        asker: Option<u64>,
        /// The key under which it is carried out once.
        key: Option<String>,
        /// Its name.
        op: String,
        /// Its arguments.
        args: Value,
    },
    /// Somebody has left.
    Logout {
        /// Which session.
        session: u64,
    },
}

type Answer = dyn Fn(&Asked) -> Result<Value, Fault> + Send + Sync;

struct Side {
    frontend: OnceLock<Port>,
    answer: Box<Answer>,
    asked: Mutex<Vec<Asked>>,
    told: mpsc::UnboundedSender<Message>,
    sessions: AtomicU64,
}

impl FrontendHost {
    /// Opens and starts a frontend, and waits until it is ready. What it asks is answered by
    /// `answer`, on a thread of its own, so that an answer may take its time; a login with any
    /// value lets in, as admin, and the value is its detail.
    ///
    /// # Errors
    /// What it fails with.
    pub async fn start<F: Frontend>(
        config: Value,
        wire: Wire,
        answer: impl Fn(&Asked) -> Result<Value, Fault> + Send + Sync + 'static,
    ) -> Result<Self, Fault> {
        let (told, receiver) = mpsc::unbounded_channel();
        let side = Arc::new(Side {
            frontend: OnceLock::new(),
            answer: Box::new(answer),
            asked: Mutex::default(),
            told,
            sessions: AtomicU64::new(1),
        });
        let plugin = Plugin::frontend::<F>().over(wire);
        let opened = plugin.open("under-test", Port::new(Shared(side.clone())));
        let frontend = opened.unwrap_or_else(|why| panic!("the frontend cannot be opened: {why}"));
        let frontend = side.frontend.get_or_init(|| frontend);
        let start = head::Start {
            instance: "under-test".into(),
            level: "debug".into(),
        };
        frontend.deliver(Message::new(Kind::START, 0, &start).body(config.to_string()));
        let host = FrontendHost {
            side,
            told: Told::new(receiver),
        };
        match host.next_of(&[Kind::READY, Kind::FAILED]).await {
            ready if ready.kind == Kind::READY => Ok(host),
            failed => Err(failed.read_head().expect("a fault")),
        }
    }

    /// All that the frontend has asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.side
            .asked
            .lock()
            .expect("no panic under the lock")
            .clone()
    }

    /// Sends an event as the backend's; without regard to credit.
    pub fn event(&self, seq: u64, event: Event) {
        let head = head::Event {
            epoch: 1,
            seq,
            time: 1.0,
            kind: event.kind.as_str().to_owned(),
            job: event.job,
            session: event.session,
        };
        let message = Message::new(Kind::EVENT, 0, &head).body(event.body.get().to_owned());
        self.side.send(message.blobs(event.blobs));
    }

    /// The next message of one of these kinds; others are left out.
    pub async fn next_of(&self, kinds: &[Kind]) -> Message {
        self.told.next_of(kinds).await
    }

    /// Waits until the plugin has counted at least so many since this was asked last; how many it were. What
    /// else it says meanwhile is left out.
    ///
    /// # Panics
    /// If that takes too long.
    pub async fn counted(&self, counter: &str, many: u64) -> u64 {
        self.told.counted(counter, many).await
    }

    /// Asks the frontend to stop and waits until it has, or has failed.
    ///
    /// # Errors
    /// What it fails with.
    pub async fn stop(self) -> Result<(), Fault> {
        self.stop_within(PATIENCE).await
    }

    /// As [`Self::stop`], with what the frontend is told of the time that it has.
    ///
    /// # Errors
    /// What it fails with.
    pub async fn stop_within(self, deadline: std::time::Duration) -> Result<(), Fault> {
        let head = head::Stop {
            deadline_ms: deadline.as_millis() as u64,
        };
        self.side.send(Message::new(Kind::STOP, 0, &head));
        match self.next_of(&[Kind::STOPPED, Kind::FAILED]).await {
            stopped if stopped.kind == Kind::STOPPED => Ok(()),
            failed => Err(failed.read_head().expect("a fault")),
        }
    }
}

struct Shared(Arc<Side>);

impl Deliver for Shared {
    fn deliver(&self, message: Message) -> Delivery {
        match message.kind {
            Kind::LOGIN | Kind::CALL => self.0.clone().take(message),
            Kind::LOGOUT => {
                if let Ok(head::Logout { session }) = message.read_head() {
                    self.0.note(&Asked::Logout { session });
                }
            }
            Kind::SUBSCRIBE if message.id != 0 => self.0.subscribed(message.id),
            _ => drop(self.0.told.send(message)),
        }
        Delivery::Taken
    }
}

impl Side {
    fn send(&self, message: Message) {
        if let Some(frontend) = self.frontend.get() {
            frontend.deliver(message);
        }
    }

    /// Nothing has happened so far.
    fn subscribed(&self, id: u64) {
        let head = head::Reply::default();
        let position = serde_json::to_vec(&head::Position::default()).expect("JSON");
        self.send(Message::new(Kind::REPLY, id, &head).body(position));
    }

    fn note(&self, asked: &Asked) {
        self.asked
            .lock()
            .expect("no panic under the lock")
            .push(asked.clone());
    }

    fn take(self: Arc<Self>, message: Message) {
        let asked = read(&message);
        self.note(&asked);
        std::thread::spawn(move || {
            let answer = (self.answer)(&asked);
            let session = matches!(asked, Asked::Login { .. }).then(|| head::Session {
                session: self.sessions.fetch_add(1, Ordering::Relaxed),
                role: "admin".into(),
            });
            let head = head::Reply {
                session,
                fault: answer.as_ref().err().cloned(),
                ..head::Reply::default()
            };
            let body = answer.map_or(String::new(), |value| value.to_string());
            self.send(Message::new(Kind::REPLY, message.id, &head).body(body));
        });
    }
}

fn read(message: &Message) -> Asked {
    if message.kind == Kind::LOGIN {
        let head: head::Login = message.read_head().expect("a login's head");
        let secret = message
            .secret
            .as_ref()
            .map_or("", |secret| secret.expose())
            .to_owned();
        return Asked::Login {
            user: head.user,
            secret,
        };
    }
    let head: head::Call = message.read_head().expect("a call's head");
    let args = serde_json::from_slice(&message.body).expect("arguments in JSON");
    Asked::Call {
        session: head.session,
        asker: head.asker,
        key: head.key,
        op: head.op,
        args,
    }
}

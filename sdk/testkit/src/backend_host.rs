//! Stands in for the host of a backend.

use crate::told::Told;
use crate::{PATIENCE, Plugin, Wire};
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, Secret, head};
use patchbay_sdk::{Backend, RawJson, Reply, Role};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// A host with one backend.
///
/// ```
/// # use patchbay_sdk::{Backend, Fault};
/// # use patchbay_testkit::{BackendHost, Wire};
/// # use serde_json::json;
/// # async fn a_script_is_run<MyBackend: Backend>() -> Result<(), Fault> {
/// let host = BackendHost::start::<MyBackend>(json!({"address": "127.0.0.1:7700"}), Wire::Bytes).await?;
/// let anna = host.login("anna", "secret").await?;
/// let answer = anna.call("submit", json!({"code": "print(1)"})).await?;
/// let (job, body) = host.next_event("job").await;
/// assert_eq!(answer["job"], json!(job));
/// assert_eq!(body["change"], "queued");
/// anna.logout();
/// host.stop().await;
/// # Ok(())
/// # }
/// ```
pub struct BackendHost {
    backend: Port,
    heard: Arc<Heard>,
    told: Told,
    next: AtomicU64,
}

/// What the backend says.
struct Heard {
    waiting: Mutex<HashMap<u64, oneshot::Sender<Message>>>,
    told: mpsc::UnboundedSender<Message>,
}

impl Heard {
    /// What is not answered by now never will be.
    fn settle(&self) {
        self.waiting
            .lock()
            .expect("no panic under the lock")
            .clear();
    }
}

impl Deliver for Heard {
    fn deliver(&self, message: Message) -> Delivery {
        if message.kind != Kind::REPLY {
            if message.kind == Kind::STOPPED {
                self.settle();
            }
            let sent = self.told.send(message);
            return if sent.is_ok() {
                Delivery::Taken
            } else {
                Delivery::Closed
            };
        }
        let waiting = self
            .waiting
            .lock()
            .expect("no panic under the lock")
            .remove(&message.id);
        match waiting.map(|waiting| waiting.send(message)) {
            Some(Ok(())) => Delivery::Taken,
            _ => Delivery::Closed,
        }
    }
}

impl BackendHost {
    /// Opens and starts a backend.
    ///
    /// # Errors
    /// What it fails with.
    pub async fn start<B: Backend>(config: Value, wire: Wire) -> Result<Self, Fault> {
        let (told, receiver) = mpsc::unbounded_channel();
        let heard = Arc::new(Heard {
            waiting: Mutex::default(),
            told,
        });
        let plugin = Plugin::backend::<B>().over(wire);
        let opened = plugin.open("under-test", Port::shared(heard.clone()));
        let backend = opened.unwrap_or_else(|why| panic!("the backend cannot be opened: {why}"));
        let host = BackendHost {
            backend,
            heard,
            told: Told::new(receiver),
            next: AtomicU64::new(1),
        };
        let start = head::Start {
            instance: "under-test".into(),
            level: "debug".into(),
        };
        host.backend
            .deliver(Message::new(Kind::START, 0, &start).body(config.to_string()));
        match host.next_of(&[Kind::READY, Kind::FAILED]).await {
            ready if ready.kind == Kind::READY => Ok(host),
            failed => Err(failed.read_head().expect("a fault")),
        }
    }

    /// Logs somebody in.
    ///
    /// # Errors
    /// What the backend says.
    pub async fn login(&self, user: &str, secret: &str) -> Result<TestSession<'_>, Fault> {
        self.enter(user, secret, None).await
    }

    /// Logs somebody in on the host's word: it knows who this is, and that they may do this much.
    ///
    /// # Errors
    /// What the backend says: `Unauthorized` unless it takes the host's word.
    ///
    /// ```
    /// # use patchbay_sdk::{Backend, Fault, Role};
    /// # use patchbay_testkit::{BackendHost, Wire};
    /// # async fn on_the_hosts_word<MyBackend: Backend>() -> Result<(), Fault> {
    /// let host = BackendHost::start::<MyBackend>(serde_json::json!({}), Wire::InProcess).await?;
    /// let anna = host.vouch("anna", Role::User).await?;
    /// anna.call("status", serde_json::json!({})).await?;
    /// # host.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn vouch(&self, user: &str, role: Role) -> Result<TestSession<'_>, Fault> {
        self.enter(user, "", Some(role)).await
    }

    async fn enter(
        &self,
        user: &str,
        secret: &str,
        vouched: Option<Role>,
    ) -> Result<TestSession<'_>, Fault> {
        let session = self.next.fetch_add(1, Ordering::Relaxed);
        let head = head::Login {
            session,
            user: user.into(),
            client: "a test".into(),
            vouched: vouched.map(|role| role.as_str().to_owned()),
        };
        let ask = |id| {
            let login = Message::new(Kind::LOGIN, id, &head);
            match vouched {
                Some(_) => login,
                None => login.secret(Secret::new(secret)),
            }
        };
        let reply = self.ask(ask).await?;
        let granted: head::Reply = reply.read_head().expect("a reply's head");
        let role = granted
            .session
            .and_then(|granted| Role::from_name(&granted.role));
        Ok(TestSession {
            host: self,
            session,
            role: role.expect("a role"),
            detail: value(&reply),
        })
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

    /// The next event of that kind: its job and its body. Others are left out.
    pub async fn next_event(&self, kind: &str) -> (Option<String>, Value) {
        loop {
            let message = self.next_of(&[Kind::EVENT]).await;
            let head: head::Event = message.read_head().expect("an event's head");
            if head.kind == kind {
                return (head.job, value(&message));
            }
        }
    }

    /// Stops the backend and waits until it has.
    pub async fn stop(self) {
        self.stop_without_waiting();
        self.next_of(&[Kind::STOPPED]).await;
    }

    /// Tells the backend to stop.
    pub fn stop_without_waiting(&self) {
        let head = head::Stop {
            deadline_ms: PATIENCE.as_millis() as u64,
        };
        self.backend.deliver(Message::new(Kind::STOP, 0, &head));
    }

    async fn ask(&self, request: impl FnOnce(u64) -> Message) -> Result<Message, Fault> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.heard
            .waiting
            .lock()
            .expect("no panic under the lock")
            .insert(id, answer);
        let _cancel = Cancel { host: self, id };
        assert_eq!(self.backend.deliver(request(id)), Delivery::Taken);
        let reply = timeout(PATIENCE * 3, answered)
            .await
            .expect("an answer within the time");
        let ended = |_| Fault::new(FaultKind::UnknownOutcome, "the backend ended meanwhile");
        let reply = reply.map_err(ended)?;
        match reply
            .read_head::<head::Reply>()
            .expect("a reply's head")
            .fault
        {
            Some(fault) => Err(fault),
            None => Ok(reply),
        }
    }
}

/// Tells the backend when nobody waits for a request any more, as the real host does.
struct Cancel<'a> {
    host: &'a BackendHost,
    id: u64,
}

impl Drop for Cancel<'_> {
    fn drop(&mut self) {
        let waiting = self
            .host
            .heard
            .waiting
            .lock()
            .expect("no panic under the lock")
            .remove(&self.id);
        if waiting.is_some() {
            self.host
                .backend
                .deliver(Message::bare(Kind::CANCEL, self.id));
        }
    }
}

fn value(message: &Message) -> Value {
    serde_json::from_slice(&message.body).unwrap_or(Value::Null)
}

/// Somebody who is logged in at a backend under test.
pub struct TestSession<'a> {
    host: &'a BackendHost,
    session: u64,
    /// What they may do.
    pub role: Role,
    /// What the backend said of them; `null` if nothing.
    pub detail: Value,
}

impl TestSession<'_> {
    /// Its number, as private events have it.
    pub fn id(&self) -> u64 {
        self.session
    }

    /// Asks for an operation, with the deadline of [`PATIENCE`].
    ///
    /// # Errors
    /// What the backend says.
    pub async fn call(&self, op: &str, args: Value) -> Result<Value, Fault> {
        self.reply(op, args).await?.body.parse()
    }

    /// As [`TestSession::call`], with the whole reply.
    ///
    /// # Errors
    /// What the backend says.
    pub async fn reply(&self, op: &str, args: Value) -> Result<Reply, Fault> {
        let known = patchbay_sdk::model::find_op(op);
        let head = head::Call {
            session: self.session,
            op: op.into(),
            deadline_ms: 2 * PATIENCE.as_millis() as u64,
            urgent: known.is_some_and(|op| op.urgent),
            key: None,
            asker: None,
            reference: None,
        };
        let body = args.to_string();
        let reply = self
            .host
            .ask(|id| Message::new(Kind::CALL, id, &head).body(body))
            .await?;
        Ok(Reply {
            body: RawJson::from_string(reply.body.as_str().expect("text").to_owned())?,
            blobs: reply.blobs.into_iter().collect(),
        })
    }

    /// Logs out.
    pub fn logout(self) {
        let head = head::Logout {
            session: self.session,
        };
        self.host
            .backend
            .deliver(Message::new(Kind::LOGOUT, 0, &head));
    }
}

//! A frontend's way to the host.

use crate::{EventKind, Health, RawJson, Reply, Role};
use patchbay_abi::{Buffer, Delivery, Fault, FaultKind, Kind, Message, Port, Secret, head};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// How many events may be on their way to a frontend that has not read them yet.
const EVENT_WINDOW: u32 = 256;

/// Logs clients in and asks for them. Clones lead to the same host.
#[derive(Clone)]
pub struct Gateway {
    link: Arc<Link>,
}

/// What [`Gateway`], [`Session`] and the glue share.
pub(crate) struct Link {
    instance: String,
    host: Port,
    next_id: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Message>>>,
    events: mpsc::Sender<Message>,
    unread: Mutex<Option<mpsc::Receiver<Message>>>,
}

impl Gateway {
    pub(crate) fn new(instance: String, host: Port) -> Self {
        let (events, unread) = mpsc::channel(EVENT_WINDOW as usize);
        let link = Link {
            instance,
            host,
            next_id: AtomicU64::new(1),
            waiting: Mutex::default(),
            events,
            unread: Mutex::new(Some(unread)),
        };
        Gateway {
            link: Arc::new(link),
        }
    }

    pub(crate) fn link(&self) -> Arc<Link> {
        self.link.clone()
    }

    /// The instance's name in the configuration.
    pub fn instance(&self) -> &str {
        &self.link.instance
    }

    /// Says that clients can be served.
    pub fn ready(&self) {
        self.link.host.deliver(Message::bare(Kind::READY, 0));
    }

    /// Says how the instance is; say it whenever it changes.
    pub fn health(&self, health: Health) {
        self.link.host.deliver(health.into_message());
    }

    /// Adds to a counter that operators see.
    pub fn count(&self, counter: &str, add: u64) {
        let counter = counter.to_owned();
        let head = head::Metric { counter, add };
        self.link.host.deliver(Message::new(Kind::METRIC, 0, &head));
    }

    /// Logs a client in; `client` says in logs where it is.
    ///
    /// # Errors
    /// `Unauthorized` with the reason, or why it cannot be tried at present.
    pub async fn login(&self, client: &str, user: &str, secret: Secret) -> Result<Session, Fault> {
        let head = head::Login {
            session: 0,
            user: user.to_owned(),
            client: client.to_owned(),
        };
        let ask = |id| Message::new(Kind::LOGIN, id, &head).secret(secret);
        let reply = self.link.ask(ask).await?;
        let granted = reply
            .read_head::<head::Reply>()
            .ok()
            .and_then(|head| head.session)
            .ok_or_else(|| Fault::new(FaultKind::Internal, "a login reply without a session"))?;
        let body = (!reply.body.is_empty()).then(|| RawJson::from_buffer(reply.body));
        Ok(Session::new(self.link.clone(), granted, body))
    }

    /// The events of the backend that this frontend is routed to. There is one stream an instance:
    /// a frontend reads it once and fans out to its clients itself. A second one is at its end.
    pub fn events(&self) -> Events {
        let unread = self.link.lock(&self.link.unread).take();
        if unread.is_some() {
            self.link
                .host
                .deliver(Message::new(Kind::SUBSCRIBE, 0, &head::Subscribe {}));
            self.link.grant(EVENT_WINDOW);
        }
        Events {
            link: self.link.clone(),
            unread,
            read: 0,
        }
    }
}

impl Link {
    /// A panic elsewhere leaves these maps whole: they are only inserted into and removed from.
    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> MutexGuard<'a, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the host, on whatever thread it speaks.
    pub(crate) fn take_reply(&self, message: Message) -> Delivery {
        let waiting = self.lock(&self.waiting).remove(&message.id);
        match waiting.map(|waiting| waiting.send(message)) {
            Some(Ok(())) => Delivery::Taken,
            _ => Delivery::Closed,
        }
    }

    /// From the host; it sends no more than it has credit for.
    pub(crate) fn take_event(&self, message: Message) -> Delivery {
        match self.events.try_send(message) {
            Ok(()) => Delivery::Taken,
            Err(mpsc::error::TrySendError::Full(_)) => Delivery::Refused,
            Err(mpsc::error::TrySendError::Closed(_)) => Delivery::Closed,
        }
    }

    /// Ends the session that an answer grants which came when nobody wanted it any more.
    fn give_back(&self, reply: &Message) {
        if let Ok(head::Reply {
            session: Some(granted),
            ..
        }) = reply.read_head()
        {
            self.say_logout(granted.session);
        }
    }

    fn say_logout(&self, session: u64) {
        self.host
            .deliver(Message::new(Kind::LOGOUT, 0, &head::Logout { session }));
    }

    fn grant(&self, events: u32) {
        self.host
            .deliver(Message::new(Kind::CREDIT, 0, &head::Credit { events }));
    }

    /// Sends a request and waits for its reply, or its fault. The host ends every wait: it answers
    /// at the deadline in the backend's place.
    async fn ask(self: &Arc<Self>, request: impl FnOnce(u64) -> Message) -> Result<Message, Fault> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.lock(&self.waiting).insert(id, answer);
        let mut wait = Wait {
            link: self,
            id,
            answered: None,
        };
        if self.host.deliver(request(id)) != Delivery::Taken {
            return Err(Fault::new(
                FaultKind::ShuttingDown,
                "the gateway is shutting down",
            ));
        }
        let reply = wait.answered.insert(answered).await;
        wait.answered = None;
        let reply =
            reply.map_err(|_| Fault::new(FaultKind::Internal, "the host dropped a request"))?;
        match reply.read_head::<head::Reply>() {
            Ok(head::Reply {
                fault: Some(fault), ..
            }) => Err(fault),
            Ok(_) => Ok(reply),
            Err(error) => Err(Fault::new(
                FaultKind::Internal,
                format!("a broken reply: {error}"),
            )),
        }
    }
}

/// Tells the host when nobody waits any more.
struct Wait<'a> {
    link: &'a Link,
    id: u64,
    /// While the host owes an answer.
    answered: Option<oneshot::Receiver<Message>>,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let unanswered = self
            .link
            .lock(&self.link.waiting)
            .remove(&self.id)
            .is_some();
        let Some(mut answered) = self.answered.take() else {
            return;
        };
        if unanswered {
            self.link.host.deliver(Message::bare(Kind::CANCEL, self.id));
        } else if let Ok(reply) = answered.try_recv() {
            self.link.give_back(&reply);
        }
    }
}

/// A client that is logged in. Clones are the same session; the last one to go logs out.
#[derive(Clone)]
pub struct Session {
    inner: Arc<SessionInner>,
}

struct SessionInner {
    link: Arc<Link>,
    id: u64,
    role: Role,
    detail: Option<RawJson>,
}

impl Session {
    fn new(link: Arc<Link>, granted: head::Session, detail: Option<RawJson>) -> Self {
        let inner = SessionInner {
            link,
            id: granted.session,
            role: Role::from_name(&granted.role).unwrap_or(Role::View),
            detail,
        };
        Session {
            inner: Arc::new(inner),
        }
    }

    /// The host's number of it, as it stands in the logs.
    pub fn id(&self) -> u64 {
        self.inner.id
    }

    /// What it may do; the host enforces it.
    pub fn role(&self) -> Role {
        self.inner.role
    }

    /// What the backend said at the login, if anything.
    pub fn detail(&self) -> Option<&RawJson> {
        self.inner.detail.as_ref()
    }

    /// Asks the backend, and waits for its answer; until the host's deadline at the latest. A
    /// future that is dropped tells the backend not to bother.
    ///
    /// # Errors
    /// What the backend, or in its place the host, says.
    pub async fn call(&self, op: &str, args: RawJson) -> Result<Reply, Fault> {
        let head = head::Call {
            session: self.inner.id,
            op: op.to_owned(),
            deadline_ms: 0,
            urgent: false,
        };
        let ask = |id| Message::new(Kind::CALL, id, &head).body(args.into_buffer());
        let reply = self.inner.link.ask(ask).await?;
        Ok(Reply {
            blobs: reply.blobs.into_iter().collect(),
            body: RawJson::from_buffer(reply.body),
        })
    }
}

impl Drop for SessionInner {
    fn drop(&mut self) {
        self.link.say_logout(self.id);
    }
}

/// The events of a backend, in order.
pub struct Events {
    link: Arc<Link>,
    unread: Option<mpsc::Receiver<Message>>,
    read: u32,
}

/// One event, as the host hands it out.
#[derive(Debug, Clone)]
pub struct GatewayEvent {
    /// Which life of the backend.
    pub epoch: u64,
    /// Its number therein; counts up by one.
    pub seq: u64,
    /// Seconds since 1970.
    pub time: f64,
    /// What it is about.
    pub kind: EventKind,
    /// The job that it belongs to, where that is known.
    pub job: Option<String>,
    /// A JSON object in the form that the model gives for the kind.
    pub body: RawJson,
    /// Binary data that the body refers to by position.
    pub blobs: Vec<Buffer>,
}

impl Events {
    /// The next one; waits for it. `None` when there will be none.
    pub async fn next(&mut self) -> Option<GatewayEvent> {
        loop {
            let message = self.unread.as_mut()?.recv().await?;
            self.read += 1;
            if self.read == EVENT_WINDOW / 4 {
                self.link.grant(std::mem::take(&mut self.read));
            }
            match GatewayEvent::read(message) {
                Ok(event) => return Some(event),
                Err(error) => tracing::error!(%error, "a broken event from the host"),
            }
        }
    }
}

impl GatewayEvent {
    fn read(message: Message) -> Result<Self, serde_json::Error> {
        let head: head::Event = message.read_head()?;
        Ok(GatewayEvent {
            epoch: head.epoch,
            seq: head.seq,
            time: head.time,
            kind: head.kind.as_str().into(),
            job: head.job,
            body: RawJson::from_buffer(message.body),
            blobs: message.blobs.into_iter().collect(),
        })
    }
}

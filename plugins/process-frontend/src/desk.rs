//! What the program asks for its clients, and the answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_child::{Child, Heard, Kind, Message, head};
use patchbay_sdk::model::find_op;
use patchbay_sdk::{Fault, FaultKind, Gateway, RawJson, Reply, Secret, Session, Since};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError, mpsc};
use tokio::task::JoinHandle;

use crate::feed::Feed;

/// Where the program's wishes arrive.
pub(crate) struct Desk {
    child: Child,
    gateway: Gateway,
    feed: Feed,
    sessions: Mutex<HashMap<u64, Session>>,
    /// What the program waits for, by its own number.
    under_way: Mutex<HashMap<u64, JoinHandle<()>>>,
    most: usize,
    ordinary: Arc<Semaphore>,
    urgent: Arc<Semaphore>,
}

impl Desk {
    pub(crate) fn new(child: Child, gateway: Gateway, most: usize) -> Self {
        Desk {
            feed: Feed::new(child.clone(), gateway.clone()),
            child,
            gateway,
            sessions: Mutex::default(),
            under_way: Mutex::default(),
            most,
            ordinary: Arc::new(Semaphore::new(most)),
            urgent: Arc::new(Semaphore::new(most)),
        }
    }

    /// Does what the program wishes, until it wishes nothing any more.
    pub(crate) async fn listen(self: Arc<Self>, mut heard: mpsc::Receiver<Heard>) {
        while let Some(heard) = heard.recv().await {
            match heard {
                Heard::Health(health) => self.gateway.health(health),
                Heard::Count(counter, add) => self.gateway.count(&counter, add),
                Heard::Level(gauge, value) => self.gateway.level(&gauge, value),
                Heard::Message(message) => self.take(message).await,
            }
        }
        // Whoever it asked for is gone with it.
        lock(&self.sessions).clear();
    }

    async fn take(self: &Arc<Self>, message: Message) {
        match message.kind {
            Kind::LOGIN | Kind::CALL | Kind::SUBSCRIBE => self.begin(message).await,
            Kind::CANCEL => {
                let task = lock(&self.under_way).remove(&message.id);
                if let Some(task) = task {
                    task.abort();
                    // It is over when its place is free for the next one.
                    let _ = task.await;
                }
            }
            Kind::LOGOUT => {
                if let Some(head::Logout { session }) = self.read(&message) {
                    lock(&self.sessions).remove(&session);
                }
            }
            Kind::CREDIT => {
                if let Some(head::Credit { events }) = self.read(&message) {
                    self.feed.credit(events);
                }
            }
            kind => {
                let kind = kind.name().unwrap_or("?").to_ascii_lowercase();
                self.ignore(&kind, "a frontend has no use for it");
            }
        }
    }

    /// The head of what is not answered.
    fn read<T: serde::de::DeserializeOwned>(&self, message: &Message) -> Option<T> {
        let read = message.read_head();
        read.map_err(|error| {
            let kind = message.kind.name().unwrap_or("?").to_ascii_lowercase();
            self.ignore(&kind, &format!("its head: {}", self.child.mistake(&error)));
        })
        .ok()
    }

    fn ignore(&self, kind: &str, why: &str) {
        tracing::warn!(kind, "what the program says is ignored: {why}");
        self.gateway.count("messages_ignored", 1);
    }

    /// Begins what is answered, in the order in which it is asked.
    async fn begin(self: &Arc<Self>, message: Message) {
        let id = message.id;
        let Ok(place) = self.place(&message) else {
            let text = format!(
                "{} requests of the program are not answered yet (program.outstanding_most); try again in a moment",
                self.most
            );
            return self
                .answer(id, Err(Fault::new(FaultKind::Busy, text)))
                .await;
        };
        let mut under_way = lock(&self.under_way);
        if under_way.contains_key(&id) {
            drop(under_way);
            return self.ignore("request", &format!("the id {id} is in use"));
        }
        let stream = match message.kind {
            Kind::SUBSCRIBE => Some(self.stream(&message)),
            _ => None,
        };
        let task = tokio::spawn(self.clone().serve(message, stream, place));
        under_way.insert(id, task);
    }

    /// Urgent requests have as many places of their own, and an emergency stop needs none: of those the host lets the
    /// oldest give way.
    fn place(&self, message: &Message) -> Result<Option<OwnedSemaphorePermit>, TryAcquireError> {
        let asked = match message.kind {
            Kind::CALL => message.read_head::<head::Call>().ok(),
            _ => None,
        };
        let places = match asked.and_then(|call| find_op(&call.op)) {
            Some(op) if op.is_emergency() => return Ok(None),
            Some(op) if op.urgent => &self.urgent,
            _ => &self.ordinary,
        };
        places.clone().try_acquire_owned().map(Some)
    }

    async fn serve(
        self: Arc<Self>,
        message: Message,
        stream: Option<Result<Option<Since>, Fault>>,
        place: Option<OwnedSemaphorePermit>,
    ) {
        let id = message.id;
        let answer = match stream {
            Some(stream) => self.subscribe(stream).await,
            None if message.kind == Kind::LOGIN => self.login(message).await,
            None => self.call(message).await,
        };
        // From here on there is an answer, and nothing to cancel.
        let awaited = lock(&self.under_way).remove(&id).is_some();
        if awaited && id != 0 {
            self.answer(id, answer).await;
        }
        drop(place);
    }

    async fn answer(&self, id: u64, answer: Result<Message, Fault>) {
        let mut reply = answer.unwrap_or_else(refusal);
        reply.id = id;
        if let Err(fault) = self.child.say(reply).await {
            tracing::error!(%fault, id, "the program gets no answer but this");
            let mut reply = refusal(fault);
            reply.id = id;
            // Which is short.
            let _ = self.child.say(reply).await;
        }
    }

    async fn login(&self, message: Message) -> Result<Message, Fault> {
        let head: head::Login = message.read_head().map_err(invalid)?;
        let secret = message.secret.into_option();
        let secret = secret.unwrap_or_else(|| Secret::new(""));
        let session = self.gateway.login(&head.client, &head.user, secret).await?;
        let granted = head::Session {
            session: session.id(),
            role: session.role().as_str().to_owned(),
        };
        let head = head::Reply {
            session: Some(granted),
            ..head::Reply::default()
        };
        let detail = session.detail().map(|detail| detail.get().to_owned());
        lock(&self.sessions).insert(session.id(), session);
        Ok(Message::new(Kind::REPLY, 0, &head).body(detail.unwrap_or_default()))
    }

    fn session(&self, session: u64) -> Result<Session, Fault> {
        let known = lock(&self.sessions).get(&session).cloned();
        known.ok_or_else(|| {
            let text = format!("there is no session {session}; log in first");
            Fault::new(FaultKind::Unauthorized, text)
        })
    }

    async fn call(&self, message: Message) -> Result<Message, Fault> {
        let head: head::Call = message.read_head().map_err(invalid)?;
        let args = match message.body.is_empty() {
            true => RawJson::vouched("{}".to_owned()),
            false => RawJson::vouched(message.body),
        };
        let Reply { body, blobs } = match (head.session, head.key) {
            (0, Some(key)) => match head.asker {
                Some(asker) => self.session(asker)?.recall(&head.op, args, &key).await,
                None => self.gateway.recall(&head.op, args, &key).await,
            },
            (session, key) => {
                let session = self.session(session)?;
                let session = match &head.reference {
                    Some(reference) => session.named(reference),
                    None => session,
                };
                match key {
                    Some(key) => session.call_once(&head.op, args, &key).await,
                    None => session.call(&head.op, args).await,
                }
            }
        }?;
        let reply = Message::new(Kind::REPLY, 0, &head::Reply::default());
        Ok(reply.body(body.get().to_owned()).blobs(blobs))
    }

    /// Takes the stream for who asks first, and from where on it is wanted.
    fn stream(&self, message: &Message) -> Result<Option<Since>, Fault> {
        let head: head::Subscribe = match message.head.is_empty() {
            true => head::Subscribe::default(),
            false => message.read_head().map_err(invalid)?,
        };
        self.feed.take()?;
        Ok(head.since)
    }

    async fn subscribe(&self, stream: Result<Option<Since>, Fault>) -> Result<Message, Fault> {
        let position = self.feed.begin(stream?).await?;
        let body = RawJson::new(&position)?;
        let reply = Message::new(Kind::REPLY, 0, &head::Reply::default());
        Ok(reply.body(body.get().to_owned()))
    }
}

fn refusal(fault: Fault) -> Message {
    let head = head::Reply {
        fault: Some(fault),
        ..head::Reply::default()
    };
    Message::new(Kind::REPLY, 0, &head)
}

fn invalid(error: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Invalid, format!("its head: {error}"))
}

/// A panic elsewhere leaves these maps whole: they are only inserted into and removed from.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A frontend's way to the host.

use crate::answered::Answered;
use crate::counts::Counts;
use crate::events::{EVENT_WINDOW, Events};
use crate::taken::Taken;
use crate::{Health, Position, RawJson, Reply, Session, Since};
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, Port, Secret, head};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// Sessions are numbered from 1 on.
pub(crate) const NO_SESSION: u64 = 0;

/// Logs clients in and asks for them. Clones lead to the same host.
///
/// ```
/// use patchbay_sdk::{Fault, Gateway, Health, Secret, Session};
///
/// async fn let_in(gateway: &Gateway, from: &str, user: &str, password: String) -> Result<Session, Fault> {
///     gateway.health(Health::Up);
///     let session = gateway.login(from, user, Secret::new(password)).await?;
///     gateway.count("logins", 1);
///     Ok(session)
/// }
/// ```
#[derive(Clone)]
pub struct Gateway {
    link: Arc<Link>,
}

/// A reply, and when the host handed it over.
type Answer = (Message, Instant);

/// What [`Gateway`], [`Session`] and the glue share.
pub(crate) struct Link {
    instance: String,
    host: Port,
    next_id: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    pub(crate) taken: Taken,
    counts: Arc<Counts>,
    events: mpsc::Sender<Message>,
    unread: Mutex<Option<mpsc::Receiver<Message>>>,
}

impl Gateway {
    pub(crate) fn new(instance: String, host: Port, counts: Arc<Counts>) -> Self {
        let (events, unread) = mpsc::channel(EVENT_WINDOW as usize);
        let link = Link {
            instance,
            host,
            next_id: AtomicU64::new(1),
            waiting: Mutex::default(),
            taken: Taken::default(),
            counts,
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

    /// Adds to a counter that operators see; they do within a second.
    pub fn count(&self, counter: &str, add: u64) {
        self.link.counts.add(counter, add);
    }

    /// Says how much there is of something now, for operators: clients, what waits, the memory that the
    /// plugin knows to be its own (`memory_bytes`).
    pub fn level(&self, gauge: &str, value: i64) {
        let head = head::Metric::level(gauge, value);
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
            vouched: None,
        };
        let ask = |id| Message::new(Kind::LOGIN, id, &head).secret(secret);
        let reply = self.link.ask(ask).await.outcome?;
        let granted = reply
            .read_head::<head::Reply>()
            .ok()
            .and_then(|head| head.session)
            .ok_or_else(|| Fault::new(FaultKind::Internal, "a login reply without a session"))?;
        let body = (!reply.body.is_empty()).then(|| RawJson::from_buffer(reply.body));
        Ok(Session::new(self.link.clone(), granted, body))
    }

    /// What became of a request of [`Session::call_once`], for a client that is not logged in (any
    /// more): a message that a broker delivers again after the gateway was restarted is answered
    /// before anybody asks who sent it.
    ///
    /// # Errors
    /// As [`Session::call_once`]; `Unauthorized` if the key is not known: nothing was done.
    pub async fn recall(&self, op: &str, args: RawJson, key: &str) -> Result<Reply, Fault> {
        let head = Link::head(NO_SESSION, op, Some(key));
        self.link.call(head, args).await
    }

    /// The events of the backend that this frontend is routed to, from now on. There is one stream an
    /// instance: a frontend reads it once and fans out to its clients itself. A second one is at its
    /// end.
    pub fn events(&self) -> Events {
        let unread = self.link.lock(&self.link.unread).take();
        if unread.is_some() {
            let head = head::Subscribe::default();
            self.link
                .host
                .deliver(Message::new(Kind::SUBSCRIBE, 0, &head));
            self.link.grant(EVENT_WINDOW);
        }
        Events::new(self.link.clone(), unread)
    }

    /// As [`Gateway::events`], but with those after that one first, as far as the host still has
    /// them: the number of the last one that this frontend has seen in an earlier life, or `0:0` for
    /// all that are kept. What is missing is told by a `gap`. Says also where the backend is.
    ///
    /// # Errors
    /// If the gateway is shutting down.
    pub async fn events_since(&self, since: Since) -> Result<(Events, Position), Fault> {
        let unread = self.link.lock(&self.link.unread).take();
        if unread.is_none() {
            let at_its_end = Events::new(self.link.clone(), None);
            return Ok((at_its_end, Position::default()));
        }
        let head = head::Subscribe { since: Some(since) };
        let ask = |id| Message::new(Kind::SUBSCRIBE, id, &head);
        let reply = self.link.ask(ask).await.outcome?;
        self.link.grant(EVENT_WINDOW);
        let position = RawJson::from_buffer(reply.body).parse()?;
        Ok((Events::new(self.link.clone(), unread), position))
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
        let answer = (message, Instant::now());
        match waiting.is_some_and(|waiting| waiting.send(answer).is_ok()) {
            true => Delivery::Taken,
            false => Delivery::Closed,
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

    /// How many events wait for the frontend.
    pub(crate) fn events_unread(&self) -> usize {
        self.events.max_capacity() - self.events.capacity()
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

    pub(crate) fn say_logout(&self, session: u64) {
        self.host
            .deliver(Message::new(Kind::LOGOUT, 0, &head::Logout { session }));
    }

    pub(crate) fn grant(&self, events: u32) {
        self.host
            .deliver(Message::new(Kind::CREDIT, 0, &head::Credit { events }));
    }

    pub(crate) fn head(session: u64, op: &str, key: Option<&str>) -> head::Call {
        head::Call {
            session,
            op: op.to_owned(),
            deadline_ms: 0,
            urgent: false,
            key: key.map(str::to_owned),
            asker: None,
            reference: None,
        }
    }

    pub(crate) async fn call(
        self: &Arc<Self>,
        head: head::Call,
        args: RawJson,
    ) -> Result<Reply, Fault> {
        let ask = |id| Message::new(Kind::CALL, id, &head).body(args.into_buffer());
        let reply = self.ask(ask).await;
        let reply = self.note_in_the_log(&head, reply)?;
        Ok(Reply {
            blobs: reply.blobs.into_iter().collect(),
            body: RawJson::from_buffer(reply.body),
        })
    }

    /// So that the log of a frontend knows a request by the host's number and by the client's own name for it.
    fn note_in_the_log(&self, asked: &head::Call, answer: Answered) -> Result<Message, Fault> {
        let request = answer.request;
        let (session, op) = (asked.session, asked.op.as_str());
        let reference = asked.reference.as_deref();
        match &answer.outcome {
            Ok(_) => tracing::debug!(request, session, op, reference, "answered"),
            Err(fault) => {
                let fault = fault.message.as_str();
                tracing::debug!(request, session, op, reference, fault, "answered");
            }
        }
        answer.outcome
    }

    /// Sends a request and waits for its reply, or its fault. The host ends every wait: it answers
    /// at the deadline in the backend's place.
    pub(crate) async fn ask(self: &Arc<Self>, request: impl FnOnce(u64) -> Message) -> Answered {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.lock(&self.waiting).insert(id, answer);
        let mut wait = Wait {
            link: self,
            id,
            answered: None,
        };
        if self.host.deliver(request(id)) != Delivery::Taken {
            let why = "the gateway is shutting down";
            return Answered::failed(Fault::new(FaultKind::ShuttingDown, why));
        }
        let reply = wait.answered.insert(answered).await;
        wait.answered = None;
        match reply {
            Ok((reply, since)) => {
                self.taken.note(since.elapsed());
                Answered::read(reply)
            }
            Err(_) => Answered::failed(Fault::new(
                FaultKind::Internal,
                "the host dropped a request",
            )),
        }
    }
}

/// Tells the host when nobody waits any more.
struct Wait<'a> {
    link: &'a Link,
    id: u64,
    /// While the host owes an answer.
    answered: Option<oneshot::Receiver<Answer>>,
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
        } else if let Ok((reply, _)) = answered.try_recv() {
            self.link.give_back(&reply);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use patchbay_abi::port::Deliver;

    #[derive(Default)]
    struct Host(Mutex<Vec<Message>>);

    impl Deliver for Host {
        fn deliver(&self, message: Message) -> Delivery {
            self.0.lock().unwrap().push(message);
            Delivery::Taken
        }
    }

    impl Host {
        fn kinds(&self) -> Vec<Kind> {
            self.0
                .lock()
                .unwrap()
                .iter()
                .map(|message| message.kind)
                .collect()
        }
    }

    fn gateway() -> (Gateway, Arc<Host>) {
        let host = Arc::new(Host::default());
        let port = Port::shared(host.clone());
        let counts = Arc::new(Counts::new(port.clone()));
        (Gateway::new("test".into(), port, counts), host)
    }

    fn granted() -> Message {
        let session = Some(head::Session {
            session: 5,
            role: "user".into(),
        });
        Message::new(
            Kind::REPLY,
            1,
            &head::Reply {
                fault: None,
                session,
                ..head::Reply::default()
            },
        )
    }

    #[test]
    fn a_login_that_nobody_waits_for_is_cancelled() {
        let (gateway, host) = gateway();
        let mut login = Box::pin(gateway.login("here", "user", Secret::new("s")));
        assert!((&mut login).now_or_never().is_none());
        drop(login);
        assert_eq!(host.kinds(), [Kind::LOGIN, Kind::CANCEL]);
        assert_eq!(gateway.link().take_reply(granted()), Delivery::Closed);
    }

    #[test]
    fn a_session_that_was_granted_when_nobody_waited_any_more_is_given_back() {
        let (gateway, host) = gateway();
        let mut login = Box::pin(gateway.login("here", "user", Secret::new("s")));
        assert!((&mut login).now_or_never().is_none());
        assert_eq!(gateway.link().take_reply(granted()), Delivery::Taken);
        drop(login);
        assert_eq!(host.kinds(), [Kind::LOGIN, Kind::LOGOUT]);
    }

    #[test]
    fn the_last_clone_of_a_session_logs_out() {
        let (gateway, host) = gateway();
        let mut login = Box::pin(gateway.login("here", "user", Secret::new("s")));
        assert!((&mut login).now_or_never().is_none());
        gateway.link().take_reply(granted());
        let session = login.now_or_never().unwrap().unwrap();
        let clone = session.clone();
        drop(session);
        assert_eq!(host.kinds(), [Kind::LOGIN]);
        drop(clone);
        assert_eq!(host.kinds(), [Kind::LOGIN, Kind::LOGOUT]);
    }
}

//! Where requests arrive: each is answered exactly once, then acknowledged.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_dialect_json::{Call, Contract, Form, Request, Wish};
use patchbay_sdk::{Fault, FaultKind, Gateway, RawJson, Session};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::backlog::Backlog;
use crate::blocking::by_size;
use crate::client::{ClientState, Job, Ticket, Urgent};
use crate::clients::{Clients, Enqueued};
use crate::config::{Events, Settings};
use crate::delivery::{Answer, Delivery, Envelope};
use crate::intake;
use crate::memory::{Key, Known, Memory};
use crate::presence::Presence;
use crate::stomp::MessageFrame;
use crate::stomp::text::ascii_json;

/// Shared by the connections and the clients' workers.
pub struct Desk {
    /// The configuration.
    pub settings: Settings,
    /// The host.
    pub gateway: Gateway,
    /// Who is logged in.
    pub clients: Clients,
    /// Answers that the broker does not have yet.
    pub backlog: Backlog,
    presence: Mutex<Presence>,
    memory: Mutex<Memory<Delivery>>,
    /// Places for ordinary requests; urgent ones need none.
    places: Arc<Semaphore>,
    answers: mpsc::Sender<Answer>,
}

impl Desk {
    /// A desk whose answers go to `answers`.
    pub fn new(settings: Settings, gateway: Gateway, answers: mpsc::Sender<Answer>) -> Self {
        let limits = &settings.limits;
        Self {
            clients: Clients::new(limits.clients, limits.requests_per_client.into()),
            backlog: Backlog::new(limits.answer_bytes),
            presence: Mutex::default(),
            memory: Mutex::new(Memory::new(limits.remembered)),
            places: Arc::new(Semaphore::new(limits.requests.into())),
            settings,
            gateway,
            answers,
        }
    }

    /// Which clients' queues exist.
    pub fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message. Whatever takes long is done in tasks of its own. While the gateway is `stopping` nothing new is
    /// begun.
    pub async fn take(
        self: &Arc<Self>,
        message: &MessageFrame,
        delivery: Delivery,
        stopping: bool,
    ) {
        self.gateway.count("requests", 1);
        let Some(envelope) = intake::envelope(message, &self.settings.queue) else {
            return self.drop_unanswerable(message, delivery);
        };
        let Request { form, wish } =
            intake::read(message, self.settings.limits.request_bytes).await;
        let key = message.header("message-id").map(|id| Key {
            reply_to: envelope.reply_to.clone(),
            message_id: id.to_owned(),
        });
        let ticket = Ticket {
            envelope,
            form,
            key,
            delivery,
        };
        let Some(mut ticket) = self.recall(ticket) else {
            return;
        };
        let redelivered = message.flag("redelivered");
        let admitted =
            wish.and_then(|wish| self.admit(wish, &ticket.envelope, redelivered, stopping));
        match admitted {
            Ok(wish) => self.dispatch(Job { ticket, wish }),
            Err(fault) => {
                ticket.key = None;
                self.refuse(ticket, &fault);
            }
        }
    }

    /// An answer is over: acknowledged, or given up.
    pub fn settle(&self, key: Key) {
        self.memory().settle(key);
    }

    fn drop_unanswerable(&self, message: &MessageFrame, delivery: Delivery) {
        self.gateway.count("requests_unanswerable", 1);
        let reply_to: Option<String> = message
            .header("reply-to")
            .map(|to| to.chars().take(200).collect());
        let what = "a request without a usable reply-to or correlation-id cannot be answered and is not carried out";
        tracing::warn!(request = ?message, reply_to, "{what}");
        tokio::spawn(delivery.acknowledge());
    }

    /// Answers from memory what was asked before. `None`: it is taken care of.
    fn recall(self: &Arc<Self>, ticket: Ticket) -> Option<Ticket> {
        let Some(key) = ticket.key.clone() else {
            return Some(ticket);
        };
        let known = self.memory().look_up(&key, ticket.delivery);
        match known {
            Known::New(delivery) => return Some(Ticket { delivery, ..ticket }),
            Known::Running => tracing::info!(?key, "delivered again while it is being carried out"),
            Known::Done(text, delivery) => {
                tracing::info!(
                    ?key,
                    "delivered again after it was carried out; it gets the same answer"
                );
                let text = text.unwrap_or_else(|| ascii(ticket.form.failure(&was_done())).into());
                let answer = Answer {
                    envelope: ticket.envelope,
                    text,
                    cuts: 0,
                    made: Instant::now(),
                    key: None,
                    deliveries: vec![delivery],
                };
                let desk = self.clone();
                tokio::spawn(async move { desk.send(answer).await });
            }
        }
        None
    }

    /// Refuses what may have been done by an earlier life of this gateway, what nobody waits for, and what comes too late.
    /// Urgent requests make things safe and do no harm when they are done twice; not doing them could.
    fn admit(
        &self,
        wish: Wish,
        envelope: &Envelope,
        redelivered: bool,
        stopping: bool,
    ) -> Result<Wish, Fault> {
        if let Wish::Call(call) = &wish
            && redelivered
            && call.changes()
            && (stopping || !call.urgent())
        {
            return Err(may_be_done(call));
        }
        if self.presence().is_stale(&envelope.reply_to, redelivered) {
            let text = "this request has waited for the gateway and its sender has gone since; it was not carried out";
            return Err(Fault::new(FaultKind::Cancelled, text));
        }
        if stopping {
            let text = "the gateway is being shut down; this request was not carried out, send it again in a moment";
            return Err(Fault::new(FaultKind::ShuttingDown, text));
        }
        if self.backlog.is_full() && !matches!(&wish, Wish::Call(call) if call.urgent()) {
            return Err(Backlog::refusal());
        }
        Ok(wish)
    }

    fn dispatch(self: &Arc<Self>, mut job: Job) {
        match &job.wish {
            Wish::Call(call) if call.changes() => {
                let urgent = call.urgent();
                if let Some(key) = &job.ticket.key {
                    self.memory().begin(key.clone());
                }
                if urgent {
                    return self.dispatch_urgent(job);
                }
            }
            // May be done twice, so that its answer need not be remembered.
            _ => job.ticket.key = None,
        }
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            let text = "the gateway has too many requests to do; this one was not carried out";
            return self.refuse(job.ticket, &Fault::new(FaultKind::Busy, text));
        };
        job.ticket.delivery = job.ticket.delivery.with_place(place);
        self.enqueue(job);
    }

    fn dispatch_urgent(self: &Arc<Self>, job: Job) {
        let Some(client) = self.clients.find(&job.ticket.envelope.reply_to) else {
            return self.refuse(job.ticket, &stranger());
        };
        match client.state.hurry(job) {
            Urgent::Now(session, job) => self.hurry(client.state, Some(session), job),
            Urgent::Parked => {}
            Urgent::Queue(job) => self.enqueue(job),
        }
    }

    /// Beside the client's other requests, in the session that there was when the request came.
    fn hurry(self: &Arc<Self>, client: Arc<ClientState>, session: Option<Session>, job: Job) {
        tokio::spawn(self.clone().carry_out(client, session, job));
    }

    fn enqueue(self: &Arc<Self>, job: Job) {
        let opens = matches!(job.wish, Wish::Login { .. });
        match self.clients.enqueue(job, opens) {
            Enqueued::Waits => {}
            Enqueued::NewClient(client, queue) => {
                drop(tokio::spawn(self.clone().serve(client, queue)))
            }
            Enqueued::TooMany(job) => {
                let limit = self.settings.limits.requests_per_client;
                let text = format!(
                    "{limit} requests of yours are waiting already; this one was not carried out"
                );
                self.refuse(job.ticket, &Fault::new(FaultKind::Busy, text));
            }
            Enqueued::Stranger(job) => self.refuse(job.ticket, &stranger()),
            Enqueued::Crowded(job) => {
                let text = "too many clients are logging in at the moment; try again";
                self.refuse(job.ticket, &Fault::new(FaultKind::Busy, text));
            }
        }
    }

    /// A client's requests, one after the other, until the client is taken out and its queue is empty.
    async fn serve(self: Arc<Self>, client: Arc<ClientState>, mut queue: mpsc::Receiver<Job>) {
        while let Some(job) = queue.recv().await {
            let session = client.session();
            self.clone().carry_out(client.clone(), session, job).await;
            self.clients.remove_if_useless(&client, &queue);
        }
    }

    async fn carry_out(
        self: Arc<Self>,
        client: Arc<ClientState>,
        session: Option<Session>,
        job: Job,
    ) {
        let Job { ticket, wish } = job;
        let form = &ticket.form;
        let done = match (wish, session) {
            (Wish::Login { user, secret }, _) => {
                let login = self.gateway.login(&client.reply_to, &user, secret).await;
                self.decide_login(&client, login.as_ref().ok());
                login.map(|session| form.welcome(&session))
            }
            (Wish::Logout, _) => {
                client.log_out();
                Ok(form.success(&RawJson::null()))
            }
            (_, None) => Err(stranger()),
            (Wish::Nothing, Some(_)) => Ok(form.success(&RawJson::null())),
            (Wish::Subscribe(_) | Wish::Unsubscribe, Some(_)) => {
                Err(no_subscriptions(&self.settings))
            }
            (Wish::Call(call), Some(session)) => perform(&session, form.clone(), call).await,
        };
        let text = done.unwrap_or_else(|fault| form.failure(&fault));
        self.reply(ticket, text).await;
    }

    /// What was urgent and had to wait for the login goes before what waits in the queue.
    fn decide_login(self: &Arc<Self>, client: &Arc<ClientState>, session: Option<&Session>) {
        for job in client.decide_login(session.cloned()) {
            self.hurry(client.clone(), session.cloned(), job);
        }
        self.clients.keep_limit();
    }

    fn refuse(self: &Arc<Self>, ticket: Ticket, fault: &Fault) {
        self.gateway.count("requests_refused", 1);
        let client = &ticket.envelope.reply_to;
        tracing::debug!(client, cause = fault.message, "a request was refused");
        let text = ticket.form.failure(fault);
        let desk = self.clone();
        tokio::spawn(async move { desk.reply(ticket, text).await });
    }

    async fn reply(&self, ticket: Ticket, text: String) {
        let Ticket {
            envelope,
            form,
            key,
            delivery,
        } = ticket;
        if form.contract != Contract::Neutral {
            sleep_until(envelope.received + self.settings.min_reply_delay).await;
        }
        let text: Arc<str> = self.backlog.fit(ascii(text), &form).into();
        let waiters = match &key {
            Some(key) => self.memory().finish(key, text.clone()),
            None => Vec::new(),
        };
        let answer = Answer {
            envelope,
            text,
            cuts: 0,
            made: Instant::now(),
            key,
            deliveries: std::iter::once(delivery).chain(waiters).collect(),
        };
        self.send(answer).await;
    }

    async fn send(&self, answer: Answer) {
        self.backlog.add(answer.text.len());
        if self.answers.send(answer).await.is_err() {
            tracing::debug!("an answer was made too late to be sent");
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory<Delivery>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn perform(session: &Session, form: Form, call: Call) -> Result<String, Fault> {
    let Call {
        op, args, dialect, ..
    } = call;
    let body = session.call(&op, args).await?.body;
    let length = body.get().len();
    let shape = move || match dialect {
        Some(dialect) => dialect.reply(&body).map(|body| ascii(form.success(&body))),
        None => Ok(ascii(form.success(&body))),
    };
    by_size(length, shape).await?
}

/// A JMS client throws on a raw character above U+FFFF.
fn ascii(text: String) -> String {
    match ascii_json(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(ascii) => ascii,
    }
}

fn was_done() -> Fault {
    let text = "this request was carried out already, and its answer was too long to keep; look at the queue and the log";
    Fault::new(FaultKind::UnknownOutcome, text)
}

fn no_subscriptions(settings: &Settings) -> Fault {
    let text = match settings.events {
        Events::Topic => format!(
            "events are published to the topics `{}.events.<kind>`; listen there",
            settings.queue
        ),
        Events::Off => "this gateway publishes no events (events = \"off\")".to_owned(),
    };
    Fault::new(FaultKind::Unsupported, text)
}

fn stranger() -> Fault {
    let text = "you are not logged in at the gateway, perhaps because it was restarted; reconnect to log in again";
    Fault::new(FaultKind::Unauthorized, text)
}

fn may_be_done(call: &Call) -> Fault {
    let text = format!(
        "the gateway was interrupted at this `{}`, which may already have been done; look at the queue and the log before you send it again",
        call.op
    );
    Fault::new(FaultKind::UnknownOutcome, text)
}

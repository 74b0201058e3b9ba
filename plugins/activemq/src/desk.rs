//! Where requests arrive: each is answered exactly once, then acknowledged.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_dialect_json::{Request, Since, Wish};
use patchbay_sdk::{Fault, Gateway};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use crate::backlog::Backlog;
use crate::client::{Job, Ticket, Urgent};
use crate::clients::{Clients, Enqueued};
use crate::config::Settings;
use crate::delivery::{Answer, Delivery};
use crate::held::Held;
use crate::intake;
use crate::key::Key;
use crate::memory::{Known, Memory};
use crate::once;
use crate::outlet::Outlet;
use crate::presence::Presence;
use crate::refusals;
use crate::stomp::MessageFrame;
use crate::stomp::text::ascii;

/// Shared by the connections and the clients' workers.
pub struct Desk {
    /// The configuration.
    pub settings: Settings,
    /// The host.
    pub gateway: Gateway,
    /// Who is logged in.
    pub clients: Clients,
    /// The way of events.
    pub outlet: Outlet,
    /// The number of the last event that was handed out to clients.
    pub latest: Mutex<Since>,
    /// Answers that the broker does not have yet.
    pub backlog: Backlog,
    presence: Mutex<Presence>,
    /// Locked after `presence`, never before it.
    pub held: Mutex<Held>,
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
            outlet: Outlet::default(),
            latest: Mutex::default(),
            presence: Mutex::new(Presence::new(limits.temporary_queues)),
            held: Mutex::default(),
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
        let key = match &wish {
            Ok(Wish::Call(call)) if call.changes() => Key::of(&envelope.reply_to, message).await,
            _ => None,
        };
        let ticket = Ticket {
            envelope,
            form,
            key,
            remembered: false,
            redelivered: message.flag("redelivered"),
            delivery,
        };
        let (wish, refusal) = match wish {
            Ok(wish) => (wish, None),
            Err(fault) => (Wish::Nothing, Some(fault)),
        };
        let job = Job {
            ticket,
            wish,
            refusal,
        };
        if let Some(job) = self.recall(job) {
            self.admit(job, stopping);
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

    /// Answers from memory what was asked before, at once: it was answered before all that waits. `None`: it is taken
    /// care of.
    fn recall(self: &Arc<Self>, job: Job) -> Option<Job> {
        let Some(key) = job.ticket.key.clone() else {
            return Some(job);
        };
        let Job { ticket, .. } = job;
        let connection = ticket.delivery.connection();
        let known = self.memory().look_up(&key, connection, ticket.delivery);
        match known {
            Known::New(delivery) => {
                let ticket = Ticket { delivery, ..ticket };
                return Some(Job { ticket, ..job });
            }
            Known::Copy(delivery) => {
                let ticket = Ticket { delivery, ..ticket };
                let nothing = Job {
                    ticket,
                    wish: Wish::Nothing,
                    refusal: None,
                };
                self.turn_away(nothing, refusals::copy());
            }
            Known::Running => tracing::info!(?key, "delivered again while it is being carried out"),
            Known::Done(text, delivery) => {
                tracing::info!(
                    ?key,
                    "delivered again after it was carried out; it gets the same answer"
                );
                let text = text
                    .unwrap_or_else(|| ascii(ticket.form.failure(&refusals::was_done())).into());
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

    /// Turns away what may have been done by an earlier life of this gateway, and what comes too late.
    fn admit(self: &Arc<Self>, job: Job, stopping: bool) {
        match self.objection(&job, stopping) {
            // What waits may take longer than there is time.
            Some(fault) if stopping => self.turn_away(job, fault),
            Some(fault) => self.decline_in_turn(job, fault),
            None => {
                if let Some(job) = self.hold(job) {
                    self.dispatch(job);
                }
            }
        }
    }

    /// Of submits the host knows whether they were done. Urgent requests make things safe and do no harm when they are done
    /// twice; not doing them could.
    fn objection(&self, job: &Job, stopping: bool) -> Option<Fault> {
        let Job { ticket, wish, .. } = job;
        if job.refusal.is_some() {
            return job.refusal.clone();
        }
        if let Wish::Call(call) = wish
            && ticket.redelivered
            && call.changes()
            && !once::is_noted(ticket.key.as_ref(), call)
            && (stopping || !call.urgent())
        {
            return Some(refusals::may_be_done(call));
        }
        if stopping {
            return Some(refusals::stopping());
        }
        let urgent = matches!(wish, Wish::Call(call) if call.urgent());
        (self.backlog.is_full() && !urgent).then(Backlog::refusal)
    }

    /// Lets a request be carried out, unless one with the same key came to that while it was held.
    pub fn dispatch(self: &Arc<Self>, job: Job) {
        let Some(mut job) = self.recall(job) else {
            return;
        };
        if let Some(key) = &job.ticket.key {
            let connection = job.ticket.delivery.connection();
            self.memory().begin(key.clone(), connection);
            job.ticket.remembered = true;
        }
        if matches!(&job.wish, Wish::Call(call) if call.urgent()) {
            return self.dispatch_urgent(job);
        }
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return self.turn_away(job, refusals::too_many());
        };
        job.ticket.delivery = job.ticket.delivery.with_place(place);
        self.enqueue(job);
    }

    fn dispatch_urgent(self: &Arc<Self>, job: Job) {
        let Some(client) = self.clients.find(&job.ticket.envelope.reply_to) else {
            // Where it opens a client, it is that client's first.
            return self.enqueue(job);
        };
        match client.state.hurry(job) {
            Urgent::Now(member, job) => self.hurry(client.state, Some(member), job),
            Urgent::Parked => {}
            Urgent::Queue(job) if self.settings.default_login.is_some() => {
                self.hurry(client.state, None, job);
            }
            Urgent::Queue(job) => self.enqueue(job),
        }
    }

    fn enqueue(self: &Arc<Self>, job: Job) {
        let opens = match job.wish {
            Wish::Login { .. } => true,
            Wish::Logout => false,
            _ => self.settings.default_login.is_some(),
        };
        match self.clients.enqueue(job, opens) {
            Enqueued::Waits => {}
            Enqueued::NewClient(client, queue) => {
                drop(tokio::spawn(self.clone().serve(client, queue)))
            }
            Enqueued::TooMany(job) => {
                let limit = self.settings.limits.requests_per_client;
                self.turn_away(job, refusals::too_many_of_yours(limit));
            }
            Enqueued::Stranger(job) => self.turn_away(job, refusals::stranger()),
            Enqueued::Crowded(job) => self.turn_away(job, refusals::crowded()),
        }
    }

    /// Answers what is not carried out after what its client has asked before, if there is room to wait for that.
    pub fn decline_in_turn(self: &Arc<Self>, mut job: Job, fault: Fault) {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return self.turn_away(job, fault);
        };
        job.ticket.delivery = job.ticket.delivery.with_place(place);
        job.refusal = Some(fault.clone());
        match self.clients.enqueue(job, false) {
            Enqueued::Waits | Enqueued::NewClient(..) => {}
            Enqueued::TooMany(job) | Enqueued::Stranger(job) | Enqueued::Crowded(job) => {
                self.turn_away(job, fault);
            }
        }
    }

    /// Answers what is not carried out now, at once. A submit may have been before, and is then answered as it was. It is not
    /// remembered: a forged message that nobody would carry out must not stand for a genuine one.
    pub fn turn_away(self: &Arc<Self>, job: Job, fault: Fault) {
        let Job {
            mut ticket, wish, ..
        } = job;
        if let Some(key) = ticket.key.as_ref().filter(|_| ticket.remembered) {
            self.memory().forget(key);
            ticket.remembered = false;
        }
        let client = self.clients.find(&ticket.envelope.reply_to);
        let member = client.and_then(|client| client.state.member());
        let desk = self.clone();
        tokio::spawn(async move {
            let said = desk.decline(&ticket, member.as_ref(), wish, fault).await;
            let text = said.unwrap_or_else(|fault| ticket.form.failure(&fault));
            desk.reply(ticket, text).await;
        });
    }

    /// Hands an answer to the connection.
    pub async fn send(&self, answer: Answer) {
        self.backlog.add(answer.text.len());
        if self.answers.send(answer).await.is_err() {
            tracing::debug!("an answer was made too late to be sent");
        }
    }

    /// What was done already.
    pub fn memory(&self) -> MutexGuard<'_, Memory<Delivery>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

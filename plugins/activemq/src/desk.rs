//! Where requests arrive: each is answered exactly once, then acknowledged.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use patchbay_sdk::{Fault, FaultKind, Gateway, RawJson};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::blocking::by_size;
use crate::client::{Client, ClientState, Job, Ticket};
use crate::clients::{Clients, Enqueued};
use crate::config::Settings;
use crate::delivery::{Answer, Delivery, Envelope};
use crate::memory::{Key, Known, Memory};
use crate::presence::Presence;
use crate::request::{Call, Contract, Wish};
use crate::stomp::MessageFrame;
use crate::{answer, intake};

/// Shared by the connections and the clients' workers.
pub struct Desk {
    /// The configuration.
    pub settings: Settings,
    /// The host.
    pub gateway: Gateway,
    /// Who is logged in.
    pub clients: Clients,
    presence: Mutex<Presence>,
    memory: Mutex<Memory<Delivery>>,
    answers: mpsc::Sender<Answer>,
}

impl Desk {
    /// A desk whose answers go to `answers`.
    pub fn new(settings: Settings, gateway: Gateway, answers: mpsc::Sender<Answer>) -> Self {
        let limits = &settings.limits;
        Self {
            clients: Clients::new(limits.clients, limits.requests_per_client.into()),
            presence: Mutex::default(),
            memory: Mutex::new(Memory::new(limits.remembered)),
            settings,
            gateway,
            answers,
        }
    }

    /// Which clients' queues exist.
    pub fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message. Whatever takes long is done in tasks of its own.
    pub async fn take(self: &Arc<Self>, message: &MessageFrame, delivery: Delivery) {
        self.gateway.count("requests", 1);
        let Some(envelope) = intake::envelope(message, &self.settings.queue) else {
            return self.drop_unanswerable(message, delivery);
        };
        let (contract, wish) = intake::read(message, self.settings.limits.request_bytes).await;
        let key = message.header("message-id").map(|id| Key {
            reply_to: envelope.reply_to.clone(),
            message_id: id.to_owned(),
        });
        let ticket = Ticket {
            envelope,
            contract,
            key,
            delivery,
        };
        let Some(mut ticket) = self.recall(ticket) else {
            return;
        };
        let redelivered = message.flag("redelivered");
        match wish.and_then(|wish| self.admit(wish, &ticket.envelope, redelivered)) {
            Ok(wish) => self.dispatch(Job { ticket, wish }),
            Err(fault) => {
                ticket.key = None;
                self.refuse(ticket, &fault);
            }
        }
    }

    /// Answers a message that came while the gateway is being shut down, without doing anything.
    pub async fn turn_away(self: &Arc<Self>, message: &MessageFrame, delivery: Delivery) {
        let Some(envelope) = intake::envelope(message, &self.settings.queue) else {
            return self.drop_unanswerable(message, delivery);
        };
        let (contract, _) = intake::read(message, self.settings.limits.request_bytes).await;
        let text = "the gateway is being shut down; this request was not carried out, send it again in a moment";
        let ticket = Ticket {
            envelope,
            contract,
            key: None,
            delivery,
        };
        self.refuse(ticket, &Fault::new(FaultKind::ShuttingDown, text));
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
                let desk = self.clone();
                tokio::spawn(async move { desk.send(ticket.envelope, text, vec![delivery]).await });
            }
        }
        None
    }

    /// Refuses what may have been done by an earlier life of this gateway, and what nobody waits for.
    fn admit(&self, wish: Wish, envelope: &Envelope, redelivered: bool) -> Result<Wish, Fault> {
        if self.presence().is_stale(&envelope.reply_to, redelivered) {
            let text = "this request has waited for the gateway and its sender has gone since; it was not carried out";
            return Err(Fault::new(FaultKind::Cancelled, text));
        }
        match &wish {
            Wish::Call(call) if redelivered && call.changes() => Err(may_be_done(call)),
            _ => Ok(wish),
        }
    }

    fn dispatch(self: &Arc<Self>, mut job: Job) {
        match &job.wish {
            Wish::Call(call) if call.changes() => {
                let urgent = call.urgent();
                if let Some(key) = &job.ticket.key {
                    self.memory().begin(key.clone());
                }
                if urgent && let Some(client) = self.logged_in(&job.ticket.envelope.reply_to) {
                    tokio::spawn(self.clone().carry_out(client.state.clone(), job));
                    return;
                }
            }
            // May be done twice, so that its answer need not be remembered.
            _ => job.ticket.key = None,
        }
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
        }
    }

    fn logged_in(&self, reply_to: &str) -> Option<Client> {
        let client = self
            .clients
            .find(reply_to)
            .filter(|client| client.state.session().is_some())?;
        client.state.touch();
        Some(client)
    }

    /// A client's requests, one after the other, until the client is taken out and its queue is empty.
    async fn serve(self: Arc<Self>, client: Arc<ClientState>, mut queue: mpsc::Receiver<Job>) {
        while let Some(job) = queue.recv().await {
            self.clone().carry_out(client.clone(), job).await;
            self.clients.remove_if_useless(&client, &queue);
        }
    }

    async fn carry_out(self: Arc<Self>, client: Arc<ClientState>, job: Job) {
        let Job { ticket, wish } = job;
        let contract = ticket.contract;
        let done = self.perform(&client, contract, wish).await;
        let text = done.unwrap_or_else(|fault| answer::failure(contract, &fault));
        self.reply(ticket, text).await;
    }

    async fn perform(
        &self,
        client: &ClientState,
        contract: Contract,
        wish: Wish,
    ) -> Result<String, Fault> {
        match wish {
            Wish::Login { user, secret } => {
                client.set_session(None);
                let session = self.gateway.login(&client.reply_to, &user, secret).await?;
                client.set_session(Some(session.clone()));
                Ok(answer::welcome(contract, &session))
            }
            Wish::Logout => {
                client.set_session(None);
                Ok(answer::success(contract, &RawJson::null()))
            }
            Wish::Nothing => {
                client.session().ok_or_else(stranger)?;
                Ok(answer::success(contract, &RawJson::null()))
            }
            Wish::Call(call) => {
                let session = client.session().ok_or_else(stranger)?;
                let Call {
                    op, args, dialect, ..
                } = call;
                let body = session.call(&op, args).await?.body;
                let length = body.get().len();
                let shape = move || match dialect {
                    Some(dialect) => dialect
                        .reply(&body)
                        .map(|body| answer::success(contract, &body)),
                    None => Ok(answer::success(contract, &body)),
                };
                by_size(length, shape).await?
            }
        }
    }

    fn refuse(self: &Arc<Self>, ticket: Ticket, fault: &Fault) {
        self.gateway.count("requests_refused", 1);
        let client = &ticket.envelope.reply_to;
        tracing::debug!(client, cause = fault.message, "a request was refused");
        let text = answer::failure(ticket.contract, fault);
        let desk = self.clone();
        tokio::spawn(async move { desk.reply(ticket, text).await });
    }

    async fn reply(&self, ticket: Ticket, text: String) {
        let Ticket {
            envelope,
            contract,
            key,
            delivery,
        } = ticket;
        if contract != Contract::Neutral {
            sleep_until(envelope.received + self.settings.min_reply_delay).await;
        }
        let text: Arc<str> = text.into();
        let waiter = key.and_then(|key| self.memory().finish(&key, text.clone()));
        let deliveries = std::iter::once(delivery).chain(waiter).collect();
        self.send(envelope, text, deliveries).await;
    }

    async fn send(&self, envelope: Envelope, text: Arc<str>, deliveries: Vec<Delivery>) {
        let answer = Answer {
            envelope,
            text,
            made: Instant::now(),
            deliveries,
        };
        if self.answers.send(answer).await.is_err() {
            tracing::debug!("an answer was made too late to be sent");
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory<Delivery>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

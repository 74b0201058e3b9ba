//! The connection that sends answers and events.
//!
//! It is not the one that reads requests: when the broker's memory is full it stops reading a connection that sends, and
//! with it the acknowledgements and heart-beats on it. Each answer asks for a RECEIPT; only then is its request
//! acknowledged. What has no RECEIPT when the connection goes is sent again on the next one, because a client that comes
//! back by itself keeps its temporary queue's name.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use patchbay_sdk::{Backoff, Stop};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep, timeout};

use crate::brokers::{BACKOFF, Brokers};
use crate::delivery::Answer;
use crate::desk::Desk;
use crate::links::{Link, Links};
use crate::pending::Pending;
use crate::reply_to::temporary_queue;
use crate::stomp::outgoing::SendError;
use crate::stomp::{ClientFrame, ErrorFrame, Incoming, LinkError, Outgoing, ServerEvent, open};

/// So soon after a reconnect a client may still be on its way back; its answer is tried again.
const RETURN: Duration = Duration::from_secs(30);
/// How often that is, and how often old answers are looked for.
const TICK: Duration = Duration::from_millis(500);
/// The broker usually needs milliseconds for a RECEIPT.
const MAX_PATIENCE: Duration = Duration::from_secs(10);
const STUCK: &str =
    "the broker takes no answers; is its memory full of what a client does not read?";
/// How long the broker's good-bye may take.
const GOODBYE: Duration = Duration::from_secs(1);
const GONE: &str = "its queue does not exist any more";
const GOODBYE_RECEIPT: &str = "goodbye";
/// After so many failures to connect in a row, the other connection is asked to try another broker.
const MAX_FAILURES: u32 = 3;

/// Owns the answers from the time that they are made until the broker has them.
pub struct Answering {
    desk: Arc<Desk>,
    brokers: Arc<Brokers>,
    links: Arc<Links>,
    answers: mpsc::Receiver<Answer>,
    pending: Pending,
    connections: u64,
    connected: Instant,
}

impl Answering {
    /// Nothing to send so far.
    pub fn new(
        desk: Arc<Desk>,
        brokers: Arc<Brokers>,
        links: Arc<Links>,
        answers: mpsc::Receiver<Answer>,
    ) -> Self {
        Self {
            desk,
            brokers,
            links,
            answers,
            pending: Pending::default(),
            connections: 0,
            connected: Instant::now(),
        }
    }

    /// Runs until `finish`, and then until the broker has what was answered; for a moment at most.
    pub async fn run(mut self, finish: Stop) {
        let mut backoff = Backoff::new(BACKOFF.0, BACKOFF.1);
        let mut failures = 0;
        let brokers = self.brokers.clone();
        loop {
            let broker = tokio::select! {
                broker = brokers.chosen() => broker,
                () = finish.wait() => return,
            };
            let before = self.connections;
            let Err(ended) = self.connection(broker, &finish).await else {
                return;
            };
            failures += 1;
            if self.connections > before {
                failures = 0;
                backoff.reset();
            }
            if failures >= MAX_FAILURES && brokers.are_many() {
                brokers.give_up(broker);
            }
            self.desk.outlet.set(None);
            self.links
                .down(Link::Answering, &brokers.described(broker, &ended));
            self.keep_unconfirmed().await;
            tokio::select! {
                () = sleep(backoff.wait()) => {}
                () = finish.wait() => return,
            }
            self.expire().await;
        }
    }

    /// One connection, until it is lost. `Ok`: until it was finished.
    async fn connection(&mut self, broker: usize, finish: &Stop) -> Result<(), LinkError> {
        let brokers = self.brokers.clone();
        let target = brokers.target(broker);
        let (mut incoming, outgoing) = tokio::select! {
            halves = open(target) => halves?,
            () = brokers.left(broker) => return Err(LinkError::Moved),
            () = finish.wait() => return Ok(()),
        };
        self.connections += 1;
        self.connected = Instant::now();
        self.links
            .up(Link::Answering, &target.address, incoming.server());
        self.desk.outlet.set(Some(outgoing.clone()));
        let mut tick = interval(TICK);
        let mut left = pin!(brokers.left(broker));
        let mut finishing = pin!(finish.wait());
        loop {
            tokio::select! {
                event = incoming.next() => self.go_on(event?, &outgoing).await,
                Some(answer) = self.answers.recv(), if self.takes_more(&outgoing) => {
                    self.send(&outgoing, answer).await;
                }
                _ = tick.tick() => self.retry(&outgoing, broker).await,
                () = &mut left => return Err(LinkError::Moved),
                () = &mut finishing => {
                    let _ = timeout(GOODBYE, self.goodbye(&mut incoming, &outgoing)).await;
                    return Ok(());
                }
            }
        }
    }

    async fn retry(&mut self, outgoing: &Outgoing, broker: usize) {
        self.expire().await;
        self.send_waiting(outgoing).await;
        let stuck = self
            .is_stuck()
            .then(|| self.brokers.described(broker, &STUCK));
        self.links.stuck(Link::Answering, stuck.as_deref());
    }

    async fn send_waiting(&mut self, outgoing: &Outgoing) {
        for answer in self.pending.take_waiting() {
            if outgoing.has_room() && self.pending.may_go(&answer) {
                self.send(outgoing, answer).await;
            } else {
                self.pending.wait(answer);
            }
        }
    }

    fn takes_more(&self, outgoing: &Outgoing) -> bool {
        outgoing.has_room() && self.pending.takes_more()
    }

    async fn go_on(&mut self, event: ServerEvent, outgoing: &Outgoing) {
        let next = self.pending.suspect_on_its_way() && matches!(event, ServerEvent::Receipt(_));
        self.take(event).await;
        if next {
            self.send_waiting(outgoing).await;
        }
    }

    /// A broker without memory does not say so, it only stops to read.
    fn is_stuck(&self) -> bool {
        let patience = MAX_PATIENCE.min(self.desk.settings.answer_expiry / 2);
        self.desk.backlog.is_full() || self.pending.is_overdue(patience)
    }

    async fn send(&mut self, outgoing: &Outgoing, answer: Answer) {
        if self.pending.is_behind_another(&answer) {
            return self.pending.wait(answer);
        }
        let receipt = self.pending.next_receipt();
        let frame = self.frame(&answer).receipt(receipt.to_string());
        match outgoing.send(frame).await {
            Ok(()) => self.pending.sent(receipt, answer),
            Err(SendError::Frame(error)) => {
                self.give_up(answer, &error.to_string()).await;
            }
            Err(SendError::Closed | SendError::Full) => self.pending.wait(answer),
        }
    }

    fn frame(&self, answer: &Answer) -> ClientFrame {
        let left = self
            .desk
            .settings
            .answer_expiry
            .saturating_sub(answer.made.elapsed());
        let envelope = &answer.envelope;
        let mut frame = ClientFrame::send(&*envelope.reply_to, &*answer.text)
            .header("expires", expires_in(left + envelope.ahead));
        if let Some(correlation) = &envelope.correlation {
            frame = frame.header("correlation-id", correlation);
        }
        if let Some(priority) = envelope.priority {
            frame = frame.header("priority", priority.to_string());
        }
        if envelope.persistent {
            frame = frame.header("persistent", "true");
        }
        frame
    }

    async fn take(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Receipt(receipt) => {
                if let Some(answer) = self.pending.confirmed(&receipt) {
                    self.desk.gateway.count("answers", 1);
                    self.settle(answer).await;
                }
            }
            ServerEvent::Error(error) => self.refused(error).await,
            other => tracing::debug!(?other, "the broker sent what nobody asked for"),
        }
    }

    /// The broker has refused an answer or an event; the connection goes on.
    async fn refused(&mut self, error: ErrorFrame) {
        let gone = error.gone_queue().map(str::to_owned);
        let cause = format!("{} {}", error.message, error.detail);
        let returning = self.connections > 1 && self.connected.elapsed() < RETURN;
        let Some(mut answer) = error
            .receipt
            .as_deref()
            .and_then(|receipt| self.pending.confirmed(receipt))
        else {
            return match gone {
                // An event for a client, which may be on its way back.
                Some(_) if returning => {}
                Some(name) => self.desk.clients.close_temporary(&name, GONE),
                None => self.desk.outlet.refused(&error),
            };
        };
        if let Some(name) = gone {
            if returning && answer.made.elapsed() < self.desk.settings.answer_expiry {
                answer.cuts = 0;
                return self.pending.wait(answer);
            }
            self.desk.clients.close_temporary(&name, GONE);
            return self.give_up(answer, GONE).await;
        }
        self.give_up(answer, &cause).await;
    }

    /// The connection has ended; what the broker has not confirmed waits for the next one.
    async fn keep_unconfirmed(&mut self) {
        for answer in self.pending.cut() {
            self.give_up(answer, "the broker hangs up on it").await;
        }
    }

    /// Gives up what is too old, and what is for a client that has gone: of an answer that has waited for room in that
    /// client's queue the broker never says that it is over.
    async fn expire(&mut self) {
        let limit = self.desk.settings.answer_expiry;
        let desk = self.desk.clone();
        let gone = |answer: &Answer| {
            let queue = temporary_queue(&answer.envelope.reply_to);
            queue.is_some_and(|name| desk.presence().is_absent(name))
        };
        let over = |answer: &Answer| answer.made.elapsed() >= limit || gone(answer);
        for answer in self.pending.take(over) {
            let cause = "the broker did not take it in time, or its client has gone";
            self.give_up(answer, cause).await;
        }
    }

    /// Its requests are acknowledged unanswered.
    async fn give_up(&self, answer: Answer, cause: &str) {
        let client = &answer.envelope.reply_to;
        tracing::warn!(client, cause, "an answer is given up");
        self.desk.gateway.count("answers_lost", 1);
        self.settle(answer).await;
    }

    /// The answer is over; its requests are acknowledged before it may be forgotten.
    async fn settle(&self, answer: Answer) {
        self.desk.backlog.remove(answer.text.len());
        for delivery in answer.deliveries {
            delivery.acknowledge().await;
        }
        if let Some(key) = answer.key {
            self.desk.settle(key);
        }
    }

    /// Sends what is left, waits for the receipts and says good-bye.
    async fn goodbye(
        &mut self,
        incoming: &mut Incoming,
        outgoing: &Outgoing,
    ) -> Result<(), LinkError> {
        self.send_waiting(outgoing).await;
        while let Ok(answer) = self.answers.try_recv() {
            self.send(outgoing, answer).await;
        }
        while !self.pending.is_confirmed() {
            let event = incoming.next().await?;
            self.take(event).await;
        }
        outgoing
            .send(ClientFrame::disconnect(GOODBYE_RECEIPT))
            .await?;
        while !matches!(incoming.next().await?, ServerEvent::Receipt(receipt) if receipt == GOODBYE_RECEIPT)
        {
        }
        Ok(())
    }
}

/// `expires` as ActiveMQ wants it: milliseconds since 1970.
pub fn expires_in(duration: Duration) -> String {
    let at = SystemTime::now() + duration.max(Duration::from_millis(1));
    at.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis()
        .to_string()
}

//! The host as an instance sees it: where it speaks to, in one of its lives.

use super::allowance::Allowance;
use super::pending::Origin;
use super::{Broker, LONGEST_HEAD, Life, Place};
use crate::logging;
use crate::metrics::EVENTS_DROPPED;
use patchbay_abi::port::Deliver;
use patchbay_abi::{Delivery, Fault, FaultKind, Kind, Message, head};
use std::sync::Arc;
use tokio::sync::mpsc;

/// More than can be missed at once; a plugin may say any number.
const MOST_MISSED: u64 = 1 << 32;

/// Where an instance speaks to, in one of its lives.
pub(super) struct HostSide {
    pub(super) broker: Arc<Broker>,
    pub(super) at: Place,
    pub(super) life: mpsc::Sender<Life>,
    pub(super) events: Allowance,
    pub(super) lines: Allowance,
}

impl Deliver for HostSide {
    fn deliver(&self, message: Message) -> Delivery {
        let broker = &self.broker;
        let seat = &broker.seats[self.at.seat];
        let own = !matches!(message.kind, Kind::CALL | Kind::LOGIN | Kind::REPLY);
        if own && message.head.len() > LONGEST_HEAD {
            broker.count("messages_ignored");
            if message.kind == Kind::FAILED {
                // Its end is an end, however long it is explained.
                let why = "it failed, and said why at too great a length";
                self.tell(Life::Failed(Fault::new(FaultKind::Internal, why)));
            }
            return Delivery::Refused;
        }
        match message.kind {
            Kind::LOG => self.log(&message),
            Kind::METRIC => self.metric(&message),
            Kind::HEALTH => seat.heard(self.at.epoch, &message, || self.may_log()),
            Kind::READY => self.tell(Life::Ready),
            Kind::PONG => {
                self.tell(Life::Answers(message.id));
                self.say_rest();
                if seat.is_frontend() {
                    broker.hand_out(self.at, 0);
                }
            }
            Kind::STOPPED => self.tell(Life::Stopped),
            Kind::FAILED => self.tell(Life::Failed(read_fault(&message))),
            Kind::REPLY => broker.answered(self.at, message),
            Kind::EVENT => return self.event(message),
            _ if seat.is_frontend() => self.frontend_says(message),
            _ => broker.count("messages_ignored"),
        }
        Delivery::Taken
    }
}

impl HostSide {
    fn frontend_says(&self, message: Message) {
        let broker = &self.broker;
        let origin = Origin {
            at: self.at,
            id: message.id,
        };
        match message.kind {
            Kind::CALL => broker.call(origin, message),
            Kind::LOGIN => broker.login(origin, message),
            Kind::LOGOUT => broker.logout(self.at, &message),
            Kind::CANCEL => broker.cancel(origin),
            Kind::SUBSCRIBE => broker.subscribe(self.at, &message),
            Kind::CREDIT => broker.credit(self.at, &message),
            _ => broker.count("messages_ignored"),
        }
    }

    /// A life has few events; one that tells more than fit is not believed the rest.
    fn tell(&self, event: Life) {
        if self.life.try_send(event).is_err() {
            self.broker.count("messages_ignored");
        }
    }

    fn log(&self, message: &Message) {
        if let Ok(line) = message.read_head::<head::Log>()
            && self.may_log()
        {
            logging::plugin_line(self.id(), &line);
        }
    }

    /// Whether one more line by this instance, or about it, may go to the log.
    fn may_log(&self) -> bool {
        let taken = self.lines.take(self.broker.limits().lines_per_second);
        self.say_unlogged(taken.unwrap_or_default());
        taken.is_some()
    }

    fn say_unlogged(&self, lines: u64) {
        if lines > 0 {
            let instance = self.id();
            self.broker
                .metrics
                .add(instance, "log_lines_dropped", lines);
            tracing::warn!(
                instance,
                lines,
                "logs too much (max_log_lines_per_s); lines of it were dropped"
            );
        }
    }

    fn event(&self, message: Message) -> Delivery {
        match self.events.take(self.broker.limits().events_per_second) {
            None => Delivery::Refused,
            Some(missed) => {
                self.say_missed(missed);
                self.broker.event(self.at, message, || self.may_log())
            }
        }
    }

    fn say_missed(&self, events: u64) {
        if events > 0 {
            let instance = self.id();
            self.broker.events_missed(self.at, events);
            self.broker.metrics.add(instance, EVENTS_DROPPED, events);
            if self.may_log() {
                tracing::warn!(
                    instance,
                    events,
                    "tells too much (max_events_per_s); its readers are told that they miss events"
                );
            }
        }
    }

    /// By its own word, or its process's, in which they found no room.
    fn has_dropped(&self, events: u64) {
        if self.broker.seats[self.at.seat].is_frontend() {
            return;
        }
        self.broker.events_missed(self.at, events.min(MOST_MISSED));
        if self.may_log() {
            let instance = self.id();
            tracing::warn!(
                instance,
                events,
                "tells more than finds room on its way; its readers are told that they miss events"
            );
        }
    }

    /// What it said too much is told now and then also if it has fallen silent since.
    fn say_rest(&self) {
        self.say_missed(self.events.rest());
        self.say_unlogged(self.lines.rest());
    }

    fn id(&self) -> &str {
        self.broker.seats[self.at.seat].id()
    }

    fn metric(&self, message: &Message) {
        if let Ok(told) = message.read_head::<head::Metric>() {
            let (id, metrics) = (self.id(), &self.broker.metrics);
            match told.set {
                Some(value) => metrics.set(id, &told.counter, value),
                None if told.seconds.is_empty() => {
                    if told.counter == EVENTS_DROPPED {
                        self.has_dropped(told.add);
                    }
                    metrics.add(id, &told.counter, told.add);
                }
                None => metrics.measured(id, &told.counter, &told.seconds),
            }
        }
    }
}

/// The last thread of that life has ended.
impl Drop for HostSide {
    fn drop(&mut self) {
        self.say_rest();
    }
}

fn read_fault(message: &Message) -> Fault {
    message
        .read_head()
        .unwrap_or_else(|_| Fault::new(FaultKind::Internal, "it did not say why"))
}

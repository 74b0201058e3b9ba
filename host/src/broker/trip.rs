//! What is known of a request's way: when it was where, for the metrics, the log and whoever watches.

use super::call::Call;
use super::pending::{Origin, Request};
use super::{Broker, Place};
use crate::metrics::{Outcome, Round, class_of};
use patchbay_abi::{Fault, Kind, Message, head};
use patchbay_sdk::model::Op;
use std::time::{Duration, Instant};

/// The way of one request, from the moment when the host took it. It stays the same while the request
/// changes its place in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trip {
    /// The host's number of it, as the backend is told.
    pub(super) number: u64,
    pub(super) op: &'static str,
    class: &'static str,
    begun: Instant,
    /// When it went to the backend.
    sent: Option<Instant>,
    /// When the backend replied.
    replied: Option<Instant>,
    bytes: usize,
}

impl Trip {
    /// Of a message that a frontend has just handed over, and that nobody has looked at yet.
    pub(super) fn begin(message: &Message) -> Trip {
        Trip {
            number: 0,
            op: "unknown",
            class: "look",
            begun: Instant::now(),
            sent: None,
            replied: None,
            bytes: message.weight(),
        }
    }

    /// It is known what is asked.
    pub(super) fn asks(&mut self, op: &Op) {
        (self.op, self.class) = (op.name, class_of(op));
    }

    /// A login, the host's own ones included.
    pub(super) fn login() -> Trip {
        Trip {
            op: "login",
            class: "login",
            ..Trip::begin(&Message::bare(patchbay_abi::Kind::LOGIN, 0))
        }
    }

    /// The backend gets it now.
    pub(super) fn sent(mut self) -> Trip {
        self.sent = Some(Instant::now());
        self
    }

    /// The backend has replied.
    pub(super) fn replied(&mut self) {
        self.replied.get_or_insert_with(Instant::now);
    }
}

/// What came of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    bytes: usize,
}

impl End {
    pub(super) const CANCELLED: End = End {
        outcome: Outcome::CANCELLED,
        bytes: 0,
    };

    pub(super) fn of(answer: &Result<Message, Fault>) -> End {
        match answer {
            Ok(reply) => End {
                outcome: Outcome::OK,
                bytes: reply.weight(),
            },
            Err(fault) => End::failed(fault),
        }
    }

    fn failed(fault: &Fault) -> End {
        End {
            outcome: Outcome::of(&fault.kind),
            bytes: 0,
        }
    }
}

/// Somebody whom the host answers without asking the backend.
#[derive(Clone, Copy)]
pub(super) struct Asking {
    pub(super) origin: Origin,
    pub(super) session: u64,
    /// The backend's seat.
    pub(super) seat: usize,
    pub(super) trip: Trip,
}

impl Call {
    /// Its client, if the host answers without asking the backend at that seat.
    pub(super) fn asking(&self, seat: usize) -> Asking {
        Asking {
            origin: self.origin,
            session: self.session,
            seat,
            trip: self.trip,
        }
    }
}

impl Asking {
    /// Whoever waits for that answer, if anybody does.
    pub(super) fn of(request: &Request) -> Option<Asking> {
        Some(Asking {
            origin: request.origin?,
            session: request.session,
            seat: request.backend.seat,
            trip: request.trip,
        })
    }

    /// The backend, in no particular life.
    pub(super) fn backend(&self) -> Place {
        Place {
            seat: self.seat,
            epoch: 0,
        }
    }
}

/// Where a request's time went, the last stretch to its frontend not yet included.
pub(super) struct Times {
    pub(super) host: Duration,
    pub(super) at_backend: Option<Duration>,
}

impl Trip {
    /// Until now.
    pub(super) fn times(&self) -> Times {
        let now = Instant::now();
        let replied = self.replied.unwrap_or(now);
        let sent = self.sent.unwrap_or(replied);
        let to_backend = sent.saturating_duration_since(self.begun);
        Times {
            host: to_backend + now.saturating_duration_since(replied),
            at_backend: self
                .sent
                .map(|sent| replied.saturating_duration_since(sent)),
        }
    }
}

impl Broker {
    /// A request has come to its end, and its frontend has been told.
    pub(super) fn ended(&self, request: &Request, end: End) {
        if let Some(origin) = request.origin {
            self.trip_ended(request.trip, origin, request.backend, end);
        }
    }

    /// Nobody waits for it any more; it goes on for others.
    pub(super) fn gave_up(&self, asking: &Asking) {
        self.trip_ended(asking.trip, asking.origin, asking.backend(), End::CANCELLED);
    }

    /// The host answers a request by itself.
    pub(super) fn answer_unasked(&self, asking: &Asking, body: Vec<u8>) {
        let head = head::Reply {
            request: asking.trip.number,
            ..head::Reply::default()
        };
        let reply = Message::new(Kind::REPLY, 0, &head).body(body);
        self.show_unasked(asking, &reply);
        let (outcome, bytes) = (Outcome::OK, reply.weight());
        self.reply(asking.origin, reply);
        self.trip_ended(
            asking.trip,
            asking.origin,
            asking.backend(),
            End { outcome, bytes },
        );
    }

    /// A request was refused before it was entered.
    pub(super) fn turned_away(&self, origin: Origin, trip: Trip, fault: &Fault) {
        let seat = self.seats[origin.at.seat].backend_now();
        let nobody = Place {
            seat: seat.unwrap_or(origin.at.seat),
            epoch: 0,
        };
        self.show_refusal(&trip, origin, nobody, fault);
        self.trip_ended(trip, origin, nobody, End::failed(fault));
    }

    fn trip_ended(&self, trip: Trip, origin: Origin, backend: Place, end: End) {
        let Times { host, at_backend } = trip.times();
        let (frontend, backend) = (
            self.seats[origin.at.seat].id(),
            self.seats[backend.seat].id(),
        );
        let (request, op, outcome) = (trip.number, trip.op, end.outcome.name());
        let host_us = host.as_micros() as u64;
        let backend_us = at_backend.map(|time| time.as_micros() as u64);
        tracing::debug!(
            request, op, frontend, backend, outcome, host_us, backend_us, "answered"
        );
        self.metrics.answered(&Round {
            op: trip.op,
            class: trip.class,
            frontend,
            backend,
            outcome: end.outcome,
            host,
            at_backend,
            asked_bytes: trip.bytes,
            answered_bytes: end.bytes,
        });
    }
}

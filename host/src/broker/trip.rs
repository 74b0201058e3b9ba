//! What is known of a request's way: when it was where, for the metrics, the log and whoever watches.

use super::pending::{Origin, Request};
use super::{Broker, Place};
use crate::metrics::{Outcome, Round, class_of};
use patchbay_abi::{Fault, Message};
use patchbay_sdk::model::Op;
use std::time::Instant;

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
pub(super) enum End<'a> {
    Answered(&'a Message),
    Failed(&'a Fault),
    Cancelled,
}

impl<'a> From<&'a Result<Message, Fault>> for End<'a> {
    fn from(answer: &'a Result<Message, Fault>) -> Self {
        match answer {
            Ok(reply) => End::Answered(reply),
            Err(fault) => End::Failed(fault),
        }
    }
}

impl End<'_> {
    fn outcome(&self) -> Outcome {
        match self {
            End::Answered(_) => Outcome::OK,
            End::Failed(fault) => Outcome::of(&fault.kind),
            End::Cancelled => Outcome::CANCELLED,
        }
    }
}

impl Broker {
    /// A request has come to its end, and its frontend has been told.
    pub(super) fn ended(&self, request: &Request, end: End<'_>) {
        if let Some(origin) = request.origin {
            self.trip_ended(request.trip, origin, request.backend, end);
        }
    }

    /// A request was refused before it was entered.
    pub(super) fn turned_away(&self, origin: Origin, trip: Trip, fault: &Fault) {
        let seat = self.seats[origin.at.seat].backend_now();
        let nobody = Place {
            seat: seat.unwrap_or(origin.at.seat),
            epoch: 0,
        };
        self.trip_ended(trip, origin, nobody, End::Failed(fault));
    }

    fn trip_ended(&self, trip: Trip, origin: Origin, backend: Place, end: End<'_>) {
        let now = Instant::now();
        let replied = trip.replied.unwrap_or(now);
        let sent = trip.sent.unwrap_or(replied);
        let at_backend = trip.sent.map(|sent| replied.duration_since(sent));
        let outcome = end.outcome();
        let answered_bytes = match end {
            End::Answered(reply) => reply.weight(),
            _ => 0,
        };
        let (frontend, backend) = (
            self.seats[origin.at.seat].id(),
            self.seats[backend.seat].id(),
        );
        let host = sent.duration_since(trip.begun) + now.duration_since(replied);
        self.metrics.answered(&Round {
            op: trip.op,
            class: trip.class,
            frontend,
            backend,
            outcome,
            host,
            at_backend,
            asked_bytes: trip.bytes,
            answered_bytes,
        });
    }
}

//! Requests: how many with what outcome, and where their time goes.
//!
//! A request's time has parts. *Host* is from the moment when the frontend hands it over until the
//! backend has it (waiting for a login, or for the disk, included), and from the backend's reply until
//! the frontend has that. *Backend* is what lies between. *Frontend* is from there until the task that
//! asked takes the answer, as the SDK measures it; what a frontend does before it asks, and after, only
//! itself could say.

use super::{Book, Counters, Labels};
use patchbay_abi::FaultKind;
use patchbay_sdk::model::Op;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// From 10 µs, which is what the host needs, to what user's code takes; in seconds.
const BOUNDS: [f64; 17] = [
    1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 2.5e-3, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0,
    120.0, 600.0,
];

/// One request that has come to its end.
pub struct Round<'a> {
    /// What was asked: an operation, `login`, or `unknown`.
    pub op: &'static str,
    /// Of what class that is.
    pub class: &'static str,
    /// Through which frontend.
    pub frontend: &'a str,
    /// Of which backend.
    pub backend: &'a str,
    /// What came of it.
    pub outcome: Outcome,
    /// How long the host had it.
    pub host: Duration,
    /// How long the backend had it, if it ever did.
    pub at_backend: Option<Duration>,
    /// What was asked, in bytes.
    pub asked_bytes: usize,
    /// What was answered, in bytes.
    pub answered_bytes: usize,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome(usize);

const OUTCOMES: [&str; 17] = [
    "ok",
    "invalid",
    "unsupported",
    "unauthorized",
    "forbidden",
    "not-found",
    "conflict",
    "busy",
    "too-large",
    "timeout",
    "unavailable",
    "shutting-down",
    "cancelled",
    "unknown-outcome",
    "protocol",
    "internal",
    "other",
];

impl Outcome {
    /// It was answered.
    pub const OK: Outcome = Outcome(0);

    /// Nobody waited for the answer any more.
    pub const CANCELLED: Outcome = Outcome(12);

    /// It was not.
    pub fn of(fault: &FaultKind) -> Outcome {
        use FaultKind::*;
        Outcome(match fault {
            Invalid => 1,
            Unsupported => 2,
            Unauthorized => 3,
            Forbidden => 4,
            NotFound => 5,
            Conflict => 6,
            Busy => 7,
            TooLarge => 8,
            Timeout => 9,
            Unavailable => 10,
            ShuttingDown => 11,
            Cancelled => 12,
            UnknownOutcome => 13,
            Protocol => 14,
            Internal => 15,
            Other(_) => 16,
        })
    }

    /// As it stands in logs: `ok`, or the fault's kind.
    pub fn name(self) -> &'static str {
        OUTCOMES.get(self.0).copied().unwrap_or("other")
    }
}

/// What operations have in common as to their time.
pub(crate) fn class_of(op: &Op) -> &'static str {
    match op {
        Op { urgent: true, .. } => "urgent",
        Op { long: true, .. } => "long",
        Op { changes: true, .. } => "change",
        _ => "look",
    }
}

pub(super) struct Requests {
    ended: Counters,
    host: Histograms,
    backend: Histograms,
    frontend: Histograms,
    asked_bytes: Counters,
    answered_bytes: Counters,
    /// By operation, frontend and backend, so that a request costs one look-up and no text.
    known: RwLock<HashMap<&'static str, Vec<Known>>>,
}

/// One way that an operation has gone.
struct Known {
    frontend: String,
    backend: String,
    meters: Arc<Meters>,
}

/// What is counted of one operation between a frontend and a backend.
struct Meters {
    /// Made when they first happen, so that what never happens is not shown.
    outcomes: [OnceLock<Counter>; OUTCOMES.len()],
    host: Histogram,
    backend: Histogram,
    asked_bytes: Counter,
    answered_bytes: Counter,
}

fn histogram() -> Histogram {
    Histogram::new(BOUNDS)
}

impl Requests {
    pub(super) fn new(book: &mut Book) -> Self {
        let new = Requests {
            ended: Counters::default(),
            host: Histograms::new_with_constructor(histogram),
            backend: Histograms::new_with_constructor(histogram),
            frontend: Histograms::new_with_constructor(histogram),
            asked_bytes: Counters::default(),
            answered_bytes: Counters::default(),
            known: RwLock::default(),
        };
        const ENDS: &[&str] = &["frontend", "backend"];
        const CLASS: &[&str] = &["class", "frontend", "backend"];
        book.counter(
            "patchbay_requests",
            &["op", "frontend", "backend", "outcome"],
            "Requests that have come to their end; the outcome is `ok` or the kind of the fault",
            new.ended.clone(),
        );
        book.histogram(
            "patchbay_request_host_seconds",
            CLASS,
            "Time that requests spent in the host, waiting for a login or the disk included; the class is look, \
             change, long, urgent or login",
            new.host.clone(),
        );
        book.histogram(
            "patchbay_request_backend_seconds",
            CLASS,
            "Time from the hand-over to the backend until its reply",
            new.backend.clone(),
        );
        book.histogram(
            "patchbay_request_frontend_seconds",
            &["frontend"],
            "Time from the hand-over of an answer until the frontend's task took it: how far the frontend is behind",
            new.frontend.clone(),
        );
        book.counter(
            "patchbay_request_bytes",
            ENDS,
            "Bytes of requests",
            new.asked_bytes.clone(),
        );
        book.counter(
            "patchbay_answer_bytes",
            ENDS,
            "Bytes of answers",
            new.answered_bytes.clone(),
        );
        new
    }

    pub(super) fn answered(&self, round: &Round<'_>) {
        let meters = self.find(round).unwrap_or_else(|| self.make(round));
        if let Some(counter) = meters.outcomes.get(round.outcome.0) {
            counter.get_or_init(|| self.ended_so(round)).inc();
        }
        meters.host.observe(round.host.as_secs_f64());
        if let Some(at_backend) = round.at_backend {
            meters.backend.observe(at_backend.as_secs_f64());
        }
        meters.asked_bytes.inc_by(round.asked_bytes as u64);
        meters.answered_bytes.inc_by(round.answered_bytes as u64);
    }

    fn find(&self, round: &Round<'_>) -> Option<Arc<Meters>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let of_op = known.get(round.op)?;
        let found = of_op
            .iter()
            .find(|known| known.frontend == round.frontend && known.backend == round.backend);
        found.map(|known| known.meters.clone())
    }

    fn make(&self, round: &Round<'_>) -> Arc<Meters> {
        let ends: Labels = vec![
            ("frontend", round.frontend.to_owned()),
            ("backend", round.backend.to_owned()),
        ];
        let mut class: Labels = vec![("class", round.class.to_owned())];
        class.extend(ends.iter().cloned());
        let meters = Arc::new(Meters {
            outcomes: std::array::from_fn(|_| OnceLock::new()),
            host: self.host.get_or_create_owned(&class),
            backend: self.backend.get_or_create_owned(&class),
            asked_bytes: self.asked_bytes.get_or_create_owned(&ends),
            answered_bytes: self.answered_bytes.get_or_create_owned(&ends),
        });
        let way = Known {
            frontend: round.frontend.to_owned(),
            backend: round.backend.to_owned(),
            meters: meters.clone(),
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(round.op).or_default().push(way);
        meters
    }

    fn ended_so(&self, round: &Round<'_>) -> Counter {
        let labels = vec![
            ("op", round.op.to_owned()),
            ("frontend", round.frontend.to_owned()),
            ("backend", round.backend.to_owned()),
            ("outcome", round.outcome.name().to_owned()),
        ];
        self.ended.get_or_create_owned(&labels)
    }

    pub(super) fn taken(&self, frontend: &str, seconds: &[f32]) {
        let labels = vec![("frontend", frontend.to_owned())];
        let histogram = self.frontend.get_or_create_owned(&labels);
        let sound = seconds
            .iter()
            .filter(|seconds| seconds.is_finite() && **seconds >= 0.0);
        sound.for_each(|seconds| histogram.observe(f64::from(*seconds)));
    }
}

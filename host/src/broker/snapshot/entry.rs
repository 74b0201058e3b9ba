//! One question: its last answer, who asks it at present, and who waits for that.

use super::Snapshots;
use super::shelf::Landed;
use super::variant::Variant;
use patchbay_abi::Buffer;
use std::time::{Duration, Instant};

/// The host asks by itself only for what somebody wanted this lately.
const LATELY: Duration = Duration::from_secs(10);

/// How often something was heard that may have changed the answers of one subject.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Heard {
    pub(super) touches: u64,
    /// Of a line that moved.
    pub(super) moves: u64,
}

/// A question, and its last answer.
pub(super) struct Entry {
    pub(super) variant: Variant,
    pub(super) kept: Kept,
    pub(super) flight: Option<Flight>,
    pub(super) waiting: Vec<Waiting>,
    /// When somebody asked last, and in which session.
    pub(super) wanted: Instant,
    pub(super) session: u64,
    /// When the host asked last by itself.
    pub(super) refreshed: Option<Instant>,
    /// Something was heard since that is worth asking again.
    pub(super) stirred: bool,
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// Of which life of the backend.
    pub(super) epoch: u64,
    pub(super) body: Buffer,
    /// When it was asked for.
    pub(super) asked: Instant,
    pub(super) heard: Heard,
}

/// The request whose answer is awaited.
pub(super) struct Flight {
    pub(super) token: u64,
    pub(super) asked: Instant,
}

/// A request that is answered when there is news, or when its patience ends.
pub(super) struct Waiting {
    pub(super) id: u64,
    /// It was sent itself, and waits for its own answer only.
    pub(super) was_sent: bool,
    /// What must have been heard before its answer was asked for.
    pub(super) touches: u64,
    pub(super) until: Instant,
}

/// Of a request that is on its way to the backend: its answer is to be kept.
#[derive(Debug, Clone)]
pub(in crate::broker) struct Look {
    pub(super) variant: Variant,
    /// What tells it from others.
    pub(super) token: u64,
    pub(super) asked: Instant,
    pub(super) heard: Heard,
    /// Its client wants, or may see, no old answer.
    pub(super) only_new: bool,
}

impl Entry {
    pub(super) fn new(variant: Variant, kept: Kept) -> Self {
        Entry {
            variant,
            kept,
            flight: None,
            waiting: Vec::new(),
            wanted: Instant::now(),
            session: 0,
            refreshed: None,
            stirred: false,
        }
    }

    pub(super) fn is_flight(&self, token: u64) -> bool {
        self.flight
            .as_ref()
            .is_some_and(|flight| flight.token == token)
    }

    pub(super) fn lands(&mut self, token: u64, kept: Kept) -> Landed {
        if self.is_flight(token) {
            self.flight = None;
        }
        if kept.epoch != self.kept.epoch || kept.asked >= self.kept.asked {
            self.kept = kept;
        }
        let touches = self.kept.heard.touches;
        let served = self.waiting.extract_if(.., |waiting| {
            !waiting.was_sent && waiting.touches <= touches
        });
        Landed {
            served: served.map(|waiting| waiting.id).collect(),
            alone: Vec::new(),
        }
    }

    /// Who waits for somebody else's answer.
    pub(super) fn unsent(&self) -> Vec<u64> {
        let unsent = self.waiting.iter().filter(|waiting| !waiting.was_sent);
        unsent.map(|waiting| waiting.id).collect()
    }

    /// When the host is to ask anew by itself.
    pub(super) fn refresh_at(
        &self,
        epoch: u64,
        limits: &Snapshots,
        now: Instant,
    ) -> Option<Instant> {
        let wanted = self.stirred
            && self.kept.epoch == epoch
            && self.flight.is_none()
            && now.saturating_duration_since(self.wanted) < LATELY;
        let next = |refreshed: Instant| refreshed + limits.interval;
        wanted.then(|| self.refreshed.map_or(now, next))
    }
}

impl Look {
    pub(in crate::broker) fn variant(&self) -> &Variant {
        &self.variant
    }

    pub(in crate::broker) fn op(&self) -> &'static str {
        self.variant.subject.op()
    }
}

impl Kept {
    /// Whether nothing was heard since that could have changed it, and it is young.
    pub(super) fn holds(&self, heard: Heard, limits: &Snapshots, now: Instant) -> bool {
        let age = self.age(now);
        self.heard.touches == heard.touches
            && (self.heard.moves == heard.moves || age <= limits.interval)
            && age <= limits.age
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.asked)
    }
}

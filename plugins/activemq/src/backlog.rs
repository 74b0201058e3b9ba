//! How much of what was answered the broker does not have yet, in bytes.
//!
//! A broker that is full does not refuse answers, it only stops to take them. Then new requests are refused; the answers to
//! those under way are kept, up to as much again, and above that only the fact that there was one. How many there are is
//! bounded by the requests that were taken.

use std::sync::atomic::{AtomicUsize, Ordering};

use patchbay_dialect_json::Form;
use patchbay_sdk::{Fault, FaultKind};

/// Shorter answers, in bytes, are always kept.
const SHORT: usize = 4_096;

/// See the module.
#[derive(Debug)]
pub struct Backlog {
    limit: usize,
    bytes: AtomicUsize,
}

impl Backlog {
    /// Full at `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: AtomicUsize::new(0),
        }
    }

    /// Whether no new requests should be taken.
    pub fn is_full(&self) -> bool {
        self.bytes() >= self.limit
    }

    /// What new requests are refused with.
    pub fn refusal() -> Fault {
        let text = "the broker takes no answers at the moment, so this request was not carried out; try again later";
        Fault::new(FaultKind::Busy, text)
    }

    /// That answer, or what stands in its place if it is too long to be kept for a broker that takes none.
    pub fn fit(&self, text: String, form: &Form) -> String {
        let all = self.bytes().saturating_add(text.len());
        if text.len() <= SHORT || self.bytes() == 0 || all <= self.limit.saturating_mul(2) {
            return text;
        }
        let length = text.len();
        let text = format!(
            "this request was carried out, but the broker takes no answers and this one, of {length} bytes, was too long to keep; look at the queue and the log"
        );
        form.failure(&Fault::new(FaultKind::UnknownOutcome, text))
    }

    /// An answer of that length is to be sent.
    pub fn add(&self, length: usize) {
        self.bytes.fetch_add(length, Ordering::Relaxed);
    }

    /// An answer of that length, which was added, is over.
    pub fn remove(&self, length: usize) {
        self.bytes.fetch_sub(length, Ordering::Relaxed);
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_may_bring_as_much_again_and_then_only_that_it_was_done() {
        let backlog = Backlog::new(10_000);
        let keep = |length: usize| {
            let text = backlog.fit("x".repeat(length), &Form::UNKNOWN);
            backlog.add(text.len());
            text
        };
        assert_eq!(keep(9_000).len(), 9_000);
        assert!(!backlog.is_full());
        assert_eq!(keep(9_000).len(), 9_000);
        assert!(backlog.is_full());
        let note = keep(9_000);
        assert!(note.len() < SHORT && note.contains("9000 bytes"), "{note}");
        assert_eq!(keep(SHORT).len(), SHORT);
        for length in [9_000, 9_000, note.len(), SHORT] {
            backlog.remove(length);
        }
        assert!(!backlog.is_full());
        assert_eq!(keep(100_000).len(), 100_000, "alone any answer is kept");
    }
}

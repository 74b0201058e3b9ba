//! Answers that the broker does not have yet: those that wait to be sent, and those without RECEIPT.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::delivery::Answer;

/// Answers without RECEIPT at a time.
const MAX_UNCONFIRMED: usize = 1_000;
/// An answer that was on its way at so many ends of the connection may be their cause.
const MAX_CUTS: u8 = 2;

/// See the module.
#[derive(Default)]
pub struct Pending {
    /// In the order in which they were made.
    waiting: VecDeque<Answer>,
    unconfirmed: BTreeMap<u64, Answer>,
    last_receipt: u64,
}

impl Pending {
    /// The receipt to ask for with the next answer.
    pub fn next_receipt(&mut self) -> u64 {
        self.last_receipt += 1;
        self.last_receipt
    }

    /// An answer was sent with that receipt.
    pub fn sent(&mut self, receipt: u64, answer: Answer) {
        self.unconfirmed.insert(receipt, answer);
    }

    /// An answer waits to be sent.
    pub fn wait(&mut self, answer: Answer) {
        let earlier = |other: &Answer| other.made <= answer.made;
        let place = self.waiting.partition_point(earlier);
        self.waiting.insert(place, answer);
    }

    /// Whether it must not be sent yet, because another one waits for the same client.
    pub fn is_behind_another(&self, answer: &Answer) -> bool {
        let reply_to = &answer.envelope.reply_to;
        let mut waiting = self.waiting.iter();
        waiting.any(|other| other.envelope.reply_to == *reply_to)
    }

    /// Takes out what that receipt is for.
    pub fn confirmed(&mut self, receipt: &str) -> Option<Answer> {
        self.unconfirmed.remove(&receipt.parse().ok()?)
    }

    /// Whether the broker has confirmed all that was sent.
    pub fn is_confirmed(&self) -> bool {
        self.unconfirmed.is_empty()
    }

    /// Whether a new answer may be sent: they wait until the suspects have had their turns.
    pub fn takes_more(&self) -> bool {
        self.unconfirmed.len() < MAX_UNCONFIRMED
            && !self.suspect_on_its_way()
            && !self.waiting.iter().any(is_suspect)
    }

    /// Takes out all that wait; those that cannot be sent come back by [`Pending::wait`].
    pub fn take_waiting(&mut self) -> VecDeque<Answer> {
        std::mem::take(&mut self.waiting)
    }

    /// What may have ended connections is sent when nothing else is on its way, and nothing else beside it.
    pub fn may_go(&self, answer: &Answer) -> bool {
        !self.suspect_on_its_way() && (self.unconfirmed.is_empty() || !is_suspect(answer))
    }

    /// What may have ended connections is on its way, alone.
    pub fn suspect_on_its_way(&self) -> bool {
        self.unconfirmed.len() == 1 && self.unconfirmed.values().all(is_suspect)
    }

    /// Whether the broker has kept us waiting for a RECEIPT for longer than `patience`.
    pub fn is_overdue(&self, patience: Duration) -> bool {
        let oldest = self.unconfirmed.values().next();
        oldest.is_some_and(|answer| answer.made.elapsed() > patience)
    }

    /// The connection has ended; what the broker has not confirmed waits for the next one. What was on its way too often
    /// comes out.
    pub fn cut(&mut self) -> Vec<Answer> {
        let mut suspects = Vec::new();
        for mut answer in std::mem::take(&mut self.unconfirmed).into_values() {
            if is_suspect(&answer) {
                suspects.push(answer);
            } else {
                answer.cuts += 1;
                self.wait(answer);
            }
        }
        suspects
    }

    /// Takes out those answers.
    pub fn take(&mut self, wanted: impl Fn(&Answer) -> bool) -> Vec<Answer> {
        let (waiting, rest): (VecDeque<_>, VecDeque<_>) =
            self.take_waiting().into_iter().partition(&wanted);
        self.waiting = rest;
        let unconfirmed = self.unconfirmed.extract_if(.., |_, answer| wanted(answer));
        waiting
            .into_iter()
            .chain(unconfirmed.map(|(_, answer)| answer))
            .collect()
    }
}

fn is_suspect(answer: &Answer) -> bool {
    answer.cuts >= MAX_CUTS
}

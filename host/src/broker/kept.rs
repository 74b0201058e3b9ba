//! What is kept in memory of each backend, as operators and metrics see it.

use super::Broker;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What is kept of one backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BackendKept {
    /// Its name in the configuration.
    pub id: String,
    /// Bytes of the events in its journal, binary data included.
    pub journal_bytes: usize,
    /// How many they are.
    pub journal_events: usize,
    /// Age of the oldest, in seconds.
    pub journal_oldest_s: f64,
    /// Frontends that read them.
    pub journal_readers: usize,
    /// The answers of which there is a snapshot.
    pub answers: Vec<KeptAnswer>,
}

/// An answer of which there is a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptAnswer {
    /// `status` or `log`.
    pub op: String,
    /// The arguments, as JSON.
    pub args: String,
    /// Its age, in seconds.
    pub age_s: f64,
    /// Its size.
    pub bytes: usize,
}

impl Broker {
    /// What is kept of each backend, in the order of the configuration.
    pub fn kept(&self) -> Vec<BackendKept> {
        let journals = self
            .present()
            .filter_map(|(at, seat)| Some((at, seat, seat.journal()?.extent())));
        let kept = journals.map(|(at, seat, journal)| BackendKept {
            id: seat.id().to_owned(),
            journal_bytes: journal.bytes,
            journal_events: journal.events,
            journal_oldest_s: journal.oldest.as_secs_f64(),
            journal_readers: journal.readers,
            answers: self.answers_kept(at),
        });
        kept.collect()
    }

    fn answers_kept(&self, seat: usize) -> Vec<KeptAnswer> {
        let state = self.lock();
        let shelf = state.shelves.get(&seat);
        shelf
            .map(|shelf| shelf.list(Instant::now()))
            .unwrap_or_default()
    }
}

//! How long answers waited until the task that had asked took them.

use patchbay_abi::head;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many are kept until they are reported; of more within that time these stand for all.
const MOST: usize = 1024;

/// What the host knows this by.
const NAME: &str = "answer_taken_seconds";

#[derive(Default)]
pub(crate) struct Taken(Mutex<Vec<f32>>);

impl Taken {
    pub(crate) fn note(&self, waited: Duration) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MOST {
            kept.push(waited.as_secs_f32());
        }
    }

    /// What was noted since the last time, if anything.
    pub(crate) fn report(&self) -> Option<head::Metric> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = std::mem::take(&mut *kept);
        let metric = head::Metric {
            counter: NAME.to_owned(),
            seconds,
            ..head::Metric::default()
        };
        (!metric.seconds.is_empty()).then_some(metric)
    }
}

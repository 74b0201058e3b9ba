//! What the observer and the sessions know together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::jobs::Jobs;
use crate::prompts::Prompts;

/// What is known of the daemon beyond what it says when asked.
#[derive(Debug)]
pub struct Known {
    jobs: Mutex<Jobs>,
    prompts: Mutex<Prompts>,
    look: Notify,
    reading: watch::Sender<Reading>,
}

/// Whether the events are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Not yet.
    NotYet,
    /// What happens from now on is told.
    Yes,
    /// They cannot be read at present.
    No,
}

impl Known {
    /// Nothing yet; at most `jobs_most` jobs will be remembered.
    #[must_use]
    pub fn new(jobs_most: usize) -> Arc<Self> {
        Arc::new(Self {
            jobs: Mutex::new(Jobs::new(jobs_most)),
            prompts: Mutex::default(),
            look: Notify::new(),
            reading: watch::Sender::new(Reading::NotYet),
        })
    }

    /// The jobs; never to be held across an await.
    pub fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The prompts; never to be held across an await.
    pub fn prompts(&self) -> MutexGuard<'_, Prompts> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the events are read has changed.
    pub fn set_reading(&self, reading: Reading) {
        self.reading.send_replace(reading);
    }

    /// Waits until it is known whether the events can be read, so that whoever comes first misses none of them.
    pub async fn tried_reading(&self) {
        let mut reading = self.reading.subscribe();
        // An error would mean that we are gone.
        let _ = reading
            .wait_for(|reading| *reading != Reading::NotYet)
            .await;
    }

    /// Something was done past the model, so that the daemon is to be looked at again.
    pub fn look_again(&self) {
        self.look.notify_one();
    }

    /// Waits until the daemon is to be looked at again.
    pub async fn wanted(&self) {
        self.look.notified().await;
    }
}

//! Places of which there are only so many.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many places.
#[derive(Debug)]
pub struct Places {
    most: usize,
    free: Arc<Semaphore>,
}

/// One of them; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// All of them free.
    pub fn new(most: usize) -> Self {
        Places {
            most,
            free: Arc::new(Semaphore::new(most)),
        }
    }

    /// A place, if there is one.
    pub fn take(&self) -> Option<Place> {
        let permit = self.free.clone().try_acquire_owned().ok()?;
        Some(Place { _permit: permit })
    }

    /// How many there are.
    pub fn most(&self) -> usize {
        self.most
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.most.saturating_sub(self.free.available_permits())
    }

    /// Waits until all of them are free.
    pub async fn all_free(&self) {
        let most = u32::try_from(self.most).unwrap_or(u32::MAX);
        // It is never closed.
        let _ = self.free.acquire_many(most).await;
    }
}

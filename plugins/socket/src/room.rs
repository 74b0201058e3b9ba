//! Room for what waits until its client takes it, in bytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is no longer takes up no room, in bytes: their number is bounded, and a short answer gets out in any case.
const SHORT: usize = 1 << 10;

/// So many bytes, for all connections together.
#[derive(Debug)]
pub struct Room {
    most: usize,
    free: Arc<Semaphore>,
}

/// What something takes up, until this is dropped.
#[derive(Debug, Default)]
pub struct Share {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// All of it free.
    pub fn new(bytes: usize) -> Self {
        let most = bytes.min(Semaphore::MAX_PERMITS);
        Room {
            most,
            free: Arc::new(Semaphore::new(most)),
        }
    }

    /// The longest that is ever given room, in bytes.
    pub fn longest(&self) -> usize {
        self.most / 2
    }

    /// Room for so many bytes, if there is enough. It is half of what is free at the most, so that a few long answers leave
    /// room for many shorter ones.
    pub fn take(&self, length: usize) -> Option<Share> {
        if length <= SHORT {
            return Some(Share::default());
        }
        if length > self.free.available_permits() / 2 {
            return None;
        }
        let length = u32::try_from(length).ok()?;
        let permit = self.free.clone().try_acquire_many_owned(length).ok()?;
        Some(Share {
            _permit: Some(permit),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ones_leave_room_for_shorter_ones_and_short_ones_need_none() {
        let room = Room::new(100_000);
        assert!(room.take(50_001).is_none());
        let first = room.take(50_000).unwrap();
        assert!(room.take(30_000).is_none());
        let shares: Vec<_> = std::iter::from_fn(|| room.take(2_000)).collect();
        assert!(shares.len() > 10);
        assert!(room.take(SHORT).is_some());
        drop((first, shares));
        assert!(room.take(room.longest()).is_some());
    }
}

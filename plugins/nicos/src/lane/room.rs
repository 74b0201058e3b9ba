//! Room for events that wait.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::frame::EventFrame;

/// What an event takes beside its bytes, roughly: however short they are, not too many can wait.
const EACH: usize = 256;

/// A number of bytes that events may take while they wait.
#[derive(Debug, Clone)]
pub struct Room {
    free: Arc<Semaphore>,
    bytes: u32,
}

/// A part of a room; dropping it gives it back.
#[derive(Debug)]
pub struct Held(#[allow(dead_code, reason = "held for its end")] OwnedSemaphorePermit);

impl Room {
    /// Room for so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        // A semaphore on 32 bits cannot count more.
        let most = Semaphore::MAX_PERMITS.min(u32::MAX as usize);
        let bytes = u32::try_from(bytes.min(most)).unwrap_or(u32::MAX);
        Self {
            free: Arc::new(Semaphore::new(bytes as usize)),
            bytes,
        }
    }

    /// Waits until there is room for an event of this length; a longer one than ever finds room takes it all.
    /// `None` never comes: the room is not closed.
    pub(super) async fn take(&self, length: usize) -> Option<Held> {
        let free = Arc::clone(&self.free);
        free.acquire_many_owned(self.share(length))
            .await
            .ok()
            .map(Held)
    }

    /// Room for an event of this length, if there is any.
    pub(super) fn try_take(&self, length: usize) -> Option<Held> {
        let free = Arc::clone(&self.free);
        free.try_acquire_many_owned(self.share(length))
            .ok()
            .map(Held)
    }

    fn share(&self, length: usize) -> u32 {
        u32::try_from(length.saturating_add(EACH)).map_or(self.bytes, |share| share.min(self.bytes))
    }
}

/// The bytes of an event.
pub(super) fn length(event: &EventFrame) -> usize {
    match event {
        EventFrame::Event { payload, blobs, .. } => {
            let blobs = blobs.iter().map(|blob| blob.len().saturating_add(EACH));
            blobs.fold(payload.len(), usize::saturating_add)
        }
        EventFrame::Oversized { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_event_waits_until_others_have_gone_and_one_beyond_all_room_takes_it_all() {
        let room = Room::new(3 * EACH);
        let first = room.take(EACH).await.unwrap();
        assert!(room.try_take(EACH).is_none());
        let second = room.take(0).await.unwrap();
        assert!(room.try_take(0).is_none());
        drop((first, second));
        let all = room.take(usize::MAX).await.unwrap();
        assert!(room.try_take(0).is_none());
        drop(all);
        assert!(room.try_take(0).is_some());
    }
}

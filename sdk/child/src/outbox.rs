//! What waits until a program reads it.
//!
//! Bounded in bytes, by the room that each line takes up until it is written. A line of which nothing was written yet can
//! be taken back. Urgent lines go first; they, and the few that keep the conversation going, need no room: their number is
//! bounded by that of the requests, that of emergency stops by the host.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError};
use zeroize::Zeroizing;

/// One message as bytes, with its newline.
pub(crate) type Bytes = Zeroizing<Vec<u8>>;

pub(crate) struct Outbox {
    lanes: Mutex<Lanes>,
    news: Notify,
    room: Arc<Semaphore>,
    most: usize,
}

#[derive(Default)]
struct Lanes {
    urgent: VecDeque<Line>,
    ordinary: VecDeque<Line>,
    closed: bool,
}

struct Line {
    /// The request that it asks, which can be taken back; 0 if it is none.
    request: u64,
    bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Why a line was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// The program does not read what is there already.
    Full,
    /// It is gone, or going.
    Closed,
}

/// Which way a line goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Past all others.
    Urgent,
    /// In its order.
    Ordinary,
}

impl Outbox {
    pub(crate) fn new(most: usize) -> Self {
        Outbox {
            lanes: Mutex::default(),
            news: Notify::new(),
            room: Arc::new(Semaphore::new(most)),
            most,
        }
    }

    /// A panic elsewhere leaves them whole.
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the line of a request, if there is room.
    pub(crate) fn ask(&self, request: u64, bytes: Bytes) -> Result<(), NotTaken> {
        let room = self
            .room
            .clone()
            .try_acquire_many_owned(self.needed(&bytes));
        let room = Some(room.map_err(|error| match error {
            TryAcquireError::NoPermits => NotTaken::Full,
            TryAcquireError::Closed => NotTaken::Closed,
        })?);
        self.put(Lane::Ordinary, request, bytes, room)
    }

    /// Takes a line without regard to room.
    pub(crate) fn force(&self, lane: Lane, request: u64, bytes: Bytes) -> Result<(), NotTaken> {
        self.put(lane, request, bytes, None)
    }

    /// Takes a line as soon as there is room.
    pub(crate) async fn wait(&self, bytes: Bytes) -> Result<(), NotTaken> {
        let room = self.room.clone().acquire_many_owned(self.needed(&bytes));
        let room = Some(room.await.map_err(|_| NotTaken::Closed)?);
        self.put(Lane::Ordinary, 0, bytes, room)
    }

    /// A line that is longer than all the room needs all of it.
    fn needed(&self, bytes: &Bytes) -> u32 {
        u32::try_from(bytes.len().min(self.most)).unwrap_or(u32::MAX)
    }

    fn put(
        &self,
        lane: Lane,
        request: u64,
        bytes: Bytes,
        room: Option<OwnedSemaphorePermit>,
    ) -> Result<(), NotTaken> {
        let mut lanes = self.lanes();
        if lanes.closed {
            return Err(NotTaken::Closed);
        }
        let line = Line {
            request,
            bytes,
            _room: room,
        };
        match lane {
            Lane::Urgent => lanes.urgent.push_back(line),
            Lane::Ordinary => lanes.ordinary.push_back(line),
        }
        self.news.notify_one();
        Ok(())
    }

    /// Takes a request back of which nothing was written yet; whether that was so.
    pub(crate) fn take_back(&self, request: u64) -> bool {
        let mut lanes = self.lanes();
        let Lanes {
            urgent, ordinary, ..
        } = &mut *lanes;
        [urgent, ordinary].into_iter().any(|lane| {
            let at = lane.iter().position(|line| line.request == request);
            at.and_then(|at| lane.remove(at)).is_some()
        })
    }

    /// Takes no more; the requests of which nothing was written.
    pub(crate) fn close(&self) -> Vec<u64> {
        let mut lanes = self.lanes();
        lanes.closed = true;
        self.room.close();
        self.news.notify_one();
        let Lanes {
            urgent, ordinary, ..
        } = &mut *lanes;
        let lines = urgent.drain(..).chain(ordinary.drain(..));
        lines.map(|line| line.request).collect()
    }

    /// Takes no more; what is there is still written.
    pub(crate) fn finish(&self) {
        self.lanes().closed = true;
        self.room.close();
        self.news.notify_one();
    }

    /// The next line to write, for the only one who does; `None` when there will be none.
    pub(crate) async fn next(&self) -> Option<Written> {
        loop {
            {
                let mut lanes = self.lanes();
                let next = lanes.urgent.pop_front();
                match next.or_else(|| lanes.ordinary.pop_front()) {
                    Some(line) => return Some(Written(line)),
                    None if lanes.closed => return None,
                    None => {}
                }
            }
            self.news.notified().await;
        }
    }
}

/// A line that is being written; it takes up its room until it is dropped.
pub(crate) struct Written(Line);

impl Written {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Bytes {
        Zeroizing::new(text.as_bytes().to_vec())
    }

    async fn next(outbox: &Outbox) -> Option<Vec<u8>> {
        outbox.next().await.map(|line| line.bytes().to_vec())
    }

    #[tokio::test]
    async fn urgent_lines_go_first_and_need_no_room() {
        let outbox = Outbox::new(4);
        outbox.ask(1, line("abc")).unwrap();
        assert_eq!(outbox.ask(2, line("de")), Err(NotTaken::Full));
        outbox.force(Lane::Urgent, 3, line("now!")).unwrap();
        assert_eq!(next(&outbox).await.unwrap(), b"now!");
        assert_eq!(next(&outbox).await.unwrap(), b"abc");
        outbox.ask(2, line("more than all the room")).unwrap();
        assert_eq!(outbox.ask(4, line("x")), Err(NotTaken::Full));
    }

    #[tokio::test]
    async fn what_is_not_written_yet_can_be_taken_back_and_is_known_at_the_end() {
        let outbox = Outbox::new(100);
        for request in 1..=3 {
            outbox.ask(request, line("x")).unwrap();
        }
        drop(outbox.next().await);
        assert!(!outbox.take_back(1), "it is written");
        assert!(outbox.take_back(2));
        assert_eq!(outbox.close(), [3]);
        assert_eq!(outbox.ask(4, line("x")), Err(NotTaken::Closed));
        assert_eq!(outbox.wait(line("x")).await, Err(NotTaken::Closed));
        assert!(outbox.next().await.is_none());
    }

    #[tokio::test]
    async fn who_waits_for_room_gets_it_when_a_line_is_written() {
        let outbox = Outbox::new(2);
        outbox.ask(1, line("ab")).unwrap();
        let writing = async { drop(outbox.next().await) };
        let (waited, ()) = tokio::join!(outbox.wait(line("cd")), writing);
        assert_eq!(waited, Ok(()));
    }
}

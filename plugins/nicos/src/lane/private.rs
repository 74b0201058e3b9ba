//! Events that are for one client only.
//!
//! NICOS sends them to the connection that evaluates something at that moment, or else to the one that submitted the
//! running script. Whose code it was is then known in one of three ways, which is what [`Whose`] says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::room::{Held, Room};

/// An event that is for one client only.
#[derive(Debug)]
pub struct Private {
    /// Whose login's connection it came by; none for one that runs nobody's commands.
    pub user: Option<String>,
    /// The session whose command caused it, where the connection knows that.
    pub session: Option<u64>,
    /// Its number.
    pub code: u16,
    /// Its pickled content.
    pub payload: Bytes,
    /// The room that it takes while it waits, if that is not somebody else's.
    pub room: Option<Held>,
}

/// A way for private events, of which at most this many bytes wait: what finds no room is counted and dropped.
#[must_use]
pub fn privates(bytes: usize) -> (PrivateSender, PrivateReceiver) {
    // What waits is bounded by the room that it holds.
    let (to, from) = mpsc::unbounded_channel();
    let dropped = Arc::new(AtomicU64::new(0));
    let sender = PrivateSender {
        to,
        room: Room::new(bytes),
        dropped: Arc::clone(&dropped),
    };
    (sender, PrivateReceiver { from, dropped })
}

/// Where private events go in.
#[derive(Debug, Clone)]
pub struct PrivateSender {
    to: mpsc::UnboundedSender<Private>,
    room: Room,
    dropped: Arc<AtomicU64>,
}

/// Where private events come out.
#[derive(Debug)]
pub struct PrivateReceiver {
    from: mpsc::UnboundedReceiver<Private>,
    dropped: Arc<AtomicU64>,
}

impl PrivateSender {
    /// Hands it on without waiting: the daemon must not be kept waiting for who is slow to read.
    pub fn send(&self, private: Private) {
        let room = self.room.try_take(private.payload.len());
        let private = Private { room, ..private };
        if private.room.is_none() || self.to.send(private).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl PrivateReceiver {
    /// The next one; `None` when there can be no more.
    pub async fn recv(&mut self) -> Option<Private> {
        self.from.recv().await
    }

    /// How many were dropped since this was last asked.
    #[must_use]
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

/// Whose the private events of a lane are.
#[derive(Debug, Clone)]
pub enum Whose {
    /// Of who submitted the running script.
    Submitter,
    /// Of the only client that the login has.
    Client(u64),
    /// Of whoever's command the lane runs, or has run last.
    Caller(Caller),
}

/// The session whose command a lane runs, or has run last.
#[derive(Debug, Clone, Default)]
pub struct Caller(Arc<Mutex<Option<u64>>>);

impl Caller {
    fn set(&self, session: Option<u64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = session;
    }

    fn get(&self) -> Option<u64> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a lane's private events go, and whose they are.
#[derive(Debug, Clone)]
pub struct PrivateFeed {
    /// The login's name.
    pub user: String,
    /// Whose they are.
    pub whose: Whose,
    /// Where they go.
    pub to: PrivateSender,
}

impl PrivateFeed {
    /// The lane is about to send a command of this session.
    pub(super) fn called(&self, session: Option<u64>) {
        if let Whose::Caller(caller) = &self.whose {
            caller.set(session);
        }
    }

    pub(super) fn send(&self, code: u16, payload: Bytes) {
        let session = match &self.whose {
            Whose::Submitter => None,
            Whose::Client(session) => Some(*session),
            Whose::Caller(caller) => caller.get(),
        };
        self.to.send(Private {
            user: Some(self.user.clone()),
            session,
            code,
            payload,
            room: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn more_than_can_wait_are_dropped_and_counted_once() {
        // Each takes a little more than its bytes.
        let (sender, mut receiver) = privates(10 * 1000);
        let feed = PrivateFeed {
            user: "u".into(),
            whose: Whose::Client(7),
            to: sender,
        };
        let send = |count| (0..count).for_each(|_| feed.send(0x100f, Bytes::from(vec![0; 900])));
        send(8 + 3);
        assert_eq!((receiver.take_dropped(), receiver.take_dropped()), (3, 0));
        for _ in 0..8 {
            assert_eq!(receiver.recv().await.unwrap().session, Some(7));
        }
        // Whatever is done with, leaves its room to others.
        send(8);
        assert_eq!(receiver.take_dropped(), 0);
        for _ in 0..8 {
            receiver.recv().await.unwrap();
        }
        drop(feed);
        assert!(receiver.recv().await.is_none());
    }
}

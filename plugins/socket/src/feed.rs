//! The backend's events on their way to whoever has subscribed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use patchbay_dialect_json::{Since, Subscription};
use patchbay_sdk::{EventKind, Events, Fault, Gateway, GatewayEvent, by_size};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::outgoing::Outgoing;
use crate::ring::{Batch, Ring, event_line};
use crate::room::Room;

/// How long clients are kept waiting for the events of before the start.
const TAKE_UP: Duration = Duration::from_secs(5);

/// So long subscribers are left alone after they were told of events: to be told wakes each of them, and is a write for
/// each. What comes after a silence is told at once.
const REST: Duration = Duration::from_millis(5);

/// Each event is written as a line once, and kept in one ring for all.
pub struct Feed {
    gateway: Gateway,
    ring: Mutex<Ring>,
    news: watch::Sender<()>,
    private: Mutex<HashMap<u64, Listener>>,
    /// For private events, which are not kept in the ring.
    room: Arc<Room>,
}

/// Where private events of a session go.
struct Listener {
    to: mpsc::Sender<Outgoing>,
    what: Subscription,
}

/// As long as it lives, a session gets its private events.
pub struct Membership {
    feed: Arc<Feed>,
    session: u64,
}

/// Where a subscriber is.
#[derive(Debug)]
pub struct Follower {
    seen: Since,
    what: Subscription,
    news: watch::Receiver<()>,
    /// There may be something for it that it was not woken for.
    behind: bool,
}

impl Feed {
    /// One that keeps so many bytes of events, the first of which is that after `start`.
    pub fn new(gateway: Gateway, bytes: usize, room: Arc<Room>, start: Since) -> Self {
        Feed {
            gateway,
            ring: Mutex::new(Ring::new(bytes, start)),
            news: watch::Sender::new(()),
            private: Mutex::default(),
            room,
        }
    }

    /// Takes events until there are none. It waits for no client.
    pub async fn run(self: Arc<Self>, mut events: Events) {
        let (mut untold, mut rest) = (false, Instant::now());
        loop {
            let next = match untold {
                true => timeout_at(rest, events.next()).await,
                false => Ok(events.next().await),
            };
            match next {
                Ok(Some(event)) => untold |= self.take(event).await,
                Ok(None) => return self.tell(),
                Err(_) => {}
            }
            if untold && Instant::now() >= rest {
                self.tell();
                (untold, rest) = (false, Instant::now() + REST);
            }
        }
    }

    /// Takes the events up to that number, so that a client which was connected before this frontend was restarted can go
    /// on where it was. The host has them all, and hands them out at once.
    pub async fn take_up(&self, events: &mut Events, last: Since) {
        let all = async {
            while self.end() < last {
                match events.next().await {
                    Some(event) => _ = self.take(event).await,
                    None => return,
                }
            }
        };
        if timeout(TAKE_UP, all).await.is_err() {
            tracing::warn!(
                "the events of before were not all handed out in time; the rest comes by and by"
            );
        }
    }

    /// Whether subscribers have to be told of it.
    async fn take(&self, event: GatewayEvent) -> bool {
        let (at, kind, session) = (number(&event), event.kind.clone(), event.session);
        let Some(line) = write(event).await else {
            self.gateway.count("events_dropped", 1);
            tracing::error!(seq = at.seq, "an event could not be written");
            return false;
        };
        match session {
            Some(session) => self.whisper(session, kind, line),
            None => lock(&self.ring).push(at, kind, line),
        }
        session.is_none()
    }

    /// Wakes the subscribers, who then look at what there is.
    fn tell(&self) {
        self.news.send_replace(());
    }

    fn whisper(&self, session: u64, kind: EventKind, line: Bytes) {
        let listeners = lock(&self.private);
        let listener = listeners
            .get(&session)
            .filter(|listener| listener.what.wants(&kind));
        let sent = listener.and_then(|listener| {
            let share = self.room.take(line.len())?;
            listener.to.try_send(Outgoing::Event(line, share)).ok()
        });
        if sent.is_none() {
            self.gateway.count("private_events_dropped", 1);
            tracing::debug!(session, "a private event found nobody to take it");
        }
    }

    /// The number of the last event.
    pub fn end(&self) -> Since {
        lock(&self.ring).end()
    }

    /// A subscriber who has seen the events up to that number.
    pub fn follow(&self, seen: Since, what: Subscription) -> Follower {
        Follower {
            seen,
            what,
            news: self.news.subscribe(),
            behind: true,
        }
    }

    /// Private events of that session go `to` its connection from now on.
    pub fn join(
        self: &Arc<Self>,
        session: u64,
        to: mpsc::Sender<Outgoing>,
        what: Subscription,
    ) -> Membership {
        lock(&self.private).insert(session, Listener { to, what });
        Membership {
            feed: self.clone(),
            session,
        }
    }

    /// Gathers what there is for a subscriber, until the batch is full.
    ///
    /// # Errors
    /// As [`Ring::read`].
    pub fn gather(&self, follower: &mut Follower, batch: &mut Batch) -> Result<(), Fault> {
        // What is told from now on wakes it again.
        follower.news.mark_unchanged();
        let ring = lock(&self.ring);
        ring.read(&mut follower.seen, &follower.what, batch)?;
        follower.behind = ring.has_news(follower.seen);
        drop(ring);
        if batch.gaps > 0 {
            self.gateway.count("event_gaps", batch.gaps);
            tracing::debug!("a subscriber has missed events");
            batch.gaps = 0;
        }
        Ok(())
    }
}

impl Follower {
    /// Waits until there may be something; for ever, when there will be no more.
    pub async fn news(&mut self) {
        if !self.behind && self.news.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        lock(&self.feed.private).remove(&self.session);
    }
}

fn number(event: &GatewayEvent) -> Since {
    Since {
        epoch: event.epoch,
        seq: event.seq,
    }
}

/// Pictures are encoded on a thread of their own, so that they hold up nobody.
async fn write(event: GatewayEvent) -> Option<Bytes> {
    let length = event.blobs.iter().map(|blob| blob.len()).sum();
    by_size(length, move || event_line(&event)).await.ok()
}

/// A panic elsewhere leaves these whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

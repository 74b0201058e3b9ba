//! The events of one backend: numbered, kept for a while, handed out against credit.

use super::Place;
use super::gap::gap;
use patchbay_abi::{Buffer, Delivery, Kind, Message, Port, head};
use prometheus_client::metrics::counter::Counter;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What an event costs beside its head and body, in bytes, so that empty ones are not free.
const OVERHEAD: usize = 128;

/// Credit that one reader can pile up, in events.
const MOST_CREDIT: u32 = 65_536;

/// The number of the first event of a life. A reader whose next one is 0 has yet to be told of it.
const FIRST: u64 = 1;

/// A bounded ring of events, and who reads them.
pub(crate) struct Journal {
    ring: Mutex<Ring>,
}

/// How much is kept.
#[derive(Clone, Copy, Default)]
struct Room {
    bytes: usize,
    age: Duration,
}

#[derive(Default)]
struct Ring {
    room: Room,
    /// What a life tells that begins beside the present one.
    coming: Option<Box<Ring>>,
    epoch: u64,
    /// The number that the next event gets.
    next: u64,
    kept: VecDeque<Kept>,
    bytes: usize,
    readers: Vec<Reader>,
}

struct Kept {
    seq: u64,
    at: Instant,
    message: Message,
}

pub(super) struct Reader {
    at: Place,
    port: Port,
    credit: u32,
    /// The number of the event that it gets next.
    next: u64,
    gaps: Counter,
}

impl Journal {
    pub(super) fn new(bytes: usize, age: Duration) -> Self {
        let room = Room { bytes, age };
        let ring = Ring {
            room,
            ..Ring::default()
        };
        Journal {
            ring: Mutex::new(ring),
        }
    }

    /// How much is kept from now on.
    pub(super) fn keep(&self, bytes: usize, age: Duration) {
        let mut ring = self.lock();
        ring.room = Room { bytes, age };
        ring.trim();
    }

    /// The instance is never used again: nothing is kept, nobody reads.
    pub(super) fn clear(&self) {
        *self.lock() = Ring::default();
    }

    /// A life begins beside the present one: what it tells is kept until it is its turn.
    pub(super) fn prepare(&self, epoch: u64) {
        let mut ring = self.lock();
        ring.coming = Some(Box::new(Ring::of(epoch, ring.room)));
    }

    /// A frontend is handed events under this lock. That is safe: taking one is only an enqueue,
    /// and what a frontend says meanwhile (a log line) does not come back here.
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The backend begins a new life: numbers start again, and every reader learns of it.
    pub(super) fn begin(&self, epoch: u64) {
        let mut ring = self.lock();
        let readers = std::mem::take(&mut ring.readers);
        let coming = ring.coming.take().filter(|coming| coming.epoch == epoch);
        *ring = coming.map_or_else(|| Ring::of(epoch, ring.room), |coming| *coming);
        ring.readers = readers;
        ring.readers.iter_mut().for_each(|reader| reader.next = 0);
        ring.hand_out();
    }

    pub(super) fn subscribe(&self, at: Place, port: Port, gaps: Counter) {
        let mut ring = self.lock();
        let next = ring.next;
        ring.readers.retain(|reader| reader.at.seat != at.seat);
        ring.readers.push(Reader {
            at,
            port,
            credit: 0,
            next,
            gaps,
        });
    }

    /// How many events are kept, and what they cost.
    pub(super) fn size(&self) -> (usize, usize) {
        let ring = self.lock();
        (ring.kept.len(), ring.bytes)
    }

    pub(super) fn unsubscribe(&self, at: Place) {
        self.lock().readers.retain(|reader| reader.at != at);
    }

    /// Gives up the reader of that frontend, to be taken in elsewhere.
    pub(super) fn release(&self, frontend: usize) -> Option<Reader> {
        let mut ring = self.lock();
        let position = ring
            .readers
            .iter()
            .position(|reader| reader.at.seat == frontend)?;
        Some(ring.readers.remove(position))
    }

    /// Takes in a reader of another journal: it learns that a new epoch has begun for it, and reads
    /// from here on.
    pub(super) fn adopt(&self, mut reader: Reader) {
        let mut ring = self.lock();
        reader.next = match ring.epoch {
            0 => 0,
            epoch => {
                let last = ring.next - 1;
                match reader.port.deliver(gap(epoch, 0, last)) {
                    Delivery::Taken => ring.next,
                    // It has no room now; with new credit it is told by reading from the beginning.
                    _ => 0,
                }
            }
        };
        ring.readers.push(reader);
        ring.hand_out();
    }

    pub(super) fn credit(&self, at: Place, events: u32) {
        let mut ring = self.lock();
        for reader in ring.readers.iter_mut().filter(|reader| reader.at == at) {
            reader.credit = reader.credit.saturating_add(events).min(MOST_CREDIT);
        }
        ring.hand_out();
    }

    /// Numbers an event, hands it out and keeps it.
    pub(super) fn append(&self, event: Told) {
        let mut whole = self.lock();
        let Some(ring) = whole.of_epoch(event.epoch) else {
            return;
        };
        let seq = ring.next;
        let message = event.into_message(seq);
        ring.next += 1;
        ring.bytes += message.weight() + OVERHEAD;
        ring.kept.push_back(Kept {
            seq,
            at: Instant::now(),
            message,
        });
        // In this order, so that even one larger than the ring reaches those who have room for it.
        ring.hand_out();
        ring.trim();
    }

    /// Something that the host itself has to tell; nobody hears of it while the backend has not begun to live.
    pub(super) fn tell(&self, kind: &str, body: String) {
        let epoch = self.lock().epoch;
        let head = head::Event {
            epoch,
            seq: 0,
            time: 0.0,
            kind: kind.to_owned(),
            job: None,
            session: None,
        };
        if epoch != 0 {
            self.append(Told {
                epoch,
                head,
                body: Buffer::from(body),
                blobs: Vec::new(),
            });
        }
    }

    /// Leaves out so many numbers: readers learn of a gap. What is kept has no holes, and so begins anew.
    pub(super) fn skip(&self, epoch: u64, events: u64) {
        if let Some(ring) = self.lock().of_epoch(epoch) {
            ring.next += events;
            ring.kept.clear();
            ring.bytes = 0;
            ring.hand_out();
        }
    }

    /// Hands an event to one reader only, without a number of its own, so that the others miss
    /// none; whether it was taken. It is not kept.
    pub(super) fn whisper(&self, to: Place, event: Told) -> bool {
        let mut ring = self.lock();
        if ring.epoch != event.epoch {
            return false;
        }
        let next = ring.next;
        let up_to_date =
            |reader: &&mut Reader| reader.at == to && reader.next == next && reader.credit > 0;
        let Some(reader) = ring.readers.iter_mut().find(up_to_date) else {
            return false;
        };
        let taken = reader.port.deliver(event.into_message(next - 1)) == Delivery::Taken;
        reader.credit -= u32::from(taken);
        taken
    }
}

/// What a backend told, in one of its lives.
pub(super) struct Told {
    pub(super) epoch: u64,
    pub(super) head: head::Event,
    pub(super) body: Buffer,
    pub(super) blobs: Vec<Buffer>,
}

impl Told {
    fn into_message(self, seq: u64) -> Message {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let head = head::Event {
            epoch: self.epoch,
            seq,
            time: now.map_or(0.0, |since| since.as_secs_f64()),
            ..self.head
        };
        Message {
            body: self.body,
            ..Message::new(Kind::EVENT, 0, &head)
        }
        .blobs(self.blobs)
    }
}

impl Ring {
    fn of(epoch: u64, room: Room) -> Self {
        Ring {
            room,
            epoch,
            next: FIRST,
            ..Ring::default()
        }
    }

    /// The ring of that life: this one, or the one that is about to take its place.
    fn of_epoch(&mut self, epoch: u64) -> Option<&mut Ring> {
        match self
            .coming
            .as_ref()
            .is_some_and(|coming| coming.epoch == epoch)
        {
            true => self.coming.as_deref_mut(),
            false => (self.epoch == epoch).then_some(self),
        }
    }

    fn trim(&mut self) {
        let Room { bytes, age } = self.room;
        while let Some(oldest) = self.kept.front() {
            if self.bytes <= bytes && oldest.at.elapsed() <= age {
                break;
            }
            self.bytes -= oldest.message.weight() + OVERHEAD;
            self.kept.pop_front();
        }
    }

    fn hand_out(&mut self) {
        let (epoch, next, kept) = (self.epoch, self.next, &self.kept);
        for reader in &mut self.readers {
            reader.catch_up(epoch, next, kept);
        }
    }
}

impl Reader {
    fn catch_up(&mut self, epoch: u64, next: u64, kept: &VecDeque<Kept>) {
        while epoch != 0 && self.credit > 0 && self.next < next {
            let oldest = kept.front().map_or(next, |kept| kept.seq);
            let (message, then) = match self.next < oldest {
                true => (gap(epoch, self.next, oldest - 1), oldest),
                false => match kept.get((self.next - oldest) as usize) {
                    Some(event) => (event.message.clone(), self.next + 1),
                    None => return,
                },
            };
            if self.port.deliver(message) != Delivery::Taken {
                // It has no room although it gave credit, or it is gone: with new credit it gets
                // this event again.
                self.credit = 0;
                return;
            }
            if self.next.max(FIRST) < oldest {
                self.gaps.inc();
            }
            self.next = then;
            self.credit -= 1;
        }
    }
}

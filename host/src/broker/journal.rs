//! The events of one backend: numbered, kept for a while, handed out against credit.

mod events;
mod reader;

use super::Place;
use events::Told;
use patchbay_abi::{Delivery, Message, Port, head};
pub(super) use reader::Reader;
use reader::{Gap, Telling};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What an event costs beside its head and body, in bytes, so that empty ones are not free.
const OVERHEAD: usize = 128;

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

/// What there is, as seen from outside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) bytes: usize,
    pub(super) events: usize,
    /// Age of the oldest.
    pub(super) oldest: Duration,
    pub(super) readers: usize,
}

struct Kept {
    seq: u64,
    at: Instant,
    message: Message,
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
    /// and what a frontend says meanwhile (a log line) does not come back here. The broker's state
    /// may be locked under it, never the other way round.
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The backend begins a new life: numbers start again, and every reader learns of it.
    pub(super) fn begin(&self, epoch: u64, telling: &mut Telling<'_>) {
        let mut ring = self.lock();
        let readers = std::mem::take(&mut ring.readers);
        let coming = ring.coming.take().filter(|coming| coming.epoch == epoch);
        *ring = coming.map_or_else(|| Ring::of(epoch, ring.room), |coming| *coming);
        ring.readers = readers;
        ring.readers.iter_mut().for_each(|reader| reader.next = 0);
        ring.hand_out(telling);
    }

    /// A frontend reads from here on, or from after the event that it has seen last; where this
    /// backend is.
    pub(super) fn subscribe(
        &self,
        at: Place,
        port: Port,
        since: Option<head::Since>,
    ) -> head::Position {
        let mut ring = self.lock();
        ring.trim();
        let next = since.map_or(ring.next, |since| ring.after(since));
        ring.readers.retain(|reader| reader.at.seat != at.seat);
        ring.readers.push(Reader::new(at, port, next));
        head::Position {
            epoch: ring.epoch,
            first: ring.first(),
            next: ring.next,
        }
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
    pub(super) fn adopt(&self, mut reader: Reader, telling: &mut Telling<'_>) {
        let mut ring = self.lock();
        reader.next = match ring.epoch {
            0 => 0,
            epoch => {
                let gap = Gap {
                    epoch,
                    from: 0,
                    to: ring.next - 1,
                };
                match reader.is_told(&gap, telling) {
                    Delivery::Taken => ring.next,
                    // It has no room now: later it is told by reading from the beginning.
                    _ => 0,
                }
            }
        };
        ring.readers.push(reader);
        ring.hand_out(telling);
    }

    /// A reader says that it has room for more, or, for none, that it may have room again.
    pub(super) fn credit(&self, at: Place, events: u32, telling: &mut Telling<'_>) {
        let mut ring = self.lock();
        for reader in ring.readers.iter_mut().filter(|reader| reader.at == at) {
            reader.gets_credit(events);
        }
        ring.hand_out(telling);
    }

    /// Numbers an event, hands it out and keeps it.
    fn append(&self, event: Told, telling: &mut Telling<'_>) {
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
        ring.hand_out(telling);
        ring.trim();
    }

    /// Something that the host itself has to tell; nobody hears of it while the backend has not begun to live.
    pub(super) fn tell(&self, kind: &str, body: String, telling: &mut Telling<'_>) {
        let epoch = self.lock().epoch;
        if epoch != 0 {
            self.append(Told::by_host(epoch, kind, body), telling);
        }
    }

    /// Leaves out so many numbers: readers learn of a gap. What is kept has no holes, and so begins anew.
    fn skip(&self, epoch: u64, events: u64, telling: &mut Telling<'_>) {
        if let Some(ring) = self.lock().of_epoch(epoch) {
            ring.next += events;
            ring.kept.clear();
            ring.bytes = 0;
            ring.hand_out(telling);
        }
    }

    /// Hands an event to one reader only, without a number of its own, so that the others miss
    /// none; whether it was taken. It is not kept.
    fn whisper(&self, to: Place, event: Told) -> bool {
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

    /// What there is.
    pub(super) fn extent(&self) -> Extent {
        let ring = self.lock();
        Extent {
            bytes: ring.bytes,
            events: ring.kept.len(),
            oldest: ring
                .kept
                .front()
                .map(|kept| kept.at.elapsed())
                .unwrap_or_default(),
            readers: ring.readers.len(),
        }
    }
}

impl Ring {
    /// The number of the first event that is kept; that of the next one if there is none.
    fn first(&self) -> u64 {
        self.kept.front().map_or(self.next, |kept| kept.seq)
    }

    /// What somebody reads next who has seen the events up to that one. Epoch 0 is nobody's: whoever
    /// has seen that wants whatever is kept.
    fn after(&self, since: head::Since) -> u64 {
        match since {
            head::Since { epoch: 0, .. } => self.first(),
            head::Since { epoch, seq } if epoch == self.epoch && seq < self.next => seq + 1,
            _ => 0,
        }
    }

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

    fn hand_out(&mut self, telling: &mut Telling<'_>) {
        let (epoch, next, kept) = (self.epoch, self.next, &self.kept);
        for reader in &mut self.readers {
            reader.catch_up(epoch, next, kept, telling);
        }
    }
}

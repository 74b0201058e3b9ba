//! The events of one backend: numbered, kept for a while, handed out against credit.

use super::login::broken;
use super::{Broker, Place, check_body};
use patchbay_abi::{Buffer, Delivery, Fault, Kind, Message, Port, head};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What an event costs beside its head and body, in bytes, so that empty ones are not free.
const OVERHEAD: usize = 128;

/// Credit that one reader can pile up, in events.
const MOST_CREDIT: u32 = 65_536;

/// A bounded ring of events, and who reads them.
pub(crate) struct Journal {
    bytes: usize,
    age: Duration,
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
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

struct Reader {
    seat: usize,
    port: Port,
    credit: u32,
    /// The number of the event that it gets next.
    next: u64,
}

impl Journal {
    pub(super) fn new(bytes: usize, age: Duration) -> Self {
        Journal {
            bytes,
            age,
            ring: Mutex::default(),
        }
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
        *ring = Ring {
            epoch,
            next: 1,
            ..Ring::default()
        };
        ring.readers = readers;
        ring.readers.iter_mut().for_each(|reader| reader.next = 0);
        ring.hand_out();
    }

    pub(super) fn subscribe(&self, seat: usize, port: Port) {
        let mut ring = self.lock();
        let next = ring.next;
        ring.readers.retain(|reader| reader.seat != seat);
        ring.readers.push(Reader {
            seat,
            port,
            credit: 0,
            next,
        });
    }

    pub(super) fn unsubscribe(&self, seat: usize) {
        self.lock().readers.retain(|reader| reader.seat != seat);
    }

    pub(super) fn credit(&self, seat: usize, events: u32) {
        let mut ring = self.lock();
        for reader in ring.readers.iter_mut().filter(|reader| reader.seat == seat) {
            reader.credit = reader.credit.saturating_add(events).min(MOST_CREDIT);
        }
        ring.hand_out();
    }

    /// Numbers an event, keeps it and hands it out. Says how many readers have missed events.
    fn append(&self, epoch: u64, mut head: head::Event, body: Buffer, blobs: Vec<Buffer>) {
        let mut ring = self.lock();
        if ring.epoch != epoch {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        head.epoch = epoch;
        head.seq = ring.next;
        head.time = now.map_or(0.0, |since| since.as_secs_f64());
        let message = Message {
            body,
            ..Message::new(Kind::EVENT, 0, &head)
        }
        .blobs(blobs);
        ring.next += 1;
        ring.bytes += message.weight() + OVERHEAD;
        ring.kept.push_back(Kept {
            seq: head.seq,
            at: Instant::now(),
            message,
        });
        ring.trim(self.bytes, self.age);
        ring.hand_out();
    }
}

impl Ring {
    fn trim(&mut self, bytes: usize, age: Duration) {
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
        while self.credit > 0 && self.next < next.max(1) {
            let oldest = kept.front().map_or(next, |kept| kept.seq);
            let message = match self.next < oldest || self.next == 0 {
                true => {
                    let gap = gap(epoch, self.next, oldest.saturating_sub(1));
                    self.next = oldest;
                    gap
                }
                false => {
                    let at = (self.next - oldest) as usize;
                    let Some(event) = kept.get(at) else { return };
                    self.next += 1;
                    event.message.clone()
                }
            };
            self.credit -= 1;
            if self.port.deliver(message) != Delivery::Taken {
                // It has no room although it gave credit, or it is gone; its supervisor sees to it.
                self.credit = 0;
            }
        }
    }
}

/// Tells a reader that it has missed the events up to that number, or, with 0, that the backend
/// has begun a new life.
fn gap(epoch: u64, from: u64, to: u64) -> Message {
    let head = head::Event {
        epoch,
        seq: to,
        time: 0.0,
        kind: "gap".to_owned(),
        job: None,
    };
    let body = serde_json::json!({ "missed_from": from, "missed_to": to }).to_string();
    Message::new(Kind::EVENT, 0, &head).body(body)
}

impl Broker {
    /// A backend tells something.
    pub(super) fn event(&self, from: Place, message: Message) -> Delivery {
        let Some(journal) = self.seats[from.seat].journal() else {
            self.count("messages_ignored");
            return Delivery::Refused;
        };
        match self.read_event(&message) {
            Ok(head) => {
                let blobs = message.blobs.into_iter().collect();
                journal.append(from.epoch, head, message.body, blobs);
                Delivery::Taken
            }
            Err(fault) => {
                self.count("events_refused");
                tracing::warn!(
                    instance = self.seats[from.seat].id(),
                    "an event was refused: {fault}"
                );
                Delivery::Refused
            }
        }
    }

    fn read_event(&self, message: &Message) -> Result<head::Event, Fault> {
        check_body(&message.body, self.limits.body_bytes)?;
        message.read_head().map_err(broken)
    }

    /// A frontend wants the events of its backend, from now on.
    pub(super) fn subscribe(&self, frontend: Place) {
        let port = self.seats[frontend.seat].port_in(frontend.epoch);
        if let (Some(journal), Some(port)) = (self.journal_of(frontend), port) {
            journal.subscribe(frontend.seat, port);
        }
    }

    /// A frontend has room for more events.
    pub(super) fn credit(&self, frontend: Place, message: &Message) {
        if let (Some(journal), Ok(head)) = (
            self.journal_of(frontend),
            message.read_head::<head::Credit>(),
        ) {
            journal.credit(frontend.seat, head.events);
        }
    }

    fn journal_of(&self, frontend: Place) -> Option<&Journal> {
        let route = self.seats[frontend.seat].route()?;
        self.seats[route.backend].journal()
    }
}

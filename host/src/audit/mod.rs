//! The audit log: who has changed something, or was refused, from where, and what came of it.
//!
//! One JSON object a line, in a file that is bounded and replaced in turn. No bodies and no secrets: an operation's
//! name, how it ended, and where it came from. Lines are written by a thread of their own from a bounded
//! queue: nobody waits for the disk. What finds no room is counted, and said in the log.

mod line;
mod read;
mod sieve;
mod writer;

pub use line::Line;
pub use read::{Reader, files};

use crate::metrics::Metrics;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

/// Lines that may wait to be written.
const QUEUE: usize = 8192;

/// Where the lines go, and how many of them are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// The newest file, absolute.
    pub file: PathBuf,
    /// Bytes of each file.
    pub bytes: u64,
    /// Files in all; the oldest is dropped.
    pub files: u64,
}

/// Where lines are put. Clones lead to the same file.
#[derive(Clone)]
pub struct Audit {
    queue: SyncSender<Item>,
    metrics: Arc<Metrics>,
    /// What stands in the queue.
    waiting: Arc<AtomicUsize>,
    /// Lines that found no room, of which the log has not told yet.
    crowded_out: Arc<AtomicU64>,
}

enum Item {
    Line(Box<Line>),
    /// Everything before this is to be on its way to the disk.
    Flush(SyncSender<()>),
}

/// The queue is full.
struct NoRoom;

impl Audit {
    /// Begins to write, on a thread that ends with the last clone of this.
    ///
    /// # Errors
    /// If the system gives no thread. A file that cannot be written is said in the log, and tried again.
    pub fn start(keeping: Keeping, metrics: Arc<Metrics>) -> std::io::Result<Audit> {
        let (queue, items) = sync_channel(QUEUE);
        let crowded_out = Arc::<AtomicU64>::default();
        let waiting = Arc::<AtomicUsize>::default();
        let writer = writer::Writer::new(keeping, metrics.clone(), crowded_out.clone());
        let thread = std::thread::Builder::new().name("audit".to_owned());
        let left = waiting.clone();
        thread.spawn(move || writer.run(&items, &left))?;
        Ok(Audit {
            queue,
            metrics,
            waiting,
            crowded_out,
        })
    }

    /// Notes something; never waits.
    pub fn note(&self, line: Line) {
        if self.put(Item::Line(Box::new(line))).is_err() {
            self.metrics.add("host", writer::LOST, 1);
            self.crowded_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything that was noted is written, but no longer than that.
    pub fn flush(&self, within: Duration) {
        let (done, written) = sync_channel(1);
        if self.put(Item::Flush(done)).is_ok() {
            let _ = written.recv_timeout(within);
        }
    }

    /// How much waits to be written.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn put(&self, item: Item) -> Result<(), NoRoom> {
        // Counted before it is there, so that the thread that takes it out never counts below zero.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send(item).map_err(|_| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            NoRoom
        })
    }
}

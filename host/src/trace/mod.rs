//! What crosses the boundary, for whoever looks on (`patchbay trace`).
//!
//! As long as nobody does, it costs one load of a number. What is shown is made on the thread on which it
//! happens and put into a queue of each viewer, which is bounded: one that reads slowly loses lines, is told
//! how many, and holds nobody up. Passwords cross the boundary beside the JSON and are never here; what a body
//! has under a key that sounds like a secret is left out (`redact`).

mod filter;
mod line;
mod redact;

pub use filter::Filter;
pub use line::{Line, Moment, What};

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// So many may look on at a time.
const VIEWERS: usize = 8;

/// Lines that wait for one viewer.
const WAITING: usize = 1024;

/// What a viewer gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// Something crossed the boundary.
    Line(Box<Line>),
    /// So many lines were left out here, because they were not read in time.
    Lost(u64),
    /// Nothing has happened for a while.
    Nothing,
}

/// Where what happens is shown.
#[derive(Default)]
pub struct Tap {
    viewers: Arc<Mutex<Vec<Weak<Viewer>>>>,
    watched: Arc<AtomicUsize>,
}

struct Viewer {
    filter: Filter,
    lines: SyncSender<Box<Line>>,
    lost: AtomicU64,
}

/// Somebody looks on, as long as this lives.
pub struct Watch {
    viewer: Arc<Viewer>,
    lines: Receiver<Box<Line>>,
    /// Lines since it was last said that some are lost.
    since_lost: usize,
    watched: Arc<AtomicUsize>,
}

impl Tap {
    /// Whether anybody looks on.
    pub fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed) != 0
    }

    /// Lets somebody look on.
    ///
    /// # Errors
    /// A sentence, if there are too many already.
    pub fn watch(&self, filter: Filter) -> Result<Watch, String> {
        let (lines, of_viewer) = sync_channel(WAITING);
        let viewer = Arc::new(Viewer {
            filter,
            lines,
            lost: AtomicU64::new(0),
        });
        let mut viewers = self.lock();
        viewers.retain(|viewer| viewer.strong_count() > 0);
        if viewers.len() >= VIEWERS {
            return Err(format!("{VIEWERS} are looking on already; end one of them"));
        }
        viewers.push(Arc::downgrade(&viewer));
        self.watched.fetch_add(1, Ordering::Relaxed);
        Ok(Watch {
            viewer,
            lines: of_viewer,
            since_lost: 0,
            watched: self.watched.clone(),
        })
    }

    /// Shows something to all who want to see it. How many lines nobody will read.
    pub fn show(&self, moment: &Moment<'_>) -> u64 {
        let viewers: Vec<Arc<Viewer>> = self.lock().iter().filter_map(Weak::upgrade).collect();
        let wanted = viewers.iter().filter(|viewer| viewer.filter.fits(moment));
        wanted.map(|viewer| viewer.show(moment)).sum()
    }

    /// A panic elsewhere leaves the list whole.
    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Viewer>>> {
        self.viewers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Viewer {
    fn show(&self, moment: &Moment<'_>) -> u64 {
        let line = Box::new(moment.line(self.filter.bodies));
        let lost = u64::from(self.lines.try_send(line).is_err());
        self.lost.fetch_add(lost, Ordering::Relaxed);
        lost
    }
}

impl Watch {
    /// What is to be seen next, or that there was nothing for so long.
    pub fn next(&mut self, patience: Duration) -> Sight {
        // What was lost came after what still waited in the full queue, and so it is said after that.
        let line = (self.since_lost < WAITING).then(|| self.lines.try_recv().ok());
        if let Some(line) = line.flatten() {
            self.since_lost += 1;
            return Sight::Line(line);
        }
        self.since_lost = 0;
        match self.viewer.lost.swap(0, Ordering::Relaxed) {
            0 => {}
            lost => return Sight::Lost(lost),
        }
        match self.lines.recv_timeout(patience) {
            Ok(line) => Sight::Line(line),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Sight::Nothing,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watched.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(session: u64) -> Moment<'static> {
        Moment {
            session,
            ..Moment::new(What::Request, "local", "nicos")
        }
    }

    #[test]
    fn a_viewer_that_does_not_read_loses_lines_is_told_and_holds_nobody_up() {
        let tap = Tap::default();
        let mut slow = tap.watch(Filter::default()).unwrap();
        let lost: u64 = (0..WAITING as u64 + 120)
            .map(|n| tap.show(&moment(n)))
            .sum();
        assert_eq!(lost, 120);
        let mut seen = 0;
        while let Sight::Line(line) = slow.next(Duration::ZERO) {
            assert_eq!(line.session, seen);
            seen += 1;
            if seen == WAITING as u64 {
                break;
            }
        }
        assert_eq!(slow.next(Duration::ZERO), Sight::Lost(120));
        assert_eq!(slow.next(Duration::ZERO), Sight::Nothing);
    }

    #[test]
    fn who_looks_on_is_counted_and_bounded() {
        let tap = Tap::default();
        assert!(!tap.is_watched());
        let watches: Vec<Watch> = (0..VIEWERS)
            .map(|_| tap.watch(Filter::default()).unwrap())
            .collect();
        assert!(tap.is_watched() && tap.watch(Filter::default()).is_err());
        drop(watches);
        assert!(!tap.is_watched() && tap.watch(Filter::default()).is_ok());
    }
}

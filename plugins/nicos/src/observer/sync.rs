//! Bringing the jobs in line with what the daemon shows.

use std::time::Duration;

use patchbay_sdk::model::JobState;
use tokio::time::Instant;

use super::look::{Looked, Looker};
use super::{Observer, now};
use crate::jobs::Snapshot;
use crate::lane::Lane;

/// How long the events of before a look may take to arrive.
const SETTLE: Duration = Duration::from_millis(300);

/// How often an idle daemon is looked at again before a job that was running is held to have ended: it reports itself
/// idle between any two blocks of a script.
const DOUBTS: u32 = 2;

/// What is still to be done about a look at the daemon.
pub(super) struct Pending {
    pub(super) due: Instant,
    next: Next,
}

/// The jobs that were live before the first look.
type Live = Vec<(String, JobState)>;

enum Next {
    /// The running job may have ended unsaid.
    Doubt,
    /// It failed, and is to be repeated.
    Look {
        before: Live,
        /// How long to wait if it fails again.
        wait: Duration,
    },
    /// What it did not show is to be settled.
    Settle {
        before: Live,
        snapshot: Snapshot,
        looks: u32,
        /// What was seen at work before it.
        activity: u64,
    },
}

impl Observer {
    /// Looks at the daemon. What it does not show any more is settled a little later: the news of its end may be
    /// among the events that are still to be read. A daemon that was restarted has no such news.
    pub(super) async fn resync(&mut self, lane: &Lane) {
        let before = self.known.jobs().live();
        self.look(lane, before, 0, self.settings.retry_first).await;
    }

    /// Does what is due.
    pub(super) async fn go_on(&mut self, lane: &Lane) {
        let is_due = |pending: &mut Pending| pending.due <= Instant::now();
        let Some(pending) = self.pending.take_if(is_due) else {
            return;
        };
        match pending.next {
            Next::Doubt if self.known.jobs().is_doubtful() => self.resync(lane).await,
            Next::Doubt => {}
            Next::Look { before, wait } => self.look(lane, before, 0, wait).await,
            Next::Settle {
                before,
                snapshot,
                looks,
                ..
            } if looks < DOUBTS && self.doubts(&before, &snapshot) => {
                let wait = self.settings.retry_first;
                self.look(lane, before, looks + 1, wait).await;
            }
            // It has gone on meanwhile; if it is idle again, the doubts begin anew.
            Next::Settle { activity, .. } if self.was_active(activity) => {}
            Next::Settle {
                before, snapshot, ..
            } => {
                let notices = self.known.jobs().settle(&before, &snapshot, now());
                self.teller.tell(notices);
                self.settle_prompt();
            }
        }
    }

    /// A daemon that does not say when a script has ended is looked at when it may have.
    pub(super) fn doubt(&mut self) {
        if self.pending.is_none() && self.known.jobs().is_doubtful() {
            self.then(SETTLE, Next::Doubt);
        }
    }

    fn was_active(&self, before: u64) -> bool {
        let jobs = self.known.jobs();
        !jobs.says_done() && jobs.activity() != before
    }

    async fn look(&mut self, lane: &Lane, before: Live, looks: u32, wait: Duration) {
        let looker = Looker {
            settings: &self.settings,
            lane,
            decoder: self.daemon.decoder(),
        };
        match looker.look(&mut self.identity).await {
            Ok(looked) => self.shown(before, looked, looks),
            Err(cause) => {
                tracing::warn!(%cause, "the daemon is there but its state could not be read; trying again");
                let notices = self.known.jobs().link_up();
                self.teller.tell(notices);
                let longer = (wait * 2).min(self.settings.retry_most);
                self.then(
                    wait,
                    Next::Look {
                        before,
                        wait: longer,
                    },
                );
            }
        }
    }

    fn shown(&mut self, before: Live, looked: Looked, looks: u32) {
        let snapshot = looked.snapshot;
        if snapshot.restarted {
            let notices = self.known.jobs().settle(&before, &snapshot, now());
            self.teller.tell(notices);
        }
        let notices = self.known.jobs().resync(&snapshot, now());
        self.teller.tell(notices);
        self.prompt_shown(snapshot.status.0, looked.prompt);
        let next = Next::Settle {
            before,
            snapshot,
            looks,
            activity: self.known.jobs().activity(),
        };
        self.then(SETTLE, next);
    }

    fn then(&mut self, wait: Duration, next: Next) {
        let due = Instant::now() + wait;
        self.pending = Some(Pending { due, next });
    }

    /// Whether the daemon showed itself idle although a job of before is believed to run.
    fn doubts(&self, before: &Live, snapshot: &Snapshot) -> bool {
        let jobs = self.known.jobs();
        let is_running = |id: &String| jobs.running().is_some_and(|job| job.id == *id);
        snapshot.running.is_none()
            && !snapshot.restarted
            && before.iter().any(|(id, _)| is_running(id))
    }
}

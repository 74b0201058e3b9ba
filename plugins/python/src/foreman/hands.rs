//! The worker's life: started, watched, started again after a while.

use std::time::Duration;

use patchbay_sdk::Health;
use patchbay_sdk::model::{Level, LinkState};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::Foreman;
use crate::worker::{Hard, Heard, Worker};

/// A worker that has lived for so long has not failed at once.
const LONG: Duration = Duration::from_secs(10);

/// How long the farewell to a worker may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// The worker, or when there will be one.
pub(super) struct Hands {
    have: Have,
    failures: u32,
}

enum Have {
    /// Not before then; never by itself if it was closed.
    None(Option<Instant>),
    Worker {
        worker: Worker,
        hears: mpsc::Receiver<Heard>,
        since: Instant,
        /// It has to be ready until then.
        ready_until: Option<Instant>,
    },
}

impl Hands {
    pub(super) fn none(until: Instant) -> Self {
        Self {
            have: Have::None(Some(until)),
            failures: 0,
        }
    }

    /// What the worker says next; nothing ever, if there is none.
    pub(super) async fn hears(&mut self) -> Heard {
        match &mut self.have {
            Have::None(_) => std::future::pending().await,
            Have::Worker { hears, .. } => {
                let heard = hears.recv().await;
                heard.unwrap_or_else(|| Heard::Gone("nobody attends to it any more".into()))
            }
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        match &self.have {
            Have::None(until) => *until,
            Have::Worker { ready_until, .. } => *ready_until,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.have, Have::None(None))
    }

    pub(super) fn worker(&self) -> Option<&Worker> {
        match &self.have {
            Have::None(_) => None,
            Have::Worker { worker, .. } => Some(worker),
        }
    }

    pub(super) fn ready(&mut self) {
        if let Have::Worker { ready_until, .. } = &mut self.have {
            *ready_until = None;
        }
    }

    /// Another worker still lives, and is waited for.
    pub(super) fn wait_for_other(&mut self) {
        self.ready();
    }
}

impl Foreman {
    /// Starts a worker when it is time for one, or gives one up that is not ready in time.
    pub(super) async fn see_to_worker(&mut self) {
        if let Some(worker) = self.hands.worker() {
            self.board.note(
                Level::Error,
                None,
                "the Python process did not get ready in time (`start_seconds`); it is ended",
            );
            worker.process().end(Hard::Kill);
            self.hands.ready();
            return;
        }
        match Worker::start(&self.settings).await {
            Ok((worker, hears)) => {
                tracing::debug!(pid = worker.process().id(), "a Python process was started");
                self.board
                    .worker(Some(worker.clone()), LinkState::Connecting);
                let since = Instant::now();
                self.hands.have = Have::Worker {
                    worker,
                    hears,
                    since,
                    ready_until: Some(since + self.settings.start_limit),
                };
            }
            Err(why) => {
                self.hands.failures += 1;
                self.again(&why);
            }
        }
    }

    /// The worker is gone: whatever it ran has ended, and another one is started, after a while if that happens often.
    pub(super) async fn worker_gone(&mut self, how: String) {
        let lived = match &self.hands.have {
            Have::Worker { since, .. } => since.elapsed(),
            Have::None(_) => Duration::ZERO,
        };
        // Not at once to be started anew: nothing may begin before the old job has ended on disk.
        self.hands.have = Have::None(None);
        self.board.worker(None, LinkState::Down);
        self.board.count("workers_gone");
        self.end_with_worker(&how).await;
        self.hands.failures = match lived >= LONG {
            true => 0,
            false => self.hands.failures + 1,
        };
        self.board.note(
            Level::Warning,
            None,
            format!("the Python process is gone: {how}; the names that scripts have left behind are lost"),
        );
        self.again(&how);
    }

    /// After the first failure at once, then later and later.
    fn again(&mut self, why: &str) {
        let doublings = self.hands.failures.saturating_sub(1).min(20);
        let wait = self.settings.retry_first * 2u32.pow(doublings);
        let wait = wait.min(self.settings.retry_most);
        tracing::warn!(why, ?wait, "no Python process; another one is started");
        self.hands.have = Have::None(Some(Instant::now() + wait));
        self.board.down(why);
        self.board.health(Health::Down(why.to_owned()));
    }

    /// Somebody wants a worker where there is none.
    pub(super) fn open(&mut self) {
        if self.hands.is_closed() {
            self.hands = Hands::none(Instant::now());
            self.board.worker(None, LinkState::Connecting);
        }
    }

    /// Ends the worker; whatever it runs ends with it.
    pub(super) async fn close(&mut self, why: &str) {
        self.hands.failures = 0;
        if let Some(worker) = self.hands.worker() {
            worker.process().end(Hard::Kill);
            self.hear_the_end().await;
        }
        self.end_with_worker(why).await;
        self.hands.have = Have::None(None);
        self.board.worker(None, LinkState::Down);
    }

    async fn hear_the_end(&mut self) {
        let end = async { while !matches!(self.hands.hears().await, Heard::Gone(_)) {} };
        if timeout(FAREWELL, end).await.is_err() {
            tracing::warn!("a Python process that was killed has not ended yet");
        }
    }

    /// The instance ends: a script gets a moment to tidy up.
    pub(super) async fn farewell(&mut self) {
        const WHY: &str = "the gateway was shut down";
        if let Some(halt) = self.board.halt(WHY) {
            let order = serde_json::json!({"do": "stop", "job": halt.job, "now": true});
            let _ = halt.worker.tell(&order);
            let until = Instant::now() + self.settings.emergency_grace;
            while self.board.running().is_some() {
                tokio::select! {
                    heard = self.hands.hears() => self.heard(heard).await,
                    () = tokio::time::sleep_until(until) => break,
                }
            }
        }
        self.close(WHY).await;
    }
}

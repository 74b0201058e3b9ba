//! What clients look at.

use patchbay_sdk::model::{JobRecord, LinkState, LogLine, Prompt, QueuedJob, RunningJob, Status};
use patchbay_sdk::{Fault, FaultKind};
use serde::Serialize;

use super::Board;
use crate::worker::Worker;

/// The reply to `status`.
#[derive(Debug, Serialize)]
pub struct StatusReply {
    #[serde(flatten)]
    status: Status,
    /// Why what waits does not begin; `resume` lets it.
    held: Option<String>,
}

impl Board {
    /// The reply to `status`.
    #[must_use]
    pub fn status(&self) -> StatusReply {
        let state = self.lock();
        let queue = state.queue.iter().map(|job| QueuedJob {
            id: job.record.id.clone(),
            name: job.record.name.clone(),
            user: job.record.user.clone(),
            body: job.code.clone(),
            ..QueuedJob::default()
        });
        let running = state.running.as_ref().map(|running| RunningJob {
            id: Some(running.job.record.id.clone()),
            name: running.job.record.name.clone(),
            user: running.job.record.user.clone(),
            body: running.job.code.clone(),
            line: running.line,
            started: running.job.record.started,
            ..RunningJob::default()
        });
        let status = Status {
            link: state.link,
            run: state.run(),
            job: running,
            queue: queue.collect(),
            // Some clients show its text until another one begins.
            last: state.last.as_ref().map(|job| JobRecord {
                body: Some(job.code.clone()),
                ..job.record.clone()
            }),
            prompt: state.prompt.clone(),
            native: None,
        };
        StatusReply {
            status,
            held: state.held.clone(),
        }
    }

    /// The last messages, as far as they take no more than so many bytes.
    #[must_use]
    pub fn messages(&self, count: usize, bytes: usize) -> Vec<LogLine> {
        self.lock().journal.last(count, bytes)
    }

    /// Python's version, as far as there was a worker yet.
    #[must_use]
    pub fn python(&self) -> Option<String> {
        self.lock().python.clone()
    }

    /// What the script asks.
    #[must_use]
    pub fn prompt(&self) -> Option<Prompt> {
        self.lock().prompt.clone()
    }

    /// The worker, if it is ready.
    ///
    /// # Errors
    /// `Unavailable` if there is none.
    pub fn ready_worker(&self) -> Result<Worker, Fault> {
        let state = self.lock();
        let worker = state.worker.clone().filter(|_| state.link == LinkState::Up);
        worker.ok_or_else(|| {
            Fault::new(
                FaultKind::Unavailable,
                "there is no Python process at present; see the log",
            )
        })
    }
}

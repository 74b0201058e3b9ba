//! Jobs begin and end.

use patchbay_sdk::model::{JobState, Level};
use tokio::time::Instant;

use super::Foreman;
use crate::clock::now;
use crate::config::{Namespace, OnFailure, OnStop};
use crate::ops::end_hard;
use crate::worker::{Done, Outcome};

impl Foreman {
    /// Lets the next job begin, if one may.
    pub(super) async fn begin_next(&mut self) {
        let Some((job, worker)) = self.board.next() else {
            return;
        };
        let (id, begun) = (job.record.id.clone(), now());
        if let Err(fault) = self.store.started(id.clone(), begun).await {
            let text = format!(
                "{} cannot begin: {}; `resume` tries again",
                job.called(),
                fault.message
            );
            tracing::error!(%fault, job = id, "a job could not be marked as started");
            self.board.note(Level::Error, Some(&id), text);
            self.board.hold(&fault.message);
            return self.disk(true);
        }
        self.disk(false);
        self.marks = 0;
        let (code, name) = (job.code.clone(), job.called().to_owned());
        let may = self.board.began(job, begun);
        let fresh = self.settings.namespace == Namespace::Fresh;
        let sent = match may {
            true => worker
                .run(&id, &name, &code, fresh)
                .map_err(|fault| fault.message),
            false => Err("stopped before it began".to_owned()),
        };
        match sent {
            Ok(()) => {
                let limit = self.settings.script_limit;
                self.overdue = limit.map(|limit| Instant::now() + limit);
            }
            Err(why) => self.end(&id, JobState::Failed, Some(why), None).await,
        }
    }

    /// The worker has said how the job has ended.
    pub(super) async fn end_by_word(&mut self, done: Done) {
        let stopping = self.board.why_stopping(&done.job);
        let (state, error) = match (done.outcome, stopping) {
            (Outcome::Succeeded, _) => (JobState::Succeeded, None),
            (Outcome::Stopped, Some(why)) => (JobState::Failed, Some(why)),
            (_, _) => (JobState::Failed, done.error.or(Some("it failed".into()))),
        };
        let traceback = done.traceback.filter(|_| done.outcome == Outcome::Failed);
        self.end(&done.job, state, error, traceback).await;
    }

    /// The worker has ended, and the job that ran with it.
    pub(super) async fn end_with_worker(&mut self, how: &str) {
        // It may have said before how the job has ended.
        self.finish_ending().await;
        let Some(id) = self.board.running() else {
            return;
        };
        let why = match self.board.why_stopping(&id) {
            Some(why) => format!("{why}; the Python process had to be killed"),
            None => format!("the Python process is gone: {how}"),
        };
        self.end(&id, JobState::Failed, Some(why), None).await;
    }

    async fn end(
        &mut self,
        id: &str,
        state: JobState,
        error: Option<String>,
        traceback: Option<String>,
    ) {
        let was_stopped = self.board.why_stopping(id).is_some();
        let Some(record) = self.board.end_of(id, state, error) else {
            return;
        };
        self.overdue = None;
        let most = self.settings.history_most;
        if let Err(fault) = self.store.ended(vec![record.clone()], most).await {
            // It is marked as started, so that it will be lost after a restart, and never run again.
            tracing::error!(%fault, job = id, "the end of a job could not be written");
            self.board.count("ends_unwritten");
            self.disk(true);
        }
        let hold = match (was_stopped, state) {
            (true, _) if self.settings.on_stop == OnStop::Hold => Some("a script was stopped"),
            (false, JobState::Failed) if self.settings.on_failure == OnFailure::Hold => {
                Some("a script has failed")
            }
            _ => None,
        };
        self.board.ended(record, traceback, hold);
    }

    pub(super) fn abort_overdue(&self) {
        let why = "it took longer than a script may (`script_seconds`)";
        if let Ok(halt) = self.board.stopping(why) {
            let (board, grace) = (self.board.clone(), self.settings.abort_grace);
            tokio::spawn(async move { end_hard(&board, &halt, grace).await });
        }
    }
}

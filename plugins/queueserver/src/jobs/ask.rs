//! What can be asked of the jobs.

use patchbay_sdk::model::{JobKind, JobState, LinkState, QueuedJob, Run, RunningJob};

use super::{Job, Jobs, Look};
use crate::shape::Status;

impl Jobs {
    /// The job of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Job> {
        self.table.get(id)
    }

    /// The job that runs, if it is known which.
    #[must_use]
    pub fn running(&self) -> Option<&Job> {
        self.running.as_deref().and_then(|id| self.get(id))
    }

    /// The job that is, or was, this item of the server's.
    #[must_use]
    pub fn of_item(&self, uid: &str) -> Option<&Job> {
        self.table.of_item(uid)
    }

    /// The job that ended last.
    #[must_use]
    pub fn last(&self) -> Option<&Job> {
        self.last.as_deref().and_then(|id| self.get(id))
    }

    /// What waits, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &Job> {
        self.queue.iter().filter_map(|id| self.get(id))
    }

    /// The server's last word on its state.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Whether it can be reached.
    #[must_use]
    pub fn link(&self) -> LinkState {
        self.link
    }

    /// Whether the running script is held at a line.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// What waits is to be run.
    #[must_use]
    pub fn is_going(&self) -> bool {
        self.going
    }

    /// Whether what waits first has run already, for another client, and nobody has said that it shall again.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        !self.daring && self.waiting().next().is_some_and(|job| job.put_back)
    }

    /// Whether the server's worker is known not to answer.
    #[must_use]
    pub fn is_wedged(&self) -> bool {
        self.wedged
    }

    /// Whether the queue and the history must be looked at although they seem unchanged.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        let ends = self.status.is_idle() && self.running.is_some();
        ends || self.table.live().any(|job| job.missing > 0)
    }

    /// Whether this look shows that what runs has ended.
    #[must_use]
    pub fn ends(&self, look: &Look) -> bool {
        let history = look.history.as_deref().unwrap_or_default();
        let running = self.running();
        running.is_some_and(|job| history.iter().rev().any(|item| item.item_uid == job.uid))
    }

    pub(super) fn is_queued(&self, id: &str) -> bool {
        let job = self.get(id);
        job.is_some_and(|job| job.record.state == JobState::Queued)
    }

    /// What the server does. It reports itself idle between any two items, and before it has written its history: then
    /// something still runs.
    #[must_use]
    pub fn run(&self) -> Run {
        if self.link != LinkState::Up {
            return Run::Unknown;
        }
        if self.wedged {
            return Run::Wedged;
        }
        let engine = self.status.re_state.as_deref().unwrap_or_default();
        let is_stopping = self.stopping.is_some() && self.stopping == self.running
            || matches!(engine, "stopping" | "aborting" | "halting");
        match self.status.manager_state.as_str() {
            "creating_environment" | "initializing" => Run::Starting,
            "destroying_environment" | "closing_environment" => Run::Stopping,
            "paused" => Run::Paused,
            "executing_queue" | "starting_queue" | "executing_task" if is_stopping => Run::Stopping,
            "executing_queue" | "starting_queue" | "executing_task" if self.held => Run::Paused,
            "executing_queue" | "starting_queue" | "executing_task" => Run::Running,
            "idle" if self.running.is_some() => Run::Running,
            "idle" if self.going && !self.queue.is_empty() => Run::Running,
            "idle" => self.idle(),
            _ => Run::Unknown,
        }
    }

    fn idle(&self) -> Run {
        let last = self.last().map(|job| job.record.state);
        match last {
            Some(JobState::Failed | JobState::Lost) => Run::IdleAfterFailure,
            _ => Run::Idle,
        }
    }

    /// As `status` shows what runs.
    #[must_use]
    pub fn running_job(&self) -> Option<RunningJob> {
        self.running().map(|job| RunningJob {
            id: Some(job.record.id.clone()),
            name: job.record.name.clone(),
            body: job.body.clone(),
            line: self
                .line
                .filter(|_| job.record.kind == Some(JobKind::Script)),
            external: job.record.external,
            ..RunningJob::default()
        })
    }

    /// As `status` shows what waits.
    #[must_use]
    pub fn queued_jobs(&self) -> Vec<QueuedJob> {
        let shown = self.waiting().map(|job| QueuedJob {
            id: job.record.id.clone(),
            name: job.record.name.clone(),
            user: job.record.user.clone(),
            body: job.body.clone(),
            external: job.record.external,
        });
        shown.collect()
    }
}

//! What can be asked of the jobs.

use patchbay_sdk::model::{JobRecord, JobState, LinkState, Run};

use super::Jobs;
use crate::shape::{Request, Status, code};

impl Jobs {
    /// The job of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&JobRecord> {
        self.table.get(id)
    }

    /// The job that runs, if it is known which.
    #[must_use]
    pub fn running(&self) -> Option<&JobRecord> {
        self.running.as_deref().and_then(|id| self.get(id))
    }

    /// The job that ended last.
    #[must_use]
    pub fn last(&self) -> Option<&JobRecord> {
        self.last.as_deref().and_then(|id| self.get(id))
    }

    /// The session that has submitted the running job, if that was one of this login's (of any login's without `user`).
    #[must_use]
    pub fn submitter(&self, user: Option<&str>) -> Option<u64> {
        self.submitter_of(self.running.as_deref()?, user)
    }

    /// As [`Self::submitter`], for the job that ended last.
    #[must_use]
    pub fn last_submitter(&self, user: Option<&str>) -> Option<u64> {
        self.submitter_of(self.last.as_deref()?, user)
    }

    fn submitter_of(&self, id: &str, user: Option<&str>) -> Option<u64> {
        let (login, session) = self.table.submitter(id)?;
        user.is_none_or(|user| user == login).then_some(*session)
    }

    /// What the server does if it reports this state.
    #[must_use]
    pub fn run(&self, state: i64) -> Run {
        match state {
            code::RUNNING => Run::Running,
            code::PAUSED => Run::Paused,
            code::STOPPING => Run::Stopping,
            code::IDLE | code::IDLE_AFTER_FAILURE if self.running.is_some() => Run::Running,
            code::IDLE => Run::Idle,
            code::IDLE_AFTER_FAILURE => Run::IdleAfterFailure,
            _ => Run::Unknown,
        }
    }

    /// Whether something runs of which it is not known what.
    #[must_use]
    pub fn is_puzzling(&self) -> bool {
        self.running.is_none() && self.status.0 >= code::RUNNING && self.link == LinkState::Up
    }

    /// Whether the running job may have ended without that anybody will say so.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        !self.says_done
            && self.running.is_some()
            && self.status.0 < code::RUNNING
            && self.link == LinkState::Up
    }

    /// As in [`Self::set_says_done`].
    #[must_use]
    pub fn says_done(&self) -> bool {
        self.says_done
    }

    /// Grows whenever something is seen at work.
    #[must_use]
    pub fn activity(&self) -> u64 {
        self.activity
    }

    /// Whether the daemon shows something of which an event should have told: another state, or a job that nobody has
    /// heard of. (Where more jobs wait than are remembered, some have been forgotten.)
    #[must_use]
    pub fn is_news(&self, status: &Status) -> bool {
        let is_unknown = |request: &Request| self.get(&request.reqid).is_none();
        status.status.0 != self.status.0
            || (!self.table.is_full() && status.requests.iter().any(is_unknown))
    }

    /// The jobs that have not ended, with their states: to be taken before a look, and settled after it.
    #[must_use]
    pub fn live(&self) -> Vec<(String, JobState)> {
        self.table
            .live()
            .map(|job| (job.id.clone(), job.state))
            .collect()
    }

    /// Whether every one of these jobs is known to have ended, or is the one that runs and is being stopped. What waits
    /// behind that one may have come since, and would run. Of an `unknown` job the end was only concluded.
    #[must_use]
    pub fn are_stopping(&self, jobs: &[(String, JobState)]) -> bool {
        let is_over = |state: JobState| !state.is_live() && state != JobState::Unknown;
        let has_ended = |id: &String| self.get(id).is_none_or(|job| is_over(job.state));
        let stops = self.link == LinkState::Up && self.status.0 == code::STOPPING;
        let is_stopping = |id: &String| stops && self.running.as_ref() == Some(id);
        jobs.iter().all(|(id, _)| has_ended(id) || is_stopping(id))
    }
}

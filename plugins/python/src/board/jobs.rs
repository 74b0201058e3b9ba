//! What waits, and what is known of jobs. Whatever is changed here was changed on disk before.

use patchbay_sdk::model::{JobChange, JobRecord, JobState, Level, QueueBody};
use std::sync::Arc;

use patchbay_sdk::{EventKind, Fault, FaultKind};

use super::{Board, State, ended};
use crate::config::OnRestart;
use crate::job::Job;
use crate::store::Loaded;

impl Board {
    /// What was on disk when the instance started.
    pub fn found(&self, loaded: Loaded) {
        let mut state = self.lock();
        state.queue = loaded.queue.into();
        state.last = loaded.last;
        let waiting = state.queue.len();
        if waiting > 0 && self.settings.on_restart == OnRestart::Hold {
            state.held = Some("the gateway was restarted".to_owned());
        }
        drop(state);
        for job in loaded.lost {
            let id = job.record.id.as_str();
            self.tell_job(&job.record, JobChange::Finished);
            let text = format!(
                "{} was running when the gateway was killed; how far it came is not known, and it is not run again",
                job.called()
            );
            self.note(Level::Error, Some(id), text);
        }
        if waiting > 0 && self.settings.on_restart == OnRestart::Hold {
            let (scripts, them) = match waiting {
                1 => ("script waits", "it"),
                _ => ("scripts wait", "them"),
            };
            let text = format!(
                "{waiting} {scripts} since the gateway was restarted; `resume` lets {them} begin"
            );
            self.note(Level::Warning, None, text);
        }
    }

    /// How many wait, and whether something runs.
    #[must_use]
    pub fn load(&self) -> (usize, bool) {
        let state = self.lock();
        (state.queue.len(), state.running.is_some())
    }

    /// How long the scripts that wait are together, in bytes, without that one.
    #[must_use]
    pub fn bytes_without(&self, id: &str) -> usize {
        let state = self.lock();
        let others = state.queue.iter().filter(|job| job.record.id != id);
        others.map(|job| job.code.len()).sum()
    }

    /// A job waits.
    pub fn queued(&self, job: Job) {
        let mut state = self.lock();
        self.tell_job(&job.record, JobChange::Queued);
        state.queue.push_back(job);
        self.wake.notify_one();
    }

    /// Whether that job waits.
    ///
    /// # Errors
    /// `Conflict` if it runs, `NotFound` if it does not wait either.
    pub fn waits(&self, id: &str) -> Result<(), Fault> {
        let state = self.lock();
        if state.queue.iter().any(|job| job.record.id == id) {
            return Ok(());
        }
        Err(match state.running_id() == Some(id) {
            true => Fault::new(FaultKind::Conflict, "this job has begun already"),
            false => Fault::new(FaultKind::NotFound, format!("no job `{}` waits", short(id))),
        })
    }

    /// The records of those that wait, as they are when they are removed: of one, or of all.
    #[must_use]
    pub fn removable(&self, id: Option<&str>) -> Vec<JobRecord> {
        let state = self.lock();
        let wanted = |job: &&Job| id.is_none_or(|id| job.record.id == id);
        let jobs = state.queue.iter().filter(wanted);
        jobs.map(|job| ended(&job.record, JobState::Removed, None))
            .collect()
    }

    /// These were removed.
    pub fn removed(&self, records: &[JobRecord]) {
        let mut state = self.lock();
        let is_one = |id: &str| records.iter().any(|record| record.id == id);
        state.queue.retain(|job| !is_one(&job.record.id));
        state.settle_hold();
        records
            .iter()
            .for_each(|record| self.tell_job(record, JobChange::Removed));
    }

    /// The ids of what waits, in order.
    #[must_use]
    pub fn order(&self) -> Vec<String> {
        let state = self.lock();
        let ids = state.queue.iter().map(|job| job.record.id.clone());
        ids.collect()
    }

    /// What waits has this order.
    pub fn reordered(&self, ids: &[String]) {
        let mut state = self.lock();
        let place = |job: &Job| ids.iter().position(|id| *id == job.record.id);
        state
            .queue
            .make_contiguous()
            .sort_by_key(|job| place(job).unwrap_or(usize::MAX));
        let body = QueueBody { jobs: ids.to_vec() };
        self.emit(EventKind::Queue, None, &body);
    }

    /// A job that waits has another text.
    pub fn edited(&self, id: &str, code: &Arc<str>) {
        let mut state = self.lock();
        if let Some(job) = state.queue.iter_mut().find(|job| job.record.id == id) {
            job.code = code.clone();
            let record = job.record.clone();
            self.tell_job(&record, JobChange::Edited);
        }
    }

    /// A job that waits, runs or ended last.
    #[must_use]
    pub fn job(&self, id: &str) -> Option<JobRecord> {
        let state = self.lock();
        if let Some(running) = &state.running
            && running.job.record.id == id
        {
            let state = match running.paused {
                true => JobState::Paused,
                false => JobState::Running,
            };
            return Some(JobRecord {
                state,
                ..running.job.record.clone()
            });
        }
        let queued = state.queue.iter().map(|job| &job.record);
        let mut known = queued.chain(state.last.as_ref().map(|job| &job.record));
        known.find(|record| record.id == id).cloned()
    }
}

impl State {
    pub(super) fn running_id(&self) -> Option<&str> {
        let running = self.running.as_ref()?;
        Some(&running.job.record.id)
    }

    /// Where nothing waits, nothing is held.
    pub(super) fn settle_hold(&mut self) {
        if self.queue.is_empty() {
            self.held = None;
        }
    }
}

/// As much of what somebody gave as an id as belongs into an answer.
pub(super) fn short(id: &str) -> String {
    id.chars().take(64).collect()
}

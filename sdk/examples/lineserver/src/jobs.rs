//! The jobs that are known, in the order in which they came.

use patchbay_sdk::model::{JobRecord, JobState, LinkState, LogLine, Run};
use std::collections::VecDeque;
use std::sync::Arc;

/// Jobs that are remembered when they have ended.
const ENDED_KEPT: usize = 100;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) link: LinkState,
    /// In the order in which they came.
    pub(crate) jobs: VecDeque<Job>,
    pub(crate) log: VecDeque<LogLine>,
}

pub(crate) struct Job {
    pub(crate) record: JobRecord,
    pub(crate) code: Arc<str>,
    pub(crate) line: Option<u64>,
    /// It was sent, and no answer came: nobody was told of it yet.
    pub(crate) in_doubt: bool,
}

/// A script that is to be submitted.
#[derive(Clone)]
pub(crate) struct NewJob {
    pub(crate) id: String,
    pub(crate) code: Arc<str>,
    pub(crate) name: Option<String>,
    pub(crate) user: String,
    pub(crate) submitted: f64,
}

impl Job {
    pub(crate) fn new(job: NewJob, in_doubt: bool) -> Self {
        let record = JobRecord {
            id: job.id,
            name: job.name,
            user: Some(job.user),
            state: JobState::Queued,
            submitted: Some(job.submitted),
            ..JobRecord::default()
        };
        Job {
            record,
            code: job.code,
            line: None,
            in_doubt,
        }
    }
}

impl State {
    /// That job; one that is not known was submitted by somebody else.
    pub(crate) fn job_or_anothers(&mut self, id: &str) -> &mut Job {
        let known = self.jobs.iter().position(|job| job.record.id == id);
        let at = known.unwrap_or_else(|| {
            self.jobs.push_back(Job {
                record: JobRecord {
                    id: id.to_owned(),
                    state: JobState::Queued,
                    external: true,
                    ..JobRecord::default()
                },
                code: "".into(),
                line: None,
                in_doubt: false,
            });
            self.jobs.len() - 1
        });
        &mut self.jobs[at]
    }

    pub(crate) fn of(&self, state: JobState) -> impl Iterator<Item = &Job> {
        let is_so = move |job: &&Job| job.record.state == state;
        self.jobs.iter().filter(is_so)
    }

    pub(crate) fn running(&self) -> Option<&Job> {
        self.of(JobState::Running).next()
    }

    /// The job that ended last.
    pub(crate) fn last(&self) -> Option<&Job> {
        let ran = |job: &&Job| job.record.started.is_some() && !job.record.state.is_live();
        self.jobs.iter().rfind(ran)
    }

    pub(crate) fn run(&self) -> Run {
        match (self.link, self.running(), self.last()) {
            (LinkState::Down | LinkState::Connecting, ..) => Run::Unknown,
            (_, Some(_), _) => Run::Running,
            (_, None, Some(job)) if job.record.state != JobState::Succeeded => {
                Run::IdleAfterFailure
            }
            _ => Run::Idle,
        }
    }

    pub(crate) fn forget_the_oldest(&mut self) {
        let ended = self.jobs.iter().filter(|job| !job.record.state.is_live());
        let mut too_many = ended.count().saturating_sub(ENDED_KEPT);
        self.jobs.retain(|job| {
            let goes = too_many > 0 && !job.record.state.is_live();
            too_many -= usize::from(goes);
            !goes
        });
    }
}
